//! The handlers through the room's public face: requests as wire structs, answers decoded, over a real catalogue in a
//! temporary directory.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod acks;
mod admin;
mod api_versions;
mod configs;
mod consumer_groups;
mod delete_records;
mod fetch;
mod groups;
mod house;
mod list_offsets;
mod loading;
mod metadata;
mod odd_requests;
mod produce;
mod producers;
mod quotas;
mod sessions;
mod telemetry;
mod topics;
