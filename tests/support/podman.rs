//! Engines of the tests' own: podman on a socket, and what only pretends to be an engine.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Podman's engine on a socket of its own, with a store of its own; it ends when dropped.
pub struct Podman {
    child: std::process::Child,
    folder: tempfile::TempDir,
}

impl Podman {
    /// Starts it.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let store = folder.path().join("store");
        let socket = folder.path().join("podman.sock");
        // Podman wants higher limits than a container of CI may give.
        let settings = folder.path().join("containers.conf");
        std::fs::write(&settings, "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n")
            .expect("written");
        let child = Command::new("podman")
            .env("CONTAINERS_CONF", settings)
            .arg("--root")
            .arg(&store)
            .arg("--runroot")
            .arg(folder.path().join("run"))
            // Its own choice, crun, does not run where control groups of both versions are mounted, as in some machines of CI.
            .args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--runtime", "runc"])
            .args(["system", "service", "--time", "0"])
            .arg(format!("unix://{}", socket.display()))
            .stderr(std::fs::File::create(folder.path().join("log")).expect("log"))
            .spawn()
            .expect("podman");
        let podman = Self { child, folder };
        for _ in 0..200 {
            if socket.exists() {
                return podman;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("podman does not listen");
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("podman.sock").display())
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A socket at which every request for `/version` gets `version`, and every other one `other`; then the connection is closed.
pub fn pretender(folder: &Path, version: &'static str, other: &'static str) -> PathBuf {
    let path = folder.join("engine.sock");
    let listener = UnixListener::bind(&path).expect("socket");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                    request.push(byte[0]);
                }
                let asked = String::from_utf8_lossy(&request).into_owned();
                let answer = if asked.contains("/version") { version } else { other };
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    path
}

/// An answer with this body.
pub fn answer(body: &str) -> &'static str {
    let text = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Box::leak(text.into_boxed_str())
}
