//! How a connection ends, and who hears of it.

use std::io;
use std::net::SocketAddr;

use api::CloseReason;
use wire::DecodeError;

use crate::count::Counters;
use crate::frame::BadLength;
use crate::server::Shared;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    #[error("the peer closed it")]
    PeerClosed,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Length(BadLength),
    #[error("the header of a request cannot be decoded: {0}")]
    Header(DecodeError),
    #[error("{0}")]
    Refused(#[from] CloseReason),
    #[error("a handler panicked")]
    Panicked,
    #[error("an answer of {0} bytes does not fit a frame")]
    AnswerTooLarge(u64),
    #[error("nothing was heard for longer than `connections.max.idle.ms`")]
    Idle,
    #[error("a request took too long to arrive while others wait for memory (`queued.max.request.bytes`)")]
    TooSlow,
    #[error(
        "a request stopped arriving while others wait for the memory it holds (`queued.max.request.bytes`)"
    )]
    Stagnant,
    #[error("the broker stops")]
    Stopped,
}

impl End {
    /// Whether this side ends the connection while the peer may still be sending, so that closing needs care.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Header(_) | Self::Length(_) | Self::Panicked | Self::Stopped)
    }

    /// Says it in the log: a mistake of ours loudly, what the peer did wrong at INFO (as far as the throttle lets it), and
    /// an ordinary end at DEBUG.
    pub(crate) fn report(&self, peer: SocketAddr, shared: &Shared) {
        match self {
            Self::PeerClosed | Self::Io(_) | Self::Idle | Self::Stopped => {
                tracing::debug!(%peer, "connection closed: {self}");
            }
            Self::Panicked | Self::AnswerTooLarge(_) | Self::Refused(CloseReason::Unencodable { .. }) => {
                tracing::error!(%peer, "connection closed: {self}");
            }
            Self::Length(_) | Self::Header(_) | Self::Refused(_) | Self::TooSlow | Self::Stagnant => {
                Counters::add(&shared.counters.bad_frames);
                match shared.throttle.allow(std::time::Instant::now()) {
                    Some(0) => tracing::info!(%peer, "connection closed: {self}"),
                    Some(unsaid) => tracing::info!(%peer, unsaid, "connection closed: {self}"),
                    None => tracing::debug!(%peer, "connection closed: {self}"),
                }
            }
        }
    }
}
