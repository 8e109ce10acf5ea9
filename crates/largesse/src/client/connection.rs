//! One request over one connection of its own.
//!
//! Cancellation: dropping the future, or the answer, closes the connection.

use std::{fmt, io, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

use super::{Answer, ServerUrl};

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long the head of an answer may take, the sending of the body included.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Why there is no answer. The request may have been acted on all the same.
#[derive(Debug)]
pub(crate) enum SendError {
    /// There is no connection.
    Unreachable(io::Error),
    /// The connection broke, or carried something that is not HTTP.
    Broken(hyper::Error),
    /// It took too long.
    Slow(Duration),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "no connection ({error})"),
            Self::Broken(error) if error.is_parse() => {
                write!(f, "what answers there does not speak HTTP/1.1 ({error}): is it the right port, without TLS?")
            }
            // Other protocols speak first.
            Self::Broken(error) if error.is_canceled() => f.write_str(
                "the connection ended, or something that is not HTTP came, before anything was asked: is it the right \
                 port?",
            ),
            Self::Broken(error) => write!(f, "the connection broke ({error})"),
            Self::Slow(waited) => write!(f, "no answer within {} s", waited.as_secs()),
        }
    }
}

/// Sends a request and waits for the head of its answer.
///
/// # Errors
/// [`SendError`], when there is none.
pub(crate) async fn send(url: &ServerUrl, request: Request<Full<Bytes>>) -> Result<Answer, SendError> {
    let stream = within(CONNECT_MAX, TcpStream::connect(url.endpoint())).await?;
    let stream = stream.map_err(SendError::Unreachable)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(SendError::Broken)?;
    let mut drivers = JoinSet::new();
    // Its error arrives at whoever waits for the answer or its body.
    drivers.spawn(async move { drop(connection.await) });
    let response = within(ANSWER_MAX, sender.send_request(request)).await?;
    Ok(Answer::new(response.map_err(SendError::Broken)?, drivers))
}

async fn within<T>(most: Duration, future: impl Future<Output = T>) -> Result<T, SendError> {
    timeout(most, future).await.map_err(|_| SendError::Slow(most))
}
