//! How it reads when a server could not be asked, or when an answer broke off: what happened, and what to do.
//!
//! Pure. Invariant: no line has a control character in it, whatever the other side said.

use largesse::client::{BodyError, LostBy, SendError, Stopped, TlsError, root_cause};

use super::unhappy;
use crate::terminal::plain;

/// Why there is no answer.
pub(crate) fn unsent(error: &SendError) -> String {
    let cause = root_cause(error);
    let text = match error {
        SendError::Unreachable(_) => format!("no connection ({cause})"),
        SendError::Tls(tls) => of_tls(tls),
        SendError::NotHttp(_) => format!(
            "what answers there does not speak HTTP/1.1 ({cause}): is it the right port, or is it one with TLS, for \
             https://?"
        ),
        // Other protocols speak first.
        SendError::Canceled(_) => {
            "the connection ended, or something that is not HTTP came, before anything was asked: \
                                   is it the right port?"
                .to_owned()
        }
        SendError::Broken(_) => format!("the connection broke ({cause})"),
        SendError::Slow(waited) => format!("no answer within {} s", waited.as_secs()),
        SendError::TooManyRedirects => "it redirects again and again".to_owned(),
        SendError::Unaskable(_) => format!("the request can't be made: {cause}"),
    };
    plain(&text).into_owned()
}

fn of_tls(error: &TlsError) -> String {
    let advice = match error {
        TlsError::Untrusted => {
            "to trust that issuer, name a file with its certificate, in PEM, in the variable SSL_CERT_FILE"
        }
        TlsError::Expired => "it has to be renewed there, unless the clock of this machine is wrong",
        TlsError::NotYetValid => "is the clock of this machine wrong?",
        TlsError::WrongHost => "give the name that the certificate is for, with --url",
        TlsError::Invalid(_) => "it has to be made anew there",
        TlsError::NotTls => "is it the right port, or is it one without TLS, for http://?",
        TlsError::NoRoots(_) => {
            "install them (ca-certificates), or name a file with some, in PEM, in the variable SSL_CERT_FILE"
        }
        TlsError::Other(_) => "is it the right port?",
    };
    format!("{error}: {advice}")
}

/// Why there is no more of an answer.
pub(crate) fn unread(error: &BodyError) -> String {
    let text = match error {
        BodyError::Broken(_) => format!("the connection broke ({})", root_cause(error)),
        BodyError::Silent(waited) => format!("silence for {} s", waited.as_secs()),
        BodyError::TooLarge(bytes_max) => format!("the answer has more than {bytes_max} bytes"),
    };
    plain(&text).into_owned()
}

/// How a reader's connection was lost.
pub(crate) fn lost(by: &LostBy) -> String {
    match by {
        LostBy::Ended => "the server ended the answer".to_owned(),
        LostBy::Unanswered(error) => unsent(error),
        LostBy::Away(answer) => plain(&unhappy::told(answer)).into_owned(),
        LostBy::Broken(error) => unread(error),
    }
}

/// Why a reader does not ask again.
pub(crate) fn stopped(why: &Stopped) -> String {
    match why {
        Stopped::Refused(answer) => plain(&unhappy::told(answer)).into_owned(),
        Stopped::NotAStream(answer) => plain(&unhappy::unlike(answer, "an event stream")).into_owned(),
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
    fn each_failure_is_told_with_its_cause_or_what_to_do() {
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
    fn each_failure_of_tls_is_told_with_what_to_do() {
        let rows: [(TlsError, &[&str]); 8] = [
            (TlsError::Untrusted, &["not trusted", "SSL_CERT_FILE"]),
            (TlsError::Expired, &["expired", "renewed"]),
            (TlsError::NotYetValid, &["not valid yet", "clock"]),
            (TlsError::WrongHost, &["not for this host", "--url"]),
            (TlsError::Invalid("Bad\nSignature".to_owned()), &["invalid", "Bad\\nSignature"]),
            (TlsError::NotTls, &["does not speak TLS", "http://"]),
            (TlsError::NoRoots("none".to_owned()), &["no certificates", "ca-certificates", "SSL_CERT_FILE"]),
            (TlsError::Other("alert".to_owned()), &["alert", "right port"]),
        ];
        for (error, want) in rows {
            check(&SendError::Tls(error), want);
        }
    }
}
