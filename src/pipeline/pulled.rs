//! Base images from registries, and packages of Debian: pinned by `appbundle.lock`, pulled when needed.

pub mod packages;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use self::packages::Packages;
use super::Options;
use crate::app::{Base, BaseChoice, Target};
use crate::base::{self, Pulled};
use crate::compile::CargoSettings;
use crate::config::lockfile::{self, Lockfile, PlatformPin};
use crate::debian::Recipe;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::plan::Plan;
use crate::registry::{self, Access, BLOBS_CAP, Blobs, Client, Reference, Resolved};
use crate::segment::Packer;
use crate::shell::{self, Shell};

/// The lock file, client and cache of one run; unused if the plan has no base from a registry.
pub struct Images<'a> {
    parts: Option<Parts<'a>>,
    shell: &'a Shell,
    locked: bool,
}

struct Parts<'a> {
    client: Client<'a>,
    blobs: Blobs,
    lockfile: Lockfile,
    /// For each reference, its digest and that of the manifest for the target.
    digests: BTreeMap<Reference, (Digest, Digest)>,
    /// The pins that the lock file had.
    fixed: BTreeSet<Reference>,
    packages: Packages,
}

/// A base read from a registry, and its pin for the lock file.
pub struct Read {
    /// The digest of what the reference names.
    pub digest: Digest,
    /// What the lock file pins.
    pub pin: PlatformPin,
    /// The base itself.
    pub base: Base,
}

impl<'a> Images<'a> {
    /// Resolves each reference of the plan: from the lock file, otherwise by asking the registry.
    ///
    /// # Errors
    /// When the lock file is invalid, would have to change under `--locked`, or a registry lacks the image.
    pub fn start(plan: &Plan, options: &Options, shell: &'a Shell) -> Result<Self> {
        let locked = options.cargo.locked || options.cargo.frozen;
        let references: Vec<&Reference> = references(plan);
        if references.is_empty() && packages::recipes(plan).is_empty() {
            return Ok(Self { parts: None, shell, locked });
        }
        let mut parts = Parts {
            client: client(&plan.registries, options, shell)?,
            blobs: Blobs::of_user()?,
            lockfile: Lockfile::read(&plan.workspace)?,
            digests: BTreeMap::new(),
            fixed: BTreeSet::new(),
            packages: Packages::default(),
        };
        let platform = &plan.target.platform;
        for reference in references {
            let name = reference.to_string();
            let pin = parts.lockfile.pin(&name);
            let pinned = pin.and_then(|pin| Some((pin.digest, pin.platform(&platform.to_string())?.digest)));
            let digests = match pinned {
                Some(digests) => {
                    parts.fixed.insert(reference.clone());
                    digests
                }
                None => {
                    if locked {
                        lockfile::refuse_change(&parts.lockfile)?;
                    }
                    let resolved = match pin {
                        Some(pin) => resolve_pinned(&parts, reference, pin.digest, &plan.target),
                        None => resolve(&parts.client, &parts.blobs, reference, &plan.target),
                    };
                    let resolved = resolved.map_err(|error| at_its_service(error, reference, plan))?;
                    shell.status("Locking", format_args!("{reference} to {}", resolved.digest));
                    (resolved.digest, resolved.manifest)
                }
            };
            parts.digests.insert(reference.clone(), digests);
        }
        let Parts { lockfile, client, blobs, .. } = &parts;
        parts.packages = Packages::start(plan, lockfile, locked, client, blobs, shell)?;
        Ok(Self { parts: Some(parts), shell, locked })
    }

    /// The manifests that a build depends on.
    pub fn manifests(&self) -> Vec<Digest> {
        let parts = self.parts.iter();
        parts.flat_map(|parts| parts.digests.values().map(|(_, manifest)| *manifest).chain(parts.packages.sums())).collect()
    }

    /// Whether the lock file is complete.
    pub fn are_fixed(&self) -> bool {
        self.parts.as_ref().is_none_or(|parts| {
            parts.digests.keys().all(|reference| parts.fixed.contains(reference)) && parts.packages.are_fixed()
        })
    }

    /// Reads a base; pulls only layers that were never packed.
    ///
    /// # Errors
    /// When it cannot be pulled, does not match the lock file, or is not a base.
    pub fn read(&mut self, reference: &Reference, target: &Target, packer: &Packer) -> Result<Base> {
        let parts = self.parts.as_mut().context("the image is not one of the plan's")?;
        let (digest, manifest) = *parts.digests.get(reference).context("the image is not one of the plan's")?;
        let name = reference.to_string();
        let platform = target.platform.to_string();
        let pin = parts.lockfile.pin(&name).and_then(|pin| pin.platform(&platform)).cloned();
        let resolved = resolve_pinned(parts, reference, digest, target)?;
        if resolved.manifest != manifest {
            let message = format!("the manifest of `{name}` for {platform} has the digest `{}`", resolved.manifest);
            return Err(parts.lockfile.wrong(&name, Some(&platform), "digest", message));
        }
        if pin.as_ref().is_some_and(|pin| pin.diff_ids != resolved.diff_ids) {
            let message = format!("these are not the layers of `{name}` for {platform}");
            return Err(parts.lockfile.wrong(&name, Some(&platform), "diff-ids", message));
        }
        let read = read(&parts.client, &parts.blobs, reference, &resolved, target, packer, self.shell)?;
        if let Some(pin) = pin.filter(|pin| pin.glibc != read.pin.glibc) {
            let is = read.pin.glibc.unwrap_or_else(|| "none".into());
            let message = format!("the glibc of `{name}` for {platform} is {is}");
            let key = if pin.glibc.is_some() { "glibc" } else { "name" };
            return Err(parts.lockfile.wrong(&name, Some(&platform), key, message));
        }
        parts.lockfile.set(&name, read.digest, read.pin);
        Ok(read.base)
    }

    /// Reads a base of packages; fetches only those that were never fetched.
    ///
    /// # Errors
    /// As [`Packages::read`].
    pub fn read_packages(&mut self, recipe: &Recipe, plan: &Plan, packer: &Packer) -> Result<Base> {
        let parts = self.parts.as_mut().context("the packages are not the plan's")?;
        let (base, pin) = parts.packages.read(recipe, plan, &parts.client, &parts.blobs, packer, self.shell)?;
        parts.lockfile.set_debian(pin);
        Ok(base)
    }

    /// Writes new pins to the lock file, and trims the cache.
    ///
    /// # Errors
    /// When the lock file cannot be written, or must not change.
    pub fn finish(self) -> Result<()> {
        let Some(mut parts) = self.parts else { return Ok(()) };
        if !self.locked && parts.lockfile.write()? {
            self.shell.detail("Wrote", parts.lockfile.path().display());
        }
        parts.blobs.prune(BLOBS_CAP);
        Ok(())
    }
}

/// The registry images among a plan's bases, without duplicates.
pub fn references(plan: &Plan) -> Vec<&Reference> {
    let mut references: Vec<&Reference> = plan
        .bases()
        .into_iter()
        .filter_map(|base| if let BaseChoice::Image(reference) = base { Some(reference) } else { None })
        .collect();
    references.sort();
    references.dedup();
    references
}

/// Shows an error with a code at the service whose image it is about, if others made that image.
fn at_its_service(error: anyhow::Error, reference: &Reference, plan: &Plan) -> anyhow::Error {
    let choice = BaseChoice::Image(reference.clone());
    let is_service = plan.services.iter().any(|service| service.upstream() == Some(&choice));
    match (error.downcast_ref::<Diagnostic>(), plan.base_places.get(&choice).filter(|_| is_service)) {
        (Some(diagnostic), Some(place)) => {
            let problem = place.base.problem(diagnostic.code, format!("{error:#}"));
            match diagnostic.code {
                Code::BasePlatform => problem.help(format!("use an image for {}, or another `--target`", plan.target.platform)),
                Code::RegistryNotFound => problem.help(format!(
                    "list its tags with `skopeo list-tags docker://{}/{}`",
                    reference.registry, reference.repository
                )),
                _ => problem,
            }
            .into()
        }
        _ => error,
    }
}

/// A client configured by the plan, the flags and Cargo's configuration.
pub fn client<'a>(access: &Access, options: &Options, shell: &'a Shell) -> Result<Client<'a>> {
    let configured = CargoSettings::read(&options.cargo.config)?.get(&["net", "offline"]);
    let configured = configured.is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("true"));
    let offline = options.cargo.offline || options.cargo.frozen || configured;
    Ok(Client::new(access.clone(), offline, |text| shell.warning(text)))
}

/// Resolves a reference for a target.
///
/// # Errors
/// When the image cannot be found.
pub fn resolve(client: &Client<'_>, blobs: &Blobs, reference: &Reference, target: &Target) -> Result<Resolved> {
    registry::resolve(client, blobs, reference, &target.platform)
        .with_context(|| format!("failed to pull the image `{reference}`"))
}

/// Resolves a pin. If the registry lacks it, the error points at the lock file.
fn resolve_pinned(parts: &Parts<'_>, reference: &Reference, digest: Digest, target: &Target) -> Result<Resolved> {
    resolve(&parts.client, &parts.blobs, &reference.at(digest), target).map_err(|error| {
        let not_found = error.downcast_ref::<Diagnostic>().filter(|refused| refused.code == Code::RegistryNotFound);
        match not_found.filter(|_| parts.lockfile.pin(&reference.to_string()).is_some()) {
            Some(refused) => {
                let message = format!("the registry has no `{reference}` with this digest: {refused}");
                parts.lockfile.wrong(&reference.to_string(), None, "digest", message)
            }
            None => error,
        }
    })
}

/// Pulls what is missing, and reads the base.
///
/// # Errors
/// When a layer cannot be pulled, or does not match its digest.
pub fn read(
    client: &Client<'_>,
    blobs: &Blobs,
    reference: &Reference,
    resolved: &Resolved,
    target: &Target,
    packer: &Packer,
    shell: &Shell,
) -> Result<Read> {
    let pulled = Pulled {
        reference: reference.clone(),
        digest: resolved.digest,
        manifest: resolved.manifest,
        folder: blobs.folder().to_owned(),
    };
    let layers = resolved.layers.iter().zip(&resolved.diff_ids);
    let missing: Vec<&Descriptor> = layers.filter(|(_, id)| !base::has_layer(id, packer)).map(|(layer, _)| layer).collect();
    pull(client, blobs, reference, &missing, shell)?;
    let mut base = base::read_pulled(&pulled, target, packer);
    // A blob may have been damaged on disk since it was pulled.
    if base.is_err() && blobs.heal(missing.iter().copied()) {
        shell.warning(format_args!("layers of `{reference}` are damaged in the cache; pulling them again"));
        pull(client, blobs, reference, &missing, shell)?;
        base = base::read_pulled(&pulled, target, packer);
    }
    let base = base.with_context(|| format!("failed to prepare the base `image {reference}`"))?;
    let pin = PlatformPin {
        name: target.platform.to_string(),
        digest: resolved.manifest,
        diff_ids: resolved.diff_ids.clone(),
        glibc: base::glibc(&base),
    };
    Ok(Read { digest: resolved.digest, pin, base })
}

fn pull(client: &Client<'_>, blobs: &Blobs, reference: &Reference, layers: &[&Descriptor], shell: &Shell) -> Result<()> {
    let absent: Vec<&Descriptor> = layers.iter().copied().filter(|layer| !blobs.has(layer)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    // A manifest can claim any size.
    let total = absent.iter().fold(0u64, |sum, layer| sum.saturating_add(layer.size));
    let layers = shell::count(absent.len(), "layer");
    shell.status("Pulling", format_args!("{reference} ({layers}, {})", shell::bytes(total)));
    let progress = shell.progress("Pulling", total);
    registry::fetch(client, blobs, reference, &absent, &|bytes| progress.advance(bytes))
        .with_context(|| format!("failed to pull the image `{reference}`"))
}
