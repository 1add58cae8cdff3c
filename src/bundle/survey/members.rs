//! An archive of images, read front to back once: what each member is, whatever their order.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};

use super::layer::FoundLayer;
use super::limits::Limits;
use crate::archive::{Budget, Compression, Counted, TarReader, confined, decompressed, places};
use crate::bundle::document::SBOM;
use crate::digest::{Digest, Hasher, Summed};
use crate::mender::Faults;
use crate::oci::LARGEST_DOCUMENT;
use crate::store::{self, ALL_DOCUMENTS};

/// Members that are remembered.
const MOST: usize = 50_000;
/// Layers that are looked into.
const MOST_LAYERS: usize = 4096;
/// Bytes of dpkg's records in all layers, and of lists of crates.
const MOST_RECORDS: usize = 64 << 20;
/// Bytes of a member's name.
const LONGEST: usize = 1024;

/// What an archive holds, by path without `./`.
#[derive(Debug, Default)]
pub struct ImageMembers {
    /// Files.
    files: BTreeMap<String, ImageMember>,
    /// Links, to the path they lead to.
    links: BTreeMap<String, String>,
    /// How the whole archive was compressed.
    pub compression: Option<Compression>,
    /// What is wrong with the archive itself.
    pub faults: Faults,
    /// Whether all of it could be read, so that what was not seen is not there.
    pub whole: bool,
    /// Whether any member is a link.
    pub linked: bool,
}

/// One file of the archive.
#[derive(Debug)]
pub struct ImageMember {
    /// Bytes as they stand in the archive.
    pub size: u64,
    /// Their sum.
    pub digest: Digest,
    /// Bytes that it takes in a compressed archive.
    pub packed: Option<u64>,
    /// What it is.
    pub content: MemberContent,
    /// Bytes of members before it that have its path and its bytes.
    again: u64,
}

/// What a member is.
#[derive(Debug)]
pub enum MemberContent {
    /// Text that looks like JSON.
    Document(Vec<u8>),
    /// A tar, plain or compressed, or at least something compressed.
    Layer(Box<FoundLayer>),
    /// Something else.
    Other,
}

impl ImageMembers {
    /// Reads an archive that is plain, or compressed as a whole. Without limits,
    /// layers that are compressed by themselves are not unpacked.
    pub fn read(reader: impl Read, budget: &Budget, limits: Option<Limits>) -> Self {
        let mut members = Self::default();
        match members.walk(reader, budget, limits) {
            Ok(()) => members.whole = true,
            Err(error) => members.faults.add(format!("{error:#}")),
        }
        members
    }

    /// Reads an uncompressed archive without the layers in it that are compressed and named by their sums, which are believed.
    ///
    /// # Errors
    /// When it is no tar, or is cut short.
    pub fn sought(mut file: File) -> anyhow::Result<Self> {
        let mut members = Self { compression: Some(Compression::None), whole: true, ..Self::default() };
        let mut documents = 0;
        for (path, (offset, size)) in places(file.try_clone()?)?.into_iter().filter(|(path, _)| path != SBOM) {
            file.seek(SeekFrom::Start(offset))?;
            let mut head = Vec::new();
            file.by_ref().take(size.min(16)).read_to_end(&mut head)?;
            let named = path.strip_prefix("blobs/sha256/").and_then(Digest::from_hex);
            let member = match (named, Compression::of(&head)) {
                (Some(digest), compression) if compression != Compression::None => {
                    let layer = FoundLayer { compression, ..FoundLayer::default() };
                    ImageMember { size, digest, packed: None, content: MemberContent::Layer(Box::new(layer)), again: 0 }
                }
                _ => {
                    file.seek(SeekFrom::Start(offset))?;
                    let wanted = size <= LARGEST_DOCUMENT && documents + size <= ALL_DOCUMENTS;
                    let member = ImageMember::read(&mut file.by_ref().take(size), size, wanted, &Budget::new(u64::MAX), None)?;
                    documents += if matches!(member.content, MemberContent::Document(_)) { size } else { 0 };
                    member
                }
            };
            members.files.insert(path, member);
        }
        Ok(members)
    }

    fn walk(&mut self, reader: impl Read, budget: &Budget, limits: Option<Limits>) -> anyhow::Result<()> {
        let count = Cell::new(0);
        let mut reader = Counted::new(BufReader::with_capacity(1 << 16, reader), &count);
        let compression = Compression::of(reader.fill_buf()?);
        self.compression = Some(compression);
        let stream: Box<dyn Read + '_> = match compression {
            Compression::None => decompressed(reader)?,
            _ => Box::new(budget.reader(decompressed(reader)?)),
        };
        let mut tar = TarReader::new(BufReader::with_capacity(1 << 13, stream));
        let (mut documents, mut layers, mut records, mut lists) = (0, 0, 0, 0);
        loop {
            let Some(entry) = tar.next_entry()? else { break };
            let before = count.get();
            if entry.path.len() > LONGEST || self.files.len() + self.links.len() >= MOST {
                self.faults.add(format!("it has more than {MOST} members, or one with a name of more than {LONGEST} bytes"));
                continue;
            }
            let Some(path) = confined(&entry.path) else {
                self.faults.add(format!("its member `{}` has a path outside the archive", entry.path.escape_debug()));
                continue;
            };
            if let Some(link) = &entry.link {
                self.linked = true;
                // A symbolic link starts from its own folder, a hard link from the top.
                let folder = if entry.kind.is_symlink() { path.rsplit_once('/').map_or("", |(folder, _)| folder) } else { "" };
                match lexical(folder, link).filter(|target| target.len() <= LONGEST) {
                    Some(target) => drop(self.links.insert(path, target)),
                    None => {
                        self.faults.add(format!("its link `{path}` points outside the archive, to `{}`", link.escape_debug()))
                    }
                }
                continue;
            }
            // Documents about the bundle are none of the images'.
            if !entry.is_file() || path == SBOM {
                continue;
            }
            let wanted = entry.size <= LARGEST_DOCUMENT && documents + entry.size <= ALL_DOCUMENTS;
            let mut member = ImageMember::read(&mut tar, entry.size, wanted, budget, limits)?;
            match &mut member.content {
                MemberContent::Document(bytes) => documents += bytes.len() as u64,
                MemberContent::Layer(layer) => {
                    layers += 1;
                    records += layer.records.values().map(String::len).sum::<usize>();
                    lists += layer.executables.bytes();
                    if records > MOST_RECORDS {
                        layer.records.clear();
                    }
                    if lists > MOST_RECORDS {
                        layer.executables.clear();
                        self.faults.add(format!("its executables have more than {MOST_RECORDS} bytes of lists of crates"));
                    }
                    self.faults.add_of(&format!("layer `{path}`"), std::mem::take(&mut layer.faults));
                    anyhow::ensure!(layers <= MOST_LAYERS, "it has more than {MOST_LAYERS} layers");
                }
                MemberContent::Other => {}
            }
            if compression != Compression::None {
                member.packed = Some(count.get() - before);
            }
            match self.files.get(&path) {
                Some(other) if other.digest == member.digest => member.again = other.again + other.stored(),
                Some(_) => self.faults.add(format!("its member `{path}` occurs twice with different contents")),
                None => {}
            }
            self.files.insert(path, member);
        }
        let tail = tar.tail()?;
        if tail.junk > 0 {
            self.faults.add(format!("{} extra bytes follow its end", tail.junk));
        } else if tail.size < 1024 {
            self.faults.add("it does not end with two zero blocks, so it may be cut short");
        }
        Ok(())
    }

    /// The files, by path.
    pub fn files(&self) -> impl Iterator<Item = (&String, &ImageMember)> {
        self.files.iter()
    }

    /// Layers that stand there more than once, each with what that costs.
    pub fn repeated_layers(&self) -> Faults {
        let mut warnings = Faults::default();
        let mut first: BTreeMap<Digest, &str> = BTreeMap::new();
        for (path, member) in &self.files {
            let MemberContent::Layer(layer) = &member.content else { continue };
            let mut costs = member.again;
            let same = *first.entry(layer.diff_id.unwrap_or(member.digest)).or_insert(path);
            if same != path {
                costs += member.stored();
            }
            if costs > 0 {
                warnings.add(format!("the layer `{same}` is stored again as `{path}`, which wastes {costs} bytes"));
            }
        }
        warnings
    }

    /// The file that a path leads to, through links.
    pub fn get(&self, path: &str) -> Option<&ImageMember> {
        let mut path = confined(path)?;
        for _ in 0..16 {
            if let Some(member) = self.files.get(&path) {
                return Some(member);
            }
            path = self.links.get(&path)?.clone();
        }
        None
    }
}

impl store::Documents for ImageMembers {
    fn size(&self, path: &str) -> Option<u64> {
        self.get(path).map(|member| member.size)
    }

    fn document(&self, path: &str) -> anyhow::Result<Cow<'_, [u8]>> {
        match self.get(path).map(|member| &member.content) {
            Some(MemberContent::Document(bytes)) => Ok(Cow::Borrowed(bytes)),
            _ => anyhow::bail!("`{path}` is not JSON or is too large"),
        }
    }
}

impl ImageMember {
    /// Bytes that it takes in the archive.
    fn stored(&self) -> u64 {
        self.packed.unwrap_or(self.size)
    }

    fn read(tar: &mut impl Read, size: u64, wanted: bool, budget: &Budget, limits: Option<Limits>) -> anyhow::Result<Self> {
        let mut hasher = Hasher::default();
        let mut stream = Summed::new(tar, &mut hasher);
        let mut head = Vec::new();
        stream.by_ref().take(512).read_to_end(&mut head)?;
        let is_text = head.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| matches!(b, b'{' | b'['));
        let mut content = MemberContent::Other;
        if is_text && wanted {
            stream.read_to_end(&mut head)?;
            content = MemberContent::Document(head);
        } else if Compression::of(&head) != Compression::None || crate::archive::begins_tar(&head) {
            let mut rest = BufReader::with_capacity(1 << 16, io::Cursor::new(head).chain(&mut stream));
            content = MemberContent::Layer(Box::new(FoundLayer::read(&mut rest, budget, limits)));
        }
        // What the layer's reader left, and what it could not make sense of.
        io::copy(&mut stream, &mut io::sink())?;
        let digest = hasher.finish();
        if let MemberContent::Layer(layer) = &mut content
            && layer.compression == Compression::None
        {
            layer.diff_id = Some(digest);
            layer.size = size;
        }
        Ok(Self { size, digest, packed: None, content, again: 0 })
    }
}

/// Where a link leads, by its words alone; `None` when that is above the top.
fn lexical(folder: &str, link: &str) -> Option<String> {
    let start = if link.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(link.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
