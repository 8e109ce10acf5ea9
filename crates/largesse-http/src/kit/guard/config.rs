//! Which hosts and origins the guard admits.
//!
//! Does not read files or the environment: the binary fills this in.

use super::{authority::Authority, origin::Origin};

/// The guard's settings. Source of the defaults: SPEC of Largesse §6 (ours).
#[derive(Clone, Debug, Default)]
pub struct GuardConfig {
    /// Origins that are allowed, in addition to loopback ones and the host's own.
    pub allowed_origins: Vec<Origin>,
    /// Hosts that a request may name, in addition to loopback ones. Without a port: with any.
    pub allowed_hosts: Vec<Authority>,
    /// Whether the host of a request must be on that list.
    pub host_rule: HostRule,
}

/// Which hosts a request may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostRule {
    /// Loopback names and addresses, and the allowed hosts. Others get 421: a page whose name was pointed at this
    /// machine (DNS rebinding) must not pass for one of our own.
    #[default]
    LoopbackAndAllowed,
    /// Any. For servers on public addresses whose operator lists no names.
    Any,
}
