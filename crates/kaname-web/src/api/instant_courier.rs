//! The way to participants over HTTP. Called from threads that may wait, outside units of work.

use axum::http::{Method, StatusCode, header};
use kaname_pay::instant::Participant;
use kaname_pay::instant::message::Topic;
use kaname_pay::instant::work::{Courier, Reply};

use crate::http::client::Client;

/// How many participants are talked to at once.
const LANES: usize = 16;

/// Brings messages to participants' own addresses: `POST <address>/<topic>`.
pub struct HttpCourier {
    client: Client,
}

impl HttpCourier {
    /// One that sends with this client.
    pub fn new(client: Client) -> HttpCourier {
        HttpCourier { client }
    }
}

impl Courier for HttpCourier {
    fn send(&self, to: &Participant, topic: Topic, message: &str) -> Reply {
        // One for each message: it costs less than the connection, and belongs to no other thread.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return Reply::Nothing;
        };
        let address = format!("{}/{}", to.address, topic.word());
        let headers = [("content-type", "application/jose"), ("accept", "application/jose")];
        let sent = self.client.send(Method::POST, &address, &headers, message.as_bytes().to_vec());
        let Ok(answer) = runtime.block_on(sent) else { return Reply::Nothing };
        let seconds =
            answer.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        match (answer.status, seconds) {
            (StatusCode::OK, _) => {
                String::from_utf8(answer.body.to_vec()).map_or(Reply::Nothing, Reply::Message)
            }
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(seconds)) => {
                Reply::Later(seconds)
            }
            _ => Reply::Nothing,
        }
    }

    fn lanes(&self) -> usize {
        LANES
    }
}
