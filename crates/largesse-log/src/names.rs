//! Names of streams, and selections of them: one by its name, or many by patterns.

pub(crate) mod pattern;
pub(crate) mod selection;
pub(crate) mod stream_name;
