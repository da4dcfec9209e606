//! `pain.001.001.09`, CustomerCreditTransferInitiationV09: please pay these.

use super::amount::push_minor;
use super::read::{Cursor, Element, once};
use super::write::{check_date, check_date_time, push_close, push_open, push_text};
use super::{Currency, IsoError, MAX_MESSAGE_BYTES, parse_minor};
use std::borrow::Cow;

const KIND: &str = "pain.001.001.09";
const BODY: &str = "CstmrCdtTrfInitn";
/// Elements that change neither who is paid nor how much; they are left out when reading.
const LEFT_OUT: [&str; 8] =
    ["PmtTpInf", "ChrgBr", "BtchBookg", "PstlAdr", "CtctDtls", "CtryOfRes", "Purp", "InstrId"];

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account<'a> {
    /// International bank account number, with a good check number (ISO 13616).
    Iban(Cow<'a, str>),
    /// Any other number, at most 34 characters.
    Other(Cow<'a, str>),
}

/// A bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent<'a> {
    /// Business identifier code (ISO 9362).
    Bic(Cow<'a, str>),
    /// Its number in the national clearing system.
    Member(Cow<'a, str>),
    /// The bank that receives the message knows.
    NotProvided,
}

/// All of a message but its transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Our id of the message, at most 35 characters.
    pub message_id: Cow<'a, str>,
    /// When it was made, such as `2026-04-01T09:30:00Z`.
    pub created: Cow<'a, str>,
    /// Who sends it.
    pub initiator: Cow<'a, str>,
    /// Our id of the payment block, at most 35 characters.
    pub payment_id: Cow<'a, str>,
    /// The day to pay, such as `2026-04-02`.
    pub execution_date: Cow<'a, str>,
    /// Who pays.
    pub debtor_name: Cow<'a, str>,
    /// From which account.
    pub debtor_account: Account<'a>,
    /// At which bank.
    pub debtor_agent: Agent<'a>,
    /// The one currency of all transfers.
    pub currency: Currency,
}

/// One payment to one creditor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// Our id of the transfer; it comes back in the status report. At most 35 characters.
    pub end_to_end_id: Cow<'a, str>,
    /// How much, in minor units of the currency of the message.
    pub amount_minor: u64,
    /// Who is paid.
    pub creditor_name: Cow<'a, str>,
    /// Into which account.
    pub creditor_account: Account<'a>,
    /// At which bank, if that must be said.
    pub creditor_agent: Option<Agent<'a>>,
    /// What the creditor reads, at most 140 characters.
    pub remittance: Option<Cow<'a, str>>,
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initiation<'a> {
    /// All but the transfers.
    pub header: Header<'a>,
    /// The transfers, at least one.
    pub transfers: Vec<Transfer<'a>>,
}

/// Writes a message in one go.
pub fn write_pain001(header: &Header<'_>, transfers: &[Transfer<'_>]) -> Result<Vec<u8>, IsoError> {
    let sum = transfers.iter().try_fold(0u64, |sum, transfer| sum.checked_add(transfer.amount_minor));
    let mut writer = Writer::new(header, transfers.len(), sum.ok_or(IsoError::Amount)?)?;
    for transfer in transfers {
        writer.push(transfer)?;
    }
    writer.finish()
}

/// Writes a message transfer by transfer. Count and sum stand in its header, so they must be known before.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    currency: Currency,
    left: usize,
    left_minor: u64,
}

impl Writer {
    /// Begins a message of `count` transfers that sum up to `sum_minor`.
    pub fn new(header: &Header<'_>, count: usize, sum_minor: u64) -> Result<Self, IsoError> {
        if count == 0 {
            return Err(IsoError::Count);
        }
        let mut out = Vec::with_capacity(2048 + count.min(MAX_MESSAGE_BYTES / 512) * 512);
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        out.extend_from_slice(
            b"<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"><CstmrCdtTrfInitn>",
        );

        let totals = |out: &mut Vec<u8>| {
            push_text(out, "NbOfTxs", &count.to_string(), 15)?;
            push_open(out, "CtrlSum");
            push_minor(out, sum_minor, header.currency.exponent())?;
            push_close(out, "CtrlSum");
            Ok::<(), IsoError>(())
        };
        push_open(&mut out, "GrpHdr");
        push_text(&mut out, "MsgId", &header.message_id, 35)?;
        check_date_time("CreDtTm", &header.created)?;
        push_text(&mut out, "CreDtTm", &header.created, 40)?;
        totals(&mut out)?;
        push_named(&mut out, "InitgPty", &header.initiator)?;
        push_close(&mut out, "GrpHdr");

        push_open(&mut out, "PmtInf");
        push_text(&mut out, "PmtInfId", &header.payment_id, 35)?;
        push_text(&mut out, "PmtMtd", "TRF", 3)?;
        totals(&mut out)?;
        check_date("ReqdExctnDt", &header.execution_date)?;
        push_open(&mut out, "ReqdExctnDt");
        push_text(&mut out, "Dt", &header.execution_date, 10)?;
        push_close(&mut out, "ReqdExctnDt");
        push_named(&mut out, "Dbtr", &header.debtor_name)?;
        push_account(&mut out, "DbtrAcct", &header.debtor_account)?;
        push_agent(&mut out, "DbtrAgt", &header.debtor_agent)?;
        Ok(Writer { out, currency: header.currency, left: count, left_minor: sum_minor })
    }

    /// Adds one transfer. After an error the message is spoilt and is to be thrown away.
    pub fn push(&mut self, transfer: &Transfer<'_>) -> Result<(), IsoError> {
        self.left = self.left.checked_sub(1).ok_or(IsoError::Count)?;
        self.left_minor = self.left_minor.checked_sub(transfer.amount_minor).ok_or(IsoError::Sum)?;
        let out = &mut self.out;
        out.extend_from_slice(b"\n<CdtTrfTxInf><PmtId>");
        push_text(out, "EndToEndId", &transfer.end_to_end_id, 35)?;
        out.extend_from_slice(b"</PmtId><Amt><InstdAmt Ccy=\"");
        out.extend_from_slice(self.currency.code().as_bytes());
        out.extend_from_slice(b"\">");
        push_minor(out, transfer.amount_minor, self.currency.exponent())?;
        out.extend_from_slice(b"</InstdAmt></Amt>");
        if let Some(agent) = &transfer.creditor_agent {
            push_agent(out, "CdtrAgt", agent)?;
        }
        push_named(out, "Cdtr", &transfer.creditor_name)?;
        push_account(out, "CdtrAcct", &transfer.creditor_account)?;
        if let Some(text) = &transfer.remittance {
            push_open(out, "RmtInf");
            push_text(out, "Ustrd", text, 140)?;
            push_close(out, "RmtInf");
        }
        push_close(out, "CdtTrfTxInf");
        if out.len() > MAX_MESSAGE_BYTES { Err(IsoError::TooLong) } else { Ok(()) }
    }

    /// Ends the message, if exactly the promised transfers are in it.
    pub fn finish(mut self) -> Result<Vec<u8>, IsoError> {
        if self.left != 0 {
            return Err(IsoError::Count);
        }
        if self.left_minor != 0 {
            return Err(IsoError::Sum);
        }
        self.out.extend_from_slice(b"\n</PmtInf></CstmrCdtTrfInitn></Document>\n");
        Ok(self.out)
    }
}

fn push_named(out: &mut Vec<u8>, element: &'static str, name: &str) -> Result<(), IsoError> {
    push_open(out, element);
    push_text(out, "Nm", name, 140)?;
    push_close(out, element);
    Ok(())
}

fn push_account(out: &mut Vec<u8>, element: &'static str, account: &Account<'_>) -> Result<(), IsoError> {
    push_open(out, element);
    push_open(out, "Id");
    match account {
        Account::Iban(iban) => {
            check_iban(iban)?;
            push_text(out, "IBAN", iban, 34)?;
        }
        Account::Other(number) => {
            push_open(out, "Othr");
            push_text(out, "Id", number, 34)?;
            push_close(out, "Othr");
        }
    }
    push_close(out, "Id");
    push_close(out, element);
    Ok(())
}

fn push_agent(out: &mut Vec<u8>, element: &'static str, agent: &Agent<'_>) -> Result<(), IsoError> {
    push_open(out, element);
    push_open(out, "FinInstnId");
    match agent {
        Agent::Bic(bic) => {
            check_bic(bic)?;
            push_text(out, "BICFI", bic, 11)?;
        }
        Agent::Member(number) => {
            push_open(out, "ClrSysMmbId");
            push_text(out, "MmbId", number, 35)?;
            push_close(out, "ClrSysMmbId");
        }
        Agent::NotProvided => {
            push_open(out, "Othr");
            push_text(out, "Id", "NOTPROVIDED", 35)?;
            push_close(out, "Othr");
        }
    }
    push_close(out, "FinInstnId");
    push_close(out, element);
    Ok(())
}

/// ISO 13616: the country and check number moved to the end, letters as 10 to 35, modulo 97 is 1.
fn check_iban(iban: &str) -> Result<(), IsoError> {
    let bytes = iban.as_bytes();
    let form = matches!(bytes, [a, b, c, d, rest @ ..] if
        a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit()
        && (1..=30).contains(&rest.len()) && rest.iter().all(u8::is_ascii_alphanumeric));
    if !form {
        return Err(IsoError::Value("IBAN"));
    }
    let remainder = bytes[4..].iter().chain(&bytes[..4]).fold(0u32, |sum, byte| {
        let value = char::from(*byte).to_digit(36).expect("checked to be alphanumeric");
        if value < 10 { (sum * 10 + value) % 97 } else { (sum * 100 + value) % 97 }
    });
    if remainder == 1 { Ok(()) } else { Err(IsoError::Value("IBAN")) }
}

/// BICFIDec2014Identifier.
fn check_bic(bic: &str) -> Result<(), IsoError> {
    let capital_or_digit = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let bytes = bic.as_bytes();
    let good = matches!(bytes.len(), 8 | 11)
        && bytes.iter().all(capital_or_digit)
        && bytes[4..6].iter().all(u8::is_ascii_uppercase);
    if good { Ok(()) } else { Err(IsoError::Value("BICFI")) }
}

/// Reads a message. `exponent_of` knows the currencies: how many decimals each has, or nothing for one that is not
/// accepted here.
pub fn parse_pain001<'a>(
    bytes: &'a [u8],
    exponent_of: &dyn Fn(&str) -> Option<u8>,
) -> Result<Initiation<'a>, IsoError> {
    Cursor::message(bytes, KIND, BODY, |cursor| {
        let (mut group, mut block) = (None, None);
        while let Some(element) = cursor.open_next()? {
            match element.name() {
                "GrpHdr" => once(&mut group, read_group(cursor, &element)?, "GrpHdr")?,
                "PmtInf" => once(&mut block, read_block(cursor, &element, exponent_of)?, "PmtInf")?,
                _ => return Err(element.unexpected()),
            }
        }
        let group: Group<'a> = group.ok_or(IsoError::Missing("GrpHdr"))?;
        let block: Block<'a> = block.ok_or(IsoError::Missing("PmtInf"))?;
        let currency = block.currency.ok_or(IsoError::Missing("CdtTrfTxInf"))?;
        group.totals.check(&block.transfers, currency)?;
        block.totals.check(&block.transfers, currency)?;
        if group.totals.count.is_none() {
            return Err(IsoError::Missing("NbOfTxs"));
        }
        let header = Header {
            message_id: group.message_id.ok_or(IsoError::Missing("MsgId"))?,
            created: group.created.ok_or(IsoError::Missing("CreDtTm"))?,
            initiator: group.initiator.ok_or(IsoError::Missing("InitgPty"))?,
            payment_id: block.payment_id.ok_or(IsoError::Missing("PmtInfId"))?,
            execution_date: block.execution_date.ok_or(IsoError::Missing("ReqdExctnDt"))?,
            debtor_name: block.debtor_name.ok_or(IsoError::Missing("Dbtr"))?,
            debtor_account: block.debtor_account.ok_or(IsoError::Missing("DbtrAcct"))?,
            debtor_agent: block.debtor_agent.ok_or(IsoError::Missing("DbtrAgt"))?,
            currency,
        };
        block.method.ok_or(IsoError::Missing("PmtMtd"))?;
        check_date_time("CreDtTm", &header.created)?;
        check_date("ReqdExctnDt", &header.execution_date)?;
        Ok(Initiation { header, transfers: block.transfers })
    })
}

/// `NbOfTxs` and `CtrlSum`, which stand in the header and in the block.
#[derive(Default)]
struct Totals<'a> {
    count: Option<Cow<'a, str>>,
    sum: Option<Cow<'a, str>>,
}

impl Totals<'_> {
    fn check(&self, transfers: &[Transfer<'_>], currency: Currency) -> Result<(), IsoError> {
        if let Some(count) = &self.count {
            let digits = count.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || count.parse() != Ok(transfers.len()) {
                return Err(IsoError::Count);
            }
        }
        if let Some(sum) = &self.sum {
            let added =
                transfers.iter().try_fold(0u64, |sum, transfer| sum.checked_add(transfer.amount_minor));
            if added != Some(parse_minor(sum, currency.exponent())?) {
                return Err(IsoError::Sum);
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Group<'a> {
    message_id: Option<Cow<'a, str>>,
    created: Option<Cow<'a, str>>,
    initiator: Option<Cow<'a, str>>,
    totals: Totals<'a>,
}

fn read_group<'a>(cursor: &mut Cursor<'a>, element: &Element<'a>) -> Result<Group<'a>, IsoError> {
    cursor.enter(element)?;
    let mut group = Group::default();
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "MsgId" => cursor.text(&element, "MsgId", 35, &mut group.message_id)?,
            "CreDtTm" => cursor.text(&element, "CreDtTm", 40, &mut group.created)?,
            "NbOfTxs" => cursor.text(&element, "NbOfTxs", 15, &mut group.totals.count)?,
            "CtrlSum" => cursor.text(&element, "CtrlSum", 20, &mut group.totals.sum)?,
            "InitgPty" => once(&mut group.initiator, read_party(cursor, &element)?, "InitgPty")?,
            _ => return Err(element.unexpected()),
        }
    }
    Ok(group)
}

#[derive(Default)]
struct Block<'a> {
    payment_id: Option<Cow<'a, str>>,
    method: Option<Cow<'a, str>>,
    execution_date: Option<Cow<'a, str>>,
    debtor_name: Option<Cow<'a, str>>,
    debtor_account: Option<Account<'a>>,
    debtor_agent: Option<Agent<'a>>,
    totals: Totals<'a>,
    currency: Option<Currency>,
    transfers: Vec<Transfer<'a>>,
}

fn read_block<'a>(
    cursor: &mut Cursor<'a>,
    element: &Element<'a>,
    exponent_of: &dyn Fn(&str) -> Option<u8>,
) -> Result<Block<'a>, IsoError> {
    cursor.enter(element)?;
    let mut block = Block::default();
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "CdtTrfTxInf" => {
                let transfer = read_transfer(cursor, &element, &mut block.currency, exponent_of)?;
                block.transfers.push(transfer);
            }
            "PmtInfId" => cursor.text(&element, "PmtInfId", 35, &mut block.payment_id)?,
            "PmtMtd" => {
                cursor.text(&element, "PmtMtd", 3, &mut block.method)?;
                if block.method.as_deref() != Some("TRF") {
                    return Err(IsoError::Value("PmtMtd"));
                }
            }
            "NbOfTxs" => cursor.text(&element, "NbOfTxs", 15, &mut block.totals.count)?,
            "CtrlSum" => cursor.text(&element, "CtrlSum", 20, &mut block.totals.sum)?,
            "ReqdExctnDt" => {
                cursor.enter(&element)?;
                while let Some(element) = cursor.open_next()? {
                    match element.name() {
                        "Dt" => cursor.text(&element, "Dt", 10, &mut block.execution_date)?,
                        _ => return Err(element.unexpected()),
                    }
                }
            }
            "Dbtr" => once(&mut block.debtor_name, read_party(cursor, &element)?, "Dbtr")?,
            "DbtrAcct" => once(&mut block.debtor_account, read_account(cursor, &element)?, "DbtrAcct")?,
            "DbtrAgt" => once(&mut block.debtor_agent, read_agent(cursor, &element)?, "DbtrAgt")?,
            name if LEFT_OUT.contains(&name) => cursor.skip()?,
            _ => return Err(element.unexpected()),
        }
    }
    Ok(block)
}

fn read_transfer<'a>(
    cursor: &mut Cursor<'a>,
    element: &Element<'a>,
    currency: &mut Option<Currency>,
    exponent_of: &dyn Fn(&str) -> Option<u8>,
) -> Result<Transfer<'a>, IsoError> {
    cursor.enter(element)?;
    let (mut id, mut amount, mut name, mut account, mut agent, mut remittance) =
        (None, None, None, None, None, None);
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "PmtId" => {
                cursor.enter(&element)?;
                while let Some(element) = cursor.open_next()? {
                    match element.name() {
                        "EndToEndId" => cursor.text(&element, "EndToEndId", 35, &mut id)?,
                        name if LEFT_OUT.contains(&name) => cursor.skip()?,
                        _ => return Err(element.unexpected()),
                    }
                }
            }
            "Amt" => {
                cursor.enter(&element)?;
                while let Some(element) = cursor.open_next()? {
                    if element.name() != "InstdAmt" {
                        return Err(element.unexpected());
                    }
                    let exponent = same_currency(&element.attribute("Ccy")?, currency, exponent_of)?;
                    let text = cursor.content("InstdAmt", 20)?;
                    once(&mut amount, parse_minor(&text, exponent)?, "InstdAmt")?;
                }
            }
            "CdtrAgt" => once(&mut agent, read_agent(cursor, &element)?, "CdtrAgt")?,
            "Cdtr" => once(&mut name, read_party(cursor, &element)?, "Cdtr")?,
            "CdtrAcct" => once(&mut account, read_account(cursor, &element)?, "CdtrAcct")?,
            "RmtInf" => {
                cursor.enter(&element)?;
                while let Some(element) = cursor.open_next()? {
                    match element.name() {
                        "Ustrd" => cursor.text(&element, "Ustrd", 140, &mut remittance)?,
                        _ => return Err(element.unexpected()),
                    }
                }
            }
            name if LEFT_OUT.contains(&name) => cursor.skip()?,
            _ => return Err(element.unexpected()),
        }
    }
    Ok(Transfer {
        end_to_end_id: id.ok_or(IsoError::Missing("EndToEndId"))?,
        amount_minor: amount.ok_or(IsoError::Missing("InstdAmt"))?,
        creditor_name: name.ok_or(IsoError::Missing("Cdtr"))?,
        creditor_account: account.ok_or(IsoError::Missing("CdtrAcct"))?,
        creditor_agent: agent,
        remittance,
    })
}

/// The decimals of `code`, which is the first currency of the message or the same as it.
fn same_currency(
    code: &str,
    currency: &mut Option<Currency>,
    exponent_of: &dyn Fn(&str) -> Option<u8>,
) -> Result<u8, IsoError> {
    let unsupported = || IsoError::Currency(code.chars().take(8).collect());
    match currency {
        Some(known) if known.code() == code => Ok(known.exponent()),
        Some(_) => Err(unsupported()),
        None => {
            let new = Currency::new(code, exponent_of(code).ok_or_else(unsupported)?)?;
            Ok(currency.insert(new).exponent())
        }
    }
}

/// The name of a party; nothing else about it.
fn read_party<'a>(cursor: &mut Cursor<'a>, element: &Element<'a>) -> Result<Cow<'a, str>, IsoError> {
    cursor.enter(element)?;
    let mut name = None;
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "Nm" => cursor.text(&element, "Nm", 140, &mut name)?,
            name if LEFT_OUT.contains(&name) => cursor.skip()?,
            _ => return Err(element.unexpected()),
        }
    }
    name.ok_or(IsoError::Missing("Nm"))
}

fn read_account<'a>(cursor: &mut Cursor<'a>, element: &Element<'a>) -> Result<Account<'a>, IsoError> {
    cursor.enter(element)?;
    let (mut iban, mut other) = (None, None);
    while let Some(element) = cursor.open_next()? {
        if element.name() != "Id" {
            return Err(element.unexpected());
        }
        cursor.enter(&element)?;
        while let Some(element) = cursor.open_next()? {
            match element.name() {
                "IBAN" => cursor.text(&element, "IBAN", 34, &mut iban)?,
                "Othr" => read_only(cursor, &element, "Id", 34, &mut other)?,
                _ => return Err(element.unexpected()),
            }
        }
    }
    match (iban, other) {
        (Some(iban), None) => {
            check_iban(&iban)?;
            Ok(Account::Iban(iban))
        }
        (None, Some(number)) => Ok(Account::Other(number)),
        (None, None) => Err(IsoError::Missing("Id")),
        (Some(_), Some(_)) => Err(IsoError::Repeated("Id")),
    }
}

fn read_agent<'a>(cursor: &mut Cursor<'a>, element: &Element<'a>) -> Result<Agent<'a>, IsoError> {
    cursor.enter(element)?;
    let (mut bic, mut member, mut other) = (None, None, None);
    while let Some(element) = cursor.open_next()? {
        if element.name() != "FinInstnId" {
            return Err(element.unexpected());
        }
        cursor.enter(&element)?;
        while let Some(element) = cursor.open_next()? {
            match element.name() {
                "BICFI" => cursor.text(&element, "BICFI", 11, &mut bic)?,
                "ClrSysMmbId" => read_only(cursor, &element, "MmbId", 35, &mut member)?,
                "Othr" => read_only(cursor, &element, "Id", 35, &mut other)?,
                _ => return Err(element.unexpected()),
            }
        }
    }
    match (bic, member, other.as_deref()) {
        (Some(bic), None, None) => {
            check_bic(&bic)?;
            Ok(Agent::Bic(bic))
        }
        (None, Some(number), None) => Ok(Agent::Member(number)),
        (None, None, Some("NOTPROVIDED")) => Ok(Agent::NotProvided),
        (None, None, None) => Err(IsoError::Missing("FinInstnId")),
        _ => Err(IsoError::Value("FinInstnId")),
    }
}

/// An element whose only child is the text `name`.
fn read_only<'a>(
    cursor: &mut Cursor<'a>,
    element: &Element<'a>,
    name: &'static str,
    max: usize,
    slot: &mut Option<Cow<'a, str>>,
) -> Result<(), IsoError> {
    cursor.enter(element)?;
    while let Some(element) = cursor.open_next()? {
        if element.name() != name {
            return Err(element.unexpected());
        }
        cursor.text(&element, name, max, slot)?;
    }
    Ok(())
}
