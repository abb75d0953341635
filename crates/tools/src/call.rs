//! One call of a tool: what was asked, where to print, and how it can end.

use std::io::{BufRead, Write};
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client::{Client, ClientError, Code, Config};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::Manner;
use crate::options::Options;
use crate::properties::Properties;

/// How long a command of `ottla` goes on trying, where Kafka's tools take a minute.
const OUR_PATIENCE: Duration = Duration::from_secs(10);

/// A tool at work.
pub(crate) struct Call<'a> {
    pub(crate) options: Options,
    pub(crate) manner: Manner,
    pub(crate) input: Box<dyn BufRead + Send>,
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
}

/// Why a tool does not end with 0, or says nothing of its own.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `--help`.
    Help,
    /// `--version`.
    Version,
    /// The command line is wrong: told with the usage.
    Usage(String),
    /// Told on standard error.
    Told(String),
    /// The same.
    Client(ClientError),
    /// The tool has said why.
    Said,
    /// Nobody reads what the tool prints, or it cannot be written.
    Output(std::io::Error),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

/// Only what a tool prints is written.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

/// An error in the words of Kafka's tools: the class of the exception, and the broker's message.
pub(crate) fn named(error: &ClientError) -> String {
    match error.code() {
        Some(code) => format!("{}: {error}", exception(code)),
        None => error.to_string(),
    }
}

/// The class of the exception that a Java client makes of a code.
pub(crate) fn exception(code: Code) -> String {
    format!("org.apache.kafka.common.errors.{}", code.exception())
}

/// Whether the user wants the tool to end.
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Call<'_> {
    /// From now on SIGINT and SIGTERM ask the tool to end; the second one ends it at once.
    pub(crate) fn stop_on_signals(&self) -> Result<Stop, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
                .and_then(|_| flag::register(signal, Arc::clone(&stop)))
                .map_err(|error| Failure::Told(format!("cannot handle signal {signal}: {error}")))?;
        }
        Ok(Stop(stop))
    }

    /// A client as the flags want it; `file` names the flag for a file of properties.
    pub(crate) fn client(&self, client_id: &str, file: &str) -> Result<Client, Failure> {
        let properties = self.options.value(file)?.map(Properties::read).transpose()?.unwrap_or_default();
        self.client_with(client_id, &properties)
    }

    /// A client with these properties.
    pub(crate) fn client_with(&self, client_id: &str, properties: &Properties) -> Result<Client, Failure> {
        let servers = self.options.bootstrap()?;
        let mut config = Config::new(servers, properties.get("client.id").unwrap_or(client_id))?;
        if self.manner == Manner::Ours {
            config.api_timeout = OUR_PATIENCE;
        }
        config.tell = |error| {
            let _ = writeln!(std::io::stderr(), "{error}; trying again");
        };
        properties.apply(&mut config)?;
        config.bootstrap.retain(|server| {
            let is_known = has_address(server);
            if !is_known {
                let _ =
                    writeln!(std::io::stderr(), "Couldn't resolve server {server} from bootstrap.servers");
            }
            is_known
        });
        if config.bootstrap.is_empty() {
            let why = "No resolvable bootstrap urls given in bootstrap.servers";
            return Err(Failure::Told(why.to_owned()));
        }
        Ok(Client::new(config))
    }
}

/// Whether the host of HOST:PORT has an address now; a name that has none is not tried again (Kafka:
/// `ClientUtils.parseAndValidateAddresses`).
fn has_address(server: &str) -> bool {
    server.to_socket_addrs().is_ok_and(|mut addresses| addresses.next().is_some())
}
