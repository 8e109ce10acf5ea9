//! What the commands that talk to a server share: where it is, how it is asked, and how what went wrong reads.
//!
//! `largesse-client` asks; here are the words for people. Invariants: every wait has a limit; what is collected of an
//! answer has one, too. Redirects are not followed: a publish that is sent elsewhere is the operator's to decide. Does
//! not know streams or events: commands do.

mod server_url;
mod told;
mod unhappy;
mod url;

use std::time::Duration;

use largesse::client::{BodyLimits, Client, ClientConfig, Response};

pub(crate) use self::{
    server_url::resolved_url,
    told::{lost, stopped, unread, unsent},
    url::{ServerUrl, encoded_path, encoded_query},
};
use crate::terminal::plain;

/// How much of an answer that is no success is looked at, and for how long.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a server may be silent in the middle of an answer.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// What asks.
pub(crate) fn client() -> Client {
    Client::new(&ClientConfig::default())
}

/// A whole answer, of so many bytes at most.
pub(crate) fn upto(bytes_max: usize) -> BodyLimits {
    BodyLimits { bytes_max, silence_max: SILENCE_MAX }
}

/// An unhappy answer in one line, for people.
pub(crate) async fn problem(response: Response) -> String {
    let answer = response.answer(ANSWER_BYTES_MAX, ANSWER_WITHIN).await;
    plain(&unhappy::told(&answer)).into_owned()
}
