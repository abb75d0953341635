//! What a topic may be called (Kafka: `Topic`).

/// Most characters of a topic name: a directory name holds the topic, the partition and a suffix.
pub const MAX_LEN: usize = 249;

/// The topic that holds committed offsets.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// The topic that holds the state of transactions.
pub const TRANSACTION_STATE: &str = "__transaction_state";
/// The topic that holds the state of share groups (KIP-932).
pub const SHARE_GROUP_STATE: &str = "__share_group_state";
/// The metadata log, which is no topic for clients.
pub const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Why a text is no topic name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No character at all.
    #[error("a topic name has at least one character")]
    Empty,
    /// `.` or `..`.
    #[error("{0:?} cannot be the name of a topic")]
    Dots(String),
    /// More than [`MAX_LEN`] characters.
    #[error("a topic name has at most {MAX_LEN} characters, and {0:?} has more")]
    TooLong(String),
    /// A character outside `[a-zA-Z0-9._-]`.
    #[error("a topic name is made of letters and digits of ASCII, '.', '_' and '-', and {0:?} is not")]
    Characters(String),
}

/// Whether `name` may be a topic's name.
///
/// # Errors
/// Says what is wrong with it.
pub fn check(name: &str) -> Result<(), NameError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match name {
        "" => Err(NameError::Empty),
        "." | ".." => Err(NameError::Dots(name.to_owned())),
        // Java counts UTF-16 units; for a name that passes the next test it is the same.
        _ if name.encode_utf16().count() > MAX_LEN => Err(NameError::TooLong(name.to_owned())),
        _ if !name.bytes().all(allowed) => Err(NameError::Characters(name.to_owned())),
        _ => Ok(()),
    }
}

/// Whether Metadata shows the topic as internal. The metadata log is not among them: no client sees it.
#[must_use]
pub fn is_internal(name: &str) -> bool {
    matches!(name, CONSUMER_OFFSETS | TRANSACTION_STATE | SHARE_GROUP_STATE)
}

/// Whether two different names fall together where Kafka's metrics write `_` for `.`.
#[must_use]
pub fn collide(one: &str, other: &str) -> bool {
    let unify = |byte: u8| if byte == b'.' { b'_' } else { byte };
    one != other && one.len() == other.len() && one.bytes().map(unify).eq(other.bytes().map(unify))
}
