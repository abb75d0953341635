//! The rules of a broker as plain values: what goes in are events and times, what comes out are verdicts and data.
//!
//! Nothing here reads a clock, draws a random number, opens a file or waits; every machine is tested without any of that.

pub mod configs;
pub mod group;
mod pattern;
pub mod quotas;
pub mod sequence;
pub mod telemetry;
pub mod topics;
