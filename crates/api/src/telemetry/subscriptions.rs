//! The subscriptions as clients are held against them: read from the configurations, each once for as long as it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::{Resource, ResourceType};
use state_machines::configs::Configs;
use state_machines::telemetry::{Budget, Subscription};

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// The configurations that they were read from.
    seen: Configs,
    /// By name; `None`: left out.
    read: BTreeMap<String, Option<Arc<Subscription>>>,
}

impl Subscriptions {
    /// Reads what is new in `configs`. `None`: they say what they said before.
    pub(super) fn follow(&mut self, configs: Configs) -> Option<Vec<Arc<Subscription>>> {
        if configs.is_same(&self.seen) {
            return None;
        }
        let seen = std::mem::replace(&mut self.seen, configs);
        let now = || self.seen.of_type(ResourceType::ClientMetrics);
        if now().eq(seen.of_type(ResourceType::ClientMetrics)) {
            return None;
        }
        let mut before = std::mem::take(&mut self.read);
        let mut budget = Budget::default();
        for (name, configs) in now() {
            let has_room = budget.take(name, configs);
            let known = before
                .remove(name)
                .filter(|_| seen.get(&Resource::new(ResourceType::ClientMetrics, name)) == Some(configs));
            // One that was left out may have room now.
            let read = match known.flatten().filter(|_| has_room) {
                Some(known) => Some(known),
                None => read(name, configs, has_room),
            };
            self.read.insert(name.to_owned(), read);
        }
        Some(self.read.values().flatten().cloned().collect())
    }
}

/// What is left out is what another broker has stored: what is set here is checked.
fn read(name: &str, configs: &BTreeMap<String, String>, has_room: bool) -> Option<Arc<Subscription>> {
    let read = if has_room { Subscription::read(configs) } else { Err("there are too many".to_owned()) };
    read.inspect_err(|why| tracing::warn!(name, "the subscription to client metrics is left out: {why}"))
        .ok()
        .map(Arc::new)
}

#[cfg(test)]
mod tests {
    use state_machines::configs::Record;
    use state_machines::telemetry::MOST_PATTERNS;

    use super::*;

    fn set(configs: &mut Configs, kind: ResourceType, name: &str, key: &str, value: Option<&str>) {
        let record = Record {
            resource: Resource::new(kind, name),
            key: key.to_owned(),
            value: value.map(str::to_owned),
        };
        configs.apply(&record);
    }

    fn one(configs: &mut Configs, name: &str, value: Option<&str>) {
        set(configs, ResourceType::ClientMetrics, name, "match", value);
    }

    #[test]
    fn what_stays_is_not_read_again() {
        let mut configs = Configs::default();
        let mut subscriptions = Subscriptions::default();
        assert!(subscriptions.follow(configs.clone()).is_none());
        one(&mut configs, "a", Some("client_id=a"));
        one(&mut configs, "b", Some("client_id=b"));
        let first = subscriptions.follow(configs.clone()).expect("news");
        assert_eq!(first.len(), 2);

        assert!(subscriptions.follow(configs.clone()).is_none());
        set(&mut configs, ResourceType::Group, "g", "consumer.session.timeout.ms", Some("50000"));
        assert!(subscriptions.follow(configs.clone()).is_none(), "it is no subscription");

        one(&mut configs, "b", Some("client_id=c"));
        let second = subscriptions.follow(configs.clone()).expect("news");
        assert!(Arc::ptr_eq(&first[0], &second[0]) && !Arc::ptr_eq(&first[1], &second[1]));
        one(&mut configs, "a", None);
        let third = subscriptions.follow(configs).expect("news");
        assert!(third.len() == 1 && Arc::ptr_eq(&second[1], &third[0]));
    }

    #[test]
    fn what_another_broker_stored_has_the_same_limits() {
        let mut configs = Configs::default();
        let mut subscriptions = Subscriptions::default();
        one(&mut configs, "a", Some("client_id=("));
        one(&mut configs, "b", Some("client_id=((a{50}){50}){6}"));
        (0..MOST_PATTERNS).for_each(|at| one(&mut configs, &format!("c{at}"), Some("client_id=c")));
        let read = subscriptions.follow(configs.clone()).expect("news").len();
        assert_eq!(read, MOST_PATTERNS - 2, "two that are none, and two without room");
        one(&mut configs, "a", None);
        one(&mut configs, "b", None);
        assert_eq!(subscriptions.follow(configs).expect("news").len(), MOST_PATTERNS);
    }
}
