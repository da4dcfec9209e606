//! What the resident at the counter would see in her own pages, shown to her by the officer who stands in for her: who looked, and her
//! payments. It takes a mandate for the day, on what she showed; each look stands in her log under it.

use axum::http::StatusCode;
use kaname_pay::payout::{State, payments_of};
use kaname_person::delegate::access_log;
use kaname_person::delegate::give::stand_in;
use kaname_person::show::{Asking, payments_receipt};
use kaname_person::{Action, PersonError};
use kaname_trust::Actor;

use super::ask::{again, asking, choice, choose, line, read_line};
use crate::http::answer::{Answer, page, page_with};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, Problem};
use crate::pages::desk::{OfficeFormPage, OfficeListPage};
use crate::pages::entry::EntryView;
use crate::portal::money::{pending, promised};
use crate::portal::own::entry_view;

/// What can be shown, by the scope that it takes.
const SHOWN: [(&str, &str); 2] = [("see-log", "access.title"), ("payments", "payments.title")];

/// How many lines of her log, and payments, are shown.
const MOST: usize = 50;

/// `GET /office/counter/{counter}/behalf`
pub(crate) fn form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&blank(app, call, at))
}

fn blank(app: &App, call: &Call, at: &AtCounter) -> OfficeFormPage {
    let shell = at.shell(app, call);
    let choices = SHOWN.iter().map(|(scope, key)| choice(*scope, shell.t(key)));
    OfficeFormPage {
        title: shell.t("behalf.title"),
        lead: shell.t("behalf.lead"),
        back: at.address(""),
        action: at.address("behalf"),
        hidden: Vec::new(),
        parts: vec![
            choose(&shell, call, "what", "behalf.what", choices.collect()),
            line(&shell, call, "evidence", "desk.evidence", "behalf.evidence_hint"),
        ],
        note: shell.t("behalf.note"),
        button: shell.t("behalf.do"),
        shell,
    }
}

/// `POST /office/counter/{counter}/behalf`
pub(crate) fn show(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let mut form = blank(app, call, at);
    let what = SHOWN.iter().find(|(scope, _)| *scope == call.form.text("what"));
    if what.is_none() {
        form.wrong("what", form.shell.t("wrong.choice"));
    }
    let evidence = read_line(call, &mut form, "evidence");
    let (Some((scope, title)), Some(evidence), false) = (what, evidence, form.is_wrong()) else {
        return again(&form);
    };
    let acting = begin(app, call, at, scope, &evidence)?;
    let asking = Asking { person: at.person(), actor: acting, purpose: OWN_ACCESS.to_owned() };
    let entries =
        if *scope == "payments" { payments(app, call, at, asking)? } else { log(app, call, at, asking)? };
    let shell = form.shell;
    let none = shell.t(if *scope == "payments" { "payments.none" } else { "access.none" });
    let view = OfficeListPage {
        title: shell.t(title),
        lead: shell.t("behalf.shown"),
        back: at.address(""),
        none,
        entries,
        doors: Vec::new(),
        shell,
    };
    page_with(StatusCode::OK, &view)
}

/// The purpose of whoever looks at what is hers in her place.
const OWN_ACCESS: &str = "own-access";

fn begin(
    app: &App,
    call: &Call,
    at: &AtCounter,
    scope: &'static str,
    evidence: &str,
) -> Result<Actor, Problem> {
    let ask = asking(at, Action::StandIn)?;
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let (officer, name, evidence) = (at.id, at.name.clone(), evidence.to_owned());
    let acting = app.write_of(at.person(), move |tx| {
        stand_in(tx, &keys, &pack, &env.again(), &ask, (officer, &name), &[scope], &evidence)
    })?;
    Ok(acting)
}

fn log(app: &App, call: &Call, at: &AtCounter, ask: Asking) -> Result<Vec<EntryView>, Problem> {
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let (entries, mandates) = app.write_of::<_, PersonError, _>(at.person(), move |tx| {
        access_log(tx, &keys, &pack, &env.again(), &ask, MOST)
    })?;
    let shell = at.shell(app, call);
    let entries = entries.iter().map(|entry| {
        let seen = entry_view(app, &shell, &mandates, entry);
        let head = if seen.who.is_some() { seen.role } else { shell.t("history.herself") };
        let mut view = EntryView {
            head,
            tag: Some(("", shell.t1("access.n", "n", shell.count(seen.number)))),
            ..EntryView::default()
        };
        view.say(shell.t("history.recorded"), shell.moment(&seen.at));
        view.say(shell.t("access.role"), seen.who.unwrap_or_default());
        view.say(shell.t("access.purpose"), seen.purpose);
        view.say(shell.t("access.basis"), seen.basis);
        view.say(shell.t("access.fields"), shell.words("attribute", &seen.fields));
        view
    });
    Ok(entries.collect())
}

fn payments(app: &App, call: &Call, at: &AtCounter, ask: Asking) -> Result<Vec<EntryView>, Problem> {
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let payments = app.write_of::<_, Problem, _>(at.person(), move |tx| {
        let receipt = payments_receipt(tx, &keys, &pack, &env.again(), &ask)?;
        Ok(payments_of(tx, &keys, &receipt, MOST as i64)?)
    })?;
    let shell = at.shell(app, call);
    let tag = shell.lang.code();
    let entries = promised(app, payments)?.into_iter().map(|payment| {
        let programme = app.pack.programme(&payment.programme.code);
        let mut view = EntryView {
            head: programme.map_or(payment.programme.code.as_str(), |known| known.name.get(tag)).to_owned(),
            ..EntryView::default()
        };
        let (tone, words) = match payment.state {
            State::Paid => ("good", shell.t("payments.paid")),
            State::Voucher => ("wait", shell.t("payments.voucher")),
            State::Cash => ("good", shell.t("payments.cash")),
            other => {
                view.say(shell.t("common.state"), shell.word("pending", pending(other, &payment.reason)));
                ("wait", shell.t("payments.pending"))
            }
        };
        view.tag = Some((tone, words));
        view.rows.insert(
            0,
            (
                shell.t("voucher.amount"),
                vec![shell.money(&payment.programme.amount, &payment.programme.currency)],
            ),
        );
        view.say(shell.t("payments.list"), shell.moment(&payment.planned_at));
        view
    });
    Ok(entries.collect())
}
