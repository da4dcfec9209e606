//! `kaname resident merge|unmerge|split|move-event`, `kaname resident proposals` and `kaname resident decide`: entries that stand for
//! the wrong number of people.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::Action;
use kaname_person::identity::{
    Act, Decide, NewProposal, ProposalId, ProposalState, decide, needs_four_eyes, proposal, propose, waiting,
};
use kaname_person::register::{new_request, person_of_reference};
use kaname_trust::PersonId;
use serde::Serialize;

use super::super::{On, officer};
use crate::clock;
use crate::deployment::Deployment;
use crate::error::{Failure, REFUSED};
use crate::show;
use crate::work::Jobs;

/// Acts about entries; each is proposed by one officer, and decided by another where the pack asks for four eyes
#[derive(Subcommand)]
pub(crate) enum Identity {
    /// Propose that two entries are one person: this one is the second, the other counts
    Merge(ActOn),
    /// Propose that a merged entry is no second one after all
    Unmerge(ActOn),
    /// Propose that another person, who has a new entry of her own, was in this entry too
    Split(ActOn),
    /// Propose that an event of this entry happened to the other person
    MoveEvent(ActOn),
    /// List what waits for a decision
    Proposals(Look),
    /// Decide a proposal; what is approved is carried out at once
    Decide(Decision),
}

#[derive(Args)]
pub(crate) struct ActOn {
    /// The entry's reference in the file that it was imported from
    #[arg(long)]
    reference: String,
    /// The other entry's reference
    #[arg(long, value_name = "REFERENCE")]
    other: Option<String>,
    /// The name of that file's source, as its mapping has it
    #[arg(long, default_value = "residents")]
    source: String,
    /// Which event, for a move: its number in the history
    #[arg(long, value_name = "N")]
    event: Option<i64>,
    /// Why
    #[arg(long)]
    why: String,
    /// What shows it
    #[arg(long)]
    evidence: String,
    /// The registrar who proposes it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Look {
    /// The registrar who looks; each proposal that is opened stands in the resident's log
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Decision {
    /// The proposal
    proposal: String,
    /// It is refused, and nothing is changed
    #[arg(long)]
    refuse: bool,
    /// The registrar who decides
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

pub(crate) fn run(identity: &Identity) -> Result<ExitCode, Failure> {
    match identity {
        Identity::Merge(ask) => run_propose(ask, |other, _| Some(Act::Merge { survivor: other? })),
        Identity::Unmerge(ask) => run_propose(ask, |_, _| Some(Act::Unmerge)),
        Identity::Split(ask) => run_propose(ask, |other, _| Some(Act::Split { other: other? })),
        Identity::MoveEvent(ask) => {
            run_propose(ask, |other, event| Some(Act::MoveEvent { n: event?, to: other? }))
        }
        Identity::Proposals(look) => run_proposals(look),
        Identity::Decide(decision) => run_decide(decision),
    }
}

#[derive(Serialize)]
struct Shown {
    proposal: String,
    state: &'static str,
}

fn run_propose(
    ask: &ActOn,
    act: impl FnOnce(Option<PersonId>, Option<i64>) -> Option<Act>,
) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let by = officer::acting(&deployment, &ask.officer, Action::ProposeIdentity)?;
    let of = |reference: &String| person_of_reference(keys, store.buckets(), &ask.source, reference);
    let act = act(ask.other.as_ref().map(of), ask.event)
        .ok_or_else(|| Failure::usage("the other entry (--other) or the event (--event) is missing"))?;
    let (person, why, evidence) = (of(&ask.reference), ask.why.clone(), ask.evidence.clone());
    let new = NewProposal { request: new_request(), person, act, by, why, evidence };
    let takes_two = needs_four_eyes(pack, &new.act);
    let id = propose(store, keys, pack, &clock::env(), &new)?;
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&Shown { proposal: id.to_string(), state: ProposalState::Waiting.code() });
    } else {
        println!("Proposed: {id}");
        let who =
            if takes_two { "another registrar decides" } else { "a registrar decides, who may be the same" };
        println!("Next: {who}: kaname resident decide {id} --officer OFFICER{}", ask.on.again());
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Line {
    proposal: String,
    act: &'static str,
    entry: String,
    other: Option<String>,
    event: Option<i64>,
    state: &'static str,
    proposed_by: String,
    at: String,
    why: String,
    evidence: String,
}

fn run_proposals(ask: &Look) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let by = officer::acting(&deployment, &ask.officer, Action::ProposeIdentity)?;
    let mut lines = Vec::new();
    for found in waiting(store, &by)? {
        let (entry, proposal, state) = proposal(store, keys, pack, &clock::env(), &by, found.id)?;
        lines.push(Line {
            proposal: found.id.to_string(),
            act: proposal.act.code(),
            entry: entry.to_string(),
            other: proposal.act.other().map(|other| other.to_string()),
            event: match proposal.act {
                Act::MoveEvent { n, .. } => Some(n),
                _ => None,
            },
            state: state.code(),
            proposed_by: proposal.by.id,
            at: proposal.at.to_string(),
            why: proposal.why,
            evidence: proposal.evidence,
        });
    }
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&lines);
    } else {
        for line in &lines {
            let other = line.other.as_deref().unwrap_or_default();
            println!(
                "{} {} {} {} [{}; {}]",
                line.proposal, line.act, line.entry, other, line.why, line.evidence
            );
        }
        println!("{} proposal(s) wait", lines.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn run_decide(ask: &Decision) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let by = officer::acting(&deployment, &ask.officer, Action::DecideIdentity)?;
    let id = ProposalId::parse(&ask.proposal).map_err(|error| {
        Failure::usage(format!("'{}' names no proposal: {error}", ask.proposal))
            .mend("see what waits: kaname resident proposals --officer OFFICER")
    })?;
    let state = decide(store, keys, pack, &clock::env(), &Decide { id, approve: !ask.refuse, by })?;
    let round = Jobs::of(&deployment).do_all()?;
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&Shown { proposal: id.to_string(), state: state.code() });
    } else {
        println!("The proposal is {}; {} job(s) told others of it", state.code(), round.done);
    }
    Ok(ExitCode::from(if round.failed == 0 { 0 } else { REFUSED }))
}
