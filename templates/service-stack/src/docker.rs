//! Docker's API over its socket, as far as a stack needs it.

use std::io::{Error, Read, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value;

/// The API of Docker 20.10.
const VERSION: &str = "v1.41";

/// Asks; gives the status and what is answered.
///
/// # Errors
/// When nobody answers at the socket, or not in HTTP.
pub fn ask(method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value), Error> {
    let socket =
        std::env::var("DOCKER_SOCKET").unwrap_or_else(|_| "/var/run/docker.sock".to_owned());
    let mut stream = UnixStream::connect(socket)?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = body.len();
    // In HTTP/1.0 an answer ends where the connection ends.
    let head = format!("{method} /{VERSION}{path} HTTP/1.0\r\nHost: docker\r\n");
    let kind = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{kind}{body}").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| Error::other("no answer in HTTP"))?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_default();
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// Asks for something that has to succeed.
///
/// # Errors
/// With Docker's words when it does not.
pub fn done(doing: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
    let (status, answer) = ask(method, path, body)?;
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let said = answer["message"].as_str().unwrap_or("no reason given");
    Err(Error::other(format!("{doing}: {said} (status {status})")))
}

/// A value of a query.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}
