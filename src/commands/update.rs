//! `cargo appbundle update`: updates pins to the current images of the registries and packages of the archives.

mod packages;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};

use crate::app::Target;
use crate::config::lockfile::{self, Lockfile, Pin, PlatformPin};
use crate::debian::Recipe;
use crate::oci::Platform;
use crate::pipeline::pulled::{self, client};
use crate::pipeline::{Options, Session, cache_folder, lock};
use crate::plan::Plan;
use crate::registry::{BLOBS_CAP, Blobs, Client, Reference};
use crate::segment::{Cache, Packer};
use crate::shell::Shell;

/// Asks the registries for the current digests of all references of the plan, or of some, and reports what changed.
///
/// # Errors
/// When the plan does not use a reference, an image cannot be pulled, or the lock file must not change.
pub fn run(options: &Options, wanted: &[String], shell: &Shell) -> Result<()> {
    let Session { plan, .. } = Session::start(options, shell)?;
    let _lock = lock(&plan, shell)?;
    let mut lockfile = Lockfile::read(&plan.workspace)?;
    let all = pulled::references(&plan);
    let recipes = pulled::packages::recipes(&plan);
    let (of_packages, wanted_images) = split(&recipes, wanted);
    let chosen = if wanted_images.is_empty() && !wanted.is_empty() { Vec::new() } else { choose(&all, &wanted_images)? };
    let mover = Mover {
        client: client(&plan.registries, options, shell)?,
        blobs: Blobs::of_user()?,
        packer: Packer::new(Cache::new(&cache_folder(&plan)), plan.compression, options.threads),
        plan: &plan,
        shell,
    };
    let mut changed = false;
    for reference in chosen {
        changed |= mover.update(reference, &mut lockfile)?;
    }
    for recipe in of_packages {
        changed |= packages::update(recipe, &plan, &mut lockfile, &mover.client, &mover.blobs, shell)?;
    }
    // What no service stands on any more goes, where all services were looked at.
    if wanted.is_empty() && options.request.packages.is_empty() {
        let used: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
        let unused: Vec<String> =
            lockfile.pins().iter().map(|pin| pin.reference.clone()).filter(|name| !used.contains(name)).collect();
        for name in unused {
            shell.status("Removing", &name);
            lockfile.remove(&name);
            changed = true;
        }
        let pins = lockfile.debian_pins().len();
        lockfile.retain_debian(|pin| recipes.iter().any(|recipe| pin.is_of(recipe, &pin.architecture)));
        changed |= lockfile.debian_pins().len() != pins;
    }
    if !changed {
        shell.status("Unchanged", lockfile.path().display());
        return Ok(());
    }
    if options.cargo.locked || options.cargo.frozen {
        lockfile::refuse_change(&lockfile)?;
    }
    lockfile.write()?;
    mover.blobs.prune(BLOBS_CAP);
    Ok(())
}

/// The bases of packages among what is wanted, by their suites, and what else is wanted.
fn split<'a>(recipes: &[&'a Recipe], wanted: &[String]) -> (Vec<&'a Recipe>, Vec<String>) {
    if wanted.is_empty() {
        return (recipes.to_vec(), Vec::new());
    }
    let (suites, images): (Vec<String>, Vec<String>) =
        wanted.iter().cloned().partition(|name| recipes.iter().any(|recipe| recipe.suite == *name));
    (recipes.iter().copied().filter(|recipe| suites.contains(&recipe.suite)).collect(), images)
}

fn choose<'a>(all: &[&'a Reference], wanted: &[String]) -> Result<Vec<&'a Reference>> {
    if wanted.is_empty() {
        return Ok(all.to_vec());
    }
    let mut chosen = Vec::new();
    for text in wanted {
        let reference: Reference = text.parse().map_err(anyhow::Error::msg)?;
        let Some(found) = all.iter().find(|known| ***known == reference) else {
            let known: Vec<String> = all.iter().map(|known| format!("`{known}`")).collect();
            let known = if known.is_empty() {
                "no base comes from a registry".to_owned()
            } else {
                format!("base images in use: {}", known.join(", "))
            };
            bail!("no service uses the image `{reference}`: {known}");
        };
        chosen.push(*found);
    }
    Ok(chosen)
}

struct Mover<'a> {
    client: Client<'a>,
    blobs: Blobs,
    packer: Packer,
    plan: &'a Plan,
    shell: &'a Shell,
}

impl Mover<'_> {
    /// Updates one pin, for its own platforms and those of the plan; returns whether anything changed.
    fn update(&self, reference: &Reference, lockfile: &mut Lockfile) -> Result<bool> {
        let name = reference.to_string();
        let old = lockfile.pin(&name).cloned();
        let own = self.plan.target.clone();
        let resolved = pulled::resolve(&self.client, &self.blobs, reference, &own)?;
        let fixed = reference.at(resolved.digest);
        let mut platforms = vec![self.read(reference, &fixed, &own)?];
        for platform in old.iter().flat_map(|pin| &pin.platforms).filter(|platform| platform.name != own.platform.to_string()) {
            match self.read(reference, &fixed, &target(&platform.name)?) {
                Ok(pin) => platforms.push(pin),
                Err(error) => self.shell.warning(format_args!("{} is no longer pinned: {error:#}", platform.name)),
            }
        }
        platforms.sort_by(|a, b| a.name.cmp(&b.name));
        let new = Pin { reference: name.clone(), digest: resolved.digest, platforms };
        if old.as_ref() == Some(&new) {
            return Ok(false);
        }
        self.tell(old.as_ref(), &new);
        lockfile.remove(&name);
        new.platforms.into_iter().for_each(|platform| lockfile.set(&name, new.digest, platform));
        Ok(true)
    }

    fn read(&self, reference: &Reference, fixed: &Reference, target: &Target) -> Result<PlatformPin> {
        let resolved = pulled::resolve(&self.client, &self.blobs, fixed, target)?;
        let read = pulled::read(&self.client, &self.blobs, reference, &resolved, target, &self.packer, self.shell)?;
        Ok(read.pin)
    }

    fn tell(&self, old: Option<&Pin>, new: &Pin) {
        let Some(old) = old else {
            self.shell.status("Adding", format_args!("{} {}", new.reference, new.digest));
            return;
        };
        self.shell.status("Updating", format_args!("{} {} -> {}", new.reference, old.digest, new.digest));
        for platform in &new.platforms {
            let before = old.platform(&platform.name);
            let kept = before.map_or(0, |old| platform.diff_ids.iter().filter(|id| old.diff_ids.contains(id)).count());
            let count = platform.diff_ids.len();
            let glibc = |pin: Option<&PlatformPin>| pin.and_then(|pin| pin.glibc.clone()).unwrap_or_else(|| "none".into());
            let (was, is) = (glibc(before), glibc(Some(platform)));
            let glibc = if was == is { format!("glibc {is}") } else { format!("glibc {was} -> {is}") };
            self.shell.status("", format_args!("{}: {} of {count} layers changed, {glibc}", platform.name, count - kept));
        }
    }
}

/// A target of which only the platform matters.
fn target(name: &str) -> Result<Target> {
    let mut parts = name.splitn(3, '/').map(str::to_owned);
    let (os, architecture) = parts.next().zip(parts.next()).with_context(|| format!("`{name}` is not a platform"))?;
    Ok(Target { triple: name.to_owned(), glibc: None, platform: Platform { architecture, os, variant: parts.next() } })
}
