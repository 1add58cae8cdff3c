//! The text at the end of each verb's `--help`: examples, and how the verb works.

pub const INSPECT: &str = "Examples:
  cargo appbundle inspect target/appbundle/com.example.app-1.0.0.auterionos
  docker save app:1 -o app.tar && cargo appbundle inspect app.tar --json";

pub const SBOM: &str = "Examples:
  cargo appbundle sbom                                     of the last build, as CycloneDX 1.6
  cargo appbundle sbom app-1.0.0.auterionos --service api  only what is in one service
  cargo appbundle sbom app-1.0.0.auterionos --format spdx -o app.spdx.json";

#[cfg(feature = "engine")]
pub const LOAD: &str = "Examples:
  cargo appbundle load                         load the last build
  cargo appbundle load app-1.0.0.auterionos    load this bundle
  DOCKER_HOST=unix:///run/podman/podman.sock cargo appbundle load

Images and layers that the engine already has are not sent again. Podman, and Docker with the containerd image store, skip only \
whole images.

The engine is the one at DOCKER_HOST. Without that variable, it is the one in Docker's current context, or else the one at \
the default socket of Docker or podman.";

#[cfg(feature = "engine")]
pub const RUN: &str = "Examples:
  cargo appbundle run                         build the workspace and run it
  cargo appbundle run -p gallery-service      one service and its dependencies
  cargo appbundle run app-1.0.0.auterionos    run this bundle
  cargo appbundle run --detach                in the background, until `stop`
  cargo appbundle run --target amd64          no emulation on x86-64 machines

Services start in `depends-on` order. Each one waits until the services it depends on are healthy. A service without a \
`healthcheck` counts as healthy once it runs. Services reach each other by name in the app's own network.

Ctrl-C stops the services, each after those that depend on it, and removes the containers and the network. A second Ctrl-C kills \
them. An init is process 1 of each container, so that programs that do not handle SIGTERM end at once; `init = false` in a service's \
table leaves it out. Named volumes \
are kept, as `APP_VOLUME`. If a service fails, all services stop and the exit code is 1.";

#[cfg(feature = "engine")]
pub const LOGS: &str = "Examples:
  cargo appbundle logs                             the output of all services
  cargo appbundle logs gallery-service --tail 20 --follow";

#[cfg(feature = "engine")]
pub const EXEC: &str = "Examples:
  cargo appbundle exec gallery-service ls -l /data
  cargo appbundle exec gallery-service sh    a shell, if the image has one

The command runs through `docker exec`, or `podman exec`, in the service's newest container. Its exit code is that of the command. \
Images of `base = \"auto\"` contain no shell.";

#[cfg(feature = "engine")]
pub const STOP: &str = "Services stop after those that depend on them, and are removed with their network. A `run` or `dev` in another \
terminal is asked to stop, as by Ctrl-C. Named volumes are kept.";

pub const PUSH: &str = "Examples:
  cargo appbundle push --repo ghcr.io/example/gallery    push the last build
  cargo appbundle push app.oci.tar --repo localhost:5000/test
  cargo appbundle push --repo ghcr.io/example/gallery --json | jq -r '.[].digest'
  cargo appbundle push --repo ghcr.io/example/gallery --sign appbundle.key

Docker or podman builds the Dockerfile services, with the build arguments of `--env`; their images are pushed too. Credentials come \
from `docker login` and `podman login`. Blobs that the registry already has are not sent again, so an interrupted push continues \
where it stopped.

With `--sign`, a signed statement about each image goes to the registry too, as a referrer of the image. `oras discover` lists it.";

pub const VERIFY: &str = "Examples:
  cargo appbundle verify app.auterionos
  cargo appbundle verify app.auterionos --key appbundle.pub
  cargo appbundle verify app.auterionos --key new.pub --key old.pub    while a key is being replaced
  cargo appbundle verify app.auterionos --rebuild    build its commit again, and compare

With `--key`, the bundle has to be signed with one of the keys. The signature of an archive of images is in `BUNDLE.intoto.jsonl` \
beside it.";

pub const SIGN: &str = "Examples:
  cargo appbundle sign app.auterionos --key appbundle.key
  cargo appbundle sign app.auterionos --key hsm.pub --with \"openssl pkeyutl -sign -inkey key.pem -pkeyopt digest:sha256\"
  cargo appbundle sign app.auterionos --print-digest
  cargo appbundle sign app.auterionos --key appbundle.pub --signature app.sig

An `.auterionos` file gets the signature that devices check, in place of any it has. Beside any bundle, the signed digests of the \
bundle and of its images are written to `BUNDLE.intoto.jsonl`, a DSSE envelope around an in-toto statement.

The program of `--with` gets a SHA-256 sum, 32 bytes, on its stdin, and writes the signature to its stdout. It runs once for each of \
the two signatures. `--print-digest` and `--signature` make only one: that of the `.auterionos` file, or with `--envelope` and for \
other bundles that of the envelope.";

pub const KEYGEN: &str = "Examples:
  cargo appbundle keygen                     write appbundle.key and appbundle.pub
  cargo appbundle keygen ~/keys/gallery.key

The keys are for ECDSA P-256, in PEM. An existing file is never replaced.";

pub const AUDIT: &str = "Examples:
  cargo appbundle audit app.auterionos                    audit a bundle
  cargo appbundle audit                                   audit the workspace before it is built
  cargo appbundle audit --db advisory-db --db debian-osv --deny high
  cargo appbundle audit --format sarif > audit.sarif      for a code host
  cargo appbundle audit --vex-init app.vex.json           begin a VEX file, then use it:
  cargo appbundle audit --vex app.vex.json

Nothing is fetched. A database is a checkout of the RustSec advisory-db, or a folder of JSON in OSV's form, as Debian publishes it. \
Crates are looked up as the executables list them, and Debian packages as dpkg's records in the images do.

Exit codes: 0 nothing to deny, 1 vulnerabilities or an error, 2 wrong usage.";

pub const EXPLAIN: &str = "Examples:
  cargo appbundle explain               list all codes
  cargo appbundle explain base-glibc    explain one of them";

pub const UPDATE: &str = "Examples:
  cargo appbundle update                         update everything
  cargo appbundle update debian:bookworm-slim    update one base image
  cargo appbundle update bookworm                update one suite's packages

Builds always use the images and packages that `appbundle.lock` pins. Only `update` replaces a pin.";

pub const VENDOR: &str = "Examples:
  cargo appbundle vendor    fill the folder that `vendor` in `base` names

An archive drops a package when a newer version replaces it. Commit the folder, and every build finds the versions that \
`appbundle.lock` pins. Packages that are no longer pinned are removed from the folder.";

pub const BUILD: &str = "Examples:
  cargo appbundle build                       build all services
  cargo appbundle build -p gallery-service    build one of them
  cargo appbundle build --format docker       write a file for `docker load`
  cargo appbundle build --compression best    write the smallest bundle
  cargo appbundle build --engine docker       let Docker build the images
  cargo appbundle build --no-compile --bin-dir out/    pack what is in `out`
  cargo appbundle build --sign appbundle.key    sign the bundle
  cargo appbundle build --provenance          say beside the bundle of which commit it is

Exit codes: 0 success, 1 failure, 2 wrong usage, 101 compilation failed.";

#[cfg(feature = "engine")]
pub const DEV: &str = "Examples:
  cargo appbundle dev                       build, run and watch all services
  cargo appbundle dev -p gallery-service    one service and its dependencies
  cargo appbundle dev --release             with optimisations

`cargo build` compiles the services for this machine. Each service runs in its own container, with its ports published on 127.0.0.1 and \
ENV=dev set. If a port is in use, the next free one is published. The executable is mounted, and so is the package's directory, read-only at /usr/src/app. When a source file changes, one \
incremental `cargo build` runs, and the services whose executables changed restart. If the build fails, the old versions keep running.

Databases and other dependencies are declared in the service's Cargo.toml and run too:

  [package.metadata.service.dev.dependencies.db]
  image = \"postgres:16\"
  environment = { POSTGRES_PASSWORD = \"secret\" }
  ports = [5432]

The service finds this one through the variables DB_HOST, DB_PORT and DB_ADDRESS. A service without a `dev` table uses its `test` \
table.

Ctrl-C stops and removes everything except named volumes.";

#[cfg(feature = "engine")]
pub const TEST: &str = "Examples:
  cargo appbundle test          test all services that have a `test` table
  cargo appbundle test store    test one of them
  cargo appbundle test store -- --test queries -- --nocapture

Containers that only the tests need are declared in the service's Cargo.toml:

  [package.metadata.service.test]
  environment = { DATABASE_URL = \"postgres://postgres:secret@${db.address}\" }

  [package.metadata.service.test.dependencies.db]
  image = \"postgres:16\"
  environment = { POSTGRES_PASSWORD = \"secret\" }
  ports = [5432]
  healthcheck = { command = [\"pg_isready\", \"-U\", \"postgres\"] }
  wait = 30

Each dependency runs in its own container and is published on free ports of 127.0.0.1, so that test runs do not collide. Tests \
find this one through the variables DB_HOST, DB_PORT and DB_ADDRESS, or through placeholders in `environment`. If the tests fail, \
the output of the dependencies is shown.

The containers are removed when the tests end. If the command is killed, the next `test`, `dev` or `run` removes them.

Exit codes: that of `cargo test` (101 if tests failed), 1 if a dependency does not become ready, 130 after Ctrl-C.";

pub const COMPLETIONS: &str = "Examples:
  source <(cargo appbundle completions bash)    add this line to ~/.bashrc
  cargo appbundle completions zsh > ~/.zfunc/_cargo-appbundle    a directory in fpath
  cargo appbundle completions fish > ~/.config/fish/conf.d/cargo-appbundle.fish

All scripts complete `cargo-appbundle`. The scripts for bash and fish also complete `cargo appbundle`; in zsh, Cargo's own \
completion does that.";

/// Cargo's colours.
pub fn styles() -> clap::builder::Styles {
    use anstyle::AnsiColor::{BrightCyan, BrightGreen};
    clap::builder::Styles::styled()
        .header(BrightGreen.on_default().bold())
        .usage(BrightGreen.on_default().bold())
        .literal(BrightCyan.on_default().bold())
        .placeholder(anstyle::AnsiColor::Cyan.on_default())
}
