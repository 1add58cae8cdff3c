//! The commands of a page, typed one after another into a shell, in a workspace like the one that the pages are about.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;
use std::process::Command;

use super::pages::{Mark, page};
use super::registry::{Guard, Registry};
use super::running::start;
use super::{PROGRAM, Project, appbundle, ok};

/// The pages whose commands are run so, each by a test in tests/sessions.rs.
pub const SESSIONS: [&str; 13] = [
    "README.md",
    "docs/guide/first-bundle.md",
    "docs/guide/services.md",
    "docs/guide/bases.md",
    "docs/guide/targets.md",
    "docs/guide/images.md",
    "docs/guide/registries.md",
    "docs/guide/developing.md",
    "docs/guide/deploying.md",
    "docs/guide/stacks.md",
    "docs/guide/devices.md",
    "docs/guide/ci.md",
    "docs/guide/releases.md",
];

/// A service that answers 200 to everything, and ends on SIGTERM also as the first process of a container.
const SERVICE: &str = r#"use std::io::{Read, Write};

unsafe extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
    fn _exit(code: i32) -> !;
}

extern "C" fn end(_: i32) {
    unsafe { _exit(0) }
}

fn main() {
    unsafe { signal(15, end as *const () as usize) };
    let listener = std::net::TcpListener::bind("0.0.0.0:PORT").expect("the port");
    println!("listening");
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n");
    }
}
"#;

const APP: &str = r#"
[workspace.metadata.appbundle]
name = "photo-gallery"
author = "com.example"

[workspace.metadata.appbundle.stacks.photo-gallery]
stacks = ["processing"]

[workspace.metadata.appbundle.stacks.processing]
services = ["thumbnailer"]
"#;

const SERVICES: [(&str, u16, &str); 3] = [
    (
        "camera-control",
        8080,
        "depends-on = [\"gallery-service\"]\nroutes = { \"/camera\" = { port = 8080 } }\n\
         secrets = { TOKEN = { secret = \"gallery\", key = \"token\" } }\n",
    ),
    (
        "gallery-service",
        8081,
        "depends-on = [\"thumbnailer\"]\nvolumes = [\"data:/data\"]\nroutes = { \"/\" = { port = 8081 } }\n",
    ),
    ("thumbnailer", 8082, ""),
];

/// Where a page begins.
#[derive(Clone, Copy, PartialEq)]
pub enum Start {
    /// A workspace without tables.
    Bare,
    /// With tables.
    Tables,
    /// Built.
    Built,
}

/// The photo gallery, with services that are small.
fn workspace(start: Start) -> Project {
    let project = Project::new(&[]);
    let app = if start == Start::Bare { "" } else { APP };
    let root =
        format!("[workspace]\nresolver = \"3\"\nmembers = [\"services/*\"]\n\n[workspace.package]\nversion = \"1.0.0\"\n{app}");
    project.write("Cargo.toml", &root);
    for (name, port, more) in SERVICES {
        let port_text = port.to_string();
        let mut manifest = format!("[package]\nname = \"{name}\"\nversion.workspace = true\nedition = \"2024\"\n");
        if start != Start::Bare {
            manifest += &format!(
                "\n[package.metadata.service]\nports = [\"{port}:{port}\"]\n\
                 healthcheck = {{ path = \"/healthz\", port = {port} }}\n{more}"
            );
        }
        project.write(&format!("services/{name}/Cargo.toml"), &manifest);
        project.write(&format!("services/{name}/src/main.rs"), &SERVICE.replace("PORT", &port_text));
    }
    ok(command(project.path(), "cargo generate-lockfile").env("TOKEN", "ours"));
    if start == Start::Built {
        ok(&mut appbundle(project.path(), &["build"]));
    }
    project
}

/// A shell in which `cargo appbundle` is the program under test.
fn command(folder: &Path, script: &str) -> Command {
    let own = appbundle(folder, &[]);
    let mut command = Command::new("bash");
    command.args(["-eu", "-c", script]).current_dir(folder);
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let program = Path::new(PROGRAM).parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path))).expect("a path");
    command.env("PATH", path);
    command
}

/// Runs the commands of a page from top to bottom; each has to end well. `prepare` adds what its commands need to find.
pub fn play(path: &str, start_with: Start, prepare: impl Fn(&mut Command)) {
    assert!(SESSIONS.contains(&path), "{path} is not in the list");
    let page = page(path);
    let blocks = page.sessions();
    let needs_registry = blocks.iter().any(|block| block.mark == Mark::Run && block.text.contains("push --repo"));
    let registry = needs_registry.then(|| Registry::start(Guard::None));
    let project = workspace(start_with);
    let mut run = 0;
    for block in blocks {
        let mut script = block.script().replace("docker compose ", "docker-compose-v2 ");
        if let Some(registry) = &registry {
            script = script.replace("ghcr.io/example", &registry.host).replace("registry.local:5000", &registry.host);
        }
        let mut command = command(project.path(), script.trim());
        prepare(&mut command);
        match block.mark {
            Mark::Run => {
                eprintln!("{path}:{}", block.line);
                ok(&mut command);
            }
            Mark::RunUntil(words) => {
                let mut running = start(&mut command);
                running.wait_for(&words);
                running.signal("INT");
                let (code, said) = running.end();
                assert_eq!(code, Some(0), "{path}:{}: {said}", block.line);
            }
            Mark::RunBy(_) | Mark::NotRun(_) => continue,
        }
        run += 1;
    }
    assert!(run > 0, "{path}: there is nothing to run");
}
