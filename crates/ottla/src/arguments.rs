//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use settings::{Origin, SettingError, Settings, parse_host_port};
use tools::{Manner, Tool};

use crate::server_start::{self, Unstarted};
use crate::sources::{self, Failure, Sources, Unknown};

/// A Kafka-compatible broker for one machine.
#[derive(Debug, Parser)]
#[command(name = "ottla", version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the broker (what `ottla` alone does too)
    Serve(ServeArguments),
    /// Check that Apache Kafka can start on the data directory, and print the server.properties for it
    ///
    /// The broker must be stopped. Nothing in the directory is changed. The properties go to stdout, findings to stderr. Exit
    /// codes: 0 ready, 1 not ready, 2 wrong arguments.
    Graduate(GraduateArguments),
    /// Show settings that a broker starts with: those in force and where they come from, or all (see also: configs)
    Config(ConfigArguments),
    /// Print what is in log, index, snapshot and checkpoint files, as kafka-dump-log.sh does
    #[command(disable_help_flag = true)]
    DumpLog {
        /// See `ottla dump-log --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Check that a broker answers: exit code 0 or 1, for a container's HEALTHCHECK
    Health(HealthArguments),
    /// Write the server.properties that is in force in a container (used by the image)
    #[command(hide = true)]
    ImageSetup(ImageSetupArguments),
    /// List, create, describe, change and delete topics, as kafka-topics.sh does
    #[command(disable_help_flag = true)]
    Topics(ToolArguments),
    /// Write each line of standard input to a topic, as kafka-console-producer.sh does
    #[command(disable_help_flag = true)]
    Produce(ToolArguments),
    /// Print the records of topics, as kafka-console-consumer.sh does
    #[command(disable_help_flag = true)]
    Consume(ToolArguments),
    /// List, describe and delete consumer groups and reset their offsets, as kafka-consumer-groups.sh does
    #[command(disable_help_flag = true)]
    Groups(ToolArguments),
    /// Show and change settings and quotas of a running broker, as kafka-configs.sh does (see also: config)
    #[command(disable_help_flag = true)]
    Configs(ToolArguments),
    /// Show offsets of partitions, as kafka-get-offsets.sh does
    #[command(disable_help_flag = true)]
    Offsets(ToolArguments),
    /// Show which APIs a broker serves, as kafka-broker-api-versions.sh does
    #[command(disable_help_flag = true)]
    ApiVersions(ToolArguments),
}

/// Who is to answer.
#[derive(Debug, Args)]
pub(crate) struct HealthArguments {
    /// Where the broker listens; several are tried one after the other [default: its listeners, as it has left them in the
    /// file that $OTTLA_ADDRESSES_FILE names, or by the settings]
    #[arg(long, value_name = "HOST:PORT,...")]
    pub(crate) bootstrap_server: Option<String>,
    /// The file of settings in force: its listeners are asked. Without one the KAFKA_* variables say where they are
    #[arg(long, value_name = "FILE", conflicts_with = "bootstrap_server")]
    pub(crate) config: Option<PathBuf>,
    /// For how long to wait, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5000)]
    pub(crate) timeout_ms: u64,
}

/// Which files make the one that is in force.
#[derive(Debug, Args)]
pub(crate) struct ImageSetupArguments {
    /// What counts when nothing else says anything
    #[arg(long, value_name = "FILE")]
    pub(crate) default_file: Option<PathBuf>,
    /// What the user has mounted; need not be there
    #[arg(long, value_name = "FILE")]
    pub(crate) mounted_file: Option<PathBuf>,
    /// What to write
    #[arg(long, value_name = "FILE")]
    pub(crate) final_file: PathBuf,
}

/// What follows a tool's name, not looked at here.
#[derive(Debug, Args)]
struct ToolArguments {
    /// See `--help` behind the command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// How the broker is to run.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    given: SettingArguments,
    /// How log lines look
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// What counts where nothing is given: Ottla's defaults, or Kafka's for the roles, the listeners and the data directory
    #[arg(long, value_enum, default_value_t = Defaults::Ottla)]
    pub(crate) defaults: Defaults,
    /// Kafka's own start script knows no variables.
    #[arg(skip)]
    pub(crate) ignores_environment: bool,
}

/// What is to be handed over to Kafka. What Ottla does not know is handed on.
#[derive(Debug, Args)]
pub(crate) struct GraduateArguments {
    #[command(flatten)]
    given: SettingArguments,
}

/// Which settings to show.
#[derive(Debug, Args)]
#[group(id = "shown", required = true, multiple = false, args = ["show", "docs"])]
pub(crate) struct ConfigArguments {
    /// Print each setting in force, and where it was given. Changes made at run time are not seen here
    #[arg(long)]
    show: bool,
    /// Print the table of all settings, as Markdown
    #[arg(long)]
    pub(crate) docs: bool,
    #[command(flatten)]
    given: SettingArguments,
}

/// The settings on the command line.
#[derive(Debug, Args)]
struct SettingArguments {
    /// A file of settings in the format of Kafka's server.properties; KAFKA_* variables beat it, and flags beat those
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What messages call the file, where it was made of another one with the same lines (used by the image)
    #[arg(long, value_name = "FILE", hide = true, requires = "config")]
    config_name: Option<String>,
    /// Set one of Kafka's broker settings, such as num.partitions=3; may be given many times, and the last one wins
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<Pair>,
    /// Where to listen [default: 127.0.0.1:9092]; port 0 takes any free port
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<HostPort>,
    /// Where clients are told to connect [default: where the broker listens]
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<HostPort>,
    /// Where the data is [default: ./ottla-data]
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line
    Json,
    /// Kafka's layout, on standard output, with the lines that others wait for
    Kafka,
}

/// What counts where nothing is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Defaults {
    /// A broker for this machine alone, with its data in the current directory
    Ottla,
    /// /tmp/kafka-logs, every interface, and no roles and no node.id unless they are given
    Kafka,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Command {
    Serve(ServeArguments),
    Graduate(GraduateArguments),
    Config(ConfigArguments),
    /// With the arguments behind `dump-log`, not looked at.
    DumpLog(Vec<OsString>),
    Health(HealthArguments),
    ImageSetup(ImageSetupArguments),
    /// `kafka-storage.sh`, with the arguments behind it.
    Storage(Vec<OsString>),
    /// `kafka-server-start.sh` that starts nothing.
    Unstarted(Unstarted),
    /// One of Kafka's tools, with the arguments behind its name.
    Tool(&'static Tool, Manner, Vec<OsString>),
}

/// A key and a value.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    key: String,
    value: String,
}

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok(Self { key: key.trim().to_owned(), value: value.to_owned() })
            }
            _ => Err("it must be KEY=VALUE"),
        }
    }
}

#[derive(Clone, Debug)]
struct HostPort(String);

impl FromStr for HostPort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match parse_host_port(text) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err("it must be HOST:PORT, with a port from 0 to 65535 and an IPv6 address in brackets"),
        }
    }
}

/// Reads the command line. Ends the process where it cannot be understood (code 2), and after `--help` and `--version`.
///
/// A program that is called by the name of one of Kafka's tools (a link to this one) is that tool.
pub(crate) fn read() -> Command {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    by_program(&program, words).unwrap_or_else(|| understand(CommandLine::parse()))
}

fn by_program(program: &OsStr, words: impl Iterator<Item = OsString>) -> Option<Command> {
    let name = Path::new(program).file_name()?.to_str()?;
    match name.strip_suffix(".sh").unwrap_or(name) {
        "kafka-dump-log" => return Some(Command::DumpLog(words.collect())),
        "kafka-storage" => return Some(Command::Storage(words.collect())),
        "kafka-server-start" => {
            return Some(server_start::read(words).map_or_else(Command::Unstarted, Command::Serve));
        }
        _ => {}
    }
    Tool::by_program(name).map(|tool| Command::Tool(tool, Manner::Kafkas, words.collect()))
}

fn understand(line: CommandLine) -> Command {
    let tool = |verb, ToolArguments { arguments }| {
        let tool = Tool::by_verb(verb).expect("a verb of the command line is one of the tools");
        Command::Tool(tool, Manner::Ours, arguments)
    };
    match line.verb {
        None => Command::Serve(line.serve),
        Some(Verb::Serve(arguments)) => Command::Serve(arguments),
        Some(Verb::Graduate(arguments)) => Command::Graduate(arguments),
        Some(Verb::Config(arguments)) => Command::Config(arguments),
        Some(Verb::DumpLog { arguments }) => Command::DumpLog(arguments),
        Some(Verb::Health(arguments)) => Command::Health(arguments),
        Some(Verb::ImageSetup(arguments)) => Command::ImageSetup(arguments),
        Some(Verb::Topics(arguments)) => tool("topics", arguments),
        Some(Verb::Produce(arguments)) => tool("produce", arguments),
        Some(Verb::Consume(arguments)) => tool("consume", arguments),
        Some(Verb::Groups(arguments)) => tool("groups", arguments),
        Some(Verb::Configs(arguments)) => tool("configs", arguments),
        Some(Verb::Offsets(arguments)) => tool("offsets", arguments),
        Some(Verb::ApiVersions(arguments)) => tool("api-versions", arguments),
    }
}

/// What was given, and what of it is no setting here.
pub(crate) type Told = (Settings, Vec<Unknown>);

impl ServeArguments {
    /// What `kafka-server-start.sh` starts.
    pub(crate) fn as_kafka(file: PathBuf, overrides: Vec<Pair>) -> Self {
        let given = SettingArguments {
            config: Some(file),
            config_name: None,
            set: overrides,
            listen: None,
            advertise: None,
            data_dir: None,
        };
        Self { given, log_format: LogFormat::Kafka, defaults: Defaults::Kafka, ignores_environment: true }
    }

    /// The settings that file, environment and flags come to, and what to warn of.
    ///
    /// # Errors
    /// When the file cannot be read, a value is not allowed, or values contradict each other.
    pub(crate) fn settings(&self) -> Result<Told, Failure> {
        let variables = variables().filter(|_| !self.ignores_environment);
        self.given.settings(variables, self.defaults)
    }
}

impl GraduateArguments {
    /// As [`ServeArguments::settings`].
    pub(crate) fn settings(&self) -> Result<Told, Failure> {
        self.given.settings(variables(), Defaults::Ottla)
    }
}

impl ConfigArguments {
    /// As [`ServeArguments::settings`].
    pub(crate) fn settings(&self) -> Result<Told, Failure> {
        self.given.settings(variables(), Defaults::Ottla)
    }
}

/// The environment. What is no text is no setting.
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
}

impl SettingArguments {
    fn settings(
        &self,
        variables: impl Iterator<Item = (String, String)>,
        defaults: Defaults,
    ) -> Result<Told, Failure> {
        let mut sources = Sources::default();
        if let Some(path) = &self.config {
            match &self.config_name {
                Some(name) => sources.read_file_as(path, name)?,
                None => sources.read_file(path)?,
            }
        }
        sources.read_environment(variables);
        for Pair { key, value } in &self.set {
            sources.add(key.clone(), value.clone(), Origin::Flag("--set"));
        }
        if let Some(directory) = &self.data_dir {
            sources.add("log.dirs".to_owned(), directory.clone(), Origin::Flag("--data-dir"));
        }
        if defaults == Defaults::Kafka {
            sources.take_kafkas_defaults()?;
        }
        let (mut settings, unknown) = sources.settings()?;
        self.short_forms(&mut settings).map_err(|error| sources::with_origins(&settings, &error))?;
        sources::check(&settings)?;
        Ok((settings, unknown))
    }

    /// `--listen` and `--advertise` speak of the one listener for clients; those for controllers stay as they are.
    fn short_forms(&self, settings: &mut Settings) -> Result<(), SettingError> {
        if let Some(HostPort(address)) = &self.listen {
            let name = only_name(settings, "--listen", "listeners")?;
            let mut list = vec![format!("{name}://{address}")];
            list.extend(settings.controller_listeners()?.iter().map(ToString::to_string));
            settings.set_from("listeners", &list.join(","), Origin::Flag("--listen"))?;
        }
        if let Some(HostPort(address)) = &self.advertise {
            let name = only_name(settings, "--advertise", "advertised.listeners")?;
            let text = format!("{name}://{address}");
            settings.set_from("advertised.listeners", &text, Origin::Flag("--advertise"))?;
        }
        Ok(())
    }
}

/// The name of the one listener there is, which a short form speaks of.
fn only_name(settings: &Settings, flag: &str, key: &str) -> Result<String, SettingError> {
    match settings.listeners()?.as_slice() {
        [one] => Ok(one.name.clone()),
        several => Err(SettingError::Conflict(format!(
            "`{flag}` is for a single listener, and `listeners` names {}; say it with `--set {key}=...`",
            several.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> CommandLine {
        CommandLine::try_parse_from([&["ottla"], arguments].concat()).expect("understood")
    }

    fn settings(arguments: &[&str]) -> Result<Told, Failure> {
        parse(arguments).serve.given.settings(std::iter::empty(), Defaults::Ottla)
    }

    #[test]
    fn the_declaration_is_sound() {
        <CommandLine as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn serve_may_be_left_out() {
        assert!(parse(&[]).verb.is_none());
        assert!(parse(&["--listen", "localhost:1"]).serve.given.listen.is_some());
        let Some(Verb::Serve(arguments)) = parse(&["serve", "--listen", "localhost:1"]).verb else {
            panic!("serve is a verb");
        };
        assert!(arguments.given.listen.is_some());
    }

    #[test]
    fn dump_log_gets_its_arguments_untouched() {
        let behind = ["--files", "a,b", "--print-data-log", "--help", "--offset=-1"];
        let Some(Verb::DumpLog { arguments }) = parse(&[&["dump-log"], &behind[..]].concat()).verb else {
            panic!("dump-log is a verb");
        };
        assert_eq!(arguments, behind);
    }

    #[test]
    fn a_program_named_as_a_tool_of_kafka_is_that_tool() {
        let called = |program: &str| by_program(OsStr::new(program), ["--list".into()].into_iter());
        let Some(Command::Tool(tool, Manner::Kafkas, words)) = called("/opt/kafka/bin/kafka-topics.sh")
        else {
            panic!("it is a tool");
        };
        assert!(std::ptr::eq(tool, Tool::by_verb("topics").expect("a tool")) && words == ["--list"]);
        assert!(matches!(called("kafka-dump-log.sh"), Some(Command::DumpLog(words)) if words == ["--list"]));
        assert!(called("/usr/bin/ottla").is_none() && called("kafka-acls.sh").is_none());
        assert!(matches!(called("kafka-storage"), Some(Command::Storage(words)) if words == ["--list"]));
        assert!(matches!(called("kafka-server-start.sh"), Some(Command::Unstarted(_))));
    }

    #[test]
    fn each_verb_of_a_tool_finds_it() {
        for verb in ["topics", "produce", "consume", "groups", "configs", "offsets", "api-versions"] {
            let Command::Tool(tool, Manner::Ours, words) = understand(parse(&[verb, "--help", "-x"])) else {
                panic!("{verb} is a tool");
            };
            assert!(std::ptr::eq(tool, Tool::by_verb(verb).expect("a tool")));
            assert_eq!(words, ["--help", "-x"]);
        }
    }

    #[test]
    fn short_forms_stand_for_settings() {
        let (settings, warnings) = settings(&[
            "--set",
            "log.dirs=/elsewhere",
            "--listen",
            "[::1]:7",
            "--advertise",
            "broker.example:8",
            "--data-dir",
            "/data",
        ])
        .expect("allowed");
        assert!(warnings.is_empty());
        assert_eq!(settings.listeners().expect("checked")[0].to_string(), "PLAINTEXT://[::1]:7");
        assert_eq!(
            settings.advertised_listeners().expect("checked")[0].to_string(),
            "PLAINTEXT://broker.example:8"
        );
        assert_eq!(settings.data_dir().expect("checked"), "/data");
    }

    #[test]
    fn a_file_goes_by_the_name_it_is_given() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "\nnum.partitions=none\n").expect("written");
        let path = file.path().to_str().expect("text");
        let why =
            settings(&["--config", path, "--config-name", "/mnt/f"]).expect_err("no number").to_string();
        assert!(why.ends_with("(given in /mnt/f:2)"), "{why}");
    }

    #[test]
    fn a_value_may_hold_an_equals_sign_and_the_last_one_wins() {
        let (settings, _) = settings(&["--set", "log.dir=a=b", "--set", "log.dir=c=d"]).expect("allowed");
        assert_eq!(settings.data_dir().expect("checked"), "c=d");
    }

    #[test]
    fn unknown_keys_are_warnings_and_bad_values_errors() {
        let (_, warnings) = settings(&["--set", "num.partition=3"]).expect("only a warning");
        assert_eq!(
            warnings[0].error.to_string(),
            "unknown setting `num.partition` (did you mean `num.partitions`?)"
        );
        assert!(settings(&["--set", "num.partitions=none"]).is_err());
    }

    #[test]
    fn a_short_form_needs_a_single_listener() {
        let two = "listeners=A://h:1,B://h:2";
        let map = "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT";
        assert!(settings(&["--set", two, "--set", map]).is_ok());
        assert!(settings(&["--set", two, "--set", map, "--advertise", "h:3"]).is_err());
    }

    #[test]
    fn graduate_takes_a_file_too_and_flags_beat_it() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let text =
            "# a comment\nnum.partitions = 3\nlog.dirs=/file\ntransaction.state.log.num.partitions=5\n";
        std::fs::write(file.path(), text).expect("written");
        let path = file.path().to_str().expect("text");
        let Some(Verb::Graduate(arguments)) =
            parse(&["graduate", "--config", path, "--data-dir", "/flag", "--set", "x.y=1"]).verb
        else {
            panic!("graduate is a verb");
        };
        let (settings, unknown) =
            arguments.given.settings(std::iter::empty(), Defaults::Ottla).expect("allowed");
        assert_eq!((settings.num_partitions(), settings.data_dir().expect("one")), (3, "/flag".to_owned()));
        let unknown: Vec<_> = unknown.iter().map(|u| format!("{}={}", u.key, u.value.text)).collect();
        assert_eq!(unknown, ["x.y=1"]);
        assert_eq!(settings.given("transaction.state.log.num.partitions"), Some("5"));
    }

    #[test]
    fn a_short_form_leaves_the_controllers_listener_alone() {
        let of = |arguments: &[&str]| {
            let all = [
                &["--set", "listeners=IN://:1,C://:2", "--set", "controller.listener.names=C"][..],
                &["--set", "listener.security.protocol.map=IN:PLAINTEXT,C:PLAINTEXT"],
                arguments,
            ];
            settings(&all.concat())
        };
        let (given, _) = of(&["--listen", "h:9", "--advertise", "a:8"]).expect("one listener for clients");
        assert_eq!(given.listeners().expect("checked")[0].to_string(), "IN://h:9");
        assert_eq!(given.controller_listeners().expect("checked")[0].to_string(), "C://:2");
        assert_eq!(given.advertised_listeners().expect("checked")[0].to_string(), "IN://a:8");
    }

    #[test]
    fn what_is_no_flag_is_refused() {
        for arguments in
            [&["--set", "novalue"][..], &["--set", "=x"], &["--listen", "localhost"], &["config"]]
        {
            assert!(CommandLine::try_parse_from([&["ottla"], arguments].concat()).is_err(), "{arguments:?}");
        }
    }
}
