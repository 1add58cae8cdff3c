//! Files that appear whole or not at all.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use tempfile::NamedTempFile;

/// Begins the name of every file that is not finished yet.
const PARTIAL: &str = ".appbundle-partial-";

/// A file that is being written next to where it shall stand. Dropped, it is removed; [`Pending::commit`] renames it
/// into place in one step.
pub struct Pending {
    file: NamedTempFile,
    target: PathBuf,
}

impl Pending {
    /// Creates the folder if need be, and an empty file under a temporary name in it.
    pub fn new(target: &Path) -> Result<Self> {
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs_err::create_dir_all(folder)?;
        let file = builder().tempfile_in(folder).with_context(|| format!("failed to write `{}`", target.display()))?;
        Ok(Self { file, target: target.to_owned() })
    }

    /// The open file.
    pub fn file(&mut self) -> &mut std::fs::File {
        self.file.as_file_mut()
    }

    /// The temporary path.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the file its name; an older file of that name is replaced.
    pub fn commit(self) -> Result<()> {
        let target = self.target;
        // Renaming over a file makes ext4 write all of the new one to the disk first. Changing places does not, and is as
        // atomic; the older file then goes away with the temporary name.
        if crate::os::exchange(self.file.path(), &target) {
            return Ok(());
        }
        self.file.persist(&target).map_err(|e| e.error).with_context(|| format!("failed to write `{}`", target.display()))?;
        Ok(())
    }

    /// Gives the file another name than it was made for, in the same folder.
    pub fn commit_as(mut self, target: &Path) -> Result<()> {
        self.target = target.to_owned();
        self.commit()
    }
}

/// A temporary folder, which goes away when it is dropped; in the current folder where the system has none, as in an empty container.
///
/// # Errors
/// When neither can be written.
pub fn scratch() -> Result<tempfile::TempDir> {
    let parent = Some(std::env::temp_dir()).filter(|folder| folder.is_dir()).unwrap_or_else(|| ".".into());
    tempfile::tempdir_in(parent).context("failed to create a temporary folder")
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The umask takes its share away, as for every file that a program creates.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// A file without a name that goes away by itself, for what is too large for the memory.
///
/// # Errors
/// When the folder for temporary files cannot be written.
pub fn unnamed() -> Result<std::fs::File> {
    tempfile::tempfile().with_context(|| format!("failed to write into `{}`", std::env::temp_dir().display()))
}

/// Writes a whole file in one step.
pub fn write(path: &Path, contents: &[u8]) -> Result<()> {
    use io::Write as _;
    let mut pending = Pending::new(path)?;
    pending.file().write_all(contents).with_context(|| format!("failed to write `{}`", path.display()))?;
    pending.commit()
}

/// Writes a whole file in one step unless it holds these bytes already; says whether it wrote.
pub fn write_if_changed(path: &Path, contents: &[u8]) -> Result<bool> {
    if std::fs::read(path).is_ok_and(|old| old == contents) {
        return Ok(false);
    }
    write(path, contents)?;
    Ok(true)
}

/// Removes what a killed process left half-written directly in `folder`. The caller holds the folder's lock.
pub fn remove_leftovers(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// What tells an unchanged file from a changed one without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the epoch, of the content's last change.
    pub modified: u128,
    /// Nanoseconds since the epoch, of the last change of content or of what describes it.
    pub changed: u128,
    /// The file's number in its file system.
    pub inode: u64,
}

/// This moment, in nanoseconds since the epoch.
pub fn now() -> u128 {
    since_epoch(SystemTime::now())
}

fn since_epoch(time: SystemTime) -> u128 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

impl Stamp {
    /// Reads the stamp of what `path` leads to.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&std::fs::metadata(path)?))
    }

    /// Whether the file's last change was so long before this moment, in nanoseconds since the epoch, that any later one gives it
    /// another stamp.
    pub fn is_before(&self, moment: u128) -> bool {
        let whole_seconds = self.modified.is_multiple_of(1_000_000_000);
        let tick = if whole_seconds { Duration::from_secs(2) } else { Duration::from_millis(50) };
        self.modified.max(self.changed) + tick.as_nanos() < moment
    }

    /// The stamp of an open or listed file.
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        let (changed, inode) = {
            use std::os::unix::fs::MetadataExt as _;
            ((metadata.ctime() as u128) * 1_000_000_000 + metadata.ctime_nsec() as u128, metadata.ino())
        };
        #[cfg(not(unix))]
        let (changed, inode) = (0, 0);
        Self { size: metadata.len(), modified: metadata.modified().map_or(0, since_epoch), changed, inode }
    }
}

/// Puts a file, with a mode that a checkout keeps, at another place too. It is linked where its mode and the file system allow it,
/// so that a large one costs nothing; else it is copied once. A link or a copy that stands already is left alone: making it again
/// would change the file's stamp, and have it read again by the next build.
///
/// # Errors
/// When a folder is in the way, or it cannot be written.
pub fn link(from: &Path, to: &Path, executable: bool) -> Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    // A link to a link would be one to a place that need not be there.
    let from = &fs_err::canonicalize(from)?;
    let source = fs_err::metadata(from)?;
    let wanted = if executable { 0o755 } else { 0o644 };
    let linked = source.permissions().mode() & 0o777 == wanted;
    let is_there = |old: std::fs::Metadata| match (old.dev(), old.ino()) == (source.dev(), source.ino()) {
        true => linked,
        // A copy has the time of what it was made of.
        false => {
            let same_time = old.modified().ok().is_some_and(|time| source.modified().ok() == Some(time));
            old.is_file() && same_time && old.len() == source.len() && old.permissions().mode() & 0o777 == wanted
        }
    };
    if std::fs::symlink_metadata(to).is_ok_and(is_there) {
        return Ok(());
    }
    remove(to)?;
    if !linked || std::fs::hard_link(from, to).is_err() {
        let mut copy = Pending::new(to)?;
        let failed = || format!("failed to write `{}`", to.display());
        // Between files, the kernel copies: file systems that can share the bytes do so.
        let mut original = std::fs::File::open(from).with_context(|| format!("failed to read `{}`", from.display()))?;
        io::copy(&mut original, copy.file()).with_context(failed)?;
        copy.file().set_modified(source.modified()?).with_context(failed)?;
        fs_err::set_permissions(copy.path(), std::fs::Permissions::from_mode(wanted))?;
        copy.commit()?;
    }
    Ok(())
}

/// Removes a file; one that is not there is fine.
///
/// # Errors
/// When it is a folder, or cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => bail!("`{}` is a folder", path.display()),
        Ok(_) => Ok(fs_err::remove_file(path)?),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_linked_is_copied_once() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        let inode = |name: &str| std::fs::metadata(at(name)).expect("metadata").ino();
        write(&at("shared"), b"one").expect("written");
        // As a checkout has it where groups may write.
        std::fs::set_permissions(at("shared"), std::fs::Permissions::from_mode(0o664)).expect("mode");
        link(&at("shared"), &at("copy"), false).expect("copied");
        let first = inode("copy");
        assert_ne!(first, inode("shared"));
        assert_eq!(std::fs::metadata(at("copy")).expect("metadata").mode() & 0o777, 0o644);
        link(&at("shared"), &at("copy"), false).expect("left");
        assert_eq!(inode("copy"), first);
        std::fs::write(at("shared"), "three").expect("changed");
        link(&at("shared"), &at("copy"), false).expect("copied");
        assert_eq!(std::fs::read(at("copy")).expect("read"), b"three");
        std::fs::set_permissions(at("shared"), std::fs::Permissions::from_mode(0o644)).expect("mode");
        link(&at("shared"), &at("other"), false).expect("linked");
        assert_eq!(inode("other"), inode("shared"));
    }

    #[test]
    fn a_dropped_file_leaves_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let target = folder.path().join("sub/file");
        drop(Pending::new(&target).expect("pending"));
        assert_eq!(std::fs::read_dir(folder.path().join("sub")).expect("folder").count(), 0);
        write(&target, b"x").expect("written");
        assert!(!write_if_changed(&target, b"x").expect("compared"));
        assert!(write_if_changed(&target, b"y").expect("compared"));
        assert_eq!(std::fs::read(&target).expect("read"), b"y");
    }
}
