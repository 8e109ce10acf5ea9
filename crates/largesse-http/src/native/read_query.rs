//! The query parameters of a read, and misspellings of them.
//!
//! Invariants: a parameter of ours that does not apply to this read, or is one slip away from one of ours, is
//! refused, and the refusal names the right one; any other unknown parameter is ignored, because pages add their own.
//! Does not check values.

use crate::{
    kit::{
        nearest,
        printable::Printable,
        query::{Query, refuse},
        refusal::Refusal,
    },
    native::{negotiate::Media, path::Resource},
};

/// Longer names are not misspellings of ours.
const NAME_CHARS_MAX: usize = 32;

/// Words that pages use for their own purposes, although they are one slip away from ours.
const ORDINARY: &[&str] = &["fname", "game", "lname", "rom", "same", "sname", "uname"];

/// What a read answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Live,
    Page,
    /// The list of streams.
    List,
}

/// A parameter of ours.
#[derive(Debug)]
struct Parameter {
    name: &'static str,
    /// Aliases.
    spellings: &'static [&'static str],
    /// How similar a name must be to be a misspelling of it.
    near: Near,
    live: Use,
    page: Use,
    list: Use,
}

/// Which names are misspellings of a parameter.
#[derive(Clone, Copy, Debug)]
enum Near {
    /// Those with the same letters.
    Same,
    /// Those one slip away, too.
    Slip,
}

/// What a parameter is to a form of answer.
#[derive(Clone, Copy, Debug)]
enum Use {
    Taken,
    /// It has no effect on the answer.
    Harmless,
    /// What to do instead.
    Refused(&'static str),
}

const fn every(name: &'static str, r#use: Use) -> Parameter {
    Parameter { name, spellings: &[], near: Near::Slip, live: r#use, page: r#use, list: r#use }
}

/// A parameter of live reads, which pages ignore.
const fn of_live(name: &'static str) -> Parameter {
    Parameter {
        name,
        spellings: &[],
        near: Near::Slip,
        live: Use::Taken,
        page: Use::Harmless,
        list: Use::Harmless,
    }
}

/// A parameter of publishers. Its name is a common word, so only the exact word counts.
const fn of_publishers(name: &'static str, advice: &'static str) -> Parameter {
    Parameter { near: Near::Same, ..every(name, Use::Refused(advice)) }
}

/// All parameters of ours.
const PARAMETERS: &[Parameter] = &[
    every("name", Use::Taken),
    Parameter {
        list: Use::Refused(
            "The list of streams is ordered by name: use after, with the name to start after.",
        ),
        ..every("from", Use::Taken)
    },
    of_live("heartbeat"),
    of_live("control"),
    of_live("format"),
    Parameter {
        name: "last_event_id",
        spellings: &["lastEventId", "lastEventID"],
        near: Near::Slip,
        live: Use::Taken,
        page: Use::Refused("On a JSON page use after, with the same id."),
        list: Use::Refused(
            "The list of streams is ordered by name: use after, with the name to start after.",
        ),
    },
    Parameter {
        live: Use::Refused(
            "It is for JSON pages. An event stream starts after the id in last_event_id, or in the header \
             Last-Event-ID.",
        ),
        ..every("after", Use::Taken)
    },
    Parameter {
        live: Use::Refused(
            "It is for JSON pages, which 'Accept: application/json' selects. An event stream does not \
             end; from=-N starts it with the last N events.",
        ),
        ..every("limit", Use::Taken)
    },
    of_publishers("event", "It names an event to publish. A read returns all events of its streams."),
    of_publishers("close", "It closes a stream, with POST. A read closes nothing."),
];

/// Why `name` does not apply to the path of one stream.
const NAMED_BY_PATH: &str =
    "The path names the stream. To read several, use /streams?name=a&name=b, without a name in the path.";

impl Form {
    pub(crate) fn new(resource: &Resource, query: &Query, media: Media) -> Self {
        let is_list = *resource == Resource::Streams && !query.names().any(|name| name == "name");
        match media {
            Media::EventStream => Self::Live,
            Media::Json if is_list => Self::List,
            Media::Json => Self::Page,
        }
    }

    fn r#use(self, parameter: &Parameter, resource: &Resource) -> Use {
        match self {
            _ if parameter.name == "name" && matches!(resource, Resource::Stream(_)) => {
                Use::Refused(NAMED_BY_PATH)
            }
            Self::Live => parameter.live,
            Self::Page => parameter.page,
            Self::List => parameter.list,
        }
    }
}

/// Refuses the first parameter that does not apply or is misspelled.
pub(crate) fn check(query: &Query, resource: &Resource, form: Form) -> Result<(), Refusal> {
    query.names().try_for_each(|given| check_one(given, resource, form))
}

fn check_one(given: &str, resource: &Resource, form: Form) -> Result<(), Refusal> {
    let Some((parameter, likeness)) = meant(given, resource) else { return Ok(()) };
    let advice = match (form.r#use(parameter, resource), likeness) {
        (Use::Taken | Use::Harmless, Likeness::Exact) => return Ok(()),
        (Use::Taken | Use::Harmless, Likeness::Slip) => "",
        (Use::Refused(advice), _) => advice,
    };
    let (printable, name) = (Printable(given), parameter.name);
    let told = match likeness {
        Likeness::Exact => format!("The query parameter '{printable}' does not apply here."),
        Likeness::Slip => format!("There is no query parameter '{printable}'; did you mean '{name}'?"),
    };
    let detail = if advice.is_empty() { told } else { format!("{told} {advice}") };
    Err(refuse(given, detail))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    Exact,
    Slip,
}

/// The parameter that a name is, or is a misspelling of.
///
/// One slip is: another case; hyphens, underscores, brackets or spaces more or less; `&amp;` for `&`; one letter
/// more, less, other, or two in each other's place.
fn meant(given: &str, resource: &Resource) -> Option<(&'static Parameter, Likeness)> {
    let exact = PARAMETERS.iter().find(|ours| ours.name == given || ours.spellings.contains(&given));
    exact.map(|parameter| (parameter, Likeness::Exact)).or_else(|| {
        let letters = letters(given)?;
        let ours = PARAMETERS.iter().find(|ours| ours.is_slipped(&letters, resource));
        ours.map(|parameter| (parameter, Likeness::Slip))
    })
}

impl Parameter {
    fn is_slipped(&self, given: &str, resource: &Resource) -> bool {
        let names_streams = self.name == "name";
        if names_streams && matches!(resource, Resource::Stream(_)) {
            return false;
        }
        let name = self.name.replace('_', "");
        let is_near = match self.near {
            Near::Same => given == name,
            Near::Slip => nearest::is_slip(given, &name) && !ORDINARY.contains(&given),
        };
        is_near || (names_streams && matches!(given, "stream" | "streams"))
    }
}

/// The letters and digits of a name, in lower case; `None` where there are none, or too many for a slip.
fn letters(name: &str) -> Option<String> {
    // `&amp;`: an `&` that was escaped as if for HTML.
    let name = name.strip_prefix("amp;").unwrap_or(name);
    let is_short = name.chars().nth(NAME_CHARS_MAX).is_none();
    let letters: String = name.chars().filter(|letter| letter.is_alphanumeric()).collect();
    (is_short && !letters.is_empty()).then(|| letters.to_lowercase())
}

#[cfg(test)]
mod tests;
