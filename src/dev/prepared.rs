//! From sources to images without executables, and the executables that go over them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::inside::moved;
use crate::app::{AppFile, Base, Binary, Service, Source};
use crate::archive::gzip::Level;
use crate::base;
use crate::bundle::{self, Kind};
use crate::compile::{self, CargoSettings, linker};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::fs::Pending;
use crate::image;
use crate::pipeline::{Images, Options, Session, bases, cache_folder, load, lock};
use crate::plan::Plan;
use crate::runtime::{Launch, apps};
use crate::segment::{Cache, KnownDigests, Packer};
use crate::shell::Shell;

/// The tag of images without executables.
const TAG: &str = "dev";

/// What is ready to be started.
pub struct Prepared {
    /// The workspace and what of it is started.
    pub session: Session,
    /// The executables, in the plan's order.
    pub binaries: Vec<Binary>,
    /// The sums of the images' configs, in the plan's order.
    pub images: Vec<Digest>,
    bases: Vec<Base>,
    known: KnownDigests,
}

/// Leaves of a plan these services and all that they depend on, and gives the images names of their own.
///
/// # Errors
/// When there is no such service.
pub fn narrow(plan: &mut Plan, wanted: &[String]) -> Result<()> {
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    for name in wanted {
        let found = plan.services.iter().filter(|service| service.is_called(name));
        let before = open.len();
        open.extend(found.map(|service| service.name.to_string()));
        if open.len() == before {
            let known: Vec<&str> = plan.services.iter().map(|service| service.name.as_str()).collect();
            match crate::config::schema::nearest(name, &known) {
                Some(near) => bail!(Code::UnknownService.error(format!("there is no service `{name}`; did you mean `{near}`?"))),
                None => {
                    bail!(Code::UnknownService.error(format!("there is no service `{name}`; there are {}", known.join(", "))))
                }
            }
        }
    }
    while let Some(name) = open.pop() {
        let service = plan.services.iter().find(|service| service.name.as_str() == name);
        if let Some(service) = service.filter(|_| chosen.insert(name)) {
            open.extend(service.depends_on.iter().cloned());
        }
    }
    let services = std::mem::take(&mut plan.services).into_iter().zip(std::mem::take(&mut plan.bases));
    for (mut service, base) in services {
        if wanted.is_empty() || chosen.contains(service.name.as_str()) {
            service.container.image = service.container.image.tagged(TAG);
            plan.services.push(service);
            plan.bases.push(base);
        }
    }
    Ok(())
}

/// Compiles all services of the plan, or finds what was compiled elsewhere.
///
/// # Errors
/// [`compile::Failed`] when Cargo fails.
pub fn compile(session: &Session, options: &Options, shell: &Shell) -> Result<BTreeMap<String, PathBuf>> {
    match &options.bin_dir {
        Some(folder) => compile::prebuilt(&session.plan, folder),
        None => compile::cargo(&options.cargo, &session.workspace, &session.plan, &options.compile, shell),
    }
}

impl Prepared {
    /// Packs what an image has beside the executable, one of those at `paths`, and gives it to the engine.
    ///
    /// # Errors
    /// When that fails.
    pub fn new(
        mut session: Session,
        paths: &BTreeMap<String, PathBuf>,
        options: &Options,
        engine: &Engine,
        shell: &Shell,
    ) -> Result<Self> {
        let _lock = lock(&session.plan, shell)?;
        let folder = cache_folder(&session.plan);
        let known = KnownDigests::load(&folder.join("digests.json"));
        let binaries = compile::look(&session.plan, paths, &known)?;
        for (service, binary) in session.plan.services.iter_mut().zip(&binaries) {
            move_executable(service, binary);
        }
        let plan = &session.plan;
        let linker = linker::used(&CargoSettings::read(&options.cargo.config)?, &plan.target.triple);
        let packer = Packer::new(Cache::new(&folder), Level::Fast, options.threads);
        let mut pulled = Images::start(plan, options, shell)?;
        let read = bases::read(plan, &binaries, &linker, &packer, &known, &mut pulled, shell)?;
        let bases: Vec<Base> = plan.bases.iter().filter_map(|choice| read.get(choice)).cloned().collect();
        for (binary, base) in binaries.iter().zip(&bases) {
            base::check(binary, base)?;
        }
        pulled.finish()?;
        let images =
            image::build(plan, &hollow(&binaries, &folder)?, &bases.iter().collect::<Vec<_>>(), &packer, &known, |_| |_| ())?;
        let mut pending = Pending::new(&folder.join("image"))?;
        let part = bundle::Part { images: &images, cache: packer.cache() };
        bundle::write_layout(&mut pending, Kind::Docker, &[part], BTreeMap::new(), plan.epoch, &|_| ())?;
        let contents = load::read(pending.path(), shell)?;
        load::load(engine, pending.path(), &contents, shell)?;
        known.save()?;
        packer.cache().prune(options.cache_size);
        let images = images.iter().map(|image| image.id).collect();
        Ok(Self { session, binaries, images, bases, known })
    }

    /// Compiles again; says whether the executables still run on what was prepared.
    ///
    /// # Errors
    /// When Cargo fails.
    pub fn compile_again(&mut self, options: &Options, shell: &Shell) -> Result<bool> {
        let paths = compile(&self.session, options, shell)?;
        let before = std::mem::replace(&mut self.binaries, compile::look(&self.session.plan, &paths, &self.known)?);
        let stay = self.binaries.iter().zip(&before).all(|(new, old)| moved(new) == moved(old));
        Ok(stay && self.binaries.iter().zip(&self.bases).all(|(binary, base)| base::check(binary, base).is_ok()))
    }

    /// The services as they are started, in their order, before anything is known of where dependencies are.
    ///
    /// # Errors
    /// When `app.yml` cannot be made out.
    pub fn launches(&self) -> Result<(Vec<Launch>, Vec<String>)> {
        let plan = &self.session.plan;
        let (_, launches, notes) = apps::of_plan(plan)?;
        let ours = launches.into_iter().filter(|launch| plan.services.iter().any(|s| s.name.as_str() == launch.name));
        Ok((apps::in_order(ours.collect())?, notes))
    }
}

/// An executable is where another one can take its place at any time; a link leads there from where it is otherwise.
fn move_executable(service: &mut Service, binary: &Binary) {
    if let (Some(path), Source::Package(package)) = (moved(binary), &mut service.source) {
        let to = std::mem::replace(&mut package.binary_path, path.clone());
        package.files.push(AppFile { to, from: PathBuf::new(), executable: true, link: Some(path) });
    }
}

/// The same executables with nothing in them: in the images they are only the places where the real ones are mounted.
fn hollow(binaries: &[Binary], folder: &Path) -> Result<Vec<Binary>> {
    let path = folder.join("hollow");
    crate::fs::write_if_changed(&path, b"")?;
    let digest = Digest::of(b"");
    Ok(binaries.iter().map(|binary| Binary { path: path.clone(), digest, size: 0, ..binary.clone() }).collect())
}
