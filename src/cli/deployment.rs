//! What is typed to deploy an app.

use clap::{Args, ValueEnum};

use super::args::{CompileArgs, DestinationArg, PlanArgs, options};
use crate::app::Destination;
use crate::commands;
use crate::commands::deploy::DeployOptions;
use crate::commands::generate::GenerateOptions;
use crate::shell::Shell;

#[derive(Args)]
pub struct GenerateArgs {
    /// Write what is needed to deploy there, instead; can be given several times
    #[arg(long = "for", value_name = "DESTINATION", value_delimiter = ',')]
    destinations: Vec<DestinationArg>,
    /// For compose, swarm and kubernetes: the registry that has the images, as `push --repo` was given it
    #[arg(long, value_name = "PREFIX", requires = "destinations")]
    image_prefix: Option<String>,
}

#[derive(Args)]
pub struct DeployArgs {
    /// Where to
    #[arg(long = "to", value_name = "DESTINATION", value_enum)]
    to: DeployToArg,
    /// The registry that has the images, as `push --repo` was given it
    #[arg(long, value_name = "PREFIX")]
    image_prefix: Option<String>,
    /// The context of the kubeconfig; default: the current one
    #[arg(long, value_name = "NAME", help_heading = "Kubernetes")]
    context: Option<String>,
    /// The namespace; default: the context's
    #[arg(long, value_name = "NAME", help_heading = "Kubernetes")]
    namespace: Option<String>,
    /// Seconds that each service may take until it runs
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum DeployToArg {
    /// A cluster that kubectl reaches
    Kubernetes,
}

pub const GENERATE_HELP: &str = "Examples:
  cargo appbundle generate                              what `build` writes beside the bundle
  cargo appbundle generate --check                      fail if one of these files is not as it would be written
  cargo appbundle generate --for compose --for swarm    to deploy with docker-compose, and with docker stack
  cargo appbundle generate --for kubernetes --image-prefix ghcr.io/example/gallery

With --for, all is made of the same tables in the manifests. What a destination cannot say is printed as a note.";

pub const DEPLOY_HELP: &str = "Examples:
  cargo appbundle push --repo ghcr.io/example/gallery
  cargo appbundle deploy --to kubernetes --image-prefix ghcr.io/example/gallery --namespace photos

Applies what `generate --for kubernetes` writes, with `kubectl apply -k`, and waits until each service of the app runs, with
`kubectl rollout status`. Secrets are not made: they have to be there.";

pub fn generate(deployment: GenerateArgs, plan: PlanArgs, check: bool, shell: &Shell) -> anyhow::Result<()> {
    let mut options = options(plan, CompileArgs::default())?;
    options.request.destinations = deployment.destinations.into_iter().map(DestinationArg::destination).collect();
    options.request.destinations.sort();
    options.request.destinations.dedup();
    let generate = GenerateOptions { check, image_prefix: deployment.image_prefix };
    commands::generate::run(&options, &generate, shell)
}

pub fn deploy(deployment: DeployArgs, plan: PlanArgs, shell: &Shell) -> anyhow::Result<()> {
    let mut options = options(plan, CompileArgs::default())?;
    let DeployArgs { to: DeployToArg::Kubernetes, image_prefix, context, namespace, timeout } = deployment;
    options.request.destinations = vec![Destination::Kubernetes];
    commands::deploy::run(&options, &DeployOptions { image_prefix, context, namespace, timeout }, shell)
}
