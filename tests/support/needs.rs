//! What tests need beyond Cargo and `cc`. Each function says what is missing, or nothing if all is there.
//!
//! nextest asks for each test in a process of its own, so these have to be quick.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use super::swarm::NGINX;
use super::{NEW_DOCKER, TRIPLE, has_std, run, toolchain};

/// One need: gives what is missing.
pub type Need = fn() -> Option<String>;

fn tools(names: &[&str]) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    names.iter().find(|name| !there(name)).map(|name| (*name).to_owned())
}

/// A Docker engine that answers, and its client.
pub fn docker() -> Option<String> {
    tools(&["docker"]).or_else(|| UnixStream::connect("/var/run/docker.sock").is_err().then(|| "a running Docker engine".into()))
}

/// The same, where containers run arm64 programs.
pub fn docker_arm64() -> Option<String> {
    let runs = cfg!(target_arch = "aarch64") || Path::new("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists();
    docker().or_else(|| (!runs).then(|| "qemu-user-static with binfmt".into()))
}

/// The validators of bills of materials.
pub fn sbom_validators() -> Option<String> {
    tools(&["sbom-python"])
}

/// A client of Docker that has `stack config`.
pub fn new_docker() -> Option<String> {
    tools(&[NEW_DOCKER])
}

/// Both generations of compose.
pub fn compose() -> Option<String> {
    tools(&["docker-compose", "docker-compose-v2"])
}

/// RustSec's own auditor of executables.
pub fn cargo_audit() -> Option<String> {
    tools(&["cargo-audit"])
}

/// A validator of SARIF.
pub fn sarif_multitool() -> Option<String> {
    tools(&["sarif-multitool"])
}

/// What shows the calls of a program.
pub fn strace() -> Option<String> {
    tools(&["strace"])
}

/// Podman, with the runtime that the tests give it.
pub fn podman() -> Option<String> {
    tools(&["podman", "runc"])
}

/// An HSM in software, and what signs with it.
pub fn softhsm() -> Option<String> {
    let module = "/usr/lib/softhsm/libsofthsm2.so";
    tools(&["softhsm2-util", "pkcs11-tool"]).or_else(|| (!Path::new(module).is_file()).then(|| module.to_owned()))
}

/// A registry, and skopeo to fill it.
pub fn registry() -> Option<String> {
    tools(&["docker-registry", "skopeo"])
}

/// A registry with TLS and a password.
pub fn guarded_registry() -> Option<String> {
    registry().or_else(|| tools(&["openssl", "htpasswd"]))
}

/// The C compiler for arm64, with its C library.
pub fn arm64_cc() -> Option<String> {
    tools(&["aarch64-linux-gnu-gcc"])
}

/// A Rust that compiles and links for arm64.
pub fn arm64_rust() -> Option<String> {
    arm64_cc().or_else(|| (!has_std(toolchain(), TRIPLE)).then(|| format!("the Rust target {TRIPLE}")))
}

/// The same for amd64.
pub fn amd64_rust() -> Option<String> {
    let target = "x86_64-unknown-linux-gnu";
    tools(&["x86_64-linux-gnu-gcc"]).or_else(|| (!has_std(toolchain(), target)).then(|| format!("the Rust target {target}")))
}

/// apt, with lists of packages.
pub fn apt() -> Option<String> {
    let lists = std::fs::read_dir("/var/lib/apt/lists").into_iter().flatten().flatten();
    let has_lists = lists.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"));
    tools(&["apt-get", "apt-cache", "dpkg-query"]).or_else(|| (!has_lists).then(|| "apt's lists of packages".into()))
}

/// What chooses toolchains.
pub fn rustup() -> Option<String> {
    tools(&["rustup"])
}

/// A Rust that compiles for arm64 with musl, with a linker of its own; and Debian's compiler for it.
pub fn arm64_musl() -> Option<String> {
    let target = "aarch64-unknown-linux-musl";
    tools(&["aarch64-linux-musl-gcc"]).or_else(|| (!has_std(toolchain(), target)).then(|| format!("the Rust target {target}")))
}

/// What compiles C++, and what finds a library of arm64's packages.
pub fn arm64_c() -> Option<String> {
    let library = "/usr/lib/aarch64-linux-gnu/pkgconfig/libcrypto.pc";
    tools(&["aarch64-linux-gnu-g++", "cmake", "clang", "pkg-config"])
        .or_else(|| (!Path::new(library).is_file()).then(|| library.to_owned()))
}

/// SQLite's shared library for arm64, and what finds it.
pub fn arm64_sqlite() -> Option<String> {
    let library = "/usr/lib/aarch64-linux-gnu/pkgconfig/sqlite3.pc";
    tools(&["pkg-config"]).or_else(|| (!Path::new(library).is_file()).then(|| library.to_owned()))
}

/// The C compiler for armv7, and what runs its programs.
pub fn armv7() -> Option<String> {
    tools(&["arm-linux-gnueabihf-gcc", "qemu-arm-static"])
}

/// The same for riscv64.
pub fn riscv64() -> Option<String> {
    tools(&["riscv64-linux-gnu-gcc", "qemu-riscv64-static"])
}

/// Users and mounts of a test's own.
pub fn namespaces() -> Option<String> {
    let made = Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).output();
    (!made.is_ok_and(|output| output.status.success())).then(|| "the right to make namespaces".into())
}

/// The ports of HTTP and HTTPS.
pub fn web_ports() -> Option<String> {
    let taken = |port: &u16| TcpStream::connect(("127.0.0.1", *port)).is_ok();
    [80, 443].iter().find(|port| taken(port)).map(|port| format!("the port {port}, which is taken"))
}

/// An address by which others would know this machine.
pub fn network() -> Option<String> {
    super::server::outer_address().is_none().then(|| "a network address".into())
}

/// A kubectl that finds out by itself what has changed: before 1.27 it asks the server for whole schemas, which only a real one has.
pub fn kubectl_apply() -> Option<String> {
    let version = Command::new("kubectl").args(["version", "--client", "-o", "json"]).output().ok();
    let version = version.and_then(|output| serde_json::from_slice::<serde_json::Value>(&output.stdout).ok()).unwrap_or_default();
    let minor = version["clientVersion"]["minor"].as_str().unwrap_or_default().trim_end_matches('+').parse::<u32>();
    (!minor.is_ok_and(|minor| minor >= 27)).then(|| "kubectl 1.27".into())
}

/// The proxy's image, or what makes it.
pub fn nginx() -> Option<String> {
    let there = || run(Command::new("docker").args(["image", "inspect", NGINX])).status.success();
    tools(&["mmdebstrap"]).filter(|_| tools(&["docker"]).is_some() || !there())
}

/// Where bash-completion lies.
pub const BASH_COMPLETION: &str = "/usr/share/bash-completion/bash_completion";

/// bash-completion, which Cargo's own completion builds on.
pub fn bash_completion() -> Option<String> {
    (!Path::new(BASH_COMPLETION).exists()).then(|| "bash-completion".into())
}

/// An archive of Debian 12 that this machine's apt uses.
pub fn debian_archive() -> Option<String> {
    let lists =
        Command::new("apt-get").args(["indextargets", "--format", "$(FILENAME) $(CODENAME)", "Created-By: Packages"]).output();
    let known = lists.is_ok_and(|output| {
        super::text(&output.stdout).lines().any(|line| {
            let (path, suite) = line.split_once(' ').unwrap_or((line, ""));
            suite == "bookworm" && Path::new(path).exists()
        })
    });
    (!known).then(|| "apt with the lists of Debian 12".into())
}

/// The rights of root: other owners, and another root folder.
pub fn root() -> Option<String> {
    let id = Command::new("id").arg("-u").output();
    (!id.is_ok_and(|output| super::text(&output.stdout).trim() == "0")).then(|| "the rights of root".into())
}

macro_rules! tool {
    ($($function:ident = $name:literal),+ $(,)?) => {
        $(
            #[doc = concat!("`", $name, "`.")]
            pub fn $function() -> Option<String> {
                tools(&[$name])
            }
        )+
    };
}

tool!(
    auterion_cli = "auterion-cli",
    bash = "bash",
    cargo_auditable = "cargo-auditable",
    cargo_zigbuild = "cargo-zigbuild",
    check_jsonschema = "check-jsonschema",
    cross = "cross",
    curl = "curl",
    dsse_python = "dsse-python",
    docker_compose = "docker-compose",
    dpkg = "dpkg-deb",
    flock = "flock",
    gdb = "gdb",
    gpg = "gpg",
    grpc_python = "grpc-python",
    groff = "groff",
    kubectl = "kubectl",
    kubernetes_validate = "kubernetes-validate",
    man = "man",
    mender_artifact = "mender-artifact",
    mender_client = "mender-client-3",
    mmdebstrap = "mmdebstrap",
    openssl = "openssl",
    python3 = "python3",
    qemu_aarch64 = "qemu-aarch64-static",
    script = "script",
    skopeo = "skopeo",
    syft = "syft",
    trivy = "trivy",
    umoci = "umoci",
    xz = "xz",
    zsh = "zsh",
);
