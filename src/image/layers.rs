//! Which files of a service go into which layer.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use crate::app::{AppFile, BaseChoice, FileContent, Folders, LayerBuilder, Owner, Service, Unit, UserLists};
use crate::digest::Digest;
use crate::segment::{Content, KnownDigests, Layer};

/// The layers of one service above its base.
pub struct UnitLayers<'a> {
    /// The service.
    pub unit: Unit<'a>,
    /// Files, those first that the most services share.
    pub files: Vec<Layer>,
    /// Folders that only a running container needs: those of volumes, and the one to start in. They are apart from the executable,
    /// so that it is stored once for services that differ in them.
    pub folders: Option<Layer>,
    /// The executable.
    pub executable: Layer,
}

/// Sorts what the units pack into layers: a file that several services on one base pack is in a layer that they share.
///
/// # Errors
/// When a file cannot be read.
pub fn of_units<'a>(units: &[Unit<'a>], epoch: u64, known: &KnownDigests) -> Result<Vec<UnitLayers<'a>>> {
    let together = Unit::by_image(units);
    let images = together.iter().map(|units| OfImage::new(units)).collect::<Result<Vec<_>>>()?;
    let packed: Vec<Packed<'_, '_>> = images.iter().flat_map(OfImage::units).collect();
    // The same file in several services that stand on one base: which services are they?
    let mut sharing: BTreeMap<(&BaseChoice, String), BTreeSet<usize>> = BTreeMap::new();
    let mut prints: Vec<Vec<(&AppFile, String)>> = Vec::new();
    for (at, Packed { unit, files, .. }) in packed.iter().enumerate() {
        let mut own = Vec::new();
        for file in files {
            let print = print(file, known)?;
            sharing.entry((&unit.base.choice, print.clone())).or_default().insert(at);
            own.push((*file, print));
        }
        prints.push(own);
    }
    let mut all = Vec::new();
    for (Packed { unit, of, .. }, files) in packed.iter().zip(prints) {
        let mut groups: BTreeMap<&BTreeSet<usize>, Vec<&AppFile>> = BTreeMap::new();
        for (file, print) in files {
            if let Some(set) = sharing.get(&(&unit.base.choice, print)) {
                groups.entry(set).or_default().push(file);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(set, _)| (std::cmp::Reverse(set.len()), *set));
        let members = || LayerBuilder::new(&unit.base.facts, &of.folders, epoch);
        let mut layers = Vec::new();
        for (_, files) in groups {
            let mut members = members();
            for file in files {
                members.file(file, known)?;
            }
            layers.extend(members.finish());
        }
        let mut around = members();
        around.folder(unit.service.container.workdir.as_deref().unwrap_or("/"));
        for folder in unit.service.volume_folders(&unit.base.facts, &of.users) {
            around.folder(&folder.to);
        }
        let executable = executable(*unit, members(), known)?;
        all.push(UnitLayers { unit: *unit, files: layers, folders: around.finish(), executable });
    }
    Ok(all)
}

/// What the units of one image have together.
struct OfImage<'a, 'b> {
    units: &'b [Unit<'a>],
    users: UserLists,
    /// The lists of users and groups, if the base's do not do.
    lists: Vec<AppFile>,
    /// The folders that are to have a mode or an owner.
    folders: Folders,
}

/// A unit, and all files that it packs.
struct Packed<'b, 'a> {
    unit: Unit<'a>,
    of: &'b OfImage<'a, 'b>,
    files: Vec<&'b AppFile>,
}

impl<'a, 'b> OfImage<'a, 'b> {
    fn new(units: &'b [Unit<'a>]) -> Result<Self> {
        let facts = &units.first().context("an image contains no service")?.base.facts;
        let services: Vec<&Service> = units.iter().map(|unit| unit.service).collect();
        let users = UserLists::of(&services, facts)?;
        let volumes: Vec<AppFile> = services.iter().flat_map(|service| service.volume_folders(facts, &users)).collect();
        let folders = Folders::of(units.iter().flat_map(|unit| &unit.package.files), &volumes, facts);
        Ok(Self { units, lists: users.files(&services, facts), users, folders })
    }

    fn units(&'b self) -> impl Iterator<Item = Packed<'b, 'a>> {
        self.units.iter().map(|unit| Packed {
            unit: *unit,
            of: self,
            files: unit.package.files.iter().chain(&self.lists).collect(),
        })
    }
}

/// What tells a file from others at the same path.
fn print(file: &AppFile, known: &KnownDigests) -> Result<String> {
    let AppFile { to, content, mode, owner } = file;
    let content = match content {
        FileContent::From(path) => known.digest(path)?.0.to_string(),
        FileContent::Text(text) => Digest::of(text.as_bytes()).to_string(),
        FileContent::Link(target) => format!("link {target}"),
        FileContent::Folder => "folder".to_owned(),
    };
    Ok(format!("{to}\0{mode:o}\0{owner}\0{content}"))
}

fn executable(Unit { package, binary, .. }: Unit<'_>, mut members: LayerBuilder<'_>, known: &KnownDigests) -> Result<Layer> {
    let content = Content::File(binary.path.clone(), binary.digest);
    members.content(&binary.place, 0o755, binary.size, content, Owner::default());
    if binary.place != package.binary_path {
        members.file(&AppFile::link(&package.binary_path, &binary.place), known)?;
    }
    members.finish().context("an executable has no layer")
}
