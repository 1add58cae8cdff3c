//! What `--help` shows after the options.

pub const INSPECT_HELP: &str = "Examples:
  cargo appbundle inspect target/appbundle/com.example.app-1.0.0.auterionos
  docker save app:1 -o app.tar && cargo appbundle inspect app.tar --json";

#[cfg(feature = "engine")]
pub const LOAD_HELP: &str = "Examples:
  cargo appbundle load                                   what the last build in this workspace wrote
  cargo appbundle load app-1.0.0.auterionos              any bundle, also another tool's archive
  DOCKER_HOST=unix:///run/podman/podman.sock cargo appbundle load    into podman

An image that the engine has is not sent; of the others, Docker is sent the layers that it lacks. Podman, and Docker with
containerd's image store, take whole images only. The engine is looked for at DOCKER_HOST, docker's current context, and the
usual sockets of Docker and podman.";

#[cfg(feature = "engine")]
pub const RUN_HELP: &str = "Examples:
  cargo appbundle run                                    build the workspace and run it
  cargo appbundle run --target x86_64-unknown-linux-gnu  for this machine's processor, so that nothing is emulated
  cargo appbundle run -p gallery-service                 that service and all that it depends on
  cargo appbundle run app-1.0.0.auterionos               what is in a bundle

Services start in the order of `depends-on`, each once those before it are well: its `healthcheck` answers, or it runs and has
none. They find one another by name in a network of their own. Ctrl-C stops them in reverse order and removes containers and
network; a second Ctrl-C kills them. Named volumes stay, as `APP_VOLUME`. A service that fails stops all: exit code 1.";
pub const PUSH_HELP: &str = "Examples:
  cargo appbundle push --repo ghcr.io/example/gallery      each service of the last build: PREFIX/SERVICE:VERSION
  cargo appbundle push app.oci.tar --repo localhost:5000/test
  cargo appbundle push --repo ghcr.io/example/gallery --json | jq -r '.[].digest'

Credentials are those of `docker login` and `podman login`. What the registry has is not sent again, so an
interrupted push goes on where it was.";

pub const UPDATE_HELP: &str = "Examples:
  cargo appbundle update                         every base image of the workspace
  cargo appbundle update debian:bookworm-slim    one of them

Until then, every build takes the images that `appbundle.lock` names.";

pub const BUILD_HELP: &str = "Examples:
  cargo appbundle build                          every service of the workspace, optimised
  cargo appbundle build -p gallery-service       one of them
  cargo appbundle build --format docker          an archive for `docker load`
  cargo appbundle build --compression best       as small as it gets, for a release
  cargo appbundle build --engine docker          images made by Docker or podman of the generated Dockerfiles
  cargo appbundle build --no-compile --bin-dir out/   pack what was built elsewhere

Exit codes: 0 done, 1 failed, 2 wrong usage, 101 the compiler failed.";
