//! Where settings are given: a file, the environment, flags. A later one of these beats an earlier one, key by key.
//!
//! The environment speaks as in the apache/kafka image (Kafka: `docker/.../bash-config`, `KafkaDockerWrapper`):
//! `KAFKA_LOG_RETENTION_MS` is `log.retention.ms`. Unlike there, a variable does not switch a file off.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use java_properties::{LineContent, PropertiesIter};
use settings::{Origin, SettingError, Settings};

/// Why there are no settings, in words for the person who gave them.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// What was given for one key.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// What was given, by key.
#[derive(Debug, Default)]
pub(crate) struct Sources(BTreeMap<String, Value>);

/// What is no setting here, and why.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) error: SettingError,
}

/// Variables of the image, and of the scripts that start Kafka, that are no settings.
const NOT_SETTINGS: &[&str] = &[
    "KAFKA_VERSION",
    "KAFKA_HEAP_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JMX_PORT",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_HOME",
];

impl Sources {
    /// Adds the pairs of a properties file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read_file(&mut self, path: &Path) -> Result<(), Failure> {
        self.read_file_as(path, &path.display().to_string())
    }

    /// The same, of a file that goes by another name where its lines are spoken of.
    ///
    /// # Errors
    /// As [`Sources::read_file`].
    pub(crate) fn read_file_as(&mut self, path: &Path, name: &str) -> Result<(), Failure> {
        let told = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
        let name: Arc<str> = name.into();
        let file = File::open(path).map_err(|error| told(&error))?;
        for line in PropertiesIter::new(BufReader::new(file)) {
            let line = line.map_err(|error| told(&error))?;
            let origin = Origin::File { path: Arc::clone(&name), line: line.line_number() };
            if let LineContent::KVPair(key, text) = line.consume_content() {
                self.add(key, text, origin);
            }
        }
        Ok(())
    }

    /// Adds what the `KAFKA_*` variables among `variables` say.
    pub(crate) fn read_environment(&mut self, variables: impl Iterator<Item = (String, String)>) {
        for (name, text) in variables {
            if is_service_link(&name, &text) {
                continue;
            }
            if let Some(key) = property(&name) {
                self.add(key, unescaped(text), Origin::Environment(name));
            }
        }
    }

    /// Adds one pair.
    pub(crate) fn add(&mut self, key: String, text: String, origin: Origin) {
        self.0.insert(key, Value { text, origin });
    }

    /// Takes Kafka's values for what was not given and what Ottla is freer with: the data directory, the listeners, the
    /// roles and the number of the node.
    ///
    /// # Errors
    /// When a key without a default was not given.
    pub(crate) fn take_kafkas_defaults(&mut self) -> Result<(), Failure> {
        const ORIGIN: Origin = Origin::Flag("--defaults kafka");
        let has = |keys: &[&str]| keys.iter().any(|key| self.0.contains_key(*key));
        for keys in [&["process.roles"][..], &["node.id", "broker.id"]] {
            if !has(keys) {
                let key = keys[0];
                return Err(format!(
                    "Missing required configuration \"{key}\" which has no default value. (In a container: one KAFKA_ \
                     variable alone switches the default file off, so {} must be set too)",
                    variable(key)
                )
                .into());
            }
        }
        if !has(&["log.dirs", "log.dir"]) {
            self.add("log.dir".to_owned(), "/tmp/kafka-logs".to_owned(), ORIGIN);
        }
        if !self.0.contains_key("listeners") {
            self.add("listeners".to_owned(), "PLAINTEXT://:9092".to_owned(), ORIGIN);
        }
        Ok(())
    }

    /// The settings that all of it comes to, and what is no setting.
    ///
    /// # Errors
    /// When a value is not allowed, with where it was given.
    pub(crate) fn settings(self) -> Result<(Settings, Vec<Unknown>), Failure> {
        let (mut settings, mut unknown) = (Settings::default(), Vec::new());
        for (key, value) in self.0 {
            match settings.set_from(&key, &value.text, value.origin.clone()) {
                Ok(()) => {}
                Err(error @ SettingError::Unknown { .. }) => {
                    if key == "config.providers" && !value.text.trim().is_empty() {
                        let Value { text, origin } = value;
                        return Err(format!(
                            "`{key}` cannot be `{text}`: Java classes cannot be loaded, so values that stand elsewhere \
                             cannot be read (given in {origin})"
                        )
                        .into());
                    }
                    unknown.push(Unknown { key, value, error });
                }
                Err(error) => return Err(format!("{error} (given in {})", value.origin).into()),
            }
        }
        Ok((settings, unknown))
    }
}

/// Says of settings that contradict each other where they were given.
///
/// # Errors
/// [`Settings::check`]'s.
pub(crate) fn check(settings: &Settings) -> Result<(), Failure> {
    settings.check().map_err(|error| with_origins(settings, &error))
}

/// An error with where the keys that it speaks of were given.
pub(crate) fn with_origins(settings: &Settings, error: &SettingError) -> Failure {
    let origins = settings.origins(error);
    if origins.is_empty() {
        return error.to_string().into();
    }
    let origins: Vec<_> = origins.into_iter().map(|(key, origin)| format!("{key} in {origin}")).collect();
    format!("{error} (given: {})", origins.join(", ")).into()
}

/// The variable that speaks of a key.
fn variable(key: &str) -> String {
    format!("KAFKA_{}", key.replace('_', "__").replace('-', "___").replace('.', "_").to_ascii_uppercase())
}

/// Whether it is one of the variables by which Kubernetes, and docker's links, tell a container of a service whose name
/// begins with `kafka`: KAFKA_SERVICE_HOST, KAFKA_SERVICE_PORT_CLIENT, KAFKA_PORT=tcp://..., KAFKA_PORT_9092_TCP_ADDR.
pub(crate) fn is_service_link(name: &str, text: &str) -> bool {
    let Some(rest) = name.strip_prefix("KAFKA_") else { return false };
    let rest = format!("_{rest}");
    let is_address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme));
    let is_port_of = |tail: &str| {
        let mut parts = tail.split('_');
        let is_number = parts.next().is_some_and(|part| part.parse::<u16>().is_ok());
        is_number && parts.next().is_some_and(|part| matches!(part, "TCP" | "UDP" | "SCTP"))
    };
    rest.ends_with("_SERVICE_HOST")
        || rest.ends_with("_SERVICE_PORT")
        || (rest.contains("_SERVICE_PORT_") && text.parse::<u16>().is_ok())
        || (rest.ends_with("_PORT") && is_address)
        || rest.split_once("_PORT_").is_some_and(|(_, tail)| is_port_of(tail))
}

/// The key that a variable speaks of: `_` is a dot, `__` an underscore, `___` a dash.
pub(crate) fn property(variable: &str) -> Option<String> {
    if NOT_SETTINGS.contains(&variable) {
        return None;
    }
    let dotted = variable.strip_prefix("KAFKA_")?.to_ascii_lowercase().replace('_', ".");
    Some(dotted.replace("...", "-").replace("..", "_")).filter(|key| !key.is_empty())
}

/// A variable's value goes through a properties file in the image, so a backslash means there what it means in one.
fn unescaped(text: String) -> String {
    if !text.is_ascii() || !text.contains('\\') {
        return text;
    }
    // One pair, if the next line is still a line of its own.
    let lines = format!("key={text}\nend=");
    let pairs = PropertiesIter::new(lines.as_bytes()).filter_map(Result::ok);
    let pairs: Vec<_> = pairs
        .filter_map(|line| match line.consume_content() {
            LineContent::KVPair(key, value) => Some((key, value)),
            LineContent::Comment(_) => None,
        })
        .collect();
    match <[_; 2]>::try_from(pairs) {
        Ok([(_, value), (end, _)]) if end == "end" => value,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_name_properties_as_in_the_image() {
        for (variable, key) in [
            ("KAFKA_LOG_RETENTION_MS", Some("log.retention.ms")),
            ("KAFKA_FOO__BAR", Some("foo_bar")),
            ("KAFKA_FOO___BAR", Some("foo-bar")),
            (
                "KAFKA_LISTENER_NAME_SASL__SSL_SCRAM___SHA___512_SASL_JAAS_CONFIG",
                Some("listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config"),
            ),
            ("KAFKA_HEAP_OPTS", None),
            ("KAFKA_OWN_KAFKA_KEY", Some("own.kafka.key")),
            ("KAFKA_", None),
            ("CLUSTER_ID", None),
            ("MY_KAFKA_NODE_ID", None),
        ] {
            assert_eq!(property(variable).as_deref(), key, "{variable}");
        }
    }

    #[test]
    fn what_kubernetes_says_of_services_is_no_setting() {
        for (name, text) in [
            ("KAFKA_SERVICE_HOST", "10.0.0.1"),
            ("KAFKA_SERVICE_PORT", "9092"),
            ("KAFKA_SERVICE_PORT_TCP_CLIENT", "9092"),
            ("KAFKA_PORT", "tcp://10.0.0.1:9092"),
            ("KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092"),
            ("KAFKA_PORT_9092_TCP_ADDR", "10.0.0.1"),
            ("KAFKA_BROKER_SERVICE_HOST", "10.0.0.1"),
            ("KAFKA_BROKER_PORT_9092_TCP_PROTO", "tcp"),
        ] {
            assert!(is_service_link(name, text), "{name}");
        }
        for (name, text) in [
            ("KAFKA_PORT", "9092"),
            ("KAFKA_LISTENERS", "PLAINTEXT://:9092"),
            ("KAFKA_NUM_PARTITIONS", "3"),
            ("SERVICE_HOST", "10.0.0.1"),
        ] {
            assert!(!is_service_link(name, text), "{name}");
        }
    }

    #[test]
    fn kafkas_defaults_leave_roles_and_number_to_the_user() {
        let with = |pairs: &[(&str, &str)]| {
            let mut sources = Sources::default();
            for (key, text) in pairs {
                sources.add((*key).to_owned(), (*text).to_owned(), Origin::Flag("--set"));
            }
            sources.take_kafkas_defaults().map(|()| sources.settings().expect("allowed").0)
        };
        let why = with(&[("node.id", "1")]).expect_err("no roles").to_string();
        assert!(why.starts_with("Missing required configuration \"process.roles\""), "{why}");
        let why = with(&[("process.roles", "broker")]).expect_err("no number").to_string();
        assert!(why.contains("\"node.id\"") && why.contains("KAFKA_NODE_ID"), "{why}");
        let needed = [("process.roles", "broker,controller"), ("broker.id", "1")];
        let settings = with(&needed).expect("enough");
        assert_eq!(settings.log_dir(), "/tmp/kafka-logs");
        assert_eq!(settings.listeners().expect("sound")[0].to_string(), "PLAINTEXT://:9092");
        let given = [("log.dirs", "/data"), ("listeners", "PLAINTEXT://h:1")];
        let settings = with(&[&needed[..], &given].concat()).expect("enough");
        assert_eq!(settings.data_dir().expect("one"), "/data");
        assert_eq!(settings.listeners().expect("sound")[0].to_string(), "PLAINTEXT://h:1");
    }

    #[test]
    fn a_backslash_means_what_it_means_in_a_file() {
        for (text, value) in [
            ("plain", "plain"),
            (r"C:\\data", r"C:\data"),
            (r"a\tb", "a\tb"),
            ("a\\\n  b", "ab"),
            ("two\nlines\\", "two\nlines\\"),
        ] {
            assert_eq!(unescaped(text.to_owned()), value, "{text}");
        }
    }

    #[test]
    fn the_last_word_on_a_key_counts_and_knows_its_place() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let text = "# one\nnum.partitions = nonsense\nlog.dir: /a\\\n  /b\n! three\nnum.partitions 7\n";
        std::fs::write(file.path(), text).expect("written");
        let mut sources = Sources::default();
        sources.read_file(file.path()).expect("readable");
        let variables = [("KAFKA_NUM_IO_THREADS", "5"), ("KAFKA_NO_SUCH", "x")];
        sources.read_environment(variables.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())));
        let (settings, unknown) = sources.settings().expect("what counts is sound");
        assert_eq!((settings.num_partitions(), settings.log_dir().as_str()), (7, "/a/b"));
        let of = |key| settings.origin(key).expect("given").to_string();
        assert_eq!(of("num.partitions"), format!("{}:6", file.path().display()));
        assert_eq!(of("num.io.threads"), "$KAFKA_NUM_IO_THREADS");
        assert_eq!((unknown.len(), unknown[0].key.as_str()), (1, "no.such"));
    }
}
