//! Whose settings: a topic, a broker, all clients of a user and so on.

use std::fmt;
use std::net::ToSocketAddrs;

use crate::call::Failure;
use crate::options::Options;

/// What has settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Topic,
    Client,
    User,
    Broker,
    BrokerLogger,
    Ip,
    ClientMetrics,
    Group,
}

/// The flags that name one, in the order in which Kafka's tool looks for them.
const NAMED: [(&str, Kind); 8] = [
    ("topic", Kind::Topic),
    ("client", Kind::Client),
    ("user", Kind::User),
    ("broker", Kind::Broker),
    ("broker-logger", Kind::BrokerLogger),
    ("ip", Kind::Ip),
    ("client-metrics", Kind::ClientMetrics),
    ("group", Kind::Group),
];
/// Those that name the default.
const DEFAULTS: [(&str, Kind); 4] = [
    ("client-defaults", Kind::Client),
    ("user-defaults", Kind::User),
    ("broker-defaults", Kind::Broker),
    ("ip-defaults", Kind::Ip),
];
const BY_TYPE: [&str; 2] = ["entity-name", "entity-default"];

impl Kind {
    /// `--entity-type`, but for its last letter.
    pub(super) const fn singular(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Client => "client",
            Self::User => "user",
            Self::Broker => "broker",
            Self::BrokerLogger => "broker-logger",
            Self::Ip => "ip",
            // As Kafka's tool has it: the type is no plural, and loses its letter all the same.
            Self::ClientMetrics => "client-metric",
            Self::Group => "group",
        }
    }

    fn by_type(text: &str) -> Option<Self> {
        NAMED.into_iter().map(|(_, kind)| kind).find(|kind| kind.to_string() == text)
    }
}

/// `--entity-type`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.singular())
    }
}

/// What the flags name: one kind, or clients of users, each with a name, the empty one of the default, or none for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entity {
    parts: Vec<(Kind, Option<String>)>,
}

impl Entity {
    /// The first kind that is named.
    pub(super) fn kind(&self) -> Kind {
        self.parts[0].0
    }

    /// The name of the first kind.
    pub(super) fn name(&self) -> Option<&str> {
        self.parts[0].1.as_deref()
    }

    /// All kinds and their names.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Kind, Option<&str>)> {
        self.parts.iter().map(|(kind, name)| (*kind, name.as_deref()))
    }

    /// What the flags say, as Kafka's tool understands them.
    pub(super) fn chosen(options: &Options, alters: bool) -> Result<Self, Failure> {
        let told = |why: String| Err(Failure::Told(why));
        let mut kinds = Vec::new();
        for text in options.all("entity-type") {
            match Kind::by_type(text) {
                Some(kind) => kinds.push(kind),
                None => {
                    let all = NAMED.map(|(_, kind)| kind.to_string()).join(", ");
                    return told(format!("Invalid entity type {text}, the entity type must be one of {all}"));
                }
            }
        }
        let mut names: Vec<String> =
            (options.in_order(&BY_TYPE)).map(|(_, name)| name.unwrap_or_default().to_owned()).collect();
        let by_type = !kinds.is_empty() || !names.is_empty();
        for (flag, kind) in NAMED {
            if let Some(name) = options.value(flag)? {
                kinds.push(kind);
                names.push(name.to_owned());
            }
        }
        for (flag, kind) in DEFAULTS {
            if options.has(flag) {
                kinds.push(kind);
                names.push(String::new());
            }
        }
        if by_type && kinds.len() > options.all("entity-type").count() {
            return told(
                "--entity-{type,name,default} should not be used in conjunction with specific entity flags"
                    .to_owned(),
            );
        }
        if let Some(twice) = kinds.iter().enumerate().find(|(at, kind)| kinds[..*at].contains(kind)) {
            return told(format!("Duplicate entity type(s) specified: {}", twice.1));
        }
        match kinds[..] {
            [] => return told("At least one entity type must be specified".to_owned()),
            [_] | [Kind::User, Kind::Client] | [Kind::Client, Kind::User] => {}
            _ => return told("Only 'users' and 'clients' entity types may be specified together".to_owned()),
        }
        if names.len() > kinds.len() {
            return told("More entity names specified than entity types".to_owned());
        }
        if alters && names.len() < kinds.len() {
            return told("An entity name must be specified for every entity type".to_owned());
        }
        let names = names.into_iter().map(Some).chain(std::iter::repeat(None));
        let entity = Self { parts: kinds.into_iter().zip(names).collect() };
        entity.parts().try_for_each(|(kind, name)| check(kind, name))?;
        Ok(entity)
    }
}

/// Whether such a name can be.
fn check(kind: Kind, name: Option<&str>) -> Result<(), Failure> {
    let told = |why: String| Err(Failure::Told(why));
    match (kind, name) {
        (Kind::BrokerLogger, None | Some("")) => {
            told("An entity name must be specified with --describe of broker-loggers".to_owned())
        }
        (Kind::Topic | Kind::ClientMetrics | Kind::Group, Some("")) => {
            told(format!("{kind} have no default entity: an entity name must be specified"))
        }
        (Kind::Broker | Kind::BrokerLogger, Some(name))
            if !name.is_empty() && name.parse::<i32>().is_err() =>
        {
            told(format!("The entity name for {kind} must be a valid integer broker id, but it is: {name}"))
        }
        (Kind::Ip, Some(name)) if !name.is_empty() && (name, 0).to_socket_addrs().is_err() => told(format!(
            "The entity name for {kind} must be a valid IP or resolvable host, but it is: {name}"
        )),
        (Kind::Topic, Some(name)) if !is_topic(name) => told(format!("Topic name is invalid: {name}")),
        _ => Ok(()),
    }
}

/// Whether a topic can have this name (Kafka: `Topic.validate`).
fn is_topic(name: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=249).contains(&name.len()) && !matches!(name, "." | "..") && name.bytes().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manner;

    fn chosen(line: &str, alters: bool) -> Result<Vec<(Kind, Option<String>)>, String> {
        let words = line.split_whitespace().map(str::to_owned).collect();
        let options = Options::parse(&super::super::DECLARATION, "x", Manner::Kafkas, words).unwrap();
        match Entity::chosen(&options, alters) {
            Ok(entity) => Ok(entity.parts),
            Err(Failure::Told(why)) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_belong_to_types_in_their_order() {
        let part = |kind, name: &str| (kind, Some(name.to_owned()));
        let types = "--entity-type users --entity-type clients";
        assert_eq!(
            chosen(&format!("{types} --entity-name u --entity-default"), true),
            Ok(vec![part(Kind::User, "u"), part(Kind::Client, "")])
        );
        assert_eq!(
            chosen(&format!("--entity-default {types} --entity-name c"), true),
            Ok(vec![part(Kind::User, ""), part(Kind::Client, "c")])
        );
        assert_eq!(chosen(types, false), Ok(vec![(Kind::User, None), (Kind::Client, None)]));
        assert!(chosen(&format!("{types} --entity-name u"), true).unwrap_err().contains("every entity type"));
        assert_eq!(
            chosen("--user u --client-defaults", true),
            Ok(vec![part(Kind::User, "u"), part(Kind::Client, "")])
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (line, why) in [
            ("--user u --topic t", "together"),
            ("--entity-type users --client c", "conjunction"),
            ("--entity-type users --entity-type users", "Duplicate"),
            ("--entity-type tables", "tables"),
            ("--entity-type users --entity-name a --entity-name b", "More entity names"),
            ("--topic a/b", "a/b"),
            ("--broker one", "one"),
            ("--entity-type topics --entity-default", "topics"),
            ("--entity-type broker-loggers", "broker-loggers"),
            ("--describe", "At least one"),
        ] {
            assert!(chosen(line, false).unwrap_err().contains(why), "{line}");
        }
    }
}
