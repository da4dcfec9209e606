//! `kaname pack`: country packs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use kaname_base::pack::Pack as CountryPack;

use crate::deployment::load_pack;
use crate::error::Failure;

/// Check a country pack, or begin a new one
#[derive(Subcommand)]
pub(crate) enum Pack {
    /// Say in plain words what is wrong with a pack
    Check {
        /// The pack's folder, or the name of one that ships with the program
        pack: String,
    },
    /// Copy the template of a pack into a new folder
    New {
        /// The folder to make
        folder: PathBuf,
    },
}

pub(crate) fn run(pack: &Pack) -> Result<ExitCode, Failure> {
    match pack {
        Pack::Check { pack } => check(pack),
        Pack::New { folder } => new(folder),
    }
}

fn check(name: &str) -> Result<ExitCode, Failure> {
    let pack = match CountryPack::load_shipped(name) {
        Some(pack) => pack,
        None => load_pack(Path::new(name))?,
    };
    if let Some(action) = kaname_person::four_eyes::unknown(&pack).first() {
        return Err(Failure::refused(format!(
            "policy.toml: four_eyes: `{action}` is not an action that two officers do together here"
        )));
    }
    println!(
        "The pack '{}' (version {}) is good: {} language(s), {} purposes, {} programme(s), {} banks",
        pack.id,
        pack.version,
        pack.languages.len(),
        pack.purposes.len(),
        pack.programmes.len(),
        pack.banks.len()
    );
    Ok(ExitCode::SUCCESS)
}

fn new(folder: &Path) -> Result<ExitCode, Failure> {
    if folder.exists() {
        return Err(Failure::usage(format!("{} is there already", folder.display()))
            .mend("name a folder that does not exist"));
    }
    let files = CountryPack::shipped_files("example").expect("the template ships with the program");
    for (name, text) in &files {
        let path = folder.join(name);
        let failed =
            |error: std::io::Error| Failure::unavailable(format!("cannot write {}: {error}", path.display()));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        std::fs::write(&path, text).map_err(failed)?;
    }
    println!("Made a pack from the template in {}", folder.display());
    println!("Next: edit its files, then run: kaname pack check {}", folder.display());
    Ok(ExitCode::SUCCESS)
}
