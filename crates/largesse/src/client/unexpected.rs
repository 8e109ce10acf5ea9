//! The words for answers that are not what a command wanted: the reason in them, or who may have sent them.
//!
//! Pure. Invariant: every answer is explained with a reason or something to do, and the advice works here. Does not follow
//! redirects: only the operator may decide that a publish goes elsewhere.

use http::{
    StatusCode,
    header::{CONTENT_ENCODING, LOCATION},
};
use largesse::client::Answer;

/// How much of a foreign body is shown.
const SHOWN_CHARS_MAX: usize = 500;

/// What to check if the answer does not seem to come from a Largesse server.
const WHO_ANSWERS: &str = "does a proxy or another server answer there?";

/// The members of an RFC 9457 problem that people want to read.
#[derive(serde::Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

/// An answer that isn't a success.
pub(super) fn explained(answer: &Answer) -> String {
    let (status, body) = (answer.status, &answer.body);
    if let Some(reason) = reason(body) {
        return format!("{status}: {reason}");
    }
    if status.is_redirection() {
        return format!("{status}: {}", redirect(answer.header(LOCATION)));
    }
    if matches!(status, StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE) {
        return format!(
            "{status}: the names together are too long; give fewer, or a pattern such as prices/*"
        );
    }
    match shown(answer.essence(), body) {
        shown if shown.is_empty() => format!("{status}, without a reason; {WHO_ANSWERS}"),
        shown => format!("{status}: {shown}; {WHO_ANSWERS}"),
    }
}

/// An answer that is a success, but not what was asked for.
pub(super) fn unlike(answer: &Answer, wanted: &str) -> String {
    if let Some(coding) = answer.header(CONTENT_ENCODING) {
        return format!("the answer is compressed ({coding}), which was not asked for; {WHO_ANSWERS}");
    }
    let essence = match answer.essence() {
        "" => "without a content type",
        essence => essence,
    };
    format!("the answer is {essence}, not {wanted}; {WHO_ANSWERS}")
}

/// The reason that our server gives.
fn reason(body: &[u8]) -> Option<String> {
    let problem = serde_json::from_slice::<Problem>(body).ok()?;
    problem.detail.or(problem.title).filter(|text| !text.is_empty())
}

fn redirect(location: Option<&str>) -> String {
    let Some(location) = location.filter(|location| !location.is_empty()) else {
        return format!("it redirects, but does not say where; {WHO_ANSWERS}");
    };
    let advice = match location.rsplit_once("/streams") {
        Some((server, _)) if is_whole(server) => format!("give --url {server}"),
        _ => "give the server's own address, http://HOST:PORT, with --url".to_owned(),
    };
    format!("it points to {location}, but redirects are not followed; {advice}")
}

fn is_whole(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
}

/// A foreign body, or the title if it is a page.
fn shown(essence: &str, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let is_page = essence.eq_ignore_ascii_case("text/html") || text.starts_with('<');
    let text = if is_page { title(text).unwrap_or("a page of HTML") } else { text };
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

fn title(page: &str) -> Option<&str> {
    // Only ASCII letters change, so that all indexes stay valid.
    let lower = page.to_ascii_lowercase();
    let begin = lower.find("<title")?;
    let begin = begin + lower[begin..].find('>')? + 1;
    let end = begin + lower[begin..].find("</title")?;
    Some(page[begin..end].trim()).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::CONTENT_TYPE};

    use super::*;

    #[track_caller]
    fn check(status: u16, location: Option<&str>, essence: &str, body: &str, want: &[&str]) {
        let headers = [(LOCATION, location), (CONTENT_TYPE, Some(essence))].into_iter();
        let headers = headers
            .filter_map(|(name, value)| Some((name, HeaderValue::from_str(value?).unwrap())))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        let url = "http://a/".parse().unwrap();
        let told = explained(&Answer { status, headers, url, body: body.as_bytes().to_vec().into() });
        for part in want {
            assert!(told.contains(part), "{part:?} is not in: {told}");
        }
        assert!(told.starts_with(status.as_str()) && !told.ends_with(": "), "{told}");
    }

    #[test]
    fn a_redirect_says_where_it_points_and_what_works_here() {
        for status in [301, 302, 303, 307, 308] {
            check(
                status,
                Some("http://b:1/x/streams/a?y"),
                "",
                "",
                &["to http://b:1/x/streams", "--url http://b:1/x"],
            );
            check(
                status,
                Some("https://b/streams/a"),
                "",
                "",
                &["https://b/streams/a", "give --url https://b"],
            );
            check(status, Some("/login"), "text/html", "<html>", &["points to /login", "--url"]);
            check(status, Some("http://b/login"), "", "", &["points to http://b/login", "with --url"]);
            check(status, None, "", "", &["does not say where", "another server"]);
            check(status, Some(""), "text/html", "<title>Moved</title>", &["does not say where"]);
        }
    }

    #[test]
    fn an_answer_without_a_reason_says_who_may_have_sent_it() {
        for status in [400, 401, 403, 404, 405, 500, 502, 503] {
            check(status, None, "", "", &["without a reason", "another server"]);
            check(status, None, "application/json", "{}", &["another server"]);
            check(status, None, "text/plain", "no upstream", &["no upstream", "another server"]);
            let page = "<!DOCTYPE html>\n<HTML><head><Title lang=en> 502 Bad\nGateway </TITLE></head>";
            check(status, None, "text/html", page, &["502 Bad\nGateway;", "another server"]);
            check(status, None, "", "<h1>ä", &["a page of HTML", "another server"]);
        }
        check(414, None, "", "", &["fewer"]);
        check(431, None, "", "", &["fewer"]);
    }

    #[test]
    fn a_success_that_is_something_else_says_what_it_is() {
        let rows: [(&[(http::HeaderName, &str)], &str); 3] = [
            (&[], "without a content type, not an event stream"),
            (&[(CONTENT_TYPE, "text/html; charset=utf-8")], "is text/html, not an event stream"),
            (&[(CONTENT_TYPE, "text/event-stream"), (CONTENT_ENCODING, "gzip")], "is compressed (gzip)"),
        ];
        for (headers, want) in rows {
            let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            let (status, url) = (StatusCode::OK, "http://a/".parse().unwrap());
            let answer = Answer { status, headers: headers.collect(), url, body: Default::default() };
            let told = unlike(&answer, "an event stream");
            assert!(told.contains(want) && told.contains("another server"), "{told}");
        }
    }

    #[test]
    fn the_reason_of_our_server_is_shown() {
        check(
            404,
            None,
            "application/problem+json",
            "{\"detail\":\"why\",\"title\":\"x\"}",
            &["404 Not Found: why"],
        );
        check(308, Some("/x"), "application/problem+json", "{\"title\":\"only this\"}", &[": only this"]);
    }
}
