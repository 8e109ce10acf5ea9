//! What the commands that talk to a server share: where it is, how requests are sent, and how errors are worded.
//!
//! `largesse-client` sends the requests; the words for people are here. Invariants: every wait has a limit, and so has
//! what is read of an answer. Redirects are not followed: only the operator may decide that a publish goes elsewhere. Does
//! not know streams or events: commands do.

mod failures;
mod server_url;
mod unexpected;
mod url;

use std::time::Duration;

use largesse::client::{BodyLimits, Client, ClientConfig, Response};

pub(crate) use self::{
    failures::{disconnected, stopped, unread, unsent},
    server_url::resolved_url,
    url::{ServerUrl, encoded_path, encoded_query},
};
use crate::terminal::plain;

/// How much is read of an answer that isn't a success, and for how long.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a server may be silent in the middle of an answer.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// What sends the requests.
pub(crate) fn client() -> Client {
    Client::new(&ClientConfig::default())
}

/// Limits for a whole answer of at most `bytes_max` bytes.
pub(crate) fn upto(bytes_max: usize) -> BodyLimits {
    BodyLimits { bytes_max, silence_max: SILENCE_MAX }
}

/// An answer that isn't a success, in one line for people.
pub(crate) async fn problem(response: Response) -> String {
    let answer = response.answer(ANSWER_BYTES_MAX, ANSWER_WITHIN).await;
    plain(&unexpected::explained(&answer)).into_owned()
}
