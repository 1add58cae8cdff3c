//! Executables that carry the list of their crates.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::crate_list::{CrateList, SECTION};
use super::service_crates::ServiceCrates;
use crate::digest::Digest;
use crate::elf::{section_of, with_section};
use crate::fs::{remove, write};
use crate::segment::KnownDigests;

/// Changes when other bytes are made of the same executable and list.
const FORMAT: u32 = 1;

/// What was made of an executable.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Labelled {
    format: u32,
    from: Digest,
    list: Digest,
    /// The digest of the executable with its list; `None` if it stays as it is.
    to: Option<Digest>,
}

/// An executable of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Where it is.
    pub path: PathBuf,
    /// Why it has no list, if it should have one.
    pub without: Option<String>,
}

/// The list that an executable carries; `None` if it carries none.
///
/// # Errors
/// When it cannot be read, or its list is damaged.
pub fn carried(path: &Path) -> Result<Option<CrateList>> {
    let file = fs_err::File::open(path)?;
    let section = section_of(BufReader::new(file), SECTION);
    let section = section.with_context(|| format!("failed to read `{}` as an ELF file", path.display()))?;
    let list = section.map(|bytes| CrateList::parse(&bytes)).transpose();
    list.with_context(|| format!("failed to read `{}`", path.display()))
}

/// Gives executables the lists of their crates, in copies in `folder`: one that carries a list already keeps it. What was done before
/// is not done again. `crates` are in any order; an executable whose crates are not completely known stays as it is.
///
/// # Errors
/// When a file cannot be read or written.
pub fn carry(
    folder: &Path,
    executables: BTreeMap<String, PathBuf>,
    crates: &[ServiceCrates],
    known: &KnownDigests,
) -> Result<BTreeMap<String, Carrier>> {
    let one = |(service, path): (String, PathBuf)| {
        let list = crates.iter().find(|of| of.service == service).and_then(ServiceCrates::list);
        let carrier = match list {
            Some(list) => {
                let made = folder.join(format!("{service}.json"));
                put(&folder.join(&service), &made, path, &list.write()?, known)?
            }
            None => Carrier { path, without: None },
        };
        Ok((service, carrier))
    };
    executables.into_par_iter().map(one).collect()
}

fn put(to: &Path, made: &Path, path: PathBuf, list: &[u8], known: &KnownDigests) -> Result<Carrier> {
    let (from, list_digest) = (known.digest(&path)?.0, Digest::of(list));
    let before = std::fs::read(made).ok().and_then(|bytes| serde_json::from_slice::<Labelled>(&bytes).ok());
    if let Some(before) = before.filter(|before| (before.format, before.from, before.list) == (FORMAT, from, list_digest)) {
        match before.to {
            None => return Ok(Carrier { path, without: None }),
            Some(digest) if known.digest(to).is_ok_and(|(now, _)| now == digest) => {
                return Ok(Carrier { path: to.to_owned(), without: None });
            }
            Some(_) => {}
        }
    }
    remove(made)?;
    let remember = |to: Option<Digest>| {
        let labelled = Labelled { format: FORMAT, from, list: list_digest, to };
        write(made, &serde_json::to_vec(&labelled)?)
    };
    if carried(&path)?.is_some() {
        remember(None)?;
        return Ok(Carrier { path, without: None });
    }
    let data = fs_err::read(&path)?;
    let labelled = match with_section(&data, SECTION, list) {
        Ok(labelled) => labelled,
        Err(error) => return Ok(Carrier { path, without: Some(format!("{error:#}")) }),
    };
    write(to, &labelled)?;
    fs_err::set_permissions(to, std::fs::metadata(&path)?.permissions())?;
    remember(Some(Digest::of(&labelled)))?;
    Ok(Carrier { path: to.to_owned(), without: None })
}
