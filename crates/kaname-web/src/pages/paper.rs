//! What is printed: A4, black on white, readable without colour.

use askama::Template;
use kaname_base::pack::Pack;
use kaname_base::{Amount, Currency, Instant};
use kaname_pay::payout::Voucher;

use super::Shell;
use super::qr::{self, QrPath};

/// The activation letter with its grid of sign-in codes.
#[derive(Template)]
#[template(path = "paper/letter.html")]
pub struct LetterPage {
    /// The frame; its language is that of the letter.
    pub shell: Shell,
    /// The resident's name.
    pub name: String,
    /// The address, a line each.
    pub address: Vec<String>,
    /// The office that sends it, a line each.
    pub sender: Vec<String>,
    /// When it was made.
    pub at: Instant,
    /// The number of the letter, with which the resident signs in.
    pub letter_id: String,
    /// The one-time activation code, in groups.
    pub activation_code: String,
    /// The last day of that code.
    pub until: Instant,
    /// Where to type it, without a scheme: `kaname.example`.
    pub site: String,
    /// The codes: rows 1 to 5 of columns A to H.
    pub grid: [[String; 8]; 5],
}

impl LetterPage {
    fn columns(&self) -> [char; 8] {
        ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']
    }
}

impl VoucherPage {
    /// A voucher's paper in the language of the shell; `ticket` is what its QR code says.
    pub fn of(pack: &Pack, shell: Shell, name: &str, voucher: &Voucher, ticket: &str) -> VoucherPage {
        let tag = shell.lang.code();
        let programme = pack.programme(&voucher.programme);
        VoucherPage {
            name: name.to_owned(),
            programme: programme.map_or(voucher.programme.as_str(), |known| known.name.get(tag)).to_owned(),
            amount: voucher.amount,
            currency: pack.currency,
            code: voucher.code.clone(),
            scan: qr::path(ticket),
            places: vec![pack.voucher.text.get(tag).to_owned()],
            until: voucher.until,
            shell,
        }
    }
}

/// A voucher that is paid out in cash.
#[derive(Template)]
#[template(path = "paper/voucher.html")]
pub struct VoucherPage {
    /// The frame.
    pub shell: Shell,
    /// Whose it is.
    pub name: String,
    /// The programme's name.
    pub programme: String,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The code, in groups.
    pub code: String,
    /// The same, signed, as a QR code.
    pub scan: QrPath,
    /// Where it is paid out, in the reader's language.
    pub places: Vec<String>,
    /// The last day.
    pub until: Instant,
}
