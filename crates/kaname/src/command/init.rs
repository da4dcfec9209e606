//! `kaname init`: makes a deployment.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::deployment::{Deployment, NewDeployment};
use crate::error::Failure;
use crate::show;

/// Make a deployment: configuration, keys, country pack, database
#[derive(Args)]
pub(crate) struct Init {
    /// The folder to make it in
    folder: PathBuf,
    /// The country pack
    #[arg(long, default_value = "example")]
    country: String,
    /// How many people are expected: decides how the data are spread
    #[arg(long, default_value_t = 1_000_000)]
    population: u64,
    /// A PostgreSQL connection string instead of SQLite; repeat it to share the data between several
    #[arg(long)]
    postgres: Vec<String>,
    /// The port to serve on
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Speak TLS with a certificate of the deployment's own authority
    #[arg(long)]
    tls: bool,
    /// Deal with simulated banks, for trying things out
    #[arg(long)]
    simulated_banks: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Made {
    folder: PathBuf,
    country: String,
    pack_version: u32,
    buckets: u16,
    log_key: String,
}

pub(crate) fn run(init: &Init) -> Result<ExitCode, Failure> {
    let deployment = Deployment::create(&NewDeployment {
        folder: &init.folder,
        country: &init.country,
        population: init.population,
        postgres: init.postgres.clone(),
        port: init.port,
        tls: init.tls,
        simulated_banks: init.simulated_banks,
        office_by_letter: false,
    })?;
    let log = deployment.log()?;
    log.publish()?;
    let made = Made {
        folder: deployment.folder.clone(),
        country: deployment.pack.id.clone(),
        pack_version: deployment.pack.version,
        buckets: deployment.config.buckets,
        log_key: log.vkey(),
    };
    if init.json {
        show::json(&made);
    } else {
        let shown = made.folder.display();
        println!("Made a deployment for {} in {shown}", made.country);
        println!("  data are spread over {} bucket(s)", made.buckets);
        println!("  the log is signed with the key {}", made.log_key);
        println!("  keep a copy of {shown}/keys in a safe: without the master key nothing can be read");
        let offices = &deployment.pack.offices;
        let office = offices.iter().find(|office| office.roles.iter().any(|role| role == "administrator"));
        let office = office.map_or("OFFICE", |office| office.code.as_str());
        println!("Next: the first administrator, who adds the other officers:");
        println!(
            "  kaname officer add NAME --office {office} --role administrator --letter admin.html --key admin.key --config {shown}"
        );
        println!("  then officers, residents and the server: docs/operate/first-steps.md");
    }
    Ok(ExitCode::SUCCESS)
}
