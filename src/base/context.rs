//! The build context of a Dockerfile: a folder without the files that its `.dockerignore` names (Docker's "Build context").

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use crate::app::{Dockerfile, Target};
use crate::archive::{END_OF_ARCHIVE, Entry, EntryKind, encode, padding};
use crate::digest::Digest;
use crate::segment::KnownDigests;

/// The Dockerfile's path in the context, if its file lies outside.
const FOREIGN: &str = ".appbundle.Dockerfile";

/// The files of a build context, by path.
#[derive(Debug)]
pub struct BuildContext {
    /// The Dockerfile's path in the context.
    pub dockerfile: String,
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    entry: Entry,
    from: PathBuf,
    digest: Option<Digest>,
}

impl BuildContext {
    /// Finds the files of a build context.
    ///
    /// # Errors
    /// When a file cannot be read, or a pattern is invalid.
    pub fn read(source: &Dockerfile, known: &KnownDigests) -> Result<Self> {
        let failed = || format!("failed to read the build context of `{}`", source.written);
        let ignored = Ignored::read(source).with_context(failed)?;
        let inside = source.path.strip_prefix(&source.context).ok().and_then(Path::to_str).map(str::to_owned);
        let dockerfile = inside.unwrap_or_else(|| FOREIGN.to_owned());
        let mut files = Vec::new();
        for found in WalkDir::new(&source.context).min_depth(1).sort_by_file_name() {
            let found = found.with_context(failed)?;
            let relative = found.path().strip_prefix(&source.context).unwrap_or(found.path());
            let path = relative.to_str().with_context(|| format!("the name of `{}` is not UTF-8", relative.display()))?;
            if path != dockerfile && ignored.has(path) {
                continue;
            }
            let kind = found.file_type();
            if kind.is_dir() {
                files.push(File::new(path, 0o755, EntryKind::Folder, found.path()));
            } else if kind.is_symlink() {
                let target = fs_err::read_link(found.path())?;
                let target = target.to_str().with_context(|| format!("the target of the link `{path}` is not UTF-8"))?;
                files.push(File::new(path, 0o777, EntryKind::Symlink(target.to_owned()), found.path()));
            } else if kind.is_file() {
                files.push(File::of(path, found.path(), known).with_context(failed)?);
            }
        }
        if dockerfile == FOREIGN {
            files.push(File::of(FOREIGN, &source.path, known).with_context(failed)?);
        }
        Ok(Self { dockerfile, files })
    }

    /// Adds a package's folder under a name, without Cargo's build output.
    ///
    /// # Errors
    /// When a file cannot be read, or the name is taken.
    pub fn add(&mut self, name: &str, folder: &Path, known: &KnownDigests) -> Result<()> {
        let failed = || format!("failed to read the package `{name}`");
        let taken = self.files.iter().any(|file| file.entry.path == name);
        anyhow::ensure!(!taken, "the build context already has a file or folder `{name}`, where the package would go");
        self.files.push(File::new(name, 0o755, EntryKind::Folder, folder));
        let built =
            |entry: &walkdir::DirEntry| entry.depth() == 1 && (entry.file_name() == "target" || entry.file_name() == ".git");
        for found in WalkDir::new(folder).min_depth(1).sort_by_file_name().into_iter().filter_entry(|entry| !built(entry)) {
            let found = found.with_context(failed)?;
            let relative = found.path().strip_prefix(folder).unwrap_or(found.path());
            let path = relative.to_str().with_context(|| format!("the name of `{}` is not UTF-8", relative.display()))?;
            let path = format!("{name}/{path}");
            if found.file_type().is_symlink() {
                let target = fs_err::read_link(found.path())?;
                let target = target.to_str().with_context(|| format!("the target of the link `{path}` is not UTF-8"))?;
                self.files.push(File::new(&path, 0o777, EntryKind::Symlink(target.to_owned()), found.path()));
            } else if found.file_type().is_dir() {
                self.files.push(File::new(&path, 0o755, EntryKind::Folder, found.path()));
            } else if found.file_type().is_file() {
                self.files.push(File::of(&path, found.path(), known).with_context(failed)?);
            }
        }
        Ok(())
    }

    /// A context with only these files, links and folders of a folder, all with the same timestamp.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn of(folder: &Path, dockerfile: &str, paths: &[&str], mtime: u64, known: &KnownDigests) -> Result<Self> {
        let mut files: std::collections::BTreeMap<String, File> = std::collections::BTreeMap::new();
        for path in paths.iter().copied().chain([dockerfile]) {
            for (at, _) in path.match_indices('/') {
                let parent = &path[..at];
                files.entry(parent.to_owned()).or_insert_with(|| File::new(parent, 0o755, EntryKind::Folder, folder));
            }
            let from = folder.join(path);
            let kind = fs_err::symlink_metadata(&from)?.file_type();
            let file = if kind.is_dir() {
                File::new(path, 0o755, EntryKind::Folder, &from)
            } else if kind.is_symlink() {
                let target = fs_err::read_link(&from)?.to_string_lossy().into_owned();
                File::new(path, 0o777, EntryKind::Symlink(target), &from)
            } else {
                File::of(path, &from, known)?
            };
            files.insert(path.to_owned(), file);
        }
        let mut files: Vec<File> = files.into_values().collect();
        files.iter_mut().for_each(|file| file.entry.mtime = mtime);
        Ok(Self { dockerfile: dockerfile.to_owned(), files })
    }

    /// The digest of everything that a build depends on, except the images of its `FROM` lines.
    pub fn sum(&self, source: &Dockerfile, target: &Target) -> Result<Digest> {
        let mut text = format!("dockerfile-1 {} {} {:?} {:?}", self.dockerfile, target.platform, source.args, source.target);
        for File { entry, digest, .. } in &self.files {
            write!(text, "\n{} {:o} {:?} {digest:?}", entry.path, entry.mode, entry.kind)?;
        }
        Ok(Digest::of(text.as_bytes()))
    }

    /// The total size of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| if let EntryKind::File(size) = file.entry.kind { size } else { 0 }).sum()
    }

    /// Writes the context as a tar.
    ///
    /// # Errors
    /// When a file changes while it is read.
    pub fn write(&self, to: &mut dyn Write, written: &dyn Fn(u64)) -> Result<()> {
        for File { entry, from, .. } in &self.files {
            to.write_all(&encode(entry)?)?;
            if let EntryKind::File(size) = entry.kind {
                let copied = std::io::copy(&mut std::io::Read::take(fs_err::File::open(from)?, size), to)?;
                anyhow::ensure!(copied == size, "`{}` changed while it was being read", from.display());
                to.write_all(padding(size))?;
                written(size);
            }
        }
        Ok(to.write_all(&END_OF_ARCHIVE)?)
    }
}

impl File {
    fn new(path: &str, mode: u32, kind: EntryKind, from: &Path) -> Self {
        Self { entry: Entry { path: path.to_owned(), mode, uid: 0, gid: 0, mtime: 0, kind }, from: from.to_owned(), digest: None }
    }

    fn of(path: &str, from: &Path, known: &KnownDigests) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        let executable = fs_err::metadata(from)?.permissions().mode() & 0o100 != 0;
        let (digest, size) = known.digest(from)?;
        let file = Self::new(path, if executable { 0o755 } else { 0o644 }, EntryKind::File(size), from);
        Ok(Self { digest: Some(digest), ..file })
    }
}

/// The patterns of a `.dockerignore`. The last pattern that matches a path or a folder above it decides.
struct Ignored {
    /// Whether it is an exception (`!`).
    patterns: Vec<(GlobMatcher, bool)>,
}

impl Ignored {
    /// `NAME.dockerignore` next to the Dockerfile takes precedence over `.dockerignore` in the context.
    fn read(source: &Dockerfile) -> Result<Self> {
        let mut own = source.path.clone().into_os_string();
        own.push(".dockerignore");
        let path = [PathBuf::from(own), source.context.join(".dockerignore")].into_iter().find(|path| path.is_file());
        path.map_or(Ok(Self { patterns: Vec::new() }), |path| Self::parse(&fs_err::read_to_string(path)?))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut patterns = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (pattern, back) = line.strip_prefix('!').map_or((line, false), |rest| (rest.trim(), true));
            let pattern = crate::archive::normal(pattern);
            if pattern.is_empty() {
                continue;
            }
            let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build();
            let glob = glob.with_context(|| format!("`{line}` in `.dockerignore` is not a valid pattern"))?;
            patterns.push((glob.compile_matcher(), back));
        }
        Ok(Self { patterns })
    }

    fn has(&self, path: &str) -> bool {
        let ends = || path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let mut ignored = false;
        for (pattern, back) in &self.patterns {
            if ends().any(|end| pattern.is_match(&path[..end])) {
                ignored = !back;
            }
        }
        ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_decides() {
        let ignored = Ignored::parse("# ours\n*.md\n!README.md\n/target\n**/*.tmp\ndeep/*\n!deep/kept\n").expect("patterns");
        for path in ["a.md", "target/debug/x", "x.tmp", "a/b/x.tmp", "deep/lost/file"] {
            assert!(ignored.has(path), "{path}");
        }
        for path in ["README.md", "docs/a.md", "sub/target", "deep", "deep/kept", "deep/kept/file"] {
            assert!(!ignored.has(path), "{path}");
        }
    }
}
