//! The addresses: which are safe, and listening on them.
//!
//! Invariant: unless the operator says otherwise, only this machine can reach us.

use std::{
    io::{self, ErrorKind},
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

/// What a missing IPv6 address means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// The machine has no IPv6, and nobody asked for it.
    Fine,
    /// It was asked for.
    Wrong,
}

/// Refuses addresses that others can reach, or warns about them.
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
        "other machines can reach {}, and there is no authentication. \
         Listen on a loopback address, like 127.0.0.1:8084 or [::1]:8084, or insist with --insecure",
        open.join(" and ")
    )
}

/// Listens on all addresses.
///
/// # Errors
/// One can't be had; the failure says which, and what to do.
pub(super) async fn bind(addresses: &[SocketAddr], absent: Absent) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error)
                if absent == Absent::Fine && address.is_ipv6() && error.kind() != ErrorKind::AddrInUse =>
            {
                tracing::debug!(%address, %error, "no IPv6 here; continuing without it");
            }
            Err(error) => return Err(Failure(unheard(address, &error))),
        }
    }
    Ok(listeners)
}

/// Why we can't listen on an address, and what to do.
fn unheard(address: &SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{address} is in use by another program: stop that one, or listen elsewhere (--listen ADDR; port 0 takes \
             a free one)"
        ),
        ErrorKind::PermissionDenied => format!(
            "can't listen on {address}: {error}. A port below 1024 needs a privilege: put a web server or proxy in front \
             of this one, or give the program the privilege (setcap cap_net_bind_service=+ep FILE; in a systemd unit, \
             AmbientCapabilities=CAP_NET_BIND_SERVICE), or use a port from 1024 up, like --listen {}:8084",
            host(address)
        ),
        ErrorKind::AddrNotAvailable => format!(
            "can't listen on {address}: no interface of this machine has that address (`ip address` lists them). \
             Listen on one that it has, like --listen {}",
            loopback(address)
        ),
        _ if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) => {
            format!("can't listen on {address}: this machine has no IPv6. Use --listen {}", loopback(address))
        }
        _ => format!("can't listen on {address}: {error}. Listen elsewhere: --listen ADDR"),
    }
}

/// The address without its port, as written before one.
fn host(address: &SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn loopback(address: &SocketAddr) -> SocketAddr {
    (std::net::Ipv4Addr::LOCALHOST, address.port()).into()
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
    async fn a_missing_ipv6_address_matters_only_if_it_was_asked_for() {
        let addresses = ["127.0.0.1:0".parse().unwrap(), "[2001:db8::1]:0".parse().unwrap()];
        assert_eq!(bind(&addresses, Absent::Fine).await.unwrap().len(), 1);
        let told = bind(&addresses, Absent::Wrong).await.unwrap_err().to_string();
        assert!(told.contains("[2001:db8::1]:0"), "{told}");
    }

    #[test]
    fn an_address_that_cannot_be_listened_on_is_reported_with_a_way_out() {
        use rustix::io::Errno;
        let errno = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        let rows = [
            ("127.0.0.1:80", Errno::ACCESS, ["below 1024", "setcap", "--listen 127.0.0.1:8084"]),
            ("[::1]:443", Errno::ACCESS, ["systemd", "proxy", "--listen [::1]:8084"]),
            ("192.0.2.1:80", Errno::ADDRNOTAVAIL, ["no interface", "ip address", "--listen 127.0.0.1:80"]),
            ("[::1]:80", Errno::AFNOSUPPORT, ["no IPv6", "[::1]:80", "--listen 127.0.0.1:80"]),
            ("127.0.0.1:1", Errno::ADDRINUSE, ["in use", "stop", "--listen"]),
            ("127.0.0.1:1", Errno::NOBUFS, ["127.0.0.1:1", "(os error", "--listen"]),
        ];
        for (address, error, want) in rows {
            let told = unheard(&address.parse().unwrap(), &errno(error));
            assert!(want.iter().all(|part| told.contains(part)), "{told}");
        }
    }
}
