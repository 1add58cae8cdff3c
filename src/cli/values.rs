//! Flags whose value is one of a fixed set of words.

use clap::ValueEnum;

use crate::app::Destination;
use crate::archive::gzip::Level;
use crate::commands::ci::CiProvider;
use crate::commands::sbom::SbomFormat;
use crate::plan::{Builder, Engine, Format};
use crate::scaffold::ServiceTemplate;

#[derive(Clone, Copy, ValueEnum)]
pub enum BuilderArg {
    /// Cargo, with this machine's cross linker
    Cargo,
    /// `cross`, in a container with the target's C toolchain
    Cross,
    /// `cargo zigbuild`; the target may name a glibc version, as in aarch64-unknown-linux-gnu.2.28
    Zigbuild,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum FormatArg {
    /// App file for AuterionOS devices
    Auterionos,
    /// Archive for `docker load` and `podman load`
    Docker,
    /// OCI image layout, as an archive
    Oci,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub enum SbomFormatArg {
    /// CycloneDX 1.6, as JSON
    #[default]
    Cyclonedx,
    /// SPDX 2.3, as JSON
    Spdx,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum DestinationArg {
    /// `docker compose` and `docker-compose`: compose/APP/docker-compose.yml
    Compose,
    /// `docker stack deploy`: swarm/docker-stack.yml
    Swarm,
    /// `docker stack deploy`, one file per stack, with gateways: stacks/*.yml
    Stacks,
    /// Development with plain compose, sources and executables mounted: dev/APP-dev/docker-compose.dev.yml
    Dev,
    /// `kubectl apply -k`: kubernetes/
    Kubernetes,
    /// An AuterionOS device: auterionos/app.yml and auterionos/auterion-app.yml
    Auterionos,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum EngineArg {
    /// Built in; needs no container engine
    Native,
    /// Docker or podman, from the generated Dockerfiles
    Docker,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum LevelArg {
    /// Fastest
    Fast,
    /// Balanced
    Default,
    /// Smallest
    Best,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum TemplateArg {
    /// HTTP server
    Http,
    /// Background worker that runs at intervals
    Worker,
    /// Program that runs once and exits
    Cli,
    /// Controller of a stack: deploys it, reports its state, removes it on exit; name it STACK-stack
    Stack,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CiArg {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

impl FormatArg {
    pub fn format(self) -> Format {
        match self {
            Self::Auterionos => Format::Auterionos,
            Self::Docker => Format::Docker,
            Self::Oci => Format::Oci,
        }
    }
}

impl SbomFormatArg {
    pub fn format(self) -> SbomFormat {
        match self {
            Self::Cyclonedx => SbomFormat::CycloneDx,
            Self::Spdx => SbomFormat::Spdx,
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
    pub fn builder(self) -> Builder {
        match self {
            Self::Cargo => Builder::Cargo,
            Self::Cross => Builder::Cross,
            Self::Zigbuild => Builder::Zigbuild,
        }
    }
}

impl EngineArg {
    pub fn engine(self) -> Engine {
        match self {
            Self::Native => Engine::Native,
            Self::Docker => Engine::Docker,
        }
    }
}

impl LevelArg {
    pub fn level(self) -> Level {
        match self {
            Self::Fast => Level::Fast,
            Self::Default => Level::Default,
            Self::Best => Level::Best,
        }
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
