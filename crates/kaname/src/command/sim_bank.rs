//! `kaname sim bank`: a bank or wallet of instant payments to try things on, over HTTP. It keeps its books in memory, and can be
//! slow, wrong, dead, or lying.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clap::Args;
use kaname_codec::jose::{Es256Key, JwkSet};
use kaname_pay::instant::PaymentId;
use kaname_pay::instant::message::{Message, Topic};
use kaname_pay::instant::work::Reply;
use kaname_sim::participant::{Faults, SimParticipant};
use kaname_web::http::client::Client;
use kaname_web::http::serve::serve;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::clock;
use crate::error::Failure;
use crate::paper;

/// Be a bank or wallet of instant payments
#[derive(Args)]
pub(crate) struct Bank {
    /// What it is called in messages
    code: String,
    /// The file of its signing key, made the first time; the public half is written beside it, with `.jwks`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The deployment whose scheme it takes part in, as in `issuer` of its kaname.toml
    #[arg(long, value_name = "URL")]
    scheme: String,
    /// The port that it listens on, on this machine
    #[arg(long)]
    port: u16,
    /// How many accounts it opens: CODE-1, CODE-2 and on
    #[arg(long, default_value_t = 9)]
    accounts: u32,
    /// How often it answers too late, in a hundred
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    slow: u64,
    /// How often its answer cannot be used
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    wrong: u64,
    /// How often it cuts the connection
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    dead: u64,
    /// How often it says something else than it did
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    lying: u64,
    /// How often it does a message twice
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    repeats: u64,
    /// How often it asks for patience
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    busy: u64,
    /// The same seed misbehaves in the same way
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only make the key
    #[arg(long)]
    only_key: bool,
}

/// A bank at work.
#[derive(Clone)]
struct Desk {
    bank: Arc<SimParticipant>,
    scheme: Arc<str>,
    keys: Arc<OnceCell<JwkSet>>,
    client: Client,
}

pub(crate) fn run(ask: &Bank) -> Result<ExitCode, Failure> {
    if !ask.key.exists() {
        let new = Es256Key::generate().map_err(Failure::unavailable)?;
        paper::write_owner_only(&ask.key, &new)?;
    }
    let shown = ask.key.display();
    let failed = |error: &dyn std::fmt::Display| Failure::usage(format!("{shown}: {error}"));
    let key = std::fs::read(&ask.key).map_err(|error| failed(&error))?;
    let bank = SimParticipant::with_key(&ask.code, &key).map_err(|error| failed(&error))?;
    let public = ask.key.with_extension("jwks");
    std::fs::write(&public, bank.jwks()).map_err(|error| failed(&error))?;
    if ask.only_key {
        println!("Wrote {}", public.display());
        return Ok(ExitCode::SUCCESS);
    }
    for number in 1..=ask.accounts {
        bank.open_account(&format!("{}-{number}", ask.code), &format!("Holder {number}"));
    }
    let faults = Faults {
        slow: ask.slow,
        wrong: ask.wrong,
        dead: ask.dead,
        lying: ask.lying,
        repeats: ask.repeats,
        busy: ask.busy,
    };
    bank.misbehave(faults, ask.seed);
    let desk = Desk {
        bank: Arc::new(bank),
        scheme: ask.scheme.trim_end_matches('/').into(),
        keys: Arc::default(),
        client: Client::new(None).map_err(Failure::unavailable)?,
    };
    let router = Router::new()
        .route("/{topic}", post(receive))
        .route("/pay", post(pay))
        .route("/payments/{payment}", get(booked))
        .route("/accounts/{account}", get(account))
        .with_state(desk);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::unavailable)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", ask.port)).await.map_err(Failure::unavailable)?;
        eprintln!("{} on http://127.0.0.1:{} (seed {}; Ctrl-C stops)", ask.code, ask.port, ask.seed);
        serve(listener, None, router, std::future::pending()).await.map_err(Failure::unavailable)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// What the scheme asks and tells.
async fn receive(State(desk): State<Desk>, Path(topic): Path<String>, body: Bytes) -> Response {
    let all = [Topic::Holder, Topic::Credit, Topic::Inquiry, Topic::Outcome];
    let Some(topic) = all.into_iter().find(|known| known.word() == topic) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (Some(keys), Ok(token)) = (desk.keys().await, std::str::from_utf8(&body)) else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    match desk.bank.receive(&desk.scheme, keys, clock::now(), topic, token) {
        Reply::Message(answer) => ([(header::CONTENT_TYPE, "application/jose")], answer).into_response(),
        Reply::Later(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Reply::Nothing => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// One of its customers pays: `{"id", "account", "payee": {"participant", "account"}, "amount_minor", "currency"}`. The same id
/// again is the same payment.
async fn pay(State(desk): State<Desk>, body: Bytes) -> Response {
    match desk.order(&body).await {
        Some(outcome) => document(&outcome),
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn booked(State(desk): State<Desk>, Path(payment): Path<String>) -> Response {
    let booked = PaymentId::parse(&payment).ok().and_then(|id| desk.bank.booked(id));
    match booked {
        Some(booked) => document(&json!({ "state": booked.state, "times": booked.times })),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn account(State(desk): State<Desk>, Path(account): Path<String>) -> Response {
    match desk.bank.balance(&account) {
        Some(balance) => document(&json!({ "balance_minor": balance.to_string() })),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn document(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

impl Desk {
    async fn order(&self, body: &[u8]) -> Option<Value> {
        let asked: Value = serde_json::from_slice(body).ok()?;
        let id = PaymentId::parse(asked["id"].as_str()?).ok()?;
        let minor = asked["amount_minor"].as_str()?;
        let account = asked["account"].as_str()?;
        self.bank.note_order(id, account, minor.parse().ok()?);
        let wanted = json!({ "payee": asked["payee"], "amount_minor": minor, "currency": asked["currency"] });
        let quote = self.say(Topic::Quote, wanted).await?;
        let order = json!({
            "id": id.to_string(), "payee": asked["payee"], "payer_account": account, "amount_minor": minor,
            "currency": asked["currency"], "quote": quote.text("quote").ok()?,
            "valid_until": quote.part::<i64>("valid_until").ok()?,
        });
        let answer = self.say(Topic::Reserve, json!({ "orders": [order] })).await?;
        answer.claims.get("outcomes")?.get(0).cloned()
    }

    /// Says something to the scheme; its answer, if it is the scheme's.
    async fn say(&self, topic: Topic, content: Value) -> Option<Message> {
        let keys = self.keys().await?;
        let token = self.bank.say(&self.scheme, clock::now(), topic, content);
        let address = format!("{}/instant/v1/{}", self.scheme, topic.word());
        let headers = [("content-type", "application/jose")];
        let answer = self.client.send(Method::POST, &address, &headers, token.into_bytes()).await.ok()?;
        let answer = String::from_utf8(answer.body.to_vec()).ok()?;
        self.bank.read(&self.scheme, keys, clock::now(), &answer)
    }

    /// The scheme's keys, fetched once.
    async fn keys(&self) -> Option<&JwkSet> {
        let fetch = async || {
            let address = format!("{}/instant/v1/keys", self.scheme);
            let answer = self.client.send(Method::GET, &address, &[], Vec::new()).await.map_err(drop)?;
            JwkSet::parse(&answer.body).map_err(drop)
        };
        self.keys.get_or_try_init(fetch).await.ok()
    }
}
