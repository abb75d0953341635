//! The bytes of one simulated file, in pages that copies share until one of them writes.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes per page.
const PAGE: usize = 4096;

/// What a file holds. Pages never written are zeros and take no memory, so a preallocated index costs nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    len: u64,
    pages: BTreeMap<u64, Arc<[u8; PAGE]>>,
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` from `position` on, and says how many bytes there were before the end.
    pub(crate) fn read(&self, position: u64, buffer: &mut [u8]) -> usize {
        let there = self.len.saturating_sub(position).min(buffer.len() as u64);
        let buffer = &mut buffer[..usize::try_from(there).expect("not more than the buffer holds")];
        for (page, within, chunk) in pages_of(position, buffer.len()) {
            let target = &mut buffer[chunk.clone()];
            match self.pages.get(&page) {
                Some(bytes) => target.copy_from_slice(&bytes[within..within + chunk.len()]),
                None => target.fill(0),
            }
        }
        buffer.len()
    }

    /// Writes `bytes` at `position`; a gap before it reads as zeros.
    pub(crate) fn write(&mut self, position: u64, bytes: &[u8]) {
        for (page, within, chunk) in pages_of(position, bytes.len()) {
            let target = Arc::make_mut(self.pages.entry(page).or_insert_with(|| Arc::new([0; PAGE])));
            target[within..within + chunk.len()].copy_from_slice(&bytes[chunk]);
        }
        if !bytes.is_empty() {
            self.len = self.len.max(position + bytes.len() as u64);
        }
    }

    /// Cuts or extends (with zeros) to `len` bytes.
    pub(crate) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let _beyond = self.pages.split_off(&len.div_ceil(PAGE as u64));
            let within = usize::try_from(len % PAGE as u64).expect("smaller than a page");
            if let Some(last) = self.pages.get_mut(&(len / PAGE as u64)) {
                Arc::make_mut(last)[within..].fill(0);
            }
        }
        self.len = len;
    }
}

/// The pieces of `len` bytes from `position` on: page number, place within the page, range of the bytes.
fn pages_of(position: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = position + done as u64;
        let within = usize::try_from(at % PAGE as u64).expect("smaller than a page");
        let piece = (PAGE - within).min(len - done);
        done += piece;
        Some((at / PAGE as u64, within, done - piece..done))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let place = 0_u64..3 * PAGE as u64;
        prop_oneof![
            (place.clone(), 0_usize..2 * PAGE, any::<u8>())
                .prop_map(|(at, n, b)| Step::Write(at, vec![b; n])),
            place.prop_map(Step::SetLen),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn pages_behave_as_one_vector_of_bytes(steps in prop::collection::vec(step(), 0..12)) {
            let mut content = Content::default();
            let mut plain: Vec<u8> = Vec::new();
            for step in steps {
                let before = content.clone();
                let plain_before = plain.clone();
                match step {
                    Step::Write(at, bytes) => {
                        content.write(at, &bytes);
                        let at = usize::try_from(at).unwrap();
                        if !bytes.is_empty() {
                            plain.resize(plain.len().max(at + bytes.len()), 0);
                            plain[at..at + bytes.len()].copy_from_slice(&bytes);
                        }
                    }
                    Step::SetLen(len) => {
                        content.set_len(len);
                        plain.resize(usize::try_from(len).unwrap(), 0);
                    }
                }
                for (content, plain) in [(&content, &plain), (&before, &plain_before)] {
                    let mut read = vec![7; plain.len() + 1];
                    prop_assert_eq!(content.read(0, &mut read), plain.len());
                    prop_assert!(read[..plain.len()] == plain[..]);
                    prop_assert_eq!(content.len(), plain.len() as u64);
                }
            }
        }
    }
}
