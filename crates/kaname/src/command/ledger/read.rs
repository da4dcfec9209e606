//! `kaname ledger account`, `transfers` and `statement`: what stands in the books.

use std::process::ExitCode;

use clap::Args;
use kaname_base::{Amount, Bucket, Currency, Instant};
use kaname_pay::ledger::rules::Standing;
use kaname_pay::ledger::statement::{Entry, Start};
use kaname_pay::ledger::{Account, Kind, Limit, Side, statement as books};
use kaname_pay::{AccountId, PayError, TransferId};
use kaname_store::Store;
use serde::Serialize;

use crate::command::{On, program};
use crate::error::Failure;
use crate::show;

/// Which accounts.
#[derive(Args)]
pub(crate) struct Accounts {
    /// One account, `acc_…`; all of them when it is left out
    account: Option<String>,
    /// Only in this bucket
    #[arg(long)]
    bucket: Option<u16>,
    /// As they were at this moment, such as 2026-11-22T12:00:00Z
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// How many at the most, in each bucket
    #[arg(long, default_value_t = 100)]
    most: usize,
    #[command(flatten)]
    on: On,
}

/// Which transfers.
#[derive(Args)]
pub(crate) struct Transfers {
    /// Only in this bucket
    #[arg(long)]
    bucket: Option<u16>,
    /// Made at this moment or later
    #[arg(long, value_name = "MOMENT")]
    from: Option<String>,
    /// Made before this moment
    #[arg(long, value_name = "MOMENT")]
    until: Option<String>,
    /// Only ids below this one, `trf_…`: the last of the page before
    #[arg(long, value_name = "TRANSFER")]
    before: Option<String>,
    /// How many at the most, in each bucket
    #[arg(long, default_value_t = 100)]
    most: usize,
    #[command(flatten)]
    on: On,
}

/// Which account's.
#[derive(Args)]
pub(crate) struct Statement {
    /// The account, `acc_…`
    account: String,
    /// In which bucket, where several have an account of this id, such as the clearing account
    #[arg(long)]
    bucket: Option<u16>,
    /// Beginning with what stood there at this moment
    #[arg(long, value_name = "MOMENT", conflicts_with = "behind")]
    at: Option<String>,
    /// Beginning behind this transfer, `trf_…`: the last of the page before
    #[arg(long, value_name = "TRANSFER")]
    behind: Option<String>,
    /// How many lines at the most
    #[arg(long, default_value_t = 50)]
    most: usize,
    #[command(flatten)]
    on: On,
}

#[derive(Serialize)]
struct AccountView {
    account: String,
    bucket: u16,
    currency: String,
    code: u16,
    limit: &'static str,
    closed: bool,
    balance: String,
    paid_in: String,
    paid_out: String,
    pending_in: String,
    pending_out: String,
}

#[derive(Serialize)]
struct TransferView {
    transfer: String,
    bucket: u16,
    at: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    debit: String,
    credit: String,
    amount_minor: u64,
    code: u16,
}

#[derive(Serialize)]
struct LineView {
    #[serde(flatten)]
    transfer: TransferView,
    side: &'static str,
    amount: String,
    after: AccountView,
}

pub(super) fn accounts(ask: &Accounts) -> Result<ExitCode, Failure> {
    let store = ask.on.open()?.store;
    let wanted = ask.account.as_deref().map(account_id).transpose()?;
    let at = ask.at.as_deref().map(moment).transpose()?;
    let mut views = Vec::new();
    for bucket in buckets(&store, ask.bucket)? {
        let most = ask.most;
        let found = store.read::<_, PayError, _>(bucket, move |tx| {
            let ids = match wanted {
                Some(id) => vec![id],
                None => books::account_ids(tx, &program(), most)?,
            };
            let at = at.unwrap_or(Instant::from_micros(i64::MAX));
            let mut found = Vec::new();
            for id in ids {
                found.extend(books::account_at(tx, &program(), id, at)?);
            }
            Ok(found)
        })?;
        views.extend(found.iter().map(|account| account_view(bucket, account)));
    }
    if views.is_empty() && wanted.is_some() {
        return Err(Failure::refused("there is no such account").mend("kaname ledger account lists them"));
    }
    let line = |view: &AccountView| {
        let state = if view.closed { ", closed" } else { "" };
        format!(
            "{}  bucket {}  {} {}  (in {}, out {}; reserved in {}, out {}){}{state}",
            view.account,
            view.bucket,
            view.balance,
            view.currency,
            view.paid_in,
            view.paid_out,
            view.pending_in,
            view.pending_out,
            match view.limit {
                "none" => String::new(),
                limit => format!(", {limit}"),
            }
        )
    };
    show::list(ask.on.json, &views, line, &format!("{} account(s)", views.len()));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn transfers(ask: &Transfers) -> Result<ExitCode, Failure> {
    let store = ask.on.open()?.store;
    let from = ask.from.as_deref().map(moment).transpose()?.unwrap_or(Instant::from_micros(i64::MIN));
    let until = ask.until.as_deref().map(moment).transpose()?.unwrap_or(Instant::from_micros(i64::MAX));
    let before = ask.before.as_deref().map(transfer_id).transpose()?;
    let mut views = Vec::new();
    for bucket in buckets(&store, ask.bucket)? {
        let most = ask.most;
        let found = store.read::<_, PayError, _>(bucket, move |tx| {
            books::transfers(tx, &program(), before, (from, until), most)
        })?;
        views.extend(found.iter().map(|standing| transfer_view(bucket, standing)));
    }
    let line = |view: &TransferView| {
        let TransferView { transfer, at, kind, debit, credit, amount_minor, .. } = view;
        format!("{at}  {transfer}  {kind}  {amount_minor} minor units  {debit} -> {credit}")
    };
    show::list(ask.on.json, &views, line, &format!("{} transfer(s)", views.len()));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn statement(ask: &Statement) -> Result<ExitCode, Failure> {
    let store = ask.on.open()?.store;
    let id = account_id(&ask.account)?;
    let start = match (&ask.at, &ask.behind) {
        (Some(at), _) => Start::At(moment(at)?),
        (None, Some(behind)) => Start::Behind(transfer_id(behind)?),
        (None, None) => Start::Newest,
    };
    let mut found = Vec::new();
    for bucket in buckets(&store, ask.bucket)? {
        let most = ask.most;
        let entries = store
            .read::<_, PayError, _>(bucket, move |tx| books::statement(tx, &program(), id, start, most))?;
        found.extend(entries.map(|entries| (bucket, entries)));
    }
    let (bucket, entries) = match (found.pop(), found.is_empty()) {
        (Some(found), true) => found,
        (Some(_), false) => {
            return Err(Failure::usage("several buckets have an account of this id")
                .mend("say which with --bucket; kaname ledger account shows them"));
        }
        (None, _) => {
            return Err(Failure::refused("there is no such account, or the transfer is not its")
                .mend("kaname ledger account lists them"));
        }
    };
    let views: Vec<LineView> = entries.iter().map(|entry| line_view(bucket, entry)).collect();
    let line = |view: &LineView| {
        let sign = if view.side == "credit" { '+' } else { '-' };
        let LineView { transfer: TransferView { transfer, at, kind, .. }, amount, after, .. } = view;
        format!("{at}  {sign}{amount} {}  {kind}  leaves {}  {transfer}", after.currency, after.balance)
    };
    show::list(ask.on.json, &views, line, &format!("{} line(s), the newest first", views.len()));
    Ok(ExitCode::SUCCESS)
}

fn account_view(bucket: Bucket, account: &Account) -> AccountView {
    let money = |amount: Amount| amount.to_decimal(account.currency);
    AccountView {
        account: account.id.to_string(),
        bucket: bucket.index(),
        currency: account.currency.code().to_owned(),
        code: account.code,
        limit: match account.limit {
            Limit::None => "none",
            Limit::DebitsUpToCredits => "may not go below zero",
            Limit::CreditsUpToDebits => "may not go above zero",
        },
        closed: account.closed,
        balance: signed(account.balance(), account.currency),
        paid_in: money(account.credits_posted),
        paid_out: money(account.debits_posted),
        pending_in: money(account.credits_pending),
        pending_out: money(account.debits_pending),
    }
}

fn transfer_view(bucket: Bucket, standing: &Standing) -> TransferView {
    let transfer = &standing.transfer;
    TransferView {
        transfer: transfer.id.to_string(),
        bucket: bucket.index(),
        at: standing.at.to_string(),
        kind: match transfer.kind {
            Kind::Posted => "posted",
            Kind::Pending => "reserved",
            Kind::PendingUntil(_) => "reserved for a time",
            Kind::PostOf(_) => "posted what was reserved",
            Kind::VoidOf(_) => "released what was reserved",
            Kind::ExpiryOf(_) => "released as its time was over",
            Kind::UpTo(Side::Debit) => "posted what the payer had left",
            Kind::UpTo(Side::Credit) => "posted what the payee was owed",
            Kind::Close(Side::Debit) => "closed the payer's account",
            Kind::Close(Side::Credit) => "closed the payee's account",
        },
        names: transfer.kind.named().map(|id| id.to_string()),
        until: match transfer.kind {
            Kind::PendingUntil(until) => Some(until.to_string()),
            _ => None,
        },
        debit: transfer.debit.to_string(),
        credit: transfer.credit.to_string(),
        amount_minor: standing.moved.minor(),
        code: transfer.code,
    }
}

fn line_view(bucket: Bucket, entry: &Entry) -> LineView {
    LineView {
        transfer: transfer_view(bucket, &entry.transfer),
        side: match entry.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        },
        amount: entry.transfer.moved.to_decimal(entry.after.currency),
        after: account_view(bucket, &entry.after),
    }
}

fn signed(minor: i64, currency: Currency) -> String {
    let amount = Amount::from_minor(minor.unsigned_abs()).unwrap_or(Amount::MAX).to_decimal(currency);
    if minor < 0 { format!("-{amount}") } else { amount }
}

fn buckets(store: &Store, only: Option<u16>) -> Result<Vec<Bucket>, Failure> {
    match only {
        None => Ok(store.buckets().all().collect()),
        Some(index) => match store.buckets().get(index) {
            Some(bucket) => Ok(vec![bucket]),
            None => Err(Failure::usage(format!("there is no bucket {index}"))
                .mend(format!("choose one from 0 to {}", store.buckets().count() - 1))),
        },
    }
}

fn account_id(text: &str) -> Result<AccountId, Failure> {
    AccountId::parse(text).map_err(Failure::usage)
}

fn transfer_id(text: &str) -> Result<TransferId, Failure> {
    TransferId::parse(text).map_err(Failure::usage)
}

fn moment(text: &str) -> Result<Instant, Failure> {
    let wrong =
        |_| Failure::usage(format!("'{text}' is not a moment")).mend("write it as 2026-11-22T12:00:00Z");
    Instant::parse(text).map_err(wrong)
}
