//! One connection: requests in, answers out, in the same order.
//!
//! A single task does both, so that the usual request (one that is answered at once) never changes threads. Requests
//! that wait for something are tasks of their own; their answers are collected in turn. The task sleeps until one of
//! these happens: bytes arrive, the answer at the front is there, the socket takes bytes again, memory is free, time
//! is up, or the server stops.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::{CloseReason, Listener, Outcome, Pending, Piece, Reply, Request};
use base::Millis;
use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep_until};
use wire::header::{RequestHeader, ResponseHeader};
use wire::{ApiKey, Decoder, Encoder};

use crate::Service;
use crate::accept::stopped;
use crate::count::Counters;
use crate::end::End;
use crate::frame::{CHUNK, Front, Inbox, SMALL};
use crate::memory::Held;
use crate::outbox::{Outbox, Written};
use crate::server::Shared;

/// Answers waiting in memory for a peer that does not read; above this no further request is begun.
const UNREAD: u64 = 1 << 20;
/// How long a buffer is kept for the next request.
const KEEP_BUFFER: Duration = Duration::from_secs(1);
/// How often a frame that is overdue or stagnant asks whether somebody waits for its memory.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A frame is stagnant unless this part of the memory it holds arrives in the time that [`Limits`](crate::Limits) give.
const PACE: u64 = 16;
/// How long a closing connection goes on taking what the peer still sends, and how much of it: closing over unread bytes
/// would reset the connection, and the peer could lose answers that are on their way.
const LINGER: Duration = Duration::from_millis(250);
const LINGER_BYTES: usize = 1 << 20;

/// A time that does not come.
const FAR: Duration = Duration::from_secs(86_400);

/// An answer's place in line.
enum Turn {
    /// The request is in work.
    Waiting { answer: JoinHandle<Outcome>, to: To, _held: Held },
    /// The answer is there and waits for earlier ones.
    Answered { to: To, reply: Reply },
    /// Here the connection ends.
    Close(End),
}

/// What an answer must know of its request.
#[derive(Clone, Copy)]
struct To {
    key: ApiKey,
    version: i16,
    correlation_id: i32,
}

/// What the task woke up for.
enum Event {
    Read(io::Result<usize>),
    /// The answer at the front of the line.
    Answer(Result<Outcome, tokio::task::JoinError>),
    Writable(io::Result<()>),
    Memory(Held),
    Time,
    Stop,
}

pub(crate) struct Connection<S> {
    stream: TcpStream,
    peer: SocketAddr,
    listener: Arc<Listener>,
    service: Arc<S>,
    shared: Arc<Shared>,
    inbox: Inbox,
    /// What the frame that is being read holds of the request memory.
    held: Held,
    /// Set while the frame that is being read waits for request memory.
    starving: Option<Pin<Box<dyn Future<Output = Held> + Send>>>,
    /// Requests whose answers are not yet in the outbox, in the order they came.
    line: VecDeque<Turn>,
    outbox: Outbox,
    /// Bytes of the answers in `line` that are there already.
    answered: u64,
    /// Whether the socket took no more at the last try.
    full: bool,
    /// No further request is read; when `line` and `outbox` are empty the connection ends.
    ending: bool,
    /// When something last came in, went out or was finished.
    active: Instant,
    /// Requests in `line` that are in work.
    in_work: usize,
    /// The frame that is being read.
    arriving: Option<Arriving>,
    /// Until when nothing more is begun, because of a quota.
    muted: Option<Instant>,
}

/// How a frame that is being read arrives.
struct Arriving {
    /// When it began.
    since: Instant,
    /// When it last came forward, and how many bytes there were then.
    pace: (Instant, usize),
}

impl<S: Service> Connection<S> {
    pub(crate) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        listener: Arc<Listener>,
        service: Arc<S>,
        shared: Arc<Shared>,
    ) -> Self {
        let held = Held::nothing(&shared.memory);
        Self {
            stream,
            peer,
            listener,
            service,
            shared,
            inbox: Inbox::default(),
            held,
            starving: None,
            line: VecDeque::new(),
            outbox: Outbox::default(),
            answered: 0,
            full: false,
            ending: false,
            active: Instant::now(),
            in_work: 0,
            arriving: None,
            muted: None,
        }
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let end = self.serve(&mut stop).await;
        end.report(self.peer, &self.shared);
        if end.is_ours() {
            self.linger().await;
        }
    }

    async fn serve(&mut self, stop: &mut watch::Receiver<bool>) -> End {
        let mut stopped = pin!(stopped(stop));
        let first_look = self.shared.limits.idle.unwrap_or(FAR).min(KEEP_BUFFER);
        let mut timer = pin!(sleep_until(self.active + first_look));
        loop {
            if let Err(end) = self.advance().await {
                return end;
            }
            if self.ending && self.line.is_empty() && self.outbox.is_empty() {
                return End::Stopped;
            }
            if let Some(until) = self.muted
                && until < timer.deadline()
            {
                timer.as_mut().reset(until);
            }
            let handled = match poll_fn(|cx| self.poll_event(cx, stopped.as_mut(), timer.as_mut())).await {
                Event::Read(Ok(0)) => {
                    // Every whole request that came before is begun; a peer that only stopped sending gets its answers.
                    self.end_after_answers(End::PeerClosed);
                    Ok(())
                }
                Event::Read(Ok(_)) => {
                    self.active = Instant::now();
                    if timer.deadline() > self.active + KEEP_BUFFER {
                        timer.as_mut().reset(self.active + KEEP_BUFFER);
                    }
                    Ok(())
                }
                Event::Read(Err(error)) | Event::Writable(Err(error)) => Err(End::Io(error)),
                Event::Writable(Ok(())) => {
                    self.full = false;
                    Ok(())
                }
                Event::Answer(outcome) => self.answer(outcome),
                Event::Memory(held) => {
                    self.held.add(held);
                    self.starving = None;
                    if let Some(arriving) = &mut self.arriving {
                        arriving.pace = (Instant::now(), self.inbox.len());
                    }
                    Ok(())
                }
                Event::Time => self.look_at_clock(timer.as_mut()),
                Event::Stop => {
                    self.ending = true;
                    Ok(())
                }
            };
            if let Err(end) = handled {
                return end;
            }
        }
    }

    /// Does all that can be done now: begins the frames that are there, and writes what is due.
    async fn advance(&mut self) -> Result<(), End> {
        loop {
            self.begin_frames();
            self.collect()?;
            if self.full || self.outbox.is_empty() {
                return Ok(());
            }
            self.active = Instant::now();
            let Self { outbox, stream, shared, .. } = self;
            let written = if outbox.holds_files() {
                shared.stalls.run(|| outbox.write(stream))
            } else {
                outbox.write(stream)
            };
            match written? {
                Written::All => {}
                Written::Full => self.full = true,
                Written::Enough => tokio::task::yield_now().await,
            }
        }
    }

    /// Whether another request may be begun.
    fn may_begin(&self) -> bool {
        !self.ending
            && self.starving.is_none()
            // A frame that holds request memory is read to its end first: others may wait for that.
            && (self.muted.is_none() || self.held.bytes() > 0)
            && self.line.len() < self.shared.limits.requests_in_work
            && self.answered + self.outbox.in_memory() < UNREAD
    }

    fn begin_frames(&mut self) {
        if self.starving.is_some() && self.passes_freely() {
            self.starving = None;
        }
        while self.may_begin() {
            let len = match self.inbox.front(self.shared.limits.request_bytes) {
                Ok(Front::Whole(len)) => len,
                Ok(Front::Nothing) => return self.arriving = None,
                Ok(Front::Part(_)) => {
                    let (since, len) = (self.active, self.inbox.len());
                    self.arriving.get_or_insert(Arriving { since, pace: (since, len) });
                    return;
                }
                Err(bad) => return self.end_after_answers(End::Length(bad)),
            };
            // A small frame holds the chunk that it came in.
            if !self.passes_freely() && !self.hold(len, len.max(CHUNK)) {
                return;
            }
            let frame = self.inbox.take(len);
            let held = self.held.take();
            self.arriving = None;
            self.begin(frame, held);
            self.inbox.release(false);
        }
    }

    /// Whether the frame at the front needs no request memory: it is small, and the only one of its connection in work.
    fn passes_freely(&self) -> bool {
        self.in_work == 0
            && matches!(self.inbox.front(self.shared.limits.request_bytes), Ok(Front::Whole(len)) if len <= SMALL)
    }

    /// Holds request memory of `bytes` for a frame of `len` bytes, or begins to wait for it.
    fn hold(&mut self, len: usize, bytes: usize) -> bool {
        let size = self.shared.memory.size_of(len);
        let covered = self.held.cover(size, bytes as u64);
        if !covered && self.starving.is_none() {
            Counters::add(&self.shared.counters.memory_waits);
            self.starving = Some(Box::pin(self.held.wait(size, bytes as u64)));
        }
        covered
    }

    /// Begins the request of one frame. Its answer takes its place in line.
    fn begin(&mut self, frame: Bytes, held: Held) {
        let mut decoder = Decoder::new(frame);
        let header = match RequestHeader::decode(&mut decoder) {
            Ok(header) => header,
            Err(error) => return self.end_after_answers(End::Header(error)),
        };
        let Ok(key) = ApiKey::try_from(header.api_key) else {
            return self.end_after_answers(End::Refused(CloseReason::UnknownApi { key: header.api_key }));
        };
        let to = To { key, version: header.api_version, correlation_id: header.correlation_id };
        tracing::debug!(peer = %self.peer, api = key.name(), version = to.version, id = to.correlation_id, "request");
        let request = Request {
            header,
            body: decoder.into_rest(),
            received_at: now(),
            peer: self.peer,
            listener: Arc::clone(&self.listener),
        };
        Counters::add(&self.shared.counters.requests);
        let begin = AssertUnwindSafe(|| self.service.begin(request));
        match self.shared.stalls.run(|| std::panic::catch_unwind(begin)) {
            Ok(Pending::Ready(reply)) => self.line_up(to, reply),
            Ok(Pending::Later(answer)) => {
                self.in_work += 1;
                self.line.push_back(Turn::Waiting { answer: tokio::spawn(answer), to, _held: held });
            }
            Ok(Pending::Silent { mute }) => self.mute(mute),
            Ok(Pending::Close(reason)) => self.end_after_answers(End::Refused(reason)),
            Err(_panic) => self.end_after_answers(End::Panicked),
        }
    }

    fn line_up(&mut self, to: To, reply: Reply) {
        self.mute(reply.mute);
        self.answered += in_memory(&reply);
        self.line.push_back(Turn::Answered { to, reply });
    }

    /// Begins nothing more for so long. Answers go on, and a stop does not wait for it.
    fn mute(&mut self, time: Duration) {
        if !time.is_zero() {
            let until = Instant::now() + time;
            self.muted = self.muted.max(Some(until));
        }
    }

    /// Closes the connection once the answers to earlier requests are out.
    fn end_after_answers(&mut self, end: End) {
        self.ending = true;
        self.line.push_back(Turn::Close(end));
    }

    /// The answer at the front of the line has come.
    fn answer(&mut self, outcome: Result<Outcome, tokio::task::JoinError>) -> Result<(), End> {
        self.active = Instant::now();
        let Some(Turn::Waiting { to, .. }) = self.line.pop_front() else {
            unreachable!("an answer is only waited for at the front of the line");
        };
        self.in_work -= 1;
        match outcome {
            Ok(Outcome::Reply(reply)) => {
                self.mute(reply.mute);
                self.answered += in_memory(&reply);
                self.line.push_front(Turn::Answered { to, reply });
                Ok(())
            }
            // What came before is out already, or in the outbox.
            Ok(Outcome::Close(reason)) => {
                self.line.push_front(Turn::Close(End::Refused(reason)));
                self.ending = true;
                Ok(())
            }
            Err(_panic_or_shutdown) => Err(End::Panicked),
        }
    }

    /// Moves the answers that are due into the outbox.
    fn collect(&mut self) -> Result<(), End> {
        while let Some(turn) = self.line.pop_front() {
            match turn {
                Turn::Answered { to, reply } => {
                    self.answered -= in_memory(&reply);
                    self.outbox.push(Piece::Bytes(head(to, reply.len())?));
                    reply.pieces.into_iter().for_each(|piece| self.outbox.push(piece));
                }
                Turn::Close(end) if self.outbox.is_empty() => return Err(end),
                later => {
                    self.line.push_front(later);
                    break;
                }
            }
        }
        Ok(())
    }

    fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        stopped: Pin<&mut impl Future<Output = ()>>,
        timer: Pin<&mut Sleep>,
    ) -> Poll<Event> {
        if let Some(Turn::Waiting { answer, .. }) = self.line.front_mut()
            && let Poll::Ready(outcome) = Pin::new(answer).poll(cx)
        {
            return Poll::Ready(Event::Answer(outcome));
        }
        if self.full
            && let Poll::Ready(writable) = self.stream.poll_write_ready(cx)
        {
            return Poll::Ready(Event::Writable(writable));
        }
        if self.may_begin()
            && let Poll::Ready(read) = self.poll_read(cx)
        {
            return Poll::Ready(Event::Read(read));
        }
        if let Some(starving) = &mut self.starving
            && let Poll::Ready(held) = starving.as_mut().poll(cx)
        {
            return Poll::Ready(Event::Memory(held));
        }
        if timer.poll(cx).is_ready() {
            return Poll::Ready(Event::Time);
        }
        if !self.ending && stopped.poll(cx).is_ready() {
            return Poll::Ready(Event::Stop);
        }
        Poll::Pending
    }

    /// Reads what there is, up to the end of a large frame. Reserves the buffer when there is something to read, and
    /// begins to wait for memory when there is none for it.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Ok(front @ (Front::Nothing | Front::Part(_))) =
            self.inbox.front(self.shared.limits.request_bytes)
        else {
            return Poll::Pending;
        };
        ready!(self.stream.poll_read_ready(cx))?;
        let wanted = self.inbox.wanted(&front);
        if let Front::Part(Some(len)) = front
            && wanted > CHUNK
            && !self.hold(len, wanted)
        {
            return Poll::Pending;
        }
        let mut room = self.inbox.room(wanted);
        pin!(self.stream.read_buf(&mut room)).poll(cx)
    }

    /// Time is up for something: an empty buffer, an overdue frame, a silent connection. Sets the next time to look.
    fn look_at_clock(&mut self, timer: Pin<&mut Sleep>) -> Result<(), End> {
        let now = Instant::now();
        let silent = now.saturating_duration_since(self.active);
        let mut next = Duration::MAX;
        if let Some(until) = self.muted {
            if until <= now {
                self.muted = None;
                self.active = now;
            } else {
                next = next.min(until - now);
            }
        }
        if self.inbox.is_spare() {
            if silent >= KEEP_BUFFER {
                self.inbox.release(true);
            } else {
                next = next.min(KEEP_BUFFER - silent);
            }
        }
        if self.muted.is_some()
            && self.held.bytes() == 0
            && let Some(arriving) = &mut self.arriving
        {
            // It is not the peer that is slow.
            *arriving = Arriving { since: now, pace: (now, self.inbox.len()) };
        }
        if let Some(arriving) = &mut self.arriving {
            let limits = &self.shared.limits;
            let (took, may) = (now.saturating_duration_since(arriving.since), limits.frame_time);
            if took < may {
                next = next.min(may - took);
            } else if self.shared.memory.is_short() {
                return Err(End::TooSlow);
            } else {
                next = next.min(LOOK_AGAIN);
            }
            if self.held.bytes() > 0 && !self.ending {
                let (since, there) = arriving.pace;
                let came = self.inbox.len().saturating_sub(there) as u64;
                // While it waits for memory itself nothing is read.
                if self.starving.is_some() || came >= self.held.bytes() / PACE {
                    arriving.pace = (now, self.inbox.len());
                } else if now.saturating_duration_since(since) >= limits.stagnant_time
                    && self.held.is_wanted()
                {
                    return Err(End::Stagnant);
                }
                next = next.min(LOOK_AGAIN.min(limits.stagnant_time));
            }
        }
        if let Some(idle) = self.shared.limits.idle {
            let at_work = !self.line.is_empty() && self.outbox.is_empty();
            if silent < idle {
                next = next.min(idle - silent);
            } else if at_work {
                next = next.min(idle);
            } else {
                return Err(End::Idle);
            }
        }
        timer.reset(now + next.min(FAR));
        Ok(())
    }

    /// Says that nothing more will be sent, and takes what is still on its way here, for a moment.
    async fn linger(mut self) {
        let drain = async {
            if self.stream.shutdown().await.is_err() {
                return;
            }
            let mut scrap = [0; 4096];
            let mut taken = 0;
            while let Ok(bytes @ 1..) = self.stream.read(&mut scrap).await {
                taken += bytes;
                if taken > LINGER_BYTES {
                    return;
                }
            }
        };
        // Whether the peer closed or time is up makes no difference.
        let _ = tokio::time::timeout(LINGER, drain).await;
    }
}

/// The bytes of an answer that stand in memory.
fn in_memory(reply: &Reply) -> u64 {
    reply.pieces.iter().filter(|piece| matches!(piece, Piece::Bytes(_))).map(Piece::len).sum()
}

/// What stands before the body of an answer: the length of the frame and the header.
fn head(to: To, body: u64) -> Result<Bytes, End> {
    let mut header = Encoder::new();
    ResponseHeader { correlation_id: to.correlation_id }.encode(&mut header, to.key, to.version);
    let frame = body + header.len() as u64;
    let Ok(len) = i32::try_from(frame) else { return Err(End::AnswerTooLarge(frame)) };
    let header = header.into_bytes().expect("a header has no bytes that stand elsewhere");
    let mut head = BytesMut::with_capacity(4 + header.len());
    head.put_i32(len);
    head.put(header);
    Ok(head.freeze())
}

pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
