//! What a build is of, and how it is done: the provenance of its bundles.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Options, Session};
use crate::app::{BaseChoice, Bases};
use crate::compile::{CargoSettings, Toolchain};
use crate::config::lockfile;
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::plan::{Format, Plan};
use crate::trust::{BuildInput, BuildParameters, BuildTools, Origin, Provenance, SourceState};
use crate::workspace::{ChangesIn, Checkout, Commit};

/// Says early that there is nothing to name.
///
/// # Errors
/// When the workspace is in no repository, or there is no commit: [`Code::ProvenanceUnusable`].
pub fn check(session: &Session) -> Result<()> {
    commit(session).map(drop)
}

/// The provenance of a session's bundles, as far as it is known before images are made. Without `is_locked`, `appbundle.lock` is still
/// to be written, so the sources are not those of the commit.
///
/// # Errors
/// When Git or the compiler does not answer, or a lock file cannot be read.
pub fn of(session: &Session, options: &Options, is_locked: bool) -> Result<Provenance> {
    let Session { workspace, plan, .. } = session;
    let (commit, checkout) = (commit(session)?, Checkout::read(&plan.workspace)?);
    let state = SourceState { clean: commit.changed.is_none() && is_locked, folder: checkout.folder };
    let mut inputs = vec![BuildInput::source(checkout.origin.as_deref().and_then(address), &commit.id, state)];
    for name in ["Cargo.lock", lockfile::NAME] {
        let path = plan.workspace.join(name);
        if path.exists() {
            inputs.push(BuildInput::summed(name, None, Digest::of(fs_err::read(&path)?).hex()));
        }
    }
    let settings = CargoSettings::read(&options.cargo.config)?;
    let triple = &plan.target.triple;
    let toolchain = Toolchain::ask(&workspace.root, &settings, &options.cargo.program, plan.builder, triple)?;
    let is_set = |name: &&str| std::env::var_os(name).is_some();
    let variables = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"].into_iter().filter(is_set);
    let typed = (!options.cargo.config.is_empty()).then_some("--config");
    let tools = BuildTools {
        cargo: toolchain.cargo,
        rustc: toolchain.rustc,
        linkers: [(triple.clone(), toolchain.linker)].into(),
        unrecorded: typed.into_iter().chain(variables).map(str::to_owned).collect(),
    };
    Ok(Provenance::new(parameters(plan, options)?, tools, inputs))
}

/// The same with the bases of the images.
///
/// # Errors
/// When a base was not read.
pub fn with_bases(of: &Provenance, plan: &Plan, bases: &Bases) -> Result<Provenance> {
    let mut own = of.clone();
    for choice in plan.bases() {
        let (name, uri) = named(choice);
        let layers = bases.get(choice)?.layers.iter().enumerate();
        let layers = layers
            .map(|(at, layer)| BuildInput::summed(format!("base {name}, layer {}", at + 1), uri.clone(), layer.diff_id.hex()));
        own.build_definition.resolved_dependencies.extend(layers);
    }
    Ok(own)
}

/// Where the provenance of a plan's images is kept for the bundle of all targets.
pub fn kept_at(plan: &Plan) -> PathBuf {
    plan.output.join(".last-provenance.json")
}

/// Keeps it.
///
/// # Errors
/// When it cannot be written.
pub fn keep(plan: &Plan, provenance: &Provenance) -> Result<()> {
    crate::fs::write(&kept_at(plan), &serde_json::to_vec(provenance)?)
}

/// The provenance of the bundle of all these plans, as their builds kept it.
///
/// # Errors
/// When one did not.
pub fn of_all(plans: &[&Plan], format: Format) -> Result<Option<Provenance>> {
    let read = |plan: &&Plan| {
        let path = kept_at(plan);
        serde_json::from_slice(&fs_err::read(&path)?).with_context(|| format!("failed to read `{}`", path.display()))
    };
    let all = plans.iter().map(read).collect::<Result<Vec<Provenance>>>()?;
    Ok(Provenance::of_all(all).map(|all| all.of_format(format.name())))
}

fn commit(session: &Session) -> Result<Commit> {
    let apart: [&Path; 2] = [&session.workspace.target_dir, &session.plan.bundles];
    Commit::read(&session.workspace.root, ChangesIn::Repository, &apart).map_err(|why| {
        Code::ProvenanceUnusable
            .error(format!("the build has no provenance: {why}\nhelp: commit the workspace: `git commit`"))
            .into()
    })
}

fn parameters(plan: &Plan, options: &Options) -> Result<BuildParameters> {
    let word = |value: serde_json::Result<serde_json::Value>| -> Result<String> {
        value?.as_str().map(str::to_owned).context("an option is not a word")
    };
    let floor = plan.target.glibc.map(|(major, minor)| format!(".{major}.{minor}")).unwrap_or_default();
    let (request, compile) = (&options.request, &options.compile);
    let mut features = compile.features.clone();
    features.sort();
    Ok(BuildParameters {
        all_features: compile.all_features,
        app_version: request.version.clone(),
        builder: word(serde_json::to_value(plan.builder))?,
        compression: plan.compression.name().to_owned(),
        engine: word(serde_json::to_value(plan.engine))?,
        features,
        format: String::new(),
        no_default_features: compile.no_default_features,
        packages: request.packages.clone(),
        profile: plan.profile.clone(),
        source_date_epoch: request.epoch,
        targets: vec![format!("{}{floor}", plan.target.triple)],
        variant: request.variant.clone(),
    })
}

/// The address of a repository without credentials; `None` if it is a folder.
fn address(url: &str) -> Option<String> {
    let scp = || {
        let (host, path) = url.split_once(':').filter(|(host, path)| !host.contains('/') && !path.starts_with('/'))?;
        Some(format!("ssh://{host}/{path}"))
    };
    let url = if url.contains("://") { url.to_owned() } else { scp()? };
    match Origin::of(Some(&format!("git+{url}"))) {
        Origin::Git { url, .. } if !url.is_empty() => Some(format!("git+{url}")),
        _ => None,
    }
}

/// What a base is called where folders of this machine mean nothing, and its address.
fn named(choice: &BaseChoice) -> (String, Option<String>) {
    match choice {
        BaseChoice::Auto | BaseChoice::Scratch | BaseChoice::Debian(_) => (choice.to_string(), None),
        BaseChoice::Image(reference) => (reference.to_string(), Some(format!("oci://{reference}"))),
        BaseChoice::Rootfs(_) => ("rootfs".into(), None),
        BaseChoice::Archive(_) => ("archive".into(), None),
        BaseChoice::Dockerfile(_) => ("dockerfile".into(), None),
        BaseChoice::Daemon(name) => (format!("docker-daemon:{name}"), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_neither_credentials_nor_folders() {
        for (url, expected) in [
            ("https://me:secret@example.com/a/b.git", Some("git+https://example.com/a/b.git")),
            ("ssh://git@example.com:22/a.git", Some("git+ssh://example.com:22/a.git")),
            ("git@example.com:a/b.git", Some("git+ssh://example.com/a/b.git")),
            ("file:///home/me/a", None),
            ("/home/me/a", None),
            ("../a", None),
            ("", None),
        ] {
            assert_eq!(address(url).as_deref(), expected, "{url}");
        }
    }
}
