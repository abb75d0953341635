//! Whether a broker answers: for a container's HEALTHCHECK.

use std::io::{self, Write};
use std::time::Duration;

use client::{Client, ClientError, Config};

/// Connects to `servers` (HOST:PORT, several separated by commas) and asks for the versions of the APIs. Prints one line:
/// which broker answers on `out`, or why none does on `err`. Gives the exit code, 0 or 1. It tries once, for `patience`
/// at most: whoever runs health checks tries again by himself.
///
/// # Errors
/// When the line cannot be written.
pub fn health(servers: &str, patience: Duration, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    match answers(servers, patience) {
        Ok(address) => writeln!(out, "{address} answers").map(|()| 0),
        Err(error) => writeln!(err, "{error}").map(|()| 1),
    }
}

fn answers(servers: &str, patience: Duration) -> Result<String, ClientError> {
    let config = Config { request_timeout: patience, ..Config::new(servers, "ottla-health")? };
    Client::new(config).any()
}
