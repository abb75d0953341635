//! Reading one segment with every checksum, and judging where no whole batch begins.

use base::{Millis, Offset};
use disk::OpenHow;

use super::sweep::Files;
use super::{Verdict, judge};
use crate::checkpoint::EpochLine;
use crate::commons::Running;
use crate::error::LogError;
use crate::names::{FileName, Kind};
use crate::place::Place;
use crate::rebuild::{IndexBuilder, IndexRules};
use crate::scan::Scanner;
use crate::segment::Hole;
use crate::walk::{Expected, Fault, Step};

/// A scan says how far it is whenever it has read so much more.
const PROGRESS: u64 = 4 << 20;

/// What a scan found.
#[derive(Debug)]
pub(super) struct Scanned {
    /// Bytes that count.
    pub(super) len: u64,
    /// The offset after the last whole batch.
    pub(super) end: Offset,
    /// Why the segment is to be cut at `len`, if it is.
    pub(super) cut: Option<Fault>,
    /// What is damaged below that.
    pub(super) holes: Vec<Hole>,
    /// Whether the last hole reaches the end of the file.
    pub(super) ends_in_a_hole: bool,
    pub(super) builder: IndexBuilder,
    /// Where each leader epoch was met first.
    pub(super) epochs: Vec<EpochLine>,
    /// The largest timestamp of the first batch.
    pub(super) first_timestamp: Option<Millis>,
    /// Whether a transaction may have ended here.
    pub(super) has_markers: bool,
}

/// What a scan may take for granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    /// Below this offset nothing is cut.
    pub(super) promised: Offset,
    /// Whether compaction may have left gaps; else a batch that does not follow the one before is bad.
    pub(super) gaps: bool,
    pub(super) rules: IndexRules,
}

/// Reads the segment of `files`. Changes nothing.
pub(super) fn scan(
    place: &Place,
    files: &Files,
    given: Given,
    running: &Running<'_>,
) -> Result<Scanned, LogError> {
    let base = files.base;
    let mut scanned = Scanned {
        len: files.log,
        end: base,
        cut: None,
        holes: Vec::new(),
        ends_in_a_hole: false,
        builder: IndexBuilder::new(base, given.rules),
        epochs: Vec::new(),
        first_timestamp: None,
        has_markers: false,
    };
    if files.log == 0 {
        return Ok(scanned);
    }
    let path = place.path(FileName::new(base, Kind::Log));
    let file = place.disk.open(&path, OpenHow::Read)?;
    let mut scanner = Scanner::new(&*file, 0, files.log, Expected { base, next: base });
    let mut told = 0;
    let mut behind_a_hole = false;
    loop {
        let expected = scanner.next_offset();
        match scanner.step()? {
            // The base offset is not in the checksum, and where every offset is there, it says how the batches follow.
            Step::Batch(position, header)
                if header.base_offset != expected
                    && !given.gaps
                    && judge(expected, given.promised) == Verdict::Cut =>
            {
                let (first, last) = (header.base_offset, header.last_offset());
                scanned.len = position;
                scanned.end = expected;
                scanned.cut = Some(Fault::Offsets { first, last, expected });
                return Ok(scanned);
            }
            Step::Batch(position, header) => {
                if behind_a_hole && let Some(hole) = scanned.holes.last_mut() {
                    hole.next = header.base_offset;
                }
                scanned.builder.take(&header, position, behind_a_hole);
                behind_a_hole = false;
                scanned.first_timestamp.get_or_insert(header.max_timestamp);
                scanned.has_markers |= header.attributes.is_control() && header.producer_id.is_some();
                let epoch = header.leader_epoch;
                if scanned.epochs.last().is_none_or(|last| epoch > last.epoch) {
                    scanned.epochs.push(EpochLine { epoch, start: header.base_offset });
                }
                if position - told > PROGRESS {
                    running.advance(position - told);
                    told = position;
                }
            }
            Step::End => break,
            Step::Bad(fault) => {
                if scanner.is_old_format()? {
                    return Err(LogError::OldFormat { file: path, position: scanner.position() });
                }
                let from = scanner.position();
                if judge(expected, given.promised) == Verdict::Cut {
                    scanned.len = from;
                    scanned.cut = Some(fault);
                    break;
                }
                let to = scanner.find_next()?.unwrap_or(files.log);
                scanned.holes.push(Hole {
                    from,
                    to,
                    first: expected,
                    next: expected,
                    why: fault.to_string(),
                });
                scanner.jump(to);
                behind_a_hole = true;
            }
        }
    }
    running.advance(files.log.saturating_sub(told));
    scanned.end = scanner.next_offset();
    Ok(scanned)
}
