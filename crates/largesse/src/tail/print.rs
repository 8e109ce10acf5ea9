//! What a reader sees: each event as a line on stdout, and what the server says about the read on stderr.
//!
//! Invariant: one event is one line. The server wraps each event of a stream into JSON without an event name,
//! so a named event is the server's own, and no publisher can forge one.

use std::io;

use largesse::wire::ParsedEvent;
use serde::{Deserialize, Serialize};

use crate::terminal::{note, plain, say};

/// How events are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The data, after the event's name if it has one.
    TextOfOne,
    /// The same, after the stream's name.
    TextOfSeveral,
    /// All of it, as a JSON object.
    Json,
}

/// What to do after an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Printed {
    /// Read on.
    More,
    /// All streams have ended.
    Finished,
    /// The server isn't ours; says why.
    Unknown(String),
}

/// An event of a stream, as the server wraps it.
#[derive(Debug, Deserialize, Serialize)]
struct Wrapped {
    stream: String,
    event: String,
    id: String,
    time: String,
    data: String,
}

/// Data of the server's own events, as far as it is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Notice {
    stream: String,
    streams: Vec<String>,
    reason: String,
}

/// Whether it is the server's own event, not one of a stream.
pub(super) fn is_said(event: &ParsedEvent) -> bool {
    !matches!(event.name.as_str(), "" | "message")
}

/// Prints events in one form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printer {
    form: Form,
}

impl Printer {
    pub(super) fn new(form: Form) -> Self {
        Self { form }
    }

    /// Prints an event as it came.
    ///
    /// # Errors
    /// stdout can't be written to.
    pub(super) fn print(self, event: &ParsedEvent) -> io::Result<Printed> {
        match event.name.as_str() {
            "" | "message" => match serde_json::from_str::<Wrapped>(&event.data) {
                Ok(wrapped) => say(&self.line(&wrapped)).map(|()| Printed::More),
                Err(error) => Ok(Printed::Unknown(format!(
                    "an event is not in the form asked for ({error}): is this Largesse?"
                ))),
            },
            "end" => Ok(Printed::Finished),
            name => {
                if let Some(told) = told(name, &event.data) {
                    note(&plain(&told));
                }
                Ok(Printed::More)
            }
        }
    }

    fn line(self, wrapped: &Wrapped) -> String {
        let name = match wrapped.event.as_str() {
            "message" => String::new(),
            name => format!("{}: ", plain(name)),
        };
        let data = plain(&wrapped.data);
        match self.form {
            Form::TextOfOne => format!("{name}{data}"),
            Form::TextOfSeveral => format!("[{}] {name}{data}", plain(&wrapped.stream)),
            Form::Json => serde_json::to_string(wrapped).expect("five texts are JSON"),
        }
    }
}

/// What the server's own event `name` means to a person; `None` if only programs need it.
fn told(name: &str, data: &str) -> Option<String> {
    let Notice { stream, streams, reason } = serde_json::from_str(data).unwrap_or_default();
    match (name, reason.as_str()) {
        ("reset", "trimmed") => {
            let of = if streams.is_empty() { String::new() } else { format!(" of {}", streams.join(", ")) };
            Some(format!("reset: events{of} were dropped before they were read"))
        }
        ("reset", _) => Some(format!("reset ({reason}): the server does not know our place; reading anew")),
        ("closed", "closed") => Some(format!("closed: {stream}")),
        ("closed", _) => Some(format!("closed: {stream} ({reason})")),
        ("away", _) => Some(format!("away: the server asks to come back later ({reason})")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: Form, stream: &str, event: &str, data: &str, want: &str) {
        let (id, time) = ("i".to_owned(), "t".to_owned());
        let (stream, event, data) = (stream.to_owned(), event.to_owned(), data.to_owned());
        let wrapped = Wrapped { stream, event, id, time, data };
        assert_eq!(Printer::new(form).line(&wrapped), want);
    }

    #[test]
    fn an_event_is_one_line() {
        check(Form::TextOfOne, "a", "message", "hello", "hello");
        check(Form::TextOfOne, "a", "tick", "hello", "tick: hello");
        check(Form::TextOfSeveral, "a/b", "message", "hello", "[a/b] hello");
        check(Form::TextOfSeveral, "a/b", "tick", "hello", "[a/b] tick: hello");
        check(Form::TextOfOne, "a", "message", "", "");
    }

    #[test]
    fn line_breaks_and_control_characters_do_not_reach_the_terminal() {
        check(Form::TextOfOne, "a", "message", "one\ntwo\u{1b}[2J", "one\\ntwo\\u{1b}[2J");
        check(Form::TextOfSeveral, "a", "x\u{7}", "y", "[a] x\\u{7}: y");
    }

    #[test]
    fn json_has_everything_on_one_line() {
        let want = r#"{"stream":"a","event":"message","id":"i","time":"t","data":"one\ntwo"}"#;
        check(Form::Json, "a", "message", "one\ntwo", want);
    }

    #[test]
    fn the_servers_own_events_are_shown_if_they_matter() {
        let rows = [
            (
                "reset",
                r#"{"reason":"trimmed","streams":["a","b"],"requested":"x"}"#,
                Some("of a, b were dropped"),
            ),
            ("reset", r#"{"reason":"trimmed","streams":[],"requested":"x"}"#, Some("events were dropped")),
            ("reset", r#"{"reason":"new_log","streams":[],"requested":"x"}"#, Some("reading anew")),
            ("closed", r#"{"stream":"a","reason":"deleted"}"#, Some("closed: a (deleted)")),
            ("closed", r#"{"stream":"a","reason":"closed"}"#, Some("closed: a")),
            ("away", r#"{"reason":"overload"}"#, Some("overload")),
            ("begin", r#"{"stream":"a"}"#, None),
            ("heartbeat", r#"{"time":"t"}"#, None),
        ];
        for (name, data, want) in rows {
            let told = told(name, data);
            let fits = told.as_deref().zip(want).is_some_and(|(told, want)| told.contains(want));
            assert!(fits || (told.is_none() && want.is_none()), "{name} {data}: {told:?}");
        }
    }
}
