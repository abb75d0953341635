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
    /// Two values that are fine alone do not go together.
    #[error("{0}")]
    Conflict(String),
}

fn hint(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}
