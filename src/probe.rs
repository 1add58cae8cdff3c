//! The program in images that asks a server whether it is healthy: compiled for the target, without a library, about 2 KB.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::digest::Digest;
use crate::fs::write;

/// The program.
const SOURCE: &str = include_str!("../templates/healthprobe.rs");

/// What makes it small and the same each time.
const FLAGS: [&str; 7] = [
    "panic=abort",
    "opt-level=z",
    "codegen-units=1",
    "debuginfo=0",
    "strip=symbols",
    "relocation-model=static",
    "target-feature=+crt-static",
];

/// What the linker driver of a C compiler has to be told: nothing of C comes in.
const DRIVER: [&str; 4] = ["-nostartfiles", "-nostdlib", "-static", "-Wl,--build-id=none"];

/// What compiles the program.
#[derive(Clone, Copy, Debug)]
pub struct Toolchain<'a> {
    /// rustc, which has to have `core` for the target.
    pub rustc: &'a Path,
    /// The target.
    pub triple: &'a str,
    /// The compiler driver that links for the target, for toolchains without a linker of their own.
    pub linker: &'a str,
}

/// Whether the program knows the system calls of this target.
pub fn knows(triple: &str) -> bool {
    ["x86_64", "aarch64", "armv7", "riscv64"].iter().any(|cpu| triple.starts_with(cpu)) && !triple.ends_with("x32")
}

/// The compiled program, in a folder in which it is kept. The same toolchain gives the same bytes.
///
/// # Errors
/// When it cannot be compiled; the message has what rustc says.
pub fn build(toolchain: Toolchain<'_>, folder: &Path) -> Result<PathBuf> {
    let Toolchain { rustc, triple, linker } = toolchain;
    let version = Command::new(rustc).arg("-vV").output().with_context(|| format!("failed to run `{}`", rustc.display()))?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let own = own_linker(rustc, &version);
    let linked = own.as_ref().map_or_else(|| linker.to_owned(), |own| own.display().to_string());
    let key = Digest::of(format!("{SOURCE}\0{FLAGS:?}\0{DRIVER:?}\0{version}\0{triple}\0{linked}"));
    let path = folder.join(format!("healthprobe-{triple}-{}", key.short()));
    if path.is_file() {
        return Ok(path);
    }
    fs_err::create_dir_all(folder)?;
    // Made elsewhere and put into its place whole: two builds may meet.
    let made = tempfile::tempdir_in(folder)?;
    write(&made.path().join("healthprobe.rs"), SOURCE.as_bytes())?;
    let mut command = Command::new(rustc);
    command.current_dir(made.path()).args(["--edition", "2021", "--crate-type", "bin", "--crate-name", "healthprobe"]);
    command.args(["--target", triple, "-C", &format!("linker={linked}")]);
    command.args(FLAGS.iter().flat_map(|flag| ["-C", flag]));
    match own {
        Some(_) => command.args(["-C", "linker-flavor=ld.lld", "-C", "link-self-contained=no", "-C", "link-arg=--build-id=none"]),
        None => command.args(DRIVER.iter().flat_map(|argument| ["-C".to_owned(), format!("link-arg={argument}")])),
    };
    let output = command.args(["-o", "healthprobe", "healthprobe.rs"]).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!(
            "failed to compile the probe of health checks for `{triple}`\n{said}\nhelp: `probe = false` in `healthcheck` leaves it out"
        );
    }
    fs_err::rename(made.path().join("healthprobe"), &path)?;
    Ok(path)
}

/// The linker that rustup's toolchains bring along. With it, the bytes depend on the toolchain alone.
fn own_linker(rustc: &Path, version: &str) -> Option<PathBuf> {
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    let sysroot = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout).ok()?.trim());
    Some(sysroot.join("lib/rustlib").join(host).join("bin/rust-lld")).filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    fn built(triple: &str, linker: &str, folder: &Path) -> PathBuf {
        build(Toolchain { rustc: Path::new("rustc"), triple, linker }, folder).expect("built")
    }

    /// What the program ends with when the server answers so; `None` is a server that is not there.
    fn asked(program: &Path, answer: Option<&'static str>, path: Option<&str>) -> Option<i32> {
        let server = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = server.local_addr().expect("address").port().to_string();
        let served = answer.map(|answer| {
            let server = server.try_clone().expect("server");
            std::thread::spawn(move || {
                let (mut stream, _) = server.accept().expect("connection");
                let mut request = [0; 512];
                let read = stream.read(&mut request).expect("request");
                stream.write_all(answer.as_bytes()).expect("answered");
                String::from_utf8_lossy(&request[..read]).into_owned()
            })
        });
        drop(server);
        let status = Command::new(program).arg(port).args(path).output().expect("ran").status;
        if let (Some(served), Some(path)) = (served, path) {
            let request = served.join().expect("served");
            assert!(request.starts_with(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n")), "{request}");
        }
        status.code()
    }

    #[test]
    fn a_server_is_asked() {
        let folder = tempfile::tempdir().expect("folder");
        let host = "x86_64-unknown-linux-gnu";
        if std::env::consts::ARCH != "x86_64" {
            return;
        }
        let program = built(host, "cc", folder.path());
        for (answer, path, code) in [
            (Some("HTTP/1.1 200 OK\r\n\r\n"), Some("/healthz?a=b"), 0),
            (Some("HTTP/1.0 204 No Content\r\n\r\n"), Some("/"), 0),
            (Some("HTTP/1.1 500 Internal Server Error\r\n\r\n"), Some("/"), 1),
            (Some("HTTP/1.1 302 Found\r\n\r\n"), Some("/"), 1),
            (Some("HTTP"), Some("/"), 1),
            (Some(""), None, 0),
            (None, Some("/"), 1),
        ] {
            assert_eq!(asked(&program, answer, path), Some(code), "{answer:?} {path:?}");
        }
    }

    #[test]
    fn targets_are_known_by_their_processors() {
        let known = ["armv7-unknown-linux-gnueabihf", "riscv64gc-unknown-linux-gnu", "x86_64-unknown-linux-musl"];
        assert!(known.into_iter().all(knows));
        assert!(!["s390x-unknown-linux-gnu", "x86_64-unknown-linux-gnux32"].into_iter().any(knows));
    }

    #[test]
    fn it_is_small_and_the_same_each_time() {
        for (triple, linker) in [("x86_64-unknown-linux-gnu", "cc"), ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-gcc")] {
            let (one, two) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
            let bytes = |folder: &Path| std::fs::read(built(triple, linker, folder)).expect("read");
            let first = bytes(one.path());
            assert!(first.len() < 20 << 10, "{}", first.len());
            assert_eq!(first, bytes(two.path()), "{triple}");
            let elf = crate::elf::Elf::read(&built(triple, linker, one.path())).expect("ELF");
            assert_eq!((elf.interpreter, elf.needed), (None, Vec::new()), "{triple}");
            assert!(crate::app::Target::new(triple).expect("target").runs(elf.machine));
        }
    }
}
