//! Quotas of clients: what there is of them, and altering it.

pub(crate) mod alter_client_quotas;
pub(crate) mod describe_client_quotas;
