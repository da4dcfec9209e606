//! `kaname link letters`: whoever a wrong link concerns and no screen reaches is written to.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use kaname_base::hex;
use kaname_person::Action;
use kaname_person::link::recall::{acknowledge, all_notices, letters, set_written};
use kaname_web::link_view as view;
use kaname_web::pages::link::{LinkNoticePage, LinkUndonePage};
use serde::Serialize;

use super::desk;
use crate::clock;
use crate::command::{On, officer};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::{paper, show};

#[derive(Args)]
pub(crate) struct Letters {
    /// The folder for the letters, HTML to be printed
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many at most
    #[arg(long, default_value_t = 1_000)]
    most: usize,
    /// The officer who writes them
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Serialize)]
struct Written {
    to_residents: usize,
    to_readers: usize,
    skipped: usize,
}

/// Each letter is noted as written when it lies in the folder: killed in between, it is written once more.
pub(super) fn run(ask: &Letters) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::SeeLinks)?;
    let watching = officer::acting(&deployment, &ask.officer, Action::WatchLinks)?;
    let telling = officer::acting(&deployment, &ask.officer, Action::SettleLink)?;
    let Deployment { pack, .. } = &deployment;
    let (desk, env, shell) = (desk(&deployment), clock::env(), deployment.shell());
    let to_write = letters(&desk, &env, &by, ask.most)?;
    let mut written = Written { to_residents: 0, to_readers: 0, skipped: to_write.skipped };
    for letter in to_write.letters {
        let of = &letter.resident.particulars.address;
        let address = [&of.postcode, &of.region, &of.city, &of.line];
        let (person, link) = (letter.person, letter.link.id);
        let page = LinkUndonePage {
            name: letter.resident.display_name(pack),
            address: address.into_iter().filter(|line| !line.is_empty()).cloned().collect(),
            sender: vec![deployment.authority()],
            at: env.now,
            link: view(pack, shell.lang.code(), letter.link),
            shell: shell.clone(),
        };
        paper::write_page(&ask.out.join(format!("{link}.html")), &page)?;
        set_written(&desk, &by, person, link)?;
        written.to_residents += 1;
    }
    for told in all_notices(&desk, &watching, ask.most)?.into_iter().filter(|told| !told.sent) {
        let source = pack.source(&told.notice.source);
        let record = source.map_or(told.notice.source.as_str(), |of| of.name.get(shell.lang.code()));
        let page = LinkNoticePage {
            reader: told.reader.clone(),
            sender: vec![deployment.authority()],
            at: env.now,
            record: record.to_owned(),
            reference: told.notice.reference.clone(),
            first: told.notice.first,
            last: told.notice.last,
            undone: told.notice.undone,
            issued: told.notice.issued.clone(),
            shell: shell.clone(),
        };
        paper::write_page(&ask.out.join(format!("reader-{}.html", hex::encode(&told.id))), &page)?;
        acknowledge(&desk, &telling, &told.reader, told.id)?;
        written.to_readers += 1;
    }
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&written);
    } else {
        let Written { to_residents, to_readers, skipped } = written;
        println!(
            "Wrote {to_residents} letter(s) to residents and {to_readers} to readers into {}",
            ask.out.display()
        );
        if skipped > 0 {
            println!(
                "{skipped} letter(s) could not be written: the resident or the link is gone from the register"
            );
        }
        if to_residents + to_readers > 0 {
            println!("Next: print and send them; each was noted as written");
        }
    }
    Ok(ExitCode::SUCCESS)
}
