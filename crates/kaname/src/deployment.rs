//! A deployment: a folder with a configuration, keys, a country pack, a database and a log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kaname_base::Buckets;
use kaname_base::pack::Pack;
use kaname_pay::payee::Desk;
use kaname_pay::{Banks, Register};
use kaname_signin::Provider;
use kaname_sim::bank::SimBank;
use kaname_store::{Location, Migration, Store, StoreConfig};
use kaname_trust::Keys;
use kaname_trust::log::Log;
use kaname_web::pages::{Lang, Shell, texts};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::Failure;

/// The name of the configuration file in a deployment's folder.
pub(crate) const CONFIG_FILE: &str = "kaname.toml";

/// Where a deployment's simulated banks keep their books, below its folder.
pub(crate) const SIMULATED_BANKS: &str = "world/banks";

/// `kaname.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// How many buckets the data are spread over. Fixed by `init`.
    pub(crate) buckets: u16,
    /// What the log is called in its checkpoints.
    pub(crate) log_origin: String,
    /// A folder with simulated banks, relative to the deployment's folder. Without it the deployment deals with no bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) simulated_banks: Option<PathBuf>,
    /// Whether officers come in with a letter too, and not with a passkey only. For trying things out, never for people's data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) office_by_letter: bool,
    /// Where the data lie.
    pub(crate) database: Database,
    /// How the program is reached.
    pub(crate) serve: Serve,
}

/// Where the data lie.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum Database {
    /// A file, relative to the deployment's folder.
    Sqlite(PathBuf),
    /// Connection strings of PostgreSQL; several share the buckets.
    Postgres(Vec<String>),
}

/// How the program is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serve {
    /// The address it listens on.
    pub(crate) listen: String,
    /// The address by which browsers and relying parties know it: the OpenID Connect issuer. No slash at the end.
    pub(crate) issuer: String,
    /// Whether it speaks TLS itself, with a certificate of the deployment's own authority (`tls/ca.pem`).
    pub(crate) tls: bool,
}

impl Serve {
    fn on_loopback(port: u16, tls: bool) -> Serve {
        let scheme = if tls { "https" } else { "http" };
        Serve { listen: format!("127.0.0.1:{port}"), issuer: format!("{scheme}://localhost:{port}"), tls }
    }
}

/// The folder of the deployment that is named: by its folder, or by its `kaname.toml`, also where there is none.
pub(crate) fn folder_of(named: &Path) -> PathBuf {
    let is_file = named.is_file() || named.file_name().is_some_and(|name| name == CONFIG_FILE);
    let folder = if is_file { named.parent().unwrap_or(Path::new("")) } else { named };
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

impl Config {
    /// Reads the configuration of the deployment in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Config, Failure> {
        let path = folder.join(CONFIG_FILE);
        let shown = path.display();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::usage(format!("cannot read {shown}: {error}")).mend(
                "name the deployment's folder with --config DIR, or make one: kaname init DIR --country japan",
            )
        })?;
        toml::from_str(&text).map_err(|error| Failure::usage(format!("{shown}: {error}")))
    }

    /// Opens the database of the deployment in `folder`.
    pub(crate) fn open_store(&self, folder: &Path) -> Result<Store, Failure> {
        let buckets = Buckets::new(self.buckets).ok_or_else(|| {
            let shown = folder.join(CONFIG_FILE);
            Failure::usage(format!("{}: buckets must be a power of two from 1 to 4096", shown.display()))
        })?;
        let location = match &self.database {
            Database::Sqlite(file) => Location::Sqlite(folder.join(file)),
            Database::Postgres(urls) => Location::Postgres(urls.clone()),
        };
        // So that an import of a million residents stays below 200 MB with all that it holds beside the pages.
        let config = StoreConfig { cache_mib: 32, ..StoreConfig::new(location, buckets) };
        Ok(Store::open(&config, MIGRATIONS)?)
    }

    fn write(&self, folder: &Path) -> Result<(), Failure> {
        // It may hold a connection string with a password.
        let text = toml::to_string_pretty(self).map_err(Failure::usage)?;
        crate::paper::write_owner_only(&folder.join(CONFIG_FILE), text.as_bytes())
    }
}

/// An open deployment.
pub(crate) struct Deployment {
    pub(crate) folder: PathBuf,
    pub(crate) config: Config,
    pub(crate) keys: Keys,
    pub(crate) pack: Arc<Pack>,
    pub(crate) store: Store,
}

/// Every block's tables, lowest floor first.
pub(crate) const MIGRATIONS: &[&[Migration]] = &[
    kaname_store::jobs::MIGRATIONS,
    kaname_trust::MIGRATIONS,
    kaname_person::MIGRATIONS,
    kaname_pay::MIGRATIONS,
    kaname_signin::MIGRATIONS,
];

/// What `init` needs to know.
pub(crate) struct NewDeployment<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) country: &'a str,
    /// How many people are expected: decides the number of buckets.
    pub(crate) population: u64,
    /// Connection strings; SQLite when empty.
    pub(crate) postgres: Vec<String>,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// Whether the banks are simulated.
    pub(crate) simulated_banks: bool,
    /// Whether officers come in with a letter too: demonstrations only.
    pub(crate) office_by_letter: bool,
}

impl Deployment {
    /// Makes a deployment in an empty or new folder, and opens it.
    pub(crate) fn create(new: &NewDeployment<'_>) -> Result<Deployment, Failure> {
        let folder = new.folder;
        if folder.join(CONFIG_FILE).exists() {
            let shown = folder.display();
            return Err(Failure::usage(format!("there is a deployment in {shown} already")).mend(format!(
                "use another folder, or go on with it: kaname serve --config {shown}/{CONFIG_FILE}"
            )));
        }
        let files = Pack::shipped_files(new.country).ok_or_else(|| unknown_country(new.country))?;
        make_private(folder)?;
        for (name, text) in &files {
            write(&folder.join("pack").join(name), text)?;
        }
        Keys::create(&folder.join("keys"))?;
        let database = match new.postgres.is_empty() {
            true => Database::Sqlite(PathBuf::from("kaname.sqlite")),
            false => Database::Postgres(new.postgres.clone()),
        };
        let config = Config {
            buckets: Buckets::for_population(new.population).count(),
            log_origin: format!("kaname.example/{}", new.country),
            simulated_banks: new.simulated_banks.then(|| PathBuf::from(SIMULATED_BANKS)),
            office_by_letter: new.office_by_letter,
            database,
            serve: Serve::on_loopback(new.port, new.tls),
        };
        // Written last: a folder without it is not a deployment, and `init` may be run again.
        config.write(folder)?;
        Deployment::open(folder)
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        let port = self.config.serve.listen.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port.unwrap_or_default()
    }

    /// Listens on another port of this machine from now on, and is known by it.
    pub(crate) fn move_to(&mut self, port: u16) -> Result<(), Failure> {
        self.config.serve = Serve::on_loopback(port, self.config.serve.tls);
        self.config.write(&self.folder)
    }

    /// Opens the deployment in `folder`, or the one whose `kaname.toml` it is.
    pub(crate) fn open(folder: &Path) -> Result<Deployment, Failure> {
        let folder = &folder_of(folder);
        let config = Config::read(folder)?;
        let pack = Arc::new(load_pack(&folder.join("pack"))?);
        let keys = Keys::load(&folder.join("keys"))?;
        let store = config.open_store(folder)?;
        Ok(Deployment { folder: folder.to_owned(), config, keys, pack, store })
    }

    /// What payouts work with.
    pub(crate) fn desk(&self) -> Result<Desk, Failure> {
        let (store, keys) = (self.store.clone(), self.keys.clone());
        let (pack, banks) = (Arc::clone(&self.pack), self.banks()?);
        Ok(Desk { store, keys, pack, residents: Arc::new(Register), banks })
    }

    fn banks(&self) -> Result<Banks, Failure> {
        let mut banks = Banks::new();
        for (code, bank) in self.simulated_banks()? {
            banks.insert(&code, bank);
        }
        Ok(banks)
    }

    /// The simulated banks, by code; none when the deployment has no folder for them.
    pub(crate) fn simulated_banks(&self) -> Result<Vec<(String, Arc<SimBank>)>, Failure> {
        let Some(folder) = &self.config.simulated_banks else { return Ok(Vec::new()) };
        let open = |bank: &kaname_base::pack::Bank| {
            let folder = self.folder.join(folder).join(&bank.code);
            let opened = SimBank::open(&folder, &bank.code, self.pack.currency)
                .map_err(|error| Failure::unavailable(format!("cannot use {}: {error}", folder.display())))?;
            Ok((bank.code.clone(), Arc::new(opened)))
        };
        self.pack.banks.iter().map(open).collect()
    }

    /// The OpenID provider.
    pub(crate) fn provider(&self) -> Result<Provider, Failure> {
        let config = kaname_signin::Config::new(&self.config.serve.issuer).with_pack(Arc::clone(&self.pack));
        Ok(Provider::open(self.store.clone(), self.keys.clone(), config, &clock::env())?)
    }

    /// Who runs this deployment, in the country's first language.
    pub(crate) fn authority(&self) -> String {
        let language = &self.pack.default_language().tag;
        let name =
            self.pack.texts.find(language, "authority.name").unwrap_or_else(|| self.pack.name.get(language));
        name.to_owned()
    }

    /// The frame of pages and letters, in the country's first language.
    pub(crate) fn shell(&self) -> Shell {
        Shell {
            texts: Arc::new((*texts()).clone().merge(&self.pack.texts)),
            lang: Lang::parse(&self.pack.default_language().tag).unwrap_or_default(),
            languages: self.pack.languages.iter().filter_map(|language| Lang::parse(&language.tag)).collect(),
            authority: self.authority(),
            zone: self.pack.time_zone.clone(),
            ..Shell::default()
        }
    }

    /// The public log of this deployment.
    pub(crate) fn log(&self) -> Result<Log, Failure> {
        Ok(Log::open(self.store.clone(), &self.keys, &self.log_folder(), &self.config.log_origin)?)
    }

    /// Where the notes and the rejects of imports are.
    pub(crate) fn imports_folder(&self) -> PathBuf {
        self.folder.join("imports")
    }

    /// Where the log's files are.
    pub(crate) fn log_folder(&self) -> PathBuf {
        self.folder.join("log")
    }
}

/// Reads a pack from its folder; says everything that is wrong with it.
pub(crate) fn load_pack(folder: &Path) -> Result<Pack, Failure> {
    let files = read_pack_files(folder)?;
    Pack::parse(&files).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        Failure::usage(format!(
            "the pack in {} has {} problem(s):\n{}",
            folder.display(),
            lines.len(),
            lines.join("\n")
        ))
    })
}

/// The text files of a pack's folder, by their path in it.
pub(crate) fn read_pack_files(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        let failed =
            |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", current.display()));
        for entry in std::fs::read_dir(&current).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
                files.insert(name, text);
            }
        }
    }
    Ok(files)
}

pub(crate) fn unknown_country(country: &str) -> Failure {
    Failure::usage(format!("there is no pack called '{country}'"))
        .mend(format!("choose one of: {}", Pack::shipped().join(", ")))
}

/// Makes the deployment's folder, for its owner only: what is sealed need not be listed either. A folder that is there keeps its rights:
/// it may be one that others work in.
pub(crate) fn make_private(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let failed =
        |error: std::io::Error| Failure::unavailable(format!("cannot make {}: {error}", folder.display()));
    if let Some(above) = folder.parent() {
        std::fs::create_dir_all(above).map_err(failed)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made.map_err(failed),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::unavailable(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}
