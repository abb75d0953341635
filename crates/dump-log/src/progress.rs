//! Standard error: messages, and how far a large file has been read when someone is watching.

use std::io::{self, IsTerminal, Write};

/// Below this many bytes a file is read before anyone wonders.
const LARGE: u64 = 64 * 1024 * 1024;
/// How far to read before saying so again.
const STEP: u64 = 16 * 1024 * 1024;

/// Where messages and progress go.
pub(crate) struct Progress<'a> {
    err: &'a mut dyn Write,
    watched: bool,
    file: String,
    said_at: u64,
    on_line: bool,
}

impl<'a> Progress<'a> {
    /// Progress is only for a terminal that does not show the output as well.
    pub(crate) fn new(err: &'a mut dyn Write) -> Self {
        let watched = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self { err, watched, file: String::new(), said_at: 0, on_line: false }
    }

    /// A new file.
    pub(crate) fn begin(&mut self, shown: &str) {
        shown.clone_into(&mut self.file);
        self.said_at = 0;
    }

    /// `position` of `end` bytes have been read.
    pub(crate) fn at(&mut self, position: u64, end: u64) {
        if !self.watched || end < LARGE || position < self.said_at.saturating_add(STEP) {
            return;
        }
        self.said_at = position;
        self.on_line = true;
        let percent = u128::from(position) * 100 / u128::from(end);
        self.write(&format!("\r{}: {percent} % of {} MiB", self.file, end >> 20));
    }

    /// The file has been read: the line of progress goes away.
    pub(crate) fn done(&mut self) {
        if self.on_line {
            self.on_line = false;
            self.write("\r\x1b[K");
        }
    }

    /// A message of whole lines.
    pub(crate) fn say(&mut self, text: &str) {
        self.done();
        self.write(text);
    }

    fn write(&mut self, text: &str) {
        // Whoever closed standard error does not want to know.
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_files_are_reported_and_only_now_and_then() {
        let mut err = Vec::new();
        let mut progress =
            Progress { err: &mut err, watched: true, file: String::new(), said_at: 0, on_line: false };
        progress.begin("a.log");
        progress.at(STEP, LARGE - 1);
        progress.at(STEP - 1, LARGE);
        progress.at(STEP, LARGE);
        progress.at(STEP + 1, LARGE);
        progress.say("message\n");
        assert_eq!(String::from_utf8(err).unwrap(), "\ra.log: 25 % of 64 MiB\r\x1b[Kmessage\n");
    }
}
