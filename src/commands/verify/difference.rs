//! Where two bundles of one app first differ: of which service, and in which file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::archive::{Budget, Compression, MOST_UNPACKED, TarReader, decompressed, unpack};
use crate::digest::Digest;
use crate::mender;
use crate::store::{Archive, Walk, strictly};
use crate::trust;

/// The first difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BundleDifference {
    /// The service whose image has the file; `None` if it belongs to all.
    pub service: Option<String>,
    /// The file.
    pub file: String,
    /// What is wrong with it, as a verb phrase.
    pub how: &'static str,
}

impl std::fmt::Display for BundleDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.file.escape_debug();
        match &self.service {
            Some(service) => write!(f, "in the image of `{}`, `{file}` {}", service.escape_debug(), self.how),
            None => write!(f, "`{file}` {}", self.how),
        }
    }
}

/// A file in a bundle: of a service's image, or of all.
type Place = (Option<String>, String);

/// What is at a place.
#[derive(PartialEq)]
struct PlacedFile {
    /// Mode, owner, time, kind.
    head: String,
    content: Digest,
}

/// All files of a bundle in an order in which causes come before their effects: files of images, their configs, the rest.
#[derive(Default)]
struct Files {
    order: Vec<Place>,
    all: BTreeMap<Place, PlacedFile>,
}

/// Compares a bundle with what was built in its place. Both are good bundles.
///
/// # Errors
/// When one cannot be read.
pub fn first_difference(bundle: &Path, rebuilt: &Path) -> Result<BundleDifference> {
    let (old, new) = (Files::read(bundle)?, Files::read(rebuilt)?);
    let differs = |place: &Place| {
        let how = match (old.all.get(place), new.all.get(place)) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) if old.content != new.content => "has different contents",
            (Some(_), Some(_)) => "has a different mode, owner, type or time",
            (Some(_), None) => "is not in the rebuilt bundle",
            (None, _) => "is missing: only the rebuilt bundle has it",
        };
        Some(BundleDifference { service: place.0.clone(), file: place.1.clone(), how })
    };
    let missing = new.order.iter().filter(|place| !old.all.contains_key(*place));
    Ok(old.order.iter().chain(missing).find_map(differs).unwrap_or(BundleDifference {
        service: None,
        file: bundle.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        how: "has different headers around its files",
    }))
}

impl Files {
    fn read(path: &Path) -> Result<Self> {
        let failed = || format!("failed to read `{}`", path.display());
        let scratch = crate::fs::scratch()?;
        let unpacked = scratch.path().join("images.tar");
        let mut files = Self::default();
        if !trust::is_artifact(path)? {
            let plain = Compression::of_file(path)? == Compression::None;
            if !plain {
                unpack(path, &mut File::create(&unpacked)?)?;
            }
            files.images(if plain { path } else { &unpacked }).with_context(failed)?;
            return Ok(files);
        }
        let mut payload = Self::default();
        let (mut done, mut found) = (Ok(()), false);
        let file = BufReader::with_capacity(1 << 18, fs_err::File::open(path)?);
        let reading = mender::read(file, &Budget::new(MOST_UNPACKED), &mut |entry, stream| {
            if done.is_ok() && entry.path.ends_with(".image") {
                found = true;
                done = copy(stream, &unpacked);
            } else if done.is_ok() {
                done = payload.file(None, entry.path.clone(), String::new(), stream);
            }
        });
        done.with_context(failed)?;
        if let Some(fault) = reading.faults.clone().into_vec().into_iter().next() {
            anyhow::bail!("{}: {fault}", failed());
        }
        if found {
            files.images(&unpacked).with_context(failed)?;
        }
        for place in payload.order {
            if let Some(file) = payload.all.remove(&place) {
                files.add(place, file);
            }
        }
        let beginning = mender::Beginning::read(fs_err::File::open(path)?)?;
        files.file(None, beginning.packed_header.0, String::new(), &mut &beginning.packed_header.1[..])?;
        Ok(files)
    }

    /// Adds the files of all images, each layer only for the first image that has it, and then the members of the archive.
    fn images(&mut self, path: &Path) -> Result<()> {
        let archive = Archive::open(path)?;
        let mut report = strictly;
        let mut walk = Walk::new(&archive, &mut report);
        let listing = walk.list()?;
        let images = walk.images(&listing)?;
        let (mut seen, budget) = (BTreeSet::new(), Budget::new(MOST_UNPACKED));
        for image in &images {
            let service = service(image.names.first().map_or("", String::as_str));
            for layer in image.layers.iter().filter(|layer| seen.insert(layer.path.clone())) {
                let mut tar = TarReader::new(budget.reader(decompressed(archive.reader(&layer.path)?)?));
                while let Some(entry) = tar.next_entry()? {
                    let head = format!("{:?} {} {:?}", entry.kind, entry.mode, (entry.uid, entry.gid, entry.mtime, &entry.link));
                    self.file(Some(service.clone()), entry.path.clone(), head, &mut tar)?;
                }
            }
        }
        for image in &images {
            let service = service(image.names.first().map_or("", String::as_str));
            self.file(Some(service), "config".into(), String::new(), &mut &image.config_bytes[..])?;
        }
        if let Archive::Tar(_, members) = &archive {
            for name in members.keys() {
                self.file(None, name.clone(), String::new(), &mut archive.reader(name)?)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, service: Option<String>, name: String, head: String, content: &mut dyn Read) -> Result<()> {
        let content = Digest::of_reader(content)?.0;
        self.add((service, name), PlacedFile { head, content });
        Ok(())
    }

    fn add(&mut self, place: Place, file: PlacedFile) {
        self.order.push(place.clone());
        self.all.insert(place, file);
    }
}

fn copy(stream: &mut dyn Read, to: &Path) -> Result<()> {
    let from = decompressed(BufReader::with_capacity(1 << 18, stream))?;
    let budget = Budget::new(MOST_UNPACKED);
    std::io::copy(&mut budget.reader(from), &mut File::create(to)?)?;
    Ok(())
}

/// The service of an image by its name: `com.example.demo.alpha:1.2.3` is that of `alpha`.
fn service(name: &str) -> String {
    let path = name.rsplit('/').next().unwrap_or(name);
    let bare = path.split([':', '@']).next().unwrap_or(path);
    bare.rsplit('.').next().unwrap_or(bare).to_owned()
}
