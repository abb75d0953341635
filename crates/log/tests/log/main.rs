//! The log through its public face.

mod common;
mod layout;
mod reading;
mod recovery;
