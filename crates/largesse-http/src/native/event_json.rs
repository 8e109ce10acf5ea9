//! Events and control events as JSON.
//!
//! Invariant: each text is one line. Does not decide which of them a reader gets.

use largesse_hub::{Control, ResetNotice};
use largesse_log::{Event, Form, Pattern, Selection, StreamName};
use largesse_wire::{EventId, EventName};
use serde::Serialize;

use crate::kit::{json, time_text::rfc3339};

/// The type of an event without a name. Source: WHATWG HTML, "dispatch the event".
const DEFAULT_NAME: &str = "message";

/// One event, as `format=json` and pages of several streams show it.
#[derive(Debug, Serialize)]
pub(crate) struct EventJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'a str>,
    event: &'a str,
    id: Option<&'a str>,
    time: String,
    /// The last member, so that a long event's JSON can be written in pieces.
    data: &'a str,
}

/// Whether an event names its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// It does.
    WithStream,
    /// It does not: the request named the only one.
    Bare,
}

impl<'a> EventJson<'a> {
    pub(crate) fn new(event: &'a Event, id: Option<&'a EventId>, naming: Naming) -> Self {
        Self {
            stream: (naming == Naming::WithStream).then(|| event.stream.as_str()),
            event: event.name.as_ref().map_or(DEFAULT_NAME, EventName::as_str),
            id: id.map(EventId::as_str),
            time: rfc3339(event.time),
            data: event.data.as_str(),
        }
    }

    /// What comes after the data in the event's JSON.
    pub(crate) const AFTER_DATA: &'static str = "\"}";

    /// The event's JSON up to its data, which comes last.
    pub(crate) fn up_to_data(&self) -> String {
        let mut text = json::text(&Self { data: "", time: self.time.clone(), ..*self });
        text.truncate(text.len() - Self::AFTER_DATA.len());
        text
    }
}

/// The data of a `reset`, and the member of a page.
#[derive(Debug, Serialize)]
pub(crate) struct ResetJson<'a> {
    reason: &'a str,
    streams: Vec<&'a str>,
    requested: &'a str,
}

impl<'a> ResetJson<'a> {
    pub(crate) fn new(notice: &'a ResetNotice) -> Self {
        let streams = notice.streams.iter().map(StreamName::as_str).collect();
        Self { reason: notice.reason.as_str(), streams, requested: &notice.requested }
    }
}

#[derive(Serialize)]
struct OneStream<'a> {
    stream: &'a str,
}

#[derive(Serialize)]
struct ManyStreams<'a> {
    streams: Vec<&'a str>,
}

#[derive(Serialize)]
struct Closed<'a> {
    stream: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Reason<'a> {
    reason: &'a str,
}

#[derive(Serialize)]
struct Time {
    time: String,
}

/// The data of a control event.
pub(crate) fn control(control: &Control) -> String {
    match control {
        Control::Begin { selection } => begin(selection),
        Control::Reset(notice) => json::text(&ResetJson::new(notice)),
        Control::Closed { stream, reason } => {
            json::text(&Closed { stream: stream.as_str(), reason: reason.as_str() })
        }
        Control::End { reason } => json::text(&Reason { reason: reason.as_str() }),
    }
}

/// The data of an `away`.
pub(crate) fn away(reason: &str) -> String {
    json::text(&Reason { reason })
}

/// The data of a `heartbeat`.
pub(crate) fn heartbeat(now: largesse_log::UnixMs) -> String {
    json::text(&Time { time: rfc3339(now) })
}

fn begin(selection: &Selection) -> String {
    match (selection.form(), selection.names()) {
        (Form::One, [name]) => json::text(&OneStream { stream: name.as_str() }),
        _ => {
            let patterns = selection.patterns().iter().map(Pattern::as_str);
            let streams = selection.names().iter().map(StreamName::as_str).chain(patterns).collect();
            json::text(&ManyStreams { streams })
        }
    }
}
