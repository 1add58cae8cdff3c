//! `/etc/ld.so.cache`, byte for byte as glibc's ldconfig writes it (elf/cache.c, elf/stringtable.c).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::debian::parcel::Parcel;
use crate::debian::tree::{NodeKind, Tree};
use crate::elf::Elf;

/// A library in the cache.
#[derive(Clone, Debug)]
struct Library {
    flags: u32,
    soname: String,
    path: String,
}

/// Writes the cache, if the packages have a glibc for a processor whose flags are known.
///
/// # Errors
/// When a library cannot be read from the spool.
pub fn write(tree: &mut Tree, parcels: &[Parcel], epoch: u64) -> Result<()> {
    // Who has no ldconfig has no cache: the loader finds what is in its own folders.
    let Some(libc) = parcels.iter().find(|parcel| parcel.name == "libc-bin") else { return Ok(()) };
    let upstream = libc.version.split('-').next().unwrap_or_default();
    let vendor = if tree.has("etc/dpkg/origins/ubuntu") { "Ubuntu GLIBC" } else { "Debian GLIBC" };
    let generator = format!("ldconfig ({vendor} {}) stable release version {upstream}", libc.version);
    let mut libraries: Vec<Library> = Vec::new();
    let mut seen = BTreeSet::new();
    for folder in folders(tree)? {
        let Some(real) = tree.resolve(&folder).filter(|real| tree.at(real).is_some_and(|node| node.is_folder())) else {
            continue;
        };
        if !seen.insert(real.clone()) {
            continue;
        }
        for library in of_folder(tree, &folder, &real)? {
            let at = libraries.iter().position(|other| order(other, &library) == Ordering::Greater).unwrap_or(libraries.len());
            libraries.insert(at, library);
        }
    }
    if !libraries.is_empty() {
        tree.write("etc/ld.so.cache", 0o644, epoch, encoded(&libraries, &generator));
    }
    Ok(())
}

/// The folders that are searched: those of `/etc/ld.so.conf`, then the loader's own.
pub fn folders(tree: &Tree) -> Result<Vec<String>> {
    let mut folders = Vec::new();
    let mut open = vec!["etc/ld.so.conf".to_owned()];
    let mut read = 0;
    while let Some(path) = open.pop() {
        read += 1;
        let Some(text) = tree.text(&path)?.filter(|_| read < 1000) else { continue };
        let mut included = Vec::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(pattern) = line.strip_prefix("include").map(str::trim) {
                let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/{pattern}") };
                let (folder, name) = pattern.trim_start_matches('/').rsplit_once('/').unwrap_or(("", ""));
                let (start, end) = name.split_once('*').unwrap_or((name, ""));
                let files = tree.below(folder).filter(|(path, _)| {
                    let name = &path[folder.len() + 1..];
                    !name.contains('/') && name.starts_with(start) && name.ends_with(end)
                });
                included.extend(files.map(|(path, _)| path.to_owned()));
            } else if line.starts_with('/') {
                folders.push(line.trim_end_matches('/').to_owned());
            }
        }
        open.extend(included.into_iter().rev());
    }
    folders.extend(["/lib".to_owned(), "/usr/lib".to_owned()]);
    // Debian's loader knows the folder of its own architecture by itself.
    let of_architecture = tree
        .below("usr/lib")
        .filter(|(path, node)| node.is_folder() && path.matches('/').count() == 2 && path.contains("-linux-gnu"));
    folders.extend(of_architecture.map(|(path, _)| format!("/{path}")).collect::<Vec<_>>());
    Ok(folders)
}

/// The libraries of one folder, in the order in which ldconfig adds them.
fn of_folder(tree: &Tree, folder: &str, real: &str) -> Result<Vec<Library>> {
    struct Found {
        name: String,
        is_link: bool,
        library: Library,
    }
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for (path, node) in tree.below(real) {
        let name = &path[real.len() + 1..];
        let is_library = (name.starts_with("lib") || name.starts_with("ld-")) && name.contains(".so");
        if name.contains('/') || !is_library || name.ends_with(".py") {
            continue;
        }
        let Some(target) = tree.resolve(path) else { continue };
        let Some(stretch) = tree.stretch(&target) else { continue };
        let Ok(elf) = Elf::of(std::io::BufReader::with_capacity(1 << 14, stretch)) else { continue };
        let Some(flags) = flags(&elf) else { continue };
        let mut soname = elf.soname.clone().unwrap_or_else(|| name.to_owned());
        let mut is_link = matches!(node.kind, NodeKind::Symlink(_));
        if is_link {
            let base = target.rsplit('/').next().unwrap_or(&target);
            // A link for the linker, or to something else than its name: as if it were a file.
            if base != soname && !(base.ends_with(".so") && soname.starts_with(base)) {
                is_link = false;
            }
        }
        if is_link {
            soname = name.to_owned();
        }
        let path = format!("{folder}/{soname}");
        let library = Library { flags, soname: soname.clone(), path };
        let new = Found { name: name.to_owned(), is_link, library };
        match found.get(&soname) {
            Some(old) if (new.is_link || !old.is_link) && (new.is_link != old.is_link || compare(&old.name, name).is_ge()) => {}
            _ => drop(found.insert(soname, new)),
        }
    }
    Ok(found.into_values().map(|found| found.library).collect())
}

/// What the cache says of an ELF file; `None` for processors that are not known here.
fn flags(elf: &Elf) -> Option<u32> {
    match elf.machine.name().as_str() {
        "arm64" => Some(0x0a03),
        "amd64" => Some(0x0303),
        "386" => Some(0x0003),
        "arm" => Some(0x0903),
        "riscv64" => Some(0x1003),
        "ppc64le" => Some(0x0503),
        "s390x" => Some(0x0403),
        _ => None,
    }
}

/// glibc's order of library names: numbers by value (`_dl_cache_libcmp`).
fn compare(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one.as_bytes(), other.as_bytes());
    while let Some((x, _)) = a.split_first() {
        let y = b.first().copied().unwrap_or(0);
        if x.is_ascii_digit() {
            if !y.is_ascii_digit() {
                return Ordering::Greater;
            }
            let number = |bytes: &mut &[u8]| {
                let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
                let value =
                    bytes[..end].iter().fold(0u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
                *bytes = &bytes[end..];
                value
            };
            let order = number(&mut a).cmp(&number(&mut b));
            if order != Ordering::Equal {
                return order;
            }
        } else if y.is_ascii_digit() {
            return Ordering::Less;
        } else if *x != y {
            return x.cmp(&y);
        } else {
            (a, b) = (&a[1..], &b[1..]);
        }
    }
    if b.is_empty() { Ordering::Equal } else { Ordering::Less }
}

/// The order of the cache, from the end of the alphabet.
fn order(one: &Library, other: &Library) -> Ordering {
    compare(&other.soname, &one.soname).then_with(|| other.flags.cmp(&one.flags))
}

/// The strings of the cache: one that ends another one is a part of it.
fn strings(libraries: &[Library]) -> (Vec<u8>, BTreeMap<&str, u32>) {
    let mut all: Vec<&str> = libraries.iter().flat_map(|library| [library.soname.as_str(), &library.path]).collect();
    let backwards = |one: &&str, other: &&str| {
        let order = one.bytes().rev().zip(other.bytes().rev()).map(|(a, b)| b.cmp(&a)).find(|order| order.is_ne());
        // A longer one stands before its end.
        order.unwrap_or_else(|| other.len().cmp(&one.len()))
    };
    all.sort_by(backwards);
    all.dedup();
    let mut bytes = Vec::new();
    let mut places = BTreeMap::new();
    let mut previous: Option<(&str, u32)> = None;
    for string in all {
        let place = match previous {
            Some((longer, place)) if longer.ends_with(string) => place + (longer.len() - string.len()) as u32,
            _ => {
                let place = bytes.len() as u32;
                bytes.extend_from_slice(string.as_bytes());
                bytes.push(0);
                place
            }
        };
        places.insert(string, place);
        previous = Some((string, place));
    }
    (bytes, places)
}

fn encoded(libraries: &[Library], generator: &str) -> Vec<u8> {
    let (strings, places) = strings(libraries);
    let start = 48 + 24 * libraries.len() as u32;
    let extension = (start + strings.len() as u32).next_multiple_of(4);
    let mut bytes = b"glibc-ld.so.cache1.1".to_vec();
    let number = |bytes: &mut Vec<u8>, number: u32| bytes.extend(number.to_le_bytes());
    number(&mut bytes, libraries.len() as u32);
    number(&mut bytes, strings.len() as u32);
    // Little endian.
    number(&mut bytes, 2);
    number(&mut bytes, extension);
    bytes.extend([0; 12]);
    for library in libraries {
        for value in [library.flags, start + places[library.soname.as_str()], start + places[library.path.as_str()], 0, 0, 0] {
            number(&mut bytes, value);
        }
    }
    bytes.extend_from_slice(&strings);
    bytes.resize(extension as usize, 0);
    // One section: who made it.
    for value in [0xeaa4_2174, 1, 0, 0, extension + 24, generator.len() as u32] {
        number(&mut bytes, value);
    }
    bytes.extend_from_slice(generator.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_numbers() {
        for (one, other) in
            [("libz.so.1", "libz.so.10"), ("liba.so.2", "liba.so.2.1"), ("liba.so", "liba1.so"), ("liba.so.9", "libb.so.1")]
        {
            assert_eq!((compare(one, other), compare(other, one)), (Ordering::Less, Ordering::Greater), "{one} {other}");
        }
        assert_eq!(compare("libz.so.1", "libz.so.1"), Ordering::Equal);
    }
}
