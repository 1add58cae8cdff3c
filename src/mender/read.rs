//! A whole artifact, read front to back in one pass, held against every rule of `docs/file-format.md`, section 2.
//!
//! The reader goes on after a fault wherever it can, so that all of them are told at once. Nothing is believed of a file:
//! memory is bounded, and what unpacks to more than the budget is a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};

use anyhow::{Result, ensure};

use super::part::{Part, end, note_of, unpacked};
use super::{Faults, Header, manifest};
use crate::archive::{Budget, TarEntry, TarReader};
use crate::digest::{Digest, Hasher, Summed};

/// Bytes of `version`, `manifest` and `manifest.sig`.
const LARGEST: u64 = 4 << 20;

/// Files of a payload; an app has seven.
const MOST_FILES: usize = 10_000;

/// Bytes of a payload file's name: what a file system takes.
const LONGEST_NAME: usize = 255;

/// An artifact as far as it could be read.
#[derive(Debug, Default)]
pub struct Reading {
    /// What the header says.
    pub header: Header,
    /// The payload's files in their order.
    pub files: Vec<File>,
    /// Whether there is a `manifest.sig`. Its form is checked; there is no key to check the signature with.
    pub signed: bool,
    /// Whether all of it could be read, so that what was not seen is not there.
    pub whole: bool,
    /// What is wrong.
    pub faults: Faults,
    /// What is allowed and may surprise all the same.
    pub notes: Vec<String>,
}

/// A file of the payload.
#[derive(Clone, Debug)]
pub struct File {
    /// Without `data/0000/`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Sum of its bytes; it has been compared with the manifest's.
    pub digest: Digest,
}

/// Reads an artifact; `visit` sees each payload file's bytes as they pass, and need not read them to the end.
pub fn read(reader: impl Read, budget: &Budget, visit: &mut dyn FnMut(&TarEntry, &mut dyn Read)) -> Reading {
    let mut reading = Reading::default();
    let mut walk = Walk { sums: BTreeMap::new(), manifest: None, whole: true, seen: BTreeMap::new(), last: None };
    let mut tar = TarReader::new(BufReader::with_capacity(1 << 16, reader));
    loop {
        match tar.next_entry() {
            Ok(None) => break,
            Ok(Some(entry)) => {
                if let Err(error) = walk.member(&mut reading, &entry, &mut tar, budget, visit) {
                    reading.faults.add(format!("`{}`: {error:#}", entry.path));
                    walk.whole = false;
                }
            }
            Err(error) => {
                reading.faults.add(format!("{error:#}"));
                walk.finish(&mut reading, false);
                return reading;
            }
        }
    }
    end(&mut tar, &mut reading.faults);
    walk.finish(&mut reading, true);
    reading
}

struct Walk {
    /// Sums of what is there, by the name that the manifest has for it.
    sums: BTreeMap<String, Digest>,
    manifest: Option<BTreeMap<String, Digest>>,
    /// Whether everything could be read, so that what was not seen is not there.
    whole: bool,
    seen: BTreeMap<Part, String>,
    last: Option<Part>,
}

impl Walk {
    fn member(
        &mut self,
        reading: &mut Reading,
        entry: &TarEntry,
        tar: &mut TarReader<impl Read>,
        budget: &Budget,
        visit: &mut dyn FnMut(&TarEntry, &mut dyn Read),
    ) -> Result<()> {
        let faults = &mut reading.faults;
        let name = entry.path.as_str();
        let plain = name.trim_start_matches("./");
        if self.last == Some(Part::Data) {
            faults.add(format!("`{name}` follows the data, which must be last"));
        }
        let Some(part) = Part::of(plain) else {
            faults.add(if plain.starts_with("manifest-augment") || plain.starts_with("header-augment") {
                format!("`{name}`: apps must not be augmented artifacts")
            } else {
                format!("`{name}` is not allowed in an artifact")
            });
            return Ok(());
        };
        if plain != name {
            faults.add(format!("`{name}` must be named `{plain}`: names are compared exactly"));
        }
        if !entry.kind.is_file() {
            faults.add(format!("`{name}` is not a plain file"));
            return Ok(());
        }
        if self.seen.contains_key(&part) {
            faults.add(format!("`{name}` occurs twice"));
            return Ok(());
        }
        if let Some(last) = self.last.filter(|last| *last > part) {
            let before = self.seen.get(&last).map_or("", String::as_str);
            faults.add(format!("`{name}` follows `{before}`; the order is version, manifest, manifest.sig, header, data"));
        }
        self.last = self.last.max(Some(part));
        self.seen.insert(part, plain.to_owned());
        match part {
            Part::Version => {
                let bytes = small(entry, tar)?;
                self.sums.insert(plain.to_owned(), Digest::of(&bytes));
                check_version(&bytes, faults);
            }
            Part::Manifest => self.manifest = Some(manifest::parse(&small(entry, tar)?, faults)),
            Part::Signature => {
                reading.signed = true;
                manifest::check_signature(&small(entry, tar)?, faults);
            }
            Part::Header => self.header(reading, plain, tar, budget)?,
            Part::Data => self.data(reading, plain, tar, budget, visit)?,
        }
        Ok(())
    }

    fn header(&mut self, reading: &mut Reading, name: &str, tar: &mut impl Read, budget: &Budget) -> Result<()> {
        let mut hasher = Hasher::default();
        let mut faults = Faults::default();
        reading.notes.extend(note_of(name));
        match unpacked(name, Summed::new(&mut *tar, &mut hasher)) {
            Ok(unpacked) => self.whole &= reading.header.read(budget.reader(unpacked), &mut faults),
            Err(error) => faults.add(format!("{error:#}")),
        }
        io::copy(&mut Summed::new(tar, &mut hasher), &mut io::sink())?;
        self.sums.insert(name.to_owned(), hasher.finish());
        reading.faults.add_of(&format!("`{name}`"), faults);
        Ok(())
    }

    fn data(
        &mut self,
        reading: &mut Reading,
        name: &str,
        tar: &mut impl Read,
        budget: &Budget,
        visit: &mut dyn FnMut(&TarEntry, &mut dyn Read),
    ) -> Result<()> {
        reading.notes.extend(note_of(name));
        let mut faults = Faults::default();
        let result = self.files(&mut reading.files, &mut faults, unpacked(name, tar).map(|tar| budget.reader(tar)), visit);
        reading.faults.add_of(&format!("`{name}`"), faults);
        result
    }

    fn files(
        &mut self,
        files: &mut Vec<File>,
        faults: &mut Faults,
        tar: Result<impl Read>,
        visit: &mut dyn FnMut(&TarEntry, &mut dyn Read),
    ) -> Result<()> {
        let mut tar = TarReader::new(tar?);
        let mut names = BTreeSet::new();
        while let Some(entry) = tar.next_entry()? {
            let name = &entry.path;
            if !entry.kind.is_file() {
                faults.add(format!("`{name}` is not a plain file"));
                continue;
            }
            if name.len() > LONGEST_NAME {
                faults.add(format!("a name has {} bytes; at most {LONGEST_NAME} are allowed", name.len()));
                continue;
            }
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ',');
            if name.is_empty() || !name.chars().all(allowed) {
                faults.add(format!("`{}` is not a valid name; use letters, digits and `_-.,`", name.escape_debug()));
            }
            if !names.insert(name.clone()) {
                faults.add(format!("`{name}` occurs twice"));
            }
            ensure!(files.len() < MOST_FILES, "it contains more than {MOST_FILES} files");
            let mut hasher = Hasher::default();
            visit(&entry, &mut Summed::new(&mut tar, &mut hasher));
            io::copy(&mut Summed::new(&mut tar, &mut hasher), &mut io::sink())?;
            let digest = hasher.finish();
            self.sums.insert(format!("data/0000/{name}"), digest);
            files.push(File { name: name.clone(), size: entry.size, digest });
        }
        if !end(&mut tar, faults) {
            self.whole = false;
        }
        Ok(())
    }

    fn finish(self, reading: &mut Reading, ended: bool) {
        reading.whole = ended && self.whole;
        let faults = &mut reading.faults;
        for (part, name) in [
            (Part::Version, "version"),
            (Part::Manifest, "manifest"),
            (Part::Header, "header.tar.gz"),
            (Part::Data, "data/0000.tar.gz"),
        ] {
            if ended && !self.seen.contains_key(&part) {
                faults.add(format!("`{name}` is missing"));
            }
        }
        let Some(listed) = self.manifest else { return };
        for (name, sum) in &self.sums {
            match listed.get(name) {
                None => faults.add(format!("`{name}` is not listed in `manifest`")),
                Some(other) if other != sum => {
                    faults.add(format!("`{name}` has the digest {}, but `manifest` has {}", sum.hex(), other.hex()));
                }
                Some(_) => {}
            }
        }
        if reading.whole {
            for name in listed.keys().filter(|name| !self.sums.contains_key(*name)) {
                faults.add(format!("`{name}` is listed in `manifest`, but is missing"));
            }
        }
    }
}

fn small(entry: &TarEntry, tar: &mut impl Read) -> Result<Vec<u8>> {
    ensure!(entry.size <= LARGEST, "it has {} bytes; at most {LARGEST} are allowed", entry.size);
    let mut bytes = Vec::new();
    tar.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Exactly two keys (section 2.1).
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    format: String,
    version: u64,
}

fn check_version(bytes: &[u8], faults: &mut Faults) {
    match serde_json::from_slice::<Version>(bytes) {
        Err(error) => faults.add(format!("`version` is not `{{\"format\":\"mender\",\"version\":3}}`: {error}")),
        Ok(Version { format, version }) if format == "mender" && version == 3 => {}
        Ok(Version { format, version }) => {
            faults.add(format!(
                "`version` has the format `{}`, version {version}; only mender 3 is supported",
                format.escape_debug()
            ));
        }
    }
}
