//! The flags of verbs that have many in common.

use std::path::PathBuf;

use clap::Args;

use super::compilation::{BuilderArgs, BuiltTargetArgs, CACHE_SIZE, FeatureArgs, ProfileArgs, TargetArgs};
use super::flags::{
    CompressionArgs, ConfigArgs, EngineArgs, LockArgs, ManifestArgs, OutputArgs, PackageArgs, RegistryArgs, TargetDirArgs,
    VariantArgs, VersionArgs,
};
use crate::commands::Options;
use crate::compile::CompileOptions;
use crate::plan::{Reach, Request};
use crate::workspace::CargoOptions;

/// Which part of the app is meant, for which targets, and where its files are.
#[derive(Args)]
pub struct ScopeArgs {
    #[command(flatten)]
    package: PackageArgs,
    #[command(flatten)]
    variant: VariantArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    target: TargetArgs,
}

/// What plans an app for targets.
#[derive(Args)]
pub struct PlanArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    profile: ProfileArgs,
    #[command(flatten)]
    cargo: CargoArgs,
}

/// What compiles that app.
#[derive(Args)]
pub struct CompileArgs {
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    builder: BuilderArgs,
    #[command(flatten)]
    feature: FeatureArgs,
}

/// What makes its images.
#[derive(Args)]
pub struct ImageArgs {
    #[command(flatten)]
    version: VersionArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    compression: CompressionArgs,
}

/// A bundle to look at.
#[derive(Args)]
pub struct BundleArgs {
    /// Bundle: an `.auterionos` file, a docker archive or an OCI archive, made by any tool [default: the last one built]
    pub file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub built: BuiltArgs,
}

/// What finds the last build.
#[derive(Args)]
pub struct BuiltArgs {
    #[command(flatten)]
    variant: VariantArgs,
    #[command(flatten)]
    version: VersionArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    target: BuiltTargetArgs,
    #[command(flatten)]
    workspace: WorkspaceArgs,
}

/// What reads an app's tables and builds nothing.
#[derive(Args)]
pub struct AppArgs {
    #[command(flatten)]
    variant: VariantArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    manifest: ManifestArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What Cargo works on, and how.
#[derive(Args)]
pub struct CargoArgs {
    #[command(flatten)]
    workspace: WorkspaceArgs,
    #[command(flatten)]
    lock: LockArgs,
}

/// Where Cargo works.
#[derive(Args)]
pub struct WorkspaceArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
    #[command(flatten)]
    target_dir: TargetDirArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What is done without a flag.
///
/// # Errors
/// When `SOURCE_DATE_EPOCH` is no time.
pub fn defaults() -> anyhow::Result<Options> {
    Ok(Options {
        cargo: CargoOptions {
            program: std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from),
            ..CargoOptions::default()
        },
        request: Request { reach: Reach::Named, profile: "release".into(), epoch: epoch()?, ..Request::default() },
        compile: CompileOptions::default(),
        bin_dir: None,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        cache_size: CACHE_SIZE,
        signer: None,
        provenance: false,
    })
}

impl ScopeArgs {
    pub fn give(self, options: &mut Options) -> anyhow::Result<()> {
        let Self { package, variant, output, registry, target } = self;
        package.give(options);
        variant.give(options);
        output.give(options)?;
        registry.give(options);
        target.give(options);
        Ok(())
    }
}

impl PlanArgs {
    /// Adds what the flags say; `profile` is the one without a flag.
    pub fn give(self, profile: &str, options: &mut Options) -> anyhow::Result<()> {
        let Self { scope, profile: typed, cargo } = self;
        scope.give(options)?;
        typed.give(profile, options);
        cargo.give(options);
        Ok(())
    }
}

impl CompileArgs {
    /// The options with what the flags say; `profile` is the one without a flag.
    pub fn options(self, profile: &str) -> anyhow::Result<Options> {
        let Self { plan, builder, feature } = self;
        let mut options = defaults()?;
        plan.give(profile, &mut options)?;
        builder.give(&mut options);
        feature.give(&mut options);
        Ok(options)
    }
}

impl ImageArgs {
    /// Adds what the flags say.
    pub fn give(self, options: &mut Options) {
        let Self { version, engine, compression } = self;
        version.give(options);
        engine.give(options);
        compression.give(options);
    }
}

impl BuiltArgs {
    /// Adds what the flags say.
    pub fn give(self, options: &mut Options) -> anyhow::Result<()> {
        let Self { variant, version, output, target, workspace } = self;
        variant.give(options);
        version.give(options);
        output.give(options)?;
        target.give(options);
        workspace.give(options);
        Ok(())
    }
}

impl AppArgs {
    /// The options with what the flags say.
    pub fn options(self) -> anyhow::Result<Options> {
        let Self { variant, target, manifest, config } = self;
        let mut options = defaults()?;
        variant.give(&mut options);
        target.give(&mut options);
        manifest.give(&mut options);
        config.give(&mut options);
        Ok(options)
    }
}

impl CargoArgs {
    /// Adds what the flags say.
    pub fn give(self, options: &mut Options) {
        let Self { workspace, lock } = self;
        workspace.give(options);
        lock.give(options);
    }
}

impl WorkspaceArgs {
    /// Adds what the flags say.
    pub fn give(self, options: &mut Options) {
        let Self { manifest, target_dir, config } = self;
        manifest.give(options);
        target_dir.give(options);
        config.give(options);
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
