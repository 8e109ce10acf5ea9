//! What streams are called, and how somebody names those that they mean: one by its name, or many by patterns.

pub(crate) mod pattern;
pub(crate) mod selection;
pub(crate) mod stream_name;
