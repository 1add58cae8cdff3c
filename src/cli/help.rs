//! The end of each verb's `--help`: examples, and how it works.

pub const INSPECT: &str = "Examples:
  cargo appbundle inspect target/appbundle/com.example.app-1.0.0.auterionos
  docker save app:1 -o app.tar && cargo appbundle inspect app.tar --json";

#[cfg(feature = "engine")]
pub const LOAD: &str = "Examples:
  cargo appbundle load                                   load the last build
  cargo appbundle load app-1.0.0.auterionos              load any bundle, also one that another tool made
  DOCKER_HOST=unix:///run/podman/podman.sock cargo appbundle load    load into podman

Images and layers that the engine already has are not sent. Podman, and Docker with the containerd image store, accept only whole
images. The engine is the one in DOCKER_HOST, in Docker's current context, or at the default sockets of Docker and podman.";

#[cfg(feature = "engine")]
pub const RUN: &str = "Examples:
  cargo appbundle run                                    build the workspace and run it
  cargo appbundle run --target x86_64-unknown-linux-gnu  build for this machine's processor, without emulation
  cargo appbundle run -p gallery-service                 run one service and its dependencies
  cargo appbundle run app-1.0.0.auterionos               run a bundle

Services start in `depends-on` order. Each waits until the ones before it are healthy; a service without a `healthcheck` is healthy
once it runs. Services reach each other by name in a network of their own. Ctrl-C stops them in reverse order and removes containers
and network; a second Ctrl-C kills them. Named volumes stay, as `APP_VOLUME`. If a service fails, all stop and the exit code is 1.";

pub const PUSH: &str = "Examples:
  cargo appbundle push --repo ghcr.io/example/gallery      push the last build as PREFIX/SERVICE:VERSION
  cargo appbundle push app.oci.tar --repo localhost:5000/test
  cargo appbundle push --repo ghcr.io/example/gallery --json | jq -r '.[].digest'

Dockerfile services are built by the engine, with `--env`, and pushed too. Credentials come from `docker login` and `podman login`.
Blobs that the registry has are not sent again, so an interrupted push continues where it stopped.";

pub const EXPLAIN: &str = "Examples:
  cargo appbundle explain                        list all codes
  cargo appbundle explain base-glibc             explain one of them";

pub const UPDATE: &str = "Examples:
  cargo appbundle update                         update every base image of the workspace
  cargo appbundle update debian:bookworm-slim    update one of them

Until then, every build uses the images that `appbundle.lock` pins.";

pub const BUILD: &str = "Examples:
  cargo appbundle build                          build every service of the workspace
  cargo appbundle build -p gallery-service       build one of them
  cargo appbundle build --format docker          write an archive for `docker load`
  cargo appbundle build --compression best       write the smallest bundle, for a release
  cargo appbundle build --engine docker          build the images with Docker or podman
  cargo appbundle build --no-compile --bin-dir out/   pack executables that were built elsewhere

Exit codes: 0 success, 1 failure, 2 wrong usage, 101 compilation failed.";

#[cfg(feature = "engine")]
pub const DEV: &str = "Examples:
  cargo appbundle dev                       build and run all services, and follow their sources
  cargo appbundle dev -p gallery-service    one service and its dependencies
  cargo appbundle dev --release             with optimisations

Services are compiled for this machine with `cargo build`. Each runs in a container with a port of its own, ENV=dev, its executable
mounted, and its package's directory mounted at /usr/src/app. After a source file changes, one incremental `cargo build` runs, and
the services whose executables changed restart. If the build fails, the old versions keep running.

Databases and other dependencies run too:

  [package.metadata.service.dev.dependencies.db]
  image = \"postgres:16\"
  environment = { POSTGRES_PASSWORD = \"secret\" }
  ports = [5432]

The service then gets DB_HOST, DB_PORT and DB_ADDRESS. A service without a `dev` table uses its `test` table. Ctrl-C stops and
removes everything except named volumes.";

#[cfg(feature = "engine")]
pub const TEST: &str = "Examples:
  cargo appbundle test                          test all services that have a `test` table
  cargo appbundle test store                    test one of them
  cargo appbundle test store -- --test queries -- --nocapture

The service's Cargo.toml lists what only its tests need:

  [package.metadata.service.test]
  environment = { DATABASE_URL = \"postgres://postgres:secret@${db.address}/postgres\" }

  [package.metadata.service.test.dependencies.db]
  image = \"postgres:16\"
  environment = { POSTGRES_PASSWORD = \"secret\" }
  ports = [5432]
  healthcheck = { command = [\"pg_isready\", \"-U\", \"postgres\"] }
  wait = 30

Each dependency runs in a container, at free ports of 127.0.0.1, so that test runs do not collide. Tests find it through DB_HOST,
DB_PORT and DB_ADDRESS, or through placeholders in `environment`. Its output is shown if the tests fail. It is removed in any case;
the next `test`, `dev` or `run` removes what a killed run left.

Exit codes: that of `cargo test` (101 if tests failed), 1 if a dependency does not become ready, 130 after Ctrl-C.";

pub const COMPLETIONS: &str = "Examples:
  source <(cargo appbundle completions bash)     in ~/.bashrc
  cargo appbundle completions zsh > ~/.zfunc/_cargo-appbundle     a folder of fpath
  cargo appbundle completions fish > ~/.config/fish/conf.d/cargo-appbundle.fish

All scripts complete `cargo-appbundle`. The bash and fish scripts complete `cargo appbundle` as well; in zsh, Cargo's own completion
does that.";

/// Cargo's colours.
pub fn styles() -> clap::builder::Styles {
    use anstyle::AnsiColor::{BrightCyan, BrightGreen};
    clap::builder::Styles::styled()
        .header(BrightGreen.on_default().bold())
        .usage(BrightGreen.on_default().bold())
        .literal(BrightCyan.on_default().bold())
        .placeholder(anstyle::AnsiColor::Cyan.on_default())
}
