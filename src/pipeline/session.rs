//! The start of every verb that works on a workspace: its facts and a plan.

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
    /// How Cargo is called.
    pub cargo: CargoOptions,
    /// What is planned.
    pub request: Request,
    /// How it is compiled.
    pub compile: CompileOptions,
    /// `--bin-dir`: binaries that are there already; nothing is compiled.
    pub bin_dir: Option<PathBuf>,
    /// Threads that compress.
    pub threads: usize,
    /// Bytes that the cache of layers may have.
    pub cache_size: u64,
}

/// A workspace with its plan.
pub struct Session {
    /// What Cargo knows.
    pub workspace: Workspace,
    /// What is decided.
    pub plan: Plan,
    /// Whether the plan is for one of several targets.
    pub among_others: bool,
}

impl Session {
    /// Reads the workspace and decides for one target; says what the user should know of the decisions.
    ///
    /// # Errors
    /// When something is wrong in the manifests, or there are several targets.
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

    /// Reads the workspace and decides for each of its targets.
    ///
    /// # Errors
    /// When something is wrong in the manifests.
    pub fn of_targets(options: &Options, shell: &Shell) -> Result<Vec<Self>> {
        let workspace = Workspace::read(&options.cargo)?;
        let triples = plan::targets(&workspace, &options.request)?;
        let requests = match &triples[..] {
            // Mistakes in the only one are told with its place.
            [] | [_] => vec![options.request.clone()],
            several => several
                .iter()
                .map(|triple| Request { targets: vec![triple.clone()], among_others: true, ..options.request.clone() })
                .collect(),
        };
        let mut sessions = Vec::new();
        for request in requests {
            let plan = plan::resolve(&workspace, &request)?;
            plan.notes.iter().for_each(|note| shell.note(note));
            sessions.push(Self { workspace: workspace.clone(), plan, among_others: request.among_others });
        }
        Ok(sessions)
    }
}

/// Tells an error: problems of manifests as they stand there, everything else in Cargo's form.
pub fn report(error: &anyhow::Error, shell: &Shell) {
    match error.downcast_ref::<crate::config::Problems>() {
        Some(problems) => {
            shell.raw(&problems.render(shell.colored()));
            problems.iter().for_each(|problem| shell.diagnostic(|| problem.json()));
        }
        None => shell.error(error),
    }
}
