//! Whom the guard lets in.
//!
//! Does not read files or the environment: the binary fills this in.

use super::{authority::Authority, origin::Origin};

/// The guard's settings. Source of the defaults: SPEC of Largesse §6 (ours).
#[derive(Clone, Debug, Default)]
pub struct GuardConfig {
    /// Pages of these origins may ask, besides loopback ones and the host's own.
    pub allowed_origins: Vec<Origin>,
    /// Hosts that a request may name, besides loopback ones. Without a port: with any.
    pub allowed_hosts: Vec<Authority>,
    /// Whether the host that a request names is held to that list.
    pub host_rule: HostRule,
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
