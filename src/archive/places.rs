//! Where the members of an archive stand, for readers that take them in an order of their own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

use anyhow::{Result, bail};

use super::{TarReader, confined, normal};

/// Where each file's bytes begin in an uncompressed archive, and how many they are, by path without `./`. A link has its target's.
///
/// # Errors
/// When it is no tar, is cut short, or has a path that leads out of it.
pub fn places(file: File) -> Result<BTreeMap<String, (u64, u64)>> {
    let length = file.metadata()?.len();
    // A header or two: members are passed over by seeking.
    let mut reader = TarReader::new(BufReader::with_capacity(1 << 12, file));
    let (mut places, mut links) = (BTreeMap::new(), Vec::new());
    while let Some(entry) = reader.next_entry()? {
        let Some(name) = confined(&entry.path) else {
            bail!("its member `{}` has a path outside the archive", entry.path.escape_debug())
        };
        reader.seek_past(length)?;
        match &entry.link {
            // Docker before 25 writes a repeated layer as a link to where it stands; a hard link begins at the top.
            Some(link) => {
                let folder = if entry.kind.is_symlink() { name.rsplit_once('/').map_or("", |(folder, _)| folder) } else { "" };
                links.push((normal(&format!("{folder}/{link}")), name));
            }
            None if entry.is_file() => drop(places.insert(name, (entry.offset, entry.size))),
            None => {}
        }
    }
    for (target, name) in links {
        if let Some(place) = places.get(&target).copied() {
            places.insert(name, place);
        }
    }
    Ok(places)
}
