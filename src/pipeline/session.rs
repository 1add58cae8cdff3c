//! The start of every verb that works on a workspace: reads it and makes a plan.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::app::Target;
use crate::compile::{CompileOptions, Libraries, libraries, probe};
use crate::diagnostic::Code;
use crate::plan::{self, Plan, Request};
use crate::shell::Shell;
use crate::trust::BundleSigner;
use crate::workspace::{CargoOptions, Workspace};

/// The options of verbs that make a plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The options for Cargo.
    pub cargo: CargoOptions,
    /// What to plan.
    pub request: Request,
    /// How to compile.
    pub compile: CompileOptions,
    /// `--bin-dir`: the folder of existing executables; nothing is compiled.
    pub bin_dir: Option<PathBuf>,
    /// How many threads compress.
    pub threads: usize,
    /// The size limit of the layer cache, in bytes.
    pub cache_size: u64,
    /// Who signs the bundles, if they are to be signed.
    pub signer: Option<Arc<BundleSigner>>,
    /// `--provenance`: whether it is said beside the bundles of what they were built.
    pub provenance: bool,
}

/// A workspace with its plan.
pub struct Session {
    /// What Cargo reports about the workspace.
    pub workspace: Workspace,
    /// What is decided.
    pub plan: Plan,
    /// Whether the plan is for one of several targets.
    pub among_others: bool,
}

impl Session {
    /// Reads the workspace and makes the plan for its only target; prints the plan's notes.
    ///
    /// # Errors
    /// When a manifest is invalid, or there are several targets.
    pub fn start(options: &Options, shell: &Shell) -> Result<Self> {
        Self::only(Self::of_targets(options, shell)?)
    }

    fn only(mut sessions: Vec<Self>) -> Result<Self> {
        if sessions.len() > 1 {
            let triples: Vec<&str> = sessions.iter().map(|session| session.plan.target.triple.as_str()).collect();
            bail!(Code::SeveralTargets.error(format!(
                "the plan has several targets, {}\nhelp: select one with `--target {}`",
                triples.join(" and "),
                triples[0]
            )));
        }
        sessions.pop().context("there is no target")
    }

    /// As [`Session::start`]; for a platform that the tables do not name, in a folder of its own, so that the last build of the usual
    /// ones stays as it is.
    ///
    /// # Errors
    /// As [`Session::start`].
    pub fn apart(options: &Options, shell: &Shell) -> Result<Self> {
        let workspace = Workspace::read(&options.cargo)?;
        let usual = plan::targets(&workspace, &Request { targets: Vec::new(), ..options.request.clone() })?;
        let target = |triple: &String| Target::new(triple).ok();
        let usual: Vec<_> = usual.iter().filter_map(target).map(|target| target.platform).collect();
        let mut request = Request { prepared: options.bin_dir.is_some(), ..options.request.clone() };
        if let [triple] = &request.targets[..]
            && let Some(target) = target(triple)
            && !usual.contains(&target.platform)
        {
            let output = request.output.unwrap_or_else(|| workspace.target_dir.join("appbundle"));
            request.output = Some(output.join(target.folder()));
        }
        Self::only(Self::planned(workspace, &options.cargo, &request, shell)?)
    }

    /// Reads the workspace and makes a plan for each target.
    ///
    /// # Errors
    /// When a manifest is invalid.
    pub fn of_targets(options: &Options, shell: &Shell) -> Result<Vec<Self>> {
        // Without compiling, nothing is prepared.
        let request = Request { prepared: options.bin_dir.is_some(), ..options.request.clone() };
        Self::planned(Workspace::read(&options.cargo)?, &options.cargo, &request, shell)
    }

    fn planned(workspace: Workspace, cargo: &CargoOptions, wanted: &Request, shell: &Shell) -> Result<Vec<Self>> {
        let triples = plan::targets(&workspace, wanted)?;
        let requests = match &triples[..] {
            // With a single target, the request stays as it is, so that an error can point at the target's place in the manifest.
            [] | [_] => vec![wanted.clone()],
            several => several
                .iter()
                .map(|triple| Request { targets: vec![triple.clone()], among_others: true, ..wanted.clone() })
                .collect(),
        };
        let mut sessions = Vec::new();
        for request in requests {
            let plan = plan::resolve(&workspace, &request, &|triple| probe::is_possible(cargo, &workspace, triple))?;
            shell.notes(plan.notes.clone(), &plan.allow);
            sessions.push(Self { workspace: workspace.clone(), plan, among_others: request.among_others });
        }
        Ok(sessions)
    }

    /// The same with what is known once Cargo has run: the files that the commands of `prepare` have written, if they say that they
    /// write any, and the names that libraries have for the linker.
    ///
    /// # Errors
    /// When one of these files is not there, or may not be packed.
    pub fn prepared(&self, options: &Options, libraries: &Libraries) -> Result<Option<Self>> {
        let sonames = libraries::sonames(libraries)?;
        let writes = options.bin_dir.is_none() && !self.plan.compilation.outputs(&self.workspace.root).is_empty();
        if !writes && sonames.is_empty() {
            return Ok(None);
        }
        let targets = if self.among_others { vec![self.plan.target.triple.clone()] } else { options.request.targets.clone() };
        let request = Request { targets, among_others: self.among_others, prepared: true, sonames, ..options.request.clone() };
        let plan =
            plan::resolve(&self.workspace, &request, &|triple| probe::is_possible(&options.cargo, &self.workspace, triple))?;
        Ok(Some(Self { workspace: self.workspace.clone(), plan, among_others: self.among_others }))
    }
}

/// The name of the workspace's app.
///
/// # Errors
/// When a manifest is invalid.
pub fn app_name(options: &Options) -> Result<String> {
    let workspace = Workspace::read(&options.cargo)?;
    let targets = plan::targets(&workspace, &options.request)?;
    // Which target, and whether it has a probe, makes no difference.
    let request = Request { targets: targets.into_iter().take(1).collect(), ..options.request.clone() };
    Ok(plan::resolve(&workspace, &request, &|_| false)?.name.to_string())
}

/// Reports an error: with its place in the manifest if it has one, otherwise in Cargo's form.
pub fn report(error: &anyhow::Error, shell: &Shell) {
    match error.downcast_ref::<crate::config::Problems>() {
        Some(problems) => {
            shell.raw(&problems.render(shell.colored()));
            problems.iter().for_each(|problem| shell.diagnostic(|| problem.json()));
        }
        None => shell.error(error),
    }
}
