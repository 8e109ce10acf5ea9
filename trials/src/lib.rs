//! The trials: the server as it is shipped, read by programs that we did not write, through connections that get
//! cut.
//!
//! Invariants: every wait is for an event and has a limit, [`WAIT_MAX`]; the system chooses every port; a
//! process, a thread or a folder ends with its owner. What goes wrong panics, as it would in the tests that this
//! is for.
//!
//! It knows the server from the outside only: a program, and bytes of HTTP.

mod driver;
mod page;
mod proxy;
mod publish;
mod reader;
mod scratch;
mod seed;
mod server;
mod site;
mod visit;

use std::time::Duration;

pub use crate::driver::Browser;
pub use crate::page::Page;
pub use crate::proxy::{Cut, CuttingProxy, End, Exchange, Manner, Place, Plan, Release};
pub use crate::publish::{Answer, Publisher, percent_encoded};
pub use crate::reader::{HeardEvent, Reader, Said};
pub use crate::scratch::Scratch;
pub use crate::seed::Seed;
pub use crate::server::Server;
pub use crate::site::Heard;
pub use crate::visit::Visit;

/// The longest wait for one thing to happen. Far longer than anything here takes, even on a busy machine.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// Fails the trial, and says why.
#[track_caller]
#[expect(clippy::panic, reason = "this crate is for tests, and a test fails by panicking")]
pub fn fail(why: &str) -> ! {
    panic!("{why}")
}
