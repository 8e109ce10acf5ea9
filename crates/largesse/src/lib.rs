//! Largesse: event streams that browsers read, each event once and in order.
//!
//! This crate names the parts by one word each, so that a program needs one dependency:
//!
//! - [`wire`]: bytes to events and back, without I/O.
//! - [`log`]: the ordered log under all streams, and the engines that keep it.
//! - [`hub`]: readers, which pull from the log and are woken at its tail.
//! - [`http`]: the native door, as a router for [axum](https://docs.rs/axum) or served on sockets of its own.
//!
//! It adds nothing to them. The binary of the same name puts them together, and reads configuration; this crate
//! does not.
//!
//! Mounted in a router of one's own, with a log in memory:
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use largesse::{
//!     http::{Door, DoorConfig, router},
//!     hub::{Hub, HubLimits, WallClock},
//!     log::{EngineLimits, Incarnation, MemoryEngine},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! // Which log this is: another number each time, so that readers of an earlier one are told.
//! let log = Incarnation(fastrand::u64(..));
//! let engine = Arc::new(MemoryEngine::new(log, EngineLimits::default()));
//! let hub = Hub::new(engine, Arc::new(WallClock), HubLimits::default());
//! let door = Arc::new(Door::new(Arc::clone(&hub), DoorConfig::default()));
//!
//! // In a page: new EventSource("/events/streams/news")
//! let app = axum::Router::new().nest("/events", router(door));
//!
//! // What is past its time is dropped when it is asked for: call it every second, in a task of yours.
//! let _more = hub.sweep().await;
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! axum::serve(listener, app).await
//! # }
//! ```

#![forbid(unsafe_code)]

pub use largesse_http as http;
pub use largesse_hub as hub;
pub use largesse_log as log;
pub use largesse_wire as wire;
