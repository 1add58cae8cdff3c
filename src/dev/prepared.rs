//! Compiles the sources, and builds images without the executables, which are mounted instead.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::inside::moved;
use crate::app::{Bases, Binary, Unit};
use crate::archive::gzip::Level;
use crate::base;
use crate::bundle::{self, Kind};
use crate::compile::{self, CompiledServices, Executables, Libraries};
use crate::diagnostic::Note;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::fs::Pending;
use crate::image;
use crate::pipeline::{Images, Options, Session, Workbench, bases, cache_folder, load};
use crate::plan::Plan;
use crate::runtime::{Launch, Variables, apps};
use crate::segment::KnownDigests;
use crate::shell::Shell;

/// Everything that starting the services needs.
pub struct Prepared {
    /// The workspace and its plan.
    pub session: Session,
    /// The executables of the plan's services.
    binaries: Vec<Binary>,
    /// The digests of the libraries in its images.
    libraries: BTreeMap<String, Digest>,
    /// The image id of each service, by the service's name.
    images: BTreeMap<String, Digest>,
    bases: Bases,
    /// What the services' containers may refer to.
    pub variables: Variables,
    known: KnownDigests,
}

/// What one service needs to start.
pub struct Ready<'a> {
    /// The service, its executable and its base; `None` if others made its image.
    pub unit: Option<Unit<'a>>,
    /// The image id.
    pub image: Digest,
}

/// Compiles all services of the plan, or finds the ones compiled elsewhere (`--bin-dir`). Libraries are put where they are packed from.
///
/// # Errors
/// [`compile::Failed`] when Cargo fails.
pub fn compile(session: &Session, options: &Options, shell: &Shell) -> Result<CompiledServices> {
    let compiled = match &options.bin_dir {
        Some(folder) => compile::prebuilt(&session.plan, folder)?,
        None => {
            let (cargo, workspace) = (&options.cargo, &session.workspace);
            compile::cargo(cargo, workspace, &session.plan, &options.compile, || (), shell)?
        }
    };
    compile::libraries::place(&session.plan, &compiled.libraries)?;
    Ok(compiled)
}

impl Prepared {
    /// Packs images for the executables at `paths`, without the executables themselves, and loads them into the engine.
    ///
    /// # Errors
    /// When an image cannot be packed or loaded.
    pub fn new(session: Session, compiled: &CompiledServices, options: &Options, engine: &Engine, shell: &Shell) -> Result<Self> {
        let prepared = session.prepared(options, &compiled.libraries)?;
        let session = prepared.unwrap_or(session);
        let plan = &session.plan;
        let variables = Variables::read(&plan.workspace)?;
        let bench = Workbench::open(plan, options, Level::Fast, shell)?;
        compile::probe::build(&options.cargo, &session.workspace, plan)?;
        let binaries = look(plan, &compiled.executables, &bench.known)?;
        let libraries = digests(&compiled.libraries, &bench.known)?;
        let mut pulled = Images::start(plan, options, shell)?;
        let bases = bases::read(plan, &binaries, &bench, &mut pulled)?;
        let units = Unit::all(&plan.services, &binaries, &bases)?;
        base::check(units.iter().map(|unit| (unit.binary, unit.base)))?;
        Unit::by_image(&units).iter().try_for_each(|units| base::check_programs(units))?;
        pulled.finish()?;
        let folder = cache_folder(plan);
        let hollow = hollow(&binaries, &folder)?;
        let built =
            image::build(plan, &Unit::all(&plan.services, &hollow, &bases)?, &bases, &bench.packer, &bench.known, |_| |_| ())?;
        let mut pending = Pending::new(&folder.join("image"))?;
        let part = bundle::Part { images: &built, cache: bench.packer.cache(), documents: &[] };
        bundle::write_layout(&mut pending, Kind::Docker, &[part], BTreeMap::new(), plan.epoch, &|_| ())?;
        let contents = load::read(pending.path(), shell)?;
        load::load(engine, pending.path(), &contents, shell)?;
        bench.known.save()?;
        bench.packer.cache().prune(options.cache_size);
        let mut images = BTreeMap::new();
        for (planned, image) in plan.images().iter().zip(&built) {
            images.extend(planned.services.iter().map(|service| (service.name.to_string(), image.id)));
        }
        let Workbench { known, .. } = bench;
        Ok(Self { session, binaries, libraries, images, bases, variables, known })
    }

    /// Compiles again; returns whether the new executables still fit the prepared images, whose libraries are the same.
    ///
    /// # Errors
    /// When Cargo fails.
    pub fn compile_again(&mut self, options: &Options, shell: &Shell) -> Result<bool> {
        let compiled = compile(&self.session, options, shell)?;
        let same_libraries = digests(&compiled.libraries, &self.known)? == self.libraries;
        let before = std::mem::replace(&mut self.binaries, look(&self.session.plan, &compiled.executables, &self.known)?);
        let stay =
            self.binaries.iter().all(|new| before.iter().any(|old| (&old.service, &old.place) == (&new.service, &new.place)));
        let units = Unit::all(&self.session.plan.services, &self.binaries, &self.bases)?;
        Ok(stay && same_libraries && base::check(units.iter().map(|unit| (unit.binary, unit.base))).is_ok())
    }

    /// The launches of the plan's services in dependency order, before the addresses of dependencies are known, and notes.
    ///
    /// # Errors
    /// When `app.yml` cannot be parsed.
    pub fn launches(&self) -> Result<(Vec<Launch>, Vec<Note>)> {
        let plan = &self.session.plan;
        let (_, launches, notes) = apps::of_plan(plan, &self.variables)?;
        let ours = launches.into_iter().filter(|launch| plan.services.iter().any(|s| s.name.as_str() == launch.name));
        Ok((apps::in_order(ours.collect())?, notes))
    }

    /// What a service needs to start.
    ///
    /// # Errors
    /// When the service was not prepared.
    pub fn ready(&self, service: &str) -> Result<Ready<'_>> {
        let units = Unit::all(&self.session.plan.services, &self.binaries, &self.bases)?;
        let unit = units.into_iter().find(|unit| unit.service.name.as_str() == service);
        let image = self.images.get(service).copied().with_context(|| format!("the service `{service}` was not prepared"))?;
        Ok(Ready { unit, image })
    }
}

/// Reads the executables. Each is moved to a mounted folder where possible, so that a new one can replace it at any time.
fn look(plan: &Plan, paths: &Executables, known: &KnownDigests) -> Result<Vec<Binary>> {
    let mut binaries = compile::look(plan, paths, known)?;
    for binary in &mut binaries {
        if let Some(place) = moved(binary) {
            binary.place = place;
        }
    }
    Ok(binaries)
}

fn digests(libraries: &Libraries, known: &KnownDigests) -> Result<BTreeMap<String, Digest>> {
    libraries.iter().map(|(file, path)| Ok((file.clone(), known.digest(path)?.0))).collect()
}

/// The same executables with empty contents: in the images they only serve as mount points for the real ones.
fn hollow(binaries: &[Binary], folder: &Path) -> Result<Vec<Binary>> {
    let path = folder.join("hollow");
    crate::fs::write_if_changed(&path, b"")?;
    let digest = Digest::of(b"");
    Ok(binaries.iter().map(|binary| Binary { path: path.clone(), digest, size: 0, ..binary.clone() }).collect())
}
