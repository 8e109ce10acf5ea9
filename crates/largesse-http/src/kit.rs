//! What every door over HTTP needs: sockets, who may ask, bodies within a budget, problems, CORS.
//!
//! Does not know streams, nor what a request asks for: doors do.

pub(crate) mod body;
pub(crate) mod cors;
pub(crate) mod gate;
pub(crate) mod guard;
pub(crate) mod json;
pub(crate) mod listen;
pub(crate) mod nearest;
pub(crate) mod printable;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod refusal;
pub(crate) mod time_text;
