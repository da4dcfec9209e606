//! Cash for the resident at the counter: the vouchers that wait for her, printed by one officer and paid out by another.

use kaname_pay::payout::ticket::{VoucherKey, brought_code};
use kaname_pay::payout::{Counter, print_voucher, redeem, vouchers_of};
use kaname_pay::{PayError, Refusal, RunId};
use kaname_person::show::resident_with;
use kaname_person::{Action, PersonError};

use super::ask::{again, line};
use crate::http::answer::{Answer, page};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, Problem};
use crate::pages::desk::{OfficeFormPage, OfficeListPage};
use crate::pages::entry::{ButtonView, EntryView};
use crate::pages::paper::VoucherPage;
use crate::pages::{Notice, NoticeKind, Shell};

/// `GET /office/counter/{counter}/voucher`: what waits for her.
pub(crate) fn list(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let by = at.acting(Action::PrintVoucher).map_err(PersonError::from)?;
    let (counter, env, person) = (Counter::of(&app.desk), call.env.clone(), at.person());
    let waiting = app
        .write_of::<_, PayError, _>(person, move |tx| vouchers_of(&env.again(), tx, &counter, &by, person))?;
    let shell = at.shell(app, call);
    let tag = shell.lang.code();
    let entries = waiting.into_iter().map(|payment| {
        let programme = app.pack.programme(&payment.programme.code);
        let button = |label: String, anew: bool| ButtonView {
            action: at.address("voucher"),
            hidden: vec![
                ("run", payment.run.to_string()),
                ("anew", if anew { "yes".to_owned() } else { String::new() }),
            ],
            label,
            main: !anew,
        };
        EntryView {
            head: programme.map_or(payment.programme.code.as_str(), |known| known.name.get(tag)).to_owned(),
            tag: Some(("wait", shell.t("payments.voucher"))),
            rows: vec![
                (
                    shell.t("voucher.amount"),
                    vec![shell.money(&payment.programme.amount, &payment.programme.currency)],
                ),
                (shell.t("payouts.planned"), vec![shell.day(&payment.planned_at)]),
            ],
            doors: Vec::new(),
            buttons: vec![button(shell.t("vouchers.print"), false), button(shell.t("vouchers.anew"), true)],
        }
    });
    let may_pay = at.may(Action::RedeemVoucher);
    let cash = (at.address("cash"), shell.t("vouchers.cash"), shell.t("vouchers.cash_text"));
    page(&OfficeListPage {
        title: shell.t("vouchers.title"),
        lead: shell.t("vouchers.lead"),
        back: at.address(""),
        none: shell.t("vouchers.none"),
        entries: entries.collect(),
        doors: may_pay.then_some(cash).into_iter().collect(),
        shell,
    })
}

/// `POST /office/counter/{counter}/voucher`: the paper, shown once to be printed.
pub(crate) fn print(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let run = RunId::parse(call.form.need("run")?).map_err(|_| Problem::not_found())?;
    let anew = !call.form.text("anew").is_empty();
    let by = at.acting(Action::PrintVoucher).map_err(PersonError::from)?;
    let (counter, env, person) = (Counter::of(&app.desk), call.env.clone(), at.person());
    let pack = app.pack.clone();
    let (voucher, name) = app.write_of::<_, Problem, _>(person, move |tx| {
        let (voucher, receipt) = print_voucher(&env.again(), tx, &counter, &by, (person, run), anew)?;
        Ok((voucher, resident_with(tx, &receipt)?.display_name(&pack)))
    })?;
    let ticket = VoucherKey::open(&app.desk.keys)?.sign(&voucher, app.pack.currency);
    page(&VoucherPage::of(&app.pack, at.shell(app, call), &name, &voucher, &ticket))
}

/// `GET /office/counter/{counter}/cash`
pub(crate) fn form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&blank(app, call, at))
}

fn blank(app: &App, call: &Call, at: &AtCounter) -> OfficeFormPage {
    let shell = at.shell(app, call);
    OfficeFormPage {
        title: shell.t("vouchers.cash"),
        lead: shell.t("vouchers.cash_text"),
        back: at.address(""),
        action: at.address("cash"),
        hidden: Vec::new(),
        parts: vec![line(&shell, call, "code", "voucher.code", "vouchers.code_hint")],
        note: shell.t("vouchers.check"),
        button: shell.t("vouchers.pay"),
        shell,
    }
}

/// `POST /office/counter/{counter}/cash`: pays it out, once; to the person who is served, and by another officer than who printed it.
pub(crate) fn pay(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let mut form = blank(app, call, at);
    let by = at.acting(Action::RedeemVoucher).map_err(PersonError::from)?;
    let (counter, env, person) = (Counter::of(&app.desk), call.env.clone(), at.person());
    let paid = brought_code(&app.desk.keys, call.form.text("code").trim()).and_then(|typed| {
        app.write_of(person, move |tx| redeem(&env.again(), tx, &counter, &by, person, &typed))
    });
    match paid {
        Ok(paid) => {
            let shell = form.shell;
            let sum = shell.money(&paid.programme.amount, &paid.programme.currency);
            let text = shell.t1("vouchers.pay_out", "sum", sum);
            let notice = Some(Notice { kind: NoticeKind::Important, text });
            page(&OfficeListPage {
                title: shell.t("vouchers.cash"),
                lead: String::new(),
                back: at.address(""),
                none: shell.t("vouchers.spent"),
                entries: Vec::new(),
                doors: Vec::new(),
                shell: Shell { notice, ..shell },
            })
        }
        Err(PayError::Refused(
            refusal @ (Refusal::VoucherMistyped
            | Refusal::VoucherForged
            | Refusal::NoSuchVoucher
            | Refusal::VoucherUsed
            | Refusal::VoucherExpired
            | Refusal::VoucherOwnPrint),
        )) => {
            let words = form.shell.word("refused", refusal.code());
            form.wrong("code", words);
            again(&form)
        }
        Err(error) => Err(error.into()),
    }
}
