//! What a workspace will consist of: the crates of each service, and the Debian packages that `appbundle.lock` pins.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;

use super::of_bundle::rust_arch;
use super::subject::AuditSubject;
use crate::app::{BaseChoice, Source};
use crate::commands::Options;
use crate::compile;
use crate::config::lockfile::{self, Lockfile};
use crate::debian::{self, DebianPin, Distribution, PackagePin};
use crate::pipeline::Session;
use crate::pipeline::pulled::packages::architecture;
use crate::plan::Plan;
use crate::shell::Shell;
use crate::trust::audit::{AuditFinding, AuditedCrates, AuditedPackage, AuditedPackages, Inventory};
use crate::trust::purl::Purl;
use crate::trust::{CrateKind, CrateList, ListedCrate};
use crate::workspace::{CargoOptions, RuntimeCrate, runtime_crates};

/// Makes the plan, and asks Cargo what the services are made of.
///
/// # Errors
/// When a manifest is invalid, or Cargo cannot resolve the dependencies from what is on this machine.
pub fn subject(options: &Options, shell: &Shell) -> Result<AuditSubject> {
    // Nothing is fetched.
    let cargo = CargoOptions { offline: true, ..options.cargo.clone() };
    let sessions = Session::of_targets(&Options { cargo: cargo.clone(), ..options.clone() }, shell)?;
    let mut subject = AuditSubject { file: String::new(), author: None, inventory: Inventory::default(), incomplete: Vec::new() };
    for Session { workspace, plan, .. } in &sessions {
        subject.file = workspace.manifest().display().to_string();
        subject.author = plan.author.as_ref().map(|author| author.as_str().to_owned());
        let version = Some(plan.version.to_string());
        subject.inventory.products.push(Purl { kind: "generic".into(), namespace: None, name: plan.slug(), version });
        let selection = compile::selection(plan, &options.compile);
        if !selection.packages.is_empty() {
            let all = runtime_crates(&cargo, &selection, &plan.target.triple)?;
            subject.inventory.crates.extend(crates(plan, &all));
        }
        let lockfile = Lockfile::read(&plan.workspace)?;
        subject.bases(plan, &lockfile);
    }
    subject.incomplete.dedup();
    Ok(subject)
}

/// The crates of each service.
fn crates(plan: &Plan, all: &[RuntimeCrate]) -> Vec<AuditedCrates> {
    let arch = rust_arch(&plan.target.platform.architecture).map(str::to_owned);
    let sets = plan.packages().filter_map(|(service, package)| {
        let root = all.iter().position(|other| other.name == package.package && other.source == "local")?;
        Some(AuditedCrates { services: vec![service.name.to_string()], file: None, arch: arch.clone(), list: list(all, root) })
    });
    sets.collect()
}

/// The crates that one uses, directly or through others.
fn list(all: &[RuntimeCrate], root: usize) -> CrateList {
    let mut places: BTreeMap<usize, usize> = BTreeMap::from([(root, 0)]);
    let mut order = vec![root];
    let mut next = 0;
    while let Some(package) = order.get(next).and_then(|at| all.get(*at)) {
        next += 1;
        for used in &package.dependencies {
            if !places.contains_key(used) {
                places.insert(*used, order.len());
                order.push(*used);
            }
        }
    }
    let listed = |(at, package): (usize, &RuntimeCrate)| ListedCrate {
        name: package.name.clone(),
        version: package.version.clone(),
        source: package.source.to_owned(),
        kind: CrateKind::Runtime,
        dependencies: package.dependencies.iter().filter_map(|used| places.get(used).copied()).collect(),
        root: at == 0,
    };
    CrateList { packages: order.iter().filter_map(|at| all.get(*at)).enumerate().map(listed).collect(), ..CrateList::default() }
}

impl AuditSubject {
    fn bases(&mut self, plan: &Plan, lockfile: &Lockfile) {
        for service in &plan.services {
            if let Source::Dockerfile(_) = service.source {
                self.incomplete
                    .push(format!("service {} is built from a Dockerfile: build the app and audit the bundle", service.name));
            }
        }
        for base in plan.bases() {
            let uses = plan.services.iter().filter(|service| service.base() == Some(base));
            let services: Vec<String> = uses.map(|service| service.name.to_string()).collect();
            match base {
                BaseChoice::Debian(recipe) => match lockfile.debian(recipe, &architecture(&plan.target)) {
                    Some(pin) => self.inventory.packages.push(packages(pin, services, base.to_string())),
                    None => self
                        .incomplete
                        .push(format!("the packages of `{base}` are not in `{}`; run `cargo appbundle build`", lockfile::NAME)),
                },
                BaseChoice::Auto | BaseChoice::Scratch => {}
                _ => self.incomplete.push(format!("the base `{base}` is not listed: build the app and audit the bundle")),
            }
        }
    }
}

fn packages(pin: &DebianPin, services: Vec<String>, base: String) -> AuditedPackages {
    let release = Some(pin.distribution).filter(|distribution| *distribution == Distribution::Debian);
    let release = release.and_then(|_| debian::edition_named(&pin.suite)).map(str::to_owned);
    AuditedPackages { services, base: Some(base), release, list: pin.packages.iter().map(package).collect() }
}

/// An archive keeps packages in folders named after their sources: `pool/main/g/glibc/libc6_2.36-9_arm64.deb`.
fn package(pin: &PackagePin) -> AuditedPackage {
    let folder = pin.path.rsplit('/').nth(1).unwrap_or(&pin.name);
    // `+b1` is what a rebuild of the same source adds.
    let rebuilt = pin
        .version
        .rsplit_once("+b")
        .filter(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    AuditedPackage {
        name: pin.name.clone(),
        version: pin.version.clone(),
        source: folder.to_owned(),
        source_version: rebuilt.map_or(pin.version.as_str(), |(version, _)| version).to_owned(),
    }
}

/// Where the lock files of a workspace name packages.
pub struct LockFilePlaces {
    /// Name and text of `Cargo.lock` and `appbundle.lock`.
    files: Vec<(String, String)>,
}

impl LockFilePlaces {
    /// Reads them, as far as they are there; none for a bundle.
    pub fn read(is_workspace: bool, options: &Options) -> Self {
        let manifest = options.cargo.manifest_path.clone().unwrap_or_else(|| PathBuf::from("Cargo.toml"));
        let start = std::path::absolute(manifest).unwrap_or_default();
        let root = start.ancestors().skip(1).find(|folder| folder.join("Cargo.lock").is_file()).filter(|_| is_workspace);
        let read = |name: &str| Some((name.to_owned(), std::fs::read_to_string(root?.join(name)).ok()?));
        Self { files: ["Cargo.lock", lockfile::NAME].into_iter().filter_map(read).collect() }
    }

    /// The file and the line; else the file that was audited.
    pub fn of(&self, finding: &AuditFinding, audited: &str) -> (String, Option<usize>) {
        let debian = finding.ecosystem.is_debian();
        let file = self.files.iter().find(|(name, _)| (name == lockfile::NAME) == debian);
        let Some((name, text)) = file else { return (audited.to_owned(), None) };
        let names = if debian { &finding.binary_packages[..] } else { std::slice::from_ref(&finding.package) };
        let line = names.iter().find_map(|wanted| line(text, wanted, &finding.version, debian));
        (name.clone(), line)
    }
}

/// The line with the name of a package; in `Cargo.lock` it is followed by that of its version.
fn line(text: &str, name: &str, version: &str, any_version: bool) -> Option<usize> {
    let (name, version) = (format!("name = \"{name}\""), format!("version = \"{version}\""));
    let lines: Vec<&str> = text.lines().collect();
    let is_it =
        |at: &usize| lines.get(*at) == Some(&name.as_str()) && (any_version || lines.get(at + 1) == Some(&version.as_str()));
    (0..lines.len()).find(is_it).map(|at| at + 1)
}
