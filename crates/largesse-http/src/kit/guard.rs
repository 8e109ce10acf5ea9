//! Whether a request is allowed, decided before anything else.
//!
//! Invariant: a request that is refused here has not touched the log. A page that is not allowed can neither read nor
//! write: neither by its origin, nor through a host name that was pointed at this machine (DNS rebinding). Does not
//! know permissions or tokens.
//!
//! Source: SPEC of Largesse §6 (ours); RFC 9110, clause 7.2 and 7.4; RFC 6454; W3C Fetch Metadata, `Sec-Fetch-Site`.

pub(crate) mod authority;
mod config;
pub(crate) mod origin;

pub use config::{GuardConfig, HostRule};

use http::{HeaderMap, HeaderName, Uri, Version, header};

use self::{authority::Authority, origin::Origin};
use crate::kit::{
    printable::{Printable, lossy},
    problem::Problem,
    refusal::Refusal,
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A request without an `Origin`: a program, or a page of this host.
    Plain,
    /// A page whose origin is allowed; answers echo the value.
    Page(http::HeaderValue),
}

/// Admits a request or refuses it.
pub(crate) fn admit(
    config: &GuardConfig,
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Caller, Refusal> {
    let host = admit_host(config, version, uri, headers)?;
    match only_value(headers, &header::ORIGIN).map_err(|()| refuse_several_origins())? {
        Some(value) => {
            check_origin(config, host.as_ref(), value)?;
            Ok(Caller::Page(value.clone()))
        }
        None => check_site(headers).map(|()| Caller::Plain),
    }
}

/// Admits any request that names this server.
pub(crate) fn admit_host(
    config: &GuardConfig,
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Option<Authority>, Refusal> {
    let host = named_host(version, uri, headers)?;
    if let Some(host) = &host {
        check_host(config, host)?;
    }
    Ok(host)
}

/// The host that the request names. HTTP/1.0 has no `Host`, and no browser speaks it.
fn named_host(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, Refusal> {
    let bad = |detail: String| Refusal::new(Problem::BadHeader, detail);
    let header = only_value(headers, &header::HOST)
        .map_err(|()| bad("The request has several Host headers. Send one.".to_owned()))?;
    if header.is_none() && version == Version::HTTP_11 {
        return Err(bad("The request has no Host header, which HTTP/1.1 requires.".to_owned()));
    }
    let of_header = header.map(|value| parse_host(&lossy(value.as_bytes()))).transpose()?;
    let of_target = uri.authority().map(|authority| parse_host(authority.as_str())).transpose()?;
    match (of_header, of_target) {
        (Some(header), Some(target)) if !header.is_same(&target) => Err(bad(format!(
            "The Host header says {header}, but the request line says {target}. They must match."
        ))),
        (header, target) => Ok(header.or(target)),
    }
}

fn parse_host(raw: &str) -> Result<Authority, Refusal> {
    Authority::parse(raw).map_err(|error| {
        Refusal::new(
            Problem::BadHeader,
            format!("The request names the host '{}', but {error}.", Printable(raw)),
        )
    })
}

fn check_host(config: &GuardConfig, host: &Authority) -> Result<(), Refusal> {
    let is_allowed = config.host_rule == HostRule::Any
        || host.is_loopback()
        || config.allowed_hosts.iter().any(|allowed| allowed.covers(host));
    if is_allowed {
        return Ok(());
    }
    let detail = format!(
        "The request names the host '{host}'. Use localhost, a loopback address, or a host in http.allowed_hosts."
    );
    Err(Refusal::new(Problem::WrongHost, detail))
}

fn check_origin(
    config: &GuardConfig,
    host: Option<&Authority>,
    value: &http::HeaderValue,
) -> Result<(), Refusal> {
    let text = lossy(value.as_bytes());
    let Ok(page) = Origin::parse(&text) else { return Err(refuse_origin(&text)) };
    let is_allowed = page.is_loopback()
        || host.is_some_and(|host| page.is_at(host))
        || config.allowed_origins.iter().any(|allowed| origin::same(allowed, &page));
    if is_allowed { Ok(()) } else { Err(refuse_origin(&text)) }
}

/// Browsers mark requests without an `Origin`, such as those for images and links, with the site they come from.
fn check_site(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    if sites.any(|site| site.as_bytes().trim_ascii().eq_ignore_ascii_case(b"cross-site")) {
        let detail = "The request comes from a page of another site (Sec-Fetch-Site: cross-site) without an \
             allowed Origin. Use fetch or EventSource from a page whose origin is in \
             http.allowed_origins.";
        return Err(Refusal::new(Problem::OriginRefused, detail));
    }
    Ok(())
}

fn refuse_several_origins() -> Refusal {
    Refusal::new(Problem::OriginRefused, "The request has several Origin headers. Send one.")
}

fn refuse_origin(value: &str) -> Refusal {
    let detail = format!(
        "The origin '{}' is not allowed. Allowed are loopback origins, this host's own, and those in \
             http.allowed_origins.",
        Printable(value)
    );
    Refusal::new(Problem::OriginRefused, detail)
}

/// The value of a header that may occur once.
fn only_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a http::HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(()) } else { Ok(first) }
}
