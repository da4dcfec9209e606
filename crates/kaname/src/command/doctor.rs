//! `kaname doctor`: looks for what is wrong with a deployment.

use std::path::Path;
use std::process::ExitCode;

use kaname_store::lint;
use kaname_trust::Keys;
use kaname_trust::log::verify_published;
use serde::Serialize;

use super::{On, jobs};
use crate::deployment::{Config, Deployment, folder_of, load_pack};
use crate::error::{Failure, REFUSED};
use crate::show;

#[derive(Serialize)]
struct Check {
    what: &'static str,
    good: bool,
    found: String,
}

pub(crate) fn run(on: &On) -> Result<ExitCode, Failure> {
    // Without its configuration there is nothing to look at; the error says what to do.
    let folder = folder_of(&on.config);
    let config = Config::read(&folder)?;
    let mut checks = vec![
        check("keys", keys(&folder)),
        check("pack", pack(&folder)),
        check("database", database(&folder, &config)),
    ];
    if checks.iter().all(|check| check.good) {
        let deployment = on.open()?;
        checks.extend([
            check("log", log(&deployment)),
            check("banks", banks(&deployment)),
            check("jobs", given_up(&deployment)),
        ]);
    } else {
        let waits = "not looked at while something above is wrong: mend that, and run doctor again";
        checks.push(check("log", Err(waits.to_owned())));
    }
    checks.push(check("address", address(&config)));
    let all_good = checks.iter().all(|check| check.good);
    if on.json {
        show::json(&checks);
    } else {
        for Check { what, good, found } in &checks {
            println!("{} {what}: {found}", if *good { "good " } else { "WRONG" });
        }
        if all_good {
            println!("Next: kaname serve --config {}", folder.display());
        }
    }
    Ok(ExitCode::from(if all_good { 0 } else { REFUSED }))
}

fn check(what: &'static str, found: Result<String, String>) -> Check {
    let good = found.is_ok();
    Check { what, good, found: found.unwrap_or_else(|wrong| wrong) }
}

fn keys(folder: &Path) -> Result<String, String> {
    Keys::load(&folder.join("keys")).map_err(|error| error.to_string())?;
    Ok("readable by their owner only".to_owned())
}

fn pack(folder: &Path) -> Result<String, String> {
    let pack = load_pack(&folder.join("pack")).map_err(|failure| failure.to_string())?;
    Ok(format!("{} version {}", pack.id, pack.version))
}

fn database(folder: &Path, config: &Config) -> Result<String, String> {
    let store = config.open_store(folder).map_err(|failure| failure.to_string())?;
    let findings = lint::catalogue(&store).map_err(|error| error.to_string())?;
    match findings.as_slice() {
        [] => Ok(format!("answers; {} bucket(s); every table keeps to its bucket", config.buckets)),
        [first, ..] => {
            Err(format!("{} table(s) break the rules of distribution, such as: {first}", findings.len()))
        }
    }
}

fn log(deployment: &Deployment) -> Result<String, String> {
    let look = || -> Result<String, Failure> {
        let log = deployment.log()?;
        log.publish()?;
        let verified = verify_published(&deployment.log_folder(), &log.vkey(), None)?;
        Ok(format!("whole, {} entries", show::grouped(verified.size)))
    };
    look().map_err(|failure| {
        format!(
            "{failure}\n  what to do: stop serving; keep {} and the database as they are for whoever finds out; then bring both back \
             from one backup (docs/operate/backups.md)",
            deployment.log_folder().display()
        )
    })
}

fn banks(deployment: &Deployment) -> Result<String, String> {
    let banks = deployment.simulated_banks().map_err(|failure| failure.to_string())?;
    Ok(match banks.len() {
        0 => "none are set up: everybody is paid by voucher".to_owned(),
        count => format!("{count} simulated"),
    })
}

/// What goes on behind the pages: messages to agencies and banks, and what a death closes elsewhere.
fn given_up(deployment: &Deployment) -> Result<String, String> {
    match jobs::count_dead(&deployment.store).map_err(|failure| failure.to_string())? {
        0 => Ok("none was given up".to_owned()),
        some => Err(format!(
            "{} given up after many attempts\n  what to do: kaname jobs dead says which and why; mend that, then kaname jobs again --all",
            show::grouped(some as u64)
        )),
    }
}

/// Somebody else listening where we want to is the usual reason why a server does not start.
fn address(config: &Config) -> Result<String, String> {
    let listen = &config.serve.listen;
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Ok(format!("{listen} is free to listen on")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Ok(format!(
            "{listen} is in use: this deployment is being served, or another program has the port"
        )),
        Err(error) => Err(format!("cannot listen on {listen}: {error}; change `listen` in kaname.toml")),
    }
}
