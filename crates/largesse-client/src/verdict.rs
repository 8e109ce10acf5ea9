//! What an answer means to a reader, by its status, content type and content coding alone.
//!
//! Pure. Source: WHATWG HTML, "The EventSource interface", the steps of `processResponse`, and the note on 204.

use http::StatusCode;

/// After which statuses a reader waits and asks again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statuses {
    /// None: anything but a 200 ends the reader, as in a browser.
    Standard,
    /// 429, 502, 503 and 504: a proxy sends them while the server behind it is down or overloaded.
    #[default]
    WaitOut,
}

/// What to do with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is an event stream: read it.
    Read,
    /// The server has nothing more to send.
    Finished,
    /// Ask again later.
    Again,
    /// The server refuses the request.
    Refused,
    /// It is a 200, but not an event stream, or one in a content coding that wasn't asked for.
    NotAStream,
}

/// Judges an answer by its status, its content type without parameters, and the content coding left on its body.
pub(crate) fn verdict(
    status: StatusCode,
    essence: &str,
    coding: Option<&str>,
    statuses: Statuses,
) -> Verdict {
    let is_plain = coding.is_none_or(|coding| coding.eq_ignore_ascii_case("identity"));
    match status {
        StatusCode::OK if is_plain && essence.eq_ignore_ascii_case("text/event-stream") => Verdict::Read,
        StatusCode::OK => Verdict::NotAStream,
        StatusCode::NO_CONTENT => Verdict::Finished,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT
            if statuses == Statuses::WaitOut =>
        {
            Verdict::Again
        }
        _ => Verdict::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "text/event-stream";

    #[track_caller]
    fn check(status: u16, essence: &str, standard: Verdict, wait_out: Verdict) {
        let status = StatusCode::from_u16(status).unwrap();
        let judged = |statuses| verdict(status, essence, None, statuses);
        assert_eq!(
            (judged(Statuses::Standard), judged(Statuses::WaitOut)),
            (standard, wait_out),
            "{status} {essence}"
        );
    }

    #[test]
    fn a_200_is_read_if_it_is_an_event_stream() {
        check(200, STREAM, Verdict::Read, Verdict::Read);
        check(200, "Text/Event-Stream", Verdict::Read, Verdict::Read);
        for other in ["", "text/html", "text/plain", "text/event-streams", "application/json"] {
            check(200, other, Verdict::NotAStream, Verdict::NotAStream);
        }
    }

    #[test]
    fn an_event_stream_in_another_coding_is_not_read() {
        let judged = |coding| verdict(StatusCode::OK, STREAM, Some(coding), Statuses::Standard);
        assert_eq!((judged("identity"), judged("Identity")), (Verdict::Read, Verdict::Read));
        for coding in ["gzip", "br", "zstd", "gzip, br", ""] {
            assert_eq!(judged(coding), Verdict::NotAStream, "{coding}");
        }
    }

    #[test]
    fn a_204_finishes_whatever_its_type() {
        for essence in ["", STREAM, "text/html"] {
            check(204, essence, Verdict::Finished, Verdict::Finished);
        }
    }

    #[test]
    fn every_other_status_refuses_except_those_of_a_proxy_if_they_are_waited_out() {
        for status in (201..600).filter(|status| *status != 204) {
            let waits = matches!(status, 429 | 502 | 503 | 504);
            let wait_out = if waits { Verdict::Again } else { Verdict::Refused };
            check(status, STREAM, Verdict::Refused, wait_out);
        }
    }
}
