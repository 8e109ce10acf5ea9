//! The words for requests that failed and answers that broke off: what happened, and what to do.
//!
//! Pure. Invariant: no line has a control character in it, whatever the other side said.

use largesse::client::{BodyError, DisconnectCause, SendError, Stopped, TlsError, root_cause};

use super::unexpected;
use crate::terminal::plain;

/// Why there is no answer.
pub(crate) fn unsent(error: &SendError) -> String {
    let cause = root_cause(error);
    let text = match error {
        SendError::Unreachable(_) => format!("no connection ({cause})"),
        SendError::Tls(tls) => of_tls(tls),
        SendError::NotHttp(_) => format!(
            "the server there does not speak HTTP/1.1 ({cause}): is it the right port, or is it one with TLS, for \
             https://?"
        ),
        // Other protocols speak first.
        SendError::Canceled(_) => {
            "the connection ended, or something that is not HTTP came, before the request was sent: is it the right port?"
                .to_owned()
        }
        SendError::Broken(_) => format!("the connection broke ({cause})"),
        SendError::Slow(waited) => format!("no answer within {} s", waited.as_secs()),
        SendError::TooManyRedirects => "the server redirects again and again".to_owned(),
        SendError::Unaskable(_) => format!("the request can't be made: {cause}"),
    };
    plain(&text).into_owned()
}

fn of_tls(error: &TlsError) -> String {
    let advice = match error {
        TlsError::Untrusted => {
            "to trust that issuer, name a PEM file with its certificate in the variable SSL_CERT_FILE"
        }
        TlsError::Expired => "it has to be renewed there, unless this machine's clock is wrong",
        TlsError::NotYetValid => "is this machine's clock wrong?",
        TlsError::WrongHost => "give the name that the certificate is for as --url",
        TlsError::OtherIssuer => {
            "if it was renewed, name a PEM file with the new certificate of its issuer (or its own, if it is self-signed) in \
             the variable SSL_CERT_FILE"
        }
        TlsError::Authority => "make one with basicConstraints=CA:FALSE, or one that this authority signs",
        TlsError::Invalid(_) => "it has to be replaced there",
        TlsError::NotTls => "is it the right port, or is it one without TLS, for http://?",
        TlsError::NoRoots(_) => {
            "install some (ca-certificates), or name a PEM file with some in the variable SSL_CERT_FILE"
        }
        TlsError::Other(_) => "is it the right port?",
    };
    format!("{error}: {advice}")
}

/// Why an answer ended early.
pub(crate) fn unread(error: &BodyError) -> String {
    let text = match error {
        BodyError::Broken(_) => format!("the connection broke ({})", root_cause(error)),
        BodyError::Silent(waited) => format!("silence for {} s", waited.as_secs()),
        BodyError::TooLarge(bytes_max) => format!("the answer has more than {bytes_max} bytes"),
    };
    plain(&text).into_owned()
}

/// Why a reader's connection is gone.
pub(crate) fn disconnected(cause: &DisconnectCause) -> String {
    match cause {
        DisconnectCause::Ended => "the server ended the answer".to_owned(),
        DisconnectCause::Unanswered(error) => unsent(error),
        DisconnectCause::Away(answer) => plain(&unexpected::explained(answer)).into_owned(),
        DisconnectCause::Broken(error) => unread(error),
    }
}

/// Why a reader does not connect again.
pub(crate) fn stopped(why: &Stopped) -> String {
    match why {
        Stopped::Refused(answer) => plain(&unexpected::explained(answer)).into_owned(),
        Stopped::NotAStream(answer) => plain(&unexpected::unlike(answer, "an event stream")).into_owned(),
        Stopped::Futile(error) => unsent(error),
        Stopped::TooLarge(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use super::*;

    #[track_caller]
    fn check(error: &SendError, want: &[&str]) {
        let told = unsent(error);
        assert!(want.iter().all(|part| told.contains(part)), "{want:?}: {told}");
        assert!(!told.contains(char::is_control), "{told:?}");
    }

    #[test]
    fn each_failure_is_reported_with_its_cause_or_what_to_do() {
        let cause = || Box::new(io::Error::other(io::Error::other("the system\u{1b} says")));
        check(&SendError::Unreachable(cause()), &["no connection", "the system", "says"]);
        check(&SendError::NotHttp(cause()), &["HTTP", "right port", "https://"]);
        check(&SendError::Canceled(cause()), &["HTTP", "right port"]);
        check(&SendError::Broken(cause()), &["the connection broke", "the system"]);
        check(&SendError::Slow(Duration::from_secs(10)), &["within 10 s"]);
        check(&SendError::TooManyRedirects, &["again and again"]);
        check(&SendError::Unaskable(cause()), &["can't be made", "the system"]);
    }

    #[test]
    fn each_failure_of_tls_is_reported_with_what_to_do() {
        let rows: [(TlsError, &[&str]); 10] = [
            (TlsError::OtherIssuer, &["not signed", "SSL_CERT_FILE"]),
            (TlsError::Authority, &["CA:TRUE", "CA:FALSE"]),
            (TlsError::Untrusted, &["not trusted", "SSL_CERT_FILE"]),
            (TlsError::Expired, &["expired", "renewed"]),
            (TlsError::NotYetValid, &["not valid yet", "clock"]),
            (TlsError::WrongHost, &["not for this host", "--url"]),
            (TlsError::Invalid("Bad\nSignature".to_owned()), &["invalid", "Bad\\nSignature"]),
            (TlsError::NotTls, &["does not speak TLS", "http://"]),
            (
                TlsError::NoRoots("none".to_owned()),
                &["no trusted certificates", "ca-certificates", "SSL_CERT_FILE"],
            ),
            (TlsError::Other("alert".to_owned()), &["alert", "right port"]),
        ];
        for (error, want) in rows {
            check(&SendError::Tls(error), want);
        }
    }
}
