//! How long a server may be silent.
//!
//! Pure. Source: docs/http.md, `Largesse-Heartbeat`.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

/// The header in which our server states its heartbeat, in seconds.
const HEARTBEAT: HeaderName = HeaderName::from_static("largesse-heartbeat");
/// After how many heartbeats' time without a byte a connection counts as lost: one heartbeat may be late, or on its way.
const HEARTBEATS: u32 = 2;
/// The longest silence that a server may ask for.
const SILENCE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Silence after which a connection counts as lost: `least`, unless the server states that it may be silent for longer.
pub(crate) fn silence_max(headers: &HeaderMap, least: Duration) -> Duration {
    let stated = headers.get(HEARTBEAT).and_then(|value| value.to_str().ok());
    let heartbeat =
        stated.and_then(|text| text.trim().parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
    heartbeat.saturating_mul(HEARTBEATS).min(SILENCE_MAX).max(least)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_stated_heartbeat_lengthens_the_silence_that_is_allowed() {
        let rows = [
            (None, 90),
            (Some("15"), 90),
            (Some("45"), 90),
            (Some("46"), 92),
            (Some(" 3600 "), 7_200),
            (Some("0"), 90),
            (Some("often"), 90),
            (Some("-5"), 90),
            (Some("\u{fc}"), 90),
            (Some("18446744073709551615"), 86_400),
        ];
        for (stated, want) in rows {
            let stated = stated.map(|text| (HEARTBEAT, HeaderValue::from_bytes(text.as_bytes()).unwrap()));
            let headers: HeaderMap = stated.into_iter().collect();
            assert_eq!(silence_max(&headers, Duration::from_secs(90)).as_secs(), want, "{headers:?}");
        }
    }
}
