//! The data of an event: the text that its `data:` lines carry together.
//!
//! Invariant: no byte is CR or NUL. Every line break is one LF.
//!
//! It does not limit the length. How large an event may be is for the log and the doors to say.

/// The text that the `data:` lines of one block carry together.
///
/// - Shape: UTF-8 of any length, also empty, without NUL. Every line break is LF: CRLF and lone CR become LF
///   on entry.
/// - Source: WHATWG HTML, "Interpreting an event stream". CR, LF and CRLF all end a line there, so a reader
///   could not tell them apart anyway. The ban on NUL is ours: not every reader keeps it.
///
/// ```
/// use largesse_wire::{EventData, EventDataError};
///
/// assert_eq!(EventData::parse("a\r\nb\rc")?.as_str(), "a\nb\nc");
/// assert_eq!(EventData::parse("a\0"), Err(EventDataError::Nul { at: 1 }));
/// # Ok::<(), EventDataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventData(Box<str>);

impl EventData {
    /// Checks `raw` and keeps a copy of it, with its line breaks made LF.
    ///
    /// # Errors
    /// [`EventDataError::Nul`], with the place of the first NUL in `raw`.
    pub fn parse(raw: &str) -> Result<Self, EventDataError> {
        refuse_nul(raw)?;
        Ok(match memchr::memchr(b'\r', raw.as_bytes()) {
            Some(cr_at) => with_lf_only(raw, cr_at),
            None => Self(raw.into()),
        })
    }

    /// Like [`EventData::parse`], but keeps the text of `raw` itself where it holds no CR.
    ///
    /// Unused capacity of `raw` is given back.
    ///
    /// # Errors
    /// As [`EventData::parse`].
    pub fn parse_owned(raw: String) -> Result<Self, EventDataError> {
        refuse_nul(&raw)?;
        Ok(match memchr::memchr(b'\r', raw.as_bytes()) {
            Some(cr_at) => with_lf_only(&raw, cr_at),
            None => Self(raw.into_boxed_str()),
        })
    }

    /// Empty data: one `data:` line with nothing on it.
    pub fn empty() -> Self {
        Self(Box::default())
    }

    /// The data, with LF at every line break.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn refuse_nul(raw: &str) -> Result<(), EventDataError> {
    match memchr::memchr(0, raw.as_bytes()) {
        Some(at) => Err(EventDataError::Nul { at }),
        None => Ok(()),
    }
}

/// `cr_at` is the place of the first CR in `raw`.
fn with_lf_only(raw: &str, cr_at: usize) -> EventData {
    // Line breaks only get shorter, so this is allocated once.
    let mut text = String::with_capacity(raw.len());
    let (mut rest, mut cr_at) = (raw, Some(cr_at));
    while let Some(at) = cr_at {
        text.push_str(&rest[..at]);
        text.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
        cr_at = memchr::memchr(b'\r', rest.as_bytes());
    }
    text.push_str(rest);
    EventData(text.into_boxed_str())
}

/// Why a text is not valid [`EventData`]. The caller can fix it by taking the byte out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventDataError {
    /// The text holds a NUL.
    #[error(
        "the data has a NUL at byte {at}; data is text without NUL (encode binary data, for example as base64)"
    )]
    Nul {
        /// The place of the first NUL, in bytes from the start of the text.
        at: usize,
    },
}

#[cfg(test)]
mod tests;
