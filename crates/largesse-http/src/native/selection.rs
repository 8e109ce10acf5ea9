//! Which streams a request asks for, and where a first read begins.
//!
//! Does not look at whether those streams exist.

use largesse_log::{FromSetting, Selection, Selector, StartFrom, StreamName};

use crate::{
    kit::{
        printable::Printable,
        problem::Problem,
        query::{Query, refuse, refuse_value},
        refusal::{Refusal, sentence},
    },
    native::{
        path::{Resource, stream_name},
        time_text,
    },
};

/// The stream of the path, or those of the query; `None` when neither names one.
pub(crate) fn selection(resource: &Resource, query: &Query) -> Result<Option<Selection>, Refusal> {
    match resource {
        Resource::Stream(raw) => Ok(Some(Selection::one(stream_name(raw)?))),
        Resource::Streams => {
            let names = query.all("name")?;
            if names.is_empty() {
                return Ok(None);
            }
            let selectors: Vec<_> = names.into_iter().map(selector).collect::<Result<_, _>>()?;
            let selection = Selection::many(selectors);
            selection.map(Some).map_err(|error| refuse("name", format!("{}.", sentence(&error.to_string()))))
        }
    }
}

fn selector(raw: &str) -> Result<Selector, Refusal> {
    Selector::parse(raw).map_err(|error| {
        let detail =
            format!("The query parameter 'name' is '{}'. {}.", Printable(raw), sentence(&error.to_string()));
        Refusal::new(Problem::BadName, detail).with("parameter", "name")
    })
}

/// The one stream of a request for a single one.
pub(crate) fn single(selection: &Selection, resource: &Resource) -> Option<StreamName> {
    match resource {
        Resource::Stream(_) => selection.names().first().cloned(),
        Resource::Streams => None,
    }
}

/// The value of `from`, if there is one.
pub(crate) fn start_from(query: &Query) -> Result<Option<StartFrom>, Refusal> {
    let Some(raw) = query.one("from")? else { return Ok(None) };
    parse_start(raw).map(Some).ok_or_else(|| {
        let right = "start, now, -N for the last N events, or a time such as 2026-11-20T08:00:00Z";
        refuse_value("from", raw, right)
    })
}

fn parse_start(raw: &str) -> Option<StartFrom> {
    let as_a_setting = raw.parse::<FromSetting>().ok().map(StartFrom::from);
    as_a_setting.or_else(|| time_text::parse(raw).map(StartFrom::Time))
}

#[cfg(test)]
mod tests {
    use largesse_log::UnixMs;

    use super::*;

    #[track_caller]
    fn check(raw: &str, want: Option<StartFrom>) {
        assert_eq!(parse_start(raw), want, "{raw}");
    }

    #[test]
    fn a_first_read_begins_at_a_word_a_count_or_a_time() {
        check("start", Some(StartFrom::Start));
        check("now", Some(StartFrom::Now));
        check("-0", Some(StartFrom::Now));
        check("-25", Some(StartFrom::Last(25)));
        check("-18446744073709551615", Some(StartFrom::Last(u64::MAX)));
        check("-18446744073709551616", Some(StartFrom::Last(u64::MAX)));
        check("-99999999999999999999999999", Some(StartFrom::Last(u64::MAX)));
        check("1970-01-01T00:00:01Z", Some(StartFrom::Time(UnixMs(1_000))));
        check("1970-01-01T01:00:01 01:00", Some(StartFrom::Time(UnixMs(1_000))));
    }

    #[test]
    fn anything_else_is_no_beginning() {
        for raw in ["", "Start", "-", "--1", "-+1", "-1.5", "5", "yesterday", "1970-01-01"] {
            check(raw, None);
        }
    }
}
