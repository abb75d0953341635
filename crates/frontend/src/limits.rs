//! What connections may take, with the names it is configured by.

use std::time::Duration;

use settings::Settings;

/// What connections may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest frame in bytes (`socket.request.max.bytes`).
    pub request_bytes: usize,
    /// Connections at a time (`max.connections`).
    pub connections: usize,
    /// Connections at a time from one address (`max.connections.per.ip`).
    pub connections_per_ip: usize,
    /// The same for single hosts, names or addresses (`max.connections.per.ip.overrides`).
    pub connections_of_hosts: Vec<(String, usize)>,
    /// How long a connection may be silent; `None`: for ever (`connections.max.idle.ms`).
    pub idle: Option<Duration>,
    /// Requests of one connection in work at a time (`queued.max.requests`).
    pub requests_in_work: usize,
    /// Bytes of all requests in work; `None`: no limit (`queued.max.request.bytes`).
    pub request_memory: Option<u64>,
    /// `SO_SNDBUF`; `None`: as the kernel likes (`socket.send.buffer.bytes`).
    pub send_buffer: Option<usize>,
    /// How long a frame may take to arrive whole when others wait for the memory it holds.
    pub frame_time: Duration,
    /// How long a frame that has stopped arriving keeps the memory that others wait for.
    pub stagnant_time: Duration,
}

impl Limits {
    /// The limits that `settings` name.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let count = |number: i32| usize::try_from(number).unwrap_or(0);
        Self {
            request_bytes: count(settings.socket_request_max_bytes()),
            connections: count(settings.max_connections()),
            connections_per_ip: count(settings.max_connections_per_ip()),
            // Checked with the rest of the settings.
            connections_of_hosts: settings.max_connections_per_ip_overrides().unwrap_or_default(),
            idle: u64::try_from(settings.connections_max_idle_ms()).ok().map(Duration::from_millis),
            requests_in_work: count(settings.queued_max_requests()),
            request_memory: settings.queued_max_request_bytes(),
            send_buffer: usize::try_from(settings.socket_send_buffer_bytes()).ok(),
            frame_time: FRAME_TIME,
            stagnant_time: STAGNANT_TIME,
        }
    }
}

/// The time after which a client of Kafka gives up on a request (`request.timeout.ms` of its producer): nobody waits
/// for the answer to a frame that took longer.
const FRAME_TIME: Duration = Duration::from_secs(30);
/// Longer than a lost packet takes to come again.
const STAGNANT_TIME: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_come_from_the_settings() {
        let mut settings = Settings::default();
        let limits = Limits::new(&settings);
        assert_eq!(limits.request_bytes, 104_857_600);
        assert_eq!(limits.idle, Some(Duration::from_secs(600)));
        assert_eq!(limits.request_memory, Some(268_435_456));
        for (key, value) in [("connections.max.idle.ms", "-1"), ("socket.send.buffer.bytes", "-1")] {
            settings.set(key, value).expect("allowed");
        }
        let limits = Limits::new(&settings);
        assert_eq!((limits.idle, limits.send_buffer), (None, None));
    }
}
