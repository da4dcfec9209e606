//! The scheme: what participants' messages are answered with, and who signs the answers.

use std::sync::Arc;

use kaname_base::pack::{InstantTerms, Pack};
use kaname_base::{Amount, Bucket, Env, Instant};
use kaname_codec::jose::Es256Key;
use kaname_store::{Store, Tx};
use kaname_trust::{Keys, TrustError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::decide::{Decision, decide};
use super::message::{self, Message, Signer, Topic};
use super::participant::is_code;
use super::reserve::{Order, With, reserve};
use super::rules::Verdict;
use super::work::{Courier, Reply};
use super::{Participant, Payment, PaymentId, Purpose, Refusal, participant, quote, status, table};
use crate::PayError;

/// What instant payments work with. Cheap to clone.
#[derive(Clone)]
pub struct Scheme {
    /// Where the rows lie.
    pub store: Store,
    /// Wraps, quotes.
    pub keys: Keys,
    /// The country.
    pub pack: Arc<Pack>,
    /// What participants know us by: the address of the deployment.
    pub us: String,
    key: Arc<Es256Key>,
    kid: String,
}

kaname_base::id_types! {
    /// A message of the scheme's own.
    MessageId(MessageKind) = "msg";
}

impl Scheme {
    /// The scheme of a deployment. Its signing key is made the first time.
    ///
    /// # Errors
    /// [`Refusal::NoInstantPayments`]; [`TrustError::Keys`] when the key cannot be kept.
    pub fn open(store: Store, keys: Keys, pack: Arc<Pack>, us: &str) -> Result<Scheme, PayError> {
        if pack.instant.is_none() {
            return Err(Refusal::NoInstantPayments.into());
        }
        let broken = |error: &dyn std::fmt::Display| {
            PayError::Trust(TrustError::Keys(format!("the key of instant payments: {error}")))
        };
        let new = Es256Key::generate().map_err(|error| broken(&error))?;
        let secret = keys.file_secret("instant.key", || new)?;
        let key = Es256Key::from_pkcs8(&secret).map_err(|error| broken(&error))?;
        let kid = key.public().thumbprint();
        Ok(Scheme { store, keys, pack, us: us.to_owned(), key: Arc::new(key), kid })
    }

    /// The country's terms.
    pub fn terms(&self) -> &InstantTerms {
        self.pack.instant.as_ref().expect("a scheme is opened with terms only")
    }

    /// The bucket of everything here.
    pub fn home(&self) -> Bucket {
        self.store.buckets().home()
    }

    /// The keys that our messages are checked with (RFC 7517).
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.key.public().to_jwk(&self.kid)] })
    }

    /// Answers a participant's message with a signed one. `courier` reaches the other participants.
    ///
    /// # Errors
    /// [`Refusal`] about the message as a whole; what is refused of its parts stands in the answer.
    pub fn answer(
        &self,
        env: &Env,
        courier: &dyn Courier,
        topic: Topic,
        token: &str,
    ) -> Result<String, PayError> {
        let message = self.check(env.now, topic, token)?;
        let content = match topic {
            Topic::Resolve => self.resolve(env, courier, &message)?,
            Topic::Quote => self.quote(env, &message)?,
            Topic::Reserve => self.reserve(env, &message)?,
            Topic::Commit => self.decide(env, &message, Verdict::Accepts)?,
            Topic::Abort => self.decide(env, &message, Verdict::Declines)?,
            Topic::Status => self.status(env, &message)?,
            Topic::Holder | Topic::Credit | Topic::Inquiry | Topic::Outcome | Topic::Answer => {
                return Err(Refusal::MessageForm.into());
            }
        };
        Ok(self.reply(env, &message, content))
    }

    /// Checks who sent a message. The signature is checked outside any unit of work: it takes longer than one.
    fn check(&self, now: Instant, topic: Topic, token: &str) -> Result<Message, PayError> {
        let sender = message::claimed_sender(token)?;
        let code = sender.clone();
        let sender = self.store.read(self.home(), move |tx| participant(tx, &code))?;
        let sender = sender.ok_or(Refusal::MessageSignature)?;
        Ok(message::open(token, topic, (&sender.code, &sender.keys), &self.us, now)?)
    }

    /// Who the payee is, with most of the name hidden.
    fn resolve(&self, env: &Env, courier: &dyn Courier, message: &Message) -> Result<Value, PayError> {
        let payee: PayeeIn = message.part("payee")?;
        if !is_code(&payee.participant) {
            return Err(Refusal::NoSuchParticipant.into());
        }
        let (marked, code) = (message.clone(), payee.participant.clone());
        let env_again = env.again();
        let participant = self.store.write::<_, PayError, _>(self.home(), move |tx| {
            mark(tx, &env_again, &marked)?;
            Ok(participant(tx, &code)?)
        })?;
        let participant = participant.ok_or(Refusal::NoSuchParticipant)?;
        let asked = json!({ "account": payee.account });
        let answer = self.ask(env, courier, &participant, Topic::Holder, asked);
        let answer = answer.ok().ok_or(Refusal::PayeeNotFound)?;
        let holder = answer.text("holder").map_err(|_| Refusal::PayeeNotFound)?;
        Ok(json!({
            "payee": { "participant": payee.participant, "account": payee.account },
            "holder": masked(holder),
        }))
    }

    fn quote(&self, env: &Env, message: &Message) -> Result<Value, PayError> {
        let payee: PayeeIn = message.part("payee")?;
        let amount = message::minor(message.text("amount_minor")?).ok_or(Refusal::MessageForm)?;
        self.check_currency(message.text("currency")?)?;
        let to = (payee.participant.as_str(), payee.account.as_str());
        let quote = quote::quote(&self.keys, self.terms(), env.now, &message.from, to, amount);
        Ok(json!({
            "quote": quote.token,
            "valid_until": quote.valid_until.seconds(),
            "amount_minor": amount.minor().to_string(),
            "fee_minor": "0",
            "currency": self.pack.currency.code(),
        }))
    }

    fn reserve(&self, env: &Env, message: &Message) -> Result<Value, PayError> {
        let orders: Vec<OrderIn> = message.part("orders")?;
        if orders.is_empty() || orders.len() > message::MOST {
            return Err(Refusal::MessageForm.into());
        }
        let orders: Vec<Order> =
            orders.iter().map(|order| self.order(order)).collect::<Result<_, Refusal>>()?;
        let asked: Vec<PaymentId> = orders.iter().map(|order| order.id).collect();
        let (keys, pack, message, env) =
            (self.keys.clone(), Arc::clone(&self.pack), message.clone(), env.again());
        let outcomes = self.store.write::<_, PayError, _>(self.home(), move |tx| {
            let env = env.again();
            mark(tx, &env, &message)?;
            let payer = participant(tx, &message.from)?.ok_or(Refusal::NoSuchParticipant)?;
            let terms = pack.instant.as_ref().ok_or(Refusal::NoInstantPayments)?;
            let with = With { keys: &keys, pack: &pack, terms };
            Ok(reserve(&env, tx, with, &payer, &orders)?)
        })?;
        Ok(outcomes_view(&asked, &outcomes))
    }

    fn decide(&self, env: &Env, message: &Message, verdict: Verdict) -> Result<Value, PayError> {
        let named: Vec<DecisionIn> = message.part("payments")?;
        if named.is_empty() || named.len() > message::MOST {
            return Err(Refusal::MessageForm.into());
        }
        let decisions: Vec<Decision> = named
            .into_iter()
            .map(|one| {
                let id = PaymentId::parse(&one.id).map_err(|_| Refusal::MessageForm)?;
                Ok(Decision { id, verdict, reason: one.reason })
            })
            .collect::<Result<_, Refusal>>()?;
        let asked: Vec<PaymentId> = decisions.iter().map(|decision| decision.id).collect();
        let (pack, message, env) = (Arc::clone(&self.pack), message.clone(), env.again());
        let outcomes = self.store.write::<_, PayError, _>(self.home(), move |tx| {
            let env = env.again();
            mark(tx, &env, &message)?;
            let terms = pack.instant.as_ref().ok_or(Refusal::NoInstantPayments)?;
            Ok(decide(&env, tx, (&pack, terms), &message.from, &decisions)?)
        })?;
        Ok(outcomes_view(&asked, &outcomes))
    }

    fn status(&self, env: &Env, message: &Message) -> Result<Value, PayError> {
        let id = PaymentId::parse(message.text("payment")?).map_err(|_| Refusal::MessageForm)?;
        let (pack, message, env) = (Arc::clone(&self.pack), message.clone(), env.again());
        let told = self.store.write::<_, PayError, _>(self.home(), move |tx| {
            let env = env.again();
            mark(tx, &env, &message)?;
            let terms = pack.instant.as_ref().ok_or(Refusal::NoInstantPayments)?;
            status::status(&env, tx, terms, &message.from, id)
        })?;
        let mut view = view(&told.payment);
        if let Some(seconds) = told.retry_after_seconds {
            view["retry_after_seconds"] = seconds.into();
        }
        Ok(view)
    }

    /// Sends a message of ours, and reads the answer: signed by whom we asked, about what we asked.
    pub(super) fn ask(
        &self,
        env: &Env,
        courier: &dyn Courier,
        to: &Participant,
        topic: Topic,
        content: Value,
    ) -> Result<Message, NoAnswer> {
        let id = env.id::<MessageKind>(self.home()).to_string();
        let token = self.signer().sign(topic, &to.code, env.now, &id, content);
        let answer = match courier.send(to, topic, &token) {
            Reply::Message(answer) => answer,
            Reply::Later(seconds) => return Err(NoAnswer { retry_after_seconds: Some(seconds) }),
            Reply::Nothing => return Err(NoAnswer { retry_after_seconds: None }),
        };
        let opened = message::open(&answer, Topic::Answer, (&to.code, &to.keys), &self.us, env.now);
        let opened = opened.ok().filter(|answer| answer.text("to").is_ok_and(|to| to == id));
        opened.ok_or(NoAnswer { retry_after_seconds: None })
    }

    fn reply(&self, env: &Env, message: &Message, mut content: Value) -> String {
        content["to"] = message.id.as_str().into();
        let id = env.id::<MessageKind>(self.home()).to_string();
        self.signer().sign(Topic::Answer, &message.from, env.now, &id, content)
    }

    fn signer(&self) -> Signer<'_> {
        Signer { name: &self.us, key: &self.key, kid: &self.kid }
    }

    fn check_currency(&self, code: &str) -> Result<(), Refusal> {
        match code == self.pack.currency.code() {
            true => Ok(()),
            false => Err(Refusal::Ledger(crate::Refusal::CurrencyDiffers)),
        }
    }

    fn order(&self, order: &OrderIn) -> Result<Order, Refusal> {
        self.check_currency(&order.currency)?;
        let id = |text: &str| PaymentId::parse(text).map_err(|_| Refusal::MessageForm);
        let is_account =
            |text: &str| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        let is_text = order.text.chars().count() <= 140 && !order.text.chars().any(char::is_control);
        if !is_account(&order.payee.account) || !is_account(&order.payer_account) || !is_text {
            return Err(Refusal::MessageForm);
        }
        Ok(Order {
            id: id(&order.id)?,
            payee: order.payee.participant.clone(),
            payee_account: order.payee.account.clone(),
            payer_account: order.payer_account.clone(),
            amount: message::minor(&order.amount_minor).ok_or(Refusal::MessageForm)?,
            purpose: order.refund_of.as_deref().map_or(Ok(Purpose::Pay), |of| id(of).map(Purpose::Refund))?,
            quote: order.quote.clone(),
            valid_until: Instant::from_seconds(order.valid_until),
            text: order.text.clone(),
        })
    }
}

/// A participant did not answer, or not so that it counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoAnswer {
    /// When it wants to be asked again, if it said so.
    pub(super) retry_after_seconds: Option<u32>,
}

/// Notes that the message is acted on, in the same unit of work.
fn mark(tx: &mut Tx<'_>, env: &Env, message: &Message) -> Result<(), PayError> {
    match table::mark_seen(tx, &message.mark(), Message::until(env.now))? {
        true => Ok(()),
        false => Err(Refusal::MessageReplayed.into()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayeeIn {
    participant: String,
    account: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderIn {
    id: String,
    payee: PayeeIn,
    payer_account: String,
    amount_minor: String,
    currency: String,
    #[serde(default)]
    quote: String,
    #[serde(default)]
    valid_until: i64,
    #[serde(default)]
    text: String,
    #[serde(default)]
    refund_of: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionIn {
    id: String,
    #[serde(default)]
    reason: String,
}

fn outcomes_view(asked: &[PaymentId], outcomes: &[Result<Payment, Refusal>]) -> Value {
    let one = |(id, outcome): (&PaymentId, &Result<Payment, Refusal>)| match outcome {
        Ok(payment) => view(payment),
        Err(refusal) => json!({ "payment": id.to_string(), "refused": refusal.code() }),
    };
    json!({ "outcomes": asked.iter().zip(outcomes).map(one).collect::<Vec<_>>() })
}

/// A payment as messages show it to the two participants.
pub(super) fn view(payment: &Payment) -> Value {
    let mut view = json!({
        "payment": payment.id.to_string(),
        "state": payment.state.code(),
        "amount_minor": payment.amount.minor().to_string(),
        "payer": payment.payer,
        "payee": payment.payee,
    });
    if let Purpose::Refund(original) = payment.purpose {
        view["refund_of"] = original.to_string().into();
    }
    if !payment.reason.is_empty() {
        view["reason"] = payment.reason.as_str().into();
    }
    if payment.compensation != Amount::ZERO {
        view["compensation_minor"] = payment.compensation.minor().to_string().into();
    }
    view
}

/// The first letter of each part of a name; the rest are dots, always three, so that nothing is told by their number.
fn masked(holder: &str) -> String {
    let part = |part: &str| part.chars().next().map(|first| format!("{first}•••"));
    let parts: Vec<String> = holder.split_whitespace().filter_map(part).take(4).collect();
    parts.join(" ")
}
