//! Flags of `generate`, `deploy` and other verbs that deploy.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::{ScopeArgs, WorkspaceArgs, defaults};
use super::flags::{OfflineArgs, VersionArgs};
use super::signing::SignArgs;
use super::values::DestinationArg;
use crate::app::Destination;
use crate::commands::deploy::DeployOptions;
use crate::commands::generate::GenerateOptions;
use crate::commands::push::PushOptions;
use crate::commands::{self, Options};
use crate::shell::Shell;

#[derive(Args)]
pub struct GenerateArgs {
    /// Write deployment files for this destination; repeat it for several
    #[arg(long = "for", value_name = "DESTINATION", value_delimiter = ',')]
    destinations: Vec<DestinationArg>,
    /// Repository prefix of pushed images, as given to `push --repo`
    #[arg(long, alias = "image-prefix", value_name = "PREFIX", requires = "destinations")]
    repo: Option<String>,
    #[command(flatten)]
    env: EnvArgs,
}

/// Flags for services that are built from Dockerfiles.
#[derive(Args, Default)]
pub struct EnvArgs {
    /// Build argument for all Dockerfile services; repeat it for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub env: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() { Err("write NAME=VALUE".into()) } else { Ok((name.to_owned(), value.to_owned())) }
}

#[derive(Args)]
pub struct DeployArgs {
    /// Destination
    #[arg(long = "to", value_name = "DESTINATION", value_enum)]
    to: DeployToArg,
    /// Repository prefix of pushed images, as given to `push --repo`
    #[arg(long, alias = "image-prefix", value_name = "PREFIX")]
    repo: Option<String>,
    #[command(flatten)]
    env: EnvArgs,
    /// Context in the kubeconfig [default: the current one]
    #[arg(long, value_name = "NAME", help_heading = "Kubernetes")]
    context: Option<String>,
    /// Namespace [default: that of the context]
    #[arg(long, value_name = "NAME", help_heading = "Kubernetes")]
    namespace: Option<String>,
    /// Seconds to wait for each service to start
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
    /// Leave an update that failed as it is, instead of returning to the last version
    #[cfg(feature = "engine")]
    #[arg(long, help_heading = "Docker Swarm")]
    no_rollback: bool,
}

#[derive(Args)]
pub struct PushArgs {
    /// Bundles to push [default: the last build]
    #[arg(value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// Repository prefix, as HOST/PATH; each image becomes PREFIX/SERVICE:VERSION
    #[arg(long, value_name = "PREFIX")]
    repo: String,
    #[command(flatten)]
    env: EnvArgs,
    /// Attach a bill of materials (SBOM) to each image in the registry
    #[arg(long)]
    sbom: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    version: VersionArgs,
    #[command(flatten)]
    workspace: WorkspaceArgs,
    #[command(flatten)]
    network: OfflineArgs,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum DeployToArg {
    /// A cluster, through kubectl
    Kubernetes,
    /// The local engine's Docker Swarm
    #[cfg(feature = "engine")]
    Swarm,
}

pub const GENERATE_HELP: &str = "Examples:
  cargo appbundle generate              write the files beside a bundle
  cargo appbundle generate --check      fail if one of the files is out of date
  cargo appbundle generate --for dev    write a compose file for development
  cargo appbundle generate --for compose --for swarm
  cargo appbundle generate --for kubernetes --repo ghcr.io/example/gallery

The files are generated from the tables in the manifests. If a destination has no equivalent for a key, a note says so.

The file of `--for dev` mounts the executables that `cargo build` writes with the same `--profile` and `--target`.";

pub const DEPLOY_HELP: &str = "Examples:
  cargo appbundle push --repo ghcr.io/example/gallery
  cargo appbundle deploy --to kubernetes --repo ghcr.io/example/gallery
  cargo appbundle deploy --to swarm --target x86_64-unknown-linux-gnu
  cargo appbundle deploy --to swarm --repo ghcr.io/example/gallery
  cargo appbundle deploy --to swarm --env VERSION=2    set a build argument

Swarm: the networks are created first, then the inner stacks, then the services in `depends-on` order. Each service waits until all \
replicas of the services it depends on are running. Deploying again updates what changed and removes what the manifests no longer \
contain. If an update fails, the last output of the new replica is shown, and all services return to their last version; \
`--no-rollback` leaves them as they are. A swarm of several nodes needs pushed images. `status` shows the services, and `remove` \
removes them. `docker swarm init` turns this machine into a swarm.

Kubernetes: `kubectl apply -k` applies the files of `generate --for kubernetes`, then `kubectl rollout status` waits for each \
service. Create the secrets first.";

#[cfg(feature = "engine")]
pub const REMOVE_HELP: &str = "Services stop in reverse order, then the inner stacks, and then the networks are removed. Named volumes \
and secrets are kept; list them with `docker volume ls` and `docker secret ls`.";

/// Runs `generate`.
pub fn generate(deployment: GenerateArgs, mut options: Options, check: bool, shell: &Shell) -> anyhow::Result<()> {
    let GenerateArgs { destinations, repo, env: EnvArgs { env } } = deployment;
    (options.request.repo, options.request.env) = (repo, env);
    options.request.destinations = destinations.into_iter().map(DestinationArg::destination).collect();
    options.request.destinations.sort();
    options.request.destinations.dedup();
    let generate = GenerateOptions { check, profile: options.request.profile.clone() };
    commands::generate::run(&options, &generate, shell)
}

/// Runs `deploy`.
pub fn deploy(deployment: DeployArgs, mut options: Options, shell: &Shell) -> anyhow::Result<()> {
    let DeployArgs {
        to,
        repo,
        env: EnvArgs { env },
        context,
        namespace,
        timeout,
        #[cfg(feature = "engine")]
        no_rollback,
    } = deployment;
    (options.request.repo, options.request.env) = (repo, env);
    #[cfg(feature = "engine")]
    if matches!(to, DeployToArg::Swarm) {
        options.request.destinations = vec![Destination::Stacks];
        return crate::swarm::deploy(&options, std::time::Duration::from_secs(timeout), !no_rollback, shell);
    }
    let _ = to;
    options.request.destinations = vec![Destination::Kubernetes];
    commands::deploy::run(&options, &DeployOptions { context, namespace, timeout }, shell)
}

/// Runs `push`.
pub fn push(push: PushArgs, shell: &Shell) -> anyhow::Result<()> {
    let PushArgs { bundles, repo, env, sbom, json, scope, version, workspace, network, sign } = push;
    let mut options = defaults()?;
    scope.give(&mut options)?;
    version.give(&mut options);
    workspace.give(&mut options);
    network.give(&mut options);
    options.request.env = env.env;
    options.signer = sign.signer()?.map(|signer| signer.signer(shell)).transpose()?;
    let offline = options.cargo.offline;
    commands::push::run(&PushOptions { bundles, prefix: repo, sbom, json, offline }, &options, shell)
}
