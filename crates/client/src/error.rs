//! What can go wrong between a request and its answer.

use std::io;

use wire::{ApiKey, DecodeError, EncodeError};

use crate::Code;

/// Why there is no answer, or none that helps.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there, or the name is not known.
    #[error("cannot connect to {address}: {cause}")]
    Connect {
        /// HOST:PORT.
        address: String,
        /// What the system says.
        cause: io::Error,
    },
    /// The connection was closed or failed.
    #[error("the connection to {address} failed: {cause}")]
    Connection {
        /// HOST:PORT.
        address: String,
        /// What the system says.
        cause: io::Error,
    },
    /// Nothing came in time.
    #[error("{address} did not answer {api} in time")]
    Silence {
        /// HOST:PORT.
        address: String,
        /// What was asked.
        api: ApiKey,
    },
    /// What came is no answer: whoever listens there is no Kafka broker, or one that has gone mad.
    #[error("{address} does not speak Kafka's protocol: {why}")]
    Nonsense {
        /// HOST:PORT.
        address: String,
        /// What is wrong with the bytes.
        why: String,
    },
    /// The broker does not serve the API in any version that we know.
    #[error("{address} does not serve {api}")]
    NotServed {
        /// HOST:PORT.
        address: String,
        /// What was to be asked.
        api: ApiKey,
    },
    /// The request says what the version that broker and client share cannot say.
    #[error("{api} cannot say this in the version that the broker speaks: {cause}")]
    Encode {
        /// What was to be asked.
        api: ApiKey,
        /// Which field.
        cause: EncodeError,
    },
    /// The broker refused.
    #[error("{}", .message.as_deref().unwrap_or(.code.name()))]
    Refused {
        /// Kafka's code.
        code: Code,
        /// What the broker says about it.
        message: Option<String>,
    },
    /// A list of bootstrap servers without any, or with one that is no HOST:PORT.
    #[error("`{0}` is no HOST:PORT (or a list of them, separated by commas)")]
    Bootstrap(String),
    /// A group that is none of consumers.
    #[error("{0}")]
    NoConsumers(String),
    /// A partition without a leader, a node that the broker did not name, and the like.
    #[error("{0}")]
    Lost(String),
}

impl ClientError {
    /// What an answer says, if it is an error.
    ///
    /// # Errors
    /// [`Self::Refused`], unless the code is 0.
    pub fn of(code: i16, message: Option<&str>) -> Result<(), Self> {
        match Code(code) {
            code if code.is_error() => Err(Self::Refused { code, message: message.map(str::to_owned) }),
            _ => Ok(()),
        }
    }

    /// The code with which the broker refused.
    #[must_use]
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether to ask again might help.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Connection { .. } | Self::Silence { .. } | Self::Lost(_) => true,
            Self::Refused { code, .. } => code.is_retriable(),
            Self::Nonsense { .. }
            | Self::NotServed { .. }
            | Self::Encode { .. }
            | Self::NoConsumers(_)
            | Self::Bootstrap(_) => false,
        }
    }

    /// Whether the connection cannot be used any more.
    pub(crate) const fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Connection { .. } | Self::Silence { .. } | Self::Nonsense { .. }
        )
    }

    pub(crate) fn nonsense(address: &str, why: &DecodeError) -> Self {
        Self::Nonsense { address: address.to_owned(), why: why.to_string() }
    }
}
