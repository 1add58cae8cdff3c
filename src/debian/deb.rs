//! A package's file (deb(5)): an `ar` archive of `debian-binary`, `control.tar` and `data.tar`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use anyhow::{Context as _, Result, bail, ensure};

use super::spool::Spool;
use crate::archive::{Budget, TarReader, confined, decompressed};

/// Bytes that the control files may unpack to.
const LARGEST_CONTROL: u64 = 64 << 20;

/// Bytes of the names in one package.
const MOST_NAMES: usize = 64 << 20;

/// What a package holds.
#[derive(Debug)]
pub struct Unpacked {
    /// The control files by name: `control`, `postinst`, `md5sums`, …
    pub control: BTreeMap<String, Vec<u8>>,
    /// The files in the order of the archive.
    pub members: Vec<DebMember>,
    /// The paths of all files, also of those that are left out.
    pub listed: Vec<String>,
}

/// A member of `data.tar`.
#[derive(Clone, Debug)]
pub struct DebMember {
    /// Path without `/` at its ends; never empty, never out of the root.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Seconds since the epoch.
    pub mtime: u64,
    /// What it is.
    pub kind: MemberKind,
}

/// What a member is.
#[derive(Clone, Debug)]
pub enum MemberKind {
    /// A folder.
    Folder,
    /// A file: where the spool has it, and its size.
    File(u64, u64),
    /// A symbolic link to this target.
    Symlink(String),
    /// Another name of the file at this path.
    HardLink(String),
}

impl Unpacked {
    /// Unpacks a package. The contents of the files for which `keep` is true go to the spool; of the others nothing is kept.
    ///
    /// # Errors
    /// When it is damaged, unpacks to more than `most` bytes, or has a member that no package should have.
    pub fn read(mut reader: impl BufRead, spool: &Spool, most: u64, keep: &(dyn Fn(&str, bool) -> bool + Sync)) -> Result<Self> {
        let mut magic = [0; 8];
        reader.read_exact(&mut magic).context("it is cut short")?;
        ensure!(&magic == b"!<arch>\n", "it is not a Debian package");
        let (mut control, mut members) = (None, None);
        let mut first = true;
        while let Some((name, size)) = header(&mut reader)? {
            let mut content = (&mut reader).take(size);
            if first {
                ensure!(name == "debian-binary", "its first member is `{}`", name.escape_debug());
                let mut version = String::new();
                (&mut content).take(16).read_to_string(&mut version).context("its version is not text")?;
                ensure!(version.starts_with("2."), "it has the version `{}` of the format", version.trim().escape_debug());
            } else if name.starts_with("control.tar") {
                ensure!(control.is_none(), "it has `control.tar` twice");
                control = Some(read_control(BufReader::new(&mut content)).context("its `control.tar` is damaged")?);
            } else if name.starts_with("data.tar") {
                ensure!(control.is_some() && members.is_none(), "its members are not in order");
                members = Some(read_data(BufReader::new(&mut content), spool, most, keep).context("its `data.tar` is damaged")?);
            } else {
                ensure!(name.starts_with('_'), "it has the unknown member `{}`", name.escape_debug());
            }
            first = false;
            std::io::copy(&mut content, &mut std::io::sink())?;
            ensure!(content.limit() == 0, "it is cut short");
            if size % 2 == 1 {
                reader.fill_buf()?;
                reader.consume(1);
            }
        }
        let (Some(control), Some((members, listed))) = (control, members) else { bail!("it is cut short") };
        Ok(Self { control, members, listed })
    }

    /// A control file as text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.control.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The name and size of the next member of an `ar` archive.
fn header(reader: &mut impl Read) -> Result<Option<(String, u64)>> {
    let mut header = Vec::new();
    reader.by_ref().take(60).read_to_end(&mut header)?;
    if header.is_empty() {
        return Ok(None);
    }
    ensure!(header.len() == 60 && header[58..] == *b"`\n", "it is cut short, or damaged between two members");
    let text = |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).trim_end().to_owned();
    let size = text(48..58).parse().context("a member has no size")?;
    Ok(Some((text(0..16).trim_end_matches('/').to_owned(), size)))
}

fn read_control(reader: impl BufRead) -> Result<BTreeMap<String, Vec<u8>>> {
    let budget = Budget::new(LARGEST_CONTROL);
    let mut tar = TarReader::new(budget.reader(decompressed(reader)?));
    let mut files = BTreeMap::new();
    while let Some(entry) = tar.next_entry()? {
        let name =
            confined(&entry.path).with_context(|| format!("its member `{}` leads out of it", entry.path.escape_debug()))?;
        if entry.is_file() {
            ensure!(!name.contains('/'), "it has a folder");
            let mut bytes = Vec::new();
            tar.read_to_end(&mut bytes)?;
            files.insert(name, bytes);
        }
    }
    tar.drain()?;
    ensure!(files.contains_key("control"), "it has no `control`");
    Ok(files)
}

fn read_data(
    reader: impl BufRead,
    spool: &Spool,
    most: u64,
    keep: &(dyn Fn(&str, bool) -> bool + Sync),
) -> Result<(Vec<DebMember>, Vec<String>)> {
    let budget = Budget::new(most);
    let mut tar = TarReader::new(budget.reader(decompressed(reader)?));
    let (mut members, mut listed, mut names) = (Vec::new(), Vec::new(), 0);
    while let Some(entry) = tar.next_entry()? {
        let shown = || entry.path.escape_debug().to_string();
        // dpkg takes absolute paths as well.
        let path = confined(entry.path.trim_start_matches('/'))
            .with_context(|| format!("its member `{}` leads out of the root folder", shown()))?;
        if path.is_empty() {
            continue;
        }
        names += path.len() + entry.link.as_ref().map_or(0, String::len);
        ensure!(names <= MOST_NAMES, "its names have more than {} MiB", MOST_NAMES >> 20);
        listed.push(path.clone());
        let link = entry.link.clone().unwrap_or_default();
        let is_link = entry.kind.is_symlink();
        let kind = if entry.kind.is_dir() {
            MemberKind::Folder
        } else if is_link {
            ensure!(!link.is_empty() && !link.contains('\0'), "its link `{}` leads nowhere", shown());
            MemberKind::Symlink(link)
        } else if entry.kind.is_hard_link() {
            let target = confined(link.trim_start_matches('/')).filter(|target| !target.is_empty());
            MemberKind::HardLink(target.with_context(|| format!("its link `{}` leads out of the root folder", shown()))?)
        } else if entry.is_file() {
            if !keep(&path, false) {
                continue;
            }
            MemberKind::File(spool.store(&mut tar, entry.size)?, entry.size)
        } else {
            bail!("its member `{}` is not a file, folder or link", shown())
        };
        if matches!(kind, MemberKind::File(..)) || keep(&path, is_link || matches!(kind, MemberKind::Folder)) {
            let (uid, gid, mtime) = (entry.uid, entry.gid, entry.mtime);
            members.push(DebMember { path, mode: entry.mode & 0o7777, uid, gid, mtime, kind });
        }
    }
    tar.drain()?;
    Ok((members, listed))
}
