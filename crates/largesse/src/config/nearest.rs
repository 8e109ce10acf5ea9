//! Finds the name that was probably meant.

use strsim::normalized_damerau_levenshtein as likeness;

/// Of `right`, the name most like `wrong`. Names have segments: a right last segment under a wrong section
/// counts much.
pub(crate) fn nearest<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let score = |name: &str| likeness(wrong, name) + likeness(last(wrong), last(name)) / 2.0;
    right.max_by(|a, b| score(a).total_cmp(&score(b)))
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::KEYS;

    #[track_caller]
    fn check(wrong: &str, want: &str) {
        assert_eq!(nearest(wrong, KEYS.iter().map(|key| key.path)), Some(want), "for {wrong}");
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
    fn a_key_under_the_wrong_section_finds_its_own() {
        check("heartbeat", "http.heartbeat");
        check("stream.heartbeat", "http.heartbeat");
        check("http.slow", "stream.slow");
        check("http.shutdown_grace", "shutdown_grace");
    }
}
