//! One producer's batches, and what is odd about their order: gaps, duplicates, epoch changes.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use base::{ProducerEpoch, Sequence};
use records::BatchHeader;

use crate::batch::{Batch, Kind};

/// How many batches back a duplicate is recognised: as many as a broker remembers.
const REMEMBERED: usize = 5;

/// Follows one producer through the segments of a partition. Files of another directory are another partition.
#[derive(Debug)]
pub(crate) struct Producer {
    id: i64,
    dir: PathBuf,
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    epoch: ProducerEpoch,
    /// The sequence that would follow.
    next: Option<Sequence>,
    recent: VecDeque<(Sequence, Sequence, i64)>,
}

impl Producer {
    pub(crate) fn new(id: i64) -> Self {
        Self { id, dir: PathBuf::new(), seen: None }
    }

    /// The next file is this one.
    pub(crate) fn enter(&mut self, path: &Path) {
        let dir = path.parent().unwrap_or(Path::new(""));
        if dir != self.dir {
            dir.clone_into(&mut self.dir);
            self.seen = None;
        }
    }

    /// What is odd about this batch; `None` when it is another producer's.
    pub(crate) fn judge(&mut self, batch: &Batch) -> Option<Vec<String>> {
        let Kind::V2(header) = &batch.kind else {
            return None;
        };
        if header.producer_id.0 != self.id {
            return None;
        }
        let mut marks = Vec::new();
        let seen = match &mut self.seen {
            Some(seen) => {
                seen.epoch(header.producer_epoch, &mut marks);
                seen
            }
            none => {
                let begins = header.base_sequence;
                if begins > Sequence::FIRST {
                    marks.push(format!(
                        "begins at sequence {begins}: earlier batches lie in an older segment, or were removed"
                    ));
                }
                none.insert(Seen { epoch: header.producer_epoch, next: None, recent: VecDeque::new() })
            }
        };
        if header.base_sequence >= Sequence::FIRST {
            seen.sequences(header, &mut marks);
        }
        Some(marks)
    }
}

impl Seen {
    fn epoch(&mut self, epoch: ProducerEpoch, marks: &mut Vec<String>) {
        if epoch == self.epoch {
            return;
        }
        marks.push(if epoch > self.epoch {
            format!("epoch changes from {} to {epoch}", self.epoch)
        } else {
            format!("epoch goes back from {} to {epoch}", self.epoch)
        });
        *self = Self { epoch, next: Some(Sequence::FIRST), recent: VecDeque::new() };
    }

    fn sequences(&mut self, header: &BatchHeader, marks: &mut Vec<String>) {
        let (first, last) = (header.base_sequence, header.last_sequence());
        let earlier = self.recent.iter().find(|(base, end, _)| (*base, *end) == (first, last));
        match self.next {
            Some(next) if next != first => {
                // Sequences go round: less than half way ahead is a gap, more is behind.
                let ahead = first.0.wrapping_sub(next.0) & i32::MAX;
                marks.push(if let Some((_, _, offset)) = earlier {
                    format!("duplicate: sequences {first} to {last} stand at offset {offset} as well")
                } else if ahead <= i32::MAX / 2 {
                    format!("gap: sequence {next} should follow, {first} does; {ahead} are missing")
                } else {
                    format!("out of order: sequence {next} should follow, {first} does")
                });
            }
            _ => {}
        }
        if earlier.is_none() && last >= Sequence::FIRST {
            self.next = Some(last.plus(1));
            self.recent.push_back((first, last, header.base_offset.0));
            if self.recent.len() > REMEMBERED {
                self.recent.pop_front();
            }
        }
    }
}
