//! What tests of the other rooms stand on: a disk that crashes, a disk that fails, a disk that is watched, a clock that is turned by hand.
//!
//! Used only as a dev-dependency. Without features it rests on `disk` and `base` alone, so that `log` can use it. The
//! feature `client` adds what tests of the whole broker need: [`broker`], which runs the built binary, and [`raw`], a
//! client that sends what no well-behaved one would.

#[cfg(feature = "client")]
pub mod broker;
mod clock;
mod content;
mod crash;
mod failing;
mod random;
#[cfg(feature = "client")]
pub mod raw;
mod watched;

pub use clock::ManualClock;
pub use crash::{Crash, CrashDisk};
pub use failing::{FailingDisk, Fault, Injected};
pub use random::Random;
pub use watched::WatchedDisk;
