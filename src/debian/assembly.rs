//! Unpacks the packages of a pin into one tree.

use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rayon::prelude::*;

use super::deb::{DebMember, MemberKind, Unpacked};
use super::parcel::Parcel;
use super::pin::{DebianPin, PackagePin};
use super::recipe::Recipe;
use super::relation;
use super::spool::Spool;
use super::tree::{NodeKind, Tree, TreeNode};
use super::{check, emulate};
use crate::diagnostic::{Code, Note};
use crate::digest::{Hasher, Summed};
use crate::oci::blob_path;

/// Folders that a slim base does without. Of `usr/share/doc`, copyright files stay.
const FAT: [&str; 8] = [
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/linda",
    "usr/share/doc-base",
    "usr/share/bug",
];

/// A tree that is complete.
#[derive(Debug)]
pub struct Assembled {
    /// The file system.
    pub tree: Tree,
    /// What the user should know.
    pub notes: Vec<Note>,
}

/// Makes the tree of a pin, whose packages are in the cache at `blobs`.
///
/// # Errors
/// When a package is damaged, two packages claim one file, or a script would do what is not known.
pub fn assemble(pin: &DebianPin, recipe: &Recipe, blobs: &Path, epoch: u64, threads: usize) -> Result<Assembled> {
    let spool = Spool::new()?;
    let parcels = unpack(pin, recipe, blobs, &spool, threads)?;
    let mut tree = Tree::new(spool);
    merge_usr(&mut tree, &pin.architecture, epoch);
    // The package with the top folders comes first.
    let mut order: Vec<usize> = (0..parcels.len()).collect();
    order.sort_by_key(|at| parcels[*at].name != "base-files");
    for at in order {
        lay(&mut tree, &parcels, at)?;
    }
    let mut notes = emulate::all(&mut tree, &parcels, recipe, epoch)?;
    notes.extend(check::libraries(&tree, &parcels)?);
    Ok(Assembled { tree, notes })
}

fn unpack(pin: &DebianPin, recipe: &Recipe, blobs: &Path, spool: &Spool, threads: usize) -> Result<Vec<Parcel>> {
    let exclude = globs(&recipe.exclude)?;
    let slim = recipe.slim;
    let keep = |path: &str, is_link_or_folder: bool| !(exclude.is_match(path) || slim && is_fat(path, is_link_or_folder));
    let threads = rayon::ThreadPoolBuilder::new().num_threads(threads.clamp(1, 8)).build()?;
    threads.install(|| {
        let one = |package: &PackagePin| {
            let path = blobs.join(blob_path(&package.digest));
            // What a package says of itself is no more than a hint, but a bomb is far beyond it.
            let most = (package.installed << 11).saturating_add(64 << 20);
            let unpacked = verified(&path, package, spool, most, &keep).map_err(|error| {
                anyhow::Error::from(
                    Code::DebianDamaged
                        .error(format!("the package `{}` {} is damaged: {error:#}", package.name, package.version)),
                )
            })?;
            let (name, version) = (package.name.clone(), package.version.clone());
            Ok(Parcel { name, version, architecture: package.architecture.clone(), unpacked })
        };
        pin.packages.par_iter().map(one).collect()
    })
}

/// Unpacks a package while it is summed: it may have been damaged on disk since it was fetched.
fn verified(
    path: &Path,
    package: &PackagePin,
    spool: &Spool,
    most: u64,
    keep: &(dyn Fn(&str, bool) -> bool + Sync),
) -> Result<Unpacked> {
    let mut sum = Hasher::default();
    let mut file = BufReader::with_capacity(1 << 16, Summed::new(fs_err::File::open(path)?, &mut sum));
    let unpacked = Unpacked::read(&mut file, spool, most, keep)?;
    std::io::copy(&mut file, &mut std::io::sink())?;
    drop(file);
    let sum = sum.finish();
    ensure!(sum == package.digest, "its sum is `{sum}` instead of `{}`", package.digest);
    Ok(unpacked)
}

/// Patterns of paths, with or without `/` before them.
///
/// # Errors
/// When one is not a pattern.
pub fn globs(patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern.trim_start_matches('/')).literal_separator(true).build();
        set.add(glob.with_context(|| format!("`{pattern}` in `exclude` is not a pattern"))?);
    }
    Ok(set.build()?)
}

fn is_fat(path: &str, is_link_or_folder: bool) -> bool {
    let Some(folder) = FAT.iter().find(|folder| path.starts_with(*folder) && path[folder.len()..].starts_with('/')) else {
        return false;
    };
    let of_doc = *folder == "usr/share/doc";
    let depth = path.matches('/').count();
    // The folder of a package may be a link to another's with the copyright file.
    !(of_doc && (path.ends_with("/copyright") || is_link_or_folder && depth == 3))
}

/// Links of top folders to those in `/usr`, as every suite has them since 2019.
fn merge_usr(tree: &mut Tree, architecture: &str, epoch: u64) {
    let more: &[&str] = match architecture {
        "amd64" | "ppc64el" => &["lib64"],
        _ => &[],
    };
    for name in ["bin", "lib", "sbin"].iter().chain(more) {
        tree.folders(&format!("usr/{name}"), epoch);
        tree.link(name, &format!("usr/{name}"), epoch);
    }
}

/// Lays a package's files into the tree, by dpkg's rules.
fn lay(tree: &mut Tree, parcels: &[Parcel], at: usize) -> Result<()> {
    let parcel = &parcels[at];
    for member in &parcel.unpacked.members {
        let Some(path) = tree.place(&member.path) else {
            bail!(Code::DebianDamaged.error(format!(
                "the path `{}` of the package `{}` leads through a loop of symbolic links",
                member.path, parcel.name
            )))
        };
        if let Some((folder, _)) = path.rsplit_once('/') {
            tree.folders(folder, member.mtime);
        }
        if let Some(there) = tree.at(&path) {
            let leads_to_folder = || tree.resolve(&path).and_then(|path| tree.at(&path)).is_some_and(TreeNode::is_folder);
            match (&member.kind, &there.kind) {
                // A folder that is there stays, also where it is one by a link.
                (MemberKind::Folder, NodeKind::Folder) if there.package.is_none() => {}
                (MemberKind::Folder, NodeKind::Folder) => continue,
                (MemberKind::Folder, NodeKind::Symlink(_)) if leads_to_folder() => continue,
                (MemberKind::Symlink(_), NodeKind::Folder) => continue,
                (MemberKind::Symlink(target), NodeKind::Symlink(other))
                    if target.trim_start_matches('/') == other.trim_start_matches('/') =>
                {
                    continue;
                }
                _ => {
                    let other = there.package.filter(|other| *other != at);
                    if let Some(other) = other
                        && !replaces(parcel, &parcels[other])
                    {
                        if replaces(&parcels[other], parcel) {
                            continue;
                        }
                        bail!(Code::DebianPackage.error(format!(
                            "the packages `{}` and `{}` both have the file `/{path}`\nhelp: leave one of them out: `without = [\"{}\"]`",
                            parcels[other].name, parcel.name, parcel.name
                        )));
                    }
                }
            }
        }
        let node = node(tree, member, at).map_err(|error| {
            anyhow::Error::from(
                Code::DebianDamaged
                    .error(format!("the package `{}` {} is damaged: `{}`: {error:#}", parcel.name, parcel.version, member.path)),
            )
        })?;
        tree.put(path, node);
    }
    Ok(())
}

fn node(tree: &Tree, member: &DebMember, at: usize) -> Result<TreeNode> {
    let kind = match &member.kind {
        MemberKind::Folder => NodeKind::Folder,
        MemberKind::File(start, size) => NodeKind::Spooled(*start, *size),
        MemberKind::Symlink(target) => NodeKind::Symlink(target.clone()),
        MemberKind::HardLink(target) => {
            let target = tree.place(target).context("it leads through a loop of symbolic links")?;
            match tree.at(&target).map(|node| &node.kind) {
                Some(NodeKind::Spooled(..)) => NodeKind::HardLink(target),
                Some(NodeKind::HardLink(first)) => NodeKind::HardLink(first.clone()),
                _ => bail!("it is a hard link to `/{target}`, which is not there: does `exclude` leave it out?"),
            }
        }
    };
    Ok(TreeNode { mode: member.mode, uid: member.uid, gid: member.gid, mtime: member.mtime, kind, package: Some(at) })
}

/// Whether a package may take files of another one over.
fn replaces(new: &Parcel, old: &Parcel) -> bool {
    let Some(field) = new.field("Replaces") else { return false };
    let provides = old.field("Provides").unwrap_or_default();
    relation::list(&field).any(|replaced| {
        (replaced.name == old.name && replaced.takes(&old.version))
            || relation::list(&provides)
                .any(|provided| provided.name == replaced.name && replaced.takes_provided(provided.provided_version()))
    })
}
