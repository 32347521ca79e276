//! Waiting states on disk, where memory is short: written once, read once, and gone with their file.
//!
//! A file belongs to one level of a search and has no name, so nothing is left behind, however the process ends. What cannot be
//! written stays in memory, and what cannot be read is an error: nothing is lost without a word.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::options::CheckError;

/// Where states go, and from when on.
#[derive(Clone, Debug)]
pub(crate) struct Spilling {
    /// The folder of the files.
    pub folder: PathBuf,
    /// How many bytes of waiting states are kept in memory.
    pub bytes_max: u64,
}

impl Spilling {
    /// A new file.
    ///
    /// # Errors
    /// A folder in which none can be made.
    pub(crate) fn open(&self) -> io::Result<Arc<Scratch>> {
        let file = tempfile::tempfile_in(&self.folder)?;
        Ok(Arc::new(Scratch { file: Mutex::new((file, 0)) }))
    }

    /// What went wrong, for whoever asked for the search.
    pub(crate) fn error(&self, error: &io::Error) -> CheckError {
        CheckError::Spill { folder: self.folder.display().to_string(), error: error.to_string() }
    }
}

/// A file, and where it ends.
pub(crate) struct Scratch {
    file: Mutex<(File, u64)>,
}

impl Scratch {
    /// Writes `bytes` behind all others. Where they begin.
    ///
    /// # Errors
    /// No room for all of them; the file is then as it was, as far as it is read.
    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut guard = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, end) = &mut *guard;
        let start = *end;
        file.seek(SeekFrom::Start(start))?;
        file.write_all(bytes)?;
        *end += bytes.len() as u64;
        Ok(start)
    }

    /// The `length` bytes at `start`.
    ///
    /// # Errors
    /// That of the system.
    pub(crate) fn read(&self, start: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut guard = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        guard.0.seek(SeekFrom::Start(start))?;
        guard.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_a_failed_write_spoils_nothing() {
        let spilling = Spilling { folder: std::env::temp_dir(), bytes_max: 0 };
        let scratch = spilling.open().expect("there is room for a file");
        assert_eq!(scratch.append(b"first").expect("there is room"), 0);
        assert_eq!(scratch.append(b"second").expect("there is room"), 5);
        assert_eq!(scratch.read(5, 6).expect("it is there"), b"second");
        assert_eq!(scratch.read(0, 5).expect("it is there"), b"first");
        assert!(scratch.read(8, 5).is_err(), "beyond the end");
        // A device that is always full.
        if let Ok(full) = File::options().read(true).write(true).open("/dev/full") {
            let scratch = Scratch { file: Mutex::new((full, 0)) };
            let error = scratch.append(b"more").expect_err("it is full");
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert_eq!(scratch.file.lock().expect("nobody failed").1, 0, "it ends where it did");
            let error = spilling.error(&error).to_string();
            assert!(error.contains("No space left"), "{error}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let spilling = Spilling { folder: PathBuf::from("/there/is/no/such/folder"), bytes_max: 0 };
        assert!(spilling.open().is_err());
    }
}
