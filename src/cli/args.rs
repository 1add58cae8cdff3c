//! What can be typed, as clap reads it, and what it means.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::Destination;
use crate::archive::gzip::Level;
use crate::commands::Options;
use crate::commands::ci::CiProvider;
use crate::compile::CompileOptions;
use crate::plan::{Builder, Engine, Format, Reach, Request};
use crate::scaffold::ServiceTemplate;
use crate::workspace::CargoOptions;

/// Bytes that the cache of layers has, unless the user says otherwise.
const CACHE_SIZE: u64 = 4 << 30;

#[derive(Args)]
pub struct PlanArgs {
    /// Only this service or package; can be given several times
    #[arg(short, long = "package", value_name = "SPEC")]
    pub packages: Vec<String>,
    /// What to write; several separated by commas
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',')]
    pub formats: Vec<FormatArg>,
    /// Who makes the images
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<EngineArg>,
    /// How hard to compress
    #[arg(long, value_name = "LEVEL")]
    pub compression: Option<LevelArg>,
    /// The app's version, instead of the manifests'
    #[arg(long, value_name = "VERSION")]
    pub app_version: Option<String>,
    /// Where to write; default: `appbundle` in the target folder
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// A registry that speaks plain HTTP: HOST or HOST:PORT
    #[arg(long, value_name = "HOST")]
    pub insecure_registry: Vec<String>,
    /// Build for this target triple; can be given several times
    #[arg(long = "target", value_name = "TRIPLE", help_heading = "Compilation")]
    pub targets: Vec<String>,
    /// Who compiles
    #[arg(long, value_name = "BUILDER", help_heading = "Compilation")]
    pub builder: Option<BuilderArg>,
    /// Build with this profile; default: `release`, and `dev` for `cargo appbundle dev`
    #[arg(long, value_name = "PROFILE", help_heading = "Compilation")]
    pub profile: Option<String>,
    /// The same as --profile release
    #[arg(short, long, conflicts_with = "profile", help_heading = "Compilation")]
    pub release: bool,
    #[command(flatten)]
    pub cargo: CargoArgs,
}

#[derive(Args)]
pub struct CargoArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Cargo")]
    pub manifest_path: Option<PathBuf>,
    /// Folder for all generated artifacts
    #[arg(long, value_name = "DIR", help_heading = "Cargo")]
    pub target_dir: Option<PathBuf>,
    /// Assert that `Cargo.lock` and `appbundle.lock` will remain unchanged
    #[arg(long, help_heading = "Cargo")]
    pub locked: bool,
    /// Run without accessing the network
    #[arg(long, help_heading = "Cargo")]
    pub offline: bool,
    /// Equivalent to both --locked and --offline
    #[arg(long, help_heading = "Cargo")]
    pub frozen: bool,
    /// Override a Cargo configuration value
    #[arg(long, value_name = "KEY=VALUE|PATH", help_heading = "Cargo")]
    pub config: Vec<String>,
}

#[derive(Args, Default)]
pub struct CompileArgs {
    /// Compile nothing: pack the binaries of --bin-dir
    #[arg(long, requires = "bin_dir", help_heading = "Compilation")]
    pub no_compile: bool,
    /// The folder of binaries that were built elsewhere; with several targets it holds a folder for each triple
    #[arg(long, value_name = "DIR", requires = "no_compile", help_heading = "Compilation")]
    pub bin_dir: Option<PathBuf>,
    /// Features to activate, as PACKAGE/FEATURE
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Compilation")]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long, help_heading = "Compilation")]
    pub all_features: bool,
    /// Do not activate the default features
    #[arg(long, help_heading = "Compilation")]
    pub no_default_features: bool,
    /// Number of parallel jobs
    #[arg(short, long, value_name = "N", help_heading = "Compilation")]
    pub jobs: Option<String>,
    /// Bytes that the cache of layers may have
    #[arg(long, value_name = "BYTES", default_value_t = CACHE_SIZE, hide = true)]
    pub cache_size: u64,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum BuilderArg {
    /// Cargo, with the linker of this machine
    Cargo,
    /// `cross`, in a container with the target's C tools
    Cross,
    /// `cargo zigbuild`; the target may name a glibc: aarch64-unknown-linux-gnu.2.28
    Zigbuild,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum FormatArg {
    /// An app file of AuterionOS
    Auterionos,
    /// An archive for `docker load` and `podman load`
    Docker,
    /// An OCI layout
    Oci,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum DestinationArg {
    /// `docker-compose` and `docker compose`: compose/docker-compose.yml
    Compose,
    /// `docker stack deploy`: swarm/docker-stack.yml
    Swarm,
    /// `docker stack deploy`, stack by stack: stacks/*.yml, with their gateways
    Stacks,
    /// Sources and executables of this machine, mounted: dev/docker-compose.dev.yml
    Dev,
    /// `kubectl apply -k`: kubernetes/
    Kubernetes,
    /// A device: auterionos/app.yml and auterionos/auterion-app.yml
    Auterionos,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum EngineArg {
    /// This program, without any container engine
    Native,
    /// Docker, or podman behind its socket, of the generated Dockerfiles
    Docker,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum TemplateArg {
    /// Answers over HTTP
    Http,
    /// Does its work at intervals
    Worker,
    /// Runs once and ends
    Cli,
    /// The image of a stack: brings it up, tells how it is, and takes it down when it ends; call it STACK-stack
    Stack,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CiArg {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum LevelArg {
    Fast,
    Default,
    Best,
}

/// The options of the verbs that make a plan.
pub fn options(plan: PlanArgs, compile: CompileArgs) -> anyhow::Result<Options> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = compile.jobs.as_ref().and_then(|jobs| jobs.parse().ok());
    Ok(Options {
        cargo: plan.cargo.options(),
        request: Request {
            packages: plan.packages,
            reach: Reach::Named,
            image_tag: None,
            profile: plan.profile.unwrap_or_else(|| "release".into()),
            targets: plan.targets,
            formats: plan.formats.into_iter().map(FormatArg::format).collect(),
            builder: plan.builder.map(BuilderArg::builder),
            engine: plan.engine.map(EngineArg::engine),
            compression: plan.compression.map(LevelArg::level),
            version: plan.app_version,
            repo: None,
            env: Vec::new(),
            insecure_registries: plan.insecure_registry,
            destinations: Vec::new(),
            epoch: epoch()?,
            output: plan.out_dir.map(std::path::absolute).transpose()?,
            among_others: false,
        },
        compile: CompileOptions {
            jobs: compile.jobs,
            features: compile.features,
            all_features: compile.all_features,
            no_default_features: compile.no_default_features,
            plain: false,
            wishes: None,
        },
        bin_dir: compile.bin_dir,
        threads: jobs.unwrap_or(threads),
        cache_size: compile.cache_size,
    })
}

impl CargoArgs {
    pub fn options(self) -> CargoOptions {
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

impl TemplateArg {
    pub fn template(self) -> ServiceTemplate {
        match self {
            Self::Http => ServiceTemplate::Http,
            Self::Worker => ServiceTemplate::Worker,
            Self::Cli => ServiceTemplate::Cli,
            Self::Stack => ServiceTemplate::Stack,
        }
    }
}

impl CiArg {
    pub fn provider(self) -> CiProvider {
        match self {
            Self::Github => CiProvider::Github,
            Self::Gitlab => CiProvider::Gitlab,
        }
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

impl DestinationArg {
    pub fn destination(self) -> Destination {
        match self {
            Self::Compose => Destination::Compose,
            Self::Swarm => Destination::Swarm,
            Self::Stacks => Destination::Stacks,
            Self::Dev => Destination::Dev,
            Self::Kubernetes => Destination::Kubernetes,
            Self::Auterionos => Destination::Auterionos,
        }
    }
}

impl BuilderArg {
    fn builder(self) -> Builder {
        match self {
            Self::Cargo => Builder::Cargo,
            Self::Cross => Builder::Cross,
            Self::Zigbuild => Builder::Zigbuild,
        }
    }
}

impl EngineArg {
    fn engine(self) -> Engine {
        match self {
            Self::Native => Engine::Native,
            Self::Docker => Engine::Docker,
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
