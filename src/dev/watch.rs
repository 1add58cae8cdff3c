//! Finds source files that changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use walkdir::{DirEntry, WalkDir};

use crate::pipeline::Session;

/// Folders that contain no hand-written files.
const FOLDERS: [&str; 7] = [".git", ".hg", ".svn", ".jj", ".idea", ".vscode", "node_modules"];

/// How long files must stay unchanged: editors and `git checkout` write in several steps.
const QUIET: Duration = Duration::from_millis(25);

/// How long to wait for that at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// After a scan that took t, the next one waits SHARE × t.
const SHARE: u32 = 20;

type Snapshot = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// The files below some folders, as of the last scan.
pub struct Watch {
    folders: Vec<PathBuf>,
    ignored: Vec<PathBuf>,
    seen: Snapshot,
    next: Instant,
}

impl Watch {
    /// Watches the sources of a workspace: its folder, and the folders of members outside it.
    pub fn of(session: &Session) -> Self {
        let root = &session.workspace.root;
        let mut folders = vec![root.clone()];
        let elsewhere = session.workspace.members.iter().map(|member| member.folder().to_owned());
        folders.extend(elsewhere.filter(|folder| !folder.starts_with(root)));
        Self::new(folders, vec![session.workspace.target_dir.clone(), session.plan.output.clone()])
    }

    /// Starts from the current files. Ignores Cargo's target folders, version control, editors' temporary files, and everything
    /// in `ignored`.
    pub fn new(folders: Vec<PathBuf>, ignored: Vec<PathBuf>) -> Self {
        let mut watch = Self { folders, ignored, seen: Snapshot::new(), next: Instant::now() };
        watch.seen = watch.look();
        watch
    }

    /// The files written, added or removed since the last call, once they stop changing. Scans rarely enough that a large
    /// workspace costs no more than a small one.
    pub fn changed(&mut self) -> Vec<PathBuf> {
        let begin = Instant::now();
        if begin < self.next {
            return Vec::new();
        }
        let mut now = self.look();
        self.next = Instant::now() + begin.elapsed() * SHARE;
        if now == self.seen {
            return Vec::new();
        }
        loop {
            std::thread::sleep(QUIET);
            let later = self.look();
            let quiet = later == now;
            now = later;
            if quiet || begin.elapsed() > PATIENCE {
                break;
            }
        }
        let paths: BTreeSet<&PathBuf> = self.seen.keys().chain(now.keys()).collect();
        let changed = paths.into_iter().filter(|path| self.seen.get(*path) != now.get(*path)).cloned().collect();
        self.seen = now;
        changed
    }

    /// Treats files of these names as unchanged, because the build writes them too.
    pub fn accept(&mut self, names: &[&str]) {
        let ours = |path: &Path| path.file_name().is_some_and(|name| names.iter().any(|ours| name == *ours));
        let now = self.look();
        self.seen.retain(|path, _| !ours(path));
        self.seen.extend(now.into_iter().filter(|(path, _)| ours(path)));
    }

    fn look(&self) -> Snapshot {
        let mut found = Snapshot::new();
        for folder in &self.folders {
            let entries = WalkDir::new(folder).into_iter().filter_entry(|entry| entry.depth() == 0 || self.counts(entry));
            for entry in entries.flatten().filter(|entry| !entry.file_type().is_dir()) {
                // A file may disappear during the scan.
                let Ok(metadata) = std::fs::metadata(entry.path()) else { continue };
                found.insert(entry.into_path(), (metadata.len(), metadata.modified().ok()));
            }
        }
        found
    }

    fn counts(&self, entry: &DirEntry) -> bool {
        let name = entry.file_name().to_string_lossy();
        if entry.file_type().is_dir() {
            return !FOLDERS.contains(&&*name)
                && !self.ignored.iter().any(|ignored| ignored == entry.path())
                && !entry.path().join("CACHEDIR.TAG").exists();
        }
        !is_temporary(&name)
    }
}

/// Whether an editor writes such a file next to the one being saved.
fn is_temporary(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    name.ends_with('~')
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || name.starts_with(".goutputstream-")
        || name == "4913"
        || name.ends_with("___jb_tmp___")
        || matches!(ending, "swp" | "swo" | "swx" | "swpx" | "tmp" | "bak" | "orig")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_by_hand_counts() {
        let folder = tempfile::tempdir().expect("folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("folder")).expect("folders");
            std::fs::write(path, text).expect("written");
        };
        write("src/main.rs", "a");
        write("src/gone.rs", "a");
        write("elsewhere/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55");
        let mut watch = Watch::new(vec![folder.path().to_owned()], vec![folder.path().join("out")]);
        let mut changed = || {
            watch.next = Instant::now();
            let strip = |path: PathBuf| path.strip_prefix(folder.path()).expect("below").display().to_string();
            watch.changed().into_iter().map(strip).collect::<Vec<_>>()
        };
        assert!(changed().is_empty());
        for path in ["out/x", "elsewhere/debug/x", ".git/index", "src/.main.rs.swp", "src/main.rs~", "src/.#main.rs", "src/4913"]
        {
            write(path, "x");
        }
        assert!(changed().is_empty());
        write("src/main.rs", "ab");
        write("src/new/mod.rs", "x");
        std::fs::remove_file(folder.path().join("src/gone.rs")).expect("removed");
        assert_eq!(changed(), ["src/gone.rs", "src/main.rs", "src/new/mod.rs"]);
        assert!(changed().is_empty());
    }
}
