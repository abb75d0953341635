//! Answers of bytes and file ranges arrive whole, also at a peer that reads slowly.

#![expect(clippy::unwrap_used, reason = "what is set up for a test either stands or ends it")]

use std::io::{IoSlice, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::FileRange;
use disk::{DiskError, DiskFile};

use crate::stand_in::{Stage, a_moment, stage};
use tokio::io::AsyncReadExt;

/// A file whose every 8 bytes say where they stand, given to the stand-in.
fn file_of(stage: &Stage, words: u64) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let bytes: Vec<u8> = (0..words).flat_map(u64::to_be_bytes).collect();
    file.write_all(&bytes).unwrap();
    *stage.service.file.lock().unwrap() = Some(file.path().to_owned());
    file
}

fn words(from: u64, to: u64) -> Vec<u8> {
    (from..to).flat_map(u64::to_be_bytes).collect()
}

#[tokio::test]
async fn a_file_range_stands_between_its_bytes() {
    let stage = stage(&[]);
    let _file = file_of(&stage, 1_000);
    let mut client = stage.client().await;
    client.send("file 80 160 begin").await;
    client.send("say next").await;
    let (id, body) = client.next().await.unwrap();
    assert_eq!((id, body), (0, [b"begin".to_vec(), words(10, 30), b"end".to_vec()].concat()));
    assert_eq!(client.receive().await, "next");
}

/// A file that exists only here, so that the kernel cannot send it.
#[derive(Debug)]
struct InMemory(Vec<u8>);

impl DiskFile for InMemory {
    fn path(&self) -> &Path {
        Path::new("in memory")
    }
    fn len(&self) -> Result<u64, DiskError> {
        Ok(self.0.len() as u64)
    }
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let rest = &self.0[usize::try_from(position).unwrap()..];
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
    fn write_at(&self, _position: u64, _parts: &[IoSlice<'_>]) -> Result<(), DiskError> {
        unreachable!("only read here")
    }
    fn set_len(&self, _len: u64) -> Result<(), DiskError> {
        unreachable!("only read here")
    }
    fn sync(&self) -> Result<(), DiskError> {
        unreachable!("only read here")
    }
    fn set_modified(&self, _modified: std::time::SystemTime) -> Result<(), DiskError> {
        unreachable!("only read here")
    }
    fn as_file(&self) -> Option<&std::fs::File> {
        None
    }
}

#[tokio::test]
async fn a_file_that_the_kernel_does_not_know_is_read_and_written() {
    let stage = stage(&[]);
    let file = Arc::new(InMemory(words(0, 1_000_000)));
    *stage.service.range.lock().unwrap() = Some(FileRange { file, position: 80, len: 7_999_920 });
    let mut client = stage.client().await;
    client.send("range begin").await;
    let (_, body) = client.next().await.unwrap();
    assert!(body == [b"begin".to_vec(), words(10, 1_000_000), b"end".to_vec()].concat());
}

#[tokio::test]
async fn large_file_ranges_arrive_whole_and_in_order() {
    let stage = stage(&[]);
    let total: u64 = 2_000_000;
    let _file = file_of(&stage, total);
    let mut client = stage.client().await;
    for n in 0..5u64 {
        client.send(&format!("file {} {} part", n * 80, (total - 100) * 8)).await;
    }
    for n in 0..5u64 {
        let (_, body) = client.next().await.unwrap();
        assert!(body == [b"part".to_vec(), words(n * 10, n * 10 + total - 100), b"end".to_vec()].concat());
    }
}

#[tokio::test]
async fn a_file_that_is_shorter_than_its_range_ends_the_connection() {
    let stage = stage(&[]);
    let _file = file_of(&stage, 10);
    let mut client = stage.client().await;
    client.send("file 0 81 short").await;
    assert!(client.is_closed().await);
    stage.still_serves().await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_slow_reader_blocks_nobody_and_gets_everything() {
    let stage = Arc::new(stage(&[]));
    let total: u64 = 1_000_000;
    let _file = file_of(&stage, total);
    let mut slow = stage.client().await;
    for _ in 0..3 {
        slow.send(&format!("file 0 {} bulk", total * 8)).await;
    }
    a_moment().await;
    for _ in 0..20 {
        stage.still_serves().await;
    }
    for _ in 0..3 {
        let (_, body) = slow.next().await.unwrap();
        assert_eq!(body.len(), 4 + 8_000_000 + 3);
    }
}

#[tokio::test]
async fn a_peer_that_never_reads_holds_little_memory() {
    let stage = stage(&[]);
    let mut client = stage.client().await;
    for _ in 0..100 {
        client.send("large 400000").await;
    }
    a_moment().await;
    let begun = stage.service.begun().len();
    // What the kernel takes, and a megabyte here.
    assert!((3..=60).contains(&begun), "{begun} answers of 400 kB were made for a peer that reads none");
    for _ in 0..100 {
        assert_eq!(client.receive().await.len(), 400_000);
    }
}

#[tokio::test]
async fn a_peer_that_never_reads_is_idle() {
    let stage = stage(&[("connections.max.idle.ms", "300")]);
    let _file = file_of(&stage, 2_000_000);
    let mut client = stage.client().await;
    client.send("file 0 16000000 unread").await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    let mut received = Vec::new();
    let end = client.stream.read_to_end(&mut received).await;
    assert!(end.is_err() || received.len() < 16_000_000, "the connection ended before everything was out");
}
