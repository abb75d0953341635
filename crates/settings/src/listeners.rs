//! `listeners` and `advertised.listeners`: endpoints as text (Kafka: `EndPoint`, `KafkaConfig.validateValues`).

use std::fmt;

use crate::error::SettingError;
use crate::settings::bad;

/// One listener, or where it is advertised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name, in upper case.
    pub name: String,
    /// Host name or address, an IPv6 address without its brackets; empty: every interface.
    pub host: String,
    /// 0: any free port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, host, port } = self;
        if host.contains(':') {
            write!(f, "{name}://[{host}]:{port}")
        } else {
            write!(f, "{name}://{host}:{port}")
        }
    }
}

/// Splits `HOST:PORT`; an IPv6 address stands in brackets (or bare, before the last colon, as Kafka takes it).
/// `None` when it is not of that form.
#[must_use]
pub fn parse_host_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|_| port.bytes().all(|b| b.is_ascii_digit()))?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None => host,
    };
    host.bytes().all(fits_host).then(|| (host.to_owned(), port))
}

/// Whether a byte may stand in the name or address of a host (Kafka: `Utils.validHostPattern`).
pub(crate) const fn fits_host(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'%' | b'.' | b'_' | b':')
}

/// The endpoints of a list of `NAME://HOST:PORT`, with names unlike.
pub(crate) fn parse(key: &str, entries: &[String]) -> Result<Vec<Endpoint>, SettingError> {
    let refuse = |allowed: &str| Err(bad(key, &entries.join(","), allowed.to_owned()));
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for entry in entries {
        let parsed = entry.split_once("://").and_then(|(name, rest)| Some((name, parse_host_port(rest)?)));
        let Some((name, (host, port))) = parsed.filter(|(name, _)| !name.is_empty() && !name.contains(':'))
        else {
            return refuse("must be a list, with commas, of NAME://HOST:PORT with ports from 0 to 65535");
        };
        endpoints.push(Endpoint { name: name.to_ascii_uppercase(), host, port });
    }
    if endpoints.is_empty() {
        return refuse("must name at least one listener, as NAME://HOST:PORT");
    }
    Ok(endpoints)
}

/// Listeners do not share a name, or a port, except an IPv4 and an IPv6 address of one port.
pub(crate) fn check_ports(endpoints: &[Endpoint]) -> Result<(), SettingError> {
    for (at, one) in endpoints.iter().enumerate() {
        for other in &endpoints[at + 1..] {
            let both_families = is_address_pair(&one.host, &other.host);
            if one.name == other.name {
                return Err(bad(
                    "listeners",
                    &format!("{one},{other}"),
                    format!("must not name the listener {} twice", one.name),
                ));
            }
            if one.port == other.port && one.port != 0 && !both_families {
                return Err(bad(
                    "listeners",
                    &format!("{one},{other}"),
                    format!("must not use port {} twice", one.port),
                ));
            }
        }
    }
    Ok(())
}

fn is_address_pair(one: &str, other: &str) -> bool {
    use std::net::{Ipv4Addr, Ipv6Addr};
    let pair = |a: &str, b: &str| a.parse::<Ipv4Addr>().is_ok() && b.parse::<Ipv6Addr>().is_ok();
    pair(one, other) || pair(other, one)
}

/// What a listener can speak, in Kafka.
pub(crate) const PROTOCOLS: &[&str] = &["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// Each listener's protocol is PLAINTEXT: by its entry in `map`, or by its own name when there is no map, in which case
/// those of `controllers` need no name of a protocol.
pub(crate) fn check_protocols(
    endpoints: &[Endpoint],
    map: Option<&[String]>,
    controllers: &[String],
) -> Result<(), SettingError> {
    const KEY: &str = "listener.security.protocol.map";
    let mut protocols: Vec<(String, String)> = Vec::new();
    for entry in map.unwrap_or_default() {
        let Some((name, protocol)) = entry.rsplit_once(':').filter(|(name, _)| !name.is_empty()) else {
            return Err(bad(KEY, entry, "must be a list, with commas, of NAME:PROTOCOL".to_owned()));
        };
        let protocol = protocol.to_ascii_uppercase();
        if !PROTOCOLS.contains(&protocol.as_str()) {
            return Err(bad(KEY, entry, format!("the protocol must be one of: {}", PROTOCOLS.join(", "))));
        }
        protocols.push((name.to_ascii_uppercase(), protocol));
    }
    for Endpoint { name, .. } in endpoints {
        if map.is_none() && controllers.contains(name) && !PROTOCOLS.contains(&name.as_str()) {
            continue;
        }
        let mapped = protocols.iter().find(|(known, _)| known == name).map(|(_, protocol)| protocol.as_str());
        let protocol = if map.is_some() { mapped } else { Some(name.as_str()) };
        match protocol {
            Some("PLAINTEXT") => {}
            Some(protocol @ ("SSL" | "SASL_PLAINTEXT" | "SASL_SSL")) => {
                return Err(SettingError::Conflict(format!(
                    "listener {name} of `listeners` asks for {protocol}, which is not built; PLAINTEXT is the only protocol"
                )));
            }
            Some(_) | None => {
                return Err(SettingError::Conflict(format!(
                    "listener {name} of `listeners` has no protocol: add {name}:PLAINTEXT to `{KEY}`, or name it PLAINTEXT"
                )));
            }
        }
    }
    Ok(())
}

/// The endpoints of `advertised.listeners`.
pub(crate) fn advertised(listeners: &[Endpoint], entries: &[String]) -> Result<Vec<Endpoint>, SettingError> {
    const KEY: &str = "advertised.listeners";
    let endpoints = parse(KEY, entries)?;
    for endpoint in &endpoints {
        if !listeners.iter().any(|listener| listener.name == endpoint.name) {
            return Err(bad(KEY, &endpoint.to_string(), format!("`listeners` has no {}", endpoint.name)));
        }
        if is_everywhere(&endpoint.host) {
            let allowed = "must be an address that clients can connect to".to_owned();
            return Err(bad(KEY, &endpoint.to_string(), allowed));
        }
    }
    Ok(endpoints)
}

/// What is advertised when nobody says: the listeners themselves.
pub(crate) fn advertised_as_listened(listeners: Vec<Endpoint>) -> Result<Vec<Endpoint>, SettingError> {
    match listeners.iter().find(|listener| is_everywhere(&listener.host)) {
        Some(listener) => Err(SettingError::Conflict(format!(
            "{listener} of `listeners` is every interface, so clients must be told where to connect: give `--advertise \
             HOST:PORT` or `advertised.listeners`"
        ))),
        None => Ok(listeners),
    }
}

/// Addresses that mean "all of mine" to a server and nothing to a client.
fn is_everywhere(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified())
}
