//! What the records of the coordinators' topics have in common: a key that names its type, a value that names its
//! version.
//!
//! A key is the record's type (i16), then a message that has one version and is not flexible. A value is its version
//! (i16), then a message; a value of null is a tombstone: what the key names is gone. Bytes after either message are
//! ignored, as in Kafka's `CoordinatorRecordSerde`.

use bytes::Bytes;

use crate::decoder::{DecodeError, Decoder};
use crate::encoder::{EncodeError, Encoder};
use crate::message::Message;

/// A record of one type: what it is about, and what is so from here on.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyed<K, V> {
    /// What the record is about.
    pub key: K,
    /// What is so; `None` for a tombstone.
    pub value: Option<Versioned<V>>,
}

impl<K, V> Keyed<K, V> {
    /// A record that says what is so.
    pub fn new(key: K, version: i16, content: V) -> Self {
        Self { key, value: Some(Versioned { version, content }) }
    }

    /// A record that says that what the key names is gone.
    pub fn tombstone(key: K) -> Self {
        Self { key, value: None }
    }
}

/// A value, and the version that it is or will be written at.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<V> {
    /// The version.
    pub version: i16,
    /// The value.
    pub content: V,
}

/// Why a record of a coordinator's topic cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoordinatorRecordError {
    /// The key is shorter than a type.
    #[error("the type of the record cannot be read: {0}")]
    Type(DecodeError),
    /// What follows the type is not the key of that type.
    #[error("the key of a record of type {record_type} cannot be read: {error}")]
    Key {
        /// The type of the record.
        record_type: i16,
        /// Why.
        error: DecodeError,
    },
    /// The value is shorter than a version.
    #[error("the version of the value of a record of type {record_type} cannot be read: {error}")]
    Version {
        /// The type of the record.
        record_type: i16,
        /// Why.
        error: DecodeError,
    },
    /// The value has a version that Kafka 4.1 does not know, or what follows the version is not the value of that type.
    #[error("the value of a record of type {record_type} at version {version} cannot be read: {error}")]
    Value {
        /// The type of the record.
        record_type: i16,
        /// The version of the value.
        version: i16,
        /// Why; [`crate::DecodeFault::UnsupportedVersion`] for an unknown version.
        error: DecodeError,
    },
}

impl<K: Message, V: Message> Keyed<K, V> {
    /// Reads a record of this type; `key` is what follows the type.
    pub(crate) fn decode(key: &mut Decoder, value: Option<Decoder>) -> Result<Self, CoordinatorRecordError> {
        let record_type = K::API_KEY;
        let key = K::decode(key, 0).map_err(|error| CoordinatorRecordError::Key { record_type, error })?;
        let value = value.map(|value| Versioned::decode(record_type, value)).transpose()?;
        Ok(Self { key, value })
    }

    /// The bytes of key and value.
    pub(crate) fn encode(&self) -> Result<(Bytes, Option<Bytes>), EncodeError> {
        let key = prefixed(K::API_KEY, &self.key, 0)?;
        let value = self.value.as_ref().map(|value| prefixed(value.version, &value.content, value.version));
        Ok((key, value.transpose()?))
    }
}

impl<V: Message> Versioned<V> {
    fn decode(record_type: i16, mut from: Decoder) -> Result<Self, CoordinatorRecordError> {
        let version = from.i16().map_err(|error| CoordinatorRecordError::Version { record_type, error })?;
        match V::decode(&mut from, version) {
            Ok(content) => Ok(Self { version, content }),
            Err(error) => Err(CoordinatorRecordError::Value { record_type, version, error }),
        }
    }
}

/// The number in front, then the message.
fn prefixed<M: Message>(number: i16, message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut to = Encoder::new();
    to.i16(number);
    message.encode(&mut to, version)?;
    to.into_bytes()
}

/// Declares the records of one topic: an enum with a variant per type.
macro_rules! coordinator_records {
    (
        $(#[$doc:meta])* $records:ident;
        $($name:ident($key:ident, $value:ident) = $number:literal;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $records {
            $(
                #[doc = concat!("Type ", $number, ".")]
                $name($crate::coordinator_record::Keyed<$key, $value>),
            )*
            /// A type that Kafka 4.1 does not know, of a later version. Kafka passes over such a record when it loads.
            Unknown {
                /// The type.
                record_type: i16,
                /// The whole key.
                key: ::bytes::Bytes,
                /// The whole value.
                value: Option<::bytes::Bytes>,
            },
        }

        impl $records {
            /// Reads key and value of a record; `None` is a value of null.
            ///
            /// # Errors
            /// When the bytes do not hold what the type calls for.
            pub fn decode(
                key: ::bytes::Bytes,
                value: Option<::bytes::Bytes>,
            ) -> Result<Self, $crate::coordinator_record::CoordinatorRecordError> {
                Self::decode_with(key, value, $crate::Decoder::new)
            }

            /// As [`Self::decode`], but the error is the one that Kafka meets ([`crate::Decoder::reading_on`]).
            ///
            /// # Errors
            /// When the bytes do not hold what the type calls for.
            pub fn decode_reading_on(
                key: ::bytes::Bytes,
                value: Option<::bytes::Bytes>,
            ) -> Result<Self, $crate::coordinator_record::CoordinatorRecordError> {
                Self::decode_with(key, value, $crate::Decoder::reading_on)
            }

            fn decode_with(
                key: ::bytes::Bytes,
                value: Option<::bytes::Bytes>,
                open: impl Fn(::bytes::Bytes) -> $crate::Decoder,
            ) -> Result<Self, $crate::coordinator_record::CoordinatorRecordError> {
                let mut from = open(key.clone());
                let record_type = from.i16().map_err($crate::coordinator_record::CoordinatorRecordError::Type)?;
                match record_type {
                    $($number => {
                        let value = value.map(open);
                        $crate::coordinator_record::Keyed::decode(&mut from, value).map(Self::$name)
                    })*
                    _ => Ok(Self::Unknown { record_type, key, value }),
                }
            }

            /// Key and value of a record that says this.
            ///
            /// # Errors
            /// When the value has no such version, or holds what that version cannot say.
            pub fn encode(&self) -> Result<(::bytes::Bytes, Option<::bytes::Bytes>), $crate::EncodeError> {
                match self {
                    $(Self::$name(record) => record.encode(),)*
                    Self::Unknown { key, value, .. } => Ok((key.clone(), value.clone())),
                }
            }

            /// Kafka's number of the type, which the key begins with.
            #[must_use]
            pub const fn record_type(&self) -> i16 {
                match self {
                    $(Self::$name(_) => $number,)*
                    Self::Unknown { record_type, .. } => *record_type,
                }
            }

            /// The key as a tree of values, as Kafka's JSON converters show it; `None` for an unknown type.
            #[must_use]
            pub fn key(&self) -> Option<$crate::Value> {
                match self {
                    $(Self::$name(record) => Some($crate::Message::value(&record.key, 0)),)*
                    Self::Unknown { .. } => None,
                }
            }

            /// The version of the value and the value as a tree; `None` for a tombstone and for an unknown type.
            #[must_use]
            pub fn value(&self) -> Option<(i16, $crate::Value)> {
                match self {
                    $(Self::$name(record) => {
                        record.value.as_ref().map(|value| (value.version, $crate::Message::value(&value.content, value.version)))
                    })*
                    Self::Unknown { .. } => None,
                }
            }
        }

        $(
            const _: () = assert!(<$key as $crate::Message>::API_KEY == $number && <$value as $crate::Message>::API_KEY == $number);

            impl From<$crate::coordinator_record::Keyed<$key, $value>> for $records {
                fn from(record: $crate::coordinator_record::Keyed<$key, $value>) -> Self {
                    Self::$name(record)
                }
            }
        )*
    };
}
pub(crate) use coordinator_records;
