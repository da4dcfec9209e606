//! `kaname delegate`: who may act for whom, recorded and approved by officers.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_base::pack::Pack;
use kaname_person::delegate::accept::approve;
use kaname_person::delegate::end::end;
use kaname_person::delegate::give::{Give, record};
use kaname_person::delegate::{MandateId, Terms, given, proposed_in_bucket};
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_person::register::new_request;
use kaname_person::show::Asking;
use kaname_person::{Action, PersonError, Refusal};
use kaname_trust::keys::random;
use kaname_trust::person::bucket_of;
use serde::Serialize;

use super::who::Who;
use super::{On, officer};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::{clock, show};

/// Record who may act for whom, approve it, end it
#[derive(Subcommand)]
pub(crate) enum Delegate {
    /// Record a mandate on evidence: a parent's, a guardian's. Where the country asks for it, it waits for a second officer
    Record(Record),
    /// Approve the mandates that wait for a second officer, one resident's or all
    Approve(Approve),
    /// Show who may act for a resident; the reading is logged
    List(OfResident),
    /// End a mandate
    End(End),
}

#[derive(Args)]
pub(crate) struct Record {
    /// What makes it one, by the pack's code: parent, guardian, representative
    #[arg(long)]
    kind: String,
    /// What it allows, by the pack's codes; repeat it for several
    #[arg(long = "scope", required = true)]
    scopes: Vec<String>,
    /// For how many days; as long as the country allows without it
    #[arg(long)]
    days: Option<u16>,
    /// Who will hold it: the number or an alias of another resident
    #[arg(long, value_name = "NUMBER")]
    holder: String,
    /// What shows that it is right: a birth report, a court's order
    #[arg(long)]
    evidence: String,
    #[command(flatten)]
    of: OfResident,
}

#[derive(Args)]
pub(crate) struct OfResident {
    /// The resident for whom it is
    #[command(flatten)]
    who: Who,
    /// The registrar who does it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Approve {
    /// The second registrar; not the one who recorded it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct End {
    /// Which one, such as man_018f…
    #[arg(long)]
    mandate: String,
    /// Why
    #[arg(long)]
    why: String,
    #[command(flatten)]
    of: OfResident,
}

pub(crate) fn run(delegate: &Delegate) -> Result<ExitCode, Failure> {
    match delegate {
        Delegate::Record(ask) => run_record(ask),
        Delegate::Approve(ask) => run_approve(ask),
        Delegate::List(ask) => run_list(ask),
        Delegate::End(ask) => run_end(ask),
    }
}

/// What an officer opens for it, as the resident finds it in her log.
const PURPOSE: &str = "registration";

/// The most mandates that one command approves in a bucket.
const MOST: usize = 1_000;

fn asking(of: &OfResident, action: Action) -> Result<(Deployment, Asking), Failure> {
    let deployment = of.on.open()?;
    let actor = officer::acting(&deployment, &of.officer, action)?;
    let person = of.who.find(&deployment, &actor)?;
    Ok((deployment, Asking { person, actor, purpose: PURPOSE.to_owned() }))
}

fn run_record(ask: &Record) -> Result<ExitCode, Failure> {
    let (deployment, asking) = asking(&ask.of, Action::RecordMandate)?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let env = clock::env();
    let named = Resolve { text: &ask.holder, actor: &asking.actor, use_id: random() };
    let holder = resolve(store, keys, pack, &env, &named)?
        .ok_or_else(|| Failure::refused("the holder's number leads to no resident"))?;
    let terms = Terms { kind: ask.kind.clone(), scope: ask.scopes.clone(), days: ask.days };
    let give = Give { request: new_request(), asking, holder, terms, evidence: ask.evidence.clone() };
    check_terms(pack, &give.terms)?;
    let id = record(store, keys, pack, &env, &give).map_err(|error| match error {
        // Kind, scopes and days are what the country allows, so it is her age.
        PersonError::Refused(Refusal::MandateTerms) => {
            let age = pack.mandate(&ask.kind).and_then(|kind| kind.until_age).unwrap_or_default();
            Failure::refused(format!("nobody has a {} for somebody of {age} years or more", ask.kind))
        }
        other => other.into(),
    })?;
    deployment.log()?.publish()?;
    let waits = pack.mandate(&ask.kind).is_some_and(|kind| kind.four_eyes);
    if ask.of.on.json {
        show::json(&serde_json::json!({ "mandate": id.to_string(), "waits": waits }));
    } else {
        println!("{id} is recorded");
        if waits {
            let on = ask.of.on.again();
            println!("Next: a second registrar approves it: kaname delegate approve --officer OFFICER{on}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says which of kind, scopes and days the country does not allow.
fn check_terms(pack: &Pack, terms: &Terms) -> Result<(), Failure> {
    let kinds = pack.mandates.iter().filter(|kind| kind.by_officer);
    let kind = kinds.clone().find(|kind| kind.code == terms.kind).ok_or_else(|| {
        Failure::unknown(
            "mandate that an officer records of the kind",
            &terms.kind,
            kinds.map(|kind| kind.code.as_str()),
        )
    })?;
    if let Some(scope) = terms.scope.iter().find(|scope| !kind.scopes.contains(scope)) {
        return Err(Failure::unknown("scope of this kind", scope, kind.scopes.iter().map(String::as_str)));
    }
    match (terms.days, kind.longest_days) {
        (Some(0), _) => Err(Failure::usage("a mandate holds for at least one day")),
        (Some(days), Some(most)) if days > most => {
            Err(Failure::usage(format!("a {} holds for at most {most} days, not {days}", kind.code)))
        }
        _ => Ok(()),
    }
}

fn run_approve(ask: &Approve) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let actor = officer::acting(&deployment, &ask.officer, Action::ApproveMandate)?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let (mut approved, mut own) = (0_u64, 0_u64);
    for bucket in store.buckets().all() {
        for (person, index) in store.read::<_, PersonError, _>(bucket, |tx| proposed_in_bucket(tx, MOST))? {
            let asking = Asking { person, actor: actor.clone(), purpose: PURPOSE.to_owned() };
            let (keys, pack, env) = (keys.clone(), pack.clone(), clock::env());
            let done = store.write::<_, PersonError, _>(bucket, move |tx| {
                approve(tx, &keys, &pack, &env.again(), &asking, index)
            });
            match done {
                Ok(()) => approved += 1,
                Err(PersonError::Refused(Refusal::SameOfficer)) => own += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&serde_json::json!({ "approved": approved, "your_own": own }));
    } else {
        println!("Approved {approved} mandate(s); {own} are your own and wait for somebody else");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Shown {
    mandate: String,
    kind: String,
    scope: Vec<String>,
    state: &'static str,
    holder: Option<String>,
    until: Option<String>,
    evidence: String,
    by: String,
}

fn run_list(ask: &OfResident) -> Result<ExitCode, Failure> {
    let (deployment, asking) = asking(ask, Action::SeeMandates)?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let (with, country, env) = (keys.clone(), pack.clone(), clock::env());
    let today = env.now.date_in(&pack.time_zone);
    let mandates = store
        .write::<_, PersonError, _>(bucket_of(asking.person, store.buckets()), move |tx| {
            given(tx, &with, &country, &env.again(), &asking)
        })?;
    deployment.log()?.publish()?;
    let shown: Vec<Shown> = mandates
        .into_iter()
        .map(|mandate| Shown {
            state: if mandate.is_over(today) { "over" } else { mandate.state.code() },
            mandate: mandate.id.to_string(),
            kind: mandate.kind,
            scope: mandate.scope,
            holder: mandate.holder,
            until: mandate.until.map(|day| day.to_string()),
            evidence: mandate.evidence,
            by: mandate.by.id,
        })
        .collect();
    if ask.on.json {
        show::json(&shown);
        return Ok(ExitCode::SUCCESS);
    }
    for mandate in &shown {
        let holder = mandate.holder.as_deref().unwrap_or("not accepted yet");
        let until = mandate.until.as_ref().map_or(String::new(), |until| format!(" until {until}"));
        println!(
            "{}  {}: {holder}, {}{until}, {}",
            mandate.mandate,
            mandate.kind,
            mandate.scope.join(" "),
            mandate.state
        );
    }
    println!("This reading is in the resident's access log.");
    Ok(ExitCode::SUCCESS)
}

fn run_end(ask: &End) -> Result<ExitCode, Failure> {
    let (deployment, asking) = asking(&ask.of, Action::EndMandate)?;
    let id = MandateId::parse(&ask.mandate)
        .map_err(|error| Failure::usage(format!("'{}' names no mandate: {error}", ask.mandate)))?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let (keys, pack, env, why) = (keys.clone(), pack.clone(), clock::env(), ask.why.clone());
    store.write::<_, PersonError, _>(bucket_of(asking.person, store.buckets()), move |tx| {
        end(tx, &keys, &pack, &env.again(), &asking, id, &why)
    })?;
    deployment.log()?.publish()?;
    if ask.of.on.json {
        show::json(&serde_json::json!({ "ended": id.to_string() }));
    } else {
        println!("{id} has ended");
    }
    Ok(ExitCode::SUCCESS)
}
