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
    #[command(flatten)]
    stack: StackArgs,
}

/// What is typed of stacks.
#[derive(Args, Default)]
pub struct StackArgs {
    /// HOST/PATH of the registry from which the swarm gets the images, as `push --repo` put them there
    #[arg(long, value_name = "PREFIX")]
    pub repo: Option<String>,
    #[command(flatten)]
    pub env: EnvArgs,
}

/// What is typed for the services that Dockerfiles make.
#[derive(Args, Default)]
pub struct EnvArgs {
    /// A variable for every service of a stack that a Dockerfile makes: the value of an `ARG`; can be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub env: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() { Err("write NAME=VALUE".into()) } else { Ok((name.to_owned(), value.to_owned())) }
}

#[derive(Args)]
pub struct DeployArgs {
    /// Where to
    #[arg(long = "to", value_name = "DESTINATION", value_enum)]
    to: DeployToArg,
    /// The registry that has the images, as `push --repo` was given it
    #[arg(long, value_name = "PREFIX", help_heading = "Kubernetes")]
    image_prefix: Option<String>,
    #[command(flatten)]
    stack: StackArgs,
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
    /// The Docker Swarm that the engine is in
    #[cfg(feature = "engine")]
    Swarm,
}

pub const GENERATE_HELP: &str = "Examples:
  cargo appbundle generate                              what `build` writes beside the bundle
  cargo appbundle generate --check                      fail if one of these files is not as it would be written
  cargo appbundle generate --for compose --for swarm    to deploy with docker-compose, and with docker stack
  cargo appbundle generate --for kubernetes --image-prefix ghcr.io/example/gallery
  cargo appbundle generate --for dev                    to develop with docker-compose and a bare `cargo build`

With --for, all is made of the same tables in the manifests. What a destination cannot say is printed as a note. For dev, the executables
are those that `cargo build` makes with the same --profile and --target.";

pub const DEPLOY_HELP: &str = "Examples:
  cargo appbundle push --repo ghcr.io/example/gallery
  cargo appbundle deploy --to kubernetes --image-prefix ghcr.io/example/gallery --namespace photos
  cargo appbundle deploy --to swarm --target x86_64-unknown-linux-gnu    build the images, load them, bring all stacks up
  cargo appbundle deploy --to swarm --repo ghcr.io/example/gallery       with pushed images, for several nodes
  cargo appbundle deploy --to swarm --env VERSION=2                      an `ARG` of every service that a Dockerfile makes

To a swarm (`docker swarm init` makes one of this machine): for each stack its networks, then the stacks in it, then its services in
the order of `depends-on`, each once all replicas of those before it run. A second deploy changes what is different, and removes what
is no longer in the manifests. `status` shows what runs, `remove` takes it down.

To a cluster: applies what `generate --for kubernetes` writes, with `kubectl apply -k`, and waits until each service of the app runs, with
`kubectl rollout status`. Secrets are not made: they have to be there.";

#[cfg(feature = "engine")]
pub const REMOVE_HELP: &str =
    "The services of each stack end in reverse order, then the stacks in it, then its networks go. Named
volumes and secrets stay: `docker volume ls`, `docker secret ls`.";

pub fn generate(deployment: GenerateArgs, plan: PlanArgs, check: bool, shell: &Shell) -> anyhow::Result<()> {
    let profile = plan.profile.clone().unwrap_or_else(|| if plan.release { "release" } else { "dev" }.into());
    let mut options = options(plan, CompileArgs::default())?;
    (options.request.repo, options.request.env) = (deployment.stack.repo, deployment.stack.env.env);
    options.request.destinations = deployment.destinations.into_iter().map(DestinationArg::destination).collect();
    options.request.destinations.sort();
    options.request.destinations.dedup();
    let generate = GenerateOptions { check, image_prefix: deployment.image_prefix, profile };
    commands::generate::run(&options, &generate, shell)
}

pub fn deploy(deployment: DeployArgs, plan: PlanArgs, compile: CompileArgs, shell: &Shell) -> anyhow::Result<()> {
    let mut options = options(plan, compile)?;
    let DeployArgs { to, image_prefix, stack, context, namespace, timeout } = deployment;
    #[cfg(feature = "engine")]
    if matches!(to, DeployToArg::Swarm) {
        (options.request.repo, options.request.env) = (stack.repo, stack.env.env);
        options.request.destinations = vec![Destination::Stacks];
        return crate::swarm::deploy(&options, std::time::Duration::from_secs(timeout), shell);
    }
    let _ = (to, stack);
    options.request.destinations = vec![Destination::Kubernetes];
    commands::deploy::run(&options, &DeployOptions { image_prefix, context, namespace, timeout }, shell)
}
