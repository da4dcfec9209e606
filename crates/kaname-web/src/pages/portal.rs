//! What a resident sees.

use askama::Template;
use kaname_base::time::BirthDate;
use kaname_base::{Amount, Currency, Instant};

use super::entry::EntryView;
use super::shell::errors;
use super::{Field, NoticeKind, Shell};

/// `GET /`: what this is; sign in, or begin with a letter.
#[derive(Template)]
#[template(path = "portal/start.html")]
pub struct StartPage {
    /// The frame.
    pub shell: Shell,
}

/// `GET /signin`: a passkey, or the codes of a letter.
#[derive(Template)]
#[template(path = "portal/signin.html")]
pub struct SignInPage {
    /// The frame.
    pub shell: Shell,
    /// The relying party that asked for this sign-in.
    pub asked_by: Option<String>,
    /// Where the sign-in goes on to; an opaque reference, sent back in the field `next`.
    pub next: String,
    /// `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3, section 5.5).
    pub passkey_options: String,
    /// Why the passkey was not accepted, in the reader's language.
    pub passkey_error: Option<String>,
    /// Whether the letter's grid is sure enough.
    pub by_letter: bool,
    /// The number of the letter.
    pub letter: Field,
}

impl SignInPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        let passkey = self.passkey_error.as_deref().map(|error| ("passkey", error));
        passkey.into_iter().chain(errors(&[("letter", &self.letter)])).collect()
    }
}

/// After `POST /signin/letter`: the codes of two squares of the letter's grid.
#[derive(Template)]
#[template(path = "portal/squares.html")]
pub struct SquaresPage {
    /// The frame.
    pub shell: Shell,
    /// Where the sign-in goes on to, as in [`SignInPage::next`].
    pub next: String,
    /// The number of the letter; sent back in the field `letter`.
    pub letter: String,
    /// The squares that are asked for, such as `C4`.
    pub squares: [String; 2],
    /// What is written in the first.
    pub first: Field,
    /// What is written in the second.
    pub second: Field,
}

impl SquaresPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("first", &self.first), ("second", &self.second)])
    }

    fn column(&self) -> &str {
        self.squares[0].get(..1).unwrap_or_default()
    }

    fn row(&self) -> &str {
        self.squares[0].get(1..).unwrap_or_default()
    }
}

/// `GET /activate`: the letter's number and its one-time code.
#[derive(Template)]
#[template(path = "portal/activate.html")]
pub struct ActivatePage {
    /// The frame.
    pub shell: Shell,
    /// The number of the letter.
    pub letter: Field,
    /// The one-time activation code.
    pub code: Field,
}

impl ActivatePage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("letter", &self.letter), ("code", &self.code)])
    }
}

/// `GET /activate/passkey`: the offer to make a passkey, which may be declined.
#[derive(Template)]
#[template(path = "portal/activate_passkey.html")]
pub struct ActivatePasskeyPage {
    /// The frame.
    pub shell: Shell,
    /// Where the forms go: `/activate`, or `/office/activate` for an officer.
    pub base: &'static str,
    /// `PublicKeyCredentialCreationOptionsJSON` (WebAuthn Level 3, section 5.4).
    pub passkey_options: String,
    /// Why the passkey could not be kept, in the reader's language.
    pub passkey_error: Option<String>,
    /// Whether one can go on without.
    pub may_decline: bool,
}

impl ActivatePasskeyPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        self.passkey_error.as_deref().map(|error| ("passkey", error)).into_iter().collect()
    }
}

/// `GET /activate/done`: the account can be used.
#[derive(Template)]
#[template(path = "portal/activate_done.html")]
pub struct ActivateDonePage {
    /// The frame.
    pub shell: Shell,
    /// Whether a passkey was made; otherwise the letter stays the way in.
    pub has_passkey: bool,
}

/// `GET /consent`: a relying party asks for attributes.
#[derive(Template)]
#[template(path = "portal/consent.html")]
pub struct ConsentPage {
    /// The frame.
    pub shell: Shell,
    /// The relying party.
    pub party: String,
    /// This request; sent back in the field `request`.
    pub request: String,
    /// What is asked for.
    pub asked: Vec<AskedAttribute>,
}

/// One attribute that a relying party asks for.
#[derive(Clone, Debug)]
pub struct AskedAttribute {
    /// A code of the texts `attribute.*`, such as `birth_date`, or a name in the reader's language.
    pub attribute: String,
    /// What the relying party says it is for, in the reader's language.
    pub purpose: String,
}

/// `GET /home`: everything a resident can do here.
#[derive(Template)]
#[template(path = "portal/home.html")]
pub struct HomePage {
    /// The frame.
    pub shell: Shell,
    /// The resident's name.
    pub name: String,
    /// Open sign-ins.
    pub sign_ins: u64,
    /// Wrong links that concern her and that she has not seen yet.
    pub links_to_see: u64,
}

/// `GET /my/data`: what the register holds.
#[derive(Template)]
#[template(path = "portal/data.html")]
pub struct MyDataPage {
    /// The frame.
    pub shell: Shell,
    /// The record.
    pub person: PersonView,
    /// What else stands in it, and what stood there before: a line or more for each term.
    pub more: Vec<(String, Vec<String>)>,
}

/// `GET /my/photo`.
#[derive(Template)]
#[template(path = "portal/photo.html")]
pub struct MyPhotoPage {
    /// The frame.
    pub shell: Shell,
    /// Whether there is one.
    pub has_one: bool,
}

/// `GET /my/history`: what happened, and where the register has it from.
#[derive(Template)]
#[template(path = "portal/history.html")]
pub struct MyHistoryPage {
    /// The frame.
    pub shell: Shell,
    /// Her events, newest first.
    pub entries: Vec<EntryView>,
}

/// A resident's record, for the resident and for an officer.
#[derive(Clone)]
pub struct PersonView {
    /// The name as it is written.
    pub name: String,
    /// How it is read, where the country records that.
    pub reading: Option<String>,
    /// The Latin form.
    pub latin: Option<String>,
    /// The date of birth.
    pub born: BirthDate,
    /// The address, a line each.
    pub address: Vec<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The residence status, in the reader's language.
    pub status: String,
}

/// `GET /my/number`, and the answer to its POST.
#[derive(Template)]
#[template(path = "portal/number.html")]
pub struct MyNumberPage {
    /// The frame.
    pub shell: Shell,
    /// The number in groups, once it was asked for: `1234 5678 9018`.
    pub number: Option<String>,
}

/// `GET /my/access`: who looked.
#[derive(Template)]
#[template(path = "portal/access.html")]
pub struct MyAccessPage {
    /// The frame.
    pub shell: Shell,
    /// How many entries there are, and so the number of the newest.
    pub total: u64,
    /// One page of them, newest first.
    pub entries: Vec<AccessEntryView>,
    /// The address of the page with newer entries.
    pub newer: Option<String>,
    /// The address of the page with older entries.
    pub older: Option<String>,
}

/// One line of the access log.
#[derive(Clone, Debug)]
pub struct AccessEntryView {
    /// Its place in the resident's own gapless count.
    pub number: u64,
    /// When.
    pub at: Instant,
    /// The agency or relying party; the resident herself when `None`.
    pub who: Option<String>,
    /// The role of the officer, or the name of the program.
    pub role: String,
    /// For what, in the reader's language.
    pub purpose: String,
    /// The legal basis, in the reader's language.
    pub basis: String,
    /// Codes of the texts `attribute.*`.
    pub fields: Vec<String>,
}

/// `GET /my/payments`.
#[derive(Template)]
#[template(path = "portal/payments.html")]
pub struct MyPaymentsPage {
    /// The frame.
    pub shell: Shell,
    /// Newest first.
    pub payments: Vec<PaymentView>,
}

impl MyPaymentsPage {
    fn masked(&self, last_digits: &str) -> String {
        format!("****{last_digits}")
    }
}

/// One payment to a resident.
#[derive(Clone, Debug)]
pub struct PaymentView {
    /// The programme's name in the reader's language.
    pub programme: String,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When the list of its run was made: what tells two payments of one programme apart.
    pub at: Instant,
    /// Where the money is.
    pub state: PaymentStateView,
}

/// Where the money of a payment is.
#[derive(Clone, Debug)]
pub enum PaymentStateView {
    /// In the resident's account.
    Paid {
        /// The last digits of the account.
        last_digits: String,
    },
    /// Waits to be collected.
    Voucher {
        /// The code to show.
        code: String,
        /// Where and how it is turned into money, in the reader's language.
        how: String,
    },
    /// Was collected.
    Cash,
    /// Not yet possible.
    Pending {
        /// A code of the texts `pending.*`: `no_account`, `account_unconfirmed`, `name_differs`, `account_closed`,
        /// `bank_silent`, `waiting`, `returned`.
        reason: String,
    },
}

/// `GET /my/signins`.
#[derive(Template)]
#[template(path = "portal/signins.html")]
pub struct MySignInsPage {
    /// The frame.
    pub shell: Shell,
    /// The one in use first.
    pub sessions: Vec<SessionView>,
    /// Sign-ins of before, newest first.
    pub past: Vec<PastSignInView>,
}

/// A sign-in of before.
#[derive(Clone, Debug)]
pub struct PastSignInView {
    /// When.
    pub at: Instant,
    /// A code of the texts `means.*`.
    pub means: String,
    /// The relying party it was for; the portal when `None`.
    pub party: Option<String>,
}

/// One open sign-in.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Its id, sent in the field `session`.
    pub id: String,
    /// Since when.
    pub since: Instant,
    /// When it was last used.
    pub last_used: Instant,
    /// The device and browser as far as they can be told.
    pub device: String,
    /// A code of the texts `means.*`: `passkey`, `letter`, `card`.
    pub means: String,
    /// Whether it is the one in use now.
    pub current: bool,
}

/// `GET /my/services`.
#[derive(Template)]
#[template(path = "portal/services.html")]
pub struct MyServicesPage {
    /// The frame.
    pub shell: Shell,
    /// By name.
    pub services: Vec<ConnectedServiceView>,
}

/// A relying party that the resident agreed to.
#[derive(Clone, Debug)]
pub struct ConnectedServiceView {
    /// The consent, sent in the field `consent`.
    pub id: String,
    /// The relying party.
    pub party: String,
    /// Codes of the texts `attribute.*`.
    pub attributes: Vec<String>,
    /// Since when.
    pub since: Instant,
}

/// `GET /signed-out`.
#[derive(Template)]
#[template(path = "portal/signed_out.html")]
pub struct SignedOutPage {
    /// The frame.
    pub shell: Shell,
}
