//! The command line: the one door to clap.

use std::path::PathBuf;

use anstream::ColorChoice;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::archive::gzip::Level;
use crate::commands::ci::Service;
use crate::commands::init::InitOptions;
use crate::commands::inspect::InspectOptions;
use crate::commands::new_service::{NewServiceOptions, Template};
use crate::commands::verify::VerifyOptions;
use crate::commands::{self, Options};
use crate::compile::CompileOptions;
use crate::plan::{Format, Request};
use crate::shell::{Shell, Verbosity};
use crate::workspace::CargoOptions;

/// Bytes that the cache of layers has, unless the user says otherwise.
const CACHE_SIZE: u64 = 4 << 30;

#[derive(Parser)]
#[command(name = "cargo-appbundle", bin_name = "cargo appbundle", version, about, styles = clap_styles(), max_term_width = 100)]
/// Turn a Cargo workspace of microservices into one installable file
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    shell: ShellArgs,
}

#[derive(Args)]
struct ShellArgs {
    /// Print what is run and why
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Display")]
    verbose: bool,
    /// Print errors and warnings only
    #[arg(short, long, global = true, help_heading = "Display")]
    quiet: bool,
    /// Use colours: auto, always, never
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Display")]
    color: Option<Color>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Compile all services and write the bundle
    #[command(visible_alias = "b", after_help = BUILD_HELP)]
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
    Generate {
        #[command(flatten)]
        plan: PlanArgs,
        /// Write nothing; fail if a file is not as it would be written
        #[arg(long)]
        check: bool,
    },
    /// Show what is in a bundle: services, images, layers, who shares them, and their bytes
    #[command(after_help = INSPECT_HELP)]
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
    /// Show what a build needs and what of it is there
    Doctor {
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
    /// Print the JSON Schema of the tables in `Cargo.toml`
    Schema,
}

const INSPECT_HELP: &str = "Examples:
  cargo appbundle inspect target/appbundle/com.example.app-1.0.0.auterionos
  docker save app:1 -o app.tar && cargo appbundle inspect app.tar --json";

const BUILD_HELP: &str = "Examples:
  cargo appbundle build                          every service of the workspace, optimised
  cargo appbundle build -p gallery-service       one of them
  cargo appbundle build --format docker          an archive for `docker load`
  cargo appbundle build --compression best       as small as it gets, for a release
  cargo appbundle build --no-compile --bin-dir out/   pack what was built elsewhere

Exit codes: 0 done, 1 failed, 2 wrong usage, 101 the compiler failed.";

#[derive(Args)]
struct PlanArgs {
    /// Only this service or package; can be given several times
    #[arg(short, long = "package", value_name = "SPEC")]
    packages: Vec<String>,
    /// What to write; several separated by commas
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',')]
    formats: Vec<FormatArg>,
    /// How hard to compress
    #[arg(long, value_name = "LEVEL")]
    compression: Option<LevelArg>,
    /// The app's version, instead of the manifests'
    #[arg(long, value_name = "VERSION")]
    app_version: Option<String>,
    /// Where to write; default: `appbundle` in the target folder
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE", help_heading = "Compilation")]
    target: Option<String>,
    /// Build with this profile
    #[arg(long, value_name = "PROFILE", default_value = "release", help_heading = "Compilation")]
    profile: String,
    /// The default profile here: accepted for those who are used to it
    #[arg(short, long, conflicts_with = "profile", help_heading = "Compilation")]
    release: bool,
    #[command(flatten)]
    cargo: CargoArgs,
}

#[derive(Args)]
struct CargoArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Cargo")]
    manifest_path: Option<PathBuf>,
    /// Folder for all generated artifacts
    #[arg(long, value_name = "DIR", help_heading = "Cargo")]
    target_dir: Option<PathBuf>,
    /// Assert that `Cargo.lock` will remain unchanged
    #[arg(long, help_heading = "Cargo")]
    locked: bool,
    /// Run without accessing the network
    #[arg(long, help_heading = "Cargo")]
    offline: bool,
    /// Equivalent to both --locked and --offline
    #[arg(long, help_heading = "Cargo")]
    frozen: bool,
    /// Override a Cargo configuration value
    #[arg(long, value_name = "KEY=VALUE|PATH", help_heading = "Cargo")]
    config: Vec<String>,
}

#[derive(Args, Default)]
struct CompileArgs {
    /// Compile nothing: pack the binaries of --bin-dir
    #[arg(long, requires = "bin_dir", help_heading = "Compilation")]
    no_compile: bool,
    /// The folder of binaries that were built elsewhere
    #[arg(long, value_name = "DIR", requires = "no_compile", help_heading = "Compilation")]
    bin_dir: Option<PathBuf>,
    /// Features to activate, as PACKAGE/FEATURE
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Compilation")]
    features: Vec<String>,
    /// Activate all features
    #[arg(long, help_heading = "Compilation")]
    all_features: bool,
    /// Do not activate the default features
    #[arg(long, help_heading = "Compilation")]
    no_default_features: bool,
    /// Number of parallel jobs
    #[arg(short, long, value_name = "N", help_heading = "Compilation")]
    jobs: Option<String>,
    /// `human`, or `json`: Cargo's messages go to stdout
    #[arg(long, value_name = "FMT", help_heading = "Display")]
    message_format: Option<MessageFormat>,
    /// Bytes that the cache of layers may have
    #[arg(long, value_name = "BYTES", default_value_t = CACHE_SIZE, hide = true)]
    cache_size: u64,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum MessageFormat {
    Human,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    /// An app file of AuterionOS
    Auterionos,
    /// An archive for `docker load` and `podman load`
    Docker,
    /// An OCI layout
    Oci,
}

#[derive(Clone, Copy, ValueEnum)]
enum TemplateArg {
    /// Answers over HTTP
    Http,
    /// Does its work at intervals
    Worker,
    /// Runs once and ends
    Cli,
}

#[derive(Clone, Copy, ValueEnum)]
enum CiArg {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

#[derive(Clone, Copy, ValueEnum)]
enum LevelArg {
    Fast,
    Default,
    Best,
}

fn clap_styles() -> clap::builder::Styles {
    use anstyle::AnsiColor::{BrightCyan, BrightGreen};
    clap::builder::Styles::styled()
        .header(BrightGreen.on_default().bold())
        .usage(BrightGreen.on_default().bold())
        .literal(BrightCyan.on_default().bold())
        .placeholder(anstyle::AnsiColor::Cyan.on_default())
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
            report(&error, &shell);
            if error.is::<crate::compile::Failed>() { 101 } else { 1 }
        }
    }
}

fn report(error: &anyhow::Error, shell: &Shell) {
    match error.downcast_ref::<crate::config::Problems>() {
        Some(problems) => shell.raw(&problems.render(shell.colored())),
        None => shell.error(error),
    }
}

fn dispatch(command: Command, shell: &Shell) -> anyhow::Result<()> {
    match command {
        Command::Build { plan, compile } => commands::build::run(&options(plan, compile)?, shell),
        Command::Plan { plan, json } => commands::plan::run(&options(plan, CompileArgs::default())?, json, shell),
        Command::Generate { plan, check } => commands::generate::run(&options(plan, CompileArgs::default())?, check, shell),
        Command::Inspect { file, json } => commands::inspect::run(&InspectOptions::new(file, json), shell),
        Command::Verify { file, json } => commands::verify::run(&VerifyOptions::new(file, json), shell),
        Command::NewService { name, template, path, cargo } => {
            let template = match template {
                TemplateArg::Http => Template::Http,
                TemplateArg::Worker => Template::Worker,
                TemplateArg::Cli => Template::Cli,
            };
            commands::new_service::run(&NewServiceOptions { cargo: cargo.options(), name, template, path }, shell)
        }
        Command::Init { all, name, author, cargo } => {
            commands::init::run(&InitOptions { cargo: cargo.options(), all, name, author }, shell)
        }
        Command::Ci { service, stdout, plan } => {
            let service = match service {
                CiArg::Github => Service::Github,
                CiArg::Gitlab => Service::Gitlab,
            };
            commands::ci::run(&options(plan, CompileArgs::default())?, service, stdout, shell)
        }
        Command::Doctor { plan } => commands::doctor::run(&options(plan, CompileArgs::default())?, shell),
        Command::Clean { plan, cache } => commands::clean::run(&options(plan, CompileArgs::default())?, cache, shell),
        Command::Schema => {
            anstream::println!("{}", serde_json::to_string_pretty(&crate::config::schema::document())?);
            Ok(())
        }
    }
}

impl ShellArgs {
    fn shell(&self) -> Shell {
        let verbosity = match (self.verbose, self.quiet) {
            (true, _) => Verbosity::Verbose,
            (_, true) => Verbosity::Quiet,
            _ => Verbosity::Normal,
        };
        let of_environment = || match std::env::var("CARGO_TERM_COLOR").as_deref() {
            Ok("always") => Color::Always,
            Ok("never") => Color::Never,
            _ => Color::Auto,
        };
        let color = match self.color.unwrap_or_else(of_environment) {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Shell::new(verbosity, color)
    }
}

fn options(plan: PlanArgs, compile: CompileArgs) -> anyhow::Result<Options> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = compile.jobs.as_ref().and_then(|jobs| jobs.parse().ok());
    Ok(Options {
        cargo: plan.cargo.options(),
        request: Request {
            packages: plan.packages,
            profile: plan.profile,
            target: plan.target,
            formats: plan.formats.into_iter().map(FormatArg::format).collect(),
            compression: plan.compression.map(LevelArg::level),
            version: plan.app_version,
            epoch: epoch()?,
            output: plan.out_dir.map(std::path::absolute).transpose()?,
        },
        compile: CompileOptions {
            jobs: compile.jobs,
            features: compile.features,
            all_features: compile.all_features,
            no_default_features: compile.no_default_features,
            json_messages: compile.message_format == Some(MessageFormat::Json),
        },
        bin_dir: compile.bin_dir,
        threads: jobs.unwrap_or(threads),
        cache_size: compile.cache_size,
    })
}

impl CargoArgs {
    fn options(self) -> CargoOptions {
        CargoOptions {
            program: std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from),
            manifest_path: self.manifest_path,
            target_dir: self.target_dir,
            locked: self.locked,
            offline: self.offline,
            frozen: self.frozen,
            config: self.config,
        }
    }
}

/// `SOURCE_DATE_EPOCH` (reproducible-builds.org), else the epoch itself.
fn epoch() -> anyhow::Result<u64> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text
            .parse()
            .ok()
            // What a tar header holds without extensions; it lasts until the year 2242.
            .filter(|seconds| *seconds < 1 << 33)
            .ok_or_else(|| anyhow::anyhow!("`SOURCE_DATE_EPOCH` is `{text}` instead of a number of seconds")),
        Err(_) => Ok(0),
    }
}

impl FormatArg {
    fn format(self) -> Format {
        match self {
            Self::Auterionos => Format::Auterionos,
            Self::Docker => Format::Docker,
            Self::Oci => Format::Oci,
        }
    }
}

impl LevelArg {
    fn level(self) -> Level {
        match self {
            Self::Fast => Level::Fast,
            Self::Default => Level::Default,
            Self::Best => Level::Best,
        }
    }
}
