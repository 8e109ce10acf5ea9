//! Any textual body: one event's data, as it came.
//!
//! Invariant: the body is never decoded; `a=b` is the text `a=b`. Does not look at what the text says.

use axum::response::Response;
use largesse_log::{NewEvent, Then};

use super::{Publish, event_data, utf8};
use crate::kit::{body::RequestBody, refusal::Refusal};

pub(super) async fn append(publish: &Publish<'_>, body: &mut RequestBody) -> Result<Response, Refusal> {
    let text = utf8(body.whole(publish.door.config.event_bytes_max).await?)?;
    // An empty body that closes says no event; without the close it says an empty one.
    if text.is_empty() && publish.then == Then::Close {
        publish.check_nothing_named()?;
        return publish.append_whole(Vec::new(), publish.once("close", b"")).await;
    }
    let once = publish.once("text", text.as_bytes());
    let event = NewEvent { name: publish.name.clone(), data: event_data(text, "the body")? };
    publish.append_whole(vec![event], once).await
}
