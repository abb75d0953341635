//! From a request's body to a message, and from a message to the pieces of an answer.

use log::FileRange;
use wire::{Encoder, Message, Segment, StrBytes};

use crate::broker::{CloseReason, Outcome, Pending, Piece, Reply, Request};

/// What a handler comes to.
pub(crate) type Handled = Result<Pending, CloseReason>;

/// Reads the body of a request.
pub(crate) fn body<M: Message>(request: &Request) -> Result<M, CloseReason> {
    let version = request.version();
    wire::decode(request.body.clone(), version).map_err(|source| CloseReason::Undecodable {
        key: request.header.api_key,
        version,
        source,
    })
}

/// An answer that is known at once.
pub(crate) fn ready<M: Message>(message: &M, version: i16) -> Handled {
    reply(message, version, &[]).map(Pending::Ready)
}

/// The end of an answer that took its time.
pub(crate) fn outcome<M: Message>(message: &M, version: i16) -> Outcome {
    match reply(message, version, &[]) {
        Ok(reply) => Outcome::Reply(reply),
        Err(reason) => Outcome::Close(reason),
    }
}

/// Puts `message` into pieces; external payload `slot` becomes the file ranges `files[slot]`.
pub(crate) fn reply<M: Message>(
    message: &M,
    version: i16,
    files: &[Vec<FileRange>],
) -> Result<Reply, CloseReason> {
    let mut encoder = Encoder::new();
    if let Err(source) = message.encode(&mut encoder, version) {
        tracing::error!(message = M::NAME, version, %source, "an answer cannot be encoded");
        return Err(CloseReason::Unencodable { version, source });
    }
    let throttle_time_at = encoder.throttle_time_at();
    let mut pieces = Vec::new();
    for segment in encoder.finish() {
        match segment {
            Segment::Bytes(bytes) => pieces.push(Piece::Bytes(bytes)),
            Segment::External { slot, .. } => {
                pieces.extend(files[slot as usize].iter().cloned().map(Piece::File));
            }
        }
    }
    Ok(Reply::with_throttle_time_at(pieces, throttle_time_at))
}

/// The most bytes of an error message: they repeat names from the request, which may be 32 KiB long.
const LONGEST_MESSAGE: usize = 1024;

/// An error's text as a field of an answer.
pub(crate) fn message(error: &impl ToString) -> Option<StrBytes> {
    let mut text = error.to_string();
    if text.len() > LONGEST_MESSAGE {
        text.truncate(text.floor_char_boundary(LONGEST_MESSAGE));
        text.push_str("...");
    }
    Some(StrBytes::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let text = message(&"ä".repeat(4000)).unwrap_or_default();
        assert!(text.len() <= LONGEST_MESSAGE + 3 && text.ends_with("ä..."), "{}", text.len());
        assert_eq!(message(&"short"), Some(StrBytes::from_static("short")));
    }
}
