//! The commands of README and of the guide, typed as they are written.

mod support;

use support::cluster::Cluster;
use support::session::{Start, play};
use support::{engine, tool};

fn linker() -> bool {
    tool("aarch64-linux-gnu-gcc")
}

#[test]
fn readme() {
    if linker() && engine() {
        play("README.md", Start::Bare, |_| ());
    }
}

#[test]
fn first_bundle() {
    if linker() && engine() {
        play("docs/guide/first-bundle.md", Start::Bare, |_| ());
    }
}

#[test]
fn services() {
    if linker() {
        play("docs/guide/services.md", Start::Tables, |_| ());
    }
}

#[test]
fn bases() {
    play("docs/guide/bases.md", Start::Tables, |_| ());
}

#[test]
fn targets() {
    if linker() {
        play("docs/guide/targets.md", Start::Tables, |_| ());
    }
}

#[test]
fn images() {
    if linker() && engine() {
        play("docs/guide/images.md", Start::Tables, |_| ());
    }
}

#[test]
fn registries() {
    if linker() {
        play("docs/guide/registries.md", Start::Built, |_| ());
    }
}

#[test]
fn developing() {
    if engine() {
        play("docs/guide/developing.md", Start::Tables, |_| ());
    }
}

#[test]
fn deploying() {
    if linker() && engine() && tool("kubectl") && tool("docker-compose-v2") {
        let cluster = Cluster::start(&[], &[]);
        play("docs/guide/deploying.md", Start::Built, |command| {
            cluster.known_to(command).env("TOKEN", "ours");
        });
        assert!(cluster.objects().iter().any(|path| path == "deployments/camera-control"), "{:?}", cluster.objects());
    }
}

#[test]
fn stacks() {
    play("docs/guide/stacks.md", Start::Tables, |_| ());
}

#[test]
fn devices() {
    if linker() {
        play("docs/guide/devices.md", Start::Tables, |_| ());
    }
}

#[test]
fn ci() {
    if linker() {
        play("docs/guide/ci.md", Start::Tables, |_| ());
    }
}
