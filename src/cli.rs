//! The command line. Only this module uses clap.

mod args;
mod completions;
mod deployment;
mod display;
mod help;
mod man;
mod values;
mod verbs;

use clap::{CommandFactory as _, Parser};

use self::args::{CompileArgs, options};
use self::display::ShellArgs;
use self::verbs::Command;
use crate::commands;
use crate::commands::ci::CiOptions;
use crate::commands::init::InitOptions;
use crate::commands::inspect::InspectOptions;
use crate::commands::push::PushOptions;
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
    let cli = match Cli::try_parse_from(arguments) {
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
        Command::Build { plan, compile } => commands::build::run(&options(plan, compile)?, shell),
        Command::Plan { plan, json } => commands::plan::run(&options(plan, CompileArgs::default())?, json, shell),
        Command::Generate { deployment, plan, check } => deployment::generate(deployment, plan, check, shell),
        Command::Deploy { deployment, plan, compile } => deployment::deploy(deployment, plan, compile, shell),
        Command::Inspect { file, json } => commands::inspect::run(&InspectOptions::new(file, json), shell),
        Command::Verify { file, json } => commands::verify::run(&VerifyOptions::new(file, json), shell),
        #[cfg(feature = "engine")]
        Command::Load { bundle, plan } => commands::load::run(&options(plan, CompileArgs::default())?, bundle.as_deref(), shell),
        #[cfg(feature = "engine")]
        Command::Run { bundle, timeout, plan, compile } => {
            let run = commands::run::RunOptions { bundle, timeout: std::time::Duration::from_secs(timeout) };
            commands::run::run(&options(plan, compile)?, &run, shell)
        }
        #[cfg(feature = "engine")]
        Command::Dev { timeout, mut plan, compile } => {
            if !plan.release {
                plan.profile.get_or_insert_with(|| "dev".into());
            }
            let dev = commands::dev::DevOptions { timeout: std::time::Duration::from_secs(timeout) };
            commands::dev::run(&options(plan, compile)?, &dev, shell)
        }
        #[cfg(feature = "engine")]
        Command::Test { services, arguments, cargo } => {
            let options = commands::Options { cargo: cargo.options(), ..commands::Options::default() };
            commands::test::run(&options, &commands::test::TestOptions { services, arguments }, shell)
        }
        #[cfg(feature = "engine")]
        Command::Status { json, plan } => crate::swarm::status(&options(plan, CompileArgs::default())?, json, shell),
        #[cfg(feature = "engine")]
        Command::Remove { timeout, plan } => {
            let timeout = std::time::Duration::from_secs(timeout);
            crate::swarm::remove(&options(plan, CompileArgs::default())?, timeout, shell)
        }
        Command::NewService { name, template, path, cargo } => {
            let template = template.template();
            commands::new_service::run(&cargo.options(), &NewMember { name, template, path }, shell)
        }
        Command::Init { all, name, author, cargo } => {
            commands::init::run(&InitOptions { cargo: cargo.options(), all, name, author }, shell)
        }
        Command::Ci { service, git, stdout, plan } => {
            let ci = CiOptions { provider: service.provider(), git, to_stdout: stdout };
            commands::ci::run(&options(plan, CompileArgs::default())?, &ci, shell)
        }
        Command::Push { bundles, repo, env, json, plan } => {
            let mut options = options(plan, CompileArgs::default())?;
            options.request.env = env.env;
            let offline = options.cargo.offline || options.cargo.frozen;
            commands::push::run(&PushOptions { bundles, prefix: repo, json, offline }, &options, shell)
        }
        Command::Update { references, plan } => {
            commands::update::run(&options(plan, CompileArgs::default())?, &references, shell)
        }
        Command::Vendor { plan } => commands::vendor::run(&options(plan, CompileArgs::default())?, shell),
        Command::Doctor { json, plan } => commands::doctor::run(&options(plan, CompileArgs::default())?, json, shell),
        Command::Clean { plan, cache } => commands::clean::run(&options(plan, CompileArgs::default())?, cache, shell),
        #[cfg(feature = "engine")]
        Command::Supervise { control, words } => crate::dev::supervise::run(&control, &words),
        Command::Explain { code } => commands::explain::run(code.as_deref(), shell),
        Command::Completions { shell: of } => completions::print(&Cli::command(), of, shell),
        Command::Man { folder } => man::write(Cli::command(), &folder),
        Command::Schema => commands::schema::run(shell),
    }
}
