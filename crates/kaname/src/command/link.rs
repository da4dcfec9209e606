//! `kaname link`: other agencies' records, linked to residents, and what is done about wrong links.

mod letters;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_base::hex;
use kaname_person::Action;
use kaname_person::link::file::{BATCH, CheckFile, LinkMapping, Progress, Report, check_file};
use kaname_person::link::rules::Shown;
use kaname_person::link::sever::{self, Settle, Settled};
use kaname_person::link::statistics::{Figures, figures};
use kaname_person::link::{Desk, holder, incident, review};
use kaname_person::register::{find_by_reference, person_of_reference};
use kaname_person::show::{Asking, open_resident};
use kaname_trust::Actor;
use kaname_trust::person::bucket_of;
use kaname_web::link_view as view;
use kaname_web::pages::link::LinkLetterPage;
use serde::Serialize;

use super::{On, officer};
use crate::clock::{self, Stopwatch};
use crate::deployment::Deployment;
use crate::error::{Failure, PARTLY};
use crate::show;

/// Link other agencies' records to residents, and see what became of it
#[derive(Subcommand)]
pub(crate) enum Link {
    /// Compare an agency's own list with the residents: each record is linked, left to an officer, or refused
    Check(Check),
    /// Show what is linked to one resident; the reading is logged, and she can see it
    Show(Show),
    /// Write a letter with what is linked to one resident, for her to tick, sign and send back
    Letter(Letter),
    /// Write the letters that follow wrong links: to the residents whom they affect, and to readers who have no feed
    Letters(letters::Letters),
    /// Show what waits for officers: records that no machine may decide, and reports of wrong links with their clocks
    Waiting(Waiting),
    /// Settle a report of a wrong link: undo the link, or find it right; the resident sees which
    Settle(SettleReport),
    /// Show the public figures: how many records were linked, and how many wrongly
    Statistics(On),
}

#[derive(Args)]
pub(crate) struct Check {
    /// The agency's list, CSV or JSON lines
    file: PathBuf,
    /// Which kind of record: a source of the country's pack, such as `health-insurer`
    #[arg(long)]
    source: String,
    /// Which column is which (TOML); without it the columns have our own names
    #[arg(long, value_name = "MAP.toml")]
    map: Option<PathBuf>,
    /// Where the rows go that cannot be read [default: beside the deployment's imports]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// How many rows go through together: fewer use less memory and more time
    #[arg(long, default_value_t = BATCH, value_name = "N")]
    batch: usize,
    /// The officer who checks; without one it is the program that does
    #[arg(long, value_name = "OFFICER")]
    officer: Option<String>,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Show {
    /// The resident's reference in the file that she was imported from
    #[arg(long)]
    reference: String,
    /// The name of that file's source, as its mapping has it
    #[arg(long, default_value = "residents")]
    source: String,
    /// The officer who looks
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Letter {
    #[command(flatten)]
    of: Show,
    /// The file to write, HTML to be printed
    #[arg(long, value_name = "FILE.html")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Waiting {
    /// The officer who looks
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// How many at most
    #[arg(long, default_value_t = 100)]
    most: usize,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct SettleReport {
    /// The report, as `link waiting` shows it
    report: String,
    /// What was found
    #[arg(long, value_parser = ["wrong", "right"])]
    r#as: String,
    /// Why
    #[arg(long)]
    why: String,
    /// The officer who settles it: nobody who made the link
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

pub(crate) fn run(link: &Link) -> Result<ExitCode, Failure> {
    match link {
        Link::Check(ask) => run_check(ask),
        Link::Show(ask) => run_show(ask),
        Link::Letter(ask) => run_letter(ask),
        Link::Letters(ask) => letters::run(ask),
        Link::Waiting(ask) => run_waiting(ask),
        Link::Settle(ask) => run_settle(ask),
        Link::Statistics(on) => run_statistics(on),
    }
}

#[derive(Serialize)]
struct Checked<'a> {
    source: &'a str,
    linked: u64,
    review: u64,
    refused: u64,
    already: u64,
    rejected: u64,
    nothing_new: bool,
    rejects_file: &'a Path,
    seconds: f64,
}

fn run_check(ask: &Check) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let watch = Stopwatch::start();
    let by = match &ask.officer {
        Some(id) => officer::acting(&deployment, id, Action::CheckLinks)?,
        None => Actor::program("link-check", "registrar"),
    };
    let mapping = match &ask.map {
        Some(path) => read_mapping(path)?,
        None => LinkMapping::own(),
    };
    let rejects = match &ask.rejects {
        Some(file) => file.clone(),
        None => default_rejects(&deployment, &ask.file)?,
    };
    let report = check_with_progress(
        &deployment,
        &ask.file,
        &ask.source,
        &mapping,
        &rejects,
        by,
        ask.batch,
        ask.on.json,
    )?;
    deployment.log()?.publish()?;
    let Progress { linked, review, refused, already, rejected, .. } = report.progress;
    if ask.on.json {
        show::json(&Checked {
            source: &ask.source,
            linked,
            review,
            refused,
            already,
            rejected,
            nothing_new: report.nothing_new,
            rejects_file: &rejects,
            seconds: watch.seconds(),
        });
    } else if report.nothing_new {
        println!("This list was checked before; nothing has changed, and nothing was to be done");
        if rejected > 0 {
            println!("{rejected} row(s) could not be read then{}", named(&rejects));
        }
    } else {
        println!(
            "Linked {}; {} for an officer to look at; {} refused; {} decided before; {rejected} row(s) rejected",
            show::grouped(linked),
            show::grouped(review),
            show::grouped(refused),
            show::grouped(already)
        );
        if review > 0 {
            println!("Next: in the office, under 'Linked records', two officers decide each of them");
        }
        if rejected > 0 {
            println!("Next: see {} for line, column and reason", rejects.display());
        }
    }
    Ok(ExitCode::from(if rejected > 0 && !report.nothing_new { PARTLY } else { 0 }))
}

/// Where an earlier check wrote its rejects, if they are still there.
fn named(rejects: &Path) -> String {
    if rejects.exists() { format!(": see {}", rejects.display()) } else { String::new() }
}

/// Checks a list and shows a progress bar.
#[expect(clippy::too_many_arguments, reason = "each is one answer of the command line")]
pub(crate) fn check_with_progress(
    deployment: &Deployment,
    file: &Path,
    source: &str,
    mapping: &LinkMapping,
    rejects: &Path,
    by: Actor,
    batch: usize,
    quiet: bool,
) -> Result<Report, Failure> {
    let size = std::fs::metadata(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?
        .len();
    let bar = show::progress("comparing with residents", size, quiet);
    let ask = CheckFile { source, file, rejects, mapping, by, batch };
    let report = check_file(&desk(deployment), &clock::env(), &ask, &mut |progress: &Progress| {
        bar.set_position(progress.bytes_done);
        bar.set_message(format!(
            "linked {}, review {}",
            show::grouped(progress.linked),
            show::grouped(progress.review)
        ));
    })?;
    bar.finish_and_clear();
    Ok(report)
}

/// What linking works with.
pub(crate) fn desk(deployment: &Deployment) -> Desk {
    Desk::new(deployment.store.clone(), deployment.keys.clone(), deployment.pack.clone())
}

fn default_rejects(deployment: &Deployment, file: &Path) -> Result<PathBuf, Failure> {
    let folder = deployment.imports_folder();
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::unavailable(format!("cannot make {}: {error}", folder.display())))?;
    Ok(folder.join(format!("{}.links.csv", super::resident::note(file).id)))
}

fn read_mapping(path: &Path) -> Result<LinkMapping, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    LinkMapping::parse(&text).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

#[derive(Serialize)]
struct Linked {
    link: String,
    source: String,
    state: &'static str,
    record_ends_in: String,
    agrees: Vec<String>,
    confirmed: bool,
    readers: usize,
}

fn run_show(ask: &Show) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, .. } = &deployment;
    let actor = officer::acting(&deployment, &ask.officer, Action::SeeLinks)?;
    find_by_reference(store, keys, &actor, &ask.source, &ask.reference)?
        .ok_or_else(|| Failure::refused("there is no resident with this reference"))?;
    let person = person_of_reference(keys, store.buckets(), &ask.source, &ask.reference);
    let asking = Asking { person, actor, purpose: "correction".to_owned() };
    let held = holder::linked_to(&desk(&deployment), &clock::env(), &asking)?;
    deployment.log()?.publish()?;
    let shown: Vec<Linked> = held
        .into_iter()
        .map(|held| Linked {
            link: held.id.to_string(),
            source: held.source,
            state: held.state.word(),
            record_ends_in: held.reference_end,
            agrees: held.agrees,
            confirmed: held.confirmed,
            readers: held.readers.len(),
        })
        .collect();
    let line =
        |link: &Linked| format!("{}  {} …{}: {}", link.link, link.source, link.record_ends_in, link.state);
    let end = format!("{} linked record(s). This reading is in the resident's access log.", shown.len());
    show::list(ask.on.json, &shown, line, &end);
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Written<'a> {
    file: &'a Path,
    links: usize,
}

fn run_letter(ask: &Letter) -> Result<ExitCode, Failure> {
    let Show { reference, source, officer: id, on } = &ask.of;
    let deployment = on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let actor = officer::acting(&deployment, id, Action::SeeLinks)?;
    let person = find_by_reference(store, keys, &actor, source, reference)?
        .ok_or_else(|| Failure::refused("there is no resident with this reference"))?;
    let asking = Asking { person, actor, purpose: "correction".to_owned() };
    let env = clock::env();
    let held = holder::linked_to(&desk(&deployment), &env, &asking)?;
    let (with, country) = (keys.clone(), pack.clone());
    let resident = store.write(bucket_of(person, store.buckets()), move |tx| {
        open_resident(tx, &with, &country, &env.again(), &asking, &["name", "address"])
    })?;
    deployment.log()?.publish()?;
    let of = &resident.particulars;
    let shell = deployment.shell();
    let counts = |held: &holder::Held| held.state.takes_a_place();
    let page = LinkLetterPage {
        name: resident.display_name(pack),
        address: of.address.lines(pack),
        sender: vec![deployment.authority()],
        at: clock::now(),
        links: held.into_iter().filter(counts).map(|held| view(pack, shell.lang.code(), held)).collect(),
        shell,
    };
    crate::paper::write_page(&ask.out, &page)?;
    if on.json {
        show::json(&Written { file: &ask.out, links: page.links.len() });
    } else {
        println!("Wrote {} with {} record(s)", ask.out.display(), page.links.len());
        println!("Next: print it and send it; what she sends back is entered at the counter");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct WaitingAnswer {
    cases: Vec<CaseLine>,
    reports: Vec<ReportLine>,
}

#[derive(Serialize)]
struct CaseLine {
    case: String,
    source: String,
    doubt: &'static str,
    candidates: usize,
    proposed: bool,
}

#[derive(Serialize)]
struct ReportLine {
    report: String,
    source: String,
    reported_at: String,
    due: String,
    level: i64,
    escalated_to: Option<String>,
}

fn run_waiting(ask: &Waiting) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let actor = officer::acting(&deployment, &ask.officer, Action::WatchLinks)?;
    let desk = desk(&deployment);
    let may_review = kaname_person::may(&actor, Action::ReviewLink).is_ok();
    let cases = if may_review { review::waiting(&desk, &actor, ask.most)? } else { Vec::new() };
    let reports = incident::open_incidents(&desk, &actor, ask.most)?;
    let answer = WaitingAnswer {
        cases: cases
            .into_iter()
            .map(|case| CaseLine {
                case: hex::encode(&case.id),
                source: case.source,
                doubt: case.doubt.code(),
                candidates: case.candidates,
                proposed: case.proposed_by.is_some(),
            })
            .collect(),
        reports: reports
            .into_iter()
            .map(|report| ReportLine {
                report: hex::encode(&report.id),
                source: report.source,
                reported_at: report.reported_at.timestamp().to_string(),
                due: report.due.timestamp().to_string(),
                level: report.level,
                escalated_to: report.escalated_to,
            })
            .collect(),
    };
    if ask.on.json {
        show::json(&answer);
    } else {
        for case in &answer.cases {
            println!("case {}  {}: {}, {} candidate(s)", case.case, case.source, case.doubt, case.candidates);
        }
        for report in &answer.reports {
            let up =
                report.escalated_to.as_ref().map(|role| format!(", with the {role}")).unwrap_or_default();
            let ReportLine { report: id, source, reported_at, due, .. } = report;
            println!("report {id}  {source}: reported {reported_at}, due {due}{up}");
        }
        println!("{} case(s), {} report(s) of wrong links", answer.cases.len(), answer.reports.len());
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct SettledReport<'a> {
    report: &'a str,
    found: &'a str,
    done: bool,
}

fn run_settle(ask: &SettleReport) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::SettleLink)?;
    let id = hex::decode(&ask.report)
        .ok_or_else(|| Failure::usage(format!("'{}' names no report", ask.report)))?;
    let desk = desk(&deployment);
    let incident::Incident { person, link, .. } = incident::open_incident(&desk, &by, id)?;
    let settle = Settle { person, link, wrong: ask.r#as == "wrong", by, why: ask.why.clone() };
    let done = sever::settle(&desk, &clock::env(), &settle)? == Settled::Done;
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&SettledReport { report: &ask.report, found: &ask.r#as, done });
    } else if !done {
        println!("Noted: the link is right. Another officer must agree, with the same command");
    } else if settle.wrong {
        println!("The link is undone; the resident and whoever was given data through it are told");
    } else {
        println!("The link counts again; the resident sees it under her linked records");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct SourceLine {
    source: String,
    #[serde(flatten)]
    total: FiguresLine,
    months: Vec<MonthLine>,
}

#[derive(Serialize)]
struct MonthLine {
    month: String,
    #[serde(flatten)]
    figures: FiguresLine,
}

#[derive(Serialize)]
struct FiguresLine {
    linked: String,
    confirmed: String,
    reported: String,
    wrong: String,
    reinstated: String,
}

fn run_statistics(on: &On) -> Result<ExitCode, Failure> {
    let deployment = on.open()?;
    let lines: Vec<SourceLine> = figures(&desk(&deployment))?
        .into_iter()
        .map(|source| SourceLine {
            source: source.source,
            total: line(&source.total),
            months: source
                .months
                .iter()
                .map(|(month, figures)| MonthLine { month: month.clone(), figures: line(figures) })
                .collect(),
        })
        .collect();
    let of_source = |source: &SourceLine| {
        let FiguresLine { linked, reported, wrong, .. } = &source.total;
        format!("{:18} {linked:>10} linked {reported:>8} reported wrong {wrong:>8} wrong", source.source)
    };
    show::list(on.json, &lines, of_source, "");
    Ok(ExitCode::SUCCESS)
}

fn line(figures: &Figures) -> FiguresLine {
    let text = |shown: Shown| match shown {
        Shown::Exactly(count) => count.to_string(),
        Shown::Few => "1 to 4".to_owned(),
        Shown::Withheld => "not told".to_owned(),
    };
    FiguresLine {
        linked: text(figures.linked),
        confirmed: text(figures.confirmed),
        reported: text(figures.reported),
        wrong: text(figures.wrong),
        reinstated: text(figures.reinstated),
    }
}
