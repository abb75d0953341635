//! The batches of a file, read one by one without changing anything: a segment of the metadata log, or a snapshot.

use std::path::Path;
use std::sync::Arc;

use base::Offset;
use bytes::Bytes;
use disk::{Disk, DiskError, DiskFile, OpenHow};
use records::{BatchHeader, HEADER_LEN, crc_is_valid};

/// Read at a time.
const WINDOW: usize = 256 << 10;

/// How far behind a bad batch a good one is looked for.
const SEARCH: usize = 1 << 20;

/// Walks over whole batches with a valid CRC.
#[derive(Debug)]
pub(crate) struct Batches {
    file: Arc<dyn DiskFile>,
    len: u64,
    position: u64,
    window: Vec<u8>,
    window_at: u64,
}

/// Why the walk stands still before the end of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) position: u64,
    pub(crate) why: String,
}

impl Batches {
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, DiskError> {
        let file = disk.open(path, OpenHow::Read)?;
        let len = file.len()?;
        Ok(Self { file, len, position: 0, window: Vec::new(), window_at: 0 })
    }

    /// The next batch and where it begins; `Ok(None)` at the end of the file, `Ok(Some(Err))` where no batch begins.
    #[expect(
        clippy::type_complexity,
        reason = "a disk that fails and bytes that are no batch are two things"
    )]
    pub(crate) fn next(&mut self) -> Result<Option<Result<(u64, Bytes), Bad>>, DiskError> {
        if self.position == self.len {
            return Ok(None);
        }
        let position = self.position;
        let bad = |why: String| Ok(Some(Err(Bad { position, why })));
        let left = self.len - position;
        let header = match BatchHeader::parse(self.at(position, HEADER_LEN)?) {
            Ok(header) => header,
            Err(error) => return bad(error.to_string()),
        };
        if header.size() as u64 > left {
            return bad(format!("the file ends after {left} of its {} bytes", header.size()));
        }
        let batch = Bytes::copy_from_slice(self.at(position, header.size())?);
        if batch.len() < header.size() || !crc_is_valid(&batch) {
            return bad("its checksum does not fit".to_owned());
        }
        self.position += batch.len() as u64;
        Ok(Some(Ok((position, batch))))
    }

    /// Whether a batch with a valid CRC and an offset of at least `expected` begins somewhere behind the place where the
    /// walk stands still: then what stands there was not simply the last write.
    pub(crate) fn goes_on(&mut self, expected: Offset) -> Result<bool, DiskError> {
        let search_at = self.position + 1;
        let rest = self.at(search_at, SEARCH)?.to_vec();
        for start in 0..rest.len().saturating_sub(HEADER_LEN) {
            let Ok(header) = BatchHeader::parse(&rest[start..]) else { continue };
            let ahead = header.base_offset.since(expected);
            let size = header.size();
            if (0..=i64::from(i32::MAX)).contains(&ahead)
                && size as u64 <= self.len - search_at - start as u64
                && crc_is_valid(self.at(search_at + start as u64, size)?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Up to `len` bytes from `position` on; fewer only at the end of the file.
    fn at(&mut self, position: u64, len: usize) -> Result<&[u8], DiskError> {
        let len = usize::try_from(self.len.saturating_sub(position)).map_or(len, |left| left.min(len));
        let window_end = self.window_at + self.window.len() as u64;
        if position < self.window_at || position + len as u64 > window_end {
            let left = usize::try_from(self.len.saturating_sub(position)).unwrap_or(usize::MAX);
            self.window.resize(left.min(len.max(WINDOW)), 0);
            let read = self.file.read_at(position, &mut self.window)?;
            self.window.truncate(read);
            self.window_at = position;
        }
        let start = usize::try_from(position - self.window_at).expect("within the window");
        let end = self.window.len().min(start + len);
        Ok(&self.window[start.min(end)..end])
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use base::Millis;
    use records::{BatchBuilder, NewRecord};
    use testkit::CrashDisk;

    use super::*;

    fn batch(base: i64, value: &[u8]) -> Bytes {
        let mut builder = BatchBuilder::new(Offset(base));
        builder.push(&NewRecord { timestamp: Millis(5), value: Some(value), ..NewRecord::default() });
        builder.build()
    }

    fn walk(content: &[u8]) -> (Vec<u64>, Option<Bad>, bool) {
        let disk = CrashDisk::calm(1);
        let path = Path::new("/a");
        disk.open(path, OpenHow::New).unwrap().write_at(0, &[IoSlice::new(content)]).unwrap();
        let mut batches = Batches::open(&disk, path).unwrap();
        let mut positions = Vec::new();
        loop {
            match batches.next().unwrap() {
                Some(Ok((position, _))) => positions.push(position),
                Some(Err(bad)) => return (positions, Some(bad), batches.goes_on(Offset(1)).unwrap()),
                None => return (positions, None, false),
            }
        }
    }

    #[test]
    fn reads_small_and_large_batches() {
        let large = vec![7; WINDOW * 2];
        let all = [batch(0, b"a"), batch(1, &large), batch(2, b"c")];
        let starts = [0, all[0].len(), all[0].len() + all[1].len()].map(|start| start as u64);
        assert_eq!(walk(&all.concat()), (starts.to_vec(), None, false));
        assert_eq!(walk(b""), (vec![], None, false));
    }

    #[test]
    fn tells_a_torn_end_from_damage_in_the_middle() {
        let (first, second) = (batch(0, b"a"), batch(1, b"b"));
        let torn = [&first[..], &second[..second.len() - 1]].concat();
        let (positions, bad, goes_on) = walk(&torn);
        assert_eq!((positions.len(), bad.unwrap().position, goes_on), (1, first.len() as u64, false));
        let zeros = [&first[..], &[0; 5000]].concat();
        assert!(!walk(&zeros).2);

        let mut damaged = [&first[..], &second[..], &batch(2, b"c")[..]].concat();
        damaged[first.len() + 30] ^= 1;
        let (positions, bad, goes_on) = walk(&damaged);
        assert_eq!((positions.len(), goes_on), (1, true));
        assert_eq!(bad.unwrap().why, "its checksum does not fit");
        damaged[first.len() + 10] = 0xff;
        assert!(walk(&damaged).2, "also when the length of the damaged one says nothing");
    }
}
