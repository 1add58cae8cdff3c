//! Resolves the `base` key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::manifests::{AppSource, ServiceSource};
use super::registries;
use crate::app::{BaseChoice, Dockerfile, Service};
use crate::config::tables::{BaseName, BaseSource, BaseTable, PackagesTable};
use crate::config::{Manifest, Place, Step};
use crate::debian::{self, Distribution, Recipe};

/// Where a manifest has a base, and its packages.
#[derive(Clone, Debug)]
pub struct BasePlace {
    /// The whole base.
    pub base: Place,
    /// Each package that it names.
    pub packages: BTreeMap<String, Place>,
}

impl BasePlace {
    fn new(manifest: &Manifest, path: &[Step<'_>], table: Option<&BaseTable>) -> Self {
        let path = [path, &[Step::Key("base")]].concat();
        let packages = match table {
            Some(BaseTable::From(source)) => &source.of_packages.packages[..],
            _ => &[],
        };
        let place = |at| manifest.place(&[&path[..], &[Step::Key("packages"), Step::Index(at)]].concat());
        let packages = packages.iter().enumerate().map(|(at, name)| (name.clone(), place(at)));
        Self { base: manifest.place(&path), packages: packages.collect() }
    }
}

/// Where the manifests have each base.
pub fn places(
    app: &AppSource,
    of_app: &BaseChoice,
    sources: &[ServiceSource<'_>],
    services: &BTreeMap<String, Service>,
) -> BTreeMap<BaseChoice, BasePlace> {
    let of_app_place = BasePlace::new(&app.manifest, &app.path, app.table.base.as_ref());
    let mut places = BTreeMap::from([(of_app.clone(), of_app_place)]);
    for source in sources.iter().filter(|source| source.table.base.is_some()) {
        if let Some(package) = services.get(source.name()).and_then(Service::package) {
            let place = || BasePlace::new(&source.manifest, &source.path, source.table.base.as_ref());
            places.entry(package.base.clone()).or_insert_with(place);
        }
    }
    for source in sources {
        if let Some(upstream) = services.get(source.name()).and_then(Service::upstream) {
            let image = source.manifest.place(&[&source.path[..], &[Step::Key("image")]].concat());
            let place = || BasePlace { base: image, packages: BTreeMap::new() };
            places.entry(upstream.clone()).or_insert_with(place);
        }
    }
    places
}

/// Resolves a `base` key; paths are relative to `folder`.
///
/// # Errors
/// In words for the user.
pub fn resolve(table: &BaseTable, folder: &Path) -> Result<BaseChoice, String> {
    let there = |path: &str| -> Result<PathBuf, String> {
        let full = folder.join(path);
        if full.exists() { Ok(full) } else { Err(format!("`{path}` does not exist")) }
    };
    match table {
        BaseTable::Named(BaseName::Auto) => Ok(BaseChoice::Auto),
        BaseTable::Named(BaseName::Scratch) => Ok(BaseChoice::Scratch),
        BaseTable::From(source) if source.dockerfile.is_some() => dockerfile(source, folder).map(BaseChoice::Dockerfile),
        BaseTable::From(source) if source.debian.is_some() || source.ubuntu.is_some() => packages(source, folder),
        BaseTable::From(source) if source.of_packages != PackagesTable::default() => {
            Err("`packages` and the keys beside it need `debian` or `ubuntu` in `base`".into())
        }
        BaseTable::From(source) => match (&source.rootfs, &source.archive, &source.image) {
            _ if source.context.is_some() || source.target.is_some() || !source.args.is_empty() => {
                Err("`context`, `args` and `target` of `base` need a `dockerfile`".into())
            }
            (Some(path), None, None) => there(path).map(BaseChoice::Rootfs),
            (None, Some(path), None) => there(path).map(BaseChoice::Archive),
            (None, None, Some(name)) => registries::image(name),
            _ => Err("`base` needs exactly one of `rootfs`, `archive`, `dockerfile`, `image`, `debian` and `ubuntu`".into()),
        },
    }
}

fn dockerfile(source: &BaseSource, folder: &Path) -> Result<Dockerfile, String> {
    if *source != (BaseSource { rootfs: None, archive: None, image: None, ..source.clone() }) {
        return Err("besides `dockerfile`, `base` can only have `context`, `args` and `target`".into());
    }
    let written = source.dockerfile.clone().unwrap_or_default();
    let path = folder.join(&written);
    if !path.is_file() {
        return Err(format!("the file `{written}` does not exist"));
    }
    let context = match &source.context {
        Some(context) => folder.join(context),
        None => path.parent().unwrap_or(folder).to_owned(),
    };
    let context = context.canonicalize().ok().filter(|context| context.is_dir());
    let context = context.ok_or_else(|| format!("the folder `{}` does not exist", source.context.clone().unwrap_or_default()))?;
    let path = path.canonicalize().map_err(|error| format!("`{written}` cannot be read: {error}"))?;
    let args = source.args.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    Ok(Dockerfile { path, written, context, args, target: source.target.clone() })
}

/// A base of packages.
fn packages(source: &BaseSource, folder: &Path) -> Result<BaseChoice, String> {
    let only = BaseSource {
        debian: source.debian.clone(),
        ubuntu: source.ubuntu.clone(),
        of_packages: source.of_packages.clone(),
        ..BaseSource::default()
    };
    let (distribution, suite) = match (&source.debian, &source.ubuntu) {
        (Some(suite), None) if *source == only => (Distribution::Debian, suite),
        (None, Some(suite)) if *source == only => (Distribution::Ubuntu, suite),
        _ => return Err("`debian` or `ubuntu` cannot be combined with another source of `base`".into()),
    };
    let named = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !named(suite) {
        return Err(format!("`{suite}` is not the name of a suite, such as `bookworm`"));
    }
    let table = &source.of_packages;
    for name in table.packages.iter().chain(&table.without).chain(table.scripts.keys()) {
        if !named(name) || name.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(format!("`{name}` is not the name of a package"));
        }
    }
    if table.packages.is_empty() && table.essential != Some(true) {
        return Err("`base` has no `packages`".into());
    }
    for url in table.mirror.iter().chain(&table.security_mirror).chain(&table.snapshot_mirror) {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(format!("the mirror `{url}` is not a URL such as `http://HOST/debian`"));
        }
    }
    debian::globs(&table.exclude).map_err(|error| format!("{error:#}"))?;
    if table.snapshot.is_some() && table.mirror.is_none() {
        return Err("`snapshot` needs a `mirror` that has snapshots".into());
    }
    let keyring = match &table.keyring {
        Some(written) => {
            let path = folder.join(written);
            if !path.is_file() {
                return Err(format!("the file `{written}` does not exist"));
            }
            Some(path)
        }
        None => None,
    };
    let mut packages = table.packages.clone();
    packages.sort();
    packages.dedup();
    Ok(BaseChoice::Debian(Box::new(Recipe {
        distribution,
        suite: suite.clone(),
        packages,
        essential: table.essential.unwrap_or(false),
        slim: table.slim.unwrap_or(true),
        exclude: table.exclude.clone(),
        without: table.without.clone(),
        mirror: table.mirror.clone(),
        security_mirror: table.security_mirror.clone(),
        keyring,
        snapshot: table.snapshot.clone(),
        snapshot_mirror: table.snapshot_mirror.clone(),
        vendor: table.vendor.as_ref().map(|vendor| folder.join(vendor)),
        skipped_scripts: table.scripts.keys().cloned().collect(),
    })))
}
