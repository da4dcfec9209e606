//! `kaname doctor`: looks for what is wrong with a deployment.

use std::process::ExitCode;

use kaname_store::lint;
use kaname_trust::log::verify_published;
use serde::Serialize;

use super::On;
use crate::deployment::Deployment;
use crate::error::{Failure, REFUSED};
use crate::show;

#[derive(Serialize)]
struct Check {
    what: &'static str,
    good: bool,
    found: String,
}

pub(crate) fn run(on: &On) -> Result<ExitCode, Failure> {
    // A deployment that does not open is the first finding; its error says what to do.
    let deployment = on.open()?;
    let checks = [
        check(
            "keys and pack",
            Ok(format!(
                "readable by their owner only; pack {} version {}",
                deployment.pack.id, deployment.pack.version
            )),
        ),
        check("database", database(&deployment)),
        check("log", log(&deployment)),
        check("banks", banks(&deployment)),
        check("address", address(&deployment)),
    ];
    let all_good = checks.iter().all(|check| check.good);
    if on.json {
        show::json(&checks);
    } else {
        for Check { what, good, found } in &checks {
            println!("{} {what}: {found}", if *good { "good " } else { "WRONG" });
        }
        if all_good {
            println!("Next: kaname serve --config {}", deployment.folder.display());
        }
    }
    Ok(ExitCode::from(if all_good { 0 } else { REFUSED }))
}

fn check(what: &'static str, found: Result<String, String>) -> Check {
    let good = found.is_ok();
    Check { what, good, found: found.unwrap_or_else(|wrong| wrong) }
}

fn database(deployment: &Deployment) -> Result<String, String> {
    let findings = lint::catalogue(&deployment.store).map_err(|error| error.to_string())?;
    match findings.as_slice() {
        [] => {
            Ok(format!("answers; {} bucket(s); every table keeps to its bucket", deployment.config.buckets))
        }
        [first, ..] => {
            Err(format!("{} table(s) break the rules of distribution, such as: {first}", findings.len()))
        }
    }
}

fn log(deployment: &Deployment) -> Result<String, String> {
    let log = deployment.log().map_err(|failure| failure.to_string())?;
    log.publish().map_err(|error| error.to_string())?;
    let verified =
        verify_published(&deployment.log_folder(), &log.vkey(), None).map_err(|error| error.to_string())?;
    Ok(format!("whole, {} entries", show::grouped(verified.size)))
}

fn banks(deployment: &Deployment) -> Result<String, String> {
    let banks = deployment.simulated_banks().map_err(|failure| failure.to_string())?;
    Ok(match banks.len() {
        0 => "none are set up: everybody is paid by voucher".to_owned(),
        count => format!("{count} simulated"),
    })
}

/// Somebody else listening where we want to is the usual reason why a server does not start.
fn address(deployment: &Deployment) -> Result<String, String> {
    let listen = &deployment.config.serve.listen;
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Ok(format!("{listen} is free to listen on")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Ok(format!(
            "{listen} is in use: this deployment is being served, or another program has the port"
        )),
        Err(error) => Err(format!("cannot listen on {listen}: {error}; change `listen` in kaname.toml")),
    }
}
