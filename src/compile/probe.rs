//! The program in images that asks a server whether it is healthy: compiled for the target, without a library, about 4 KB.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::compiler::Compiler;
use super::linker;
use super::settings::CargoSettings;
use crate::digest::Digest;
use crate::fs::write;
use crate::plan::Plan;
use crate::process;
use crate::workspace::{CargoOptions, Workspace};

/// The program, file by file.
const SOURCES: [(&str, &str); 2] =
    [("healthprobe.rs", include_str!("../../templates/healthprobe.rs")), ("grpc.rs", include_str!("../grpc.rs"))];

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

/// Whether it can be compiled for a target: the compiler has `core` for it, and there is a linker.
pub fn is_possible(cargo: &CargoOptions, workspace: &Workspace, triple: &str) -> bool {
    let Ok(settings) = CargoSettings::read(&cargo.config) else { return false };
    let has_linker = || linker::find(&linker::used(&settings, triple)).is_some();
    let compiler = knows(triple).then(|| Compiler::find(&settings.rustc(), &workspace.target_dir)).flatten();
    compiler.is_some_and(|compiler| compiler.has_core(triple) && (compiler.own_linker().is_some() || has_linker()))
}

/// Compiles it for a plan whose images contain it, unless the same compiler did so before. The same compiler makes the same bytes.
///
/// # Errors
/// When it cannot be compiled; the message has what the compiler says.
pub fn build(cargo: &CargoOptions, workspace: &Workspace, plan: &Plan) -> Result<()> {
    let Some(path) = plan.probe() else { return Ok(()) };
    let (settings, triple) = (CargoSettings::read(&cargo.config)?, plan.target.triple.as_str());
    let Some(compiler) = Compiler::find(&settings.rustc(), &workspace.target_dir) else {
        bail!("failed to ask `{}` for its version", settings.rustc().display());
    };
    compiler.remember(&workspace.target_dir);
    let linker = linker::used(&settings, triple);
    let key = key(&compiler, triple, &linker);
    let mark = path.with_extension("key");
    if path.is_file() && std::fs::read_to_string(&mark).is_ok_and(|there| there == key) {
        return Ok(());
    }
    crate::fs::remove(&mark)?;
    compiled(&compiler, triple, &linker, path)?;
    write(&mark, key.as_bytes())
}

/// Whether the program knows the system calls of this target.
fn knows(triple: &str) -> bool {
    ["x86_64", "aarch64", "armv7", "riscv64"].iter().any(|cpu| triple.starts_with(cpu)) && !triple.ends_with("x32")
}

/// The digest of all that decides on its bytes.
fn key(compiler: &Compiler, triple: &str, linker: &str) -> String {
    let own = compiler.own_linker();
    let linker = own.as_deref().map_or(linker.into(), Path::to_string_lossy);
    Digest::of(format!("{SOURCES:?}\0{FLAGS:?}\0{DRIVER:?}\0{}\0{triple}\0{linker}", compiler.version)).to_string()
}

fn compiled(compiler: &Compiler, triple: &str, linker: &str, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs_err::create_dir_all(folder)?;
    let made = tempfile::tempdir_in(folder)?;
    for (name, text) in SOURCES {
        write(&made.path().join(name), text.as_bytes())?;
    }
    // In its folder, so that no path comes into the program. There, rustup may choose another compiler than here.
    let mut command = Command::new(compiler.program());
    command.current_dir(made.path()).args(["--edition", "2021", "--crate-type", "bin", "--crate-name", "healthprobe"]);
    command.args(["--target", triple]).args(FLAGS.iter().flat_map(|flag| ["-C", flag]));
    match compiler.own_linker() {
        Some(own) => {
            command.arg("-C").arg(format!("linker={}", own.display()));
            command.args(["-C", "linker-flavor=ld.lld", "-C", "link-self-contained=no", "-C", "link-arg=--build-id=none"]);
        }
        None => {
            command.arg("-C").arg(format!("linker={linker}"));
            command.args(DRIVER.iter().flat_map(|argument| ["-C".to_owned(), format!("link-arg={argument}")]));
        }
    }
    command.args(["-o", "healthprobe", "healthprobe.rs"]);
    let said = match process::capture(&mut command) {
        Ok(_) => return Ok(fs_err::rename(made.path().join("healthprobe"), to)?),
        Err(said) => said,
    };
    bail!(
        "failed to compile the program that asks for health in images, for `{triple}`\n{said:#}\nhelp: leave it out with `probe = false` in `healthcheck`"
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::path::PathBuf;

    use super::*;

    fn built(triple: &str, linker: &str, folder: &Path) -> PathBuf {
        let compiler = Compiler::find(Path::new("rustc"), folder).expect("rustc");
        let path = folder.join("healthprobe");
        compiled(&compiler, triple, linker, &path).expect("compiled");
        path
    }

    /// What the program ends with when the server answers so; `None` is a server that is not there.
    fn asked(program: &Path, answer: Option<&'static [u8]>, path: Option<&str>) -> Option<i32> {
        let server = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = server.local_addr().expect("address").port().to_string();
        let served = answer.map(|answer| {
            let server = server.try_clone().expect("server");
            std::thread::spawn(move || {
                let (mut stream, _) = server.accept().expect("connection");
                let mut request = [0; 512];
                let read = stream.read(&mut request).expect("request");
                stream.write_all(answer).expect("answered");
                String::from_utf8_lossy(&request[..read]).into_owned()
            })
        });
        drop(server);
        let status = Command::new(program).arg(port).args(path).output().expect("ran").status;
        if let (Some(served), Some(path)) = (served, path) {
            let request = served.join().expect("served");
            if path == "grpc" {
                return status.code();
            }
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
            (Some(&b"HTTP/1.1 200 OK\r\n\r\n"[..]), Some("/healthz?a=b"), 0),
            (Some(b"HTTP/1.0 204 No Content\r\n\r\n"), Some("/"), 0),
            (Some(b"HTTP/1.1 500 Internal Server Error\r\n\r\n"), Some("/"), 1),
            (Some(b"HTTP/1.1 302 Found\r\n\r\n"), Some("/"), 1),
            (Some(b"HTTP"), Some("/"), 1),
            (Some(b"\0\0\0\x04\0\0\0\0\0\0\0\x07\0\0\0\0\0\x01\0\0\0\0\x02\x08\x01"), Some("grpc"), 0),
            (Some(b"\0\0\0\x04\0\0\0\0\0\0\0\x07\0\0\0\0\0\x01\0\0\0\0\x02\x08\x02"), Some("grpc"), 1),
            (Some(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Some("grpc"), 1),
            (Some(&[0xff; 100_000]), Some("grpc"), 1),
            (Some(b"\0\0"), Some("grpc"), 1),
            (Some(b""), None, 0),
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
