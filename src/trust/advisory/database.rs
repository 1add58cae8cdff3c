//! Databases of advisories: folders of files, read at once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use rayon::prelude::*;

use super::ecosystem::Ecosystem;
use super::record::{Advisory, AffectedPackage};
use super::{osv, rustsec};
use crate::diagnostic::Code;

/// Bytes of one file. Debian's largest list each version of the kernel that there ever was.
const LARGEST: u64 = 32 << 20;

/// Files of one folder; Debian has about fifty thousand.
const MOST_FILES: usize = 1_000_000;

/// Folders below the database's own: `crates/NAME` is two deep.
const DEPTH: usize = 4;

/// Asks whether a package is of interest.
pub type Wanted<'a> = dyn Fn(&Ecosystem, &str) -> bool + Sync + 'a;

/// All advisories about the packages that are of interest.
#[derive(Debug, Default)]
pub struct Database {
    advisories: Vec<Advisory>,
    /// Places in `advisories`, and in the `affected` of each.
    places: BTreeMap<(Ecosystem, String), Vec<(usize, usize)>>,
    /// Files that were read, with those about other packages.
    pub entries: usize,
    /// The day of the newest of them.
    pub newest: String,
    /// Whose packages they are about.
    pub ecosystems: BTreeSet<Ecosystem>,
}

/// What one file says.
struct Read {
    date: String,
    advisory: Option<Advisory>,
    ecosystems: BTreeSet<Ecosystem>,
}

impl Database {
    /// Reads folders: checkouts of RustSec's database, or JSON of OSV.
    ///
    /// # Errors
    /// When a folder has no advisories, or a file cannot be read as what its place and name say, in words for the user.
    pub fn read(folders: &[PathBuf], wanted: &Wanted<'_>) -> Result<Self> {
        let read_all = |folder: &PathBuf| -> Result<Vec<Read>> {
            let reading = || format!("failed to read the advisory database `{}`", folder.display());
            let files = files(folder).with_context(reading)?;
            files.par_iter().map(|file| read(folder, file, wanted)).collect::<Result<_>>().with_context(reading)
        };
        let mut all = folders.iter().map(read_all).collect::<Result<Vec<_>>>()?;
        // Two may have the same advisory; that of the newer one counts.
        all.sort_by_key(|read| std::cmp::Reverse(read.iter().map(|one| one.date.clone()).max()));
        let mut database = Self::default();
        all.into_iter().flatten().for_each(|one| database.add(one));
        Ok(database)
    }

    fn add(&mut self, Read { date, advisory, ecosystems }: Read) {
        self.entries += 1;
        if date > self.newest {
            self.newest = date;
        }
        self.ecosystems.extend(ecosystems);
        let Some(advisory) = advisory.filter(|advisory| !advisory.affected.is_empty()) else { return };
        for (at, package) in advisory.affected.iter().enumerate() {
            let places = self.places.entry((package.ecosystem.clone(), package.name.clone())).or_default();
            let known = |place: &(usize, usize)| {
                self.advisories.get(place.0).is_some_and(|known: &Advisory| known.id == advisory.id)
                    && place.0 != self.advisories.len()
            };
            if !places.iter().any(known) {
                places.push((self.advisories.len(), at));
            }
        }
        self.advisories.push(advisory);
    }

    /// The advisories about a package, with what they say of it.
    pub fn of(&self, ecosystem: &Ecosystem, name: &str) -> impl Iterator<Item = (&Advisory, &AffectedPackage)> {
        let mut keys = vec![(ecosystem.clone(), name.to_owned())];
        if let Ecosystem::Debian(Some(_)) = ecosystem {
            keys.push((Ecosystem::Debian(None), name.to_owned()));
        }
        keys.into_iter().filter_map(|key| self.places.get(&key)).flatten().filter_map(|(at, package)| {
            let advisory = self.advisories.get(*at)?;
            Some((advisory, advisory.affected.get(*package)?))
        })
    }

    /// Whether anything is known of such packages at all.
    pub fn covers(&self, ecosystem: &Ecosystem) -> bool {
        self.ecosystems.contains(ecosystem)
            || matches!(ecosystem, Ecosystem::Debian(_)) && self.ecosystems.contains(&Ecosystem::Debian(None))
    }
}

/// The advisories below a folder, in the order of their paths.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    ensure!(
        folder.is_dir(),
        Code::AdvisoryDatabase.error(format!(
            "there is no folder `{}`\nhelp: clone the RustSec advisory-db with `git clone`, and name its folder: `--db FOLDER`",
            folder.display()
        ))
    );
    let walk = walkdir::WalkDir::new(folder).max_depth(DEPTH).sort_by_file_name();
    let shown = |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    let mut files = Vec::new();
    for entry in walk.into_iter().filter_entry(shown) {
        let entry = entry?;
        if entry.file_type().is_file() && is_advisory(entry.path().strip_prefix(folder).unwrap_or(entry.path())) {
            files.push(entry.into_path());
            ensure!(files.len() <= MOST_FILES, "it has more than {MOST_FILES} files");
        }
    }
    ensure!(
        !files.is_empty(),
        Code::AdvisoryDatabase.error(
            "it has no advisories: neither `crates/NAME/*.md`, as RustSec's database has, nor JSON as OSV describes it\n\
            help: clone the RustSec advisory-db with `git clone`, and name its folder: `--db FOLDER`"
        )
    );
    Ok(files)
}

/// RustSec's database has other Markdown than that of `crates`: about itself, and about Rust's own tools.
fn is_advisory(path: &Path) -> bool {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("md") => path.starts_with("crates") && path.components().count() == 3,
        Some("json") => true,
        _ => false,
    }
}

fn read(folder: &Path, path: &Path, wanted: &Wanted<'_>) -> Result<Read> {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let failed = || {
        Code::AdvisoryDatabase.error(format!(
            "`{}` is no advisory\nhelp: bring the database into order, as with `git -C {} status`",
            inside.display(),
            folder.display()
        ))
    };
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= LARGEST, "`{}` is larger than {LARGEST} bytes", inside.display());
    if path.extension().is_some_and(|ending| ending == "json") {
        let ecosystems = RefCell::new(BTreeSet::new());
        let of_interest = |ecosystem: &Ecosystem, name: &str| {
            ecosystems.borrow_mut().insert(ecosystem.clone());
            wanted(ecosystem, name)
        };
        let (date, advisory) = osv::parse(&bytes, &of_interest).with_context(failed)?;
        return Ok(Read { date, advisory, ecosystems: ecosystems.into_inner() });
    }
    let text = String::from_utf8(bytes).context("it is not UTF-8").with_context(failed)?;
    let (date, advisory) = rustsec::parse(&text).with_context(failed)?;
    let of_interest = |advisory: &Advisory| advisory.affected.iter().any(|package| wanted(&package.ecosystem, &package.name));
    Ok(Read { date, advisory: advisory.filter(of_interest), ecosystems: BTreeSet::from([Ecosystem::Crates]) })
}
