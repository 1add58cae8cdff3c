//! A small signed archive of Debian packages, made by gpg and dpkg-deb.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_appbundle::digest::Digest;

use super::server::{Answer, Server};
use super::{Project, ok};

/// Fields of a Release; a test may change them.
pub const RELEASE: &str = "Origin: Test\nLabel: Test\nSuite: stable\nCodename: bookworm\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n\
    Acquire-By-Hash: no\nArchitectures: all arm64\nComponents: main\n";

/// An archive in a folder.
pub struct Repository {
    folder: tempfile::TempDir,
    /// Text of `Packages`.
    pub packages: String,
}

/// A package to be.
pub struct NewDeb<'a> {
    /// Name.
    pub name: &'a str,
    /// Version.
    pub version: &'a str,
    /// More fields of the control file, each with its line's end.
    pub fields: &'a str,
    /// Files: path, mode, text. A path that ends in `/` is a folder; a mode of 0 makes a link to the text.
    pub files: &'a [(&'a str, u32, &'a str)],
    /// Files that are copied: path, and where it is.
    pub copies: &'a [(&'a str, PathBuf)],
    /// Control files: name and text.
    pub control: &'a [(&'a str, &'a str)],
}

impl<'a> NewDeb<'a> {
    pub fn new(name: &'a str, fields: &'a str) -> Self {
        Self { name, version: "1.0", fields, files: &[], copies: &[], control: &[] }
    }
}

impl Repository {
    /// An archive without packages, with a key of its own, and a second one, `other`, that is not in its keyring.
    pub fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().expect("folder"), packages: String::new() };
        std::fs::create_dir_all(repository.path("gpg")).expect("folder");
        std::fs::create_dir_all(repository.path("www/pool")).expect("folder");
        ok(Command::new("chmod").arg("700").arg(repository.path("gpg")));
        for (name, kind) in [("archive", "ed25519"), ("other", "rsa3072")] {
            repository.gpg(&["--quick-generate-key", &format!("{name} <{name}@example.com>"), kind, "sign", "10y"]);
        }
        let keys = repository.gpg(&["--armor", "--export", "archive@example.com"]);
        std::fs::write(repository.path("keys.asc"), keys).expect("written");
        repository
    }

    /// A path in its folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// gpg with its own keys; gives stdout.
    pub fn gpg(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", "--homedir"]);
        ok(command.arg(self.path("gpg")).args(arguments))
    }

    /// Builds a package and lists it.
    pub fn add(&mut self, deb: &NewDeb<'_>) {
        let root = self.path("build");
        let _ = std::fs::remove_dir_all(&root);
        let architecture = if deb.fields.contains("Architecture:") { "" } else { "Architecture: arm64\n" };
        let control = format!(
            "Package: {}\nVersion: {}\n{architecture}Maintainer: Test <test@example.com>\n{}Description: a test\n of several lines\n",
            deb.name, deb.version, deb.fields
        );
        let write = |path: &Path, text: &str, mode: u32| {
            std::fs::create_dir_all(path.parent().expect("folder")).expect("folders");
            std::fs::write(path, text).expect("written");
            ok(Command::new("chmod").arg(format!("{mode:o}")).arg(path));
        };
        write(&root.join("DEBIAN/control"), &control, 0o644);
        for (name, text) in deb.control {
            write(&root.join("DEBIAN").join(name), text, if name.ends_with("inst") { 0o755 } else { 0o644 });
        }
        for (path, mode, text) in deb.files {
            let full = root.join(path);
            if path.ends_with('/') {
                std::fs::create_dir_all(&full).expect("folder");
                ok(Command::new("chmod").arg(format!("{mode:o}")).arg(&full));
            } else if *mode == 0 {
                std::fs::create_dir_all(full.parent().expect("folder")).expect("folders");
                std::os::unix::fs::symlink(text, &full).expect("link");
            } else {
                write(&full, text, *mode);
            }
        }
        for (path, from) in deb.copies {
            let full = root.join(path);
            std::fs::create_dir_all(full.parent().expect("folder")).expect("folders");
            std::fs::copy(from, full).expect("copied");
        }
        let file = format!("pool/{}_{}.deb", deb.name, deb.version);
        ok(Command::new("dpkg-deb").args(["--build", "--root-owner-group", "-Zxz"]).arg(&root).arg(self.path("www").join(&file)));
        let bytes = std::fs::read(self.path("www").join(&file)).expect("built");
        self.list(&control, &file, &bytes);
    }

    /// Lists a package that lies in the pool already.
    pub fn list(&mut self, control: &str, file: &str, bytes: &[u8]) {
        let (size, sum) = (bytes.len(), Digest::of(bytes).hex());
        let _ = writeln!(self.packages, "{control}Filename: {file}\nSize: {size}\nSHA256: {sum}\n");
    }

    /// Adds a package made of these bytes.
    pub fn add_raw(&mut self, name: &str, bytes: &[u8]) {
        let file = format!("pool/{name}.deb");
        std::fs::write(self.path("www").join(&file), bytes).expect("written");
        self.list(&format!("Package: {name}\nVersion: 1.0\nArchitecture: arm64\n"), &file, bytes);
    }

    /// Signs what is listed, with these fields of the Release and this key.
    pub fn publish_as(&self, suite: &str, release: &str, key: &str) {
        let dists = self.path("www/dists").join(suite);
        let index = dists.join("main/binary-arm64/Packages");
        std::fs::create_dir_all(index.parent().expect("folder")).expect("folders");
        std::fs::write(&index, &self.packages).expect("written");
        let (sum, size) = (Digest::of(&self.packages).hex(), self.packages.len());
        let text = format!("{release}SHA256:\n {sum} {size} main/binary-arm64/Packages\n");
        std::fs::write(dists.join("Release"), text).expect("written");
        let (release, signed) = (dists.join("Release"), dists.join("InRelease"));
        let (release, signed) = (release.to_str().expect("text"), signed.to_str().expect("text"));
        self.gpg(&["--local-user", &format!("{key}@example.com"), "--output", signed, "--clear-sign", release]);
    }

    /// Signs what is listed.
    pub fn publish(&self) {
        self.publish_as("bookworm", RELEASE, "archive");
    }

    /// Serves it.
    pub fn serve(&self) -> Server {
        let folder = self.path("www");
        Server::start(move |asked, _| match std::fs::read(folder.join(asked.path.trim_start_matches('/'))) {
            Ok(bytes) => Answer::new(200, bytes),
            Err(_) => Answer::new(404, "not found"),
        })
    }

    /// A base of its packages, as in a table; `more` are further keys.
    pub fn base(&self, server: &Server, packages: &[&str], more: &str) -> String {
        format!(
            "{{ debian = \"bookworm\", packages = {packages:?}, mirror = \"http://{}\", keyring = \"{}\"{more} }}",
            server.host,
            self.path("keys.asc").display()
        )
    }
}

/// The files of a docker archive's lowest layer, unpacked below the project.
pub fn unpacked(project: &Project, bundle: &str, to: &str) -> PathBuf {
    let folder = project.path().join(to);
    std::fs::create_dir_all(folder.join("image")).expect("folder");
    ok(Command::new("tar").args(["-xf", bundle.trim(), "-C"]).arg(folder.join("image")));
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("image/manifest.json")).expect("manifest")).expect("JSON");
    let layer = folder.join("image").join(manifest[0]["Layers"][0].as_str().expect("layer"));
    std::fs::create_dir_all(folder.join("root")).expect("folder");
    ok(Command::new("tar").args(["--numeric-owner", "-xpf"]).arg(layer).arg("-C").arg(folder.join("root")));
    folder.join("root")
}
