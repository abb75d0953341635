//! `#[derive(Message)]`: a Kafka message schema as a plain struct.
//!
//! ```text
//! /// Asks for a producer id.
//! #[derive(Clone, Debug, PartialEq, Message)]
//! #[message(request = InitProducerId, response = InitProducerIdResponse, versions = "0-5", flexible = "2+")]
//! pub struct InitProducerIdRequest {
//!     #[field(default = null)]
//!     pub transactional_id: Option<StrBytes>,
//!     pub transaction_timeout_ms: i32,
//!     #[field(versions = "3+", default = -1)]
//!     pub producer_id: i64,
//! }
//! ```
//!
//! The struct gets `Default` (with the defaults of the schema), `wire::Field` and `wire::Nullable`; with a `#[message]`
//! attribute that says what it is, also `wire::Message`. A struct without one is a part of other messages and takes
//! version and flexibility from the message it stands in.
//!
//! # `#[message(...)]`, once per struct
//! - `request = Name, response = Type`: the request of API `Name` (a variant of `wire::ApiKey`), answered by `Type`.
//! - `response = Name`: the response of that API.
//! - `record = 3`: a metadata record of type 3; key or value of a coordinator's record of that type.
//! - `data`: any other schema, such as the content of a control record.
//! - `versions = "0-5"`: the versions that exist. Required.
//! - `flexible = "2+"`: from which version on lengths are compact and tagged fields exist (KIP-482); "none" if never.
//!   Required.
//! - `crate = path`: where the crate `wire` is, if it has another name; also for a struct that is only a part.
//!
//! # `#[field(...)]`, on a field
//! - `versions = "3+"`: where the field exists; everywhere if not said.
//! - `nullable = "10+"`: where an `Option` may be null; wherever it exists if not said.
//! - `default = -1`, `default = "text"`, `default = null`: the default, if it is not 0, false or empty. An `Option`
//!   has an empty default, not null, unless `default = null` says so: that is Kafka's rule.
//! - `tag = 0`: a tagged field, which is written only when it is not the default.
//! - `ignorable`: at a version without the field, a value other than the default is left out in silence. Without it,
//!   writing such a message fails.
//! - `name = "kRaftVersion"`: Kafka's spelling, if it is not the field's name in camelCase.

mod attributes;
mod expand;
mod versions;

use proc_macro::TokenStream;

/// See the documentation of this crate.
#[proc_macro_derive(Message, attributes(message, field))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    expand::message(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
