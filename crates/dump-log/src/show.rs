//! The output: Kafka's own text to the byte, or one JSON object per batch, record or entry.

mod json;

use std::fmt::Write as _;
use std::io::Write;

use records::{BatchHeader, Headers};

use crate::batch::{Batch, Kind, increment_sequence};
use crate::control::Control;
use crate::error::DumpError;
use crate::java_text;
use crate::options::Format;
pub(crate) use json::Object;

/// Where the output goes, in what form, and of which file it speaks.
pub(crate) struct Show<'a> {
    out: &'a mut dyn Write,
    format: Format,
    file: String,
    /// Lines that are not out yet: they may turn out not to belong there.
    held: Vec<u8>,
    holding: bool,
}

/// How much is held back at most: what a batch of a usual size shows.
const MOST_HELD: usize = 4 * 1024 * 1024;

/// A record as it is shown.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) offset: i64,
    pub(crate) timestamp_type: &'static str,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    /// What only records of format v2 have.
    pub(crate) v2: Option<V2<'a>>,
    /// What only records of the formats before have: whether the CRC is right, and the CRC.
    pub(crate) old: Option<(bool, u32)>,
}

/// What only records of format v2 have.
#[derive(Debug)]
pub(crate) struct V2<'a> {
    pub(crate) sequence: i32,
    pub(crate) headers: Headers<'a>,
}

/// Key and value as text, where they are shown.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) key: Option<String>,
    /// Whether the key is JSON already.
    pub(crate) key_is_json: bool,
    pub(crate) value: Option<String>,
    /// Whether the value is JSON already.
    pub(crate) value_is_json: bool,
}

impl<'a> Show<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, format: Format) -> Self {
        Self { out, format, file: String::new(), held: Vec::new(), holding: false }
    }

    /// The first line of every file.
    pub(crate) fn file(&mut self, shown: &str) -> Result<(), DumpError> {
        shown.clone_into(&mut self.file);
        self.text(&format!("Dumping {shown}\n"))
    }

    /// A line that only text has; where JSON says the same it says it in each object.
    pub(crate) fn text(&mut self, line: &str) -> Result<(), DumpError> {
        match self.format {
            Format::Text => self.put(line.as_bytes()),
            Format::Json => Ok(()),
        }
    }

    /// An entry of an index or a snapshot: a line of text, or an object of this type.
    pub(crate) fn entry(
        &mut self,
        text: &str,
        object: impl FnOnce(Object) -> Object,
    ) -> Result<(), DumpError> {
        match self.format {
            Format::Text => self.put(text.as_bytes()),
            Format::Json => {
                let object = object(Object::new(&self.file));
                self.object(object)
            }
        }
    }

    fn object(&mut self, object: Object) -> Result<(), DumpError> {
        self.put(object.finish().as_bytes())
    }

    /// The line of a batch. In JSON, `marks` say what is odd about it.
    pub(crate) fn batch(&mut self, batch: &Batch, valid: bool, marks: &[String]) -> Result<(), DumpError> {
        let (codec, timestamp_type, max_timestamp, magic, crc) = match &batch.kind {
            Kind::V2(header) => (
                header.attributes.codec().map_err(|error| error.to_string()),
                header.attributes.timestamp_type().name(),
                header.max_timestamp.0,
                header.magic,
                header.crc,
            ),
            Kind::Old(message) => {
                (message.codec(), message.timestamp_type(), message.timestamp, message.magic, message.crc)
            }
        };
        let damaged = |why| {
            DumpError::Damaged(format!("{}: the batch at position {}: {why}", self.file, batch.position))
        };
        match self.format {
            Format::Text => {
                let mut line = String::with_capacity(400);
                match &batch.kind {
                    Kind::V2(header) => v2_fields(header, &mut line),
                    Kind::Old(message) => write!(line, "offset: {}", message.offset).expect(STRING),
                }
                let codec = match codec {
                    Ok(codec) => codec,
                    Err(why) => {
                        let why = damaged(why);
                        self.put(line.as_bytes())?;
                        return Err(why);
                    }
                };
                writeln!(
                    line,
                    " position: {} {timestamp_type}: {max_timestamp} size: {} magic: {magic} compresscodec: {codec} \
                     crc: {crc} isvalid: {valid}",
                    batch.position, batch.size
                )
                .expect(STRING);
                self.put(line.as_bytes())
            }
            Format::Json => {
                let mut object = Object::new(&self.file).text("type", "batch");
                object = match &batch.kind {
                    Kind::V2(header) => v2_object(header, object),
                    Kind::Old(message) => object.number("offset", message.offset),
                };
                object = object
                    .number("position", batch.position)
                    .text("timestampType", timestamp_type)
                    .number("maxTimestamp", max_timestamp)
                    .number("size", batch.size)
                    .number("magic", magic)
                    .text("compresscodec", codec.map_err(damaged)?.name())
                    .number("crc", crc)
                    .flag("isvalid", valid);
                if !marks.is_empty() {
                    object = object.texts("marks", marks.iter().map(String::as_str));
                }
                self.object(object)
            }
        }
    }

    /// The line of a record up to what a control record or a decoder adds, which may fail; [`Self::record_end`] ends it.
    /// Nothing in JSON, where a record is one object or none.
    pub(crate) fn record_start(&mut self, record: &Shown<'_>, skip_metadata: bool) -> Result<(), DumpError> {
        if skip_metadata || self.format == Format::Json {
            return Ok(());
        }
        let size = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
        let mut line = String::with_capacity(200);
        write!(
            line,
            "| offset: {} {}: {} keySize: {} valueSize: {}",
            record.offset,
            record.timestamp_type,
            record.timestamp,
            size(record.key),
            size(record.value)
        )
        .expect(STRING);
        if let Some(V2 { sequence, headers }) = &record.v2 {
            write!(line, " sequence: {sequence} headerKeys: [").expect(STRING);
            for (at, (key, _)) in headers.iter().enumerate() {
                if at > 0 {
                    line.push(',');
                }
                line.push_str(&java_text::utf8(key));
            }
            line.push(']');
        }
        if let Some((valid, crc)) = record.old {
            // The brace is a slip of Kafka's tool, which scripts may have learned to expect.
            write!(line, " isValid: {valid} crc: {crc}}}").expect(STRING);
        }
        self.put(line.as_bytes())
    }

    /// The rest of a record's line, or all of its object.
    pub(crate) fn record_end(
        &mut self,
        record: &Shown<'_>,
        skip_metadata: bool,
        control: Option<&Control>,
        contents: &Contents,
    ) -> Result<(), DumpError> {
        if self.format == Format::Json {
            let object = record_object(Object::new(&self.file), record, skip_metadata, control, contents);
            return self.object(object);
        }
        let mut line = String::new();
        if let Some(control) = control.filter(|_| !skip_metadata) {
            line.push_str(&control.text());
        }
        if let Some(key) = &contents.key {
            write!(line, "{}key: {key}", if skip_metadata { "| " } else { " " }).expect(STRING);
        }
        if let Some(value) = &contents.value {
            write!(line, " payload: {value}").expect(STRING);
        }
        line.push('\n');
        self.put(line.as_bytes())
    }

    /// What is put out from now on is held back, as far as it is not too much to be held.
    pub(crate) fn hold(&mut self) {
        self.holding = true;
    }

    /// What was held back goes out.
    pub(crate) fn let_go(&mut self) -> Result<(), DumpError> {
        self.holding = false;
        let result = self.out.write_all(&self.held).map_err(DumpError::Output);
        self.held.clear();
        result
    }

    /// What was held back is forgotten.
    pub(crate) fn forget(&mut self) {
        self.holding = false;
        self.held.clear();
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), DumpError> {
        if !self.holding {
            return self.out.write_all(bytes).map_err(DumpError::Output);
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() > MOST_HELD {
            self.let_go()?;
        }
        Ok(())
    }
}

const STRING: &str = "a String takes everything";

fn v2_fields(header: &BatchHeader, line: &mut String) {
    write!(
        line,
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} \
         partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: ",
        header.base_offset,
        header.last_offset(),
        header.record_count,
        header.base_sequence,
        last_sequence(header),
        header.producer_id,
        header.producer_epoch,
        header.leader_epoch,
        header.attributes.is_transactional(),
        header.attributes.is_control(),
    )
    .expect(STRING);
    match header.delete_horizon() {
        None => line.push_str("OptionalLong.empty"),
        Some(horizon) => write!(line, "OptionalLong[{horizon}]").expect(STRING),
    }
}

fn v2_object(header: &BatchHeader, object: Object) -> Object {
    object
        .number("baseOffset", header.base_offset)
        .number("lastOffset", header.last_offset())
        .number("count", header.record_count)
        .number("baseSequence", header.base_sequence)
        .number("lastSequence", last_sequence(header))
        .number("producerId", header.producer_id)
        .number("producerEpoch", header.producer_epoch)
        .number("partitionLeaderEpoch", header.leader_epoch)
        .flag("isTransactional", header.attributes.is_transactional())
        .flag("isControl", header.attributes.is_control())
        .number_or_null("deleteHorizonMs", header.delete_horizon())
}

fn last_sequence(header: &BatchHeader) -> i32 {
    match header.base_sequence.0 {
        -1 => -1,
        base => increment_sequence(base, header.last_offset_delta),
    }
}

fn record_object(
    mut object: Object,
    record: &Shown<'_>,
    skip_metadata: bool,
    control: Option<&Control>,
    contents: &Contents,
) -> Object {
    object = object.text("type", "record").number("offset", record.offset);
    if !skip_metadata {
        object = object
            .text("timestampType", record.timestamp_type)
            .number("timestamp", record.timestamp)
            .number_or_null("keySize", record.key.map(<[u8]>::len))
            .number_or_null("valueSize", record.value.map(<[u8]>::len));
        if let Some(V2 { sequence, headers }) = &record.v2 {
            object = object.number("sequence", sequence).raw("headers", &json::headers(headers));
        }
        if let Some((valid, crc)) = record.old {
            object = object.flag("isValid", valid).number("crc", crc);
        }
        if let Some(control) = control {
            object = object.raw("control", &control.json());
        }
    }
    if let Some(key) = &contents.key {
        object = if contents.key_is_json { object.raw("key", key) } else { object.text("key", key) };
    }
    if let Some(value) = &contents.value {
        object = match record.value {
            // Kafka has a word for a tombstone, which is no JSON.
            None if contents.value_is_json => object.raw("value", "null"),
            _ if contents.value_is_json => object.raw("value", value),
            _ => object.text("value", value),
        };
    }
    object
}
