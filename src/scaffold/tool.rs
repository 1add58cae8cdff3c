//! Tells an app's services from the tools of its workspace.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::workspace::{Member, Workspace};

/// Words in the names of tools, of tests, and of what stands in for a service in a test.
const TOOLS: [&str; 26] = [
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "cli",
    "codegen",
    "demo",
    "demos",
    "example",
    "examples",
    "fake",
    "fuzz",
    "mock",
    "mocks",
    "sample",
    "samples",
    "scripts",
    "stub",
    "stubs",
    "test",
    "testing",
    "tests",
    "tool",
    "tools",
    "xtask",
    "xtasks",
];

/// Libraries of programs that stay up: of servers, of clients that wait for messages, of devices. Each stands for those with its name
/// and a hyphen in front, too, such as `tokio-serial`.
const OF_SERVICES: [&str; 38] = [
    "actix",
    "async-nats",
    "async-std",
    "axum",
    "gpio-cdev",
    "gpiod",
    "gstreamer",
    "hyper",
    "i2cdev",
    "jsonrpsee",
    "lapin",
    "libp2p",
    "linux-embedded-hal",
    "mavlink",
    "mio",
    "ntex",
    "paho-mqtt",
    "poem",
    "quinn",
    "r2r",
    "rclrs",
    "rdkafka",
    "rocket",
    "rouille",
    "rppal",
    "rumqttc",
    "salvo",
    "serialport",
    "smol",
    "socketcan",
    "tarpc",
    "tiny_http",
    "tokio",
    "tonic",
    "v4l",
    "warp",
    "zenoh",
    "zmq",
];

/// Libraries that parse a command line.
const OF_COMMANDS: [&str; 9] = ["argh", "bpaf", "clap", "docopt", "getopts", "gumdrop", "lexopt", "pico-args", "structopt"];

/// Why an executable is probably no service; the weaker sign comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToolSign {
    /// Nothing of it has to do with a network or a device, and this speaks against a service.
    NothingServes(&'static str),
    /// Units of systemd start other executables of the workspace.
    NotStarted,
    /// A word in its name, in that of its package, or in its folder's path.
    Named(&'static str),
}

impl ToolSign {
    /// The sign of an executable, if there is one.
    ///
    /// A word in a name is one. A package that is not published or parses a command line is one, too, unless it or a member that it uses
    /// depends on a library of services or opens sockets of the standard library. Where units of systemd start the workspace's services
    /// (`has_units`), what none of them starts is none.
    pub fn of(workspace: &Workspace, member: &Member, bin: &str, has_units: bool) -> Option<Self> {
        let folder = member.folder().strip_prefix(&workspace.root).unwrap_or(Path::new("")).to_string_lossy();
        let is_word = |tool: &&&str| [bin, &member.name, &folder].iter().any(|text| words(text).any(|word| word == **tool));
        if let Some(tool) = TOOLS.iter().find(is_word) {
            return Some(Self::Named(tool));
        }
        if has_units {
            return Some(Self::NotStarted);
        }
        let used = members_used(workspace, member);
        let parser = || OF_COMMANDS.iter().find(|parser| member.dependencies.iter().any(|name| name == *parser));
        let against = if member.is_private { Some(&"publish = false") } else { parser() };
        against.filter(|_| !used.iter().any(|member| serves(member))).map(|against| Self::NothingServes(against))
    }
}

impl fmt::Display for ToolSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingServes("publish = false") => f.write_str("`publish = false`, and nothing uses a network or a device"),
            Self::NothingServes(parser) => write!(f, "it depends on `{parser}`, and nothing uses a network or a device"),
            Self::NotStarted => f.write_str("the workspace has systemd units for others, and none for it"),
            Self::Named(word) => write!(f, "`{word}` in its name or path"),
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
}

/// A member, and all members that it depends on.
fn members_used<'a>(workspace: &'a Workspace, member: &'a Member) -> Vec<&'a Member> {
    let (mut used, mut names) = (vec![member], BTreeSet::from([&member.name]));
    let mut at = 0;
    while let Some(user) = used.get(at).copied() {
        let next = workspace.members.iter().filter(|other| user.dependencies.contains(&other.name));
        used.extend(next.filter(|other| names.insert(&other.name)));
        at += 1;
    }
    used
}

fn serves(member: &Member) -> bool {
    let is_of_services = |name: &String| {
        OF_SERVICES.iter().any(|known| name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
    };
    member.dependencies.iter().any(is_of_services) || has_sockets(&member.folder().join("src"))
}

/// Whether a source in a folder names the sockets of the standard library.
fn has_sockets(folder: &Path) -> bool {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let mut sources = files.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "rs"));
    sources.any(|source| {
        std::fs::read_to_string(source.path()).is_ok_and(|text| text.contains("std::net") || text.contains("os::unix::net"))
    })
}
