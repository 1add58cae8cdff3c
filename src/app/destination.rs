//! Where an app is deployed to.

/// A destination for which files are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// `docker-compose` and `docker compose`, on one machine.
    Compose,
    /// `docker stack deploy`.
    Swarm,
    /// `docker stack deploy`, one file for each stack.
    Stacks,
    /// Development with compose: this machine's sources and executables are mounted.
    Dev,
    /// Kubernetes, plain or through kustomize.
    Kubernetes,
    /// AuterionOS.
    Auterionos,
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Compose => "compose",
            Self::Swarm => "swarm",
            Self::Stacks => "stacks",
            Self::Dev => "dev",
            Self::Kubernetes => "kubernetes",
            Self::Auterionos => "auterionos",
        })
    }
}
