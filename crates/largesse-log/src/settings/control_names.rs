//! The names of control events, and who may use them for events of a stream.
//!
//! Invariant: every control event's name is in [`RESERVED_NAMES`]. Does not know what control events say: the hub
//! does.

use largesse_wire::EventName;
use serde::{Deserialize, Serialize};

use crate::{NewEvent, Then};

/// The names of control events, including those that this version does not send yet, in byte order. A page can't
/// tell a control event from a publisher's event with such a name.
///
/// Source: SPEC of Largesse §2, "Control events" (ours). `message`, `open` and `error` are not among them: the server
/// never sends control events with these names.
pub const RESERVED_NAMES: [&str; 10] =
    ["away", "begin", "closed", "end", "expired", "failed", "gap", "heartbeat", "queued", "reset"];

/// The name of the event that says why a stream ended early. Publishers that close a stream may say why.
const FAILED: &str = "failed";

/// Whether publishers may use the names of control events on a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "String")]
pub enum ControlNames {
    /// They may not: a publisher can't end or reset other people's pages.
    #[default]
    Reserved,
    /// They may.
    Shared,
}

impl TryFrom<String> for ControlNames {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "reserved" => Ok(Self::Reserved),
            "shared" => Ok(Self::Shared),
            _ => Err(format!("{text:?} is neither \"reserved\" nor \"shared\"")),
        }
    }
}

/// Who writes an append, which decides the names its events may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Author {
    /// The operator's own sources, or an imported log: any name.
    Source,
    /// A client: names of control events only where the stream shares them ([`ControlNames::Shared`]), and
    /// `failed` in an append that also closes.
    Publisher,
}

/// Whether an event's name is that of a control event.
#[must_use]
pub fn is_reserved(name: &EventName) -> bool {
    RESERVED_NAMES.binary_search(&name.as_str()).is_ok()
}

/// The first name that a publisher may not use here, if there is one.
pub(crate) fn first_refused(names: ControlNames, events: &[NewEvent], then: Then) -> Option<&EventName> {
    if names == ControlNames::Shared {
        return None;
    }
    let is_refused =
        |name: &&EventName| is_reserved(name) && !(name.as_str() == FAILED && then == Then::Close);
    events.iter().filter_map(|event| event.name.as_ref()).find(is_refused)
}

#[cfg(test)]
mod tests {
    use largesse_wire::EventData;

    use super::*;

    #[track_caller]
    fn check(names: ControlNames, event_names: &[&str], then: Then, want: Option<&str>) {
        let event = |name: &&str| NewEvent {
            name: Some(EventName::parse(name).unwrap()),
            data: EventData::parse("").unwrap(),
        };
        let events: Vec<_> = event_names.iter().map(event).collect();
        let refused = first_refused(names, &events, then).map(EventName::as_str);
        assert_eq!(refused, want, "{names:?} {event_names:?} {then:?}");
    }

    #[test]
    fn the_names_of_control_events_are_refused_unless_they_are_shared() {
        assert!(RESERVED_NAMES.is_sorted(), "binary search needs it");
        for name in RESERVED_NAMES {
            check(ControlNames::Reserved, &["tick", name], Then::StayOpen, Some(name));
            check(ControlNames::Shared, &["tick", name], Then::Close, None);
        }
    }

    #[test]
    fn a_publisher_that_closes_may_send_failed_and_nothing_else() {
        check(ControlNames::Reserved, &["failed", "failed"], Then::Close, None);
        check(ControlNames::Reserved, &["failed"], Then::StayOpen, Some("failed"));
        check(ControlNames::Reserved, &["failed", "end"], Then::Close, Some("end"));
    }

    #[test]
    fn other_names_are_free() {
        for name in [
            "message",
            "open",
            "error",
            "End",
            "END",
            " end",
            "end ",
            "ended",
            "reset\u{200b}",
            "\u{feff}end",
        ] {
            check(ControlNames::Reserved, &[name], Then::StayOpen, None);
        }
        check(ControlNames::Reserved, &[], Then::Close, None);
    }
}
