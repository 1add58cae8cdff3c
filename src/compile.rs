//! Compiles all services of a plan with one `cargo build` and strips what it made, or finds executables that were built elsewhere.

mod absent;
pub mod builder;
mod causes;
mod compiler;
mod cross;
mod diagnose;
mod ending;
mod features;
mod flags;
pub mod libraries;
pub mod linker;
mod look;
mod messages;
pub mod native;
mod needs;
mod options;
mod prebuilt;
mod prepare;
pub mod probe;
mod settings;
mod split;
mod stripping;
mod toolchain;
mod toolchain_file;
pub mod variables;

use std::collections::BTreeMap;
use std::io::BufReader;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};

use crate::app::Package;
use crate::plan::{Builder, Plan};
use crate::process::{Tee, command_line};
use crate::shell::{Shell, Verbosity};
use crate::workspace::{CargoOptions, CompiledUnits, Workspace};

pub use diagnose::Failed;
pub use ending::end_on;
pub use features::selection;
pub use flags::flags;
pub use libraries::Libraries;
pub use linker::LinkerFound;
pub use look::look;
use messages::Messages;
pub use options::CompileOptions;
pub use prebuilt::prebuilt;
pub use prepare::prepare;
pub use settings::CargoSettings;
pub use split::split;
pub use stripping::Stripping;
pub use toolchain::Toolchain;
use toolchain_file::ToolchainFile;

/// The path of each service's executable, by the service's name.
pub type Executables = BTreeMap<String, PathBuf>;

/// The flags of Cargo that select the features of a plan's packages.
pub fn feature_flags(plan: &Plan, options: &CompileOptions) -> Vec<String> {
    features::Enabled::of(plan, options).flags(options.all_features)
}

/// What Cargo made.
#[derive(Clone, Debug, Default)]
pub struct CompiledServices {
    /// The services' executables.
    pub executables: Executables,
    /// The libraries that services pack.
    pub libraries: Libraries,
    /// All that was compiled for them.
    pub units: CompiledUnits,
}

/// Runs Cargo. `beside` is called once it compiles, on a thread of its own, and has returned when this returns.
///
/// # Errors
/// When the target's linker or standard library is missing. [`Failed`] when Cargo fails, with the command that fixes it if the cause is known.
pub fn cargo(
    cargo: &CargoOptions,
    workspace: &Workspace,
    plan: &Plan,
    options: &CompileOptions,
    beside: impl FnOnce() + Send,
    shell: &Shell,
) -> Result<CompiledServices> {
    // Without a package, Cargo would compile all.
    if plan.packages().next().is_none() {
        return Ok(CompiledServices::default());
    }
    let settings = CargoSettings::read(&cargo.config)?;
    needs::check(&settings, plan, &workspace.target_dir)?;
    let missing = native::note(&settings, cargo, workspace, plan, options, &|line| shell.step(line))?;
    shell.notes(missing, &plan.allow);
    let told = variables::of(&settings, &plan.target.triple, plan.builder, &workspace.target_dir);
    told.toolchain_file.iter().try_for_each(ToolchainFile::write)?;
    prepare(plan, workspace, options, &told.for_commands(&settings, plan), shell)?;
    let flags = if options.plain {
        flags::linker(&settings, &plan.target.triple, plan.builder, shell).into_iter().collect()
    } else {
        flags(&settings, workspace, plan, shell)?
    };
    // Without a target, Cargo builds where a bare `cargo build` does.
    let bare = options.plain && linker::is_native(&plan.target.triple) && settings.get(&["build", "target"]).is_none();
    let mut command = builder::command(plan.builder, cargo, (!bare).then_some(&plan.target))?;
    command.envs(told.variables.into_iter().map(|variable| (variable.name, variable.value)));
    match cross::pre_build(workspace, plan) {
        cross::PreBuild::Commands(name, commands) if plan.builder == Builder::Cross => drop(command.env(name, commands)),
        cross::PreBuild::Script(note) if plan.builder == Builder::Cross => shell.notes([note], &plan.allow),
        _ => {}
    }
    command.args(["--profile", &plan.profile]);
    command.arg("--message-format=json-render-diagnostics");
    if let Some(path) = &cargo.manifest_path {
        command.arg("--manifest-path").arg(path);
    }
    if let Some(folder) = &cargo.target_dir {
        command.arg("--target-dir").arg(folder);
    }
    command.args(cargo.common_flags());
    for config in flags {
        command.arg("--config").arg(config);
    }
    command.args(features::packages(plan).into_iter().flat_map(|package| ["-p", package]));
    let mut bins: Vec<&str> = plan.packages().map(|(_, package)| package.bin.as_str()).collect();
    bins.sort_unstable();
    bins.dedup();
    command.args(bins.iter().flat_map(|bin| ["--bin", bin]));
    command.args((!plan.libraries().is_empty()).then_some("--lib"));
    command.args(feature_flags(plan, options));
    if let Some(jobs) = &options.jobs {
        command.args(["--jobs", jobs]);
    }
    command.args(match shell.verbosity() {
        Verbosity::Quiet => &["--quiet"][..],
        Verbosity::Normal => &[],
        Verbosity::Verbose => &["--verbose"],
    });
    command.args(["--color", if shell.colored() { "always" } else { "never" }]);
    if shell.is_terminal() && shell.verbosity() == Verbosity::Normal && !options.plain {
        // Cargo's stderr is a pipe for the sake of the diagnosis; it still may draw its bar.
        let width = console_width();
        command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", width);
    }
    shell.detail("Running", format_args!("`{}`", command_line(&command)));
    let Messages { executables, libraries, units } = run(&mut command, options, plan, beside, shell)?;
    let here = |id: &str| builder::package_id(plan.builder, id, workspace);
    let made = executables.into_iter().chain(libraries).map(|((id, name), path)| ((here(&id), name), path));
    let made: BTreeMap<_, _> = made.collect();
    let units = CompiledUnits {
        target: units.target.into_iter().map(|(id, features)| (here(&id), features)).collect(),
        host: units.host.iter().map(|id| here(id)).collect(),
    };
    let of_package = |package: &str, name: &str| {
        let member = workspace.members.iter().find(|member| member.name == package)?;
        let path = made.get(&(member.id.clone(), name.to_owned()))?;
        Some(builder::on_this_machine(plan.builder, path.clone(), workspace))
    };
    let mut executables = BTreeMap::new();
    for (service, Package { package, bin, .. }) in plan.packages() {
        let path =
            of_package(package, bin).with_context(|| format!("cargo built no executable `{bin}` of package `{package}`"))?;
        executables.insert(service.name.to_string(), path);
    }
    let libraries = libraries::found(plan, |library| of_package(&library.package, &library.file))?;
    Ok(CompiledServices { executables, libraries, units })
}

fn console_width() -> String {
    std::env::var("COLUMNS").ok().filter(|c| c.parse::<u16>().is_ok()).unwrap_or_else(|| "80".into())
}

fn run(
    command: &mut Command,
    options: &CompileOptions,
    plan: &Plan,
    beside: impl FnOnce() + Send,
    shell: &Shell,
) -> Result<Messages> {
    let program = command.get_program().to_string_lossy().into_owned();
    if options.wishes.is_some() {
        // A signal to this process may not reach its children, so they form a group that is ended together.
        command.process_group(0);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to run `{program}`"))?;
    let stderr = child.stderr.take().map(Tee::start);
    let stdout = BufReader::new(child.stdout.take().context("cargo has no stdout")?);
    let (id, ended) = (child.id(), AtomicBool::new(false));
    let messages = std::thread::scope(|scope| {
        if let Some(wishes) = &options.wishes {
            scope.spawn(|| ending::end_on(wishes, id, &ended));
        }
        let messages = Messages::read(stdout, plan, || drop(scope.spawn(beside)), shell);
        ended.store(true, Ordering::Relaxed);
        messages
    });
    let status = child.wait().context("failed to wait for cargo")?;
    let last_words = stderr.map(Tee::finish).unwrap_or_default();
    if !status.success() {
        return Err(diagnose::failed(status, &last_words, plan));
    }
    messages
}
