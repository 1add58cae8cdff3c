//! Which files of a service go into which layer.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::app::{AppFile, BaseChoice, Facts, Service, Unit, VolumeSource};
use crate::archive::{Entry, EntryKind};
use crate::segment::{Content, KnownDigests, Layer, LayerMember};

/// The layers of one service above its base.
pub struct UnitLayers<'a> {
    /// The service.
    pub unit: Unit<'a>,
    /// Files, those first that the most services share.
    pub files: Vec<Layer>,
    /// The executable, with the folders that the service needs.
    pub executable: Layer,
}

/// Sorts what the units pack into layers: a file that several services on one base pack is in a layer that they share.
///
/// # Errors
/// When a file cannot be read.
pub fn of_units<'a>(units: &[Unit<'a>], epoch: u64, known: &KnownDigests) -> Result<Vec<UnitLayers<'a>>> {
    // The same file in several services that stand on one base: which services are they?
    let mut sharing: BTreeMap<(&BaseChoice, String), BTreeSet<usize>> = BTreeMap::new();
    let mut prints: Vec<Vec<(&AppFile, String)>> = Vec::new();
    for (at, unit) in units.iter().enumerate() {
        let mut own = Vec::new();
        for file in &unit.package.files {
            let print = match &file.link {
                Some(link) => format!("{}\0link\0{link}", file.to),
                None => format!("{}\0{}\0{}", file.to, file.executable, known.digest(&file.from)?.0),
            };
            sharing.entry((&unit.base.choice, print.clone())).or_default().insert(at);
            own.push((file, print));
        }
        prints.push(own);
    }
    let mut all = Vec::new();
    for (unit, files) in units.iter().zip(prints) {
        let mut groups: BTreeMap<&BTreeSet<usize>, Vec<&AppFile>> = BTreeMap::new();
        for (file, print) in files {
            if let Some(set) = sharing.get(&(&unit.base.choice, print)) {
                groups.entry(set).or_default().push(file);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(set, _)| (std::cmp::Reverse(set.len()), *set));
        let mut layers = Vec::new();
        for (_, files) in groups {
            let mut builder = Builder::new(&unit.base.facts, epoch);
            for file in files {
                builder.file(file, known)?;
            }
            layers.push(builder.finish());
        }
        let mut builder = Builder::new(&unit.base.facts, epoch);
        builder.executable(*unit);
        builder.folders(unit.service);
        all.push(UnitLayers { unit: *unit, files: layers, executable: builder.finish() });
    }
    Ok(all)
}

struct Builder<'a> {
    facts: &'a Facts,
    epoch: u64,
    members: BTreeMap<String, LayerMember>,
}

impl<'a> Builder<'a> {
    fn new(facts: &'a Facts, epoch: u64) -> Self {
        Self { facts, epoch, members: BTreeMap::new() }
    }

    /// A file in a folder that is a link in the base must not replace the link: it goes to where the link leads. Folders that
    /// the base has keep their owner and mode; others are made.
    fn place(&mut self, path: &str) -> String {
        let path = path.trim_start_matches('/');
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.facts.resolve(folder);
        self.folder(&folder, 0);
        if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
    }

    /// Makes a folder and those around it; only those that are made here, whatever for, get an owner.
    fn folder(&mut self, path: &str, owner: u64) {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends.filter(|end| *end > 0) {
            let part = &path[..end];
            if !self.facts.folders.contains(part) && !self.members.contains_key(part) {
                self.members.insert(part.to_owned(), LayerMember::folder(part, 0o755, self.epoch));
            }
        }
        if let Some(member) = self.members.get_mut(path).filter(|member| owner > 0 && member.entry.kind == EntryKind::Folder) {
            (member.entry.uid, member.entry.gid) = (owner, owner);
        }
    }

    fn file(&mut self, file: &AppFile, known: &KnownDigests) -> Result<()> {
        let path = self.place(&file.to);
        let member = match &file.link {
            Some(link) => LayerMember::symlink(&path, link, self.epoch),
            None => {
                let (digest, size) = known.digest(&file.from)?;
                let mode = if file.executable { 0o755 } else { 0o644 };
                let entry = Entry { path: path.clone(), mode, uid: 0, gid: 0, mtime: self.epoch, kind: EntryKind::File(size) };
                LayerMember { entry, content: Content::File(file.from.clone(), digest) }
            }
        };
        self.members.insert(path, member);
        Ok(())
    }

    fn executable(&mut self, Unit { package, binary, .. }: Unit<'_>) {
        let path = self.place(&binary.place);
        let kind = EntryKind::File(binary.size);
        let entry = Entry { path: path.clone(), mode: 0o755, uid: 0, gid: 0, mtime: self.epoch, kind };
        self.members.insert(path, LayerMember { entry, content: Content::File(binary.path.clone(), binary.digest) });
        if binary.place != package.binary_path {
            let link = self.place(&package.binary_path);
            self.members.insert(link.clone(), LayerMember::symlink(&link, &binary.place, self.epoch));
        }
    }

    /// The folder to start in, and the folders of named volumes, which an engine gives to the volume's new owner.
    fn folders(&mut self, service: &Service) {
        let workdir = self.facts.resolve(service.container.workdir.as_deref().unwrap_or("/"));
        self.folder(&workdir, 0);
        let owner = service.container.uid();
        for volume in service.container.volumes.iter().filter(|volume| matches!(volume.source, VolumeSource::Named(_))) {
            let path = self.facts.resolve(&volume.target);
            self.folder(&path, owner);
        }
    }

    fn finish(self) -> Layer {
        Layer::new(self.members.into_values().collect())
    }
}
