//! How instant payments say no.

/// The answer is no. The text is for people and never holds personal data; the code is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The country's pack has no terms for them.
    #[error("this country has no instant payments")]
    NoInstantPayments,
    /// Nobody takes part under this code.
    #[error("no participant has this code")]
    NoSuchParticipant,
    /// Somebody takes part under this code already.
    #[error("another participant has this code")]
    ParticipantThere,
    /// Code, name, address, keys or cap of a participant are not as they must be.
    #[error("a participant needs a code, a name, an https address, a signing key and a cap")]
    ParticipantForm,
    /// It may only end what was begun before.
    #[error("the participant is suspended")]
    ParticipantSuspended,
    /// Nobody's signature, or not over these bytes.
    #[error("the message is not signed by a participant")]
    MessageSignature,
    /// Too old, from the future, or meant for somebody else.
    #[error("the message was not made for this scheme just now")]
    MessageStale,
    /// It was acted on before.
    #[error("this message was received before; sign it again with another id")]
    MessageReplayed,
    /// It lacks something, or has it in another form.
    #[error("the message is not as it must be")]
    MessageForm,
    /// The payee's participant knows no such account, or does not answer.
    #[error("the payee cannot be found")]
    PayeeNotFound,
    /// Who is payer and payee, and how much, is not what was quoted, or the quote is over.
    #[error("the quote is over, or was for something else")]
    QuoteOver,
    /// Payer and payee are held by one participant.
    #[error("both accounts are held by one participant")]
    OneParticipant,
    /// The payer's participant would owe more than its cap.
    #[error("the participant would owe more than its net debit cap")]
    NetDebitCap,
    /// No payment has this id, or not one of the participant that asks.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// The payment has come to another end.
    #[error("the payment has come to another end")]
    PaymentOver,
    /// It was asked about before the time that was given.
    #[error("it is too soon to ask again")]
    AskedTooSoon {
        /// When to ask again, in seconds.
        retry_after_seconds: u32,
    },
    /// The payment that would be refunded was not made, was made by somebody else, or too long ago.
    #[error("that payment cannot be refunded")]
    NotRefundable,
    /// More than what is left of the payment.
    #[error("all refunds together would be more than the payment")]
    RefundTooLarge,
    /// The settlement window is not in the state that this step needs.
    #[error("the settlement window is not in the state that this step needs")]
    WindowState,
    /// Four eyes: whoever closed a window does not say that it is settled.
    #[error("another officer than the one who closed the window must say that it is settled")]
    WindowOfficer,
    /// As the ledger has it.
    #[error(transparent)]
    Ledger(#[from] crate::Refusal),
}

impl Refusal {
    /// The stable code, as in `/errors/<code>`.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::NoInstantPayments => "no-instant-payments",
            Refusal::NoSuchParticipant => "no-such-participant",
            Refusal::ParticipantThere => "participant-there",
            Refusal::ParticipantForm => "participant-form",
            Refusal::ParticipantSuspended => "participant-suspended",
            Refusal::MessageSignature => "message-signature",
            Refusal::MessageStale => "message-stale",
            Refusal::MessageReplayed => "message-replayed",
            Refusal::MessageForm => "message-form",
            Refusal::PayeeNotFound => "payee-not-found",
            Refusal::QuoteOver => "quote-over",
            Refusal::OneParticipant => "one-participant",
            Refusal::NetDebitCap => "net-debit-cap",
            Refusal::NoSuchPayment => "no-such-payment",
            Refusal::PaymentOver => "payment-over",
            Refusal::AskedTooSoon { .. } => "asked-too-soon",
            Refusal::NotRefundable => "not-refundable",
            Refusal::RefundTooLarge => "refund-too-large",
            Refusal::WindowState => "window-state",
            Refusal::WindowOfficer => "window-officer",
            Refusal::Ledger(refusal) => refusal.code(),
        }
    }
}
