//! GET: an event stream, a page of JSON, or the list of streams.
//!
//! Does not answer itself: it chooses one of the three.

use axum::response::Response;

use crate::{
    kit::{query, refusal::Refusal},
    native::{
        door::Door,
        list,
        negotiate::{self, Media},
        page, read, read_query,
        request::RequestHead,
        selection::selection,
    },
};

pub(crate) async fn answer(door: &Door, head: &RequestHead<'_>) -> Result<Response, Refusal> {
    let media = negotiate::media(head.headers);
    let form = read_query::Form::new(head.resource, &head.query, media);
    read_query::check(&head.query, head.resource, form)?;
    let selection = selection(head.resource, &head.query)?;
    match (media, selection) {
        (Media::EventStream, Some(selection)) => read::answer(door, head, selection).await,
        (Media::Json, Some(selection)) => page::answer(door, head, selection).await,
        (Media::Json, None) => list::answer(door, head).await,
        (Media::EventStream, None) => Err(query::refuse(
            "name",
            "Which streams? Give names, such as /streams?name=a&name=prices/*, \
             or use 'Accept: application/json' to list them.",
        )),
    }
}
