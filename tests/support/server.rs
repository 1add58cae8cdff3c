//! A registry that answers as a test wants it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cargo_appbundle::digest::Digest;

use super::Project;
use super::registry::TestImage;

/// One request that arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// One answer; `cut` says after how many bytes of the body the connection breaks.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub cut: Option<usize>,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), cut: None }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn cut(mut self, after: usize) -> Self {
        self.cut = Some(after);
        self
    }
}

type Behaviour = dyn Fn(&Asked, usize) -> Answer + Send + Sync;

/// A server on a port of its own.
pub struct Server {
    pub host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers by `behave`, which is told the request and how often this path was asked for before.
    pub fn start(behave: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1", behave)
    }

    /// The same at an address of this machine.
    pub fn start_at(address: &str, behave: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(format!("{address}:0")).expect("a port");
        let host = format!("{address}:{}", listener.local_addr().expect("address").port());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (all, behave): (_, Arc<Behaviour>) = (Arc::clone(&asked), Arc::new(behave));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, behave) = (Arc::clone(&all), Arc::clone(&behave));
                std::thread::spawn(move || serve(&stream, &all, &*behave));
            }
        });
        Self { host, asked }
    }

    /// How long [`Server::stalling`] thinks.
    pub const STALL: Duration = Duration::from_secs(40);

    /// A registry that takes its time over every manifest, and has none.
    pub fn stalling() -> Self {
        Self::start(|asked, _| {
            if asked.path.contains("/manifests/") {
                std::thread::sleep(Self::STALL);
            }
            Answer::new(if asked.path == "/v2/" { 200 } else { 404 }, "{}")
        })
    }

    /// Waits until a path that ends so was asked for.
    pub fn wait_for(&self, ending: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.asked().iter().any(|asked| asked.path.ends_with(ending)) {
            assert!(Instant::now() < end, "nobody asked for `{ending}`: {:?}", self.asked());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("lock").clone()
    }
}

/// One connection carries one request: what is not HTTP, such as TLS, is closed.
fn serve(stream: &TcpStream, all: &Mutex<Vec<Asked>>, behave: &Behaviour) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = [0];
    reader.read_exact(&mut first).ok().filter(|()| first[0].is_ascii_uppercase())?;
    let mut line = String::from(first[0] as char);
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).ok()?;
    let asked = Asked { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() };
    let before = {
        let mut all = all.lock().ok()?;
        let before = all.iter().filter(|other| other.path == asked.path).count();
        all.push(asked.clone());
        before
    };
    let answer = behave(&asked, before);
    let mut head = format!("HTTP/1.1 {} Whatever\r\nConnection: close\r\n", answer.status);
    if !answer.headers.iter().any(|(name, _)| name == "Content-Length") {
        head += &format!("Content-Length: {}\r\n", answer.body.len());
    }
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut stream = stream;
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    stream.write_all(&answer.body[..answer.cut.unwrap_or(answer.body.len())]).ok()
}

/// A good registry of one image, as functions of which a test replaces one.
pub struct Good {
    pub image: TestImage,
    pub index: Vec<u8>,
}

impl Good {
    pub fn new(project: &Project) -> Arc<Self> {
        let image = TestImage::new(project, "good");
        Arc::new(Self { index: image.index("arm64"), image })
    }

    pub fn layer(&self) -> String {
        format!("/v2/team/base/blobs/{}", Digest::of(&self.image.layer))
    }

    pub fn answer(&self, asked: &Asked) -> Answer {
        let of = |bytes: &[u8]| Digest::of(bytes).to_string();
        let path = asked.path.split('?').next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        if asked.path == "/v2/" {
            return Answer::new(200, "{}");
        }
        if last == "1" || last == of(&self.index) {
            return Answer::new(200, self.index.clone()).with("Docker-Content-Digest", of(&self.index));
        }
        for bytes in [&self.image.manifest, &self.image.config, &self.image.layer] {
            if last == of(bytes) {
                return ranged(asked, bytes);
            }
        }
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        Answer::new(404, body)
    }
}

/// All of it, or what `Range` asks for.
pub fn ranged(asked: &Asked, bytes: &[u8]) -> Answer {
    let start = asked.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match start {
        Some(start) => {
            Answer::new(206, &bytes[start..]).with("Content-Range", format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len()))
        }
        None => Answer::new(200, bytes),
    }
}

/// The address by which others would know this machine, if it has one.
pub fn outer_address() -> Option<String> {
    // No packet is sent for it.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let address = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).map(|address| address.ip());
    Some(address.ok().filter(|address| !address.is_loopback())?.to_string())
}
