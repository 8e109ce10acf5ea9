//! The lines of a saved log: NDJSON.
//!
//! ```text
//! {"export":1,"log":"a7…"}                                             first: the format, and which log it was
//! {"stream":"news","settings":{…}}                                     each stream, before the events
//! {"stream":"news","id":"…","event":"message","time":"…","data":"…"}   each event, in the order of the log
//! {"stream":"news","closed":true}                                      each stream that is closed, after the events
//! {"end":true,"streams":1,"events":1}                                  last: so nothing is cut off
//! ```
//!
//! Invariant: a line that is read has one of these forms, with names, times and data that a log accepts. Does not know
//! where lines come from or go to.

use std::io::{self, Write};

use largesse::{
    http::parse_rfc3339,
    log::{SettingsPatch, StreamName, UnixMs},
    wire::{EventData, EventName},
};
use serde::{Deserialize, Serialize};

/// The number of this form of lines.
const FORMAT: u32 = 1;
/// The name of an event without one. Source: WHATWG HTML, "dispatch the event".
const DEFAULT_NAME: &str = "message";

/// A line about to be written.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Written<'a, S: Serialize> {
    Head { export: u32, log: String },
    Stream { stream: &'a str, settings: S },
    Event { stream: &'a str, id: &'a str, event: &'a str, time: &'a str, data: &'a str },
    Closed { stream: &'a str, closed: bool },
    End { end: bool, streams: u64, events: u64 },
}

impl<S: Serialize> Written<'_, S> {
    /// The first line.
    pub(super) fn head(log: String) -> Self {
        Self::Head { export: FORMAT, log }
    }

    /// Writes it, with its line break.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

/// The name of an event as written.
pub(super) fn event_name(name: Option<&EventName>) -> &str {
    name.map_or(DEFAULT_NAME, EventName::as_str)
}

/// A line that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Head,
    Stream { stream: StreamName, settings: SettingsPatch },
    Event { stream: StreamName, name: Option<EventName>, time: UnixMs, data: EventData },
    Closed { stream: StreamName },
    End { streams: u64, events: u64 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    export: Option<u32>,
    /// For people; whoever imports makes a new log.
    #[serde(rename = "log")]
    _log: Option<String>,
    stream: Option<String>,
    settings: Option<SettingsPatch>,
    /// For people: it means nothing in another log.
    #[serde(rename = "id")]
    _id: Option<String>,
    event: Option<String>,
    time: Option<String>,
    data: Option<String>,
    closed: Option<bool>,
    end: Option<bool>,
    streams: Option<u64>,
    events: Option<u64>,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        let raw: Raw = serde_json::from_slice(line).map_err(|error| {
            let text = error.to_string();
            // The line is always line 1 here: the caller knows which one it is.
            text.replace(" at line 1 column ", ", at its byte ")
        })?;
        match raw {
            Raw { export: Some(FORMAT), .. } => Ok(Self::Head),
            Raw { export: Some(other), .. } => {
                Err(format!("it is of the form {other}; this version reads {FORMAT} only"))
            }
            Raw { end: Some(true), streams: Some(streams), events: Some(events), .. } => {
                Ok(Self::End { streams, events })
            }
            Raw { stream: Some(stream), settings: Some(settings), .. } => {
                Ok(Self::Stream { stream: name(&stream)?, settings })
            }
            Raw { stream: Some(stream), closed: Some(true), .. } => {
                Ok(Self::Closed { stream: name(&stream)? })
            }
            Raw { stream: Some(stream), time: Some(time), data: Some(data), event, .. } => {
                let event = event.filter(|event| event != DEFAULT_NAME);
                let named =
                    event.map(|event| EventName::parse(&event).map_err(|error| format!("event: {error}")));
                let data = EventData::parse_owned(data).map_err(|error| format!("data: {error}"))?;
                Ok(Self::Event { stream: name(&stream)?, name: named.transpose()?, time: ms(&time)?, data })
            }
            _ => Err("it is no line of a saved log".to_owned()),
        }
    }
}

fn name(stream: &str) -> Result<StreamName, String> {
    StreamName::parse(stream).map_err(|error| format!("stream: {error}"))
}

fn ms(time: &str) -> Result<UnixMs, String> {
    let parsed = parse_rfc3339(time).and_then(|ms| u64::try_from(ms).ok());
    parsed.map(UnixMs).ok_or_else(|| format!("time: {time:?} is not a time like 2026-11-20T08:00:00.000Z"))
}

#[cfg(test)]
mod tests {
    use largesse::http::rfc3339;

    use super::*;

    #[track_caller]
    fn check(line: &Written<'_, serde_json::Value>, text: &str, want: &Line) {
        let mut out = Vec::new();
        line.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out.clone()).unwrap(), format!("{text}\n"));
        assert_eq!(&Line::parse(out.trim_ascii_end()).unwrap(), want);
    }

    #[test]
    fn each_line_is_read_as_it_was_written() {
        let stream = StreamName::parse("a/b").unwrap();
        check(&Written::head("00ff".to_owned()), r#"{"export":1,"log":"00ff"}"#, &Line::Head);
        let settings = serde_json::json!({});
        check(
            &Written::Stream { stream: "a/b", settings },
            r#"{"stream":"a/b","settings":{}}"#,
            &Line::Stream { stream: stream.clone(), settings: SettingsPatch::default() },
        );
        let time = rfc3339(UnixMs(1_700_000_000_120));
        let (data, name) = ("x\n\"", Some(EventName::parse("n").unwrap()));
        let event = Written::Event { stream: "a/b", id: "E", event: "n", time: &time, data };
        let text =
            r#"{"stream":"a/b","id":"E","event":"n","time":"2023-11-14T22:13:20.120Z","data":"x\n\""}"#;
        let data = EventData::parse(data).unwrap();
        let want = Line::Event { stream: stream.clone(), name, time: UnixMs(1_700_000_000_120), data };
        check(&event, text, &want);
        check(
            &Written::Closed { stream: "a/b", closed: true },
            r#"{"stream":"a/b","closed":true}"#,
            &Line::Closed { stream },
        );
        let end = Written::End { end: true, streams: 1, events: 2 };
        check(&end, r#"{"end":true,"streams":1,"events":2}"#, &Line::End { streams: 1, events: 2 });
    }

    #[test]
    fn a_line_that_is_none_of_them_is_told_what_is_wrong() {
        let rows = [
            ("", "EOF"),
            ("{", "at its byte 1"),
            ("{}", "no line of a saved log"),
            ("[]", "expected"),
            (r#"{"export":2}"#, "form 2"),
            (r#"{"stream":"a","dta":"x"}"#, "unknown field `dta`"),
            (r#"{"stream":"a//b","closed":true}"#, "stream: "),
            (r#"{"stream":"a","settings":{"max_events":"x"}}"#, "at its byte"),
            (r#"{"stream":"a","time":"now","data":"x"}"#, "not a time like"),
            (r#"{"stream":"a","time":"1960-01-01T00:00:00Z","data":"x"}"#, "not a time like"),
            (r#"{"stream":"a","time":"2026-01-01T00:00:00Z","data":"\u0000"}"#, "data: "),
            (r#"{"stream":"a","time":"2026-01-01T00:00:00Z","event":"a\nb","data":""}"#, "event: "),
            (r#"{"stream":"a","data":"x"}"#, "no line of a saved log"),
        ];
        for (line, want) in rows {
            let told = Line::parse(line.as_bytes()).unwrap_err();
            assert!(told.contains(want), "{line}: {told}");
        }
    }
}
