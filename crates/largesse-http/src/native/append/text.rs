//! Any textual body: the data of one event, unchanged.
//!
//! Invariant: the body is never decoded; `a=b` is the text `a=b`. Does not look at what the text says.

use axum::response::Response;
use largesse_log::{NewEvent, Then};

use super::{Publish, event_data, utf8};
use crate::kit::{body::RequestBody, refusal::Refusal};

pub(super) async fn append(publish: &Publish<'_>, body: &mut RequestBody) -> Result<Response, Refusal> {
    let text = utf8(body.whole(publish.door.config.event_bytes_max).await?)?;
    // With close, an empty body is no event; without it, it is an empty one.
    if text.is_empty() && publish.then == Then::Close {
        publish.check_nothing_named()?;
        return publish.append_whole(Vec::new(), publish.once("close", b"")).await;
    }
    let once = publish.once("text", text.as_bytes());
    let event = NewEvent { name: publish.name.clone(), data: event_data(text, "the body")? };
    publish.append_whole(vec![event], once).await
}
