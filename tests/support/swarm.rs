//! A swarm of this machine alone.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{judge, ok, run, tool};

/// A proxy's image for gateways, made of Debian's packages.
pub const NGINX: &str = "appbundle-test-nginx:1";

/// A swarm; one that was made for the test goes away with it.
pub struct Swarm {
    own: bool,
}

impl Swarm {
    /// The swarm that this machine is in, else a new one.
    pub fn new() -> Self {
        let active = judge("docker", &["info", "--format", "{{.Swarm.LocalNodeState}}"]).trim() == "active";
        if !active {
            judge("docker", &["swarm", "init", "--advertise-addr", "127.0.0.1"]);
        }
        Self { own: !active }
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        if self.own {
            run(Command::new("docker").args(["swarm", "leave", "--force"]));
        }
    }
}

/// Makes the proxy's image, unless it is there; false if there is no tool for that.
pub fn nginx() -> bool {
    let there = run(Command::new("docker").args(["image", "inspect", NGINX])).status.success();
    if there {
        return true;
    }
    if !tool("mmdebstrap") {
        return false;
    }
    let folder = tempfile::tempdir().expect("folder");
    let tar = folder.path().join("nginx.tar");
    ok(Command::new("mmdebstrap").args(["--variant=essential", "--include=nginx-light", "bookworm"]).arg(&tar));
    ok(Command::new("docker").arg("import").arg(&tar).arg(NGINX));
    true
}

/// What is answered to a request, headers and all; a proxy that just came up is given some time.
pub fn ask(port: u16, request: &str) -> Vec<u8> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let mut answer = Vec::new();
        let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(request.as_bytes())?;
            stream.read_to_end(&mut answer)
        });
        if asked.is_ok() && answer.starts_with(b"HTTP/1.1 200") || Instant::now() > end {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// The body of what is answered to a GET.
pub fn get(port: u16, path: &str) -> Vec<u8> {
    let answer = ask(port, &format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert!(text.starts_with("HTTP/1.1 200"), "{path}: {text}");
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the headers");
    answer[at + 4..].to_vec()
}

/// The body as text; what comes in pieces (chunked) keeps their sizes.
pub fn page(port: u16, path: &str) -> String {
    String::from_utf8_lossy(&get(port, path)).into_owned()
}

/// Upgrades a connection, and gives what comes back for `said`.
pub fn websocket(port: u16, path: &str, said: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
    let headers =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n\r\n").expect("asked");
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("answered") == 1 {
        seen.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&seen).into_owned();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    stream.write_all(said.as_bytes()).expect("said");
    let mut echo = vec![0; said.len()];
    stream.read_exact(&mut echo).expect("echoed");
    String::from_utf8_lossy(&echo).into_owned()
}
