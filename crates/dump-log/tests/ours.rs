//! What Kafka's tool does not have: JSON, one producer's view, and what happens to files and arguments it chokes on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base::{LeaderEpoch, Millis, Offset, ProducerEpoch, ProducerId, Sequence};
use records::{BatchBuilder, Codec, NewRecord};
use serde_json::Value;

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/dump-log")
        .join(name)
        .display()
        .to_string()
}

fn run(args: &[&str]) -> (i32, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = dump_log::run(args.iter().map(OsString::from), &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn json(args: &[&str]) -> Vec<Value> {
    let (code, out, err) = run(&[args, &["--format", "json"]].concat());
    assert_eq!((code, &*err), (0, ""), "{args:?}");
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

fn log(dir: &tempfile::TempDir, batches: &[u8]) -> PathBuf {
    let path = dir.path().join("00000000000000000000.log");
    std::fs::write(&path, batches).unwrap();
    path
}

/// A batch of `count` records that begins at `offset`.
fn batch(offset: i64, producer: (i64, i16, i32), count: usize, codec: Codec) -> Vec<u8> {
    let (id, epoch, sequence) = producer;
    let mut batch = BatchBuilder::new(Offset(offset))
        .leader_epoch(LeaderEpoch(0))
        .codec(codec, None)
        .producer(ProducerId(id), ProducerEpoch(epoch), Sequence(sequence));
    for _ in 0..count {
        batch.push(&NewRecord {
            timestamp: Millis(1_700_000_000_000),
            value: Some(b"value"),
            ..NewRecord::default()
        });
    }
    batch.build().to_vec()
}

#[test]
fn json_has_an_object_for_each_batch_and_record() {
    let file = fixture("idempotent/00000000000000000000.log");
    let batches = json(&["--files", &file]);
    assert_eq!(batches.len(), 6);
    let (_, out, _) = run(&["--files", &file, "--format", "json"]);
    let second = format!(
        "{{\"file\":\"{file}\",\"type\":\"batch\",\"baseOffset\":4,\"lastOffset\":4,\"count\":1,\"baseSequence\":4,\
         \"lastSequence\":4,\"producerId\":0,\"producerEpoch\":0,\"partitionLeaderEpoch\":0,\
         \"isTransactional\":false,\"isControl\":false,\"deleteHorizonMs\":null,\"position\":153,\
         \"timestampType\":\"CreateTime\",\"maxTimestamp\":1700000000004,\"size\":84,\"magic\":2,\
         \"compresscodec\":\"none\",\"crc\":1142704010,\"isvalid\":true}}"
    );
    assert_eq!(out.lines().nth(1), Some(&*second), "the members have Kafka's names and order");
    let objects = json(&["--files", &file, "--print-data-log"]);
    assert_eq!(objects.len(), 6 + 20);
    assert_eq!(objects[0]["type"], "batch");
    assert_eq!((&objects[1]["type"], &objects[1]["offset"]), (&"record".into(), &0.into()));
    assert_eq!(objects[1]["value"], "{\"msg_count\": 0}");
    assert_eq!(objects[1].get("key"), None);
    assert_eq!((&objects[1]["keySize"], &objects[1]["valueSize"]), (&Value::Null, &16.into()));
    assert_eq!(objects[1]["headers"], Value::Array(vec![]));
}

#[test]
fn json_shows_headers_control_records_and_metadata_as_json() {
    let codecs = json(&["--files", &fixture("codecs/00000000000000000000.log"), "--print-data-log"]);
    let first = &codecs[1];
    assert_eq!(first["headers"][0], serde_json::json!({"key": "trace", "value": "1"}));
    assert_eq!(first["headers"][1], serde_json::json!({"key": "trace", "value": null}));
    assert_eq!((&first["key"], &first["value"]), (&"k1".into(), &"plain".into()));
    let transactions =
        json(&["--files", &fixture("transactions/00000000000000000002.log"), "--deep-iteration"]);
    let marker = transactions.iter().find(|object| object.get("control").is_some()).unwrap();
    assert!(["COMMIT", "ABORT"].contains(&marker["control"]["type"].as_str().unwrap()), "{marker}");
    let file = fixture("metadata/00000000000000000000.log");
    let metadata = json(&["--files", &file, "--cluster-metadata-decoder"]);
    assert_eq!(metadata[1]["control"]["data"]["leaderId"], 1);
    let topic = metadata.iter().find(|object| object["value"]["type"] == "TOPIC_RECORD").unwrap();
    assert!(topic["value"]["data"]["topicId"].is_string(), "{topic}");
    let bare = json(&["--files", &file, "--cluster-metadata-decoder", "--skip-record-metadata"]);
    assert!(bare.iter().all(|object| object.get("sequence").is_none()));
}

#[test]
fn json_shows_groups_and_transactions_as_json() {
    let file = fixture("__consumer_offsets/00000000000000000000.log");
    let groups = json(&["--files", &file, "--offsets-decoder"]);
    let of_group = |name: &str| {
        let found: Vec<_> = groups.iter().filter(|object| object["key"]["data"]["group"] == name).collect();
        (found[0].clone(), found[found.len() - 1].clone())
    };
    let (first, last) = of_group("classic");
    assert_eq!((&first["key"]["type"], &first["value"]["version"]), (&"2".into(), &"3".into()));
    assert_eq!(first["value"]["data"]["generation"], 0);
    assert!(last.get("value").is_some_and(Value::is_null), "a tombstone: {last}");
    let notes = json(&["--files", &file, "--share-group-state-decoder", "--skip-record-metadata"]);
    assert!(notes.iter().any(|object| object["key"] == "Unknown record type 2 at offset 0, skipping."));
    let file = fixture("__transaction_state/00000000000000000000.log");
    let transactions = json(&["--files", &file, "--transaction-log-decoder"]);
    assert!(transactions.iter().any(|object| object["value"]["data"]["transactionStatus"] == 4));
}

#[test]
fn json_shows_indexes_snapshots_and_bytes_left_over() {
    let file = |name: &str| fixture(&format!("indexed/00000000000000000000.{name}"));
    assert_eq!(json(&["--files", &file("index")])[0]["position"], 314);
    assert!(json(&["--files", &file("timeindex")])[0]["timestamp"].is_number());
    assert_eq!(json(&["--files", &file("index"), "--index-sanity-check"])[0]["passed"], true);
    let aborted = json(&["--files", &fixture("transactions/00000000000000000002.txnindex")]);
    assert_eq!((aborted.len(), &aborted[0]["firstOffset"]), (4, &1.into()));
    let producers = json(&["--files", &fixture("transactions/00000000000000000017.snapshot")]);
    assert_eq!(producers.len(), 2);
    assert!(producers.iter().any(|producer| producer["currentTxnFirstOffset"] == 16), "{producers:?}");
    let trailing = json(&["--files", &fixture("damaged/trailing/00000000000000000000.log")]);
    assert_eq!(trailing.last().unwrap()["invalidBytes"], 30);
    assert_eq!(json(&["--files", &fixture("damaged/empty/00000000000000000000.index")])[0]["type"], "empty");
    assert_eq!(
        json(&["--files", &fixture("legacy/00000000000000000000.log"), "--print-data-log"])[1]["isValid"],
        true
    );
}

/// The marks of one producer's batches, each with the offset of its batch.
fn marks(batches: &[Vec<u8>], id: i64) -> Vec<(i64, Vec<String>)> {
    let dir = tempfile::tempdir().unwrap();
    let path = log(&dir, &batches.concat());
    let objects = json(&["--files", path.to_str().unwrap(), "--producer-id", &id.to_string()]);
    let texts = |marks: &Value| {
        marks.as_array().into_iter().flatten().map(|m| m.as_str().unwrap().to_owned()).collect()
    };
    objects.iter().map(|batch| (batch["baseOffset"].as_i64().unwrap(), texts(&batch["marks"]))).collect()
}

#[test]
fn one_producers_batches_are_shown_with_what_is_odd_about_them() {
    let plain = |offset, epoch, sequence, count| batch(offset, (7, epoch, sequence), count, Codec::None);
    let seen = marks(
        &[
            plain(0, 0, 5, 5),
            batch(5, (8, 0, 0), 1, Codec::None),
            plain(6, 0, 10, 2),
            plain(8, 0, 15, 1),
            plain(9, 0, 10, 2),
            plain(11, 0, 12, 2),
            plain(13, 1, 0, 1),
            plain(14, 1, 1, 1),
            plain(15, 0, 16, 1),
            plain(16, 3, 2, 1),
        ],
        7,
    );
    let expected: [(i64, &[&str]); 9] = [
        (0, &["begins at sequence 5: earlier batches lie in an older segment, or were removed"]),
        (6, &[]),
        (8, &["gap: sequence 12 should follow, 15 does; 3 are missing"]),
        (9, &["duplicate: sequences 10 to 11 stand at offset 6 as well"]),
        (11, &["out of order: sequence 16 should follow, 12 does"]),
        (13, &["epoch changes from 0 to 1"]),
        (14, &[]),
        (15, &["epoch goes back from 1 to 0", "gap: sequence 0 should follow, 16 does; 16 are missing"]),
        (16, &["epoch changes from 0 to 3", "gap: sequence 0 should follow, 2 does; 2 are missing"]),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(at, marks)| (*at, marks.iter().map(|&mark| mark.to_owned()).collect()))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_duplicate_is_known_as_long_as_a_broker_would_know_it() {
    let one = |offset, sequence| batch(offset, (7, 0, sequence), 1, Codec::None);
    let six = (0..6).map(|n| one(n.into(), n));
    let batches: Vec<_> = six.chain([one(6, 1), one(7, 0)]).collect();
    let seen = marks(&batches, 7);
    assert_eq!(seen[6].1, ["duplicate: sequences 1 to 1 stand at offset 1 as well"]);
    assert_eq!(seen[7].1, ["out of order: sequence 6 should follow, 0 does"]);
}

#[test]
fn a_sequence_that_wraps_is_not_odd() {
    let plain = |offset, sequence, count| batch(offset, (7, 0, sequence), count, Codec::Lz4);
    let seen = marks(&[plain(0, 0, 1), plain(1, i32::MAX - 1, 3), plain(4, 1, 1), plain(5, 3, 1)], 7);
    let marked: Vec<_> = seen.iter().map(|(_, marks)| marks.len()).collect();
    assert_eq!(marked, [0, 1, 0, 1], "{seen:?}");
    assert!(seen[1].1[0].starts_with("out of order"), "half way round and more is behind: {seen:?}");
}

#[test]
fn a_producer_is_followed_through_segments_and_marks_are_lines_of_text() {
    let dir = tempfile::tempdir().unwrap();
    let first = log(&dir, &batch(0, (7, 0, 0), 2, Codec::None));
    let second = dir.path().join("00000000000000000002.log");
    std::fs::write(
        &second,
        [batch(2, (7, 0, 2), 1, Codec::None), batch(3, (7, 0, 4), 1, Codec::Gzip)].concat(),
    )
    .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let third = log(&elsewhere, &batch(0, (7, 0, 0), 1, Codec::None));
    let files = [&first, &second, &third].map(|path| path.to_str().unwrap()).join(",");
    let (code, out, err) = run(&["--files", &files, "--producer-id", "7", "--print-data-log"]);
    assert_eq!((code, &*err), (0, ""));
    let marks: Vec<_> = out.lines().filter(|line| line.starts_with("! ")).collect();
    assert_eq!(marks, ["! gap: sequence 3 should follow, 4 does; 1 are missing"]);
    assert_eq!(out.lines().filter(|line| line.starts_with("| offset: ")).count(), 5);
    let (_, out, _) = run(&["--files", &files, "--producer-id", "1"]);
    assert_eq!(out.lines().count(), 6, "only the lines that speak of the files: {out}");
}

#[test]
fn kafkas_deserializers_are_known_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut builder = BatchBuilder::new(Offset(0));
    for value in [&1.5_f32.to_be_bytes()[..], &(-7_i32).to_be_bytes(), b"\x01", b"ab\xff"] {
        builder.push(&NewRecord { key: Some(b"k\\"), value: Some(value), ..NewRecord::default() });
    }
    let path = log(&dir, &builder.build());
    let values = |class: &str| {
        let class = format!("org.apache.kafka.common.serialization.{class}");
        let (code, out, err) = run(&[
            "--files",
            path.to_str().unwrap(),
            "--value-decoder-class",
            &class,
            "--key-decoder-class=kafka.serializer.DefaultDecoder",
            "--skip-record-metadata",
        ]);
        assert_eq!((code, &*err), (0, ""), "{class}");
        let payload = |line: &str| line.strip_prefix("| key: 0x6b5c payload: ").map(str::to_owned);
        out.lines().filter_map(payload).collect::<Vec<_>>()
    };
    assert_eq!(values("FloatDeserializer")[..3], ["1.5", "NaN", "<1 bytes: 0x01>"]);
    assert_eq!(values("IntegerDeserializer")[1..], ["-7", "<1 bytes: 0x01>", "<3 bytes: 0x6162ff>"]);
    assert_eq!(values("BooleanDeserializer")[2], "true");
    assert_eq!(values("BytesDeserializer")[3], "ab\\xFF");
    assert_eq!(values("ByteArrayDeserializer")[3], "0x6162ff");
    assert_eq!(values("StringDeserializer")[3], "ab\u{fffd}");
}

#[test]
fn arguments_that_are_not_taken_are_said() {
    for (args, part) in [
        (&[][..], "Usage: ottla dump-log"),
        (&["--help"], "--producer-id N"),
        (&["--deep-iteration"], "--files is missing"),
        (
            &["--files", "a.log", "--remote-log-metadata-decoder"],
            "does not read the records of __remote_log_metadata",
        ),
        (&["--files", "a.log", "--value-decoder-class", "com.example.Mine"], "com.example.Mine"),
        (&["--files", "a.log", "--frobnicate"], "--frobnicate is no option"),
        (&["--files", "nowhere/00000000000000000000.log"], "nowhere/00000000000000000000.log: No such file"),
        (&["--files", "nowhere/00000000000000000000.txnindex"], "No such file"),
    ] {
        let (code, _, err) = run(args);
        assert_eq!(code, 1, "{args:?}");
        assert!(err.contains(part), "{args:?}: {err}");
    }
    let (code, out, err) = run(&["--version"]);
    assert_eq!((code, &*err), (0, ""));
    assert!(out.starts_with("ottla "), "{out}");
}

#[test]
fn names_that_kafkas_tool_chokes_on_are_dumped_or_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = batch(3, (-1, -1, -1), 1, Codec::None);
    for name in ["copy.log", "copy.checkpoint", "noname"] {
        std::fs::write(dir.path().join(name), &bytes).unwrap();
    }
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (code, out, _) =
        run(&["--files", &format!("{},{}", path("copy.log"), path("copy.checkpoint")), "stray"]);
    assert_eq!(code, 0);
    assert_eq!(out.lines().filter(|line| line.starts_with("baseOffset: 3 ")).count(), 2, "{out}");
    let (code, _, err) = run(&["--files", &path("noname"), "stray"]);
    assert_eq!(code, 0);
    assert!(err.contains("Ignoring unknown file") && err.contains("Ignoring \"stray\""), "{err}");
    let (code, _, err) = run(&["--files", &path("copy.index")]);
    assert_eq!(code, 1);
    assert!(err.contains("begins with its base offset"), "{err}");
}

/// Takes so many bytes, then the pipe is closed.
struct Pipe(usize);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut err = Vec::new();
    let args =
        ["--files", &fixture("codecs/00000000000000000000.log"), "--print-data-log"].map(OsString::from);
    assert_eq!(dump_log::run(args.into_iter(), &mut Pipe(100), &mut err), 0);
    assert!(err.is_empty());
}
