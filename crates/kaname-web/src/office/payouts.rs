//! Payouts: one officer plans, another approves, the run is watched, stopped and resumed. The work itself is done by [`super::runs`].

use std::collections::BTreeMap;

use axum::http::StatusCode;
use kaname_base::Amount;
use kaname_pay::payout::{self, Approve, PlanRun, Report, Run, State};
use kaname_pay::{PayError, Refusal, RunId};
use kaname_person::{Action, OfficerId, PersonError, officer as officers, register};
use kaname_store::StoreError;
use serde_json::json;

use super::runs::Begun;
use crate::http::answer::{Answer, json as json_answer, page, page_with, see_other};
use crate::http::guard::Officer;
use crate::http::{App, Call, Problem};
use crate::pages::Field;
use crate::pages::office::{
    MayStart, PayoutListPage, PayoutNewPage, PayoutPage, ProgrammeView, RunLineView, RunState, Tally,
};
use crate::portal::money::pending;

/// The latest runs that the list shows.
const RUNS: i64 = 100;

/// `GET /office/payouts`
pub(crate) fn list(app: &App, call: &Call, officer: &Officer) -> Answer {
    let by = officer.actor.clone();
    let runs = app.desk.store.read(app.home(), move |tx| payout::runs(tx, &by, RUNS))?;
    let shell = officer.shell(app, call);
    let line = |run: &Run| RunLineView {
        id: run.id.to_string(),
        programme: programme_name(app, shell.lang.code(), &run.programme.code),
        state: state_of(run.state),
        planned_at: run.planned_at,
        residents: run.people,
        total: run.total,
        currency: run.programme.currency,
    };
    let lines = runs.iter().map(line).collect();
    page(&PayoutListPage { may_plan: officer.may(Action::PlanPayout), runs: lines, shell })
}

/// `GET /office/payouts/new`
pub(crate) fn form(app: &App, call: &Call, officer: &Officer) -> Answer {
    let run: RunId = call.env.id(app.home());
    new_page(app, call, officer, &run.to_string(), Field::default())
}

/// `POST /office/payouts`: begins to make the list. The run's id comes from the form, so that sending it twice plans once.
pub(crate) fn plan(app: &App, call: &Call, officer: &Officer) -> Answer {
    let text = call.form.need("run")?;
    let id = RunId::parse(text).map_err(|_| Problem::malformed("the field run is not ours"))?;
    let code = call.form.text("programme");
    let Some(programme) = app.pack.programme(code) else {
        let wrong = Field::of(code).wrong(call.shell(app).t("wrong.programme"));
        return new_page(app, call, officer, text, wrong);
    };
    let programme = payout::Programme {
        code: programme.code.clone(),
        currency: app.pack.currency,
        amount: programme.amount,
    };
    if let Some(known) = find(app, officer, id)? {
        let same = known.programme == programme && known.planned_by == officer.id.to_string();
        return if same {
            see_other(&format!("/office/payouts/{id}"))
        } else {
            Err(PayError::from(Refusal::RunIdReused).into())
        };
    }
    match app.runs.plan(PlanRun { id, programme, by: officer.actor.clone() }) {
        Begun::Now => see_other(&format!("/office/payouts/{id}")),
        Begun::Later => see_other("/office/payouts"),
    }
}

/// `GET /office/payouts/{id}`: the figures; as a document for programs.
pub(crate) fn watch(app: &App, call: &Call, officer: &Officer) -> Answer {
    let report = payout::report(&app.desk, &officer.actor, run_id(call)?)?;
    if call.wants_document() {
        return Ok(json_answer(StatusCode::OK, &document(&report)));
    }
    page(&payout_page(app, call, officer, &report)?)
}

/// `POST /office/payouts/{id}/start`: the second officer approves the figures that she was shown, and the run begins.
pub(crate) fn approve(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = run_id(call)?;
    let figure = |name: &'static str| -> Result<u64, Problem> {
        call.form
            .need(name)?
            .parse()
            .map_err(|_| Problem::malformed(format!("the field {name} is not a number")))
    };
    let approve = Approve {
        run: id,
        by: officer.actor.clone(),
        people: figure("people")?,
        total_minor: figure("total")?,
    };
    payout::approve(&app.desk, &call.env, &approve)?;
    app.runs.pay(id, officer.actor.clone());
    see_other(&format!("/office/payouts/{id}"))
}

/// `POST /office/payouts/{id}/stop`
pub(crate) fn stop(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = run_id(call)?;
    let (by, env) = (officer.actor.clone(), call.env.clone());
    app.desk.store.write(app.home(), move |tx| payout::stop(&env.again(), tx, &by, id))?;
    see_other(&format!("/office/payouts/{id}"))
}

/// `POST /office/payouts/{id}/resume`: goes on where it stopped, or asks the banks again that have not answered.
pub(crate) fn resume(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = run_id(call)?;
    let run = find(app, officer, id)?.ok_or(PayError::Refused(Refusal::NoSuchRun))?;
    match run.state {
        payout::RunState::Approved | payout::RunState::Running | payout::RunState::Stopped => {
            app.runs.pay(id, officer.actor.clone());
            see_other(&format!("/office/payouts/{id}"))
        }
        payout::RunState::Planning | payout::RunState::Planned | payout::RunState::Finished => {
            Err(PayError::from(Refusal::WrongState).into())
        }
    }
}

fn run_id(call: &Call) -> Result<RunId, Problem> {
    RunId::parse(call.param("id")).map_err(|_| Problem::not_found())
}

fn find(app: &App, officer: &Officer, id: RunId) -> Result<Option<Run>, PayError> {
    let by = officer.acting(Action::WatchPayout)?;
    match app.desk.store.read(app.home(), move |tx| payout::run_of(tx, &by, id)) {
        Ok(run) => Ok(Some(run)),
        Err(PayError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn new_page(app: &App, call: &Call, officer: &Officer, run: &str, programme: Field) -> Answer {
    let people = count_people(app)?;
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let view = |known: &kaname_base::pack::Programme| ProgrammeView {
        code: known.code.clone(),
        name: known.name.get(tag).to_owned(),
        rule: shell.t("payout_new.everyone"),
        each: known.amount,
        residents: people,
        total: known.amount.checked_mul(people).unwrap_or(Amount::MAX),
        currency: app.pack.currency,
    };
    let programmes = app.pack.programmes.iter().map(view).collect();
    let status = if programme.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page_with(status, &PayoutNewPage { run: run.to_owned(), programme, programmes, shell })
}

fn count_people(app: &App) -> Result<u64, StoreError> {
    let count = |bucket| app.store.read::<_, StoreError, _>(bucket, register::count_in_bucket);
    app.store.buckets().all().map(count).sum()
}

fn payout_page(app: &App, call: &Call, officer: &Officer, report: &Report) -> Result<PayoutPage, Problem> {
    let Report { run, tallies, books, .. } = report;
    let mut waiting: BTreeMap<&str, Tally> = BTreeMap::new();
    for tally in tallies
        .iter()
        .filter(|tally| !matches!(tally.state, State::Paid | State::Voucher | State::Cash | State::Returned))
    {
        let sum = waiting.entry(pending(tally.state, &tally.reason)).or_default();
        sum.residents += tally.people;
        sum.amount = sum.amount.checked_add(tally.sum).unwrap_or(Amount::MAX);
    }
    let of = |state| Tally { residents: report.people(state), amount: minor(report.sum_minor(state)) };
    let shell = officer.shell(app, call);
    let may_start = match officer.may(Action::ApprovePayout) {
        false => MayStart::NotTheirRole,
        true if run.planned_by == officer.id.to_string() => MayStart::PlannedIt,
        true => MayStart::Yes,
    };
    let approved = run.approved.as_ref();
    Ok(PayoutPage {
        id: run.id.to_string(),
        programme: programme_name(app, shell.lang.code(), &run.programme.code),
        state: state_of(run.state),
        planned_by: officer_name(app, &run.planned_by)?,
        planned_at: run.planned_at,
        started_by: approved.map(|(by, _)| officer_name(app, by)).transpose()?,
        started_at: approved.map(|(_, at)| *at),
        start: may_start,
        may_stop: officer.may(Action::RunPayout),
        currency: run.programme.currency,
        all: Tally { residents: run.people, amount: run.total },
        paid: of(State::Paid),
        vouchers: of(State::Voucher),
        cash: of(State::Cash),
        pending: waiting.into_iter().map(|(reason, tally)| (reason.to_owned(), tally)).collect(),
        returned: of(State::Returned),
        sum_out: minor(books.out_of_treasury),
        received: minor(books.received + books.cash),
        in_vouchers: minor(books.vouchers),
        in_pending: minor(books.pending + books.returned + books.undisbursed + books.in_transit),
        shell,
    })
}

fn document(report: &Report) -> serde_json::Value {
    let tally = |tally: &payout::Tally| {
        json!({
            "state": tally.state.code(),
            "reason": tally.reason,
            "people": tally.people,
            "sum_minor": tally.sum.minor(),
        })
    };
    json!({
        "run": report.run.id.to_string(),
        "state": report.run.state.code(),
        "people": report.run.people,
        "total_minor": report.run.total.minor(),
        "currency": report.run.programme.currency.code(),
        "tallies": report.tallies.iter().map(tally).collect::<Vec<_>>(),
        "books_balance": report.books.balance(),
    })
}

/// An officer's name by the id that the run keeps. A run that the program started names no officer.
fn officer_name(app: &App, id: &str) -> Result<String, Problem> {
    let Ok(known) = OfficerId::parse(id) else { return Ok(id.to_owned()) };
    let keys = app.keys.clone();
    match app.store.read(app.home(), move |tx| officers::officer(tx, &keys, known)) {
        Ok(officer) => Ok(officer.name),
        Err(PersonError::Refused(_)) => Ok(id.to_owned()),
        Err(error) => Err(error.into()),
    }
}

fn programme_name(app: &App, tag: &str, code: &str) -> String {
    app.pack.programme(code).map_or(code, |programme| programme.name.get(tag)).to_owned()
}

fn state_of(state: payout::RunState) -> RunState {
    match state {
        payout::RunState::Planning => RunState::Planning,
        payout::RunState::Planned => RunState::Planned,
        payout::RunState::Approved | payout::RunState::Running => RunState::Running,
        payout::RunState::Stopped => RunState::Interrupted,
        payout::RunState::Finished => RunState::Finished,
    }
}

fn minor(minor: u64) -> Amount {
    Amount::from_minor(minor).unwrap_or(Amount::MAX)
}
