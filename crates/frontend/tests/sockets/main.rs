//! The room through real loopback sockets, with a stand-in for the broker behind it.

#[cfg(target_os = "linux")]
mod kernel;
mod limits;
mod memory;
mod muting;
mod order;
mod stalls;
mod stand_in;
mod writing;
