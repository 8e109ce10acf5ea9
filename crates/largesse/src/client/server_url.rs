//! Where the server is: where the command line says, else the environment, else at the default address.
//!
//! Does not read the environment itself: the caller passes the value.

use std::ffi::OsString;

use super::ServerUrl;
use crate::{config::SERVER_URL, terminal::Failure};

/// Where our server is unless somebody configured it.
const URL_DEFAULT: &str = "http://127.0.0.1:8084";

/// The server that `flag` names, else the one in `variable`, the value of [`SERVER_URL`].
///
/// # Errors
/// The variable counts, but isn't the URL of a server; says what would be right.
pub(crate) fn resolved_url(
    flag: Option<&ServerUrl>,
    variable: Option<OsString>,
) -> Result<ServerUrl, Failure> {
    if let Some(url) = flag {
        return Ok(url.clone());
    }
    let Some(variable) = variable else {
        return Ok(ServerUrl::parse(URL_DEFAULT).expect("a test checks the default"));
    };
    let text = variable.to_string_lossy();
    ServerUrl::parse(&text)
        .map_err(|problem| Failure(format!("environment: {SERVER_URL} = {text:?}: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(flag: Option<&str>, variable: Option<&str>, want: &str) {
        let flag = flag.map(|text| ServerUrl::parse(text).unwrap());
        let found = resolved_url(flag.as_ref(), variable.map(OsString::from));
        assert_eq!(found.map_or_else(|failure| failure.to_string(), |url| url.to_string()), want);
    }

    #[test]
    fn the_flag_wins_over_the_variable_and_that_over_the_default() {
        check(None, None, URL_DEFAULT);
        check(None, Some("http://a:1"), "http://a:1");
        check(None, Some("https://a"), "https://a");
        check(Some("http://b:2"), Some("http://a:1"), "http://b:2");
        check(Some("http://b:2"), Some("nonsense"), "http://b:2");
        check(Some("http://b:2"), None, "http://b:2");
    }

    #[test]
    fn a_variable_that_counts_must_be_right() {
        for wrong in ["", "ftp://a", "a:1", "http://a:99999", "http://a/streams/b", " http://a", "'http://a'"]
        {
            let told = resolved_url(None, Some(OsString::from(wrong))).unwrap_err().to_string();
            assert!(told.contains("LARGESSE_URL") && told.contains(&format!("{wrong:?}")), "{told}");
        }
    }
}
