//! Flags as Kafka's tools take them (through joptsimple): `--flag value`, `--flag=value`, and any beginning of a flag's
//! name that fits only one.

use crate::Manner;
use crate::call::Failure;

/// What follows a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing.
    Nothing,
    /// A value, called so in the usage.
    Value(&'static str),
    /// A value that may be left out.
    Optional(&'static str),
    /// It is Kafka's flag, with a value or without, and not supported.
    Refused,
}

/// A flag.
#[derive(Debug)]
pub(crate) struct Flag {
    /// Without the dashes.
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    /// What it does; why not, for one that is refused.
    pub(crate) help: &'static str,
}

/// What a tool takes.
#[derive(Debug)]
pub(crate) struct Declaration {
    /// What the tool does, in one line.
    pub(crate) about: &'static str,
    pub(crate) flags: &'static [Flag],
    /// What a word without a flag stands for.
    pub(crate) word: Word,
}

/// A word without a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// There is none.
    None,
    /// In our manner the value of this flag.
    Flag(&'static str),
    /// One of these commands, which must be there.
    Command(&'static [&'static str]),
}

/// How [`Options`] keeps the command.
const COMMAND: &str = "command";

/// The flag that is said to be missing in the way of each tool.
pub(crate) const BOOTSTRAP: Flag = Flag {
    name: "bootstrap-server",
    takes: Takes::Value("HOST:PORT,..."),
    help: "the broker to ask; several are tried one after the other",
};

/// The flag of most tools for a file of properties.
pub(crate) const COMMAND_CONFIG: Flag = Flag {
    name: "command-config",
    takes: Takes::Value("FILE"),
    help: "a file of client settings, such as request.timeout.ms",
};

/// Where the tools of `ottla` look for a broker by themselves.
const OUR_BOOTSTRAP: &str = "127.0.0.1:9092";

impl Declaration {
    fn find(&self, name: &str) -> Result<&'static Flag, Failure> {
        if let Some(flag) = self.flags.iter().find(|flag| flag.name == name) {
            return Ok(flag);
        }
        let mut close = self.flags.iter().filter(|flag| !name.is_empty() && flag.name.starts_with(name));
        match (close.next(), close.next()) {
            (Some(flag), None) => Ok(flag),
            (Some(one), Some(other)) => {
                Err(Failure::Usage(format!("--{name} may be --{} or --{}", one.name, other.name)))
            }
            (None, _) => Err(Failure::Usage(format!("--{name} is not a recognized option"))),
        }
    }

    /// How the tool is called.
    pub(crate) fn usage(&self, called: &str) -> String {
        let command = match self.word {
            Word::Command(commands) => format!("{} ", commands.join("|")),
            Word::None | Word::Flag(_) => String::new(),
        };
        let mut text = format!("Usage: {called} {command}[option]...\n\n{}\n\n", self.about);
        for flag in self.flags {
            let left = match flag.takes {
                Takes::Nothing => format!("--{}", flag.name),
                Takes::Value(what) => format!("--{} {what}", flag.name),
                Takes::Optional(what) => format!("--{} [{what}]", flag.name),
                Takes::Refused => continue,
            };
            text.push_str(&format!("  {left:<38} {}\n", flag.help));
        }
        text.push_str(&format!("  {:<38} {}\n", "--help", "show this"));
        text.push_str(&format!("  {:<38} {}", "--version", "show the version"));
        text
    }
}

/// The flags that were given.
#[derive(Debug)]
pub(crate) struct Options {
    given: Vec<(&'static str, Option<String>)>,
    manner: Manner,
}

impl Options {
    /// Reads a command line.
    pub(crate) fn parse(
        declaration: &'static Declaration,
        called: &str,
        manner: Manner,
        arguments: Vec<String>,
    ) -> Result<Self, Failure> {
        if arguments.is_empty() && manner == Manner::Kafkas {
            return Err(Failure::Usage(declaration.about.to_owned()));
        }
        let mut given: Vec<(&'static str, Option<String>)> = Vec::new();
        let mut words = arguments.into_iter().peekable();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                match declaration.word {
                    Word::Flag(flag)
                        if manner == Manner::Ours && !given.iter().any(|(name, _)| *name == flag) =>
                    {
                        given.push((flag, Some(word)));
                        continue;
                    }
                    Word::Command(commands)
                        if commands.contains(&&*word) && !given.iter().any(|(name, _)| *name == COMMAND) =>
                    {
                        given.push((COMMAND, Some(word)));
                        continue;
                    }
                    Word::Command(commands) => {
                        let commands = commands.join(", ");
                        return Err(Failure::Usage(format!(
                            "`{word}` is not supported: the commands of {called} are {commands}"
                        )));
                    }
                    _ => {
                        return Err(Failure::Usage(format!("`{word}` belongs to no option of {called}")));
                    }
                }
            };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            match name {
                "help" => return Err(Failure::Help),
                "version" => return Err(Failure::Version),
                _ => {}
            }
            let flag = declaration.find(name)?;
            let value = match flag.takes {
                Takes::Refused => {
                    return Err(Failure::Usage(format!("--{} is not supported: {}", flag.name, flag.help)));
                }
                Takes::Nothing if value.is_some() => {
                    return Err(Failure::Usage(format!("--{} takes no value", flag.name)));
                }
                Takes::Nothing => None,
                Takes::Value(_) => match value.or_else(|| words.next()) {
                    Some(value) => Some(value),
                    None => return Err(Failure::Usage(format!("--{} requires an argument", flag.name))),
                },
                Takes::Optional(_) => value.or_else(|| words.next_if(|next| !next.starts_with("--"))),
            };
            given.push((flag.name, value));
        }
        Ok(Self { given, manner })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }

    /// Every value of a flag, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.given.iter().filter(move |(given, _)| *given == name).filter_map(|(_, value)| value.as_deref())
    }

    /// These flags and their values, in the order of the command line.
    pub(crate) fn in_order<'a>(
        &'a self,
        names: &'a [&str],
    ) -> impl Iterator<Item = (&'static str, Option<&'a str>)> {
        let given = self.given.iter().filter(|(given, _)| names.contains(given));
        given.map(|(name, value)| (*name, value.as_deref()))
    }

    /// The value of a flag that is given once at most.
    pub(crate) fn value<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Failure> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (value, None) => Ok(value),
            _ => Err(Failure::Usage(format!("--{name} was given more than once"))),
        }
    }

    /// The command.
    pub(crate) fn command(&self) -> Result<&str, Failure> {
        let given = self.value(COMMAND)?;
        given.ok_or_else(|| Failure::Usage("a command must be given".to_owned()))
    }

    /// The value of a flag that must be given.
    pub(crate) fn required<'a>(&'a self, name: &'a str) -> Result<&'a str, Failure> {
        self.value(name)?.ok_or_else(|| Failure::Usage(format!("Missing required argument \"[{name}]\"")))
    }

    /// A number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        self.value(name)?
            .map(|value| {
                value.parse().map_err(|_| {
                    Failure::Usage(format!(
                        "Cannot parse argument '{value}' of option {name}: no number in its range"
                    ))
                })
            })
            .transpose()
    }

    /// The servers to ask.
    pub(crate) fn bootstrap(&self) -> Result<&str, Failure> {
        match (self.value(BOOTSTRAP.name)?, self.manner) {
            (Some(servers), _) => Ok(servers),
            (None, Manner::Ours) => Ok(OUR_BOOTSTRAP),
            (None, Manner::Kafkas) => self.required(BOOTSTRAP.name),
        }
    }

    /// Refuses `used` together with any of `others`.
    pub(crate) fn exclude(&self, used: &str, others: &[&str]) -> Result<(), Failure> {
        let clash = others.iter().find(|other| self.has(used) && self.has(other));
        clash.map_or(Ok(()), |other| {
            Err(Failure::Usage(format!("Option \"[{used}]\" can't be used with option \"[{other}]\"")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARATION: Declaration = Declaration {
        about: "A test.",
        flags: &[
            BOOTSTRAP,
            Flag { name: "topic", takes: Takes::Value("TOPIC"), help: "." },
            Flag { name: "topic-id", takes: Takes::Value("ID"), help: "." },
            Flag { name: "list", takes: Takes::Nothing, help: "." },
            Flag { name: "state", takes: Takes::Optional("STATE"), help: "." },
        ],
        word: Word::Flag("topic"),
    };

    fn parse(manner: Manner, line: &str) -> Result<Options, String> {
        let words = line.split_whitespace().map(str::to_owned).collect();
        match Options::parse(&DECLARATION, "test", manner, words) {
            Ok(options) => Ok(options),
            Err(Failure::Usage(why)) => Err(why),
            Err(other) => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_flag_comes_in_all_of_joptsimples_forms() {
        let options =
            parse(Manner::Kafkas, "--topic=a=b --boot h:1 --topic -1 --list --state --list").unwrap();
        assert_eq!(options.all("topic").collect::<Vec<_>>(), ["a=b", "-1"]);
        assert!(options.value("topic").is_err(), "twice");
        assert_eq!(options.bootstrap().unwrap(), "h:1");
        assert!(options.has("list") && options.has("state") && options.all("state").next().is_none());
        assert_eq!(parse(Manner::Kafkas, "--state Stable").unwrap().value("state").unwrap(), Some("Stable"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, named) in [
            ("--topi x", "--topic-id"),
            ("--list=yes", "--list"),
            ("--topic", "--topic"),
            ("--nothing", "--nothing"),
            ("word", "`word`"),
            ("", "A test."),
        ] {
            let why = parse(Manner::Kafkas, line).unwrap_err();
            assert!(why.contains(named), "{line}: {why}");
        }
    }

    #[test]
    fn our_manner_has_defaults_and_takes_a_word() {
        let options = parse(Manner::Ours, "orders --list").unwrap();
        assert_eq!(options.value("topic").unwrap(), Some("orders"));
        assert_eq!(options.bootstrap().unwrap(), OUR_BOOTSTRAP);
        assert!(parse(Manner::Ours, "orders more").is_err());
        assert!(parse(Manner::Kafkas, "--list").unwrap().bootstrap().is_err());
    }
}
