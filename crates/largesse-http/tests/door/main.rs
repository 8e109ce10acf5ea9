//! The native door over real sockets: each file is one kind of request.

mod append;
mod append_event_stream;
mod beginning;
mod body_end;
mod body_kind;
mod guard;
mod half_close;
mod idempotency;
mod memory;
mod names;
mod page;
mod problems;
mod publish_by_put;
mod read;
mod read_query;
mod serving;
mod support;
mod tail_id;
