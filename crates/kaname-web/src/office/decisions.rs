//! What one officer proposed and another decides: about entries of the register, about mandates, and whatever else the country asks two
//! officers for. Each kind is kept where it belongs; here they are one list.

use kaname_base::Instant;
use kaname_person::delegate::accept::approve;
use kaname_person::delegate::end::end;
use kaname_person::delegate::{proposed, proposed_in_bucket};
use kaname_person::event::{Change, EventAsked, record_agreed};
use kaname_person::identity::{self, Act, Decide, ProposalState};
use kaname_person::introduce::{Introducer, VouchAsked};
use kaname_person::number::{ReplaceAsked, replace_number};
use kaname_person::show::{self, Asking};
use kaname_person::{Action, PersonError, Refusal, four_eyes};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, PersonId};

use super::links::{handle, read_handle};
use super::mandates;
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::Officer;
use crate::http::{App, Call, Problem};
use crate::pages::desk::{OfficeDecisionPage, OfficeListPage};
use crate::pages::entry::EntryView;
use crate::pages::{NoticeKind, Saying, Shell};
use crate::portal::history;

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("approved", NoticeKind::Done, "decisions.approved"),
    ("refused", NoticeKind::Done, "decisions.refused"),
];

/// The most mandates that are listed of one bucket.
const MOST: usize = 100;

/// What a mandate's handle on these pages begins with; proposals are named by their own ids.
const MANDATE: &str = "mandate-";

/// What binds the handle of a mandate to these pages.
const PAGE: &[u8] = b"decisions";

/// The purpose for which a mandate or a name is opened here.
const PURPOSE: &str = "registration";

/// Something that waits, by its name in the address.
enum Named {
    Identity(identity::ProposalId),
    Act(four_eyes::ProposalId),
    Mandate(PersonId, BlindIndex),
}

/// `GET /office/decisions`: what this officer may decide. The list opens nobody.
pub(crate) fn list(app: &App, call: &Call, officer: &Officer) -> Answer {
    let shell = officer.shell(app, call).said(call.query.get("done"), DONE);
    let mut entries = Vec::new();
    if let Ok(by) = officer.acting(Action::DecideIdentity) {
        for waits in identity::waiting(&app.store, &by)? {
            let words =
                if waits.state == ProposalState::Waiting { "decisions.waits" } else { "decisions.goes_on" };
            entries.push(entry(&shell, shell.t("decisions.identity"), words, waits.id.to_string()));
        }
    }
    if officer.may(Action::ApproveMandate) {
        for bucket in app.store.buckets().all() {
            let found = app.store.read(bucket, |tx| proposed_in_bucket(tx, MOST))?;
            for (person, index) in found {
                let what = [person.bytes().as_slice(), &index].concat();
                let name = format!("{MANDATE}{}", handle(app, officer, PAGE, &what, call.env.now));
                entries.push(entry(&shell, shell.t("decisions.mandate"), "decisions.waits", name));
            }
        }
    }
    for proposal in waiting(app, officer, call.env.now)? {
        let mut view =
            entry(&shell, action_words(&shell, proposal.action), "decisions.waits", proposal.id.to_string());
        view.say(shell.t("history.by"), history::who(app, &shell, &proposal.by));
        view.say(shell.t("history.recorded"), shell.moment(&proposal.at));
        entries.push(view);
    }
    page(&OfficeListPage {
        title: shell.t("decisions.title"),
        lead: shell.t("decisions.lead"),
        back: "/office".to_owned(),
        none: shell.t("linked.none"),
        entries,
        doors: Vec::new(),
        shell,
    })
}

fn waiting(app: &App, officer: &Officer, now: Instant) -> Result<Vec<four_eyes::Proposal>, PersonError> {
    let actors: Vec<Actor> =
        officer.roles.iter().map(|role| Actor { role: role.clone(), ..officer.actor.clone() }).collect();
    let keys = app.keys.clone();
    app.store.read(app.home(), move |tx| four_eyes::waiting(tx, &keys, now, &actors))
}

fn entry(shell: &Shell, head: String, state: &str, name: String) -> EntryView {
    EntryView {
        head,
        tag: Some(("wait", shell.t(state))),
        doors: vec![(format!("/office/decisions/{name}"), shell.t("decisions.look"))],
        ..EntryView::default()
    }
}

fn action_words(shell: &Shell, action: Action) -> String {
    shell.t(match action {
        Action::ReplaceNumber => "replace.title",
        Action::RegisterResident => "decisions.vouch",
        Action::RecordGuardianship => "event.guardianship",
        Action::ManageOfficers => "decisions.officers",
        _ => "decisions.activation",
    })
}

fn named(app: &App, call: &Call, officer: &Officer) -> Result<Named, Problem> {
    let name = call.param("id");
    if let Some(wrapped) = name.strip_prefix(MANDATE) {
        let what = read_handle(app, officer, PAGE, wrapped, call.env.now)?;
        let (person, index) = what.split_at_checked(16).ok_or_else(Problem::not_found)?;
        let person = PersonId::from_slice(person).ok_or_else(Problem::not_found)?;
        let index: BlindIndex = index.try_into().map_err(|_| Problem::not_found())?;
        return Ok(Named::Mandate(person, index));
    }
    if let Ok(id) = identity::ProposalId::parse(name) {
        return Ok(Named::Identity(id));
    }
    four_eyes::ProposalId::parse(name).map(Named::Act).map_err(|_| Problem::not_found())
}

/// `GET /office/decisions/{id}`: everything that the second officer decides by. What is opened of somebody stands in her log.
pub(crate) fn one(app: &App, call: &Call, officer: &Officer) -> Answer {
    let shell = officer.shell(app, call);
    let action = format!("/office/decisions/{}", call.param("id"));
    let (entry, by, elsewhere) = match named(app, call, officer)? {
        Named::Identity(id) => {
            let actor = officer.acting(Action::DecideIdentity)?;
            let with = (&app.store, &app.keys, &app.pack, &call.env);
            let (person, proposal, state) = identity::proposal(with.0, with.1, with.2, with.3, &actor, id)?;
            let mut view = EntryView {
                head: shell.word("act", proposal.act.code()),
                tag: Some(("wait", shell.word("proposal.state", state.code()))),
                ..EntryView::default()
            };
            view.say(shell.t("decisions.entry"), name_of(app, call, officer, person)?);
            if let Some(other) = proposal.act.other() {
                view.say(shell.t("decisions.other"), name_of(app, call, officer, other)?);
            }
            if let Act::MoveEvent { n, .. } = proposal.act {
                view.say(shell.t("decisions.event"), shell.t1("access.n", "n", n));
            }
            grounds(&shell, &mut view, &proposal.why, &proposal.evidence);
            view.say(shell.t("history.by"), history::who(app, &shell, &proposal.by));
            view.say(shell.t("history.recorded"), shell.moment(&proposal.at));
            (view, proposal.by, None)
        }
        Named::Mandate(person, index) => {
            let actor = officer.acting(Action::ApproveMandate)?;
            let asking = Asking { person, actor, purpose: PURPOSE.to_owned() };
            let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
            let (name, given) =
                app.write_of(person, move |tx| proposed(tx, &keys, &pack, &env.again(), &asking, &index))?;
            let mut view = mandates::entry(app, call, &shell, &given);
            view.rows.insert(0, (shell.t("decisions.for"), vec![name]));
            (view, given.by, None)
        }
        Named::Act(id) => {
            let proposal = proposal(app, call, officer, id)?;
            let mut view = EntryView {
                head: action_words(&shell, proposal.action),
                tag: Some(("wait", shell.t("decisions.waits"))),
                ..EntryView::default()
            };
            let elsewhere = match proposal.action {
                Action::ReplaceNumber => {
                    let ask = proposal.content::<ReplaceAsked>()?.by(proposal.by.clone());
                    view.say(shell.t("decisions.for"), name_of(app, call, officer, ask.person)?);
                    grounds(&shell, &mut view, &ask.why, &ask.evidence);
                    None
                }
                Action::RecordGuardianship => {
                    let ask = proposal.content::<EventAsked>()?.by(proposal.by.clone());
                    view.say(shell.t("decisions.for"), name_of(app, call, officer, ask.person)?);
                    if let Change::RelationBegins { relation, to } = ask.change {
                        let words = shell.word("relation", relation.code());
                        view.say(words, name_of(app, call, officer, to)?);
                    }
                    view.say(shell.t("history.since"), history::day(&shell, ask.on));
                    grounds(&shell, &mut view, &ask.why, &ask.evidence);
                    None
                }
                Action::RegisterResident => {
                    let asked = proposal.content::<VouchAsked>()?;
                    let who = match asked.introducer() {
                        Introducer::Resident(person) => name_of(app, call, officer, person)?,
                        Introducer::Officer(officer) => officer.to_string(),
                    };
                    view.say(shell.t("decisions.introducer"), who);
                    view.say(shell.t("register.introducer_how"), asked.how());
                    None
                }
                // A letter and a key are files that an administrator prints where the program runs.
                _ => Some(shell.t1("decisions.command", "id", id)),
            };
            view.say(shell.t("history.by"), history::who(app, &shell, &proposal.by));
            view.say(shell.t("history.recorded"), shell.moment(&proposal.at));
            (view, proposal.by, elsewhere)
        }
    };
    let may_decide = by.id != officer.id.to_string();
    page(&OfficeDecisionPage { action, entry, may_decide, elsewhere, shell })
}

fn grounds(shell: &Shell, view: &mut EntryView, why: &str, evidence: &str) {
    view.say(shell.t("access.purpose"), why);
    view.say(shell.t("history.source"), evidence);
}

fn proposal(
    app: &App,
    call: &Call,
    officer: &Officer,
    id: four_eyes::ProposalId,
) -> Result<four_eyes::Proposal, Problem> {
    let now = call.env.now;
    let found = waiting(app, officer, now)?.into_iter().find(|proposal| proposal.id == id);
    found.ok_or_else(|| Refusal::NoSuchProposal.into())
}

/// `POST /office/decisions/{id}`: what is approved is done before this answers.
pub(crate) fn decide(app: &App, call: &Call, officer: &Officer) -> Answer {
    let is_approved = match call.form.need("decision")? {
        "approve" => true,
        "refuse" => false,
        _ => return Err(Problem::malformed("a decision is to approve or to refuse")),
    };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    match named(app, call, officer)? {
        Named::Identity(id) => {
            let by = officer.acting(Action::DecideIdentity)?;
            let ask = Decide { id, approve: is_approved, by };
            identity::decide(&app.store, &app.keys, &app.pack, &call.env, &ask)?;
        }
        Named::Mandate(person, index) => {
            let actor = officer.acting(Action::ApproveMandate)?;
            let asking = Asking { person, actor, purpose: PURPOSE.to_owned() };
            app.write_of::<_, PersonError, _>(person, move |tx| {
                let env = env.again();
                if is_approved {
                    return approve(tx, &keys, &pack, &env, &asking, index);
                }
                let (_, given) = proposed(tx, &keys, &pack, &env, &asking, &index)?;
                end(tx, &keys, &pack, &env, &asking, given.id, "refused by the second officer")
            })?;
        }
        Named::Act(id) => act(app, call, officer, id, is_approved)?,
    }
    see_other(if is_approved { "/office/decisions?done=approved" } else { "/office/decisions?done=refused" })
}

fn act(
    app: &App,
    call: &Call,
    officer: &Officer,
    id: four_eyes::ProposalId,
    is_approved: bool,
) -> Result<(), Problem> {
    let action = proposal(app, call, officer, id)?.action;
    let by = officer.acting(action)?;
    let (keys, env) = (app.keys.clone(), call.env.clone());
    if !is_approved {
        app.store.write(app.home(), move |tx| four_eyes::withdraw(tx, &keys, &by, id))?;
        return Ok(());
    }
    if action == Action::RegisterResident {
        // Who proposed it registers the person, with her form that waits for this.
        app.store.write::<_, PersonError, _>(app.home(), move |tx| {
            four_eyes::approve(tx, &keys, &env.again(), &by, id, &[action]).map(drop)
        })?;
        return Ok(());
    }
    if ![Action::ReplaceNumber, Action::RecordGuardianship].contains(&action) {
        return Err(Problem::malformed("this is approved where the program runs"));
    }
    let approved = app.store.write(app.home(), {
        let keys = keys.clone();
        move |tx| four_eyes::approve(tx, &keys, &env.again(), &by, id, &[action])
    })?;
    // Stopped here, the second officer approves again, and it is done once.
    if action == Action::RecordGuardianship {
        record_agreed(&app.store, &app.keys, &app.pack, &call.env, &approved)?;
    } else {
        let ask = approved.proposal().content::<ReplaceAsked>()?.by(approved.first().clone());
        replace_number(&app.store, &app.keys, &app.pack, &app.numbers, &call.env, Some(&approved), &ask)?;
    }
    app.store.write(app.home(), move |tx| four_eyes::close(tx, &keys, &approved))?;
    Ok(())
}

/// The name of somebody whom a decision is about, whoever she is now.
fn name_of(app: &App, call: &Call, officer: &Officer, person: PersonId) -> Result<String, PersonError> {
    let actor = officer.acting(Action::OpenResident)?;
    let ask = Asking { person, actor, purpose: PURPOSE.to_owned() };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    app.write_of(person, move |tx| {
        Ok(show::open_resident(tx, &keys, &pack, &env.again(), &ask, &["name"])?.display_name(&pack))
    })
}
