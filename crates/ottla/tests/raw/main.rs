//! What no well-behaved client sends, sent to the real broker over a real socket.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the answer, also in the functions that several tests share"
)]

mod batches;
mod client;
mod frames;
mod groups;
mod restarts;
mod sequences;
