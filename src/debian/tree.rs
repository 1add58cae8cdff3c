//! The file system that packages make together, in memory but for the files' contents.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use anyhow::{Context as _, Result};

use super::spool::{Spool, Stretch};
use crate::archive::order::{Rank, key};
use crate::archive::{END_OF_ARCHIVE, Entry, EntryKind, encode, normal, padding};

/// The files, by path; no path leads through a link.
#[derive(Debug)]
pub struct Tree {
    nodes: BTreeMap<String, TreeNode>,
    spool: Spool,
}

/// What stands at a path.
#[derive(Clone, Debug)]
pub struct TreeNode {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Seconds since the epoch.
    pub mtime: u64,
    /// What it is.
    pub kind: NodeKind,
    /// Number of the package that brought it.
    pub package: Option<usize>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A folder.
    Folder,
    /// A file of a package: where the spool has it, and its size.
    Spooled(u64, u64),
    /// A file that was made here.
    Made(Vec<u8>),
    /// A symbolic link.
    Symlink(String),
    /// Another name of the file at this path.
    HardLink(String),
}

impl TreeNode {
    /// A node of root's.
    pub fn new(mode: u32, mtime: u64, kind: NodeKind) -> Self {
        Self { mode, uid: 0, gid: 0, mtime, kind, package: None }
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        matches!(self.kind, NodeKind::Folder)
    }
}

impl Tree {
    /// An empty one, whose files' contents are in `spool`.
    pub fn new(spool: Spool) -> Self {
        Self { nodes: BTreeMap::new(), spool }
    }

    /// All nodes in the order of their paths.
    pub fn all(&self) -> impl Iterator<Item = (&str, &TreeNode)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// The nodes below a folder, at any depth.
    pub fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = (&'a str, &'a TreeNode)> + use<'a> {
        let start = format!("{folder}/");
        let end = format!("{folder}0");
        self.nodes.range(start..end).map(|(path, node)| (path.as_str(), node))
    }

    /// The node at a path, which is taken as it is: links are not followed.
    pub fn at(&self, path: &str) -> Option<&TreeNode> {
        self.nodes.get(path)
    }

    /// Where a path leads: links are followed, in its folders and at its end. `None` if they go in a circle.
    pub fn resolve(&self, path: &str) -> Option<String> {
        let mut path = normal(path);
        'again: for _ in 0..40 {
            let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).collect();
            for end in ends {
                if let Some(TreeNode { kind: NodeKind::Symlink(target), .. }) = self.nodes.get(&path[..end]) {
                    let folder = path[..end].rsplit_once('/').map_or("", |(folder, _)| folder);
                    let start = if target.starts_with('/') { "" } else { folder };
                    path = normal(&format!("{start}/{target}{}", &path[end..]));
                    continue 'again;
                }
            }
            return Some(path);
        }
        None
    }

    /// Where a file of this path stands: links in its folders are followed.
    pub fn place(&self, path: &str) -> Option<String> {
        let path = normal(path);
        match path.rsplit_once('/') {
            Some((folder, name)) => {
                let folder = self.resolve(folder)?;
                Some(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") })
            }
            None => Some(path),
        }
    }

    /// Puts a node at a path; what stood there goes.
    pub fn put(&mut self, path: String, node: TreeNode) {
        self.nodes.insert(path, node);
    }

    /// Takes a node away.
    pub fn remove(&mut self, path: &str) {
        self.nodes.remove(path);
    }

    /// Makes a folder and those around it, where they are missing.
    pub fn folders(&mut self, path: &str, mtime: u64) {
        let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).collect();
        for end in ends.into_iter().filter(|end| *end > 0) {
            self.nodes.entry(path[..end].to_owned()).or_insert_with(|| TreeNode::new(0o755, mtime, NodeKind::Folder));
        }
    }

    /// Makes a file, with its folders. `path` may lead through links.
    pub fn write(&mut self, path: &str, mode: u32, mtime: u64, bytes: impl Into<Vec<u8>>) {
        self.make(path, TreeNode::new(mode, mtime, NodeKind::Made(bytes.into())));
    }

    /// Makes a symbolic link, with its folders.
    pub fn link(&mut self, path: &str, target: &str, mtime: u64) {
        self.make(path, TreeNode::new(0o777, mtime, NodeKind::Symlink(target.to_owned())));
    }

    fn make(&mut self, path: &str, node: TreeNode) {
        let Some(path) = self.place(path) else { return };
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folders(folder, node.mtime);
        }
        self.put(path, node);
    }

    /// Whether a path leads to something.
    pub fn has(&self, path: &str) -> bool {
        self.resolve(path).is_some_and(|path| self.nodes.contains_key(&path))
    }

    /// The content of the file that a path leads to.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn content(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(node) = self.resolve(path).and_then(|path| self.file(&path)) else { return Ok(None) };
        match &node.kind {
            NodeKind::Made(bytes) => Ok(Some(bytes.clone())),
            NodeKind::Spooled(start, size) => {
                let mut bytes = Vec::new();
                self.spool.stretch(*start, *size).read_to_end(&mut bytes)?;
                Ok(Some(bytes))
            }
            _ => Ok(None),
        }
    }

    /// The content of a text file that a path leads to.
    ///
    /// # Errors
    /// As [`Tree::content`].
    pub fn text(&self, path: &str) -> Result<Option<String>> {
        Ok(self.content(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The file at a path: behind a hard link, the one that it names.
    fn file(&self, path: &str) -> Option<&TreeNode> {
        let node = self.nodes.get(path)?;
        match &node.kind {
            NodeKind::HardLink(target) => self.nodes.get(target),
            _ => Some(node),
        }
    }

    /// The content of a package's file at a path, as a file.
    pub fn stretch(&self, path: &str) -> Option<Stretch<'_>> {
        match self.file(path)?.kind {
            NodeKind::Spooled(start, size) => Some(self.spool.stretch(start, size)),
            _ => None,
        }
    }

    /// The bytes of a tar of all nodes, in the order of [`crate::archive::order`].
    ///
    /// # Errors
    /// When a name cannot stand in a tar.
    pub fn tar(&self) -> Result<impl Read + '_> {
        let mut members = Vec::with_capacity(self.nodes.len());
        for (path, node) in &self.nodes {
            let (rank, kind) = match &node.kind {
                NodeKind::Folder => (Rank::Folder, EntryKind::Folder),
                NodeKind::Symlink(target) => (Rank::Special, EntryKind::Symlink(target.clone())),
                NodeKind::HardLink(target) => (Rank::HardLink, EntryKind::HardLink(target.clone())),
                NodeKind::Spooled(_, size) => (Rank::File, EntryKind::File(*size)),
                NodeKind::Made(bytes) => (Rank::File, EntryKind::File(bytes.len() as u64)),
            };
            let size = if let EntryKind::File(size) = kind { size } else { 0 };
            let (mode, uid, gid, mtime) = (node.mode, node.uid, node.gid, node.mtime);
            members.push((key(rank, path, size), Entry { path: path.clone(), mode, uid, gid, mtime, kind }, node));
        }
        members.sort_by(|one, other| one.0.cmp(&other.0));
        let members = members.into_iter().map(|(_, entry, node)| (entry, node));
        Ok(TarOfTree {
            spool: &self.spool,
            members: members.collect::<Vec<_>>().into_iter(),
            current: Box::new(std::io::empty()),
            ended: false,
        })
    }
}

struct TarOfTree<'a> {
    spool: &'a Spool,
    members: std::vec::IntoIter<(Entry, &'a TreeNode)>,
    current: Box<dyn Read + 'a>,
    ended: bool,
}

impl Read for TarOfTree<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.members.next() {
                Some((entry, node)) => {
                    let header = encode(&entry).with_context(|| format!("failed to pack `{}`", entry.path));
                    let header = Cursor::new(header.map_err(std::io::Error::other)?);
                    self.current = match &node.kind {
                        NodeKind::Spooled(start, size) => {
                            Box::new(header.chain(self.spool.stretch(*start, *size)).chain(padding(*size)))
                        }
                        NodeKind::Made(bytes) => Box::new(header.chain(&bytes[..]).chain(padding(bytes.len() as u64))),
                        _ => Box::new(header),
                    };
                }
                None if self.ended => return Ok(0),
                None => {
                    self.ended = true;
                    self.current = Box::new(&END_OF_ARCHIVE[..]);
                }
            }
        }
    }
}
