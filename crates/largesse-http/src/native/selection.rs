//! Which streams a request selects, and where a first read begins.
//!
//! Does not check whether those streams exist.

use largesse_log::{FromSetting, Selection, Selector, StartFrom, StreamName, UnixMs};

use crate::{
    kit::{
        printable::Printable,
        problem::Problem,
        query::{Query, refuse, refuse_value},
        refusal::{Refusal, sentence},
        time_text::parse_rfc3339,
    },
    native::path::{Resource, stream_name},
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
    as_a_setting.or_else(|| parse_time(raw).map(StartFrom::Time))
}

/// A time with its offset from UTC. Times before 1970 count as 1970: the log has none.
///
/// An unescaped plus in a query arrives as a space. A space after the `T` has no other reason, so it is read as a
/// plus.
fn parse_time(text: &str) -> Option<UnixMs> {
    let (date, time) = text.split_once(['T', 't'])?;
    let ms = parse_rfc3339(&format!("{date}T{}", time.replace(' ', "+")))?;
    Some(UnixMs(u64::try_from(ms).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(text: &str, want: Option<u64>) {
        assert_eq!(parse_time(text).map(|time| time.0), want, "{text}");
    }

    #[test]
    fn a_time_needs_its_offset() {
        check_time("1970-01-01T00:00:01Z", Some(1_000));
        check_time("1970-01-01T00:00:01.5Z", Some(1_500));
        check_time("1970-01-01T01:00:00+01:00", Some(0));
        check_time("1970-01-01T01:00:00 01:00", Some(0));
        check_time("1969-12-31T23:00:00-02:00", Some(3_600_000));
        check_time("1960-01-01T00:00:00Z", Some(0));
        check_time("1970-01-01T00:00:00", None);
        check_time("1970-01-01", None);
        check_time("yesterday", None);
        check_time("", None);
    }

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
