//! The command line: the one door to clap.

mod args;
mod deployment;
mod display;
mod help;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use self::args::{CargoArgs, CiArg, CompileArgs, PlanArgs, TemplateArg, options};
use self::display::ShellArgs;
use crate::commands;
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

#[derive(Subcommand)]
enum Command {
    /// Compile all services and write the bundle
    #[command(visible_alias = "b", after_help = help::BUILD)]
    Build {
        #[command(flatten)]
        plan: PlanArgs,
        #[command(flatten)]
        compile: CompileArgs,
    },
    /// Print what `build` would do, and do nothing
    Plan {
        #[command(flatten)]
        plan: PlanArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the generated files alone: app.yml, Dockerfiles, and the like
    #[command(after_help = deployment::GENERATE_HELP)]
    Generate {
        #[command(flatten)]
        deployment: deployment::GenerateArgs,
        #[command(flatten)]
        plan: PlanArgs,
        /// Write none of these files; fail if one is not as it would be written
        #[arg(long)]
        check: bool,
    },
    /// Show what is in a bundle: services, images, layers, who shares them, and their bytes in both layouts
    #[command(after_help = help::INSPECT)]
    Inspect {
        /// A `.auterionos` file, a docker archive or an OCI archive, of whatever tool
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Check everything that can be checked in a bundle
    Verify {
        /// A `.auterionos` file, a docker archive or an OCI archive, of whatever tool
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Load a bundle's images into Docker or podman, without what is there already
    #[cfg(feature = "engine")]
    #[command(after_help = help::LOAD)]
    Load {
        /// The bundle; default: the workspace's last one
        bundle: Option<PathBuf>,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Run the app in containers on this machine, until Ctrl-C
    #[cfg(feature = "engine")]
    #[command(after_help = help::RUN)]
    Run {
        /// The bundle; default: build the workspace first
        bundle: Option<PathBuf>,
        /// Seconds that a service may take until its health check is content
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u64,
        #[command(flatten)]
        plan: PlanArgs,
        #[command(flatten)]
        compile: CompileArgs,
    },
    /// Run the app in containers on this machine and restart each service when its sources change
    #[cfg(feature = "engine")]
    #[command(after_help = help::DEV)]
    Dev {
        /// Seconds that a service may take until its health check is content
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u64,
        #[command(flatten)]
        plan: PlanArgs,
        #[command(flatten)]
        compile: CompileArgs,
    },
    /// Run `cargo test` of services with the containers that only their tests need
    #[cfg(feature = "engine")]
    #[command(after_help = help::TEST)]
    Test {
        /// The service or package; default: all services that have a `test` table, one after another
        #[arg(value_name = "SERVICE")]
        services: Vec<String>,
        /// Arguments of `cargo test`
        #[arg(last = true, value_name = "CARGO TEST ARGS")]
        arguments: Vec<String>,
        #[command(flatten)]
        cargo: CargoArgs,
    },
    /// Show what of the app runs in a Docker Swarm: replicas, images and health, by stack and service
    #[cfg(feature = "engine")]
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Take the app down from a Docker Swarm, and wait until all of it is gone
    #[cfg(feature = "engine")]
    #[command(after_help = deployment::REMOVE_HELP)]
    Remove {
        /// Seconds that each step may take
        #[arg(long, value_name = "SECONDS", default_value_t = 120)]
        timeout: u64,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Add a service that compiles, answers `/healthz`, ends on SIGTERM, and has a test
    NewService {
        /// The name of the service and its package
        name: String,
        /// What kind of service
        #[arg(long, value_enum, default_value = "http")]
        template: TemplateArg,
        /// The new folder; default: beside the other services
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
        #[command(flatten)]
        cargo: CargoArgs,
    },
    /// Make an existing workspace ready: find its executables and write the tables
    Init {
        /// Make every executable a service, without asking
        #[arg(long)]
        all: bool,
        /// The app's name; default: the folder's
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Who publishes it: a reverse domain, such as com.example
        #[arg(long, value_name = "AUTHOR")]
        author: Option<String>,
        #[command(flatten)]
        cargo: CargoArgs,
    },
    /// Write a CI job that builds, caches, verifies and uploads the bundle
    Ci {
        /// Whose job
        service: CiArg,
        /// Print it instead of writing it
        #[arg(long)]
        stdout: bool,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Send the images of bundles, or of the last build, to a registry
    #[command(after_help = help::PUSH)]
    Push {
        /// `.auterionos` files, docker archives, OCI archives; default: the workspace's last build
        #[arg(value_name = "BUNDLE")]
        bundles: Vec<PathBuf>,
        /// HOST/PATH under which each image gets its service's name and version
        #[arg(long, value_name = "PREFIX")]
        repo: String,
        #[command(flatten)]
        env: deployment::EnvArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Bring the app to where it runs, and wait until it does
    #[command(after_help = deployment::DEPLOY_HELP)]
    Deploy {
        #[command(flatten)]
        deployment: deployment::DeployArgs,
        #[command(flatten)]
        plan: PlanArgs,
        #[command(flatten)]
        compile: CompileArgs,
    },
    /// Move the pins of `appbundle.lock` to what the registries have now
    #[command(after_help = help::UPDATE)]
    Update {
        /// Only these images, as the manifests name them
        #[arg(value_name = "REF")]
        references: Vec<String>,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Show what a build needs and what of it is there
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Remove what builds have written
    Clean {
        #[command(flatten)]
        plan: PlanArgs,
        /// Only the cache of compressed layers
        #[arg(long)]
        cache: bool,
    },
    /// Explain an error by its code: what it means, the usual causes, and the ways out
    #[command(after_help = help::EXPLAIN)]
    Explain {
        /// The code, as in `error[CODE]`; default: list all codes
        code: Option<String>,
    },
    /// Print the JSON Schema of the tables in `Cargo.toml`
    Schema,
    /// The first process in a container of `dev`
    #[cfg(feature = "engine")]
    #[command(hide = true)]
    Supervise {
        /// The socket at which it is told what to do
        control: PathBuf,
        /// What it runs
        #[arg(last = true, required = true)]
        words: Vec<std::ffi::OsString>,
    },
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
        Command::Ci { service, stdout, plan } => {
            commands::ci::run(&options(plan, CompileArgs::default())?, service.provider(), stdout, shell)
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
        Command::Doctor { json, plan } => commands::doctor::run(&options(plan, CompileArgs::default())?, json, shell),
        Command::Clean { plan, cache } => commands::clean::run(&options(plan, CompileArgs::default())?, cache, shell),
        #[cfg(feature = "engine")]
        Command::Supervise { control, words } => crate::dev::supervise::run(&control, &words),
        Command::Explain { code } => commands::explain::run(code.as_deref(), shell),
        Command::Schema => commands::schema::run(shell),
    }
}
