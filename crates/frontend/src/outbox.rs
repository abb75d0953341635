//! Bytes and file ranges on their way out.
//!
//! Whatever stands at the front goes first: neighbouring bytes in one vectored write, a large file range by `sendfile`,
//! so that its bytes never pass through this process. A small one is read and goes out with its neighbours: up to some
//! 64 KiB one system call with a copy costs less than three without. A peer that reads slowly leaves the rest standing.

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
/// File ranges up to this size are read; larger ones are sent from the file.
const SMALL: u32 = 64 * 1024;
/// What is read of a file at a time where there is no `sendfile`.
const READ: u32 = 128 * 1024;

/// What is to be written, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// No piece is empty.
    pieces: VecDeque<Piece>,
    /// Bytes at hand (not in files) among the pieces.
    in_memory: u64,
    /// How many of the pieces are in files.
    files: usize,
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
        if piece.is_empty() {
            return;
        }
        match &piece {
            Piece::Bytes(bytes) => self.in_memory += bytes.len() as u64,
            Piece::File(_) => self.files += 1,
        }
        self.pieces.push_back(piece);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether some of it has to be fetched from files, which may block.
    pub(crate) fn holds_files(&self) -> bool {
        self.files > 0
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
        loop {
            self.read_small_files()?;
            let step = match self.pieces.front() {
                Some(Piece::Bytes(_)) => self.write_bytes(stream),
                Some(Piece::File(range)) => write_file(range, stream),
                None => return Ok(Written::All),
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
    }

    /// Reads the small file ranges that can go out with the next write.
    fn read_small_files(&mut self) -> io::Result<()> {
        if self.files == 0 {
            return Ok(());
        }
        let mut bytes = 0;
        for piece in self.pieces.iter_mut().take(SLICES) {
            if let Piece::File(range) = piece {
                if range.len > SMALL {
                    break;
                }
                let read = read_file(range, range.len)?;
                if read.len() < range.len as usize {
                    return Err(shorter(range));
                }
                self.in_memory += read.len() as u64;
                self.files -= 1;
                *piece = Piece::Bytes(read);
            }
            bytes += piece.len();
            if bytes >= u64::from(SMALL) {
                break;
            }
        }
        Ok(())
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
            if gone && let Some(Piece::File(_)) = self.pieces.pop_front() {
                self.files -= 1;
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
    let Some(file) = range.file.as_file() else { return read_file(range, READ).map(Step::Read) };
    let mut position = range.position;
    let sent = stream.try_io(Interest::WRITABLE, || {
        Ok(rustix::fs::sendfile(stream, file, Some(&mut position), range.len.min(STRETCH) as usize)?)
    })?;
    if sent == 0 { Err(shorter(range)) } else { Ok(Step::Sent(sent)) }
}

#[cfg(not(target_os = "linux"))]
fn write_file(range: &FileRange, _stream: &TcpStream) -> io::Result<Step> {
    read_file(range, READ).map(Step::Read)
}

/// Up to `most` bytes from the start of the range; at least one.
fn read_file(range: &FileRange, most: u32) -> io::Result<Bytes> {
    let mut buffer = vec![0; range.len.min(most) as usize];
    let read = range.file.read_at(range.position, &mut buffer).map_err(io::Error::other)?;
    if read == 0 {
        return Err(shorter(range));
    }
    buffer.truncate(read);
    Ok(buffer.into())
}

fn shorter(range: &FileRange) -> io::Error {
    let (path, position, len) = (range.file.path().display(), range.position, range.len);
    io::Error::other(format!("{path} ends before the {len} bytes from {position} on that were to be sent"))
}
