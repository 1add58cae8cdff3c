//! Examples, and what is good to know, at the end of each verb's `--help`.

pub const INSPECT: &str = "Examples:
  cargo appbundle inspect target/appbundle/com.example.app-1.0.0.auterionos
  docker save app:1 -o app.tar && cargo appbundle inspect app.tar --json";

#[cfg(feature = "engine")]
pub const LOAD: &str = "Examples:
  cargo appbundle load                                   what the last build in this workspace wrote
  cargo appbundle load app-1.0.0.auterionos              any bundle, also another tool's archive
  DOCKER_HOST=unix:///run/podman/podman.sock cargo appbundle load    into podman

An image that the engine has is not sent; of the others, Docker is sent the layers that it lacks. Podman, and Docker with
containerd's image store, take whole images only. The engine is looked for at DOCKER_HOST, docker's current context, and the
usual sockets of Docker and podman.";

#[cfg(feature = "engine")]
pub const RUN: &str = "Examples:
  cargo appbundle run                                    build the workspace and run it
  cargo appbundle run --target x86_64-unknown-linux-gnu  for this machine's processor, so that nothing is emulated
  cargo appbundle run -p gallery-service                 that service and all that it depends on
  cargo appbundle run app-1.0.0.auterionos               what is in a bundle

Services start in the order of `depends-on`, each once those before it are well: its `healthcheck` answers, or it runs and has
none. They find one another by name in a network of their own. Ctrl-C stops them in reverse order and removes containers and
network; a second Ctrl-C kills them. Named volumes stay, as `APP_VOLUME`. A service that fails stops all: exit code 1.";

pub const PUSH: &str = "Examples:
  cargo appbundle push --repo ghcr.io/example/gallery      each service of the last build: PREFIX/SERVICE:VERSION
  cargo appbundle push app.oci.tar --repo localhost:5000/test
  cargo appbundle push --repo ghcr.io/example/gallery --json | jq -r '.[].digest'

Services of stacks that Dockerfiles make are built by the engine, with `--env`, and pushed as well.
Credentials are those of `docker login` and `podman login`. What the registry has is not sent again, so an
interrupted push goes on where it was.";

pub const EXPLAIN: &str = "Examples:
  cargo appbundle explain                        all codes, a line each
  cargo appbundle explain base-glibc             one of them";

pub const UPDATE: &str = "Examples:
  cargo appbundle update                         every base image of the workspace
  cargo appbundle update debian:bookworm-slim    one of them

Until then, every build takes the images that `appbundle.lock` names.";

pub const BUILD: &str = "Examples:
  cargo appbundle build                          every service of the workspace, optimised
  cargo appbundle build -p gallery-service       one of them
  cargo appbundle build --format docker          an archive for `docker load`
  cargo appbundle build --compression best       as small as it gets, for a release
  cargo appbundle build --engine docker          images made by Docker or podman of the generated Dockerfiles
  cargo appbundle build --no-compile --bin-dir out/   pack what was built elsewhere

Exit codes: 0 done, 1 failed, 2 wrong usage, 101 the compiler failed.";

#[cfg(feature = "engine")]
pub const DEV: &str = "Examples:
  cargo appbundle dev                       build, run, and follow the sources of all services
  cargo appbundle dev -p gallery-service    that service and all that it depends on
  cargo appbundle dev --release             as fast as the device will be

Services are compiled for this machine, as `cargo build` does it. Each runs in a container with its executable and, at
/usr/src/app, its package's folder mounted, with ENV=dev, and at a port of its own. After every change of a source file, one
incremental `cargo build` runs, and the services whose executables it changed start again. When it fails, the old ones go on.

What a service needs beside the app runs too:
  [package.metadata.service.dev.dependencies.db]
  image = \"postgres:16\"
  environment = { POSTGRES_PASSWORD = \"secret\" }
  ports = [5432]
and the service gets DB_HOST, DB_PORT and DB_ADDRESS. Without a table `dev`, that of `test` counts. Ctrl-C stops and removes all
but named volumes.";

#[cfg(feature = "engine")]
pub const TEST: &str = "Examples:
  cargo appbundle test                          all services that have a table `test`
  cargo appbundle test store                    one of them
  cargo appbundle test store -- --test queries -- --nocapture

What only the tests of a service need stands in its Cargo.toml:
  [package.metadata.service.test]
  environment = { DATABASE_URL = \"postgres://postgres:secret@${db.address}/postgres\" }
  [package.metadata.service.test.dependencies.db]
  image = \"postgres:16\"
  environment = { POSTGRES_PASSWORD = \"secret\" }
  ports = [5432]
  healthcheck = { command = [\"pg_isready\", \"-U\", \"postgres\"] }
  wait = 30

Each dependency runs in a container of its own at free ports of 127.0.0.1, so that several test runs do not meet. Tests find it by
DB_HOST, DB_PORT and DB_ADDRESS, or by placeholders in `environment`. What it wrote is shown when tests fail. It is removed in any
case; what a killed run leaves, the next `test`, `dev` or `run` removes.

Exit codes: that of `cargo test` (101 for failed tests), 1 when a dependency does not become ready, 130 after Ctrl-C.";

/// Cargo's colours.
pub fn styles() -> clap::builder::Styles {
    use anstyle::AnsiColor::{BrightCyan, BrightGreen};
    clap::builder::Styles::styled()
        .header(BrightGreen.on_default().bold())
        .usage(BrightGreen.on_default().bold())
        .literal(BrightCyan.on_default().bold())
        .placeholder(anstyle::AnsiColor::Cyan.on_default())
}
