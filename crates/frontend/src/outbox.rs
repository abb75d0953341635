//! Bytes and file ranges on their way out.
//!
//! Whatever stands at the front goes first: neighbouring bytes in one vectored write, a file range by `sendfile`, so
//! that stored batches never pass through this process. A peer that reads slowly leaves the rest standing.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use api::{FileRange, Piece};
use bytes::{Buf, Bytes};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Slices in one vectored write.
const SLICES: usize = 32;
/// About how many bytes go out before others have a turn; also the most in one call of `sendfile`.
const STRETCH: u32 = 1 << 20;
/// What is read of a file at a time where there is no `sendfile`.
const READ: u32 = 128 * 1024;

/// What is to be written, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// No piece is empty.
    pieces: VecDeque<Piece>,
    /// Bytes at hand (not in files) among the pieces.
    in_memory: u64,
}

/// How far [`Outbox::write`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Everything is out.
    All,
    /// The socket takes no more for now.
    Full,
    /// There is more to write, and it is somebody else's turn.
    Enough,
}

impl Outbox {
    pub(crate) fn push(&mut self, piece: Piece) {
        if let Piece::Bytes(bytes) = &piece {
            self.in_memory += bytes.len() as u64;
        }
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes that stand here in memory.
    pub(crate) fn in_memory(&self) -> u64 {
        self.in_memory
    }

    /// Writes as much as `stream` takes without waiting.
    ///
    /// # Errors
    /// When the peer is gone, or a file cannot be read; part of an answer may be out then, so that only closing is left.
    pub(crate) fn write(&mut self, stream: &TcpStream) -> io::Result<Written> {
        let mut budget = u64::from(STRETCH);
        while let Some(front) = self.pieces.front() {
            let step = match front {
                Piece::Bytes(_) => self.write_bytes(stream),
                Piece::File(range) => write_file(range, stream),
            };
            match step {
                Ok(Step::Sent(bytes)) => {
                    self.advance(bytes);
                    budget = budget.saturating_sub(bytes as u64);
                }
                Ok(Step::Read(bytes)) => self.put_before_file(bytes),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Written::Full),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if budget == 0 && !self.is_empty() {
                return Ok(Written::Enough);
            }
        }
        Ok(Written::All)
    }

    /// Writes the bytes that stand at the front, up to the next file range.
    fn write_bytes(&self, stream: &TcpStream) -> io::Result<Step> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        let mut pieces = self.pieces.iter();
        let mut file_follows = false;
        while count < SLICES {
            match pieces.next() {
                Some(Piece::Bytes(bytes)) => slices[count] = IoSlice::new(bytes),
                Some(Piece::File(_)) => {
                    file_follows = true;
                    break;
                }
                None => break,
            }
            count += 1;
        }
        send(stream, &slices[..count], file_follows).map(Step::Sent)
    }

    /// Takes `sent` bytes off the front.
    fn advance(&mut self, mut sent: usize) {
        while sent > 0 {
            let front = self.pieces.front_mut().expect("no more is sent than stands here");
            let gone = match front {
                Piece::Bytes(bytes) => {
                    let now = sent.min(bytes.len());
                    bytes.advance(now);
                    self.in_memory -= now as u64;
                    sent -= now;
                    bytes.is_empty()
                }
                Piece::File(range) => {
                    let now = u32::try_from(sent).map_or(range.len, |sent| sent.min(range.len));
                    range.position += u64::from(now);
                    range.len -= now;
                    sent -= now as usize;
                    range.len == 0
                }
            };
            if gone {
                self.pieces.pop_front();
            }
        }
    }

    /// Puts bytes that were read from the start of the file range at the front before the rest of it.
    fn put_before_file(&mut self, bytes: Bytes) {
        self.advance(bytes.len());
        self.in_memory += bytes.len() as u64;
        self.pieces.push_front(Piece::Bytes(bytes));
    }
}

/// What one step came to.
enum Step {
    /// So many bytes are out.
    Sent(usize),
    /// These bytes were read from the file, and are still to be sent.
    Read(Bytes),
}

/// One vectored write. `more` tells the kernel that a file follows at once, so that it does not send a packet that holds
/// nothing but the start of an answer.
#[cfg(target_os = "linux")]
fn send(stream: &TcpStream, slices: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
    use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
    if !more {
        return stream.try_write_vectored(slices);
    }
    stream.try_io(Interest::WRITABLE, || {
        Ok(sendmsg(
            stream,
            slices,
            &mut SendAncillaryBuffer::default(),
            SendFlags::MORE | SendFlags::NOSIGNAL,
        )?)
    })
}

#[cfg(not(target_os = "linux"))]
fn send(stream: &TcpStream, slices: &[IoSlice<'_>], _more: bool) -> io::Result<usize> {
    stream.try_write_vectored(slices)
}

#[cfg(target_os = "linux")]
fn write_file(range: &FileRange, stream: &TcpStream) -> io::Result<Step> {
    let Some(file) = range.file.as_file() else { return read_file(range) };
    let mut position = range.position;
    let sent = stream.try_io(Interest::WRITABLE, || {
        Ok(rustix::fs::sendfile(stream, file, Some(&mut position), range.len.min(STRETCH) as usize)?)
    })?;
    if sent == 0 { Err(shorter(range)) } else { Ok(Step::Sent(sent)) }
}

#[cfg(not(target_os = "linux"))]
fn write_file(range: &FileRange, _stream: &TcpStream) -> io::Result<Step> {
    read_file(range)
}

fn read_file(range: &FileRange) -> io::Result<Step> {
    let mut buffer = vec![0; range.len.min(READ) as usize];
    let read = range.file.read_at(range.position, &mut buffer).map_err(io::Error::other)?;
    if read == 0 {
        return Err(shorter(range));
    }
    buffer.truncate(read);
    Ok(Step::Read(buffer.into()))
}

fn shorter(range: &FileRange) -> io::Error {
    let (path, position, len) = (range.file.path().display(), range.position, range.len);
    io::Error::other(format!("{path} ends before the {len} bytes from {position} on that were to be sent"))
}
