//! A private PostgreSQL cluster, kept by a small shell that outlives neither the tests nor a kill of them: it waits on a pipe.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use postgres::{Client, NoTls};

const KEEPER: &str = include_str!("cluster.sh");
const INSTALL: &str =
    "no PostgreSQL found; on Debian or Ubuntu: apt install postgresql; elsewhere put initdb on the PATH";

/// How a cluster is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether a commit waits for the disk. Off unless a test kills the machine in thought.
    pub fsync: bool,
}

/// A running cluster. Stopped and removed when it is dropped, and when the process ends in any way.
pub struct Postgres {
    folder: PathBuf,
    keeper: Mutex<Keeper>,
    databases: AtomicU32,
}

struct Keeper {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Postgres {
    /// The cluster that all tests of this process share.
    ///
    /// # Errors
    /// A sentence for people, when there is no PostgreSQL or it does not start; so for the others.
    pub fn shared() -> Result<&'static Postgres, String> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        SHARED.get_or_init(|| Postgres::start(Options::default())).as_ref().map_err(Clone::clone)
    }

    /// A second cluster, for tests which split the buckets between two.
    ///
    /// # Errors
    /// As [`Postgres::shared`].
    pub fn second() -> Result<&'static Postgres, String> {
        static SECOND: OnceLock<Result<Postgres, String>> = OnceLock::new();
        SECOND.get_or_init(|| Postgres::start(Options::default())).as_ref().map_err(Clone::clone)
    }

    /// A cluster of one's own, for tests which kill it.
    ///
    /// # Errors
    /// As [`Postgres::shared`].
    pub fn start(options: Options) -> Result<Postgres, String> {
        let binaries = binaries().ok_or(INSTALL)?;
        let folder = folder()?;
        let mut command = as_unprivileged(&folder)?;
        command.args(["/bin/sh", "-c", KEEPER, "keeper"]).arg(&folder).arg(binaries);
        command.arg(if options.fsync { "on" } else { "off" });
        // A group of its own, so that Ctrl-C at the tests does not reach it before it has cleaned up.
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| format!("cannot start a shell: {error}"))?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.expect("standard output is piped"));
        let mut keeper = Keeper { child, orders, answers };
        keeper.expect("ready")?;
        Ok(Postgres { folder, keeper: Mutex::new(keeper), databases: AtomicU32::new(0) })
    }

    /// The connection string of a new, empty database.
    ///
    /// # Panics
    /// When the server does not make one.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.administer(&format!("CREATE DATABASE {name}")).expect("the test server makes a database");
        self.url(&name)
    }

    /// Removes the database that `url` names, and closes what is connected to it.
    pub fn remove(&self, url: &str) {
        if let Some((_, name)) = url.rsplit_once("dbname=") {
            let _ = self.administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }

    /// Runs a statement in the maintenance database, as superuser.
    ///
    /// # Errors
    /// What the server says.
    pub fn administer(&self, sql: &str) -> Result<(), postgres::Error> {
        // One at a time: CREATE DATABASE refuses while another copies the same template.
        let _keeper = self.lock();
        Client::connect(&self.url("postgres"), NoTls)?.batch_execute(sql)
    }

    /// Ends every connection that clients have, as a network failure would.
    pub fn cut_connections(&self) {
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        self.administer(sql).expect("the test server ends its connections");
    }

    /// Kills the server (SIGKILL to the postmaster); what was acknowledged must come back with [`Postgres::restart`].
    pub fn kill(&self) {
        self.order("kill", "killed");
    }

    /// Stops the server in good order.
    pub fn stop(&self) {
        self.order("stop", "stopped");
    }

    /// Starts a stopped or killed server again, on the same data.
    pub fn restart(&self) {
        self.order("start", "ready");
    }

    fn order(&self, order: &str, answer: &str) {
        let mut keeper = self.lock();
        let orders = keeper.orders.as_mut().expect("orders are open until the cluster is dropped");
        writeln!(orders, "{order}").expect("the keeper reads its orders");
        keeper.expect(answer).unwrap_or_else(|message| panic!("{message}"));
    }

    fn url(&self, database: &str) -> String {
        format!("host={} user=kaname dbname={database}", self.folder.display())
    }

    fn lock(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut keeper = self.lock();
        drop(keeper.orders.take());
        let _ = keeper.child.wait();
    }
}

impl Keeper {
    fn expect(&mut self, answer: &str) -> Result<(), String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|error| error.to_string())?;
        if line.trim_end() == answer { Ok(()) } else { Err(format!("the test PostgreSQL: {line:?}")) }
    }
}

/// The folder with `initdb` and `pg_ctl`: Debian's newest, else the first on the PATH.
fn binaries() -> Option<PathBuf> {
    let complete = |bin: &PathBuf| ["initdb", "pg_ctl"].iter().all(|name| bin.join(name).is_file());
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .map(|entry| entry.path())
        .filter(|path| complete(&path.join("bin")))
        .max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let on_path = || std::env::split_paths(&std::env::var_os("PATH")?).find(complete);
    newest.map(|path| path.join("bin")).or_else(on_path)
}

/// A short path: a socket's may have 107 bytes.
fn folder() -> Result<PathBuf, String> {
    let make = |at: &Path| tempfile::Builder::new().prefix("kaname-pg-").tempdir_in(at);
    // Root hands the folder to another user, who may not be able to enter a private TMPDIR.
    let at = if is_root() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    make(&at).map(|folder| folder.keep()).map_err(|error| format!("cannot make a temporary folder: {error}"))
}

/// A command that runs what is appended to it as a user whom PostgreSQL accepts, and who owns `folder`.
fn as_unprivileged(folder: &Path) -> Result<Command, String> {
    if !is_root() {
        return Ok(Command::new("/usr/bin/env"));
    }
    let users = std::fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let user =
        users.lines().find(|line| line.starts_with("postgres:")).ok_or("there is no user 'postgres'")?;
    let number = |field: usize| user.split(':').nth(field).and_then(|text| text.parse::<u32>().ok());
    let (Some(uid), Some(gid)) = (number(2), number(3)) else {
        return Err("user 'postgres' has no number".into());
    };
    let give = || {
        chown(folder, Some(uid), Some(gid))?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
    };
    give().map_err(|error| format!("cannot give the folder to 'postgres': {error}"))?;
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={uid}"), format!("--regid={gid}")]).args(["--init-groups", "--"]);
    Ok(command)
}

/// Whether this process is root: it owns its own entry in `/proc`.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}
