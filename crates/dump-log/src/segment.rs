//! Dumping a `.log` or `.checkpoint` file: its batches, and their records where they are asked for.

use std::path::Path;

use base::Offset;
use records::{Attributes, BatchError, BatchHeader, RecordStream, RecordView};

use crate::batch::{Batch, Kind, increment_sequence};
use crate::control::Control;
use crate::coordinator::{self, Told};
use crate::decoder::{Decoder, metadata_record};
use crate::error::DumpError;
use crate::findings::Findings;
use crate::log_file::LogFile;
use crate::old_format;
use crate::options::Options;
use crate::producer::Producer;
use crate::progress::Progress;
use crate::show::{Contents, Show, Shown, V2};

/// The most that the records of one batch may unpack to. They go by one after the other; only one is held.
const MOST_UNPACKED: usize = i32::MAX as usize;

/// Dumps one file.
pub(crate) struct SegmentDump<'a, 'b> {
    pub(crate) options: &'a Options,
    pub(crate) show: &'a mut Show<'b>,
    pub(crate) findings: &'a mut Findings,
    pub(crate) producer: Option<&'a mut Producer>,
}

impl SegmentDump<'_, '_> {
    /// Dumps the file at `path`, which is called `shown`.
    pub(crate) fn run(
        &mut self,
        path: &Path,
        shown: &str,
        progress: &mut Progress<'_>,
    ) -> Result<(), DumpError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.show.text(&second_line(&name))?;
        let mut file = LogFile::open(path, shown)?;
        let mut walk = file.walk(0, self.options.max_bytes.unwrap_or(u64::MAX));
        // -1: no record has been seen yet.
        let mut last_offset = -1;
        while let Some(batch) = file.next_batch(&mut walk)? {
            progress.at(walk.position, walk.end);
            let marks = match &mut self.producer {
                None => Vec::new(),
                Some(producer) => match producer.judge(&batch) {
                    None => continue,
                    Some(marks) => marks,
                },
            };
            let valid = file.is_valid(&batch)?;
            self.show.batch(&batch, valid, &marks)?;
            for mark in &marks {
                self.show.text(&format!("! {mark}\n"))?;
            }
            if self.options.deep {
                let bytes = file.batch_bytes(&batch, valid)?;
                self.records(&batch, bytes, path, shown, &mut last_offset)?;
            }
        }
        progress.done();
        let trailing = walk.end - walk.position;
        if trailing > 0 && self.options.max_bytes.is_none() {
            let text = format!("Found {trailing} invalid bytes at the end of {name}\n");
            self.show
                .entry(&text, |object| object.text("type", "trailing").number("invalidBytes", trailing))?;
        }
        Ok(())
    }

    fn records(
        &mut self,
        batch: &Batch,
        bytes: &[u8],
        path: &Path,
        shown: &str,
        last_offset: &mut i64,
    ) -> Result<(), DumpError> {
        let place = |why: String| {
            DumpError::Damaged(format!(
                "{shown}: the records of the batch at position {}: {why}",
                batch.position
            ))
        };
        match &batch.kind {
            Kind::V2(header) => {
                let compressed = header.attributes.codec().is_ok_and(|codec| codec != records::Codec::None);
                let mut stream = match RecordStream::open(bytes, MOST_UNPACKED) {
                    Ok(stream) => stream,
                    Err(error) => return Err(place(error.to_string())),
                };
                // Kafka unpacks all records of a compressed batch before it shows the first, and notices that bytes are
                // left over before it shows the last: what is shown is held back until then.
                self.show.hold();
                loop {
                    let record = match stream.next_record() {
                        Ok(record) => record,
                        Err(error) => {
                            self.end_of_bad_batch(compressed, &error)?;
                            return Err(place(error.to_string()));
                        }
                    };
                    if !compressed {
                        self.show.let_go()?;
                        self.show.hold();
                    }
                    let Some(record) = record else { break };
                    self.follow(record.offset(header), path, last_offset);
                    if let Err(why) = self.v2_record(header, &record) {
                        self.show.let_go()?;
                        return Err(match why {
                            RecordEnd::Dump(error) => error,
                            RecordEnd::Unreadable(why) => place(why),
                        });
                    }
                }
                self.show.let_go()
            }
            Kind::Old(message) => {
                for record in old_format::records(message, bytes).map_err(place)? {
                    self.follow(Offset(record.message.offset), path, last_offset);
                    let shown = Shown {
                        offset: record.message.offset,
                        timestamp_type: message.timestamp_type(),
                        timestamp: record.timestamp,
                        key: record.key.as_deref(),
                        value: record.value.as_deref(),
                        v2: None,
                        old: Some((record.valid, record.message.crc)),
                    };
                    self.record(&shown, None).map_err(|end| match end {
                        RecordEnd::Dump(error) => error,
                        RecordEnd::Unreadable(why) => place(why),
                    })?;
                }
                Ok(())
            }
        }
    }

    /// The batch cannot be read to its end: of a compressed one nothing is shown, of another the records before.
    fn end_of_bad_batch(&mut self, compressed: bool, error: &BatchError) -> Result<(), DumpError> {
        // The record in front of left-over bytes is the one still held.
        if compressed || matches!(error, BatchError::LeftOver(_)) {
            self.show.forget();
            return Ok(());
        }
        self.show.let_go()
    }

    fn v2_record(&mut self, header: &BatchHeader, record: &RecordView<'_>) -> Result<(), RecordEnd> {
        let sequence = match header.base_sequence.0 {
            base @ 0.. => increment_sequence(base, record.offset_delta),
            _ => -1,
        };
        let shown = Shown {
            offset: record.offset(header).0,
            timestamp_type: header.attributes.timestamp_type().name(),
            timestamp: record.timestamp(header).0,
            key: record.key,
            value: record.value,
            v2: Some(V2 { sequence, headers: record.headers }),
            old: None,
        };
        self.record(&shown, header.attributes.is_control().then_some((header.attributes, record)))
    }

    fn record(
        &mut self,
        shown: &Shown<'_>,
        control: Option<(Attributes, &RecordView<'_>)>,
    ) -> Result<(), RecordEnd> {
        let skip = self.options.skip_record_metadata;
        self.show.record_start(shown, skip)?;
        let mut contents = Contents::default();
        let control = match control {
            Some(_) if skip => None,
            Some((_, record)) => {
                Some(Control::read(record).map_err(|error| RecordEnd::Unreadable(error.to_string()))?)
            }
            None => {
                if let Some(decoder) = self.options.contents {
                    contents = decoded(decoder, shown)?;
                }
                None
            }
        };
        self.show.record_end(shown, skip, control.as_ref(), &contents)?;
        Ok(())
    }

    /// Notes where offsets do not follow each other.
    fn follow(&mut self, offset: Offset, path: &Path, last_offset: &mut i64) {
        // Between one producer's records lie those of others.
        if self.producer.is_none() && *last_offset != -1 && offset.0 != last_offset.wrapping_add(1) {
            self.findings.not_consecutive(path, *last_offset, offset.0);
        }
        *last_offset = offset.0;
    }
}

/// What ends a record, and with it the dump.
enum RecordEnd {
    Dump(DumpError),
    Unreadable(String),
}

impl From<DumpError> for RecordEnd {
    fn from(error: DumpError) -> Self {
        Self::Dump(error)
    }
}

fn decoded(decoder: Decoder, record: &Shown<'_>) -> Result<Contents, RecordEnd> {
    match decoder {
        Decoder::Texts { key, value } => {
            let show = |text: crate::decoder::Text, bytes: Option<&[u8]>| {
                bytes
                    .map(|bytes| text.show(bytes))
                    .transpose()
                    .map_err(|why| RecordEnd::Unreadable(why.to_string()))
            };
            Ok(Contents {
                key: show(key, record.key)?,
                value: show(value, record.value)?,
                ..Contents::default()
            })
        }
        Decoder::Coordinator(topic) => {
            let told = coordinator::record(topic, record.key, record.value, Offset(record.offset));
            Ok(match told.map_err(|why| RecordEnd::Unreadable(why.to_string()))? {
                Told::Record(key, value) => Contents {
                    key: Some(key),
                    key_is_json: true,
                    value: Some(value.unwrap_or_else(|| "<DELETE>".to_owned())),
                    value_is_json: true,
                },
                Told::Note(note) => Contents { key: Some(note), ..Contents::default() },
            })
        }
        Decoder::ClusterMetadata => {
            let (value, value_is_json) = match metadata_record(record.value, Offset(record.offset)) {
                Ok(json) => (json, true),
                Err(note) => (note, false),
            };
            Ok(Contents { value: Some(value), value_is_json, ..Contents::default() })
        }
    }
}

/// The line that says what the file's name does. A name that says nothing gets none; Kafka's tool ends there.
fn second_line(name: &str) -> String {
    if name == "bootstrap.checkpoint" {
        return "KRaft bootstrap snapshot\n".to_owned();
    }
    if name.ends_with(".checkpoint") {
        return match snapshot_name(name) {
            Some((offset, epoch)) => format!("Snapshot end offset: {offset}, epoch: {epoch}\n"),
            None => String::new(),
        };
    }
    base_offset(name).map_or_else(String::new, |base| format!("Log starting offset: {base}\n"))
}

/// End offset and epoch of a snapshot of the metadata log: 20 digits, one letter, 10 digits.
fn snapshot_name(name: &str) -> Option<(i64, i32)> {
    Some((name.get(..20)?.parse().ok()?, name.get(21..31)?.parse().ok()?))
}

/// The base offset that a file's name begins with.
pub(crate) fn base_offset(name: &str) -> Option<i64> {
    name.split('.').next()?.parse().ok()
}
