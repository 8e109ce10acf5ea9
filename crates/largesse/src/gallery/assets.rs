//! The gallery's files, in the binary, and the headers they are served with.
//!
//! Invariants: a page runs and loads nothing that is not in this table; a browser asks each time whether its
//! copy is still right, so no page outlives a server's version. Does not know who is asking.

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use largesse::log::DigestBuilder;

/// One file of the gallery.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) path: &'static str,
    media: &'static str,
    bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// All files.
pub(super) const ASSETS: &[Asset] = &[
    Asset { path: "/", media: HTML, bytes: include_bytes!("../../gallery/index.html") },
    Asset { path: "/gallery/style.css", media: CSS, bytes: include_bytes!("../../gallery/style.css") },
    Asset { path: "/gallery/main.mjs", media: SCRIPT, bytes: include_bytes!("../../gallery/main.mjs") },
    Asset { path: "/gallery/counted.mjs", media: SCRIPT, bytes: include_bytes!("../../gallery/counted.mjs") },
    Asset { path: "/gallery/reading.mjs", media: SCRIPT, bytes: include_bytes!("../../gallery/reading.mjs") },
    Asset { path: "/gallery/record.mjs", media: SCRIPT, bytes: include_bytes!("../../gallery/record.mjs") },
    Asset { path: "/gallery/icon.svg", media: SVG, bytes: include_bytes!("../../gallery/icon.svg") },
];

/// What a page may run and load: what is in this table. Source: W3C Content Security Policy Level 3.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers of every file. `no-referrer` would take the `Origin` off some requests of the page's own.
/// Source: W3C Referrer Policy; WHATWG Fetch, "`X-Content-Type-Options` header" and
/// "`Cross-Origin-Resource-Policy` header"; RFC 9111, clause 5.2.2.4.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
];

impl Asset {
    /// The file, or 304 for a browser that has it. For HEAD the server leaves the body out.
    pub(super) fn response(&self, asked: &HeaderMap) -> Response {
        let tag = self.tag();
        let mut response = if has(asked, &tag) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            Response::new(Body::from(self.bytes))
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.extend(HEADERS);
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    /// The file's entity tag: a digest of its bytes. Source: RFC 9110, clause 8.8.3.
    fn tag(&self) -> String {
        let mut digest = DigestBuilder::default();
        digest.push(self.bytes);
        format!("\"{:032x}\"", digest.digest().0)
    }
}

/// Whether the browser says that it has the file with this tag. Source: RFC 9110, clause 13.1.2.
fn has(asked: &HeaderMap, tag: &str) -> bool {
    let lists = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
