//! DescribeAcls (key 29), CreateAcls (key 30) and DeleteAcls (key 31): access rules (KIP-140). Without an authorizer there
//! are none, and the answer is SECURITY_DISABLED, as Kafka's.

use wire::messages::create_acls::{AclCreationResult, CreateAclsRequest, CreateAclsResponse};
use wire::messages::delete_acls::{DeleteAclsFilterResult, DeleteAclsRequest, DeleteAclsResponse};
use wire::messages::describe_acls::{DescribeAclsRequest, DescribeAclsResponse};

use crate::answer::{Handled, body, message, ready};
use crate::broker::{CloseReason, Request};
use crate::code::Code;

const NO_AUTHORIZER: &str = "this broker has no authorizer, and so no access rules";

/// Stands for a kind, pattern, operation or permission that the client itself does not know: no client sends it.
const UNKNOWN: i8 = 0;

/// DescribeAcls.
pub(crate) fn describe(request: &Request) -> Handled {
    let asked: DescribeAclsRequest = body(request)?;
    check(
        request,
        [asked.resource_type_filter, asked.pattern_type_filter, asked.operation, asked.permission_type],
    )?;
    let response = DescribeAclsResponse {
        error_code: Code::SecurityDisabled.into(),
        error_message: message(&NO_AUTHORIZER),
        ..DescribeAclsResponse::default()
    };
    ready(&response, request.version())
}

/// CreateAcls.
pub(crate) fn create(request: &Request) -> Handled {
    let asked: CreateAclsRequest = body(request)?;
    for rule in &asked.creations {
        check(
            request,
            [rule.resource_type, rule.resource_pattern_type, rule.operation, rule.permission_type],
        )?;
    }
    let refused = AclCreationResult {
        error_code: Code::SecurityDisabled.into(),
        error_message: message(&NO_AUTHORIZER),
    };
    let results = vec![refused; asked.creations.len()];
    ready(&CreateAclsResponse { results, ..CreateAclsResponse::default() }, request.version())
}

/// DeleteAcls.
pub(crate) fn delete(request: &Request) -> Handled {
    let asked: DeleteAclsRequest = body(request)?;
    for filter in &asked.filters {
        check(
            request,
            [
                filter.resource_type_filter,
                filter.pattern_type_filter,
                filter.operation,
                filter.permission_type,
            ],
        )?;
    }
    let refused = DeleteAclsFilterResult {
        error_code: Code::SecurityDisabled.into(),
        error_message: message(&NO_AUTHORIZER),
        ..DeleteAclsFilterResult::default()
    };
    let filter_results = vec![refused; asked.filters.len()];
    ready(&DeleteAclsResponse { filter_results, ..DeleteAclsResponse::default() }, request.version())
}

fn check(request: &Request, numbers: [i8; 4]) -> Result<(), CloseReason> {
    if numbers.contains(&UNKNOWN) {
        return Err(CloseReason::Senseless { key: request.header.api_key, version: request.version() });
    }
    Ok(())
}
