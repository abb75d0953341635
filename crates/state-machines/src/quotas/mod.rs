//! Quotas of clients: who may have how much, and how long somebody has to wait who had more (KIP-13, KIP-124, KIP-546,
//! KIP-599, KIP-612).
//!
//! [`Quotas`] is an image. [`Quotas::alter`] judges a request against it and answers with [`Record`]s; [`Quotas::apply`] is
//! the only way it changes, for a fresh decision as for a replay of the metadata log. [`Meters`] measures clients against
//! the limits of an image: amounts and times go in, times to wait come out. What it keeps is bounded, whatever clients
//! call themselves. Knows nothing of clocks: time comes in from the caller.

mod alter;
mod describe;
mod entity;
mod image;
mod limits;
mod meters;
mod rate;

pub use alter::{Alteration, Answer, Decision, MOST_RECORDS, Refusal};
pub use describe::{Component, Filter, FilterError, Match};
pub use entity::{CLIENT_ID, Entity, IP, USER};
pub use image::{Quotas, Record};
pub use limits::{
    CONNECTION_CREATION_RATE, CONSUMER_BYTE_RATE, CONTROLLER_MUTATION_RATE, Client, Kind, PRODUCER_BYTE_RATE,
    REQUEST_PERCENTAGE,
};
pub use meters::{MOST_BYTES, Meters, Permit, Strictness};
pub use rate::Window;

#[cfg(test)]
mod tests;
