//! The log through its public face.
#![cfg(test)]

mod aborted;
mod cleaning;
mod cleaning_transactions;
mod common;
mod crash;
mod faults;
mod layout;
mod model;
mod open_files;
mod reading;
mod recovery;
mod retention;
