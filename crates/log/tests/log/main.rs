//! The log through its public face.

mod common;
mod layout;
