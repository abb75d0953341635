//! What no well-behaved client sends, sent to the real broker over a real socket.

mod batches;
mod client;
mod frames;
mod restarts;
mod sequences;
