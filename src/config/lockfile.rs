//! `appbundle.lock`: pins each image reference to a digest, so that every build uses the same base.

mod locked;
mod packages;

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Manifest, Problem, Problems, Step};
use crate::debian::DebianPin;
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::registry::Reference;
pub use locked::refuse_change;

/// The file's name; it is next to the root manifest.
pub const NAME: &str = "appbundle.lock";

const COMMENT: &str = "# This file is made by `cargo appbundle`, and moved on by `cargo appbundle update`.\n\
    # Keep it under version control: with it every build has the same base images.\n";

/// All pins.
#[derive(Clone, Debug)]
pub struct Lockfile {
    path: PathBuf,
    /// The text of the file; `None` if there is no file.
    read: Option<Manifest>,
    table: Table,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    version: u32,
    #[serde(default, rename = "image", skip_serializing_if = "Vec::is_empty")]
    images: Vec<Pin>,
    #[serde(default, rename = "debian", skip_serializing_if = "Vec::is_empty")]
    debian: Vec<DebianPin>,
}

/// The pin of a reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pin {
    /// The complete reference: `docker.io/library/debian:bookworm-slim`.
    pub reference: String,
    /// Digest of the index, or of the manifest if there is no index.
    pub digest: Digest,
    /// The image of each platform that was built.
    #[serde(default, rename = "platform")]
    pub platforms: Vec<PlatformPin>,
}

/// One platform's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlatformPin {
    /// `linux/arm64`
    pub name: String,
    /// Digest of the manifest.
    pub digest: Digest,
    /// Digests of the unpacked layers, lowest first.
    pub diff_ids: Vec<Digest>,
    /// The newest symbol version that its C library defines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<String>,
}

impl Pin {
    /// The image for a platform.
    pub fn platform(&self, name: &str) -> Option<&PlatformPin> {
        self.platforms.iter().find(|platform| platform.name == name)
    }
}

impl Lockfile {
    /// Reads the file next to the root manifest; a missing file counts as empty.
    ///
    /// # Errors
    /// [`Problems`] with the location of each fault.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        if !path.exists() {
            return Ok(Self { path, read: None, table: Table { version: 1, ..Table::default() } });
        }
        let manifest = Manifest::read(&path)?;
        let table = parse(&manifest)?;
        Ok(Self { path, read: Some(manifest), table })
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All pins.
    pub fn pins(&self) -> &[Pin] {
        &self.table.images
    }

    /// The pin of a reference, if there is one.
    pub fn pin(&self, reference: &str) -> Option<&Pin> {
        self.table.images.iter().find(|pin| pin.reference == reference)
    }

    /// Pins one platform of a reference. If the digest differs from the previous one, the other platforms are removed.
    pub fn set(&mut self, reference: &str, digest: Digest, platform: PlatformPin) {
        let mut pin = match self.table.images.iter().position(|pin| pin.reference == reference) {
            Some(at) => self.table.images.remove(at),
            None => Pin { reference: reference.to_owned(), digest, platforms: Vec::new() },
        };
        if pin.digest != digest {
            pin = Pin { digest, platforms: Vec::new(), ..pin };
        }
        pin.platforms.retain(|other| other.name != platform.name);
        pin.platforms.push(platform);
        pin.platforms.sort_by(|a, b| a.name.cmp(&b.name));
        self.table.images.push(pin);
        self.table.images.sort_by(|a, b| a.reference.cmp(&b.reference));
    }

    /// Removes the pin of a reference.
    pub fn remove(&mut self, reference: &str) {
        self.table.images.retain(|pin| pin.reference != reference);
    }

    /// Writes the file atomically if its content changed; returns whether it did.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self) -> Result<bool> {
        if self.table.images.is_empty() && self.table.debian.is_empty() && self.read.is_none() {
            return Ok(false);
        }
        if let Some(manifest) = &self.read
            && parse(manifest).is_ok_and(|table| table == self.table)
        {
            return Ok(false);
        }
        crate::fs::write(&self.path, self.render()?.as_bytes())?;
        self.read = Some(Manifest::read(&self.path)?);
        Ok(true)
    }

    fn render(&self) -> Result<String> {
        Ok(format!("{COMMENT}{}", toml::to_string_pretty(&self.table)?))
    }

    /// Reports a fault in a pin at its key, or at the same key of one of its platforms.
    pub fn wrong(&self, reference: &str, platform: Option<&str>, key: &str, message: String) -> anyhow::Error {
        let Some(manifest) = &self.read else { return anyhow::anyhow!(message) };
        let at = self.table.images.iter().position(|pin| pin.reference == reference).unwrap_or_default();
        let mut steps = vec![Step::Key("image"), Step::Index(at)];
        let platforms = self.table.images.get(at).map(|pin| &pin.platforms);
        if let Some(inner) = platforms.and_then(|all| all.iter().position(|one| Some(one.name.as_str()) == platform)) {
            steps.extend([Step::Key("platform"), Step::Index(inner)]);
        }
        steps.push(Step::Key(key));
        failed(manifest.problem(Code::LockFile, &steps, message).help(format!("run `cargo appbundle update {reference}`")))
    }
}

fn failed(problem: Problem) -> anyhow::Error {
    let mut problems = Problems::default();
    problems.push(problem);
    problems.into_result().err().unwrap_or_else(|| anyhow::anyhow!("failed to read `{NAME}`"))
}

fn parse(manifest: &Manifest) -> Result<Table> {
    let mut start = 0;
    for line in manifest.text.split_inclusive('\n') {
        if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
            let span = start..start + line.trim_end().len();
            let help =
                format!("keep one side with `git checkout --theirs {NAME}` or `--ours`, then run `cargo appbundle update`");
            return Err(failed(
                manifest.problem_at(Code::LockFile, span, "the lock file has marks of a merge conflict").help(help),
            ));
        }
        start += line.len();
    }
    let table: Table = toml::from_str(&manifest.text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let problem = manifest.problem_at(Code::LockFile, span, error.message().to_owned());
        failed(problem.help("undo the change, or remove the file and build again"))
    })?;
    if table.version != 1 {
        let message = format!("this lock file has version {}, which a newer `cargo appbundle` wrote", table.version);
        return Err(failed(manifest.problem(Code::LockFile, &[Step::Key("version")], message)));
    }
    for (at, pin) in table.images.iter().enumerate() {
        if table.images[..at].iter().any(|other| other.reference == pin.reference) {
            let steps = [Step::Key("image"), Step::Index(at), Step::Key("reference")];
            return Err(failed(
                manifest
                    .problem(Code::LockFile, &steps, format!("`{}` occurs twice", pin.reference))
                    .help("keep one of the two, then run `cargo appbundle update`"),
            ));
        }
        let whole = pin.reference.parse::<Reference>().map(|reference| reference.to_string());
        if whole.as_ref() != Ok(&pin.reference) {
            let steps = [Step::Key("image"), Step::Index(at), Step::Key("reference")];
            let message = match whole {
                Ok(whole) => format!("`{}` is not a full name: write `{whole}`", pin.reference),
                Err(why) => why,
            };
            return Err(failed(
                manifest.problem(Code::LockFile, &steps, message).help("undo the change, or remove the file and build again"),
            ));
        }
        for (inner, platform) in pin.platforms.iter().enumerate() {
            if pin.platforms[..inner].iter().any(|other| other.name == platform.name) {
                let steps = [Step::Key("image"), Step::Index(at), Step::Key("platform"), Step::Index(inner), Step::Key("name")];
                let message = format!("`{}` has {} twice", pin.reference, platform.name);
                return Err(failed(
                    manifest
                        .problem(Code::LockFile, &steps, message)
                        .help("keep one of the two, then run `cargo appbundle update`"),
                ));
            }
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(name: &str) -> PlatformPin {
        let digest = Digest::of(name);
        PlatformPin { name: name.into(), digest, diff_ids: vec![digest], glibc: Some("2.36".into()) }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("folder");
        let read = || Lockfile::read(folder.path()).expect("lock file");
        let mut lockfile = read();
        assert!(!lockfile.write().expect("nothing to write"));
        lockfile.set("docker.io/library/b:1", Digest::of("b"), platform("linux/arm64"));
        lockfile.set("docker.io/library/a:1", Digest::of("a"), platform("linux/arm64"));
        lockfile.set("docker.io/library/a:1", Digest::of("a"), platform("linux/amd64"));
        assert!(lockfile.write().expect("written") && !lockfile.write().expect("the same"));
        let text = std::fs::read_to_string(lockfile.path()).expect("text");
        assert!(text.starts_with("# This file is made by `cargo appbundle`"), "{text}");
        let mut again = read();
        assert_eq!(again.table, lockfile.table);
        assert_eq!(again.pins()[0].platforms.len(), 2);
        assert!(!again.write().expect("the same"));
        again.set("docker.io/library/a:1", Digest::of("other"), platform("linux/arm64"));
        assert_eq!(again.pin("docker.io/library/a:1").map(|pin| pin.platforms.len()), Some(1));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let folder = tempfile::tempdir().expect("folder");
        let digest = Digest::of("a");
        let report = |text: &str| {
            std::fs::write(folder.path().join(NAME), text).expect("written");
            let path = folder.path().join(NAME).display().to_string();
            Lockfile::read(folder.path()).expect_err("wrong").to_string().replace(&path, "LOCK")
        };
        let conflict = report("version = 1\n<<<<<<< HEAD\n=======\n>>>>>>> x\n");
        assert!(conflict.contains("marks of a merge conflict") && conflict.contains("LOCK:2:1"), "{conflict}");
        let unknown = report(&format!("version = 1\n[[image]]\nreference = \"a\"\ndigest = \"{digest}\"\nshape = 1\n"));
        assert!(unknown.contains("shape") && unknown.contains("LOCK:5:1"), "{unknown}");
        let no_digest = report("version = 1\n[[image]]\nreference = \"a\"\ndigest = \"sha256:12\"\n");
        assert!(no_digest.contains("is not a sha256 digest") && no_digest.contains("LOCK:4:10"), "{no_digest}");
        assert!(report("version = 2\n").contains("newer") && report("version = 2\n").contains("LOCK:1:"));
        // What is left when somebody takes away the marks alone, or edits the file.
        let image = |reference: &str| format!("[[image]]\nreference = \"{reference}\"\ndigest = \"{digest}\"\n");
        let platform = format!("[[image.platform]]\nname = \"linux/arm64\"\ndigest = \"{digest}\"\ndiff-ids = []\n");
        let debian = image("docker.io/library/debian:12");
        for (text, words, place) in [
            (format!("version = 1\n{debian}{debian}"), "`docker.io/library/debian:12` occurs twice", "LOCK:6:13"),
            (format!("version = 1\n{debian}{platform}{platform}"), "has linux/arm64 twice", "LOCK:10:8"),
            (format!("version = 1\n{}", image("debian:12")), "write `docker.io/library/debian:12`", "LOCK:3:13"),
            (format!("version = 1\n{}", image("Debian 12")), "is not an image reference", "LOCK:3:13"),
            ("version = 1\n[[image]]\nreference = \"a.io/a:1\"\n".into(), "missing field `digest`", "LOCK:2:1"),
            (format!("version = 1\n{debian}[[image.platform]]\nname = 7\n"), "invalid type: integer", "LOCK:6:8"),
            (debian.clone(), "missing field `version`", "LOCK:1:1"),
            ("version = \"1\"\n".into(), "invalid type: string", "LOCK:1:11"),
            ("version = 1\n[[image]\n".into(), "", "LOCK:2:"),
        ] {
            let said = report(&text);
            assert!(said.contains(words) && said.contains(place) && said.contains("help: "), "{place} in {said}");
        }
    }
}
