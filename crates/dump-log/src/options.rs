//! The flags of `kafka-dump-log.sh` 4.1, and two of our own: `--format` and `--producer-id`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::coordinator::Topic;
use crate::decoder::{Decoder, Text};

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Task {
    /// `--version`.
    Version,
    /// Dump these files.
    Dump(Options),
}

/// How to dump.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    /// The files, in order.
    pub(crate) files: Vec<PathBuf>,
    /// Whether to show records at all.
    pub(crate) deep: bool,
    /// Whether to show keys and values, and how.
    pub(crate) contents: Option<Decoder>,
    /// Whether to leave out all of a record but key and value.
    pub(crate) skip_record_metadata: bool,
    /// Only check that an index is sane.
    pub(crate) index_sanity_check: bool,
    /// Compare an index with its log, but do not print it.
    pub(crate) verify_index_only: bool,
    /// How much of the log to look at behind each position of an index, in bytes.
    pub(crate) max_message_size: u64,
    /// How much of each log to read, in bytes; `None`: all.
    pub(crate) max_bytes: Option<u64>,
    /// Text or JSON.
    pub(crate) format: Format,
    /// Show only this producer's batches, and what is odd about them.
    pub(crate) producer_id: Option<i64>,
    /// Words that belong to no flag. Kafka's tool passes over them without a word.
    pub(crate) stray: Vec<String>,
}

/// What the output looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// To the byte what Kafka's tool prints.
    Text,
    /// One object per batch, record or entry.
    Json,
}

/// Why the arguments are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    /// No argument, `--help`, or no file: the usage is shown. The text says why.
    #[error("{0}")]
    Usage(String),
    /// Anything else.
    #[error("{0}")]
    Wrong(String),
}

/// The usage, in the order in which people need it.
pub(crate) const USAGE: &str = "\
Usage: ottla dump-log --files FILE[,FILE...] [option]...

Shows what is in the files of a Kafka log directory, Ottla's or Apache Kafka's, and changes nothing.

  --files FILE[,FILE...]         .log, .checkpoint, .index, .timeindex, .txnindex and .snapshot files
  --deep-iteration               show each record, not only the batches
  --print-data-log               show keys and values as well; implies --deep-iteration
  --skip-record-metadata         of each record show only key and value
  --key-decoder-class CLASS      how to show keys; implies --print-data-log
  --value-decoder-class CLASS    how to show values; implies --print-data-log
  --offsets-decoder              keys and values are records of __consumer_offsets; implies --print-data-log
  --transaction-log-decoder      the same for __transaction_state
  --share-group-state-decoder    the same for __share_group_state
  --cluster-metadata-decoder     values are records of __cluster_metadata; implies --print-data-log
  --max-bytes N                  read only the first N bytes of each .log or .checkpoint
  --index-sanity-check           of an index, only check that it is sane
  --verify-index-only            of an index, only compare it with its log
  --max-message-size N           bytes of the log to look at for each entry of an .index (default 5242880)
  --format text|json             Kafka's own text (default), or one JSON object per line for jq
  --producer-id N                only the batches of producer N, with gaps, duplicates and epoch changes marked
  --version                      Ottla's version
  --help                         this text

CLASS is one of Kafka's decoders (org.apache.kafka.tools.api.StringDecoder, IntegerDecoder, LongDecoder,
DefaultDecoder; also under their old package kafka.serializer) or deserializers
(org.apache.kafka.common.serialization.StringDeserializer, IntegerDeserializer, UUIDDeserializer...).
";

/// Kafka's decoder whose records this version cannot read.
const REFUSED: (&str, &str) = ("remote-log-metadata-decoder", "__remote_log_metadata");

/// Reads the arguments: `--flag value` and `--flag=value`; a bare `--` ends them.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Task, UsageError> {
    let mut words = Words::new(args)?;
    if words.is_empty() {
        return Err(UsageError::Usage("No file is named.".to_owned()));
    }
    let mut given = Given::default();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--") else {
            given.stray.push(word);
            continue;
        };
        if flag.is_empty() {
            given.stray.extend(words.by_ref());
            break;
        }
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        given.take(name, value, &mut words)?;
    }
    given.finish()
}

/// The arguments as text.
struct Words {
    words: std::iter::Peekable<std::vec::IntoIter<String>>,
}

impl Words {
    fn new(args: impl Iterator<Item = OsString>) -> Result<Self, UsageError> {
        let words: Result<Vec<_>, _> = args.map(OsString::into_string).collect();
        match words {
            Ok(words) => Ok(Self { words: words.into_iter().peekable() }),
            Err(word) => Err(UsageError::Wrong(format!("an argument is not UTF-8: {}", word.display()))),
        }
    }

    fn is_empty(&mut self) -> bool {
        self.words.peek().is_none()
    }

    /// The value of a flag that may go without: the next word, unless it is a flag.
    fn optional_value(&mut self) -> Option<String> {
        self.words.next_if(|word| !word.starts_with('-'))
    }
}

impl Iterator for Words {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.words.next()
    }
}

/// What has been given so far.
#[derive(Default)]
struct Given {
    help: bool,
    version: bool,
    files: Option<Vec<PathBuf>>,
    deep: bool,
    print: bool,
    skip: bool,
    sanity: bool,
    verify: bool,
    offsets: bool,
    transactions: bool,
    share_groups: bool,
    metadata: bool,
    key: Option<Text>,
    value: Option<Text>,
    max_message_size: Option<i32>,
    max_bytes: Option<i32>,
    format: Option<Format>,
    producer_id: Option<i64>,
    stray: Vec<String>,
}

impl Given {
    fn take(&mut self, name: &str, value: Option<String>, words: &mut Words) -> Result<(), UsageError> {
        let (refused, topic) = REFUSED;
        if name == refused {
            return Err(UsageError::Wrong(format!(
                "--{name} is not there yet: this version of ottla does not read the records of {topic}. \
                 --print-data-log shows their bytes as text"
            )));
        }
        let switch = |on: &mut bool| match &value {
            None => {
                *on = true;
                Ok(())
            }
            Some(value) => {
                Err(UsageError::Wrong(format!("--{name} takes no value, but {value:?} was given")))
            }
        };
        match name {
            "help" => return switch(&mut self.help),
            "version" => return switch(&mut self.version),
            "deep-iteration" => return switch(&mut self.deep),
            "print-data-log" => return switch(&mut self.print),
            "skip-record-metadata" => return switch(&mut self.skip),
            "index-sanity-check" => return switch(&mut self.sanity),
            "verify-index-only" => return switch(&mut self.verify),
            "offsets-decoder" => return switch(&mut self.offsets),
            "transaction-log-decoder" => return switch(&mut self.transactions),
            "share-group-state-decoder" => return switch(&mut self.share_groups),
            "cluster-metadata-decoder" => return switch(&mut self.metadata),
            _ => {}
        }
        let class = |value: Option<String>, words: &mut Words| {
            match value.or_else(|| words.optional_value()) {
            None => Ok(Text::String),
            Some(class) => Text::of_class(&class).ok_or_else(|| {
                UsageError::Wrong(format!(
                    "--{name} {class}: this class is not known; --help names those that are. Classes of one's own \
                     cannot be loaded"
                ))
            }),
        }
        };
        match name {
            "key-decoder-class" => return once(name, &mut self.key, class(value, words)?),
            "value-decoder-class" => return once(name, &mut self.value, class(value, words)?),
            _ => {}
        }
        let required = |words: &mut Words| {
            value.or_else(|| words.next()).ok_or_else(|| UsageError::Wrong(format!("--{name} needs a value")))
        };
        match name {
            "files" => {
                // Said more than once, which Kafka's tool refuses, the lists add up.
                let list = required(words)?;
                let files = list.split(',').filter(|file| !file.is_empty()).map(PathBuf::from);
                self.files.get_or_insert_default().extend(files);
                Ok(())
            }
            "max-message-size" => once(name, &mut self.max_message_size, size(name, &required(words)?)?),
            "max-bytes" => once(name, &mut self.max_bytes, size(name, &required(words)?)?),
            "producer-id" => once(name, &mut self.producer_id, number(name, &required(words)?)?),
            "format" => {
                let format = match required(words)?.as_str() {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    other => {
                        return Err(UsageError::Wrong(format!(
                            "--format {other}: allowed are text and json"
                        )));
                    }
                };
                once(name, &mut self.format, format)
            }
            _ => Err(UsageError::Wrong(format!(
                "--{name} is no option of dump-log; --help shows those there are"
            ))),
        }
    }

    fn finish(self) -> Result<Task, UsageError> {
        if self.help {
            return Err(UsageError::Usage(String::new()));
        }
        if self.version {
            return Ok(Task::Version);
        }
        let files = self.files.filter(|files| !files.is_empty()).ok_or_else(|| {
            UsageError::Usage("--files is missing: the files to be dumped, separated by commas.".to_owned())
        })?;
        // Of several the first of these is taken.
        let decoder = match (self.key, self.value) {
            _ if self.offsets => Some(Decoder::Coordinator(Topic::Offsets)),
            _ if self.transactions => Some(Decoder::Coordinator(Topic::Transactions)),
            _ if self.metadata => Some(Decoder::ClusterMetadata),
            _ if self.share_groups => Some(Decoder::Coordinator(Topic::ShareGroups)),
            (None, None) => self.print.then(Decoder::default),
            (key, value) => {
                Some(Decoder::Texts { key: key.unwrap_or_default(), value: value.unwrap_or_default() })
            }
        };
        Ok(Task::Dump(Options {
            files,
            deep: self.deep || decoder.is_some(),
            contents: decoder,
            skip_record_metadata: self.skip,
            index_sanity_check: self.sanity,
            verify_index_only: self.verify,
            max_message_size: self.max_message_size.map_or(5 * 1024 * 1024, |size| size as u64),
            // The largest number is Kafka's default, and with it the bytes behind the last batch are counted.
            max_bytes: self.max_bytes.filter(|&bytes| bytes != i32::MAX).map(|bytes| bytes as u64),
            format: self.format.unwrap_or(Format::Text),
            producer_id: self.producer_id,
            stray: self.stray,
        }))
    }
}

fn once<T>(name: &str, slot: &mut Option<T>, value: T) -> Result<(), UsageError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(UsageError::Wrong(format!("--{name} was given twice"))),
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, UsageError> {
    value
        .parse()
        .map_err(|_| UsageError::Wrong(format!("--{name} {value}: this is not a whole number in its range")))
}

/// A number of bytes: from 0 to 2147483647, as in Kafka.
fn size(name: &str, value: &str) -> Result<i32, UsageError> {
    match number(name, value)? {
        size @ 0.. => Ok(size),
        negative => Err(UsageError::Wrong(format!("--{name} {negative}: a size is not negative"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Options {
        match parsed(line) {
            Ok(Task::Dump(options)) => options,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn refusal(line: &str) -> String {
        match parsed(line) {
            Err(UsageError::Wrong(why)) => why,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn files_are_separated_by_commas() {
        assert_eq!(options("--files a.log,b.log").files, [PathBuf::from("a.log"), PathBuf::from("b.log")]);
        assert_eq!(options("--files=a.log, --files b.log").files.len(), 2);
        assert!(matches!(parsed("--deep-iteration"), Err(UsageError::Usage(why)) if why.contains("--files")));
        assert!(matches!(parsed("--files ,"), Err(UsageError::Usage(_))));
        assert!(matches!(parsed(""), Err(UsageError::Usage(_))));
        assert!(matches!(parsed("--files a.log --help"), Err(UsageError::Usage(_))));
        assert_eq!(parsed("--version"), Ok(Task::Version));
        assert_eq!(options("--files a.log b.log -- --deep-iteration").stray, ["b.log", "--deep-iteration"]);
    }

    #[test]
    fn what_shows_contents_shows_records() {
        let plain = options("--files a.log");
        assert!(!plain.deep && plain.contents.is_none());
        assert!(options("--files a.log --deep-iteration").contents.is_none());
        for flag in [
            "--print-data-log",
            "--key-decoder-class",
            "--value-decoder-class",
            "--offsets-decoder",
            "--transaction-log-decoder",
            "--share-group-state-decoder",
            "--cluster-metadata-decoder",
        ] {
            let shown = options(&format!("--files a.log {flag}"));
            assert!(shown.deep && shown.contents.is_some(), "{flag}");
        }
    }

    #[test]
    fn a_decoder_class_may_be_left_out_and_metadata_comes_first() {
        let texts = |key, value| Some(Decoder::Texts { key, value });
        let line =
            "--files a --key-decoder-class --value-decoder-class org.apache.kafka.tools.api.LongDecoder";
        assert_eq!(options(line).contents, texts(Text::String, Text::Long));
        let line = "--files a --key-decoder-class=kafka.serializer.IntegerDecoder";
        assert_eq!(options(line).contents, texts(Text::Integer, Text::String));
        assert_eq!(
            options(&format!("{line} --cluster-metadata-decoder")).contents,
            Some(Decoder::ClusterMetadata)
        );
        assert!(refusal("--files a --value-decoder-class my.Decoder").contains("my.Decoder"));
    }

    #[test]
    fn of_several_decoders_one_is_taken() {
        let flags = [
            ("--offsets-decoder", Decoder::Coordinator(Topic::Offsets)),
            ("--transaction-log-decoder", Decoder::Coordinator(Topic::Transactions)),
            ("--cluster-metadata-decoder", Decoder::ClusterMetadata),
            ("--share-group-state-decoder", Decoder::Coordinator(Topic::ShareGroups)),
            ("--key-decoder-class", Decoder::default()),
        ];
        for (at, (_, taken)) in flags.into_iter().enumerate() {
            let mut words: Vec<_> = flags[at..].iter().map(|(flag, _)| *flag).collect();
            words.reverse();
            assert_eq!(options(&format!("--files a.log {}", words.join(" "))).contents, Some(taken));
        }
    }

    #[test]
    fn the_decoder_that_is_not_there_is_refused_by_name() {
        let (flag, topic) = REFUSED;
        let why = refusal(&format!("--files a.log --{flag}"));
        assert!(why.contains(flag) && why.contains(topic), "{why}");
    }

    #[test]
    fn sizes_and_numbers_are_checked() {
        assert_eq!(options("--files a --max-bytes 100").max_bytes, Some(100));
        assert_eq!(options("--files a --max-bytes 2147483647").max_bytes, None);
        assert_eq!(options("--files a --max-message-size=7").max_message_size, 7);
        assert_eq!(options("--files a --producer-id 3001").producer_id, Some(3001));
        assert_eq!(options("--files a --format json").format, Format::Json);
        for wrong in [
            "--max-bytes -1",
            "--max-bytes 2147483648",
            "--max-bytes",
            "--max-bytes 1 --max-bytes 2",
            "--max-message-size x",
            "--producer-id 1.5",
            "--format yaml",
            "--deep-iteration=yes",
            "--deep",
            "--frobnicate",
        ] {
            assert!(refusal(&format!("--files a {wrong}")).contains("--"), "{wrong}");
        }
    }
}
