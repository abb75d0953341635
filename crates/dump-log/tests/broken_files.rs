//! Files bent at random: each dump ends, with an exit code and without a panic, and changes nothing.

use std::ffi::OsString;
use std::path::Path;

/// A linear congruential generator: the same files are bent in the same way each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn bend(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match (self.below(4), bytes.get_mut(at)) {
                (0, Some(byte)) => *byte = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                (1, Some(byte)) => *byte ^= 1 << self.below(8),
                (2, _) => bytes.truncate(at),
                _ => bytes.splice(at..at, [0xff, 0, 0x80]).for_each(drop),
            }
        }
    }
}

#[test]
fn a_dump_of_a_broken_file_ends() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/dump-log");
    let flags: [&[&str]; 5] = [
        &["--print-data-log"],
        &["--cluster-metadata-decoder", "--format", "json"],
        &["--producer-id", "0", "--deep-iteration"],
        &["--index-sanity-check"],
        &["--verify-index-only", "--max-bytes", "300"],
    ];
    let mut dice = Dice(7);
    for source in ["codecs", "transactions", "legacy", "metadata-dynamic", "indexed", "compacted"] {
        let dir = tempfile::tempdir().unwrap();
        let files: Vec<_> = std::fs::read_dir(fixtures.join(source))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        for round in 0..25 {
            let mut written = Vec::new();
            for name in &files {
                let mut bytes = std::fs::read(fixtures.join(source).join(name)).unwrap();
                dice.bend(&mut bytes);
                std::fs::write(dir.path().join(name), &bytes).unwrap();
                written.push(bytes);
            }
            for name in &files {
                let path = dir.path().join(name).display().to_string();
                let args = ["--files", &path].into_iter().chain(flags[round % flags.len()].iter().copied());
                let (mut out, mut err) = (Vec::new(), Vec::new());
                let code = dump_log::run(args.map(OsString::from), &mut out, &mut err);
                assert!(code == 0 || (code == 1 && !err.is_empty()), "{path}: exit code {code}");
            }
            for (name, bytes) in files.iter().zip(&written) {
                assert_eq!(&std::fs::read(dir.path().join(name)).unwrap(), bytes, "{name} was only read");
            }
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), files.len(), "nothing was made");
        }
    }
}
