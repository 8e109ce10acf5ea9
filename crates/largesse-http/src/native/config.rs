//! What the door is told when it is made: who may ask, and how much one request may be.
//!
//! Does not read files or the environment: the binary fills this in.

use std::time::Duration;

use crate::kit::guard::{authority::Authority, origin::Origin};

/// The door's settings. Source of the defaults: SPEC of Largesse §2, §3 and §6 (ours).
#[derive(Clone, Debug)]
pub struct DoorConfig {
    /// Pages of these origins may ask, besides loopback ones and the host's own.
    pub allowed_origins: Vec<Origin>,
    /// Hosts that a request may name, besides loopback ones. Without a port: with any.
    pub allowed_hosts: Vec<Authority>,
    /// Whether the host that a request names is held to that list.
    pub host_rule: HostRule,
    /// One event's text. More: 413.
    pub event_bytes_max: usize,
    /// The body of a publish that is kept or refused as a whole. More: 413.
    pub batch_bytes_max: usize,
    /// Events in such a publish. More: 413. The log takes them in one step, during which nobody else can append.
    pub batch_events_max: usize,
    /// All bodies together that are being taken as a whole, and what has come of unfinished blocks of event streams.
    /// More: 503, and nothing of this body, or block, is appended.
    pub bodies_bytes_max: usize,
    /// The least `retry` at the head of a read, in milliseconds.
    pub retry_ms_min: u32,
    /// The greatest `retry` at the head of a read, in milliseconds.
    pub retry_ms_max: u32,
    /// How long a body that is taken as a whole, or an unfinished block, may bring no byte. Longer: 408, and nothing
    /// of it is appended.
    pub body_idle: Duration,
    /// How long such a body, or block, may take from its first byte to its last. Longer: 408, and nothing of it is
    /// appended.
    pub body_time_max: Duration,
}

/// Which hosts a request may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostRule {
    /// Loopback names and addresses, and the allowed hosts. Others get 421: a page whose name was pointed at
    /// this machine (DNS rebinding) must not be taken for one of our own.
    #[default]
    LoopbackAndAllowed,
    /// Any. For servers on other addresses without a list of their names, when the operator insists.
    Any,
}

impl Default for DoorConfig {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            host_rule: HostRule::default(),
            event_bytes_max: 1024 * 1024,
            batch_bytes_max: 16 * 1024 * 1024,
            batch_events_max: 10_000,
            bodies_bytes_max: 256 * 1024 * 1024,
            retry_ms_min: 1_000,
            retry_ms_max: 3_000,
            body_idle: Duration::from_secs(30),
            body_time_max: Duration::from_secs(120),
        }
    }
}
