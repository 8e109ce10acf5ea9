//! An answer, parsed.

use serde_json::Value;

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads a head, without its empty line.
    pub(crate) fn parse(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let first = lines.next().expect("a status line");
        let (_, rest) = first.split_once(' ').expect("a version");
        let status = rest.get(..3).and_then(|status| status.parse().ok()).expect("a status");
        let pair = |line: &str| {
            let (name, value) = line.split_once(':').expect("a header");
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers = lines.filter(|line| !line.is_empty()).map(pair).collect();
        Self { status, headers, body: Vec::new() }
    }

    /// The only value of a header.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values =
            self.headers.iter().filter(|(have, _)| have == name).map(|(_, value)| value.as_str());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} came twice: {self:?}");
        first
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_slice(&self.body);
        assert!(json.is_ok(), "{}: {self:?}", self.text());
        json.expect("it was just looked at")
    }

    /// The slug of a problem; checks its shape.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        self.check_vary();
        let json = self.json();
        assert_eq!(json["status"], self.status, "{json}");
        assert!(json["title"].as_str().is_some_and(|title| !title.is_empty()), "{json}");
        assert!(json["detail"].as_str().is_some_and(|detail| detail.ends_with(['.', '?'])), "{json}");
        let slug = json["type"].as_str().and_then(|t| t.strip_prefix("urn:largesse:problem:"));
        slug.expect("a problem of ours").to_owned()
    }

    #[track_caller]
    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().expect("a detail").to_owned()
    }

    #[track_caller]
    pub(crate) fn check_vary(&self) {
        assert_eq!(self.header("vary"), Some("Accept, Last-Event-ID, Origin"), "{self:?}");
    }
}
