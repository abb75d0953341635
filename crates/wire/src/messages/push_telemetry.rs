//! PushTelemetry (key 72): a client's metrics (KIP-714).

use bytes::Bytes;
use uuid::Uuid;

use crate::Message;

/// Metrics.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = PushTelemetry, response = PushTelemetryResponse, versions = "0", flexible = "0+")]
pub struct PushTelemetryRequest {
    /// The client's instance id.
    pub client_instance_id: Uuid,
    /// The number of the subscription that they are pushed for.
    pub subscription_id: i32,
    /// Whether the client ends.
    pub terminating: bool,
    /// The codec that they are compressed with.
    pub compression_type: i8,
    /// The metrics, as OpenTelemetry's `MetricsData` (v1, protobuf).
    pub metrics: Bytes,
}

/// Whether they were taken.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = PushTelemetry, versions = "0", flexible = "0+")]
pub struct PushTelemetryResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
}
