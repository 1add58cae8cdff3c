//! The archive: its signed lists, and the packages that a recipe wants of them.

use std::io::BufReader;

use anyhow::{Context as _, Result};

use super::index::PackageIndex;
use super::openpgp::Keyring;
use super::pin::{DebianPin, PackagePin, ReleasePin};
use super::recipe::{Distribution, Recipe};
use super::release::Release;
use super::resolver;
use super::snapshots;
use super::sources::{self, SuiteSource};
use crate::archive::{Budget, decompressed};
use crate::diagnostic::{Code, Diagnostic, split_help};
use crate::oci::blob_path;
use crate::registry::{Blobs, Client, described, fetch_files};

/// Bytes that an `InRelease` may have; Debian's has 150 thousand.
const LARGEST_RELEASE: u64 = 16 << 20;

/// Bytes that a list of packages may unpack to; Debian's has 50 million.
const LARGEST_INDEX: u64 = 1 << 30;

/// The keys of Debian's archive, from its package `debian-archive-keyring`.
const DEBIAN_KEYS: &[u8] = include_bytes!("keys/debian.pgp");

/// The keys that may sign what a recipe wants.
///
/// # Errors
/// When the user's cannot be read, or there are none.
pub fn keyring(recipe: &Recipe) -> Result<Keyring> {
    if let Some(path) = &recipe.keyring {
        let bytes = fs_err::read(path)?;
        return Keyring::parse(&bytes).map_err(|error| {
            Code::DebianSignature
                .error(format!(
                    "failed to read the keyring `{}`: {error:#}\nhelp: write it with `gpg --export --armor KEY`",
                    path.display()
                ))
                .into()
        });
    }
    match recipe.distribution {
        Distribution::Debian => Keyring::parse(DEBIAN_KEYS),
        Distribution::Ubuntu => Err(Code::DebianSignature
            .error(
                "the keys of Ubuntu's archive are not built in\nhelp: set `keyring = \"ubuntu-archive-keyring.gpg\"`, a copy of the file in Ubuntu's `/usr/share/keyrings`",
            )
            .into()),
    }
}

/// Chooses the packages of a recipe from what the archive has now.
///
/// # Errors
/// When the archive cannot be reached, is not signed by a known key, or lacks a package.
pub fn pin(
    recipe: &Recipe,
    architecture: &str,
    sources: &[SuiteSource],
    client: &Client<'_>,
    blobs: &Blobs,
    now: u64,
) -> Result<DebianPin> {
    let keyring = keyring(recipe)?;
    let mut index = PackageIndex::default();
    let mut releases = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let Some(release) = release(recipe, source, &keyring, client, now)? else { continue };
        check_architecture(recipe, &release, source, architecture)?;
        for component in recipe.distribution.components() {
            packages(&release, source, component, architecture, client, blobs, |text| index.add(text, at))
                .with_context(|| format!("failed to read the packages of `{}` at `{}`", source.suite, source.archive))?;
        }
        releases.push(ReleasePin { suite: source.suite.clone(), date: release.date, digest: release.sum });
    }
    index.finish();
    let chosen = resolver::resolve(&index, recipe)?;
    let packages = chosen.into_iter().map(|chosen| {
        let package = chosen.package;
        let suite = &sources[package.source].suite;
        PackagePin {
            name: package.name.to_string(),
            version: package.version.to_string(),
            architecture: package.architecture.to_string(),
            suite: (*suite != recipe.suite).then(|| suite.clone()),
            path: package.path.to_string(),
            size: package.size,
            installed: package.installed,
            digest: package.digest,
            needed_by: chosen.needed_by.map(str::to_owned),
        }
    });
    Ok(DebianPin {
        distribution: recipe.distribution,
        suite: recipe.suite.clone(),
        architecture: architecture.to_owned(),
        requested: recipe.packages.clone(),
        essential: recipe.essential,
        without: recipe.without.clone(),
        releases,
        packages: packages.collect(),
    })
}

/// The verified Release of a source; `None` if the archive has no such suite and need not.
fn release(recipe: &Recipe, source: &SuiteSource, keyring: &Keyring, client: &Client<'_>, now: u64) -> Result<Option<Release>> {
    let url = format!("{}/dists/{}/InRelease", source.archive, source.suite);
    let bytes = client.small_file(&url, LARGEST_RELEASE).map_err(|error| unreachable(&error, &url))?;
    let Some(bytes) = bytes else {
        if source.optional {
            return Ok(None);
        }
        let text = format!(
            "`{}` has no suite `{}`: it has no `dists/{}/InRelease`\nhelp: check the name of the suite, or set another `mirror`",
            source.archive, source.suite, source.suite
        );
        return Err(Code::DebianMirror.error(text).into());
    };
    let may_be_old = recipe.snapshot.is_some();
    let release = Release::verified(&bytes, keyring, &source.suite, now, may_be_old).map_err(|error| {
        let text = format!("{error:#}");
        let (text, help) = split_help(&text);
        let help = help.unwrap_or("try again later, or use another `mirror`");
        anyhow::Error::from(Code::DebianSignature.error(format!("`{url}` cannot be trusted: {text}\nhelp: {help}")))
    })?;
    Ok(Some(release))
}

/// Wraps what went wrong on the way to an archive; being offline is told as it is.
fn unreachable(error: &anyhow::Error, url: &str) -> anyhow::Error {
    let is_offline = error.downcast_ref::<Diagnostic>().is_some_and(|diagnostic| diagnostic.code == Code::RegistryOffline);
    let help = if is_offline { "run once without `--offline`" } else { "set another `mirror`, or try again later" };
    let text = error.to_string();
    let text = text.split("\nhelp:").next().unwrap_or_default();
    let causes: String = error.chain().skip(1).map(|cause| format!(": {cause}")).collect();
    Code::DebianMirror.error(format!("failed to get `{url}`: {text}{causes}\nhelp: {help}")).into()
}

fn check_architecture(recipe: &Recipe, release: &Release, source: &SuiteSource, architecture: &str) -> Result<()> {
    if release.architectures.iter().any(|known| known == architecture) {
        return Ok(());
    }
    let known: Vec<&str> = release.architectures.iter().map(String::as_str).filter(|name| *name != "all").collect();
    let help = match recipe.distribution {
        Distribution::Ubuntu => {
            "Ubuntu has packages for other processors than amd64 and i386 on its mirrors of ports; set `mirror` to one"
        }
        Distribution::Debian => "use another suite, or another target",
    };
    let text = format!(
        "`{}` at `{}` has no packages for {architecture}, only for {}\nhelp: {help}",
        source.suite,
        source.archive,
        known.join(", ")
    );
    Err(Code::DebianMirror.error(text).into())
}

/// Gives the list of a component's packages to `read`: from the cache, else from the archive.
fn packages(
    release: &Release,
    source: &SuiteSource,
    component: &str,
    architecture: &str,
    client: &Client<'_>,
    blobs: &Blobs,
    read: impl FnOnce(&mut dyn std::io::Read) -> Result<()>,
) -> Result<()> {
    let name = format!("{component}/binary-{architecture}/Packages");
    let Some((path, digest, size)) = release.file(&name) else {
        // A suite may have nothing in a component.
        return Ok(());
    };
    let wanted = described(digest, size);
    if !blobs.has(&wanted) || blobs.heal([&wanted]) {
        let url = format!("{}/dists/{}/{path}", source.archive, source.suite);
        let missing = |_| anyhow::anyhow!("the archive has no `{path}`, though its Release names it");
        fetch_files(client, blobs, &[(vec![url.clone()], wanted)], &|_| (), &missing)
            .map_err(|error| unreachable(&error, &url))?;
    }
    let file = BufReader::with_capacity(1 << 16, fs_err::File::open(blobs.folder().join(blob_path(&digest)))?);
    let budget = Budget::new(LARGEST_INDEX);
    let mut text = budget.reader(decompressed(file)?);
    read(&mut text)
}

/// Downloads the packages of a pin that are not in the cache; `begin` gets their number and bytes, and gives what is called with each
/// new byte.
///
/// # Errors
/// When none of the places has one, or has another one of its name.
pub fn fetch<F: Fn(u64) + Sync>(
    pin: &DebianPin,
    recipe: &Recipe,
    sources: impl FnOnce() -> Result<Vec<SuiteSource>>,
    client: &Client<'_>,
    blobs: &Blobs,
    begin: impl FnOnce(usize, u64) -> F,
) -> Result<()> {
    let mut missing: Vec<&PackagePin> = Vec::new();
    for package in &pin.packages {
        if !blobs.has(&package.descriptor()) && !vendored(package, recipe, blobs)? {
            missing.push(package);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let sources = sources()?;
    let files: Vec<_> = missing
        .iter()
        .map(|package| {
            let own = package.suite.as_ref().unwrap_or(&pin.suite);
            let (first, others): (Vec<&SuiteSource>, Vec<&SuiteSource>) = sources.iter().partition(|source| source.suite == *own);
            let mut urls: Vec<String> =
                first.into_iter().chain(others).map(|source| format!("{}/{}", source.archive, package.path)).collect();
            // They limit how much they are asked, so they come last.
            urls.extend(snapshots::urls(package, pin, recipe));
            let mut seen = std::collections::BTreeSet::new();
            urls.retain(|url| seen.insert(url.clone()));
            (urls, package.descriptor())
        })
        .collect();
    let advance = begin(missing.len(), missing.iter().fold(0, |sum, package| sum.saturating_add(package.size)));
    let gone = |at: usize| {
        let PackagePin { name, version, .. } = missing[at];
        let text = format!(
            "`{name}` {version}, which `appbundle.lock` pins, is no longer on any mirror\nhelp: run `cargo appbundle update`; if that pins the same version, or you need this one, set `snapshot-mirror` in `base` to an archive of snapshots"
        );
        Code::DebianMirror.error(text).into()
    };
    fetch_files(client, blobs, &files, &advance, &gone).map_err(|error| match error.downcast_ref::<Diagnostic>() {
        Some(diagnostic) if diagnostic.code == Code::DebianMirror => error,
        _ => unreachable(&error, &sources.first().map(|source| source.archive.clone()).unwrap_or_default()),
    })
}

/// Whether the user's folder has a package; then it is in the cache.
fn vendored(package: &PackagePin, recipe: &Recipe, blobs: &Blobs) -> Result<bool> {
    let Some(folder) = &recipe.vendor else { return Ok(false) };
    let path = folder.join(package.file_name());
    let Ok(bytes) = std::fs::read(&path) else { return Ok(false) };
    if crate::digest::Digest::of(&bytes) != package.digest {
        let text = format!(
            "`{}` is not the package that `appbundle.lock` pins: its SHA-256 differs\nhelp: run `cargo appbundle vendor`",
            path.display()
        );
        return Err(Code::DebianDamaged.error(text).into());
    }
    blobs.keep(&package.digest, &bytes)?;
    Ok(true)
}

/// The suites of a recipe, as the table or this machine has them.
///
/// # Errors
/// As [`sources::of`].
pub fn sources(recipe: &Recipe) -> Result<Vec<SuiteSource>> {
    sources::of(recipe, std::path::Path::new("/"))
}
