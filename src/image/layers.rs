//! Which files of a service go into which layer.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use crate::app::{AppFile, BaseChoice, FileContent, Folders, LayerBuilder, Owner, Unit};
use crate::plan::Layout;
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
pub fn of_units<'a>(units: &[Unit<'a>], layout: Layout, epoch: u64, known: &KnownDigests) -> Result<Vec<UnitLayers<'a>>> {
    // The same file in several services that stand on one base: which services are they?
    let mut sharing: BTreeMap<(&BaseChoice, String), BTreeSet<usize>> = BTreeMap::new();
    let mut prints: Vec<Vec<(&AppFile, String)>> = Vec::new();
    for (at, unit) in units.iter().enumerate() {
        let mut own = Vec::new();
        for file in &unit.package.files {
            let print = print(file, known)?;
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
        let folders = match layout {
            Layout::ImagePerService => folders(&[*unit]),
            Layout::MultiBinary => folders(units),
        };
        let members = || LayerBuilder::new(&unit.base.facts, &folders, epoch);
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
        for folder in unit.service.volume_folders(&unit.base.facts) {
            around.folder(&folder.to);
        }
        let executable = executable(*unit, members(), known)?;
        all.push(UnitLayers { unit: *unit, files: layers, folders: around.finish(), executable });
    }
    Ok(all)
}

/// What tells a file from others at the same path.
fn print(file: &AppFile, known: &KnownDigests) -> Result<String> {
    let AppFile { to, content, mode, owner } = file;
    let content = match content {
        FileContent::From(path) => known.digest(path)?.0.to_string(),
        FileContent::Link(target) => format!("link {target}"),
        FileContent::Folder => "folder".to_owned(),
    };
    Ok(format!("{to}\0{mode:o}\0{owner}\0{content}"))
}

/// The folders in the image of these units that are to have a mode or an owner.
fn folders(units: &[Unit<'_>]) -> Folders {
    let Some(first) = units.first() else { return Folders::default() };
    let facts = &first.base.facts;
    let volumes: Vec<AppFile> = units.iter().flat_map(|unit| unit.service.volume_folders(facts)).collect();
    Folders::of(units.iter().flat_map(|unit| &unit.package.files), &volumes, facts)
}

fn executable(Unit { package, binary, .. }: Unit<'_>, mut members: LayerBuilder<'_>, known: &KnownDigests) -> Result<Layer> {
    let content = Content::File(binary.path.clone(), binary.digest);
    members.content(&binary.place, 0o755, binary.size, content, Owner::default());
    if binary.place != package.binary_path {
        members.file(&AppFile::link(&package.binary_path, &binary.place), known)?;
    }
    members.finish().context("an executable has no layer")
}
