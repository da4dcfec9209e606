//! Imports as officers see them: how each one went, and which lines were rejected. A note beside the file of rejects says so; the
//! program writes both into one folder. Neither holds a value of any line.

use std::fs;
use std::io;
use std::path::Path;

use kaname_base::Instant;
use kaname_person::Action;
use kaname_person::import::{Rejected, rejected};
use serde::{Deserialize, Serialize};

use crate::http::answer::{Answer, page};
use crate::http::guard::Officer;
use crate::http::{App, Call, Problem};
use crate::pages::Shell;
use crate::pages::office::{ImportListPage, ImportPage, ImportView, RejectView};

/// How an import went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportNote {
    /// Names it in addresses: lower-case letters, digits and hyphens.
    pub id: String,
    /// The name of the file, without its folder.
    pub file: String,
    /// When it began, in microseconds since 1970.
    pub at_micros: i64,
    /// Who started it.
    pub by: String,
    /// `running` or `finished`.
    pub state: String,
    /// Lines that became a new resident.
    pub added: u64,
    /// Lines that were in the register already.
    pub unchanged: u64,
    /// Lines that were rejected.
    pub rejected: u64,
}

/// Rejects on one page.
const LINES: usize = 100;

impl ImportNote {
    /// Writes the note into `folder`, in the place of an earlier one of the same import.
    ///
    /// # Errors
    /// When the folder cannot be written, or the id cannot be a name in it.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        if !is_plain(&self.id) {
            return Err(io::Error::other("an import's id has lower-case letters, digits and hyphens only"));
        }
        fs::create_dir_all(folder)?;
        let (new, path) = (folder.join(format!("{}.new", self.id)), folder.join(format!("{}.json", self.id)));
        fs::write(&new, serde_json::to_vec_pretty(self)?)?;
        fs::rename(new, path)
    }

    /// Where the rejects of an import go: line, column, code and reason, as CSV.
    pub fn rejects(folder: &Path, id: &str) -> std::path::PathBuf {
        folder.join(format!("{id}.rejects.csv"))
    }
}

/// `GET /office/imports`
pub(crate) fn list(app: &App, call: &Call, officer: &Officer) -> Answer {
    let imports = notes(&app.imports_folder).iter().map(view).collect();
    page(&ImportListPage { imports, shell: officer.shell(app, call) })
}

/// `GET /office/imports/{id}`
pub(crate) fn one(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = call.param("id");
    let note =
        notes(&app.imports_folder).into_iter().find(|note| note.id == id).ok_or_else(Problem::not_found)?;
    let number: usize = call.query.get("page").unwrap_or("1").parse().map_err(|_| Problem::not_found())?;
    let from =
        number.checked_sub(1).and_then(|before| before.checked_mul(LINES)).ok_or_else(Problem::not_found)?;
    let shell = officer.shell(app, call);
    let mut rows = rejects(officer, &ImportNote::rejects(&app.imports_folder, &note.id), from, &shell)?;
    let has_more = rows.len() > LINES;
    rows.truncate(LINES);
    if from > 0 && rows.is_empty() {
        return Err(Problem::not_found());
    }
    let to = |page: usize| Some(format!("/office/imports/{id}?page={page}"));
    page(&ImportPage {
        import: view(&note),
        previous: if number > 1 { to(number - 1) } else { None },
        next: if has_more { to(number + 1) } else { None },
        rejects: rows,
        shell,
    })
}

/// How many imports have rejects.
pub(super) fn with_rejects(folder: &Path) -> u64 {
    notes(folder).iter().filter(|note| note.rejected > 0).count() as u64
}

/// The notes of a folder, newest first. What cannot be read is not one of ours.
fn notes(folder: &Path) -> Vec<ImportNote> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    let mut notes: Vec<ImportNote> = files
        .filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok())
        .filter(|note: &ImportNote| is_plain(&note.id))
        .collect();
    notes.sort_by_key(|note| std::cmp::Reverse(note.at_micros));
    notes
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

fn view(note: &ImportNote) -> ImportView {
    ImportView {
        id: note.id.clone(),
        file: note.file.clone(),
        at: Instant::from_micros(note.at_micros),
        by: note.by.clone(),
        state: note.state.clone(),
        lines: note.added + note.unchanged + note.rejected,
        added: note.added,
        unchanged: note.unchanged,
        rejected: note.rejected,
    }
}

/// The rejects after the first `from`, and one more than a page has: it shows that there is another page.
fn rejects(officer: &Officer, path: &Path, from: usize, shell: &Shell) -> Result<Vec<RejectView>, Problem> {
    let by = officer.acting(Action::SeeImportRejects)?;
    let rows = rejected(&by, path, from, LINES + 1).map_err(|error| {
        tracing::error!(%error, "a file of rejects cannot be read");
        Problem::unavailable()
    })?;
    let row =
        |row: Rejected| RejectView { line: row.line, column: row.column, reason: reason(shell, &row.code) };
    Ok(rows.into_iter().map(row).collect())
}

/// Why a line was rejected, in the reader's language; the code itself where there is no text.
fn reason(shell: &Shell, code: &str) -> String {
    shell.word("reject", code)
}
