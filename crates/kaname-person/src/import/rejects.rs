//! The file of rejects: which line, which column, which rule. Never the value: the file may lie around.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use kaname_trust::Actor;
use serde::{Deserialize, Serialize};

use super::reader::Unreadable;
use super::{append_durably, cannot};
use crate::{Action, Fault, PersonError, Refusal, policy};

/// A row that could not be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reject {
    line: u64,
    column: String,
    code: &'static str,
    reason: String,
}

impl Reject {
    pub(crate) fn unreadable(line: u64, why: Unreadable) -> Reject {
        Reject { line, column: String::new(), code: why.code(), reason: why.to_string() }
    }

    pub(crate) fn fault(line: u64, column: String, fault: Fault) -> Reject {
        Reject { line, column, code: fault.reason.code(), reason: fault.reason.to_string() }
    }

    pub(crate) fn duplicate(line: i64, column: String, first_line: i64) -> Reject {
        let reason = format!("line {first_line} has the same reference");
        Reject { line: line.unsigned_abs(), column, code: "duplicate", reason }
    }

    pub(crate) fn other_data(line: i64, column: String) -> Reject {
        let refusal = Refusal::OtherData;
        Reject { line: line.unsigned_abs(), column, code: refusal.code(), reason: refusal.to_string() }
    }

    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// As whoever sent the row is told.
    pub(crate) fn told(&self) -> Rejected {
        Rejected { line: self.line, column: self.column.clone(), code: self.code.to_owned() }
    }
}

/// The first line of every file of rejects.
const HEADER: [&str; 4] = ["line", "column", "code", "reason"];

/// A line of a file of rejects, read back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rejected {
    /// The line in the imported file, from 1.
    pub line: u64,
    /// The name of its column; empty when the whole row could not be read.
    pub column: String,
    /// Which rule it breaks: the code of a [`crate::Reason`], or one of the reader's own.
    pub code: String,
}

/// Up to `most` lines of the file of rejects at `path`, after the first `skip`; none when there is no file. However long the file
/// is, it is not held in memory.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::File`] when it cannot be read.
pub fn rejected(by: &Actor, path: &Path, skip: usize, most: usize) -> Result<Vec<Rejected>, Refusal> {
    policy::may(by, Action::SeeImportRejects)?;
    read(path, skip, most).map_err(|error| Refusal::File(error.to_string()))
}

fn read(path: &Path, skip: usize, most: usize) -> io::Result<Vec<Rejected>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let mut rows = Vec::new();
    let mut reader = csv::Reader::from_reader(file);
    for cells in reader.deserialize::<(u64, String, String, String)>().skip(skip).take(most) {
        match cells {
            Ok((line, column, code, _)) => rows.push(Rejected { line, column, code }),
            Err(error) if error.is_io_error() => return Err(error.into()),
            Err(_) => break, // the rest of this row is just being written
        }
    }
    Ok(rows)
}

/// The file, open and locked.
pub(crate) struct Rejects {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Rejects {
    /// Opens the file and cuts it to `bytes`, what an earlier run knows to be right.
    pub(crate) fn open(path: &Path, bytes: u64) -> Result<Rejects, PersonError> {
        let failed = |error| cannot("write", path, &error);
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Refusal::ImportRuns.into()),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if !is_ours(&mut file).map_err(failed)? {
            // What somebody named by mistake (the imported file itself, say) is not cut off.
            let path = path.display();
            return Err(Refusal::File(format!(
                "{path} is there and is not a file of rejects: name another one"
            ))
            .into());
        }
        if file.metadata().map_err(failed)?.len() < bytes {
            let path = path.display();
            return Err(Refusal::File(format!(
                "{path} is shorter than when this import stopped: put back the file of that run"
            ))
            .into());
        }
        file.set_len(bytes).map_err(failed)?;
        file.seek(SeekFrom::Start(bytes)).map_err(failed)?;
        Ok(Rejects { file, path: path.to_owned(), bytes })
    }

    /// Appends rows, behind the header the first time; durable when it returns. Tells how long the file is.
    pub(crate) fn append(&mut self, rejects: &[Reject]) -> Result<u64, PersonError> {
        let mut rows = csv::Writer::from_writer(Vec::new());
        let mut write = |cells: [&str; 4]| rows.write_record(cells).expect("memory takes every row");
        if self.bytes == 0 {
            write(HEADER);
        }
        for reject in rejects {
            write([&reject.line.to_string(), &reject.column, reject.code, &reject.reason]);
        }
        let rows = rows.into_inner().expect("memory takes every row");
        if !rows.is_empty() {
            append_durably(&mut self.file, &rows).map_err(|error| cannot("write", &self.path, &error))?;
            self.bytes += rows.len() as u64;
        }
        Ok(self.bytes)
    }
}

/// Whether the file is empty or begins as a file of rejects does.
fn is_ours(file: &mut File) -> io::Result<bool> {
    let header = format!("{}\n", HEADER.join(","));
    let mut start = Vec::new();
    file.by_ref().take(header.len() as u64).read_to_end(&mut start)?;
    Ok(header.as_bytes().starts_with(&start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, Reason};

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.csv");
        assert_eq!(read(&path, 0, 10).unwrap(), [], "there is no file yet");
        let column = "name, \"as written\"";
        let fault = |line| Reject::fault(line, column.to_owned(), Field::FamilyName.fault(Reason::Formula));
        let mut rejects = Rejects::open(&path, 0).unwrap();
        rejects.append(&[fault(2), fault(7), Reject::unreadable(9, Unreadable::Quotes)]).unwrap();

        let row =
            |line, column: &str, code: &str| Rejected { line, column: column.into(), code: code.into() };
        let all = [row(2, column, "formula"), row(7, column, "formula"), row(9, "", "quotes")];
        assert_eq!(read(&path, 0, 10).unwrap(), all);
        assert_eq!(read(&path, 1, 1).unwrap(), all[1..2]);

        append_durably(&mut OpenOptions::new().append(true).open(&path).unwrap(), b"11,born").unwrap();
        assert_eq!(read(&path, 0, 10).unwrap(), all, "a row that is half written is not there yet");
    }
}
