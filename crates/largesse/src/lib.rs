//! Largesse: event streams that browsers read, each event once and in order.
//!
//! This crate re-exports each part under one word, so that a program needs one dependency:
//!
//! - [`wire`]: bytes to events and back, without I/O.
//! - [`log`]: the ordered log under all streams, and the engines that keep it.
//! - [`disk`]: the engine that keeps the log in a folder of files.
//! - [`hub`]: readers, which pull from the log and are woken at its tail.
//! - [`http`]: the native door, as a router for [axum](https://docs.rs/axum) or served on sockets of its own.
//! - [`client`]: reads event streams of any server as a browser does, and publishes, over HTTP and TLS.
//!
//! It adds nothing to them. The binary of the same name wires them together and reads the configuration; this crate
//! does not.
//!
//! Mounted in a router of your own, with a log in memory. In `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! largesse = { git = "https://github.com/largesse-sse/largesse" }
//! axum = { version = "0.8", default-features = false, features = ["http1", "tokio"] }
//! fastrand = "2"
//! tokio = { version = "1", features = ["macros", "net", "rt", "time"] }
//! ```
//!
//! In `src/main.rs`:
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//!
//! use largesse::{
//!     http::{Door, DoorConfig, Gate, router},
//!     hub::{Hub, HubLimits, WallClock},
//!     log::{EngineLimits, Incarnation, MemoryEngine, Sweep},
//! };
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::io::Result<()> {
//!     // Which log this is: another number each time, so that readers of an earlier one are told.
//!     let log = Incarnation(fastrand::u64(..));
//!     let engine = Arc::new(MemoryEngine::new(log, EngineLimits::default()));
//!     let hub = Hub::new(engine, Arc::new(WallClock), HubLimits::default());
//!     let gate = Arc::new(Gate::default());
//!     let door = Arc::new(Door::new(gate, Arc::clone(&hub), DoorConfig::default()));
//!
//!     // In a page of this server: new EventSource("/events/streams/news")
//!     let app = axum::Router::new().nest("/events", router(door));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//!     println!("listening on http://{}/events/streams", listener.local_addr()?);
//!
//!     tokio::select! {
//!         served = async { axum::serve(listener, app).await } => served,
//!         () = sweep(&hub) => Ok(()),
//!     }
//! }
//!
//! /// Events that outlived their time are dropped only when asked for.
//! async fn sweep(hub: &Hub) {
//!     let mut every_second = tokio::time::interval(Duration::from_secs(1));
//!     loop {
//!         every_second.tick().await;
//!         // It works in steps, so that publishers and readers get the log in between.
//!         while let Ok(Sweep::More) = hub.sweep().await {
//!             tokio::task::yield_now().await;
//!         }
//!     }
//! }
//! ```

#![forbid(unsafe_code)]

pub use largesse_client as client;
pub use largesse_disk as disk;
pub use largesse_http as http;
pub use largesse_hub as hub;
pub use largesse_log as log;
pub use largesse_wire as wire;
