//! The verbs and their own flags.

use std::path::PathBuf;

use clap::Subcommand;

use super::args::{AppArgs, BuiltArgs, BundleArgs, CargoArgs, CompileArgs, ImageArgs, PlanArgs, ScopeArgs};
use super::flags::{
    ConfigArgs, EngineArgs, FormatArgs, LockArgs, ManifestArgs, OutputArgs, PackageArgs, TargetDirArgs, VersionArgs,
};
use super::signing::{SignArgs, SigningCommand, VerifyKeyArgs};
use super::{compilation::BuilderArgs, compilation::TargetArgs, deployment, help, values::CiArg, values::TemplateArg};
#[cfg(feature = "engine")]
use super::{compilation::one_target, flags::VariantArgs};

#[derive(Subcommand)]
pub enum Command {
    /// Compile all services and write the bundle
    #[command(visible_alias = "b", after_help = help::BUILD)]
    Build {
        #[command(flatten)]
        format: FormatArgs,
        #[command(flatten)]
        image: ImageArgs,
        #[command(flatten)]
        compile: CompileArgs,
        #[command(flatten)]
        sign: SignArgs,
        /// Write beside each bundle of which commit it was built, and how
        #[arg(long, conflicts_with = "bin_dir", help_heading = "Provenance")]
        provenance: bool,
    },
    /// Print what `build` would do
    Plan {
        #[command(flatten)]
        format: FormatArgs,
        #[command(flatten)]
        image: ImageArgs,
        #[command(flatten)]
        builder: BuilderArgs,
        #[command(flatten)]
        plan: PlanArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write app.yml, Dockerfiles or deployment files, without compiling
    #[command(after_help = deployment::GENERATE_HELP)]
    Generate {
        #[command(flatten)]
        deployment: deployment::GenerateArgs,
        #[command(flatten)]
        format: FormatArgs,
        #[command(flatten)]
        version: VersionArgs,
        #[command(flatten)]
        plan: PlanArgs,
        /// Write nothing; fail if a file differs from what would be written
        #[arg(long)]
        check: bool,
    },
    /// Show the services, images and layers in a bundle, and their sizes
    #[command(after_help = help::INSPECT)]
    Inspect(BundleArgs),
    /// Print what a bundle is made of: its software bill of materials
    #[command(after_help = help::SBOM)]
    Sbom(super::sbom::SbomArgs),
    /// Check a bundle for errors, its signature and its provenance
    #[command(after_help = help::VERIFY)]
    Verify {
        #[command(flatten)]
        bundle: BundleArgs,
        #[command(flatten)]
        keys: VerifyKeyArgs,
        /// Build the commit in the bundle's provenance again, and compare the bytes
        #[arg(long, help_heading = "Provenance")]
        rebuild: bool,
    },
    #[command(flatten)]
    Signing(SigningCommand),
    /// Report known vulnerabilities in a bundle or in the workspace, from databases on this machine
    #[command(after_help = help::AUDIT)]
    Audit(super::audit::AuditArgs),
    /// Load a bundle's images into Docker or podman, skipping layers that are already present
    #[cfg(feature = "engine")]
    #[command(after_help = help::LOAD)]
    Load {
        /// Bundle to load [default: the last one built]
        bundle: Option<PathBuf>,
        #[command(flatten)]
        built: BuiltArgs,
    },
    /// Run the app in containers on this machine until Ctrl-C
    #[cfg(feature = "engine")]
    #[command(after_help = help::RUN)]
    Run {
        /// Bundle to run [default: build the workspace]
        bundle: Option<PathBuf>,
        /// Leave the services running in the background once they are healthy
        #[arg(short, long)]
        detach: bool,
        /// Seconds to wait for each service to become healthy
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u64,
        #[command(flatten)]
        image: ImageArgs,
        #[command(flatten)]
        compile: CompileArgs,
    },
    #[cfg(feature = "engine")]
    #[command(flatten)]
    Local(super::local::LocalCommand),
    /// Run the app on this machine and restart services when their sources change
    #[cfg(feature = "engine")]
    #[command(mut_args(one_target), after_help = help::DEV)]
    Dev {
        /// Seconds to wait for each service to become healthy
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u64,
        #[command(flatten)]
        compile: CompileArgs,
    },
    /// Run `cargo test` with the containers that the tests depend on
    #[cfg(feature = "engine")]
    #[command(after_help = help::TEST)]
    Test {
        /// Services or packages to test [default: all with a `test` table]
        #[arg(value_name = "SERVICE")]
        services: Vec<String>,
        /// Arguments for `cargo test`
        #[arg(last = true, value_name = "CARGO TEST ARGS")]
        arguments: Vec<String>,
        #[command(flatten)]
        variant: VariantArgs,
        #[command(flatten)]
        cargo: CargoArgs,
    },
    /// Show the app's stacks and services in a Docker Swarm
    #[cfg(feature = "engine")]
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        app: AppArgs,
    },
    /// Remove the app from a Docker Swarm and wait until it is gone
    #[cfg(feature = "engine")]
    #[command(after_help = deployment::REMOVE_HELP)]
    Remove {
        /// Seconds to wait for each step
        #[arg(long, value_name = "SECONDS", default_value_t = 120)]
        timeout: u64,
        #[command(flatten)]
        app: AppArgs,
    },
    /// Create a service from a template and add it to the workspace
    NewService {
        /// Name of the service and its package
        name: String,
        /// Kind of service
        #[arg(long, value_enum, default_value = "http")]
        template: TemplateArg,
        /// Directory to create [default: next to the other services]
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
        #[command(flatten)]
        manifest: ManifestArgs,
    },
    /// Prepare an existing workspace: find its executables and write their tables
    Init {
        /// Make every executable a service without asking, except tools
        #[arg(long)]
        all: bool,
        /// App name [default: the directory's name]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Publisher, as a reverse domain such as com.example
        #[arg(long, value_name = "AUTHOR")]
        author: Option<String>,
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        manifest: ManifestArgs,
    },
    /// Write a CI job that builds, verifies and uploads the bundle
    Ci {
        /// CI provider
        #[arg(value_name = "PROVIDER")]
        service: CiArg,
        /// Let the job install cargo-appbundle from this git repository instead of crates.io
        #[arg(long, value_name = "URL")]
        git: Option<String>,
        /// Print the job instead of writing a file
        #[arg(long)]
        stdout: bool,
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        manifest: ManifestArgs,
    },
    /// Push the images of the last build, or of bundles, to a registry
    #[command(after_help = help::PUSH)]
    Push(deployment::PushArgs),
    /// Deploy the app to a cluster or swarm and wait until it runs
    #[command(after_help = deployment::DEPLOY_HELP)]
    Deploy {
        #[command(flatten)]
        deployment: deployment::DeployArgs,
        #[command(flatten)]
        image: ImageArgs,
        #[command(flatten)]
        compile: CompileArgs,
    },
    /// Update the base images and Debian packages pinned in `appbundle.lock`
    #[command(after_help = help::UPDATE)]
    Update {
        /// Images, as the manifests name them, and suites of packages to update [default: all]
        #[arg(value_name = "REF")]
        references: Vec<String>,
        #[command(flatten)]
        scope: ScopeArgs,
        #[command(flatten)]
        cargo: CargoArgs,
    },
    /// Copy the pinned Debian packages into the folder that `vendor` names
    #[command(after_help = help::VENDOR)]
    Vendor {
        #[command(flatten)]
        scope: ScopeArgs,
        #[command(flatten)]
        cargo: CargoArgs,
    },
    /// Check that everything needed to build is installed
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Print only the missing Debian packages, one per line, as apt takes them
        #[arg(long, conflicts_with = "json")]
        apt: bool,
        #[command(flatten)]
        lock: LockArgs,
        #[command(flatten)]
        package: PackageArgs,
        #[command(flatten)]
        format: FormatArgs,
        #[command(flatten)]
        engine: EngineArgs,
        #[command(flatten)]
        builder: BuilderArgs,
        #[command(flatten)]
        app: AppArgs,
    },
    /// Remove everything that builds have written
    Clean {
        #[command(flatten)]
        output: OutputArgs,
        #[command(flatten)]
        manifest: ManifestArgs,
        #[command(flatten)]
        target_dir: TargetDirArgs,
        #[command(flatten)]
        config: ConfigArgs,
        /// Remove only the cache of compressed layers
        #[arg(long)]
        cache: bool,
    },
    /// Explain an error code: what it means, common causes, and how to fix it
    #[command(after_help = help::EXPLAIN)]
    Explain {
        /// Code, as in `error[CODE]` [default: list all codes]
        code: Option<String>,
    },
    /// Print the JSON Schema of the tables in `Cargo.toml`
    Schema,
    /// Print a shell completion script
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages
    #[command(hide = true)]
    Man {
        /// Directory for the pages
        folder: PathBuf,
    },
    /// Supervise a service in a container of `dev`
    #[cfg(feature = "engine")]
    #[command(hide = true)]
    Supervise {
        /// Socket on which it receives commands
        control: PathBuf,
        /// Command line of the service
        #[arg(last = true, required = true)]
        words: Vec<std::ffi::OsString>,
    },
}
