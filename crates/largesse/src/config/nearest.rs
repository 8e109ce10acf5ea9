//! Finds the name that was probably meant.

use strsim::normalized_damerau_levenshtein as likeness;

/// A name is near if its last segment is at least this similar, from 0 to 1.
const LAST_LIKE: f64 = 0.6;
/// The same for the whole name. It is higher, because a right section alone makes two names similar.
const WHOLE_LIKE: f64 = 0.75;

/// The most similar of the names `right`, if it is near. A right last segment in the wrong section counts for much.
pub(crate) fn nearest<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let whole = |name: &str| likeness(wrong, name);
    let end = |name: &str| likeness(last(wrong), last(name));
    let score = |name: &str| whole(name) + end(name) / 2.0;
    let most = right.max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (end(most) >= LAST_LIKE || whole(most) >= WHOLE_LIKE).then_some(most)
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sections::keys;

    #[track_caller]
    fn check(wrong: &str, want: &str) {
        assert_eq!(nearest(wrong, keys().map(|key| key.path)), Some(want), "for {wrong}");
    }

    #[test]
    fn a_slip_finds_its_key() {
        check("http.hartbeat", "http.heartbeat");
        check("htpp.heartbeat", "http.heartbeat");
        check("http.retry-min", "http.retry_min");
        check("log.stream_max", "log.streams_max");
        check("stream.maxage", "stream.max_age");
        check("trace.levle", "trace.level");
    }

    #[test]
    fn what_is_near_nothing_finds_nothing() {
        for wrong in ["banana", "", "x", "http.port", "http.banana", "tls.certificate", "no"] {
            assert_eq!(nearest(wrong, keys().map(|key| key.path)), None, "for {wrong}");
        }
    }

    #[test]
    fn a_key_under_the_wrong_section_finds_its_own() {
        check("heartbeat", "http.heartbeat");
        check("stream.heartbeat", "http.heartbeat");
        check("http.slow", "stream.slow");
        check("http.shutdown_grace", "shutdown_grace");
    }
}
