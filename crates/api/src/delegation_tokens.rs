//! Delegation tokens (keys 38 to 41, KIP-48). They are for clients that have shown who they are by other means; over a
//! listener where none can, each of the four requests is answered with DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, as Kafka does
//! whether or not it has tokens (`KafkaApis.allowTokenRequests`).

use bytes::Bytes;
use wire::StrBytes;
use wire::messages::create_delegation_token::{CreateDelegationTokenRequest, CreateDelegationTokenResponse};
use wire::messages::describe_delegation_token::{
    DescribeDelegationTokenRequest, DescribeDelegationTokenResponse,
};
use wire::messages::expire_delegation_token::{ExpireDelegationTokenRequest, ExpireDelegationTokenResponse};
use wire::messages::renew_delegation_token::{RenewDelegationTokenRequest, RenewDelegationTokenResponse};

use crate::answer::{Handled, body, ready};
use crate::broker::Request;
use crate::code::Code;

/// Who a client is that has not said so (Kafka: `KafkaPrincipal.ANONYMOUS`).
const ANONYMOUS: (&str, &str) = ("User", "ANONYMOUS");

/// Stands for a time that there is none of.
const NO_TIME: i64 = -1;

fn refused() -> i16 {
    Code::DelegationTokenRequestNotAllowed.into()
}

/// CreateDelegationToken: the answer names who would have owned the token.
pub(crate) fn create(request: &Request) -> Handled {
    let version = request.version();
    let asked: CreateDelegationTokenRequest = body(request)?;
    let anonymous = || (StrBytes::from_static(ANONYMOUS.0), StrBytes::from_static(ANONYMOUS.1));
    let owner = match (asked.owner_principal_type, asked.owner_principal_name) {
        (kind, Some(name)) if !name.is_empty() => (kind.unwrap_or_else(|| anonymous().0), name),
        _ => anonymous(),
    };
    let requester = if version >= 3 { anonymous() } else { Default::default() };
    let response = CreateDelegationTokenResponse {
        error_code: refused(),
        principal_type: owner.0,
        principal_name: owner.1,
        token_requester_principal_type: requester.0,
        token_requester_principal_name: requester.1,
        issue_timestamp_ms: NO_TIME,
        expiry_timestamp_ms: NO_TIME,
        max_timestamp_ms: NO_TIME,
        token_id: StrBytes::from_static(""),
        hmac: Bytes::new(),
        throttle_time_ms: 0,
    };
    ready(&response, version)
}

/// RenewDelegationToken.
pub(crate) fn renew(request: &Request) -> Handled {
    let _asked: RenewDelegationTokenRequest = body(request)?;
    let response = RenewDelegationTokenResponse {
        error_code: refused(),
        expiry_timestamp_ms: NO_TIME,
        ..RenewDelegationTokenResponse::default()
    };
    ready(&response, request.version())
}

/// ExpireDelegationToken.
pub(crate) fn expire(request: &Request) -> Handled {
    let _asked: ExpireDelegationTokenRequest = body(request)?;
    let response = ExpireDelegationTokenResponse {
        error_code: refused(),
        expiry_timestamp_ms: NO_TIME,
        ..ExpireDelegationTokenResponse::default()
    };
    ready(&response, request.version())
}

/// DescribeDelegationToken.
pub(crate) fn describe(request: &Request) -> Handled {
    let _asked: DescribeDelegationTokenRequest = body(request)?;
    let response = DescribeDelegationTokenResponse {
        error_code: refused(),
        ..DescribeDelegationTokenResponse::default()
    };
    ready(&response, request.version())
}
