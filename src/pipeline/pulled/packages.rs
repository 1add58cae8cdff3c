//! Bases of Debian packages: pinned by `appbundle.lock`, fetched when needed.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

use crate::app::{Base, BaseChoice, Target};
use crate::base;
use crate::config::Problems;
use crate::config::lockfile::{self, Lockfile};
use crate::debian::{self, DebianPin, Recipe, UnmetPackages};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;
use crate::plan::Plan;
use crate::registry::{Blobs, Client};
use crate::segment::Packer;
use crate::shell::{self, Shell};

/// The pins of one run, by recipe.
#[derive(Default)]
pub struct Packages {
    pins: BTreeMap<Recipe, DebianPin>,
    /// Whether the lock file lacked one of them.
    moved: bool,
}

impl Packages {
    /// What a build depends on: the sums of the pins.
    pub fn sums(&self) -> impl Iterator<Item = Digest> + '_ {
        self.pins.values().map(|pin| Digest::of(serde_json::to_vec(pin).unwrap_or_default()))
    }

    /// Whether the lock file has all of them.
    pub fn are_fixed(&self) -> bool {
        !self.moved
    }
}

/// The bases of packages in a plan, without duplicates.
pub fn recipes(plan: &Plan) -> Vec<&Recipe> {
    let bases = plan.bases().into_iter();
    bases.filter_map(|base| if let BaseChoice::Debian(recipe) = base { Some(&**recipe) } else { None }).collect()
}

/// Debian's name of a target's architecture.
pub fn architecture(target: &Target) -> String {
    debian::architecture(&target.platform.architecture, target.platform.variant.as_deref())
}

impl Packages {
    /// Chooses the packages of each recipe: from the lock file, otherwise by asking the archive.
    ///
    /// # Errors
    /// When the lock file would have to change under `--locked`, or an archive cannot be asked.
    pub fn start(
        plan: &Plan,
        lockfile: &Lockfile,
        locked: bool,
        client: &Client<'_>,
        blobs: &Blobs,
        shell: &Shell,
    ) -> Result<Self> {
        let architecture = architecture(&plan.target);
        let mut packages = Self::default();
        for recipe in recipes(plan) {
            let pin = match lockfile.debian(recipe, &architecture) {
                Some(pin) => pin.clone(),
                None => {
                    if locked {
                        lockfile::refuse_change(lockfile)?;
                    }
                    packages.moved = true;
                    choose(recipe, &architecture, plan, client, blobs, shell)?
                }
            };
            packages.pins.insert(recipe.clone(), pin);
        }
        Ok(packages)
    }

    /// Reads a base of packages, and gives its pin; fetches only those that were never fetched.
    ///
    /// # Errors
    /// When a package cannot be had, is damaged, or has a script that cannot be replaced.
    pub fn read(
        &self,
        recipe: &Recipe,
        plan: &Plan,
        client: &Client<'_>,
        blobs: &Blobs,
        packer: &Packer,
        shell: &Shell,
    ) -> Result<(Base, DebianPin)> {
        let pin = self.pins.get(recipe).context("the packages are not the plan's")?;
        warn_of_security(recipe, pin, plan, shell);
        if let Some((base, notes)) = base::packed_packages(recipe, pin, packer, plan.epoch) {
            shell.notes(notes, &plan.allow);
            return Ok((base, pin.clone()));
        }
        fetch(recipe, pin, plan, client, blobs, shell)?;
        let read = || base::read_packages(recipe, pin, blobs.folder(), packer, plan.epoch);
        let descriptors: Vec<_> = pin.packages.iter().map(debian::PackagePin::descriptor).collect();
        let mut made = read();
        // A package may have been damaged on disk since it was fetched.
        if made.is_err() && blobs.heal(&descriptors) {
            shell.warning(format_args!("packages of `{recipe}` are damaged in the cache; fetching them again"));
            fetch(recipe, pin, plan, client, blobs, shell)?;
            made = read();
        }
        let (base, notes) = made.map_err(|error| at_its_place(error, recipe, plan))?;
        shell.notes(notes, &plan.allow);
        Ok((base, pin.clone()))
    }
}

/// Asks the archive for the packages of a recipe.
///
/// # Errors
/// When it cannot be reached or trusted, or lacks a package.
pub fn choose(
    recipe: &Recipe,
    architecture: &str,
    plan: &Plan,
    client: &Client<'_>,
    blobs: &Blobs,
    shell: &Shell,
) -> Result<DebianPin> {
    let placed = |error| at_its_place(error, recipe, plan);
    let sources = debian::sources(recipe).map_err(placed)?;
    shell.status("Locking", format_args!("packages of {recipe} for {architecture}"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    debian::pin(recipe, architecture, &sources, client, blobs, now).map_err(placed)
}

/// Notes that a base gets no security updates.
pub fn warn_of_security(recipe: &Recipe, pin: &DebianPin, plan: &Plan, shell: &Shell) {
    let has_rolling_updates = matches!(recipe.suite.as_str(), "sid" | "unstable");
    if recipe.snapshot.is_none()
        && !has_rolling_updates
        && !pin.releases.iter().any(|release| release.suite.ends_with("-security"))
    {
        let note = format!("`{recipe}` has no security updates; set `security-mirror` in `base`");
        shell.notes([Code::DebianSecurity.note(note)], &plan.allow);
    }
}

/// Fetches the packages of a pin that are not in the cache.
///
/// # Errors
/// When one cannot be had.
pub fn fetch(recipe: &Recipe, pin: &DebianPin, plan: &Plan, client: &Client<'_>, blobs: &Blobs, shell: &Shell) -> Result<()> {
    let mut progress = None;
    let begin = |count, bytes| {
        shell.status("Fetching", format_args!("{} of {recipe} ({})", shell::count(count, "package"), shell::bytes(bytes)));
        progress.insert(shell.progress("Fetching", bytes)).handle()
    };
    debian::fetch(pin, recipe, || debian::sources(recipe), client, blobs, begin)
        .map_err(|error| at_its_place(error, recipe, plan))
}

/// Shows an error with a code at the base in its manifest, and one about packages at their names.
fn at_its_place(error: anyhow::Error, recipe: &Recipe, plan: &Plan) -> anyhow::Error {
    let failed = |error: anyhow::Error| error.context(format!("failed to prepare the base `{recipe}`"));
    let Some(places) = plan.base_places.get(&BaseChoice::Debian(Box::new(recipe.clone()))) else { return failed(error) };
    if let Some(UnmetPackages(faults)) = error.downcast_ref() {
        let mut problems = Problems::default();
        for (name, text) in faults {
            let place = name.as_ref().and_then(|name| places.packages.get(name)).unwrap_or(&places.base);
            problems.push(place.problem(Code::DebianPackage, text));
        }
        return problems.into();
    }
    match error.downcast_ref::<Diagnostic>() {
        Some(diagnostic) => places.base.problem(diagnostic.code, format!("{error:#}")).into(),
        None => failed(error),
    }
}
