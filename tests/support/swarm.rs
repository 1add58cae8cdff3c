//! A swarm of this machine alone.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use super::debian::root_file_system;
use super::{Project, appbundle, judge, names, ok, run};

/// A proxy's image for gateways, made of Debian's packages.
pub const NGINX: &str = "appbundle-test-nginx:1";

/// What the stacks' services are for.
pub const X86: &str = "x86_64-unknown-linux-gnu";

/// The program of all services of stacks.
pub const MEMBER: &str = include_str!("../programs/stack.c");

/// A shop, with a stack of two services in it.
pub const STACKS: &str = r#"
swarm = { routing = "host", variables = "SHOP" }

[workspace.metadata.appbundle.stacks.shop]
stacks = ["orders"]

[workspace.metadata.appbundle.stacks.shop.gateway]
image = "appbundle-test-nginx:1"
http = 18780
https = 18743
certificate = "appbundle-test-certificate"
key = "appbundle-test-key"
rewrite = { "/web" = "/" }

[workspace.metadata.appbundle.stacks.orders]
services = ["api", "store"]
gateway = { image = "appbundle-test-nginx:1" }
"#;

/// An app of this name without services; `stacks` is what its table says of stacks.
pub fn app(name: &str, stacks: &str) -> Project {
    let project = Project::named(name, &[]);
    let targets = format!("targets = [\"{X86}\"]\n");
    project.edit("Cargo.toml", |text| text.replace("author = \"com.example\"\n", &targets) + stacks.trim_start());
    project
}

/// The shop's services: `web`, and `api`, which needs `store`.
pub fn shop(stacks: &str) -> Project {
    let project = app("shop", stacks);
    member(&project, "web", 8000, "routes = { \"/web\" = { port = 8000 } }\n");
    member(&project, "api", 8001, "routes = { \"/api\" = { port = 8001 } }\ndepends-on = [\"store\"]\n");
    member(&project, "store", 8002, "replicas = 2\nvolumes = [\"data:/data\"]\n");
    project
}

/// A service that answers on a port, with more in its table.
pub fn member(project: &Project, name: &str, port: u16, more: &str) {
    project.service(name, &format!("environment = {{ NAME = \"{name}\", PORT = \"{port}\" }}\n{more}"));
}

/// Compiles the program of each.
pub fn compile(project: &Project, names: &[&str]) {
    names.iter().for_each(|name| project.compile("cc", name, MEMBER, &["-O1"]));
}

/// A verb that concerns the swarm.
pub fn verb(project: &Project, verb: &str) -> Command {
    let mut command = appbundle(project.path(), &[verb, "--color", "never"]);
    if verb == "deploy" {
        command.args(["--to", "swarm", "--no-compile", "--bin-dir", "bin"]);
    }
    command
}

/// What of an app is left in the swarm: services, networks, configs, secrets and containers.
pub fn left(app: &str) -> String {
    let lists = [["service", "ls"], ["network", "ls"], ["config", "ls"], ["secret", "ls"], ["container", "ls"]];
    let named = |list: [&str; 2]| {
        let format = if list[0] == "container" { "{{.Names}}" } else { "{{.Name}}" };
        judge("docker", &[list[0], list[1], "--format", format])
    };
    let all = lists.map(named).concat();
    // What `run`, `dev` and `test` make of an app has no underscore in its name.
    all.lines().filter(|name| name.starts_with(app) && name.contains('_')).map(|name| format!("{name}\n")).collect()
}

/// Where words stand in a text.
fn position(text: &str, words: &str) -> usize {
    text.find(words).unwrap_or_else(|| panic!("no `{words}` in:\n{text}"))
}

/// The words stand in this order.
pub fn in_order(text: &str, words: &[&str]) {
    for pair in words.windows(2) {
        assert!(position(text, pair[0]) < position(text, pair[1]), "`{}` before `{}` in:\n{text}", pair[0], pair[1]);
    }
}

/// The environment of a service that answers at this path of a gateway has these variables.
pub fn has_environment(port: u16, path: &str, expected: &[(&str, &str)]) {
    let body = get(port, path);
    let variables: Vec<&[u8]> = body.split(|byte| *byte == 0).collect();
    for (name, value) in expected {
        let wanted = format!("{name}={value}");
        // The first one may have the size of a piece before it.
        let there = variables.iter().any(|variable| variable.ends_with(wanted.as_bytes()));
        assert!(there, "{wanted} in {}", String::from_utf8_lossy(&body));
    }
}

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

    /// The same, and the proxy's image.
    pub fn with_proxy() -> Self {
        let there = run(Command::new("docker").args(["image", "inspect", NGINX])).status.success();
        if !there {
            let tar = root_file_system(&["--variant=essential", "--include=nginx-light", "bookworm"]);
            ok(Command::new("docker").arg("import").arg(&tar).arg(NGINX));
        }
        Self::new()
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        if self.own {
            names::forget(|| drop(run(Command::new("docker").args(["swarm", "leave", "--force"]))));
        }
    }
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
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
    echo(&stream, &stream, path, said)
}

/// The same over TLS, as OpenSSL speaks it.
pub fn websocket_over_tls(port: u16, path: &str, said: &str) -> String {
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{port}")])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("openssl");
    let heard = echo(client.stdin.take().expect("stdin"), client.stdout.take().expect("stdout"), path, said);
    let _ = client.kill();
    let _ = client.wait();
    heard
}

fn echo(mut to: impl Write, mut from: impl Read, path: &str, said: &str) -> String {
    let headers =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    write!(to, "GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n\r\n").expect("asked");
    to.flush().expect("asked");
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && from.read(&mut byte).expect("answered") == 1 {
        seen.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&seen).into_owned();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    to.write_all(said.as_bytes()).expect("said");
    to.flush().expect("said");
    let mut echo = vec![0; said.len()];
    from.read_exact(&mut echo).expect("echoed");
    String::from_utf8_lossy(&echo).into_owned()
}

/// The answer to a GET over TLS whose certificate is for `localhost`, from a browser that trusts exactly that one.
pub fn page_over_tls(port: u16, path: &str) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let shown = format!("openssl s_client -connect localhost:{port} -servername localhost </dev/null | openssl x509 > shown.pem");
    ok(Command::new("sh").args(["-c", &shown]).current_dir(folder.path()));
    let url = format!("https://localhost:{port}{path}");
    ok(Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--cacert", "shown.pem", &url])
        .current_dir(folder.path()))
}

fn cargo(project: &Project, name: &str, arguments: &[&str]) {
    // What it depends on is compiled once for all tests; what debuggers want would only be linked and packed.
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("controllers");
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).args(["-p", name]).current_dir(project.path()).env("CARGO_TARGET_DIR", target);
    ok(cargo.envs([("CARGO_PROFILE_DEV_DEBUG", "0"), ("CARGO_PROFILE_TEST_DEBUG", "0")]));
}

/// The service that controls a stack, made of its template in the project, is formatted and passes its own tests. They are the same
/// whatever it is called.
pub fn controller_is_well(project: &Project, name: &str) {
    cargo(project, name, &["fmt", "--check"]);
    cargo(project, name, &["test", "--quiet"]);
}

/// Compiles that service into `bin/`.
pub fn controller(project: &Project, name: &str) {
    cargo(project, name, &["build", "--quiet"]);
    let built = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("controllers/debug").join(name);
    std::fs::copy(built, project.path().join("bin").join(name)).expect("copied");
}
