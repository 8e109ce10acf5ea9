//! The addresses: which are safe, and taking them.
//!
//! Invariant: without the operator's word, only this machine can reach us.

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
};

use tokio::net::TcpListener;

use crate::terminal::Failure;

/// Who may reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposure {
    /// Programs on this machine.
    LoopbackOnly,
    /// Whoever can reach its addresses; the operator said so.
    Anywhere,
}

/// What it means that an IPv6 address is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// The machine has no IPv6, and nobody asked for it.
    Fine,
    /// It was asked for.
    Wrong,
}

/// Refuses addresses that others can reach, or warns of them.
///
/// # Errors
/// There are such addresses, and the operator has not insisted.
pub(super) fn check(addresses: &[SocketAddr], exposure: Exposure) -> Result<(), Failure> {
    let open: Vec<&SocketAddr> = addresses.iter().filter(|address| !is_loopback(address.ip())).collect();
    match exposure {
        _ if open.is_empty() => Ok(()),
        Exposure::LoopbackOnly => Err(Failure(refusal(&open))),
        Exposure::Anywhere => {
            for address in open {
                tracing::warn!(
                    %address,
                    "INSECURE: whoever reaches this address can read, publish and delete everything"
                );
            }
            Ok(())
        }
    }
}

/// Whether other machines may reach one of the addresses.
pub(super) fn any_open(addresses: &[SocketAddr]) -> bool {
    addresses.iter().any(|address| !is_loopback(address.ip()))
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

fn refusal(open: &[&SocketAddr]) -> String {
    let open: Vec<String> = open.iter().map(ToString::to_string).collect();
    format!(
        "other machines may reach {}, and nobody has to prove who they are. \
         Listen on a loopback address, like 127.0.0.1:8084 or [::1]:8084, or insist with --insecure",
        open.join(" and ")
    )
}

/// Takes all addresses.
///
/// # Errors
/// One can't be had; says which and what to do.
pub(super) async fn bind(addresses: &[SocketAddr], absent: Absent) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return Err(Failure(format!(
                    "{address} is in use by another program: stop that one, or listen elsewhere (--listen ADDR; \
                     port 0 takes a free one)"
                )));
            }
            Err(error) if absent == Absent::Fine && address.is_ipv6() => {
                tracing::debug!(%address, %error, "no IPv6 here; going on without it");
            }
            Err(error) => return Err(Failure(format!("{address} can't be listened on: {error}"))),
        }
    }
    Ok(listeners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_safe() {
        let rows = [
            ("127.0.0.1:0", true),
            ("127.9.9.9:0", true),
            ("[::1]:0", true),
            ("[::ffff:127.0.0.1]:0", true),
            ("0.0.0.0:0", false),
            ("[::]:0", false),
            ("192.168.0.1:0", false),
            ("10.0.0.1:0", false),
            ("[fe80::1]:0", false),
            ("[::ffff:10.0.0.1]:0", false),
        ];
        for (text, safe) in rows {
            let address = [text.parse().unwrap()];
            assert_eq!(check(&address, Exposure::LoopbackOnly).is_ok(), safe, "{text}");
            assert!(check(&address, Exposure::Anywhere).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_refusal_names_all_open_addresses_and_the_way_out() {
        let addresses =
            ["0.0.0.0:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap(), "[::]:0".parse().unwrap()];
        let told = check(&addresses, Exposure::LoopbackOnly).unwrap_err().to_string();
        assert!(told.contains("0.0.0.0:0 and [::]:0") && told.contains("--insecure"), "{told}");
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let told = bind(&[address], Absent::Fine).await.unwrap_err().to_string();
        assert!(told.contains(&address.to_string()) && told.contains("--listen"), "{told}");
    }

    #[tokio::test]
    async fn an_ipv6_address_that_is_not_there_matters_only_to_who_asked_for_it() {
        let addresses = ["127.0.0.1:0".parse().unwrap(), "[2001:db8::1]:0".parse().unwrap()];
        assert_eq!(bind(&addresses, Absent::Fine).await.unwrap().len(), 1);
        let told = bind(&addresses, Absent::Wrong).await.unwrap_err().to_string();
        assert!(told.contains("[2001:db8::1]:0"), "{told}");
    }
}
