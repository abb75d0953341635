//! GetTelemetrySubscriptions (key 71): which metrics a client is to push (KIP-714).

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Asks for it.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(
    request = GetTelemetrySubscriptions,
    response = GetTelemetrySubscriptionsResponse,
    versions = "0",
    flexible = "0+"
)]
pub struct GetTelemetrySubscriptionsRequest {
    /// The client's instance id; zero when it has none yet.
    pub client_instance_id: Uuid,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = GetTelemetrySubscriptions, versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// The client's instance id, given to it now or before.
    pub client_instance_id: Uuid,
    /// The number of the subscription, which a push repeats.
    pub subscription_id: i32,
    /// The codecs that a push may be compressed with, the best one first.
    pub accepted_compression_types: Vec<i8>,
    /// Milliseconds between two pushes.
    pub push_interval_ms: i32,
    /// Most bytes of metrics in a push, compressed.
    pub telemetry_max_bytes: i32,
    /// Whether counters tell what came since the last push, instead of everything since the start.
    pub delta_temporality: bool,
    /// Prefixes of the metrics' names; one `*`: all metrics; none: no metrics.
    pub requested_metrics: Vec<StrBytes>,
}
