//! Flags that verbs share, in groups as small as the verbs take them. A verb lists a group only if it obeys all of its flags.

use std::path::PathBuf;

use clap::Args;

use super::values::{EngineArg, FormatArg, LevelArg};
use crate::commands::Options;

/// Which services.
#[derive(Args)]
pub struct PackageArgs {
    /// Service or package to work on [default: all services]
    #[arg(short, long = "package", value_name = "SPEC", help_heading = "Package selection")]
    packages: Vec<String>,
}

/// Which variant of the app.
#[derive(Args)]
pub struct VariantArgs {
    /// Variant of the app, from the table `variants`
    #[arg(long, value_name = "NAME", help_heading = "Package selection")]
    variant: Option<String>,
}

/// What is written.
#[derive(Args)]
pub struct FormatArgs {
    /// Bundle formats to write, separated by commas
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',', help_heading = "Output")]
    formats: Vec<FormatArg>,
}

/// What makes images.
#[derive(Args)]
pub struct EngineArgs {
    /// Image builder
    #[arg(long, value_name = "ENGINE", help_heading = "Output")]
    engine: Option<EngineArg>,
}

/// How layers are packed.
#[derive(Args)]
pub struct CompressionArgs {
    /// Compression level
    #[arg(long, value_name = "LEVEL", help_heading = "Output")]
    compression: Option<LevelArg>,
}

/// The app's version, a part of the names of images and files.
#[derive(Args)]
pub struct VersionArgs {
    /// App version, instead of the one in the manifests
    #[arg(long, value_name = "VERSION", help_heading = "Output")]
    app_version: Option<String>,
}

/// Where outputs are.
#[derive(Args)]
pub struct OutputArgs {
    /// Output directory [default: `appbundle` in the target directory]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out_dir: Option<PathBuf>,
}

/// How registries are reached.
#[derive(Args)]
pub struct RegistryArgs {
    /// Registry to reach over plain HTTP, as HOST or HOST:PORT
    #[arg(long, value_name = "HOST", help_heading = "Registries")]
    insecure_registry: Vec<String>,
}

/// Which workspace.
#[derive(Args)]
pub struct ManifestArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Cargo")]
    manifest_path: Option<PathBuf>,
}

/// Cargo's configuration.
#[derive(Args)]
pub struct ConfigArgs {
    /// Override a Cargo configuration value
    #[arg(long, value_name = "KEY=VALUE|PATH", help_heading = "Cargo")]
    config: Vec<String>,
}

/// Where Cargo builds.
#[derive(Args)]
pub struct TargetDirArgs {
    /// Directory for all generated artifacts
    #[arg(long, value_name = "DIR", help_heading = "Cargo")]
    target_dir: Option<PathBuf>,
}

/// What may change, and whether the network may be used.
#[derive(Args)]
pub struct LockArgs {
    /// Fail if `Cargo.lock` or `appbundle.lock` would change
    #[arg(long, help_heading = "Cargo")]
    locked: bool,
    /// Equivalent to both --locked and --offline
    #[arg(long, help_heading = "Cargo")]
    frozen: bool,
    #[command(flatten)]
    network: OfflineArgs,
}

/// Whether the network may be used.
#[derive(Args)]
pub struct OfflineArgs {
    /// Run without accessing the network
    #[arg(long, help_heading = "Cargo")]
    offline: bool,
}

impl PackageArgs {
    pub fn give(self, options: &mut Options) {
        let Self { packages } = self;
        options.request.packages = packages;
    }
}

impl VariantArgs {
    pub fn give(self, options: &mut Options) {
        let Self { variant } = self;
        options.request.variant = variant;
    }
}

impl FormatArgs {
    pub fn give(self, options: &mut Options) {
        let Self { formats } = self;
        options.request.formats = formats.into_iter().map(FormatArg::format).collect();
    }
}

impl EngineArgs {
    pub fn give(self, options: &mut Options) {
        let Self { engine } = self;
        options.request.engine = engine.map(EngineArg::engine);
    }
}

impl CompressionArgs {
    pub fn give(self, options: &mut Options) {
        let Self { compression } = self;
        options.request.compression = compression.map(LevelArg::level);
    }
}

impl VersionArgs {
    pub fn give(self, options: &mut Options) {
        let Self { app_version } = self;
        options.request.version = app_version;
    }
}

impl OutputArgs {
    pub fn give(self, options: &mut Options) -> anyhow::Result<()> {
        let Self { out_dir } = self;
        options.request.output = out_dir.map(std::path::absolute).transpose()?;
        Ok(())
    }
}

impl RegistryArgs {
    pub fn give(self, options: &mut Options) {
        let Self { insecure_registry } = self;
        options.request.insecure_registries = insecure_registry;
    }
}

impl ManifestArgs {
    pub fn give(self, options: &mut Options) {
        let Self { manifest_path } = self;
        options.cargo.manifest_path = manifest_path;
    }
}

impl ConfigArgs {
    pub fn give(self, options: &mut Options) {
        let Self { config } = self;
        options.cargo.config = config;
    }
}

impl TargetDirArgs {
    pub fn give(self, options: &mut Options) {
        let Self { target_dir } = self;
        options.cargo.target_dir = target_dir;
    }
}

impl LockArgs {
    pub fn give(self, options: &mut Options) {
        let Self { locked, frozen, network } = self;
        (options.cargo.locked, options.cargo.frozen) = (locked, frozen);
        network.give(options);
    }
}

impl OfflineArgs {
    pub fn give(self, options: &mut Options) {
        let Self { offline } = self;
        options.cargo.offline = offline;
    }
}
