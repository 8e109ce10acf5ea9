//! A client for Server-Sent Events, over HTTP/1.1 and TLS.
//!
//! - [`EventSource`] reads an event stream as a browser's `EventSource` does: it reconnects when a connection is lost,
//!   presents the last id, and stops when the server says so. What ends it is as in WHATWG HTML, "Server-sent events",
//!   except for [`Statuses`], which says which choice is the standard's.
//! - [`Client`] sends one request and returns the answer, for everything else that a program asks of a server: a publish,
//!   a list.
//! - [`Backoff`] and [`Reconnect`] say when to try again. They are pure: no clock, no task.
//!
//! Callers pull: nothing is read from a socket before [`EventSource::next`] is called, so a slow caller slows the server
//! down and costs no memory. What a client holds is bounded: the head of an answer (about 400 KiB), one piece of its body
//! (as much again), and the unfinished event ([`SourceConfig::event_bytes_max`]).
//!
//! It doesn't know streams, positions, or what an id means, and keeps nothing on disk. It starts no tasks of its own; the
//! HTTP library below it drives each connection in one, which ends with the connection. It doesn't speak HTTP/2, and
//! doesn't use the environment's proxies (`HTTPS_PROXY`).
//!
//! ```
//! use largesse_client::{Client, ClientConfig, EventSource, Request, SourceConfig, Url};
//!
//! # use std::io::{Read, Write};
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let url = format!("http://{}", listener.local_addr()?);
//! # let serving = std::thread::spawn(move || {
//! #     for (type_, body) in [("200 OK", "retry: 100\nid: 1\ndata: hello\n\n"), ("204 No Content", "")] {
//! #         let (mut socket, _) = listener.accept().unwrap();
//! #         let mut head = Vec::new();
//! #         while !head.ends_with(b"\r\n\r\n") {
//! #             let mut byte = [0];
//! #             socket.read_exact(&mut byte).unwrap();
//! #             head.push(byte[0]);
//! #         }
//! #         let head = format!("HTTP/1.1 {type_}\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
//! #         socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
//! #     }
//! # });
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let client = Client::new(&ClientConfig::default());
//! let request = Request::get(Url::parse(&url)?);
//! let mut source = EventSource::new(client, request, SourceConfig::default());
//! let mut heard = Vec::new();
//! while let Some(event) = source.next_event().await? {
//!     heard.push((event.data, event.last_event_id.to_string()));
//! }
//! // The server answered 204: it has nothing more to say.
//! assert_eq!(heard, [("hello".to_owned(), "1".to_owned())]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # serving.join().unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod client;
mod event_source;
mod reconnect;
mod request;
mod response;
mod send_error;
mod silence;
mod trust;
mod verdict;

pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use largesse_wire::{ParseError, ParsedEvent};
pub use url::Url;

pub use self::{
    client::{Client, ClientConfig, Encodings, REDIRECTS_MAX, Redirects},
    event_source::{Disconnect, DisconnectCause, EventSource, Heard, SourceConfig, Stopped},
    reconnect::{Backoff, DisconnectKind, Next, Reconnect, ReconnectLimits},
    request::Request,
    response::{Answer, BodyError, BodyLimits, Response},
    send_error::{SendError, TlsError, root_cause},
    trust::{CertificateError, Certificates, Trust},
    verdict::Statuses,
};
