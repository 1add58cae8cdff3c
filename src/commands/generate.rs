//! `cargo appbundle generate`: writes the generated files without compiling, or checks that they are up to date.

use std::path::Path;

use anyhow::{Result, bail};

use crate::app::{Destination, GeneratedFile};
use crate::compile::CargoSettings;
use crate::diagnostic::Code;
use crate::fs::write_if_changed;
use crate::pipeline::{Images, Options, Session, Workbench, bases, lock, others};
use crate::plan::Plan;
use crate::render::{self, Others, Outside, Rendered};
use crate::shell::{Shell, count};
use crate::workspace::Workspace;

/// Options in addition to those of the plan.
#[derive(Clone, Debug, Default)]
pub struct GenerateOptions {
    /// Write nothing; fail if a file is out of date.
    pub check: bool,
    /// The profile of the executables that the development file mounts.
    pub profile: String,
}

/// Writes the text files without compiling: those of the destinations that are asked for, or, without one, those that a build
/// writes. With `check` writes nothing, and fails where one is not as it would be.
pub fn run(options: &Options, generate: &GenerateOptions, shell: &Shell) -> Result<()> {
    let Session { plan, workspace, .. } = Session::start(options, shell)?;
    if !options.request.destinations.is_empty() {
        let others = match options.request.destinations.contains(&Destination::Stacks) {
            true => others::of_controllers(options, &plan, shell)?,
            false => Others::new(),
        };
        let Rendered { files, notes } = deployments(&plan, &workspace, options, generate, &others)?;
        if generate.check {
            return compare(&plan.output, &files);
        }
        let _lock = lock(&plan, shell)?;
        shell.notes(notes, &plan.allow);
        return put(&plan, files, shell);
    }
    let bench = Workbench::open(&plan, options, plan.compression, shell)?;
    let mut images = Images::start(&plan, options, shell)?;
    let bases = bases::read(&plan, &[], &bench, &mut images)?;
    bench.known.save()?;
    let Rendered { mut files, notes } = render::files(&plan)?;
    files.extend(render::contexts(&plan, &bases)?.into_iter().map(|context| context.dockerfile));
    if generate.check {
        return compare(&plan.output, &files);
    }
    images.finish()?;
    shell.notes(notes, &plan.allow);
    put(&plan, files, shell)
}

fn put(plan: &Plan, files: Vec<GeneratedFile>, shell: &Shell) -> Result<()> {
    let (mut changed, all) = (0, files.len());
    for file in files {
        let path = plan.output.join(&file.path);
        let is_new = write_if_changed(&path, file.contents.as_bytes())?;
        changed += usize::from(is_new);
        shell.detail(if is_new { "Generated" } else { "Fresh" }, &file.path);
        shell.result_path("appbundle-file", &path);
    }
    match (changed, all - changed) {
        (0, _) => shell.status("Fresh", count(all, "file")),
        (_, 0) => shell.status("Generated", count(all, "file")),
        (_, same) => shell.status("Generated", format_args!("{}, {same} unchanged", count(changed, "file"))),
    }
    Ok(())
}

fn deployments(
    plan: &Plan,
    workspace: &Workspace,
    options: &Options,
    generate: &GenerateOptions,
    others: &Others,
) -> Result<Rendered> {
    let profile = if generate.profile == "dev" { "debug" } else { generate.profile.as_str() };
    // As a bare `cargo build` does it, without a folder for the triple.
    let bare =
        options.request.targets.is_empty() && CargoSettings::read(&options.cargo.config)?.get(&["build", "target"]).is_none();
    let built = if bare { workspace.target_dir.clone() } else { workspace.target_dir.join(&plan.target.triple) };
    let binaries = built.join(profile);
    let outside = Outside { binaries: &binaries, repo: options.request.repo.as_deref(), others };
    let mut all = Rendered::default();
    for destination in &options.request.destinations {
        let Rendered { files, notes } = render::deployment(plan, *destination, outside)?;
        all.files.extend(files);
        all.notes.extend(notes);
    }
    Ok(all)
}

fn compare(folder: &Path, files: &[GeneratedFile]) -> Result<()> {
    let differs =
        |file: &&GeneratedFile| !std::fs::read(folder.join(&file.path)).is_ok_and(|bytes| bytes == file.contents.as_bytes());
    let wrong: Vec<String> =
        files.iter().filter(differs).map(|file| format!("\n  {}", folder.join(&file.path).display())).collect();
    if !wrong.is_empty() {
        let wrong = wrong.concat();
        bail!(
            Code::GeneratedOutdated
                .error(format!("these generated files are out of date:{wrong}\nhelp: run the same command without `--check`"))
        );
    }
    Ok(())
}
