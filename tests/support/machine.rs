//! A machine of made-up tools.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PROGRAM, toolchain};

/// The numbers of processors in ELF headers.
pub const EM_AARCH64: u8 = 183;
pub const EM_X86_64: u8 = 62;

/// A machine of made-up tools: `doctor` finds these alone.
pub struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// One that has Cargo alone.
    pub fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().expect("folder") };
        machine.tool("rustc", "exit 1");
        // It says a version of its own, and else it is the real one, which reads the workspace.
        let path = std::env::var_os("PATH").expect("PATH");
        let cargo = std::env::split_paths(&path).map(|folder| folder.join("cargo")).find(|file| file.is_file()).expect("cargo");
        let mut own = Command::new("env");
        for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"] {
            own.args(std::env::var(name).ok().map(|value| format!("{name}={value}")));
        }
        own.args(toolchain().map(|name| format!("RUSTUP_TOOLCHAIN={name}"))).arg(cargo);
        let words: Vec<String> = own.get_args().map(|word| format!("'{}'", word.to_string_lossy())).collect();
        let version = "[ \"$*\" = --version ] && { echo 'cargo 1.89.0 (c24e10642 2025-06-23)'; exit; }";
        machine.tool("cargo", &format!("{version}\nexec /usr/bin/env {} \"$@\"", words.join(" ")));
        machine
    }

    /// Where the tools are.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A tool that is this shell script.
    pub fn tool(&self, name: &str, script: &str) {
        std::fs::write(self.at(name), format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(self.at(name), std::fs::Permissions::from_mode(0o755)).expect("executable");
    }

    /// A standard library, and a linker that knows a C library of this machine: `EM_AARCH64` or `EM_X86_64`.
    pub fn install_compilers(&self, machine: u8) {
        std::fs::write(self.at("libstd-1.rlib"), "").expect("written");
        // A header without segments and sections, for 64 bit in the small byte order (System V ABI, chapter 4).
        let mut header = [0; 64];
        header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        (header[16], header[18], header[20], header[52], header[54], header[58]) = (3, machine, 1, 64, 56, 64);
        std::fs::write(self.at("libc.so.6"), header).expect("written");
        let folder = self.path().display();
        self.tool("rustc", &format!("echo '{folder}'"));
        self.tool("aarch64-linux-gnu-gcc", &format!("echo \"{folder}/${{1#-print-file-name=}}\""));
    }

    /// An engine that says its version, and can do nothing else.
    pub fn start_engine(&self) {
        let listener = UnixListener::bind(self.at("docker.sock")).expect("socket");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let body = r#"{"Version":"28.0.4","ApiVersion":"1.48","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64"}"#;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
                let _ = stream.write_all(format!("{head}Content-Type: application/json\r\n\r\n{body}").as_bytes());
            }
        });
    }

    /// `doctor` on this machine, in this folder.
    pub fn doctor(&self, folder: &Path) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env_clear().args(["appbundle", "doctor", "--color", "never"]).current_dir(folder);
        command.env("PATH", self.path()).env("HOME", self.path());
        command.env("DOCKER_HOST", format!("unix://{}", self.at("docker.sock").display()));
        command
    }
}
