//! Why a setting was not taken.

/// Why a setting was not taken. The text is meant for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No row of the table has this name. For a broker key that is worth a warning, for a topic key it is an error
    /// (Kafka: INVALID_CONFIG).
    #[error("unknown setting `{key}`{}", hint(.nearest))]
    Unknown {
        /// The name as given.
        key: String,
        /// The known name that looks most like it, if one comes close.
        nearest: Option<&'static str>,
    },
    /// The value is not one of those the row allows.
    #[error("`{key}` cannot be `{value}`: {allowed}")]
    Bad {
        /// The name as given.
        key: String,
        /// The value as given.
        value: String,
        /// What the row allows, as a sentence part: "an integer of at least 1".
        allowed: String,
    },
    /// The key is read at the start, and cannot be changed while the broker runs (Kafka: INVALID_REQUEST).
    #[error("`{key}` cannot be changed while the broker runs")]
    ReadOnly {
        /// Its name.
        key: &'static str,
    },
    /// The key can be changed for one broker only, by its id (Kafka: INVALID_REQUEST).
    #[error("`{key}` cannot be changed for all brokers at once; name the broker")]
    PerBroker {
        /// Its name.
        key: &'static str,
    },
    /// Two values that are fine alone do not go together.
    #[error("{0}")]
    Conflict(String),
}

fn hint(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}
