//! A small HTTP client for the parties that stand beside a deployment: the demonstration's library, simulated banks, the bench.
//!
//! It follows no redirect, sends nothing it was not given, and limits time and size, so that a slow or lying peer cannot hold us.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// Whom this machine trusts to say who a server is, if it says so.
pub fn system_authorities() -> Option<&'static std::path::Path> {
    Some(std::path::Path::new("/etc/ssl/certs/ca-certificates.crt")).filter(|path| path.exists())
}

/// How long one exchange may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    tls: Option<Arc<ClientConfig>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The peer did not answer as asked: unreachable, too slow, too large, or not speaking HTTP.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PeerError(String);

impl Client {
    /// A client that trusts the authorities in `authorities` (PEM) for https; without any it speaks http only.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate.
    pub fn new(authorities: Option<&std::path::Path>) -> Result<Client, PeerError> {
        use rustls::pki_types::pem::PemObject;
        let Some(path) = authorities else { return Ok(Client { tls: None }) };
        let mut roots = RootCertStore::empty();
        let failed =
            |error: &dyn std::fmt::Display| PeerError(format!("cannot use {}: {error}", path.display()));
        for certificate in rustls::pki_types::CertificateDer::pem_file_iter(path).map_err(|e| failed(&e))? {
            roots.add(certificate.map_err(|e| failed(&e))?).map_err(|e| failed(&e))?;
        }
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Client { tls: Some(Arc::new(config)) })
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// [`PeerError`] when there is no answer within the limits of time and size.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, PeerError> {
        tokio::time::timeout(PATIENCE, self.exchange(method, url, headers, body))
            .await
            .unwrap_or_else(|_| Err(failed("the peer did not answer in time")))
    }

    /// Sends a form (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Answer, PeerError> {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
        self.send(Method::POST, url, &headers, form(fields).into_bytes()).await
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, PeerError> {
        self.connect(url).await?.exchange(method, url, headers, body).await
    }

    /// Opens a connection to the server of `url` that is kept for several requests.
    ///
    /// # Errors
    /// [`PeerError`] when the server cannot be reached, or is not who its certificate must say.
    pub async fn connect(&self, url: &str) -> Result<Connection, PeerError> {
        let uri: Uri = url.parse().map_err(failed)?;
        let host = uri.host().ok_or_else(|| failed("the address has no host"))?;
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        if !secure {
            return Connection::over(TokioIo::new(stream)).await;
        }
        let config = self.tls.clone().ok_or_else(|| failed("https needs a file of trusted authorities"))?;
        let name = ServerName::try_from(host.to_owned()).map_err(failed)?;
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(failed)?;
        Connection::over(TokioIo::new(stream)).await
    }
}

/// An open connection to one server. It is closed when dropped.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    task: JoinHandle<Result<(), hyper::Error>>,
}

impl Connection {
    async fn over<S>(stream: S) -> Result<Connection, PeerError>
    where
        S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (sender, connection) = hyper::client::conn::http1::handshake(stream).await.map_err(failed)?;
        Ok(Connection { sender, task: tokio::spawn(connection) })
    }

    /// Sends one request and reads the whole answer. `url` must be of the server that this connection goes to.
    ///
    /// # Errors
    /// [`PeerError`] when there is no answer within the limits of time and size.
    pub async fn send(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, PeerError> {
        let exchange = self.exchange(method, url, headers, body);
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|_| Err(failed("the peer did not answer in time")))
    }

    async fn exchange(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, PeerError> {
        let uri: Uri = url.parse().map_err(failed)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, authority);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(failed)?;
        self.sender.ready().await.map_err(failed)?;
        let response = self.sender.send_request(request).await.map_err(failed)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(failed)?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn failed(error: impl std::fmt::Display) -> PeerError {
    PeerError(error.to_string())
}

/// Fields as `application/x-www-form-urlencoded` (WHATWG URL, section 5.2): also what stands behind `?` in an address.
pub fn form(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        encode(&mut text, name);
        text.push('=');
        encode(&mut text, value);
    }
    text
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(byte as char),
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 0xF] {
                    out.push(
                        char::from_digit(u32::from(nibble), 16)
                            .expect("a nibble is a hex digit")
                            .to_ascii_uppercase(),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_form_is_encoded_by_the_book() {
        assert_eq!(super::form(&[("a b", "1&2=3"), ("名", "é")]), "a+b=1%262%3D3&%E5%90%8D=%C3%A9");
    }
}
