//! A request's head, as the verbs see it.
//!
//! Does not know which verb it is.

use std::sync::Arc;

use axum::extract::OriginalUri;
use http::{HeaderMap, request::Parts};

use crate::{
    kit::{listen::stall::StallLimit, query::Query},
    native::path::{self, Resource},
};

/// A request's head, parsed.
pub(crate) struct RequestHead<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) query: Query,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) path: &'a str,
    /// What comes before `/streams` where the door is nested.
    pub(crate) prefix: &'a str,
    /// Where a read says how long its writes may stall; `None` under another server than ours.
    pub(crate) stall: Option<Arc<StallLimit>>,
}

impl<'a> RequestHead<'a> {
    pub(crate) fn new(parts: &'a Parts, resource: &'a Resource) -> Self {
        let original = parts.extensions.get::<OriginalUri>();
        Self {
            resource,
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            headers: &parts.headers,
            path: parts.uri.path(),
            prefix: original.map_or("", |original| path::prefix(&original.0, &parts.uri)),
            stall: parts.extensions.get::<Arc<StallLimit>>().cloned(),
        }
    }
}
