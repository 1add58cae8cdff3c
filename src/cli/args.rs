//! Flags that several verbs share, and their conversion to options.

use std::path::PathBuf;

use clap::Args;

use super::values::{BuilderArg, EngineArg, FormatArg, LevelArg};
use crate::commands::Options;
use crate::compile::CompileOptions;
use crate::plan::{Reach, Request};
use crate::workspace::CargoOptions;

/// Bytes: the default size limit of the layer cache.
const CACHE_SIZE: u64 = 4 << 30;

#[derive(Args)]
pub struct PlanArgs {
    /// Service or package to work on [default: all services]
    #[arg(short, long = "package", value_name = "SPEC")]
    pub packages: Vec<String>,
    /// Bundle formats to write, separated by commas
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',')]
    pub formats: Vec<FormatArg>,
    /// Image builder
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<EngineArg>,
    /// Compression level
    #[arg(long, value_name = "LEVEL")]
    pub compression: Option<LevelArg>,
    /// App version, instead of the one in the manifests
    #[arg(long, value_name = "VERSION")]
    pub app_version: Option<String>,
    /// Output directory [default: `appbundle` in the target directory]
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// Registry to reach over plain HTTP, as HOST or HOST:PORT
    #[arg(long, value_name = "HOST")]
    pub insecure_registry: Vec<String>,
    /// Target triple to build for; repeat it for several
    #[arg(long = "target", value_name = "TRIPLE", help_heading = "Compilation")]
    pub targets: Vec<String>,
    /// Compiler driver
    #[arg(long, value_name = "BUILDER", help_heading = "Compilation")]
    pub builder: Option<BuilderArg>,
    /// Build profile [default: `release`; `dev` for `cargo appbundle dev`]
    #[arg(long, value_name = "PROFILE", help_heading = "Compilation")]
    pub profile: Option<String>,
    /// Same as `--profile release`
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
    /// Directory for all generated artifacts
    #[arg(long, value_name = "DIR", help_heading = "Cargo")]
    pub target_dir: Option<PathBuf>,
    /// Fail if `Cargo.lock` or `appbundle.lock` would change
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
    /// Do not compile; pack the executables in `--bin-dir`
    #[arg(long, requires = "bin_dir", help_heading = "Compilation")]
    pub no_compile: bool,
    /// Directory of prebuilt executables; for several targets, one subdirectory per triple
    #[arg(long, value_name = "DIR", requires = "no_compile", help_heading = "Compilation")]
    pub bin_dir: Option<PathBuf>,
    /// Features to activate, as `PACKAGE/FEATURE`
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Compilation")]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long, help_heading = "Compilation")]
    pub all_features: bool,
    /// Do not activate the default features
    #[arg(long, help_heading = "Compilation")]
    pub no_default_features: bool,
    /// Number of parallel jobs, for compiling and compressing
    #[arg(short, long, value_name = "N", help_heading = "Compilation")]
    pub jobs: Option<String>,
    /// Size limit of the layer cache, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = CACHE_SIZE, hide = true)]
    pub cache_size: u64,
}

/// Converts the flags of verbs that make a plan to options.
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

/// The timestamp of all files in seconds, if `SOURCE_DATE_EPOCH` (reproducible-builds.org) names it.
fn epoch() -> anyhow::Result<Option<u64>> {
    let Ok(text) = std::env::var("SOURCE_DATE_EPOCH") else { return Ok(None) };
    // The largest number in a tar header without extensions; it suffices until the year 2242.
    match text.parse().ok().filter(|seconds| *seconds < 1 << 33) {
        Some(seconds) => Ok(Some(seconds)),
        None => anyhow::bail!("`SOURCE_DATE_EPOCH` is `{text}` instead of a number of seconds"),
    }
}
