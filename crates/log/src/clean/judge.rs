//! Which batches and records stay (Kafka: `Cleaner.cleanInto`, `Cleaner.shouldRetainRecord`).

use base::{Millis, Offset};
use records::{BatchHeader, RecordView};

/// What a batch is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// Its transaction was aborted, or it is a marker of a transaction of which nothing is left.
    pub(super) is_over: bool,
    /// A producer may still ask about it, or goes on from its sequence.
    pub(super) is_needed: bool,
    /// Where the cleaned part of the log ends.
    pub(super) end: Offset,
    /// When the cleaning began.
    pub(super) now: Millis,
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// None of its records stays, whatever their keys.
    pub(super) drops_records: bool,
    /// Its header stays even without records.
    pub(super) keeps_header: bool,
    /// It gets a delete horizon if it has none.
    pub(super) needs_horizon: bool,
}

/// Judges a batch by its header. The last batch of the cleaned part always stays, so that no offset above it is given
/// twice should the log ever end there.
pub(super) fn batch(header: &BatchHeader, at: &Circumstances) -> Fate {
    let is_control = header.attributes.is_control();
    let has_passed = header.delete_horizon().is_some_and(|horizon| horizon <= at.now);
    Fate {
        drops_records: at.is_over && (!is_control || has_passed),
        keeps_header: (at.is_needed && header.producer_id.is_some()) || header.next_offset() == at.end,
        needs_horizon: at.is_over && is_control,
    }
}

/// Whether a record stays, in a batch that does not drop them all. `newest`: the newest offset of its key as far as the
/// map knows, which has seen everything below `mapped`.
pub(super) fn record(
    header: &BatchHeader,
    record: &RecordView<'_>,
    mapped: Offset,
    newest: Option<Offset>,
    now: Millis,
) -> bool {
    let offset = record.offset(header);
    if header.attributes.is_control() || offset >= mapped {
        return true;
    }
    let keeps_tombstones = header.delete_horizon().is_none_or(|horizon| now < horizon);
    record.key.is_some()
        && newest.is_none_or(|newest| offset >= newest)
        && (record.value.is_some() || keeps_tombstones)
}

#[cfg(test)]
mod tests {
    use base::{ProducerEpoch, ProducerId, Sequence};
    use records::{BatchBuilder, NewRecord, records_of};

    use super::*;

    const NOW: Millis = Millis(1000);

    fn build(producer: i64, control: bool, horizon: Option<i64>, value: Option<&[u8]>) -> bytes::Bytes {
        let mut batch = BatchBuilder::new(Offset(10)).control(control).producer(
            ProducerId(producer),
            ProducerEpoch(0),
            Sequence(0),
        );
        if let Some(horizon) = horizon {
            batch = batch.delete_horizon(Millis(horizon));
        }
        batch.push(&NewRecord { timestamp: Millis(1), key: Some(b"k"), value, headers: &[] });
        batch.build()
    }

    fn fate(bytes: &[u8], is_over: bool, is_needed: bool, end: i64) -> (bool, bool, bool) {
        let header = BatchHeader::parse(bytes).unwrap();
        let Fate { drops_records, keeps_header, needs_horizon } =
            batch(&header, &Circumstances { is_over, is_needed, end: Offset(end), now: NOW });
        (drops_records, keeps_header, needs_horizon)
    }

    #[test]
    fn every_case_of_a_batch() {
        let data = build(7, false, None, None);
        assert_eq!(fate(&data, false, false, 99), (false, false, false));
        assert_eq!(fate(&data, true, false, 99), (true, false, false), "aborted");
        assert_eq!(fate(&data, true, true, 99), (true, true, false), "aborted, but its producer goes on");
        assert_eq!(fate(&data, false, false, 11), (false, true, false), "the last one");
        assert_eq!(fate(&build(-1, false, None, None), false, true, 99), (false, false, false), "of nobody");
        let marker = |horizon| build(7, true, horizon, Some(b"v"));
        assert_eq!(fate(&marker(None), false, false, 99), (false, false, false));
        assert_eq!(fate(&marker(None), true, false, 99), (false, false, true), "gets its horizon");
        assert_eq!(fate(&marker(Some(1001)), true, false, 99), (false, false, true), "not passed yet");
        assert_eq!(fate(&marker(Some(1000)), true, false, 99), (true, false, true), "passed");
        assert_eq!(fate(&marker(Some(1000)), false, false, 99), (false, false, false), "something is left");
    }

    fn stays(bytes: &[u8], mapped: i64, newest: Option<i64>) -> bool {
        let records = records_of(bytes, 1000).unwrap();
        let first = records.iter().next().unwrap().unwrap();
        record(records.header(), &first, Offset(mapped), newest.map(Offset), NOW)
    }

    #[test]
    fn every_case_of_a_record() {
        let value = build(-1, false, None, Some(b"v"));
        assert!(stays(&value, 99, Some(10)), "the newest");
        assert!(stays(&value, 99, None), "of a key that is not dirty");
        assert!(!stays(&value, 99, Some(11)), "there is a newer one");
        assert!(stays(&value, 10, Some(11)), "behind what was mapped");
        let tombstone = |horizon| build(-1, false, horizon, None);
        assert!(stays(&tombstone(None), 99, Some(10)), "met for the first time");
        assert!(stays(&tombstone(Some(1001)), 99, Some(10)));
        assert!(!stays(&tombstone(Some(1000)), 99, Some(10)), "its time is over");
        assert!(!stays(&tombstone(None), 99, Some(11)));
        assert!(stays(&build(1, true, None, Some(b"v")), 99, Some(50)), "a marker has no key of its own");
        let mut keyless = BatchBuilder::new(Offset(10));
        keyless.push(&NewRecord { timestamp: Millis(1), value: Some(b"v"), ..NewRecord::default() });
        assert!(!stays(&keyless.build(), 99, None));
    }
}
