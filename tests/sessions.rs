//! The commands of README and of the guide, typed as they are written.

#[path = "support/advisories.rs"]
mod advisories;
mod support;

use std::process::{Command, ExitCode};

use support::cluster::Cluster;
use support::harness::{self, test};
use support::needs::{arm64_cc, compose, docker, kubectl, registry};
use support::ok;
use support::session::{Start, play};

fn readme() {
    play("README.md", Start::Bare, |_| ());
}

fn first_bundle() {
    play("docs/guide/first-bundle.md", Start::Bare, |_| ());
}

fn services() {
    play("docs/guide/services.md", Start::Tables, |_| ());
}

fn bases() {
    play("docs/guide/bases.md", Start::Tables, |_| ());
}

fn targets() {
    play("docs/guide/targets.md", Start::Tables, |_| ());
}

fn images() {
    play("docs/guide/images.md", Start::Tables, |_| ());
}

fn registries() {
    play("docs/guide/registries.md", Start::Built, |_| ());
}

fn developing() {
    play("docs/guide/developing.md", Start::Tables, |_| ());
}

fn deploying() {
    let cluster = Cluster::start(&[], &[]);
    play("docs/guide/deploying.md", Start::Built, |command| {
        cluster.known_to(command).env("TOKEN", "ours");
    });
    assert!(cluster.objects().iter().any(|path| path == "deployments/camera-control"), "{:?}", cluster.objects());
}

fn stacks() {
    play("docs/guide/stacks.md", Start::Tables, |_| ());
}

fn devices() {
    play("docs/guide/devices.md", Start::Tables, |_| ());
}

fn ci() {
    play("docs/guide/ci.md", Start::Tables, |_| ());
}

/// In a repository whose team has cloned the advisories.
fn releases() {
    play("docs/guide/releases.md", Start::Tables, |command| {
        let folder = command.get_current_dir().expect("a folder").to_owned();
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@example.com");
        }
        if !folder.join(".git").exists() {
            ok(Command::new("git").args(["init", "--quiet"]).current_dir(&folder));
            advisories::database(&folder.join("advisory-db"));
        }
    });
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(readme, [arm64_cc, docker, registry]),
        test!(first_bundle, [arm64_cc, docker]),
        test!(services, [arm64_cc]),
        test!(bases),
        test!(targets, [arm64_cc]),
        test!(images, [arm64_cc, docker]),
        test!(registries, [arm64_cc, registry]),
        test!(developing, [docker]),
        test!(deploying, [arm64_cc, docker, kubectl, compose, registry]),
        test!(stacks, [registry]),
        test!(devices, [arm64_cc]),
        test!(ci, [arm64_cc]),
        test!(releases, [arm64_cc, registry]),
    ])
}
