//! Largesse over HTTP/1.1: the native door, and the kit for doors.
//!
//! [`router`] is the door as an [`axum::Router`], to be served by [`serve()`] or mounted in a router of one's
//! own. Several ways of publishing become one kind of append; several ways of reading share one reader and
//! differ only in the last hop, the encoder.
//!
//! This crate does not know where the log is stored, and reads no configuration. It is the only one that knows status
//! codes. `docs/http.md` describes every request.
//!
//! ```no_run
//! # async fn mounted(engine: std::sync::Arc<dyn largesse_log::Engine>) -> std::io::Result<()> {
//! use std::sync::Arc;
//! use largesse_http::{Door, DoorConfig, Gate, ServeLimits, router, serve};
//! use largesse_hub::{Hub, HubLimits, WallClock};
//!
//! let hub = Hub::new(engine, Arc::new(WallClock), HubLimits::default());
//! let gate = Arc::new(Gate::default());
//! let router = router(Arc::new(Door::new(gate, hub, DoorConfig::default())));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! serve(vec![listener], router, ServeLimits::default(), std::future::pending::<()>()).await;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod kit;
mod native;

pub use kit::{
    body::BodyLimits,
    gate::{Admitted, Entry, Gate},
    guard::{
        GuardConfig, HostRule,
        authority::{Authority, AuthorityError, WrittenHostError},
        origin::{Origin, OriginError, WrittenOriginError},
    },
    listen::{BUFFER_BYTES_MIN, ServeLimits, Served, serve},
    nearest::nearest,
    printable::one_line,
    problem::Problem,
    refusal::Refusal,
    time_text::{parse_rfc3339, rfc3339},
};
pub use native::{config::DoorConfig, door::Door, router::router};
