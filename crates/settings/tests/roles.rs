//! What keeps Kafka from starting a node in both roles is refused; who says nothing of roles need say nothing else.

use settings::{SettingError, Settings, Source};

/// The least that Kafka starts with.
const SOUND: [(&str, &str); 5] = [
    ("process.roles", "broker,controller"),
    ("node.id", "1"),
    ("controller.quorum.voters", "1@localhost:9093"),
    ("controller.listener.names", "CONTROLLER"),
    ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
];

/// [`SOUND`] with some keys given otherwise, or (empty) not at all.
fn changed(pairs: &[(&str, &str)]) -> Result<Settings, SettingError> {
    let mut settings = Settings::default();
    let kept = SOUND.iter().filter(|(key, _)| pairs.iter().all(|(other, _)| other != key));
    for (key, value) in kept.chain(pairs.iter().filter(|(_, value)| !value.is_empty())) {
        settings.set(key, value)?;
    }
    settings.check()?;
    Ok(settings)
}

#[test]
fn a_node_in_both_roles_is_sound() {
    let settings = changed(&[]).unwrap();
    assert_eq!(settings.listeners().unwrap()[0].to_string(), "PLAINTEXT://:9092");
    assert_eq!(settings.listeners().unwrap().len(), 1, "the controller's is not for clients");
    assert_eq!(settings.controller_listeners().unwrap()[0].to_string(), "CONTROLLER://:9093");
    assert_eq!(settings.controller_address(), Some(("localhost".to_owned(), 9093)));
    for pairs in [
        &[("process.roles", "controller, broker")][..],
        &[("controller.quorum.voters", ""), ("controller.quorum.bootstrap.servers", "localhost:9093")],
        &[("node.id", ""), ("broker.id", "1")],
        &[("node.id", "1"), ("broker.id", "1")],
        &[("advertised.listeners", "PLAINTEXT://localhost:9092")],
        &[("advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093")],
        &[("inter.broker.listener.name", "PLAINTEXT")],
        &[("log.dirs", "/data"), ("metadata.log.dir", "/data")],
    ] {
        changed(pairs).unwrap_or_else(|error| panic!("{pairs:?}: {error}"));
    }
}

#[test]
fn the_older_name_of_the_node_counts() {
    assert_eq!(changed(&[("node.id", ""), ("broker.id", "1")]).unwrap().node_id(), 1);
    let mut settings = Settings::default();
    settings.set("broker.id", "4").unwrap();
    assert_eq!(settings.node_id(), 4);
    let told = |settings: &Settings, name: &str| {
        let entry = settings.broker_entries().find(|entry| entry.key.name() == name).unwrap();
        (entry.value, entry.source)
    };
    let four = (Some("4".to_owned()), Source::Static);
    assert_eq!((told(&settings, "node.id"), told(&settings, "broker.id")), (four.clone(), four));
    let settings = changed(&[]).unwrap();
    let one = (Some("1".to_owned()), Source::Static);
    assert_eq!((told(&settings, "node.id"), told(&settings, "broker.id")), (one.clone(), one));
}

#[test]
fn what_keeps_kafka_from_starting_is_refused() {
    let two = "PLAINTEXT://:9092,OTHER://:9094,CONTROLLER://:9093";
    let map = "PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT,CONTROLLER:PLAINTEXT";
    let custom = [
        ("listeners", "IN://:9092,CONTROLLER://:9093"),
        ("listener.security.protocol.map", "IN:PLAINTEXT,CONTROLLER:PLAINTEXT"),
    ];
    for (pairs, word) in [
        (&[("process.roles", "broker")][..], "`process.roles` cannot be `broker`"),
        (&[("process.roles", "controller")], "must be broker,controller"),
        (&[("process.roles", "broker,broker,controller")], "must be broker,controller"),
        (&[("process.roles", "zookeeper")], "broker, controller"),
        (&[("node.id", "")], "`node.id` must be set"),
        (&[("broker.id", "2")], "`broker.id` (2)"),
        (&[("controller.quorum.voters", "")], "`controller.quorum.bootstrap.servers`"),
        (&[("controller.quorum.voters", "2@localhost:9093")], "`node.id` is 1"),
        (&[("controller.quorum.voters", "1@a:1,2@b:1,3@c:1")], "must name one voter"),
        (&[("controller.quorum.voters", "localhost:9093")], "ID@HOST:PORT"),
        (&[("controller.quorum.voters", "1@0.0.0.0:9093")], "ID@HOST:PORT"),
        (&[("controller.quorum.bootstrap.servers", "localhost")], "HOST:PORT"),
        (
            &[("controller.listener.names", ""), ("listener.security.protocol.map", map)],
            "`controller.listener.names` must name",
        ),
        (
            &[("controller.listener.names", "C"), ("listener.security.protocol.map", map)],
            "PLAINTEXT, CONTROLLER",
        ),
        (&[("controller.listener.names", "PLAINTEXT,CONTROLLER")], "clients need one too"),
        (&[("inter.broker.listener.name", "INSIDE")], "must be advertised"),
        (&[("inter.broker.listener.name", "CONTROLLER")], "must be advertised"),
        (
            &[("inter.broker.listener.name", "PLAINTEXT"), ("security.inter.broker.protocol", "PLAINTEXT")],
            "only one of",
        ),
        (&custom, "`inter.broker.listener.name` must name one of: IN"),
        (&[("security.inter.broker.protocol", "SSL")], "no listener has the name SSL"),
        (
            &[
                ("listeners", two),
                ("listener.security.protocol.map", map),
                ("inter.broker.listener.name", "OTHER"),
                ("advertised.listeners", "PLAINTEXT://localhost:9092"),
            ],
            "must be advertised",
        ),
        (&[("advertised.listeners", "CONTROLLER://localhost:9093")], "one of `listeners`"),
        (&[("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT")], "CONTROLLER:PLAINTEXT"),
        (&[("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:SSL")], "asks for SSL"),
        (&[("listener.security.protocol.map", "PLAINTEXT:TLS")], "SASL_PLAINTEXT"),
        (&[("log.dirs", "/a,/b")], "must be one directory"),
        (&[("log.dirs", "/a"), ("metadata.log.dir", "/b")], "`metadata.log.dir`"),
        (&[("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")], "let in"),
        (&[("remote.log.storage.system.enable", "true")], "tiered storage"),
    ] {
        let error = changed(pairs).expect_err(&format!("{pairs:?}")).to_string();
        assert!(error.contains(word), "{pairs:?}: {error}");
    }
}

#[test]
fn an_error_knows_where_the_keys_it_names_were_given() {
    let mut settings = Settings::default();
    let file = settings::Origin::File { path: "server.properties".into(), line: 7 };
    settings.set_from("node.id", "2", file).unwrap();
    settings.set("controller.quorum.voters", "1@localhost:9093").unwrap();
    let error = settings.check().unwrap_err();
    let origins: Vec<_> =
        settings.origins(&error).into_iter().map(|(key, at)| format!("{key} {at}")).collect();
    assert_eq!(origins, ["controller.quorum.voters --set", "node.id server.properties:7"]);
}
