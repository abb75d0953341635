//! All brokers that a client talks to, and how long it goes on trying.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use wire::{Request, StrBytes};

use crate::{ClientError, Connection};

/// The highest version that both sides speak.
pub const LATEST: i16 = i16::MAX;

/// The first pause between two attempts; each following one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Who is asked, and with how much patience.
#[derive(Clone, Debug)]
pub struct Config {
    /// HOST:PORT, one after the other, of which each may be asked first.
    pub bootstrap: Vec<String>,
    /// The name that the client gives itself.
    pub client_id: String,
    /// How long to wait for one answer (`request.timeout.ms`).
    pub request_timeout: Duration,
    /// How long to go on trying (`default.api.timeout.ms`).
    pub api_timeout: Duration,
    /// Hears of the first failure after which the client goes on trying.
    pub tell: fn(&ClientError),
}

impl Config {
    /// Takes `servers`, HOST:PORT separated by commas. An IPv6 address stands in brackets.
    ///
    /// # Errors
    /// [`ClientError::Bootstrap`].
    pub fn new(servers: &str, client_id: &str) -> Result<Self, ClientError> {
        let bootstrap: Vec<_> = (servers.split(','))
            .map(|server| server.trim().to_owned())
            .filter(|server| !server.is_empty())
            .collect();
        let is_address = |server: &String| {
            server.rsplit_once(':').is_some_and(|(host, port)| {
                let whole = host.starts_with('[') == host.ends_with(']');
                !host.is_empty() && whole && port.parse::<u16>().is_ok()
            })
        };
        if bootstrap.is_empty() || !bootstrap.iter().all(is_address) {
            return Err(ClientError::Bootstrap(servers.to_owned()));
        }
        Ok(Self {
            bootstrap,
            client_id: client_id.to_owned(),
            request_timeout: Duration::from_secs(30),
            api_timeout: Duration::from_secs(60),
            tell: |_| (),
        })
    }
}

/// The connections of a client. Opened when they are needed.
#[derive(Debug)]
pub struct Client {
    config: Config,
    open: HashMap<String, Connection>,
    /// HOST:PORT of the nodes that the newest metadata named.
    nodes: HashMap<i32, String>,
    /// Which of the bootstrap servers answered last.
    first: usize,
}

/// One more attempt, and how long there is time for them.
#[derive(Debug)]
pub struct Retry {
    deadline: Instant,
    pause: Duration,
    tell: Option<fn(&ClientError)>,
}

impl Retry {
    /// Sleeps before the next attempt.
    ///
    /// # Errors
    /// `error` itself, when it is of no use to try again, or there is no time left.
    pub fn after(&mut self, error: ClientError) -> Result<(), ClientError> {
        if !error.is_retriable() || Instant::now() + self.pause >= self.deadline {
            return Err(error);
        }
        if let Some(tell) = self.tell.take() {
            tell(&error);
        }
        thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

impl Client {
    /// A client that has not connected yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, open: HashMap::new(), nodes: HashMap::new(), first: 0 }
    }

    /// How it was set up.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Changes how long to go on trying.
    pub const fn set_api_timeout(&mut self, timeout: Duration) {
        self.config.api_timeout = timeout;
    }

    /// The attempts of something that begins now.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry {
            deadline: Instant::now() + self.config.api_timeout,
            pause: FIRST_PAUSE,
            tell: Some(self.config.tell),
        }
    }

    /// Does `attempt` until it succeeds, fails for good, or there is no time left.
    ///
    /// # Errors
    /// That of the last attempt.
    pub fn persist<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut retry = self.retry();
        loop {
            match attempt(self) {
                Ok(done) => return Ok(done),
                Err(error) => retry.after(error)?,
            }
        }
    }

    /// The connection to `address`, opened if it is not.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn connection(&mut self, address: &str) -> Result<&mut Connection, ClientError> {
        if !self.open.contains_key(address) {
            let connection = Connection::open(address, &self.config.client_id, self.config.request_timeout)?;
            self.open.insert(address.to_owned(), connection);
        }
        self.open.get_mut(address).ok_or_else(|| ClientError::Lost(format!("no connection to {address}")))
    }

    /// Asks `address` once; see [`Connection::call`].
    ///
    /// # Errors
    /// When there is no answer.
    pub fn call<R: Request>(
        &mut self,
        address: &str,
        up_to: i16,
        make: impl FnOnce(i16) -> R,
    ) -> Result<R::Response, ClientError> {
        let patience = self.config.request_timeout;
        self.on(address, |connection| connection.call(up_to, patience, make))
    }

    /// Does something on the connection to `address`, which is forgotten when it turns out to be of no use any more.
    ///
    /// # Errors
    /// When there is no connection, or what is done fails.
    pub fn on<T>(
        &mut self,
        address: &str,
        act: impl FnOnce(&mut Connection) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let result = self.connection(address).and_then(act);
        if result.as_ref().is_err_and(ClientError::ends_connection) {
            self.open.remove(address);
        }
        result
    }

    /// HOST:PORT of a bootstrap server that answers.
    ///
    /// # Errors
    /// That of the last one, when none does.
    pub fn any(&mut self) -> Result<String, ClientError> {
        let count = self.config.bootstrap.len();
        let mut result = Err(ClientError::Bootstrap(String::new()));
        for at in (self.first..self.first + count).map(|at| at % count) {
            let address = self.config.bootstrap[at].clone();
            match self.connection(&address) {
                Ok(_) => {
                    self.first = at;
                    return Ok(address);
                }
                Err(error) => result = Err(error),
            }
        }
        result
    }

    /// Asks one of the bootstrap servers once.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask<R: Request>(
        &mut self,
        up_to: i16,
        make: impl FnOnce(i16) -> R,
    ) -> Result<R::Response, ClientError> {
        let address = self.any()?;
        self.call(&address, up_to, make)
    }

    /// Asks a node that the metadata named, once.
    ///
    /// # Errors
    /// When there is no answer, or no such node.
    pub fn ask_node<R: Request>(
        &mut self,
        node: i32,
        up_to: i16,
        make: impl FnOnce(i16) -> R,
    ) -> Result<R::Response, ClientError> {
        let address = self.address_of(node)?;
        self.call(&address, up_to, make)
    }

    /// HOST:PORT of a node that the metadata named.
    ///
    /// # Errors
    /// When it did not.
    pub fn address_of(&self, node: i32) -> Result<String, ClientError> {
        let address = self.nodes.get(&node).cloned();
        address.ok_or_else(|| ClientError::Lost(format!("the broker does not say where node {node} is")))
    }

    /// Topics by name (all for `None`) and nodes, and remembers where the nodes are. Creates no topic unless `create`.
    /// Errors of single topics are left in the answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn metadata(
        &mut self,
        topics: Option<&[&str]>,
        create: bool,
    ) -> Result<MetadataResponse, ClientError> {
        let named = |name: &&str| MetadataRequestTopic {
            name: Some((*name).to_owned().into()),
            ..MetadataRequestTopic::default()
        };
        let answer = self.ask(LATEST, |_| MetadataRequest {
            topics: topics.map(|topics| topics.iter().map(named).collect()),
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        })?;
        ClientError::of(answer.error_code, None)?;
        self.nodes =
            (answer.brokers.iter()).map(|node| (node.node_id, address(&node.host, node.port))).collect();
        Ok(answer)
    }

    /// HOST:PORT of the coordinator of a group, asked for once, and its node.
    ///
    /// # Errors
    /// When there is none (yet).
    pub fn coordinator(&mut self, group: &str) -> Result<(i32, String), ClientError> {
        let key: StrBytes = group.to_owned().into();
        let answer = self.ask(LATEST, |version| match version {
            ..4 => FindCoordinatorRequest { key, ..FindCoordinatorRequest::default() },
            4.. => {
                FindCoordinatorRequest { coordinator_keys: vec![key], ..FindCoordinatorRequest::default() }
            }
        })?;
        if let Some(found) = answer.coordinators.first() {
            ClientError::of(found.error_code, found.error_message.as_deref())?;
            return Ok((found.node_id, address(&found.host, found.port)));
        }
        ClientError::of(answer.error_code, answer.error_message.as_deref())?;
        Ok((answer.node_id, address(&answer.host, answer.port)))
    }
}

fn address(host: &str, port: i32) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bootstrap_servers_are_separated_by_commas() {
        let config = Config::new("a:1, b.example:9092,[::1]:3,", "x").unwrap();
        assert_eq!(config.bootstrap, ["a:1", "b.example:9092", "[::1]:3"]);
        for wrong in ["", ",", "a", "a:", ":1", "a:70000", "[::1:3", "a:b"] {
            assert!(matches!(Config::new(wrong, "x"), Err(ClientError::Bootstrap(_))), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_written_as_it_is_read() {
        assert_eq!(address("::1", 9), "[::1]:9");
        assert_eq!(address("host", 9), "host:9");
    }

    #[test]
    fn what_does_not_get_better_is_not_tried_again() {
        let mut client = Client::new(Config::new("localhost:1", "x").unwrap());
        let mut attempts = 0;
        let refused = client.persist(|_| {
            attempts += 1;
            ClientError::of(if attempts < 3 { 14 } else { 42 }, Some("no"))
        });
        assert_eq!((attempts, refused.unwrap_err().to_string().as_str()), (3, "no"));
    }
}
