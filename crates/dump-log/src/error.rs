//! What ends a dump early.

use std::io;

/// Why dumping stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DumpError {
    /// The output does not take more.
    #[error("the output cannot be written: {0}")]
    Output(#[source] io::Error),
    /// A file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The file, as it was named.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A file cannot be understood from here on. Kafka's tool ends with a stack trace.
    #[error("{0}")]
    Damaged(String),
}

impl DumpError {
    pub(crate) fn read(path: &str, error: io::Error) -> Self {
        Self::Read { path: path.to_owned(), error }
    }
}
