//! What a build needs, as its plan says; or by default, where there is no plan.

use anyhow::Result;

use crate::app::{BaseChoice, BuildPackage, Target};
use crate::compile::native::{self, NativeNeed};
use crate::compile::{CargoSettings, probe};
use crate::config::{Problem, Problems};
use crate::diagnostic::{self, Code, Diagnostic, Note, split_help};
use crate::pipeline::Options;
use crate::plan::{self, Builder, Format, Plan};
use crate::workspace::Workspace;

/// What a build for one target needs.
#[derive(Debug)]
pub struct BuildNeeds {
    /// The target.
    pub target: Target,
    /// What compiles.
    pub builder: Builder,
    /// What images stand on.
    pub bases: Vec<BaseChoice>,
    /// Whether images or bases are made by a container engine.
    pub engine: bool,
    /// What the dependencies need beside Cargo.
    pub native: Vec<NativeNeed>,
    /// The packages that the app's table lists.
    pub packages: Vec<BuildPackage>,
    /// Whether the reference tool for `.auterionos` files is of use.
    pub auterionos: bool,
}

impl BuildNeeds {
    fn of_plan(plan: &Plan, native: Vec<NativeNeed>) -> Self {
        Self {
            target: plan.target.clone(),
            builder: plan.builder,
            bases: plan.bases().into_iter().cloned().collect(),
            engine: plan.needs_engine(),
            native,
            packages: plan.compilation.packages.clone(),
            auterionos: plan.formats.contains(&Format::Auterionos),
        }
    }

    fn by_default(triple: &str, options: &Options) -> Result<Self> {
        let target = Target::new(triple).map_err(|why| Code::UnknownTarget.error(format!("`--target`: {why}")))?;
        Ok(Self {
            target,
            builder: options.request.builder.unwrap_or_default(),
            bases: vec![BaseChoice::Auto],
            engine: options.request.engine == Some(plan::Engine::Docker),
            native: Vec::new(),
            packages: Vec::new(),
            auterionos: options.request.formats.is_empty() || options.request.formats.contains(&Format::Auterionos),
        })
    }
}

/// What is needed, and where that comes from.
#[derive(Debug)]
pub struct NeedsFound {
    /// For each target.
    pub needs: Vec<BuildNeeds>,
    /// The plan's notes, without those that its table allows.
    pub notes: Vec<Note>,
    /// Why there is no plan.
    pub unplanned: Option<String>,
    /// The mistake, if one is in the way of a plan.
    pub wrong: Option<anyhow::Error>,
}

/// The needs of each target. What Cargo says of its steps goes to `step`.
///
/// # Errors
/// When a flag is wrong, such as the name of a target.
pub fn of(options: &Options, step: &dyn Fn(&str)) -> Result<NeedsFound> {
    let error = match of_workspace(options, step) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    if error.downcast_ref::<Problems>().is_some_and(|problems| problems.iter().any(Problem::is_in_flag)) {
        return Err(error);
    }
    let typed = &options.request.targets;
    let triples = if typed.is_empty() { &[plan::DEFAULT_TARGET.to_owned()][..] } else { typed };
    let needs = triples.iter().map(|triple| BuildNeeds::by_default(triple, options)).collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = needs.iter().map(|needs| format!("`{}`", needs.target.triple)).collect();
    let these = format!("these are the needs of any build for {}", names.join(" and "));
    let is = |code: Code| error.downcast_ref::<Diagnostic>().is_some_and(|diagnostic| diagnostic.code == code);
    let (why, wrong) = if is(Code::NoServices) {
        let text = error.to_string();
        let next = split_help(&text).1.map(|help| format!("; {help}")).unwrap_or_default();
        (format!("no package of this workspace is a service yet, so {these}{next}"), None)
    } else if options.cargo.manifest_path.is_none() && !is_inside_a_workspace() {
        (format!("there is no Cargo workspace here, so {these}"), None)
    } else {
        (format!("the workspace cannot be planned, so {these}"), Some(error))
    };
    Ok(NeedsFound { needs, notes: Vec::new(), unplanned: Some(why), wrong })
}

fn of_workspace(options: &Options, step: &dyn Fn(&str)) -> Result<NeedsFound> {
    let workspace = Workspace::read(&options.cargo)?;
    let triples = plan::targets(&workspace, &options.request)?;
    let among_others = triples.len() > 1;
    let settings = CargoSettings::read(&options.cargo.config)?;
    let (mut needs, mut notes, mut wrong) = (Vec::new(), Vec::new(), None);
    for triple in triples {
        let targets = if among_others { vec![triple] } else { options.request.targets.clone() };
        let request = plan::Request { targets, among_others, ..options.request.clone() };
        let plan = plan::resolve(&workspace, &request, &|triple| probe::is_possible(&options.cargo, &workspace, triple))?;
        // Without its dependencies, the rest of what a build needs is known all the same.
        let native = native::of_plan(&settings, &options.cargo, &plan, &options.compile, step);
        needs.push(BuildNeeds::of_plan(&plan, native.map_err(|error| wrong.get_or_insert(error)).unwrap_or_default()));
        notes.extend(diagnostic::grouped(plan.notes, &plan.allow));
    }
    notes.dedup();
    Ok(NeedsFound { needs, notes, unplanned: None, wrong })
}

fn is_inside_a_workspace() -> bool {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors().any(|folder| folder.join("Cargo.toml").is_file())
}
