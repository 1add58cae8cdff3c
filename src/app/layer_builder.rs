//! What a service packs, as members of a layer above a base.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{AppFile, Facts, FileContent, Owner, Service, UserLists, VolumeSource};
use crate::archive::{Entry, EntryKind};
use crate::digest::Digest;
use crate::segment::{Content, KnownDigests, Layer, LayerMember};

/// Folders that are to have a mode and an owner of their own, by their resolved paths.
#[derive(Clone, Debug, Default)]
pub struct Folders(BTreeMap<String, (u32, Owner)>);

/// Collects the members of one layer.
pub struct LayerBuilder<'a> {
    facts: &'a Facts,
    folders: &'a Folders,
    epoch: u64,
    members: BTreeMap<String, LayerMember>,
}

impl Folders {
    /// The folders among these files. One that is named by `files` comes before one of a volume.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a AppFile>, volumes: &'a [AppFile], facts: &Facts) -> Self {
        let named = files.into_iter().filter(|file| file.is_folder());
        let all = volumes.iter().chain(named);
        Self(all.map(|folder| (facts.resolve(&folder.to), (folder.mode, folder.owner))).collect())
    }
}

impl Service {
    /// The folders of its named volumes, which an engine gives to the volume's new owner; without those that the base has.
    pub fn volume_folders(&self, facts: &Facts, users: &UserLists) -> Vec<AppFile> {
        let owner = users.owner(self.container.user.as_deref().unwrap_or("0"));
        let named = self.container.volumes.iter().filter(|volume| matches!(volume.source, VolumeSource::Named(_)));
        let missing = named.filter(|volume| !facts.folders.contains(&facts.resolve(&volume.target)));
        missing.map(|volume| AppFile::folder(&volume.target, 0o755, owner)).collect()
    }
}

impl<'a> LayerBuilder<'a> {
    /// Without any yet. Folders that the base has keep their owner and mode unless they are added by name.
    pub fn new(facts: &'a Facts, folders: &'a Folders, epoch: u64) -> Self {
        Self { facts, folders, epoch, members: BTreeMap::new() }
    }

    /// A file in a folder that is a link in the base must not replace the link: it goes to where the link leads.
    fn place(&mut self, path: &str) -> String {
        let path = path.trim_start_matches('/');
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.facts.resolve(folder);
        self.folders_up_to(&folder);
        if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
    }

    /// Adds those of a folder and the folders around it that the base lacks.
    fn folders_up_to(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for part in ends.filter(|end| *end > 0).map(|end| &path[..end]) {
            if !self.facts.folders.contains(part) && !self.members.contains_key(part) {
                self.put_folder(part);
            }
        }
    }

    fn put_folder(&mut self, path: &str) {
        let (mode, owner) = self.folders.0.get(path).copied().unwrap_or((0o755, Owner::default()));
        let mut member = LayerMember::folder(path, mode, self.epoch);
        (member.entry.uid, member.entry.gid) = (owner.uid, owner.gid);
        self.members.insert(path.to_owned(), member);
    }

    /// Adds a folder if the base lacks it, as one to start in.
    pub fn folder(&mut self, path: &str) {
        let path = self.facts.resolve(path);
        self.folders_up_to(&path);
    }

    /// Adds what `files` names.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn file(&mut self, file: &AppFile, known: &KnownDigests) -> Result<()> {
        match &file.content {
            FileContent::Folder => {
                let path = self.facts.resolve(&file.to);
                self.folders_up_to(&path);
                self.put_folder(&path);
            }
            FileContent::Text(text) => {
                let bytes = text.clone().into_bytes();
                let digest = Digest::of(&bytes);
                self.content(&file.to, file.mode, bytes.len() as u64, Content::Bytes(bytes, digest), file.owner);
            }
            FileContent::Link(target) => {
                let path = self.place(&file.to);
                self.put(path.clone(), LayerMember::symlink(&path, target, self.epoch), file.owner);
            }
            FileContent::From(from) => {
                let (digest, size) = known.digest(from)?;
                self.content(&file.to, file.mode, size, Content::File(from.clone(), digest), file.owner);
            }
        }
        Ok(())
    }

    /// Adds a file with this content.
    pub fn content(&mut self, path: &str, mode: u32, size: u64, content: Content, owner: Owner) {
        let path = self.place(path);
        let entry = Entry { path: path.clone(), mode, uid: 0, gid: 0, mtime: self.epoch, kind: EntryKind::File(size) };
        self.put(path, LayerMember { entry, content }, owner);
    }

    fn put(&mut self, path: String, mut member: LayerMember, owner: Owner) {
        (member.entry.uid, member.entry.gid) = (owner.uid, owner.gid);
        self.members.insert(path, member);
    }

    /// The layer; `None` without members.
    pub fn finish(self) -> Option<Layer> {
        (!self.members.is_empty()).then(|| Layer::new(self.members.into_values().collect()))
    }
}
