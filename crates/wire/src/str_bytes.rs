//! Text that shares its bytes with the frame it came in.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytes::Bytes;
use bytestring::ByteString;

use crate::decoder::{DecodeError, DecodeFault};

/// A string whose clones share one run of bytes. Always UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StrBytes(ByteString);

impl StrBytes {
    /// A string that lives as long as the program.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(ByteString::from_static(text))
    }

    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A copy with bytes of its own: what outlives a request must not keep its whole frame in memory.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(ByteString::from(self.as_str()))
    }
}

impl TryFrom<Bytes> for StrBytes {
    type Error = DecodeError;

    /// Takes `bytes` as text without copying them.
    ///
    /// # Errors
    /// [`DecodeFault::NotUtf8`].
    fn try_from(bytes: Bytes) -> Result<Self, DecodeError> {
        ByteString::try_from(bytes).map(Self).map_err(|_| DecodeFault::NotUtf8.into())
    }
}

impl From<&'static str> for StrBytes {
    fn from(text: &'static str) -> Self {
        Self::from_static(text)
    }
}

impl From<String> for StrBytes {
    fn from(text: String) -> Self {
        Self(ByteString::from(text))
    }
}

impl Deref for StrBytes {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for StrBytes {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for StrBytes {
    fn borrow(&self) -> &str {
        self
    }
}

/// As `str` hashes, so that a map of names can be asked with a plain `&str`.
impl Hash for StrBytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq<str> for StrBytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for StrBytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for StrBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for StrBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_map_of_names_is_asked_with_plain_text() {
        let names = HashMap::from([(StrBytes::from("orders".to_owned()), 1)]);
        assert_eq!(names.get("orders"), Some(&1));
        assert_eq!(names.get("other"), None);
    }

    #[test]
    fn text_reads_as_text() {
        let name = StrBytes::from_static("orders");
        assert_eq!(name, "orders");
        assert_eq!(name, *"orders");
        assert_eq!(format!("{name} {name:?}"), "orders \"orders\"");
        assert_eq!(name.as_ref().len(), 6);
        assert!(StrBytes::default().is_empty());
    }

    #[test]
    fn only_utf8_is_text() {
        assert_eq!(StrBytes::try_from(Bytes::from_static(b"\xff")), Err(DecodeFault::NotUtf8.into()));
    }
}
