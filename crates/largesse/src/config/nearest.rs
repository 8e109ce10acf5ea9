//! Finds the name that was probably meant, as the door does: tests of it with our keys.

pub(crate) use largesse::http::nearest;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sections::keys;

    #[track_caller]
    fn check(wrong: &str, want: &str) {
        assert_eq!(nearest(wrong, keys().map(|key| key.path)), Some(want), "for {wrong}");
    }

    #[test]
    fn a_typo_finds_its_key() {
        check("http.hartbeat", "http.heartbeat");
        check("htpp.heartbeat", "http.heartbeat");
        check("http.retry-min", "http.retry_min");
        check("log.stream_max", "log.streams_max");
        check("stream.maxage", "stream.max_age");
        check("trace.levle", "trace.level");
    }

    #[test]
    fn a_name_near_no_key_finds_nothing() {
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
