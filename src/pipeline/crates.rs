//! The crates in the services' executables: of what Cargo compiled, or of the lists that executables carry.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::workbench::cache_folder;
use super::{Options, Session, Workbench};
use crate::compile::{self, CompiledServices, Executables};
use crate::diagnostic::{Code, Note};
use crate::digest::{Digest, Hasher};
use crate::fs::{self, Stamp};
use crate::trust::{self, Carrier, ServiceCrates};
use crate::workspace::{self, Resolved};

/// What Cargo resolved, with what it depends on.
#[derive(Serialize, Deserialize)]
struct RememberedGraph {
    key: Digest,
    manifests: Vec<(PathBuf, Stamp)>,
    resolved: Resolved,
}

/// What Cargo resolved for a plan, asked again only if a manifest, the lock file or the features have changed.
pub struct Graph<'a> {
    session: &'a Session,
    options: &'a Options,
}

impl<'a> Graph<'a> {
    pub fn new(session: &'a Session, options: &'a Options) -> Self {
        Self { session, options }
    }

    fn path(&self) -> PathBuf {
        cache_folder(&self.session.plan).join("resolved.json")
    }

    fn lock_file(&self) -> PathBuf {
        self.session.workspace.root.join("Cargo.lock")
    }

    fn flags(&self) -> Vec<String> {
        compile::feature_flags(&self.session.plan, &self.options.compile)
    }

    fn key(&self) -> Result<Digest> {
        use std::io::Write as _;
        let mut sum = Hasher::default();
        let lock_file = Digest::of(&fs_err::read(self.lock_file())?);
        write!(sum, "{} {} {lock_file} {:?}", env!("CARGO_PKG_VERSION"), self.session.plan.target.triple, self.flags())?;
        Ok(sum.finish())
    }

    /// Reads what was remembered, or asks Cargo.
    ///
    /// # Errors
    /// When Cargo cannot resolve the dependencies, as when one of them is not downloaded.
    pub fn read(&self) -> Result<Resolved> {
        let key = self.key()?;
        let remembered = std::fs::read(self.path()).ok().and_then(|bytes| serde_json::from_slice::<RememberedGraph>(&bytes).ok());
        let is_same = |(path, stamp): &(PathBuf, Stamp)| Stamp::read(path).is_ok_and(|now| now == *stamp);
        match remembered {
            Some(old) if old.key == key && old.manifests.iter().all(is_same) => Ok(old.resolved),
            _ => self.ask(key),
        }
    }

    fn ask(&self, key: Digest) -> Result<Resolved> {
        let asked = fs::now();
        let triple = &self.session.plan.target.triple;
        let resolved = workspace::resolved(&self.options.cargo, &self.lock_file(), triple, &self.flags())?;
        let own =
            resolved.values().filter(|package| package.source.is_none()).filter_map(|package| package.about.folder.as_ref());
        let own = own.map(|folder| folder.join("Cargo.toml"));
        let manifests: BTreeSet<PathBuf> = own.chain([self.session.workspace.manifest()]).collect();
        // A file that is as young as the question may have changed since without another stamp.
        let stamped = |path: PathBuf| Stamp::read(&path).ok().filter(|stamp| stamp.is_before(asked)).map(|stamp| (path, stamp));
        if let Some(manifests) = manifests.into_iter().map(stamped).collect() {
            let graph = RememberedGraph { key, manifests, resolved };
            fs::write(&self.path(), &serde_json::to_vec(&graph)?)?;
            return Ok(graph.resolved);
        }
        Ok(resolved)
    }

    /// The crates of each service, of what was compiled for it.
    ///
    /// # Errors
    /// As for [`Self::read`], whose result `resolved` is.
    pub fn of_services(&self, compiled: &CompiledServices, resolved: Result<Resolved>) -> Result<Vec<ServiceCrates>> {
        let Session { workspace, plan, .. } = self.session;
        let mut resolved = resolved?;
        // Another Cargo may have other identifiers.
        if compiled.units.target.keys().any(|id| !resolved.contains_key(id)) {
            resolved = self.ask(self.key()?)?;
        }
        let of_service = |(service, package): (&crate::app::Service, &crate::app::Package)| {
            let member = workspace.members.iter().find(|member| member.name == package.package);
            let root = &member.context("a service has no package")?.id;
            let is_packed = |name: &str| package.libraries.iter().any(|library| library.package == name);
            let libraries = workspace.members.iter().filter(|member| is_packed(&member.name)).map(|member| member.id.as_str());
            let libraries: Vec<&str> = libraries.collect();
            Ok(ServiceCrates::compiled(service.name.as_str(), root, &libraries, &compiled.units, &resolved))
        };
        plan.packages().map(of_service).collect()
    }
}

/// The crates of executables that were compiled elsewhere, as far as these carry lists.
///
/// # Errors
/// When an executable cannot be read, or its list is damaged.
pub fn carried(executables: &Executables) -> Result<Vec<ServiceCrates>> {
    let one = |(service, path): (&String, &PathBuf)| {
        let list = trust::carried(path)?;
        let none = || ServiceCrates { service: service.clone(), ..ServiceCrates::default() };
        Ok(list.map_or_else(none, |list| ServiceCrates::listed(service, &list)))
    };
    executables.iter().map(one).collect()
}

/// Gives executables the lists of their crates, and says which of them should have one and get none.
///
/// # Errors
/// When a file cannot be read or written.
pub fn put(
    executables: Executables,
    crates: &Result<Vec<ServiceCrates>>,
    bench: &Workbench<'_>,
) -> Result<(Executables, Vec<Note>)> {
    let crates = match crates {
        Ok(crates) => crates,
        Err(error) => {
            let said = format!("{error:#}");
            return Ok((executables, vec![Code::CratesIncomplete.note(said.lines().next().unwrap_or_default())]));
        }
    };
    let folder = bench.packer.cache().folder().join("listed");
    let mut notes = Vec::new();
    let mut paths = Executables::new();
    for (service, Carrier { path, without }) in trust::carry(&folder, executables, crates, &bench.known)? {
        notes.extend(without.map(|why| {
            Code::CratesIncomplete.note_of(&service, format!("the executable of {{services}} gets no list of its crates: {why}"))
        }));
        paths.insert(service, path);
    }
    Ok((paths, notes))
}
