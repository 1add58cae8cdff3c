//! Finds out from the last lines of its output why a compilation failed, and how to fix it.

use std::fmt;
use std::process::ExitStatus;

use super::absent::Absent;
use super::{causes, linker, needs};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::Plan;

/// Cargo failed and printed the reason on stderr. The exit code is 101, as Cargo's is.
#[derive(Debug)]
pub struct Failed {
    message: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failed {}

/// C libraries that crates wrap, and what to do instead of cross-compiling them.
const WRAPPERS: [(&str, &str); 6] = [
    (
        "openssl-sys",
        "use the `vendored` feature of `openssl`, or name the target's OpenSSL in `OPENSSL_LIB_DIR` and `OPENSSL_INCLUDE_DIR`, or `rustls` instead of it (`default-features = false, features = [\"rustls-tls\"]` in `reqwest`)",
    ),
    ("aws-lc-sys", "use `rustls` with its `ring` feature instead of `aws-lc-rs`"),
    ("libsqlite3-sys", "use the `bundled` feature of `rusqlite`"),
    ("libz-sys", "use `flate2` with its `rust_backend` feature"),
    ("zstd-sys", "set `default-features = false` for `zstd`, or use `ruzstd`"),
    ("libgit2-sys", "use the `vendored-libgit2` feature of `git2`"),
];

/// Looks for a known cause in the last lines of the output.
pub fn failed(status: ExitStatus, stderr: &str, plan: &Plan) -> anyhow::Error {
    let failed = Failed { message: format!("failed to compile the services for `{}` ({status})", plan.target.triple) };
    match cause(stderr, &plan.target.triple) {
        Some(cause) => anyhow::Error::new(cause).context(failed),
        None => failed.into(),
    }
}

fn cause(stderr: &str, triple: &str) -> Option<Diagnostic> {
    if stderr.contains("target may not be installed") || stderr.contains("target is not installed") {
        return Some(Code::StdMissing.error(needs::std_missing(triple)));
    }
    if let Some(name) = between(stderr, "linker `", "` not found") {
        let help = match linker::install(triple) {
            Some(command) => format!("help: run `{command}`"),
            None => format!("help: set `linker` under `[target.{triple}]` in `.cargo/config.toml`"),
        };
        return Some(Code::LinkerMissing.error(format!("the linker `{name}` is not installed\n{help}")));
    }
    let absent = Absent::new(&causes::missing(stderr), triple);
    if let Some(package) = between(stderr, "failed to run custom build command for `", "`") {
        let why = absent.sentence().map(|sentence| format!(": {sentence}")).unwrap_or_default();
        let help = ways(package, &absent, stderr, triple).join("; or ");
        return Some(
            Code::BuildScript.error(format!("the build script of `{package}` failed for `{triple}`{why}\nhelp: {help}")),
        );
    }
    if let Some(sentence) = absent.sentence() {
        let help = absent.install().or_else(|| absent.search()).map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        return Some(Code::LibraryMissing.error(format!("{sentence}{help}")));
    }
    let is_foreign = ["file in wrong format", "Relocations in generic ELF"].iter().any(|sign| stderr.contains(sign));
    if linker::driver(triple).is_none() && (is_foreign || stderr.contains("linking with `cc` failed")) {
        let command = linker::install(triple)?;
        return Some(
            Code::LinkerMissing.error(format!("the linker of this machine cannot link for `{triple}`\nhelp: run `{command}`")),
        );
    }
    // The driver is there, but what it links is for another processor.
    let before = &stderr[..stderr.find(": error adding symbols: file in wrong format")?];
    let library = before.rsplit(char::is_whitespace).next()?;
    Some(Code::LibraryMissing.error(format!(
        "`{library}` is not for `{triple}`\nhelp: install it for the target, and unset variables that name folders of this machine's libraries: `cargo appbundle plan -v` shows what the build sets itself"
    )))
}

/// What helps where a build script failed: the packages that it lacks, and what does without them.
fn ways(package: &str, absent: &Absent, stderr: &str, triple: &str) -> Vec<String> {
    let mut ways = Vec::from_iter(absent.install());
    let name = package.split(' ').next().unwrap_or(package);
    ways.extend(WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name).map(|(_, way)| (*way).to_owned()));
    if absent.install().is_some() {
        return ways;
    }
    ways.extend(absent.search());
    if stderr.contains("pkg-config has not been configured to support cross-compilation") {
        let variable = format!("PKG_CONFIG_LIBDIR_{}", triple.replace('-', "_"));
        ways.push(format!("name the folder with the target's `.pc` files in `{variable}`, and set `PKG_CONFIG_ALLOW_CROSS=1`"));
    }
    if linker::driver(triple).is_none() && !linker::is_native(triple) {
        ways.extend(linker::install(triple).map(|command| format!("install a C compiler for the target: `{command}`")));
    }
    ways.push("build the binaries where it works and pack them with `--no-compile --bin-dir DIR`".to_owned());
    ways
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.get(..rest.find(after)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_causes_get_a_command() {
        let triple = "aarch64-unknown-linux-gnu";
        for (words, command) in [
            (
                "error[E0463]: can't find crate for `core`\n = note: the `aarch64-unknown-linux-gnu` target may not be installed",
                "rustup target add",
            ),
            ("error: linker `aarch64-linux-gnu-gcc` not found", "apt install gcc-aarch64-linux-gnu"),
            ("error: failed to run custom build command for `openssl-sys v0.9.1`", "vendored"),
            ("error: failed to run custom build command for `own v0.1.0 (/x)`", "--bin-dir"),
            (
                "error: failed to run custom build command for `libzmq-sys v0.1.0`\nThe file `no-such-library.pc` needs to be installed",
                ": `no-such-library.pc` is missing\nhelp: find the package with `apt-file search no-such-library.pc`",
            ),
            (
                "error: failed to run custom build command for `a v0.1.0`\npkg-config has not been configured to support cross-compilation",
                "PKG_CONFIG_LIBDIR_aarch64_unknown_linux_gnu",
            ),
            (
                "error: linking with `ld` failed\nld: cannot find -lno-such-library: No such file",
                "`libno-such-library.so` is missing",
            ),
            (
                "= note: /usr/bin/ld: /usr/lib/x86_64-linux-gnu/libcrypto.so: error adding symbols: file in wrong format",
                "`/usr/lib/x86_64-linux-gnu/libcrypto.so` is not for `aarch64",
            ),
        ] {
            assert!(cause(words, triple).is_some_and(|cause| cause.to_string().contains(command)), "{words}");
        }
        assert!(cause("error[E0308]: mismatched types", triple).is_none());
        // Of a compiler that is there, nothing is said.
        let of_no_compiler = cause("error: linking with `cc` failed: exit status: 1", "s390x-unknown-linux-gnu");
        assert_eq!(of_no_compiler.is_some(), linker::driver("s390x-unknown-linux-gnu").is_none());
    }
}
