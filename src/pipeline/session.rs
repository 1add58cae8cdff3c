//! The start of every verb that works on a workspace: reads it and makes a plan.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::compile::CompileOptions;
use crate::diagnostic::Code;
use crate::plan::{self, Plan, Request};
use crate::shell::Shell;
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
        let mut sessions = Self::of_targets(options, shell)?;
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

    /// Reads the workspace and makes a plan for each target.
    ///
    /// # Errors
    /// When a manifest is invalid.
    pub fn of_targets(options: &Options, shell: &Shell) -> Result<Vec<Self>> {
        let workspace = Workspace::read(&options.cargo)?;
        let triples = plan::targets(&workspace, &options.request)?;
        let requests = match &triples[..] {
            // With a single target, the request stays as it is, so that an error can point at the target's place in the manifest.
            [] | [_] => vec![options.request.clone()],
            several => several
                .iter()
                .map(|triple| Request { targets: vec![triple.clone()], among_others: true, ..options.request.clone() })
                .collect(),
        };
        let mut sessions = Vec::new();
        for request in requests {
            let plan = plan::resolve(&workspace, &request)?;
            shell.notes(plan.notes.clone(), &plan.allow);
            sessions.push(Self { workspace: workspace.clone(), plan, among_others: request.among_others });
        }
        Ok(sessions)
    }
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
