//! A client that sends any bytes: what no well-behaved client sends, and whole requests too.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use base::{Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use bytes::Bytes;
use records::{BatchBuilder, NewRecord};
use wire::header::{ResponseHeader, encode_request};
use wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use wire::{DecodeError, Decoder, EncodeError, Encoder, Payload, Request};

/// How long a call waits for an answer, unless [`RawClient::set_patience`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection. Its calls block.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    correlation_id: i32,
}

/// Why a request got no answer that can be read.
#[derive(Debug)]
pub enum CallError {
    /// The broker closed the connection.
    Closed,
    /// The connection failed, or nothing came in time.
    Io(io::Error),
    /// The request does not exist at that version.
    Encode(EncodeError),
    /// The answer is not what the version says.
    Decode(DecodeError),
    /// The answer is for another request.
    OutOfOrder {
        /// The number of the request whose answer was due.
        expected: i32,
        /// The number in the answer.
        got: i32,
    },
}

impl RawClient {
    /// Connects.
    ///
    /// # Errors
    /// When that fails.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, correlation_id: 0 })
    }

    /// How long to wait for an answer.
    ///
    /// # Errors
    /// When the socket refuses.
    pub fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(patience))
    }

    /// The local address.
    ///
    /// # Errors
    /// When the socket does not say.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends the length of `frame`, and `frame`.
    ///
    /// # Errors
    /// When the connection fails.
    ///
    /// # Panics
    /// When the frame is longer than a frame can be.
    pub fn send_frame(&mut self, frame: &[u8]) -> io::Result<()> {
        let len = i32::try_from(frame.len()).expect("a frame is shorter than 2 GiB");
        self.send_bytes(&[&len.to_be_bytes()[..], frame].concat())
    }

    /// Sends a request without waiting for its answer, and gives its correlation id.
    ///
    /// # Errors
    /// When it does not exist at `version`, or the connection fails.
    pub fn send<R: Request>(&mut self, request: &R, version: i16) -> Result<i32, CallError> {
        self.correlation_id += 1;
        let frame = frame(request, version, self.correlation_id).map_err(CallError::Encode)?;
        self.send_frame(&frame).map_err(CallError::Io)?;
        Ok(self.correlation_id)
    }

    /// Waits for the answer to the request that was [sent](Self::send) with this correlation id.
    ///
    /// # Errors
    /// When there is none, or another one.
    pub fn receive<R: Request>(
        &mut self,
        correlation_id: i32,
        version: i16,
    ) -> Result<R::Response, CallError> {
        let frame = self.read_frame().map_err(CallError::Io)?.ok_or(CallError::Closed)?;
        let mut from = Decoder::new(frame);
        let header = ResponseHeader::decode(&mut from, R::API, version).map_err(CallError::Decode)?;
        if header.correlation_id != correlation_id {
            return Err(CallError::OutOfOrder { expected: correlation_id, got: header.correlation_id });
        }
        let response = wire::Message::decode(&mut from, version).map_err(CallError::Decode)?;
        match from.remaining() {
            0 => Ok(response),
            left => Err(CallError::Decode(wire::DecodeFault::LeftOver(left).into())),
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// When there is none that can be read.
    pub fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, CallError> {
        let correlation_id = self.send(request, version)?;
        self.receive::<R>(correlation_id, version)
    }

    /// The next frame without its length, or `None` when the broker has closed the connection.
    ///
    /// # Errors
    /// When the connection fails otherwise, nothing comes in time, or it ends within a frame.
    pub fn read_frame(&mut self) -> io::Result<Option<Bytes>> {
        let mut len = [0; 4];
        match self.stream.read_exact(&mut len) {
            Ok(()) => {}
            Err(e) if is_close(&e) => return Ok(None),
            Err(e) => return Err(e),
        }
        let len = u64::try_from(i32::from_be_bytes(len))
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("the length of a frame: {e}")))?;
        let mut frame = Vec::new();
        let read = (&mut self.stream).take(len).read_to_end(&mut frame)?;
        if read as u64 == len { Ok(Some(frame.into())) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Waits until the broker closes the connection; whatever it still sends is dropped.
    ///
    /// # Errors
    /// When it does not close it in time.
    pub fn wait_for_close(&mut self) -> io::Result<()> {
        let mut rest = [0; 4096];
        loop {
            match self.stream.read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(e) if is_close(&e) => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    }

    /// Says that nothing more will be sent; answers can still be read.
    ///
    /// # Errors
    /// When the connection is gone already.
    pub fn finish_sending(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

/// Whether the other side has closed the connection. One that closes with bytes unread resets it.
fn is_close(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// A request with its header, without the length: to be sent as it is, or bent first.
///
/// # Errors
/// When it does not exist at `version`.
pub fn frame<R: Request>(request: &R, version: i16, correlation_id: i32) -> Result<Bytes, EncodeError> {
    let mut to = Encoder::new();
    encode_request(request, version, correlation_id, Some("testkit".into()), &mut to)?;
    to.into_bytes()
}

/// A batch of these values, without keys, as an idempotent producer signs it: `producer` is its id, epoch and the
/// sequence of the first value. For a batch without a producer all three are -1.
///
/// What a well-behaved producer would not sign is made from a [`records::BatchHeader`] and [`records::seal`].
#[must_use]
pub fn batch(producer: (i64, i16, i32), values: &[&[u8]]) -> Bytes {
    let (id, epoch, sequence) = producer;
    let mut builder =
        BatchBuilder::new(Offset::ZERO).producer(ProducerId(id), ProducerEpoch(epoch), Sequence(sequence));
    for value in values {
        // Some day in 2023: later than any `message.timestamp.before.max.ms` minds, and never in the future.
        let timestamp = Millis(1_700_000_000_000);
        builder.push(&NewRecord { timestamp, value: Some(value), ..NewRecord::default() });
    }
    builder.build()
}

/// A Produce (up to version 12) of `records`, whatever they are, to one partition, with acks=all.
#[must_use]
pub fn produce(topic: &str, partition: i32, records: Bytes) -> ProduceRequest {
    let partition_data =
        vec![PartitionProduceData { index: partition, records: Some(Payload::Bytes(records)) }];
    let name = topic.to_owned().into();
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData { name, partition_data, ..TopicProduceData::default() }],
        ..ProduceRequest::default()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Serves one connection with `serve`, and gives a client of it.
    fn client_of(serve: impl FnOnce(TcpStream) + Send + 'static) -> RawClient {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = RawClient::connect(listener.local_addr().unwrap()).unwrap();
        thread::spawn(move || serve(listener.accept().unwrap().0));
        client
    }

    #[test]
    fn frames_go_out_with_their_length_and_come_back_without() {
        let mut client = client_of(|mut stream| {
            let mut bytes = [0; 7];
            stream.read_exact(&mut bytes).unwrap();
            stream.write_all(&bytes).unwrap();
        });
        client.send_frame(b"abc").unwrap();
        assert_eq!(client.read_frame().unwrap().as_deref(), Some(&b"abc"[..]));
        assert_eq!(client.read_frame().unwrap(), None, "closed between frames");
        client.wait_for_close().unwrap();
    }

    #[test]
    fn a_frame_that_ends_too_early_is_an_error() {
        let mut client = client_of(|mut stream| stream.write_all(b"\0\0\0\x09abc").unwrap());
        assert_eq!(client.read_frame().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_batch_is_what_a_producer_signs() {
        let bytes = batch((7, 2, 40), &[b"a", b"b"]);
        assert!(records::crc_is_valid(&bytes));
        let header = records::BatchHeader::parse(&bytes).unwrap();
        assert_eq!((header.producer_id, header.producer_epoch), (ProducerId(7), ProducerEpoch(2)));
        assert_eq!((header.base_sequence, header.last_sequence()), (Sequence(40), Sequence(41)));
        assert_eq!(
            records::BatchHeader::parse(&batch((-1, -1, -1), &[b"a"])).unwrap().producer_id,
            ProducerId::NONE
        );
        frame(&produce("t", 0, bytes), 12, 1).unwrap();
    }

    #[test]
    fn silence_ends_in_an_error() {
        let mut client = client_of(|stream| {
            let _end = (&stream).read(&mut [0]);
        });
        client.set_patience(Duration::from_millis(20)).unwrap();
        let kind = client.read_frame().unwrap_err().kind();
        assert!(matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{kind}");
    }
}
