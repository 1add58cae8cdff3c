//! Requests that bollard does not make, or whose answers it does not read whole.

use anyhow::{Context as _, Result};
use bollard::errors::Error;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Engine, error};

/// The most bytes of an answer in JSON.
const LONGEST: usize = 64 << 20;

impl Engine {
    /// Sends a request over a connection of its own.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub(super) async fn send<B>(&self, request: Request<B>, doing: &str) -> Result<Response<Incoming>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let gone = |error: &dyn std::error::Error| self.lost(&error::chain(error), doing);
        let response = if let Some(path) = self.endpoint().socket() {
            exchange(tokio::net::UnixStream::connect(path).await.map_err(|e| gone(&e))?, request).await
        } else {
            let address = self.endpoint().url.split_once("://").map_or("", |(_, address)| address).trim_end_matches('/');
            exchange(tokio::net::TcpStream::connect(address).await.map_err(|e| gone(&e))?, request).await
        };
        response.map_err(|e| gone(&e))
    }

    /// Sends JSON, or nothing, to a path of the API; returns the JSON of the answer, every key as the engine wrote it.
    ///
    /// # Errors
    /// When the engine does not answer, or returns an error.
    pub(super) fn json(&self, method: Method, path: &str, body: Option<&Value>, doing: &str) -> Result<Value> {
        let bytes = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("/v{}{path}", self.about().api))
            .header("Host", "localhost")
            .header("Content-Type", "application/json")
            .body(Full::new(Bytes::from(bytes)))?;
        self.runtime.block_on(async {
            let response = self.send(request, doing).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            let bytes = body.map_err(|why| self.lost(&why.to_string(), doing))?.to_bytes();
            if !status.is_success() {
                let error = Error::DockerResponseServerError { status_code: status.as_u16(), message: message(&bytes) };
                return Err(self.told(error, doing));
            }
            serde_json::from_slice(&bytes).with_context(|| format!("the engine's answer while {doing} is not JSON"))
        })
    }
}

async fn exchange<S, B>(stream: S, request: Request<B>) -> hyper::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    sender.send_request(request).await
}

/// What an engine says in the body of an error.
pub(super) fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let said = serde_json::from_str::<Value>(&text).ok().and_then(|value| Some(value.get("message")?.as_str()?.to_owned()));
    said.unwrap_or_else(|| text.into_owned()).trim().to_owned()
}

/// Percent-encodes everything except unreserved characters (RFC 3986, 2.1).
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded_and_messages_found() {
        assert_eq!(encoded("{\"a\":\"ä b\"}"), "%7B%22a%22%3A%22%C3%A4%20b%22%7D");
        assert_eq!(message(b"{\"message\":\"no such service\"}\n"), "no such service");
        assert_eq!(message(b"<html>\n"), "<html>");
    }
}
