//! The configurations that are changed while the broker runs, and the rules by which they are (Kafka:
//! `ConfigAdminManager`, `ConfigurationControlManager`).
//!
//! [`alter`] judges the wishes of one AlterConfigs or IncrementalAlterConfigs request and answers with [`Record`]s; it
//! changes nothing. [`Configs::apply`] is the only way the image changes, for a fresh decision as for a replay of the
//! metadata log. Which keys there are, and what values they take, comes in through [`Known`]: the rules know no key but
//! `min.insync.replicas`. The configurations of topics live with the topics ([`crate::topics`]), from where they go when
//! their topic does.

mod decide;
mod image;
mod refusal;

pub use decide::{Alteration, Change, Known, Operation, alter};
pub use image::{Configs, Record, Resource, ResourceType};
pub use refusal::Refusal;

#[cfg(test)]
mod tests;
