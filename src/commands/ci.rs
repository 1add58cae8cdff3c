//! `cargo appbundle ci`: writes a CI job that builds, caches, verifies and uploads the bundle.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};

use crate::compile::{linker, native};
use crate::pipeline::{Options, Session};
use crate::plan::Builder;
use crate::shell::Shell;

/// A CI provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CiProvider {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
}

/// Options of `ci`.
pub struct CiOptions {
    /// CI provider.
    pub provider: CiProvider,
    /// The Git repository from which the job installs cargo-appbundle; if `None`, it installs from crates.io.
    pub git: Option<String>,
    /// Whether to print the job instead of writing it.
    pub to_stdout: bool,
}

/// Debian's name of the runners' processor.
const RUNNER: &str = "amd64";

/// For a GitHub job that installs packages for another architecture: Debian's archive has those beside its own, that of the runners' Ubuntu
/// has not. The action `cache` knows the folder by `~`.
const CONTAINER: &str = "    container: rust:latest\n    env:\n      CARGO_HOME: /github/home/.cargo\n";

/// Writes the job's file into the workspace, or to stdout.
///
/// # Errors
/// When there is such a file already that says something else: it is the user's. When the address of the repository cannot stand in
/// a job.
pub fn run(options: &Options, ci: &CiOptions, shell: &Shell) -> Result<()> {
    let sessions = Session::of_targets(options, shell)?;
    let plan = &sessions.first().context("there is no target")?.plan;
    let git = ci.git.as_deref().unwrap_or_default();
    if git.contains(|letter: char| letter.is_whitespace() || letter.is_control() || "\"\\$`'".contains(letter)) {
        bail!("`{git}` is not the address of a git repository");
    }
    let (path, template) = match ci.provider {
        CiProvider::Github => (".github/workflows/appbundle.yml", include_str!("../../templates/ci/github.yml")),
        CiProvider::Gitlab => (".gitlab-ci.yml", include_str!("../../templates/ci/gitlab.yml")),
    };
    let triples: Vec<&str> = sessions.iter().map(|session| session.plan.target.triple.as_str()).collect();
    let packages = |triple: &&str| linker::debian_packages(triple).map_or_else(|| "gcc".into(), |packages| packages.join(" "));
    let linkers = triples.iter().map(packages);
    let plans = sessions.iter().map(|session| &session.plan).filter(|plan| plan.builder != Builder::Cross);
    let listed: Vec<String> =
        plans.flat_map(|plan| native::listed_on(&plan.compilation.packages, &plan.target, RUNNER)).collect();
    let foreign: BTreeSet<&str> = listed.iter().filter_map(|package| Some(package.split_once(':')?.1)).collect();
    let mut packages: Vec<String> = linkers.collect();
    for package in &listed {
        if !packages.contains(package) {
            packages.push(package.clone());
        }
    }
    let text = template.replace("@TRIPLES@", &triples.join(" ")).replace("@PACKAGES@", &packages.join(" "));
    let indent = match ci.provider {
        CiProvider::Github => "          ",
        CiProvider::Gitlab => "    - ",
    };
    let add: String = foreign.iter().map(|name| format!("{indent}dpkg --add-architecture {name}\n")).collect();
    // The container's user is root, and it has no sudo.
    let (container, sudo) = if foreign.is_empty() { ("", "sudo ") } else { (CONTAINER, "") };
    let text = text.replace("@ADD@", &add).replace("@CONTAINER@", container).replace("@SUDO@", sudo);
    let text = text.replace("@GIT@", git);
    if git.is_empty() {
        shell.note("the job installs cargo-appbundle from crates.io; `--git URL` installs it from a git repository");
    }
    if ci.to_stdout {
        shell.result("appbundle-file", serde_json::json!({ "path": path, "text": text }), text.trim_end());
        return Ok(());
    }
    let path = plan.workspace.join(path);
    match std::fs::read(&path) {
        Ok(old) if old == text.as_bytes() => shell.status("Fresh", path.display()),
        Ok(_) => bail!("`{}` already exists\nhelp: print the job with `--stdout`", path.display()),
        Err(_) => {
            crate::fs::write(&path, text.as_bytes())?;
            shell.status("Created", path.display());
        }
    }
    Ok(())
}
