//! `pain.002.001.10`, CustomerPaymentStatusReportV10: what became of each transfer.

use super::IsoError;
use super::read::{Cursor, Element, once};
use super::write::{check_date_time, push_close, push_open, push_text};
use std::borrow::Cow;

const KIND: &str = "pain.002.001.10";
const BODY: &str = "CstmrPmtStsRpt";
/// Elements that repeat what we sent, or name the bank's own references; they are left out when reading.
const LEFT_OUT: [&str; 17] = [
    "InitgPty",
    "FwdgAgt",
    "DbtrAgt",
    "CdtrAgt",
    "OrgnlCreDtTm",
    "OrgnlNbOfTxs",
    "OrgnlCtrlSum",
    "NbOfTxsPerSts",
    "StsId",
    "OrgnlInstrId",
    "OrgnlUETR",
    "ChrgsInf",
    "AccptncDtTm",
    "AcctSvcrRef",
    "ClrSysRef",
    "OrgnlTxRef",
    "Orgtr",
];

/// What became of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status<'a> {
    /// ACCP: checks passed, the money is not there yet.
    Accepted,
    /// ACSC: settled.
    Settled,
    /// RJCT: not paid.
    Rejected {
        /// Why, such as `AC04` for a closed account (ISO 20022 ExternalStatusReason1Code). One longer than
        /// four characters is the bank's own.
        code: Cow<'a, str>,
        /// Why, in words of the bank.
        text: Option<Cow<'a, str>>,
    },
}

/// What became of the message or its block as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupStatus<'a> {
    /// The same for every transfer in it, whether or not that is listed.
    All(Status<'a>),
    /// PART: see each transfer.
    Part,
}

/// The status of one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferStatus<'a> {
    /// The id that we gave it.
    pub end_to_end_id: Cow<'a, str>,
    /// What became of it.
    pub status: Status<'a>,
}

/// A status report on one message with one payment block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<'a> {
    /// The bank's id of the report.
    pub message_id: Cow<'a, str>,
    /// When it was made.
    pub created: Cow<'a, str>,
    /// The id of the message that it is about.
    pub original_message_id: Cow<'a, str>,
    /// What became of the message, if it says so. A rejection here is one of every transfer.
    pub message_status: Option<GroupStatus<'a>>,
    /// The id of the payment block that it is about, if it goes that far.
    pub original_payment_id: Option<Cow<'a, str>>,
    /// What became of the block, if it says so.
    pub payment_status: Option<GroupStatus<'a>>,
    /// What became of each transfer that it lists; needs `original_payment_id`.
    pub transfers: Vec<TransferStatus<'a>>,
}

/// Writes a report.
pub fn write_pain002(report: &Report<'_>) -> Result<Vec<u8>, IsoError> {
    let mut out = Vec::with_capacity(1024 + 200 * report.transfers.len());
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.extend_from_slice(
        b"<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>",
    );
    push_open(&mut out, "GrpHdr");
    push_text(&mut out, "MsgId", &report.message_id, 35)?;
    check_date_time("CreDtTm", &report.created)?;
    push_text(&mut out, "CreDtTm", &report.created, 40)?;
    push_close(&mut out, "GrpHdr");

    push_open(&mut out, "OrgnlGrpInfAndSts");
    push_text(&mut out, "OrgnlMsgId", &report.original_message_id, 35)?;
    push_text(&mut out, "OrgnlMsgNmId", "pain.001.001.09", 35)?;
    push_group_status(&mut out, "GrpSts", report.message_status.as_ref())?;
    push_close(&mut out, "OrgnlGrpInfAndSts");

    if let Some(payment_id) = &report.original_payment_id {
        push_open(&mut out, "OrgnlPmtInfAndSts");
        push_text(&mut out, "OrgnlPmtInfId", payment_id, 35)?;
        push_group_status(&mut out, "PmtInfSts", report.payment_status.as_ref())?;
        for transfer in &report.transfers {
            push_open(&mut out, "TxInfAndSts");
            push_text(&mut out, "OrgnlEndToEndId", &transfer.end_to_end_id, 35)?;
            push_status(&mut out, "TxSts", &transfer.status)?;
            push_close(&mut out, "TxInfAndSts");
        }
        push_close(&mut out, "OrgnlPmtInfAndSts");
    } else if report.payment_status.is_some() || !report.transfers.is_empty() {
        return Err(IsoError::Missing("OrgnlPmtInfId"));
    }
    out.extend_from_slice(b"</CstmrPmtStsRpt></Document>\n");
    Ok(out)
}

fn push_group_status(
    out: &mut Vec<u8>,
    element: &'static str,
    status: Option<&GroupStatus<'_>>,
) -> Result<(), IsoError> {
    match status {
        None => Ok(()),
        Some(GroupStatus::Part) => push_text(out, element, "PART", 4),
        Some(GroupStatus::All(status)) => push_status(out, element, status),
    }
}

fn push_status(out: &mut Vec<u8>, element: &'static str, status: &Status<'_>) -> Result<(), IsoError> {
    match status {
        Status::Accepted => push_text(out, element, "ACCP", 4),
        Status::Settled => push_text(out, element, "ACSC", 4),
        Status::Rejected { code, text } => {
            push_text(out, element, "RJCT", 4)?;
            push_open(out, "StsRsnInf");
            push_open(out, "Rsn");
            let (element, max) = if code.len() <= 4 { ("Cd", 4) } else { ("Prtry", 35) };
            push_text(out, element, code, max)?;
            push_close(out, "Rsn");
            if let Some(text) = text {
                push_text(out, "AddtlInf", text, 105)?;
            }
            push_close(out, "StsRsnInf");
            Ok(())
        }
    }
}

/// Reads a report. Statuses other than ACCP, ACSC, RJCT (and PART of a group) are refused: the caller would have to
/// guess whether the money moved.
pub fn parse_pain002(bytes: &[u8]) -> Result<Report<'_>, IsoError> {
    Cursor::message(bytes, KIND, BODY, |cursor| {
        let (mut group, mut original, mut block) = (None, None, None);
        while let Some(element) = cursor.open_next()? {
            match element.name() {
                "GrpHdr" => once(&mut group, read_header(cursor, &element)?, "GrpHdr")?,
                "OrgnlGrpInfAndSts" => {
                    once(&mut original, read_original(cursor, &element)?, "OrgnlGrpInfAndSts")?;
                }
                "OrgnlPmtInfAndSts" => once(&mut block, read_block(cursor, &element)?, "OrgnlPmtInfAndSts")?,
                _ => return Err(element.unexpected()),
            }
        }
        let (message_id, created) = group.ok_or(IsoError::Missing("GrpHdr"))?;
        let (original_message_id, message_status) = original.ok_or(IsoError::Missing("OrgnlGrpInfAndSts"))?;
        let block: Block<'_> = block.unwrap_or_default();
        Ok(Report {
            message_id,
            created,
            original_message_id,
            message_status,
            original_payment_id: block.payment_id,
            payment_status: block.status,
            transfers: block.transfers,
        })
    })
}

fn read_header<'a>(
    cursor: &mut Cursor<'a>,
    element: &Element<'a>,
) -> Result<(Cow<'a, str>, Cow<'a, str>), IsoError> {
    cursor.enter(element)?;
    let (mut id, mut created) = (None, None);
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "MsgId" => cursor.text(&element, "MsgId", 35, &mut id)?,
            "CreDtTm" => cursor.text(&element, "CreDtTm", 40, &mut created)?,
            name if LEFT_OUT.contains(&name) => cursor.skip()?,
            _ => return Err(element.unexpected()),
        }
    }
    let created: Cow<'a, str> = created.ok_or(IsoError::Missing("CreDtTm"))?;
    check_date_time("CreDtTm", &created)?;
    Ok((id.ok_or(IsoError::Missing("MsgId"))?, created))
}

fn read_original<'a>(
    cursor: &mut Cursor<'a>,
    element: &Element<'a>,
) -> Result<(Cow<'a, str>, Option<GroupStatus<'a>>), IsoError> {
    cursor.enter(element)?;
    let (mut id, mut kind, mut status, mut reason) = (None, None, None, None);
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "OrgnlMsgId" => cursor.text(&element, "OrgnlMsgId", 35, &mut id)?,
            "OrgnlMsgNmId" => cursor.text(&element, "OrgnlMsgNmId", 35, &mut kind)?,
            "GrpSts" => cursor.text(&element, "GrpSts", 4, &mut status)?,
            "StsRsnInf" => read_reason(cursor, &element, &mut reason)?,
            name if LEFT_OUT.contains(&name) => cursor.skip()?,
            _ => return Err(element.unexpected()),
        }
    }
    let kind: Cow<'a, str> = kind.ok_or(IsoError::Missing("OrgnlMsgNmId"))?;
    if !kind.starts_with("pain.001") {
        return Err(IsoError::Value("OrgnlMsgNmId"));
    }
    Ok((id.ok_or(IsoError::Missing("OrgnlMsgId"))?, group_status("GrpSts", status, reason)?))
}

#[derive(Default)]
struct Block<'a> {
    payment_id: Option<Cow<'a, str>>,
    status: Option<GroupStatus<'a>>,
    transfers: Vec<TransferStatus<'a>>,
}

fn read_block<'a>(cursor: &mut Cursor<'a>, element: &Element<'a>) -> Result<Block<'a>, IsoError> {
    cursor.enter(element)?;
    let mut block = Block::default();
    let (mut status, mut reason) = (None, None);
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "OrgnlPmtInfId" => cursor.text(&element, "OrgnlPmtInfId", 35, &mut block.payment_id)?,
            "PmtInfSts" => cursor.text(&element, "PmtInfSts", 4, &mut status)?,
            "StsRsnInf" => read_reason(cursor, &element, &mut reason)?,
            "TxInfAndSts" => block.transfers.push(read_transfer(cursor, &element)?),
            name if LEFT_OUT.contains(&name) => cursor.skip()?,
            _ => return Err(element.unexpected()),
        }
    }
    if block.payment_id.is_none() {
        return Err(IsoError::Missing("OrgnlPmtInfId"));
    }
    block.status = group_status("PmtInfSts", status, reason)?;
    Ok(block)
}

fn read_transfer<'a>(cursor: &mut Cursor<'a>, element: &Element<'a>) -> Result<TransferStatus<'a>, IsoError> {
    cursor.enter(element)?;
    let (mut id, mut status, mut reason) = (None, None, None);
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "OrgnlEndToEndId" => cursor.text(&element, "OrgnlEndToEndId", 35, &mut id)?,
            "TxSts" => cursor.text(&element, "TxSts", 4, &mut status)?,
            "StsRsnInf" => read_reason(cursor, &element, &mut reason)?,
            name if LEFT_OUT.contains(&name) => cursor.skip()?,
            _ => return Err(element.unexpected()),
        }
    }
    let code: Cow<'a, str> = status.ok_or(IsoError::Missing("TxSts"))?;
    let status = status_of("TxSts", &code, reason)?;
    Ok(TransferStatus { end_to_end_id: id.ok_or(IsoError::Missing("OrgnlEndToEndId"))?, status })
}

type Reason<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// A reason, of which a bank may give several: the first is kept.
fn read_reason<'a>(
    cursor: &mut Cursor<'a>,
    element: &Element<'a>,
    slot: &mut Option<Reason<'a>>,
) -> Result<(), IsoError> {
    cursor.enter(element)?;
    let (mut code, mut text) = (None, None);
    while let Some(element) = cursor.open_next()? {
        match element.name() {
            "Rsn" => {
                cursor.enter(&element)?;
                while let Some(element) = cursor.open_next()? {
                    match element.name() {
                        "Cd" => cursor.text(&element, "Cd", 4, &mut code)?,
                        "Prtry" => cursor.text(&element, "Prtry", 35, &mut code)?,
                        _ => return Err(element.unexpected()),
                    }
                }
            }
            "AddtlInf" if text.is_none() => cursor.text(&element, "AddtlInf", 105, &mut text)?,
            "AddtlInf" => cursor.skip()?,
            name if LEFT_OUT.contains(&name) => cursor.skip()?,
            _ => return Err(element.unexpected()),
        }
    }
    if let (Some(code), None) = (code, &slot) {
        *slot = Some((code, text));
    }
    Ok(())
}

fn group_status<'a>(
    element: &'static str,
    code: Option<Cow<'a, str>>,
    reason: Option<Reason<'a>>,
) -> Result<Option<GroupStatus<'a>>, IsoError> {
    match code.as_deref() {
        None => Ok(None),
        Some("PART") => Ok(Some(GroupStatus::Part)),
        Some(code) => status_of(element, code, reason).map(|status| Some(GroupStatus::All(status))),
    }
}

fn status_of<'a>(
    element: &'static str,
    code: &str,
    reason: Option<Reason<'a>>,
) -> Result<Status<'a>, IsoError> {
    match code {
        "ACCP" => Ok(Status::Accepted),
        "ACSC" => Ok(Status::Settled),
        "RJCT" => {
            let (code, text) = reason.ok_or(IsoError::Missing("Rsn"))?;
            Ok(Status::Rejected { code, text })
        }
        _ => Err(IsoError::Value(element)),
    }
}
