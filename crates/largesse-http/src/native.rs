//! The native door: `/streams` and what can be done there, one file for each verb.
//!
//! Does not know sockets, nor who may ask: the kit does.

mod append;
pub(crate) mod config;
mod delete;
pub(crate) mod door;
mod event_json;
mod get;
mod head;
mod last_event_id;
mod list;
mod negotiate;
mod page;
mod path;
mod put;
mod read;
mod read_query;
mod request;
pub(crate) mod router;
mod selection;
mod tail_id;
