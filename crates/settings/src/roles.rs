//! A node that is broker and controller in one: what Kafka asks of its settings (Kafka: `KafkaConfig.validateValues`,
//! `QuorumConfig`).
//!
//! Who says nothing of roles gets them both, and need say nothing of controllers either. Who sets `process.roles` has a
//! configuration of Kafka's, and whatever would keep Kafka from starting with it is refused.

use crate::error::SettingError;
use crate::listeners::{Endpoint, parse_host_port};
use crate::settings::{Settings, bad};
use crate::value::filled_items;

impl Settings {
    /// The number of this node: `node.id`, or `broker.id`, its older name.
    #[must_use]
    pub fn node_id(&self) -> i32 {
        match self.broker_id() {
            Some(id) if self.given("node.id").is_none() => id,
            _ => self.node_id_given(),
        }
    }

    /// The names in `listeners` that are for controllers.
    #[must_use]
    pub fn controller_listener_names(&self) -> Vec<String> {
        self.controller_listener_names_text().map_or_else(Vec::new, |text| filled_items(&text))
    }

    /// Where other nodes are told that the controller is: this node's entry in `controller.quorum.voters`, else the first
    /// of `controller.quorum.bootstrap.servers`.
    #[must_use]
    pub fn controller_address(&self) -> Option<(String, u16)> {
        let voter = self.controller_quorum_voters().first().and_then(|voter| parse_voter(voter));
        let server =
            || self.controller_quorum_bootstrap_servers().first().and_then(|text| parse_host_port(text));
        voter.map(|(_, address)| address).or_else(server)
    }

    /// Checks roles, ids and the quorum; listeners are checked elsewhere.
    pub(crate) fn check_roles(&self) -> Result<(), SettingError> {
        let is_kafkas = self.given("process.roles").is_some();
        let mut roles = self.process_roles();
        roles.sort_unstable();
        if roles != ["broker", "controller"] {
            let given = self.given("process.roles").unwrap_or_default();
            let allowed =
                "must be broker,controller: Ottla is both in one process, and the only node".to_owned();
            return Err(bad("process.roles", given, allowed));
        }
        let node = self.node_id_given();
        if let Some(broker) = self.broker_id().filter(|id| *id != node && self.given("node.id").is_some()) {
            return Err(SettingError::Conflict(format!(
                "`node.id` ({node}) and `broker.id` ({broker}) are two names of one number, and must be the same"
            )));
        }
        if is_kafkas && self.given("node.id").is_none() && self.broker_id().is_none() {
            return Err(SettingError::Conflict(
                "`process.roles` is set, so `node.id` must be set too".to_owned(),
            ));
        }
        self.check_quorum(is_kafkas)
    }

    fn check_quorum(&self, is_kafkas: bool) -> Result<(), SettingError> {
        const VOTERS: &str = "controller.quorum.voters";
        const SERVERS: &str = "controller.quorum.bootstrap.servers";
        let (voters, servers) = (self.controller_quorum_voters(), self.controller_quorum_bootstrap_servers());
        let node = self.node_id();
        let mut ids = Vec::new();
        for voter in &voters {
            match parse_voter(voter) {
                Some((id, (host, _))) if host != "0.0.0.0" => ids.push(id),
                _ => {
                    return Err(bad(
                        VOTERS,
                        voter,
                        "must be a list, with commas, of ID@HOST:PORT".to_owned(),
                    ));
                }
            }
        }
        if !ids.is_empty() && !ids.contains(&node) {
            let allowed = format!("must name this node, whose `node.id` is {node}");
            return Err(bad(VOTERS, &voters.join(","), allowed));
        }
        if ids.len() > 1 {
            let allowed = "must name one voter: Ottla is the only node of its cluster".to_owned();
            return Err(bad(VOTERS, &voters.join(","), allowed));
        }
        if let Some(server) = servers.iter().find(|server| parse_host_port(server).is_none()) {
            return Err(bad(SERVERS, server, "must be a list, with commas, of HOST:PORT".to_owned()));
        }
        if is_kafkas && voters.is_empty() && servers.is_empty() {
            return Err(SettingError::Conflict(format!(
                "`process.roles` is set, so `{VOTERS}` or `{SERVERS}` must say where the controller is"
            )));
        }
        Ok(())
    }

    /// Checks which listeners are for whom, of all those in `listeners`.
    pub(crate) fn check_listener_roles(&self, all: &[Endpoint]) -> Result<(), SettingError> {
        const CONTROLLERS: &str = "controller.listener.names";
        let is_kafkas = self.given("process.roles").is_some();
        let controllers = self.controller_listener_names();
        let names = || all.iter().map(|endpoint| endpoint.name.as_str()).collect::<Vec<_>>().join(", ");
        if is_kafkas && controllers.is_empty() {
            return Err(SettingError::Conflict(format!(
                "`process.roles` is set, so `{CONTROLLERS}` must name the one of `listeners` that is for controllers"
            )));
        }
        if let Some(stranger) = controllers.iter().find(|name| all.iter().all(|known| known.name != **name)) {
            let allowed = format!("must be of `listeners`, which names {}", names());
            return Err(bad(CONTROLLERS, stranger, allowed));
        }
        if all.iter().all(|endpoint| controllers.contains(&endpoint.name)) {
            return Err(SettingError::Conflict(format!(
                "all of `listeners` are for controllers, by `{CONTROLLERS}`; clients need one too"
            )));
        }
        Ok(())
    }

    /// Checks the listener that other brokers would use, of those that are advertised.
    pub(crate) fn check_inter_broker(&self, advertised: &[Endpoint]) -> Result<(), SettingError> {
        const NAME: &str = "inter.broker.listener.name";
        const PROTOCOL: &str = "security.inter.broker.protocol";
        let names =
            || advertised.iter().map(|endpoint| endpoint.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(name) = self.inter_broker_listener_name() {
            if self.given(PROTOCOL).is_some() {
                return Err(SettingError::Conflict(format!(
                    "only one of `{NAME}` and `{PROTOCOL}` can be set"
                )));
            }
            if advertised.iter().all(|endpoint| !endpoint.name.eq_ignore_ascii_case(&name)) {
                let allowed = format!("must be advertised to clients, as are: {}", names());
                return Err(bad(NAME, &name, allowed));
            }
            return Ok(());
        }
        let protocol = self.security_inter_broker_protocol();
        let is_asked_for = self.given("process.roles").is_some() || self.given(PROTOCOL).is_some();
        if is_asked_for && advertised.iter().all(|endpoint| endpoint.name != protocol) {
            return Err(SettingError::Conflict(format!(
                "no listener has the name {protocol}, so `{NAME}` must name one of: {}",
                names()
            )));
        }
        Ok(())
    }
}

/// An entry of `controller.quorum.voters`.
fn parse_voter(text: &str) -> Option<(i32, (String, u16))> {
    let (id, address) = text.split_once('@')?;
    let address = parse_host_port(address).filter(|(host, _)| !host.is_empty())?;
    Some((id.parse().ok().filter(|id| *id >= 0)?, address))
}
