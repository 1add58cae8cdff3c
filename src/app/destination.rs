//! Where an app is deployed to.

/// What deployment files are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// `docker-compose` and `docker compose`, on one machine.
    Compose,
    /// `docker stack deploy`.
    Swarm,
    /// `docker stack deploy`, one file for each stack.
    Stacks,
    /// The inner loop of development: compose, with sources and executables of this machine.
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
