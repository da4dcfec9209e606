//! Registering, at the counter, the account that a resident is paid on. Her bank is asked whose it is before it counts.

use axum::http::StatusCode;
use kaname_pay::BankAccount;
use kaname_pay::payee::{RegisterPayee, Registration, register_many};
use kaname_person::{Action, PersonError};

use crate::http::answer::{Answer, page, page_with};
use crate::http::guard::AtCounter;
use crate::http::{App, Call};
use crate::pages::Field;
use crate::pages::office::{AccountOutcome, Choice, OfficeAccountDonePage, OfficeAccountPage};

/// `GET /office/counter/{counter}/account`
pub(crate) fn form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&blank(app, call, at))
}

/// `POST /office/counter/{counter}/account`
pub(crate) fn register(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let (bank, number) = (call.form.text("bank"), plain(call.form.text("number")));
    let known = app.pack.bank(bank);
    let fits = known.is_some_and(|known| number.len() == known.account_digits);
    if known.is_none() || !fits {
        let mut view = blank(app, call, at);
        view.bank = Field::of(bank);
        view.number = Field::of(call.form.text("number"));
        if known.is_none() {
            view.bank = view.bank.wrong(view.shell.t("wrong.choice"));
        } else {
            view.number = view.number.wrong(view.shell.t("wrong.account"));
        }
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &view);
    }
    let ask = RegisterPayee {
        person: at.person(),
        account: BankAccount { bank: bank.to_owned(), number },
        evidence: "counter".to_owned(),
        replace: call.form.get("replace").is_some(),
    };
    let actor = at.acting(Action::RegisterAccount).map_err(PersonError::from)?;
    let answers = register_many(&app.desk, &call.env, &actor, &[ask])?;
    let (status, outcome) = match answers.first() {
        Some(Registration::Active) => (StatusCode::OK, AccountOutcome::Active),
        Some(Registration::Stands) => (StatusCode::OK, AccountOutcome::Stands),
        Some(Registration::Refused(reason)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, AccountOutcome::Refused(reason.code()))
        }
        None => return Err(crate::http::Problem::unavailable()),
    };
    let base = at.address("");
    page_with(status, &OfficeAccountDonePage { outcome, base, shell: at.shell(app, call) })
}

fn blank(app: &App, call: &Call, at: &AtCounter) -> OfficeAccountPage {
    let shell = at.shell(app, call);
    let tag = shell.lang.code();
    let banks = app.pack.banks.iter().map(|bank| Choice {
        code: bank.code.clone(),
        label: bank.name.get(tag).to_owned(),
        hint: String::new(),
    });
    OfficeAccountPage {
        bank: Field::default(),
        banks: banks.collect(),
        number: Field::default(),
        base: at.address(""),
        shell,
    }
}

/// Digits as a keyboard of the country may give them, without spaces and hyphens.
fn plain(typed: &str) -> String {
    let digit = |c: char| match c {
        '\u{FF10}'..='\u{FF19}' => char::from_u32(c as u32 - 0xFF10 + 0x30),
        '\u{0660}'..='\u{0669}' => char::from_u32(c as u32 - 0x0660 + 0x30),
        '\u{0966}'..='\u{096F}' => char::from_u32(c as u32 - 0x0966 + 0x30),
        c if c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{30FC}' | '\u{2212}') => {
            None
        }
        c => Some(c),
    };
    typed.chars().take(100).filter_map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn digits_of_three_scripts_are_the_same_account() {
        for typed in ["1234567", "123 4567", "123-4567", "１２３４５６７", "١٢٣٤٥٦٧", "१२३४५६७"]
        {
            assert_eq!(plain(typed), "1234567", "{typed}");
        }
        assert_eq!(plain("12x"), "12x");
    }
}
