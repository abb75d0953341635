//! Dumping `.snapshot` files: the producers that a partition remembers.

use std::fmt::Write;
use std::path::Path;

use log::producer_snapshot::{SnapshotError, SnapshotRow, decode};

use crate::batch::decrement_sequence;
use crate::error::DumpError;
use crate::show::Show;

/// A snapshot is read whole, as a broker does; 23 million producers fit.
const LARGEST: u64 = 1 << 30;

/// Dumps one snapshot. What is wrong with a corrupt one comes back as text: it ends that file, not the dump.
pub(crate) fn dump(show: &mut Show<'_>, path: &Path, shown: &str) -> Result<Option<String>, DumpError> {
    let fail = |error| DumpError::read(shown, error);
    let len = std::fs::metadata(path).map_err(fail)?.len();
    if len > LARGEST {
        return Err(DumpError::Damaged(format!(
            "{shown}: {len} bytes are too many for a snapshot of producers"
        )));
    }
    match decode(&std::fs::read(path).map_err(fail)?) {
        Ok(rows) => {
            for row in rows {
                show_row(show, &row)?;
            }
            Ok(None)
        }
        Err(error) => Ok(Some(reason(&error))),
    }
}

/// Kafka's words for what is wrong.
fn reason(error: &SnapshotError) -> String {
    match error {
        SnapshotError::Version(version) => {
            format!("Snapshot failed schema validation: Snapshot contained an unknown file version {version}")
        }
        SnapshotError::Checksum { stored, computed } => {
            format!(
                "Snapshot is corrupt (CRC is no longer valid). Stored crc: {stored}. Computed crc: {computed}"
            )
        }
        SnapshotError::Short { .. } => format!("Snapshot failed schema validation: {error}"),
    }
}

fn show_row(show: &mut Show<'_>, row: &SnapshotRow) -> Result<(), DumpError> {
    const STRING: &str = "a String takes everything";
    let open_transaction = Some(row.current_txn_first_offset).filter(|&offset| offset >= 0);
    let has_batch = row.last_offset >= 0;
    let first_sequence = decrement_sequence(row.last_sequence, row.offset_delta);
    let mut text = String::new();
    write!(
        text,
        "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: ",
        row.producer_id, row.producer_epoch, row.coordinator_epoch
    )
    .expect(STRING);
    match open_transaction {
        None => text.push_str("OptionalLong.empty"),
        Some(offset) => write!(text, "OptionalLong[{offset}]").expect(STRING),
    }
    write!(text, " lastTimestamp: {} ", row.timestamp).expect(STRING);
    if has_batch {
        write!(
            text,
            "firstSequence: {first_sequence} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
            row.last_sequence, row.last_offset, row.offset_delta, row.timestamp
        )
        .expect(STRING);
    }
    text.push('\n');
    show.entry(&text, |object| {
        let object = object
            .text("type", "snapshot")
            .number("producerId", row.producer_id)
            .number("producerEpoch", row.producer_epoch)
            .number("coordinatorEpoch", row.coordinator_epoch)
            .number_or_null("currentTxnFirstOffset", open_transaction)
            .number("lastTimestamp", row.timestamp);
        if !has_batch {
            return object;
        }
        object
            .number("firstSequence", first_sequence)
            .number("lastSequence", row.last_sequence)
            .number("lastOffset", row.last_offset)
            .number("offsetDelta", row.offset_delta)
    })
}
