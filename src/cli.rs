//! The command line. Only this module uses clap.

mod args;
mod audit;
mod compilation;
mod completions;
mod deployment;
mod display;
mod flags;
mod help;
#[cfg(feature = "engine")]
mod local;
mod man;
mod overview;
mod sbom;
mod signing;
mod values;
mod verbs;

use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use self::args::{BuiltArgs, defaults};
use self::display::ShellArgs;
use self::signing::VerifyKeyArgs;
use self::verbs::Command;
use crate::commands;
use crate::commands::ci::CiOptions;
use crate::commands::init::InitOptions;
use crate::commands::inspect::InspectOptions;
use crate::commands::sbom::SbomOptions;
use crate::commands::verify::VerifyOptions;
use crate::scaffold::NewMember;
use crate::shell::Shell;

#[derive(Parser)]
#[command(name = "cargo-appbundle", bin_name = "cargo appbundle", version, about, styles = help::styles(), max_term_width = 100)]
/// Turn a Cargo workspace of microservices into one installable file
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    shell: ShellArgs,
}

/// Runs the command that the arguments name; gives the exit code. The arguments begin with the program's name; Cargo puts the
/// subcommand's name after it, which is passed over.
pub fn run(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|word| word == "appbundle") {
        arguments.remove(1);
    }
    let parsed = overview::grouped(Cli::command()).try_get_matches_from(arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let shell = cli.shell.shell();
    match dispatch(cli.command, &shell) {
        Ok(()) => 0,
        Err(error) => {
            if let Some(exited) = error.downcast_ref::<crate::process::Exited>() {
                return exited.0;
            }
            commands::report(&error, &shell);
            if error.is::<crate::compile::Failed>() { 101 } else { 1 }
        }
    }
}

fn dispatch(command: Command, shell: &Shell) -> anyhow::Result<()> {
    match command {
        Command::Build { format, image, compile, sign, provenance } => {
            let mut options = compile.options("release")?;
            options.signer = sign.signer()?.map(|signer| signer.signer(shell)).transpose()?;
            options.provenance = provenance;
            format.give(&mut options);
            image.give(&mut options);
            commands::build::run(&options, shell)
        }
        Command::Plan { format, image, builder, plan, json } => {
            let mut options = defaults()?;
            plan.give("release", &mut options)?;
            format.give(&mut options);
            image.give(&mut options);
            builder.give(&mut options);
            commands::plan::run(&options, json, shell)
        }
        Command::Generate { deployment, format, version, plan, check } => {
            let mut options = defaults()?;
            plan.give("dev", &mut options)?;
            format.give(&mut options);
            version.give(&mut options);
            deployment::generate(deployment, options, check, shell)
        }
        Command::Deploy { deployment, image, compile } => {
            let mut options = compile.options("release")?;
            image.give(&mut options);
            deployment::deploy(deployment, options, shell)
        }
        Command::Inspect(args::BundleArgs { file, json, built }) => {
            let file = file.map_or_else(|| last_bundle(built, shell), Ok)?;
            commands::inspect::run(&InspectOptions::new(file, json), shell)
        }
        Command::Sbom(sbom::SbomArgs { file, service, format, output, built }) => {
            let file = file.map_or_else(|| last_bundle(built, shell), Ok)?;
            commands::sbom::run(&SbomOptions { file, service, format: format.format(), output }, shell)
        }
        Command::Verify { bundle, keys: VerifyKeyArgs { keys, require_signature }, rebuild } => {
            let args::BundleArgs { file, json, built } = bundle;
            let mut options = defaults()?;
            built.give(&mut options)?;
            let file = file.map_or_else(|| commands::last_bundle_of_any_target(&options, shell), Ok)?;
            let rebuild = rebuild.then_some(options.cargo);
            commands::verify::run(&VerifyOptions { keys, require_signature, rebuild, ..VerifyOptions::new(file, json) }, shell)
        }
        Command::Signing(command) => signing::run(command, |built| last_bundle(built, shell), shell),
        Command::Audit(args) => args.run(shell),
        #[cfg(feature = "engine")]
        Command::Load { bundle, built } => {
            let mut options = defaults()?;
            built.give(&mut options)?;
            commands::load::run(&options, bundle.as_deref(), shell)
        }
        #[cfg(feature = "engine")]
        Command::Run { bundle, detach, timeout, image, compile } => {
            let mut options = compile.options("release")?;
            image.give(&mut options);
            let run = commands::run::RunOptions { bundle, timeout: std::time::Duration::from_secs(timeout), detach };
            commands::run::run(&options, &run, shell)
        }
        #[cfg(feature = "engine")]
        Command::Local(command) => local::run(command, shell),
        #[cfg(feature = "engine")]
        Command::Dev { timeout, compile } => {
            let dev = commands::dev::DevOptions { timeout: std::time::Duration::from_secs(timeout) };
            commands::dev::run(&compile.options("dev")?, &dev, shell)
        }
        #[cfg(feature = "engine")]
        Command::Test { services, arguments, variant, cargo } => {
            let mut options = defaults()?;
            variant.give(&mut options);
            cargo.give(&mut options);
            commands::test::run(&options, &commands::test::TestOptions { services, arguments }, shell)
        }
        #[cfg(feature = "engine")]
        Command::Status { json, app } => crate::swarm::status(&app.options()?, json, shell),
        #[cfg(feature = "engine")]
        Command::Remove { timeout, app } => {
            let timeout = std::time::Duration::from_secs(timeout);
            crate::swarm::remove(&app.options()?, timeout, shell)
        }
        Command::NewService { name, template, path, manifest } => {
            let mut options = defaults()?;
            manifest.give(&mut options);
            let template = template.template();
            commands::new_service::run(&options.cargo, &NewMember { name, template, path }, shell)
        }
        Command::Init { all, name, author, target, manifest } => {
            let mut options = defaults()?;
            target.give(&mut options);
            manifest.give(&mut options);
            commands::init::run(&options, &InitOptions { all, name, author }, shell)
        }
        Command::Ci { service, git, stdout, target, manifest } => {
            let mut options = defaults()?;
            target.give(&mut options);
            manifest.give(&mut options);
            let ci = CiOptions { provider: service.provider(), git, to_stdout: stdout };
            commands::ci::run(&options, &ci, shell)
        }
        Command::Push(push) => deployment::push(push, shell),
        Command::Update { references, scope, cargo } => {
            let mut options = defaults()?;
            scope.give(&mut options)?;
            cargo.give(&mut options);
            commands::update::run(&options, &references, shell)
        }
        Command::Vendor { scope, cargo } => {
            let mut options = defaults()?;
            scope.give(&mut options)?;
            cargo.give(&mut options);
            commands::vendor::run(&options, shell)
        }
        Command::Doctor { json, apt, lock, package, format, engine, builder, app } => {
            let mut options = app.options()?;
            package.give(&mut options);
            format.give(&mut options);
            engine.give(&mut options);
            builder.give(&mut options);
            lock.give(&mut options);
            let printed = match (json, apt) {
                (_, true) => commands::doctor::Printed::Packages,
                (true, false) => commands::doctor::Printed::Json,
                (false, false) => commands::doctor::Printed::Text,
            };
            commands::doctor::run(&options, printed, shell)
        }
        Command::Clean { output, manifest, target_dir, config, cache } => {
            let mut options = defaults()?;
            output.give(&mut options)?;
            manifest.give(&mut options);
            target_dir.give(&mut options);
            config.give(&mut options);
            commands::clean::run(&options, cache, shell)
        }
        #[cfg(feature = "engine")]
        Command::Supervise { control, words } => crate::dev::supervise::run(&control, &words),
        Command::Explain { code } => commands::explain::run(code.as_deref(), shell),
        Command::Completions { shell: of } => completions::print(&Cli::command(), of, shell),
        Command::Man { folder } => man::write(Cli::command(), &folder),
        Command::Schema => commands::schema::run(shell),
    }
}

/// The bundle of the last build, for verbs that take any bundle.
fn last_bundle(built: BuiltArgs, shell: &Shell) -> anyhow::Result<PathBuf> {
    let mut options = defaults()?;
    built.give(&mut options)?;
    commands::last_bundle_of_any_target(&options, shell)
}
