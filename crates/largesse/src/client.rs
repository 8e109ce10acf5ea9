//! Our own HTTP client, for the commands that talk to a server.
//!
//! Invariants: every wait has a limit; what is collected of an answer has one, too. Plain HTTP only. Does
//! not know streams or events: commands do.

mod answer;
mod connection;
mod reconnect;
mod server_url;
mod unhappy;
mod url;

pub(crate) use self::{
    answer::Answer,
    connection::send,
    reconnect::{Backoff, Loss, Reconnect, Say},
    server_url::resolved_url,
    url::{ServerUrl, encoded_path, encoded_query},
};
