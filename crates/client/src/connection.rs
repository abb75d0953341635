//! One connection to one broker: frames, versions, deadlines.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::Bytes;
use wire::header::{ResponseHeader, encode_request};
use wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use wire::{ApiKey, Decoder, Encoder, Message, Request, StrBytes};

use crate::{ClientError, Code};

/// The largest answer that is taken, in bytes.
pub const LARGEST_ANSWER: u64 = 256 << 20;
/// How long to wait for one address to take the connection (`socket.connection.setup.timeout.ms`).
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// A connection whose versions are settled.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// HOST:PORT, for messages.
    address: String,
    client_id: StrBytes,
    correlation_id: i32,
    /// What the broker said it speaks.
    versions: ApiVersionsResponse,
    by_key: HashMap<i16, (i16, i16)>,
}

impl Connection {
    /// Connects to `address` (HOST:PORT, each address of the name in turn) and asks for the versions. All of it takes
    /// `patience` at most, but for the lookup of the name.
    ///
    /// # Errors
    /// When nobody answers there, or not as a broker does.
    pub fn open(address: &str, client_id: &str, patience: Duration) -> Result<Self, ClientError> {
        let deadline = Instant::now() + patience;
        let stream = connect(address, deadline)
            .map_err(|cause| ClientError::Connect { address: address.to_owned(), cause })?;
        let mut connection = Self {
            stream,
            address: address.to_owned(),
            client_id: client_id.to_owned().into(),
            correlation_id: 0,
            versions: ApiVersionsResponse::default(),
            by_key: HashMap::new(),
        };
        connection.versions = connection.settle(deadline)?;
        ClientError::of(connection.versions.error_code, None)?;
        connection.by_key = (connection.versions.api_keys.iter())
            .map(|api| (api.api_key, (api.min_version, api.max_version)))
            .collect();
        Ok(connection)
    }

    /// What the broker said it speaks.
    #[must_use]
    pub const fn versions(&self) -> &ApiVersionsResponse {
        &self.versions
    }

    /// The highest version of `R` that both sides speak, up to `up_to`.
    #[must_use]
    pub fn version_of<R: Request>(&self, up_to: i16) -> Option<i16> {
        let &(lowest, highest) = self.by_key.get(&R::API_KEY)?;
        let version = highest.min(*R::VERSIONS.end()).min(up_to);
        (version >= lowest.max(*R::VERSIONS.start())).then_some(version)
    }

    /// Sends the request that `make` gives for the version (the highest that both speak, up to `up_to`), and waits
    /// for its answer.
    ///
    /// # Errors
    /// When there is no such version, or no answer within `patience`. Whether the answer holds an error is not looked at.
    pub fn call<R: Request>(
        &mut self,
        up_to: i16,
        patience: Duration,
        make: impl FnOnce(i16) -> R,
    ) -> Result<R::Response, ClientError> {
        let version = self
            .version_of::<R>(up_to)
            .ok_or_else(|| ClientError::NotServed { address: self.address.clone(), api: R::API })?;
        let deadline = Instant::now() + patience;
        self.send(&make(version), version)?;
        let (_, mut body) = self.receive(R::API, version, deadline)?;
        R::Response::decode(&mut body, version).map_err(|why| ClientError::nonsense(&self.address, &why))
    }

    /// Sends a request without an answer: a Produce with acks=0.
    ///
    /// # Errors
    /// When there is no such version, or the connection fails.
    pub fn tell<R: Request>(&mut self, up_to: i16, make: impl FnOnce(i16) -> R) -> Result<(), ClientError> {
        let version = self
            .version_of::<R>(up_to)
            .ok_or_else(|| ClientError::NotServed { address: self.address.clone(), api: R::API })?;
        self.send(&make(version), version)
    }

    /// Asks for the versions. A broker that does not know ours says so in version 0, with the versions that it knows
    /// (KIP-511).
    fn settle(&mut self, deadline: Instant) -> Result<ApiVersionsResponse, ClientError> {
        let request = ApiVersionsRequest {
            client_software_name: "ottla".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
        };
        let highest = *ApiVersionsRequest::VERSIONS.end();
        let answer = self.ask_versions(&request, highest, deadline)?;
        if Code(answer.error_code) != Code::UNSUPPORTED_VERSION {
            return Ok(answer);
        }
        let key = ApiVersionsRequest::API_KEY;
        let theirs = answer.api_keys.iter().find(|api| api.api_key == key).map_or(0, |api| api.max_version);
        self.ask_versions(&request, theirs.clamp(0, highest), deadline)
    }

    fn ask_versions(
        &mut self,
        request: &ApiVersionsRequest,
        version: i16,
        deadline: Instant,
    ) -> Result<ApiVersionsResponse, ClientError> {
        self.send(request, version)?;
        let (frame, mut body) = self.receive(ApiKey::ApiVersions, version, deadline)?;
        // The code comes right behind the correlation id at all versions.
        let unsupported = frame.get(4..6) == Some(&Code::UNSUPPORTED_VERSION.0.to_be_bytes()[..]);
        let spoken = if unsupported { 0 } else { version };
        ApiVersionsResponse::decode(&mut body, spoken)
            .map_err(|why| ClientError::nonsense(&self.address, &why))
    }

    fn send<R: Request>(&mut self, request: &R, version: i16) -> Result<(), ClientError> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let mut to = Encoder::new();
        let client_id = Some(self.client_id.clone());
        let frame = encode_request(request, version, self.correlation_id, client_id, &mut to)
            .and_then(|()| to.into_bytes())
            .map_err(|cause| ClientError::Encode { api: R::API, cause })?;
        let sent = i32::try_from(frame.len())
            .map_err(|_| io::Error::new(ErrorKind::InvalidInput, "the request is larger than 2 GiB"))
            .and_then(|len| self.stream.write_all(&[&len.to_be_bytes()[..], &frame].concat()));
        sent.map_err(|cause| ClientError::Connection { address: self.address.clone(), cause })
    }

    /// The answer to the request sent last: the whole frame, and its body.
    fn receive(
        &mut self,
        api: ApiKey,
        version: i16,
        deadline: Instant,
    ) -> Result<(Bytes, Decoder), ClientError> {
        let frame = self.read_frame(deadline).map_err(|cause| match cause.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                ClientError::Silence { address: self.address.clone(), api }
            }
            ErrorKind::InvalidData => {
                ClientError::Nonsense { address: self.address.clone(), why: cause.to_string() }
            }
            _ => ClientError::Connection { address: self.address.clone(), cause },
        })?;
        let mut body = Decoder::new(frame.clone());
        let header = ResponseHeader::decode(&mut body, api, version)
            .map_err(|why| ClientError::nonsense(&self.address, &why))?;
        if header.correlation_id != self.correlation_id {
            let why = format!("answer {} to request {}", header.correlation_id, self.correlation_id);
            return Err(ClientError::Nonsense { address: self.address.clone(), why });
        }
        Ok((frame, body))
    }

    fn read_frame(&mut self, deadline: Instant) -> io::Result<Bytes> {
        let mut until = Until { stream: &self.stream, deadline };
        let mut len = [0; 4];
        until.read_exact(&mut len)?;
        let len = u64::try_from(i32::from_be_bytes(len))
            .ok()
            .filter(|len| *len <= LARGEST_ANSWER)
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "an answer of no sane length"))?;
        let mut frame = Vec::new();
        // Grows with what comes, not with what was claimed.
        let read = until.take(len).read_to_end(&mut frame)?;
        if read as u64 == len { Ok(frame.into()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }
}

/// Reads until a point in time.
struct Until<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

fn connect(address: &str, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for socket in address.to_socket_addrs()? {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&socket, left.min(CONNECT_PATIENCE)) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(left))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Opens a connection to somebody who answers each frame of a request with the next of `answers`.
    fn open(answers: Vec<Vec<u8>>, patience: Duration) -> Result<Connection, ClientError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            for answer in answers {
                let mut len = [0; 4];
                stream.read_exact(&mut len).unwrap();
                let mut request = vec![0; u32::from_be_bytes(len) as usize];
                stream.read_exact(&mut request).unwrap();
                stream.write_all(&answer).unwrap();
            }
            let _end = stream.read(&mut [0]);
        });
        Connection::open(&address, "test", patience)
    }

    fn frame(correlation_id: i32, body: &[u8]) -> Vec<u8> {
        let len = i32::try_from(body.len() + 4).unwrap();
        [&len.to_be_bytes()[..], &correlation_id.to_be_bytes(), body].concat()
    }

    #[test]
    fn a_broker_that_only_knows_version_0_is_asked_again() {
        let unsupported = [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 0];
        let versions = [0, 0, 0, 0, 0, 2, 0, 18, 0, 0, 0, 0, 0, 3, 0, 2, 0, 9];
        let connection = open(vec![frame(1, &unsupported), frame(2, &versions)], PATIENCE).unwrap();
        use wire::messages::metadata::MetadataRequest;
        assert_eq!(connection.version_of::<MetadataRequest>(i16::MAX), Some(9));
        assert_eq!(connection.version_of::<MetadataRequest>(5), Some(5));
        assert_eq!(connection.version_of::<MetadataRequest>(1), None);
        use wire::messages::fetch::FetchRequest;
        assert_eq!(connection.version_of::<FetchRequest>(i16::MAX), None);
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        for answer in
            [frame(7, &[0; 20]), b"HTTP/1.1 400 Bad Request".to_vec(), frame(1, &[1]), vec![0xff; 8]]
        {
            let error = open(vec![answer.clone()], PATIENCE).unwrap_err();
            assert!(matches!(error, ClientError::Nonsense { .. }), "{answer:?}: {error}");
            assert!(!error.is_retriable());
        }
    }

    #[test]
    fn silence_has_an_end() {
        let error = open(vec![vec![0, 0]], Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, ClientError::Silence { .. }), "{error}");
    }
}
