//! Where a value was given.

use std::fmt;
use std::sync::Arc;

/// Where a value was given at the start, for those who look for the place to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a file.
    File {
        /// The file, as it was named.
        path: Arc<str>,
        /// The line, from 1 on.
        line: usize,
    },
    /// In the environment, by the variable of this name.
    Environment(String),
    /// On the command line, by this flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Environment(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The text, without the spaces around it.
    pub text: String,
    /// Where it was given.
    pub origin: Origin,
}
