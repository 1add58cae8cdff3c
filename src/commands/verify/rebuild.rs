//! Builds the commit of a bundle again, and compares.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;

use super::difference::{BundleDifference, first_difference};
use super::worktree::Worktree;
use crate::app::Target;
use crate::compile::{CargoSettings, Toolchain, end_on};
use crate::config::lockfile;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;
use crate::mender::Beginning;
use crate::plan::Builder;
use crate::process::{Exited, SIGN_KEY, command_line};
use crate::shell::Shell;
use crate::trust::{self, BuildTools, FoundProvenance, Provenance};
use crate::workspace::{CargoOptions, OF_HOOKS};

/// What came of building a bundle again.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rebuilt {
    /// The commit that was built.
    pub commit: String,
    /// Where the bundle differs from that; `None` if all bytes are the same.
    pub difference: Option<BundleDifference>,
}

/// Builds a bundle again, from a fresh checkout of the commit in its provenance, and compares the bytes. Faults of the bundle itself
/// were looked for.
///
/// # Errors
/// When there is no usable provenance, its commit or tools are not here, or the build fails.
pub fn rebuild(file: &Path, found: Option<&FoundProvenance>, cargo: &CargoOptions, shell: &Shell) -> Result<Rebuilt> {
    let Some(found) = found else {
        let shown = file.display();
        bail!(unusable(format!(
            "`{shown}` has no provenance beside it: neither `{}` nor a statement in `{}`\nhelp: build it with `cargo appbundle build --provenance`",
            trust::provenance_path(file).display(),
            trust::envelope_path(file).display()
        )));
    };
    let refused = |why: String| unusable(format!("`{}` cannot be built again: {why}", file.display()));
    let (provenance, source) = (&found.provenance, found.source()?);
    ensure!(
        source.state.clean,
        refused(format!("when it was built, the workspace had changes that are not in the commit `{}`", source.commit))
    );
    let (own, of_bundle) = (env!("CARGO_PKG_VERSION"), provenance.tool_version().unwrap_or("an unknown version"));
    ensure!(
        own == of_bundle,
        refused(format!(
            "it was built by cargo-appbundle {}, and this is {own}\nhelp: run `cargo install cargo-appbundle --locked --version {}`",
            of_bundle.escape_debug(),
            of_bundle.escape_debug()
        ))
    );
    let wishes = interrupts()?;
    let here = std::env::current_dir().context("failed to find the current folder")?;
    let around =
        cargo.manifest_path.as_ref().and_then(|manifest| manifest.parent()).map_or(here.clone(), |folder| here.join(folder));
    shell.status("Checking", format_args!("out commit {}", source.commit));
    let worktree = Worktree::add(&around, source.commit)?;
    let folder = worktree.path().join(&source.state.folder);
    if !folder.is_dir() {
        bail!(refused(format!("there is no folder `{}` in the commit `{}`", source.state.folder.escape_debug(), source.commit)));
    }
    locks(provenance, &folder).map_err(refused)?;
    tools(provenance, &folder, cargo).map_err(refused)?;
    let unrecorded = &provenance.build_definition.internal_parameters.unrecorded;
    for setting in unrecorded {
        let setting = setting.escape_debug();
        shell.note(format_args!("the build had `{setting}`, whose value is not recorded; it has to be the same now"));
    }
    let rebuilt = built(provenance, &folder, &worktree, cargo, &wishes, shell)?;
    let difference = if is_same(file, &rebuilt)? { None } else { Some(first_difference(file, &rebuilt)?) };
    Ok(Rebuilt { commit: source.commit.to_owned(), difference })
}

fn unusable(text: String) -> Diagnostic {
    Code::ProvenanceUnusable.error(text)
}

/// Compares the lock files of the commit with those that were used.
fn locks(provenance: &Provenance, folder: &Path) -> Result<(), String> {
    for name in ["Cargo.lock", lockfile::NAME] {
        let then = provenance.input(name).and_then(|input| input.sha256());
        let now = std::fs::read(folder.join(name)).ok().map(|bytes| Digest::of(bytes).hex());
        match (then, now) {
            (Some(_), None) => return Err(format!("`{name}` is not in the commit")),
            (then, now) if then != now.as_deref() => return Err(format!("its `{name}` is not the one in the commit")),
            _ => {}
        }
    }
    Ok(())
}

/// Compares the programs that compile with those that did.
fn tools(provenance: &Provenance, folder: &Path, cargo: &CargoOptions) -> Result<(), String> {
    let definition = &provenance.build_definition;
    let BuildTools { cargo: version, linkers, rustc, .. } = &definition.internal_parameters;
    let asked = &definition.external_parameters;
    let builder = builder(&asked.builder)?;
    let failed = |error: anyhow::Error| format!("{error:#}");
    let settings = CargoSettings::read_in(folder, &cargo.config).map_err(failed)?;
    if asked.targets.is_empty() {
        return Err("its provenance names no target".into());
    }
    for target in &asked.targets {
        let triple = Target::new(target)?.triple;
        let now = Toolchain::ask(folder, &settings, &cargo.program, builder, &triple).map_err(failed)?;
        if now.rustc != *rustc {
            let number = rustc.get("release").map_or("stable", String::as_str).escape_debug();
            return Err(format!(
                "it was built by {}, and this is {}\nhelp: run `cargo +{number} appbundle verify FILE --rebuild`",
                named(rustc),
                named(&now.rustc)
            ));
        }
        if now.cargo != *version {
            return Err(format!("it was built by Cargo {}, and this is {}", version.escape_debug(), now.cargo));
        }
        let linker = linkers.get(&triple).map_or("something unknown", String::as_str);
        if now.linker != linker {
            return Err(format!("it was linked by `{}`, and the linker here is `{}`", linker.escape_debug(), now.linker));
        }
    }
    Ok(())
}

/// A compiler by what it says of itself: `rustc 1.96.0 (59807616…) on x86_64-unknown-linux-gnu`.
fn named(rustc: &BTreeMap<String, String>) -> String {
    let of = |key: &str| rustc.get(key).map_or("?", String::as_str).escape_debug().to_string();
    format!("rustc {} ({}) on {}", of("release"), of("commit-hash"), of("host"))
}

fn builder(name: &str) -> Result<Builder, String> {
    serde_json::from_value(name.into()).map_err(|_| format!("`{}` is not a compiler driver", name.escape_debug()))
}

/// Builds it; gives the path of the new bundle. Each value stands behind a `=`, so that none can be taken for a flag.
fn built(
    provenance: &Provenance,
    folder: &Path,
    worktree: &Worktree,
    cargo: &CargoOptions,
    wishes: &Arc<AtomicUsize>,
    shell: &Shell,
) -> Result<PathBuf> {
    let asked = &provenance.build_definition.external_parameters;
    let mut command = Command::new(std::env::current_exe().context("failed to find this program")?);
    command.arg("build").arg("--locked").current_dir(folder);
    for (flag, value) in [
        ("builder", &asked.builder),
        ("compression", &asked.compression),
        ("engine", &asked.engine),
        ("format", &asked.format),
        ("profile", &asked.profile),
    ] {
        command.arg(format!("--{flag}={value}"));
    }
    for (flag, values) in [("features", &asked.features), ("package", &asked.packages), ("target", &asked.targets)] {
        command.args(values.iter().map(|value| format!("--{flag}={value}")));
    }
    for (flag, value) in [("app-version", &asked.app_version), ("variant", &asked.variant)] {
        command.args(value.iter().map(|value| format!("--{flag}={value}")));
    }
    for (flag, is_on) in
        [("all-features", asked.all_features), ("no-default-features", asked.no_default_features), ("offline", cargo.offline)]
    {
        command.args(is_on.then(|| format!("--{flag}")));
    }
    for config in &cargo.config {
        let path = Path::new(config);
        let config = if path.is_file() { std::path::absolute(path)?.display().to_string() } else { config.clone() };
        command.arg(format!("--config={config}"));
    }
    command.arg("--target-dir").arg(worktree.beside("target")).arg("--out-dir").arg(worktree.beside("out"));
    command.env("CARGO", &cargo.program).env_remove(SIGN_KEY);
    for name in OF_HOOKS {
        command.env_remove(name);
    }
    match asked.source_date_epoch {
        Some(epoch) => command.env("SOURCE_DATE_EPOCH", epoch.to_string()),
        None => command.env_remove("SOURCE_DATE_EPOCH"),
    };
    shell.detail("Running", format_args!("`{}`", command_line(&command)));
    let printed = run(&mut command, wishes)?;
    let path = printed.lines().last().map(PathBuf::from).filter(|path| path.is_file());
    path.context("the build printed no path of a bundle")
}

/// Runs the build in a group of its own, which is ended when the user interrupts; gives its stdout.
fn run(command: &mut Command, wishes: &Arc<AtomicUsize>) -> Result<String> {
    let spawned = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.context("failed to run this program")?;
    let (id, ended, mut printed) = (child.id(), AtomicBool::new(false), String::new());
    let status = std::thread::scope(|scope| {
        scope.spawn(|| end_on(wishes, id, &ended));
        let read = child.stdout.take().map(|mut stdout| stdout.read_to_string(&mut printed));
        let status = child.wait();
        ended.store(true, Ordering::Relaxed);
        read.transpose().and(status)
    })?;
    if wishes.load(Ordering::Relaxed) > 0 {
        bail!(Exited(130));
    }
    ensure!(status.success(), unusable("the commit cannot be built again: the build failed, and says why above".into()));
    Ok(printed)
}

/// Whether all bytes are the same. A signature inside of the bundle is left out: it is verified with a key, and made anew each time.
fn is_same(file: &Path, rebuilt: &Path) -> Result<bool> {
    let open = |path: &Path| File::open(path).with_context(|| format!("failed to read `{}`", path.display()));
    let sum = |reader: &mut dyn std::io::Read| -> Result<Digest> {
        Ok(Digest::of_reader(BufReader::with_capacity(1 << 18, reader))?.0)
    };
    let signed = if trust::is_artifact(file)? { Some(Beginning::read(open(file)?)?) } else { None };
    let own = match signed.filter(|beginning| beginning.signature.is_some()) {
        Some(beginning) => sum(&mut beginning.with_member(&[], open(file)?, open(file)?)?)?,
        None => sum(&mut open(file)?)?,
    };
    Ok(own == sum(&mut open(rebuilt)?)?)
}

/// Counts the user's interrupts from now on, instead of ending at the first.
#[cfg(feature = "engine")]
fn interrupts() -> Result<Arc<AtomicUsize>> {
    Ok(crate::engine::Interrupt::listen()?.wishes())
}

/// Without the feature `engine`, nothing can catch them.
#[cfg(not(feature = "engine"))]
fn interrupts() -> Result<Arc<AtomicUsize>> {
    Ok(Arc::default())
}
