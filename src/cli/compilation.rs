//! Flags about compiling, in groups as in [`super::flags`].

use std::path::PathBuf;

use clap::Args;

use super::values::BuilderArg;
use crate::commands::Options;

/// Bytes: the default size limit of the layer cache.
pub const CACHE_SIZE: u64 = 4 << 30;

/// For which platforms.
#[derive(Args)]
pub struct TargetArgs {
    /// Target triple to build for; repeat it for several
    #[arg(long = "target", value_name = "TRIPLE", help_heading = "Compilation")]
    targets: Vec<String>,
}

/// Whose last build.
#[derive(Args)]
pub struct BuiltTargetArgs {
    /// Target triple that was built for
    #[arg(long = "target", value_name = "TRIPLE", help_heading = "Output")]
    target: Option<String>,
}

/// What compiles.
#[derive(Args)]
pub struct BuilderArgs {
    /// Compiler driver
    #[arg(long, value_name = "BUILDER", help_heading = "Compilation")]
    builder: Option<BuilderArg>,
}

/// How the compiler optimises.
#[derive(Args)]
pub struct ProfileArgs {
    /// Build profile [default: `release`; `dev` for `dev` and `generate --for dev`]
    #[arg(long, value_name = "PROFILE", help_heading = "Compilation")]
    profile: Option<String>,
    /// Same as `--profile release`
    #[arg(short, long, conflicts_with = "profile", help_heading = "Compilation")]
    release: bool,
}

/// What else Cargo is told.
#[derive(Args)]
pub struct FeatureArgs {
    /// Do not compile; pack the executables in `--bin-dir`
    #[arg(long, requires = "bin_dir", help_heading = "Compilation")]
    no_compile: bool,
    /// Directory of prebuilt executables; for several targets, one subdirectory per triple
    #[arg(long, value_name = "DIR", requires = "no_compile", help_heading = "Compilation")]
    bin_dir: Option<PathBuf>,
    /// Features to activate, as `PACKAGE/FEATURE`
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Compilation")]
    features: Vec<String>,
    /// Activate all features
    #[arg(long, help_heading = "Compilation")]
    all_features: bool,
    /// Do not activate the default features
    #[arg(long, help_heading = "Compilation")]
    no_default_features: bool,
    /// Number of parallel jobs, for compiling and compressing
    #[arg(short, long, value_name = "N", help_heading = "Compilation")]
    jobs: Option<String>,
    /// Size limit of the layer cache, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = CACHE_SIZE, hide = true)]
    cache_size: u64,
}

/// The flags of a verb that compiles for one target, over and over: `--target` only once, and nothing of executables that are there
/// already, which only tests use.
#[cfg(feature = "engine")]
pub fn one_target(flag: clap::Arg) -> clap::Arg {
    match flag.get_id().as_str() {
        "targets" => flag.action(clap::ArgAction::Set).help("Target triple to build for [default: this machine's]"),
        "no_compile" | "bin_dir" => flag.hide(true),
        _ => flag,
    }
}

impl TargetArgs {
    pub fn give(self, options: &mut Options) {
        let Self { targets } = self;
        options.request.targets = targets;
    }
}

impl BuiltTargetArgs {
    pub fn give(self, options: &mut Options) {
        let Self { target } = self;
        options.request.targets = target.into_iter().collect();
    }
}

impl BuilderArgs {
    pub fn give(self, options: &mut Options) {
        let Self { builder } = self;
        options.request.builder = builder.map(BuilderArg::builder);
    }
}

impl ProfileArgs {
    pub fn give(self, default: &str, options: &mut Options) {
        let Self { profile, release } = self;
        options.request.profile = profile.unwrap_or_else(|| if release { "release" } else { default }.into());
    }
}

impl FeatureArgs {
    pub fn give(self, options: &mut Options) {
        // With `--bin-dir`, nothing is compiled; clap wants both.
        let Self { no_compile: _, bin_dir, features, all_features, no_default_features, jobs, cache_size } = self;
        if let Some(jobs) = jobs.as_ref().and_then(|jobs| jobs.parse().ok()) {
            options.threads = jobs;
        }
        let compile = &mut options.compile;
        (compile.jobs, compile.features, compile.all_features) = (jobs, features, all_features);
        compile.no_default_features = no_default_features;
        (options.bin_dir, options.cache_size) = (bin_dir, cache_size);
    }
}
