//! `--engine docker`: the generated Dockerfiles, built by engines, give what the native engine gives.

mod support;

use std::path::Path;
use std::process::{Command, ExitCode};

use support::container::describe;
use support::harness::{self, test};
use support::needs::{arm64_cc, arm64_rust, docker, docker_arm64, guarded_registry, podman, registry};
use support::podman::{Podman, answer, pretender};
use support::registry::{Guard, PASSWORD, Registry, USER};
use support::running::Proxy;
use support::{Project, appbundle, fails, judge, ok, repository, run, text};

const SYSROOT: &str = "/usr/aarch64-linux-gnu/lib";

const TABLE: &str = "args = [\"--x\", \"a b\"]\nports = [\"8080\", \"53/udp\"]\nvolumes = [\"data:/data\"]\nworkdir = \"/srv\"\n\
    environment = { PLAIN = \"1\", LINES = \"one\\ntwo\", HARD = \"a \\\"b\\\" $HOME \\\\ #c 'd'\" }\nlabels = { \"org.example/x\" = \"y z\", \"org.example/lines\" = \"a\\nb\" }\n\
    files = [{ from = \"web/**\", to = \"/srv/web\" }, { from = \"conf.txt\", to = \"/etc/made.conf\" }]\n";

fn project(name: &str) -> Project {
    let project = Project::named(name, &[]);
    for service in ["alpha", "beta"] {
        project.service(service, TABLE);
        project.write(&format!("services/{service}/web/css/style.css"), "css");
        project.write(&format!("services/{service}/conf.txt"), service);
        let link = project.path().join(format!("services/{service}/web/style.css"));
        std::os::unix::fs::symlink("css/style.css", link).expect("link");
    }
    let lib = project.path().join("rootfs/lib");
    std::fs::create_dir_all(project.path().join("rootfs/etc")).expect("folder");
    std::fs::create_dir_all(&lib).expect("folder");
    for name in ["libc.so.6", "ld-linux-aarch64.so.1"] {
        std::fs::copy(Path::new(SYSROOT).join(name), lib.join(name)).expect("the cross C library");
    }
    project.write("Dockerfile.base", "FROM scratch\nCOPY rootfs /\nENV OF_BASE=yes\n");
    project.write(".dockerignore", "*\n!rootfs\n");
    project.binaries(&["alpha", "beta"]);
    project
}

fn docker_makes_what_the_native_engine_makes() {
    let project = project("byengine");
    ok(Command::new("tar")
        .args(["--owner=0", "--group=0", "-C", "rootfs", "-cf", "rootfs.tar", "."])
        .current_dir(project.path()));
    let image = "com.example.byengine.alpha:1.2.3";
    for base in ["\"auto\"", "{ rootfs = \"rootfs.tar\" }", "{ dockerfile = \"Dockerfile.base\" }", "{ archive = \"own.tar\" }"] {
        if base.contains("own.tar") {
            judge(
                "docker",
                &["save", "-o", project.path().join("own.tar").to_str().expect("path"), "com.example.byengine.base:1.2.3"],
            );
        }
        project.with_base(base);
        let mut seen = Vec::new();
        for engine in ["native", "docker"] {
            let output = run(&mut project.pack(&["--format", "docker,auterionos", "--engine", engine]));
            let said = text(&output.stderr);
            assert!(output.status.success(), "{said}");
            assert_eq!(said.contains("2 services with Docker"), engine == "docker", "{said}");
            let bundles = text(&output.stdout);
            for bundle in bundles.lines() {
                ok(&mut appbundle(project.path(), &["verify", bundle]));
            }
            let docker = bundles.lines().find(|path| path.ends_with(".docker.tar")).expect("bundle");
            judge("docker", &["load", "-i", docker]);
            assert_eq!(judge("docker", &["run", "--rm", "--platform", "linux/arm64", image]), "alpha\n");
            seen.push(describe(image));
            let said = text(&run(&mut project.pack(&["--format", "docker,auterionos", "--engine", engine])).stderr);
            assert!(said.contains("Fresh"), "{said}");
        }
        assert_eq!(seen[0].0, seen[1].0, "the config on {base}");
        assert_eq!(seen[0].1, seen[1].1, "the file system on {base}");
    }
}

/// An image whose config says all that an image can say.
const RICH: &str = "FROM scratch\nCOPY rootfs /\nENV PATH=/own/bin:/usr/bin OF_BASE=\"a b\"\nLABEL org.example.base=\"a b\"\n\
    VOLUME /kept\nEXPOSE 9000/udp\nSTOPSIGNAL SIGINT\nUSER 1234:5\nWORKDIR /deep/er\nENTRYPOINT [\"/nowhere\"]\nCMD [\"x\"]\n";

/// Builds it as `NAME:1`, and saves it as `rich.tar`.
fn rich(project: &Project, name: &str) -> String {
    project.write("Dockerfile.rich", RICH);
    let (file, folder) = (project.path().join("Dockerfile.rich"), project.path().to_str().expect("path").to_owned());
    let image = format!("{name}:1");
    let arguments = ["build", "-q", "--platform", "linux/arm64", "-t", &image, "-f", file.to_str().expect("path"), &folder];
    ok(Command::new("docker").args(arguments).env("DOCKER_BUILDKIT", "0"));
    judge("docker", &["save", "-o", project.path().join("rich.tar").to_str().expect("path"), &image]);
    image
}

/// As far as the engine is concerned, bases of registries and archives are images of its own: nobody gives it a password, and what
/// its names lead to stays as it is.
fn images_of_registries_archives_and_engines_are_bases_for_docker_too() {
    let (project, registry) = (project("byrich"), Registry::start(Guard::TlsAndPassword));
    let image = rich(&project, "appbundle-test-rich");
    let archive = format!("docker-archive:{}", project.path().join("rich.tar").display());
    let credentials = format!("{USER}:{PASSWORD}");
    let to = format!("docker://{}/team/rich:1", registry.host);
    judge("skopeo", &["copy", "-q", "--dest-tls-verify=false", "--dest-creds", &credentials, &archive, &to]);
    judge("skopeo", &["copy", "-q", &archive, &format!("oci:{}:nameless", project.path().join("layout").display())]);
    project.login(&registry.host, USER, PASSWORD);
    let daemon = "appbundle-test-rich-daemon:1";
    judge("docker", &["tag", &image, daemon]);
    // The archive's own name leads elsewhere in the engine, and is to lead there afterwards.
    let arguments = ["build", "-q", "-t", &image, "-f", "Dockerfile.base", "."];
    ok(Command::new("docker").args(arguments).env("DOCKER_BUILDKIT", "0").current_dir(project.path()));
    let elsewhere = judge("docker", &["image", "inspect", "--format", "{{.Id}}", &image]);
    let service = "com.example.byrich.alpha:1.2.3";
    let mut all = Vec::new();
    for base in [
        format!("{{ image = \"{}/team/rich:1\" }}", registry.host),
        "{ archive = \"rich.tar\" }".to_owned(),
        "{ archive = \"layout\" }".to_owned(),
        format!("{{ image = \"docker-daemon:{daemon}\" }}"),
    ] {
        project.with_base(&base);
        for engine in ["native", "docker"] {
            let mut pack = project.pack_alone(&["--format", "docker,auterionos", "--engine", engine]);
            let output = run(pack.env("SSL_CERT_FILE", registry.ca()));
            assert!(output.status.success(), "{base} {engine}: {}", text(&output.stderr));
            let bundles = text(&output.stdout);
            bundles.lines().for_each(|bundle| drop(ok(&mut appbundle(project.path(), &["verify", bundle]))));
            let docker = bundles.lines().find(|path| path.ends_with(".docker.tar")).expect("bundle");
            judge("docker", &["load", "-i", docker]);
            assert_eq!(judge("docker", &["run", "--rm", "--platform", "linux/arm64", service]), "alpha\n");
            let seen = describe(service);
            for part in ["PATH=/own/bin:/usr/bin", "OF_BASE=a b", "org.example.base", "/kept", "9000/udp", "SIGINT"] {
                assert!(seen.0.contains(part), "{part} in {}", seen.0);
            }
            all.push((format!("{engine} {base}"), seen));
        }
    }
    for (what, seen) in &all[1..] {
        assert_eq!(seen.0, all[0].1.0, "the config by {what}");
        assert_eq!(seen.1, all[0].1.1, "the file system by {what}");
    }
    assert_eq!(judge("docker", &["image", "inspect", "--format", "{{.Id}}", &image]), elsewhere);
    // Without a connection, and without the engine's own copies, what was pulled is enough.
    project.with_base(&format!("{{ image = \"{}/team/rich:1\" }}", registry.host));
    drop(registry);
    let mut offline = project.pack_alone(&["--format", "docker", "--engine", "docker", "--offline", "--app-version", "2.0.0"]);
    let bundle = ok(offline.env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"));
    ok(&mut appbundle(project.path(), &["verify", bundle.trim()]));
    for name in [&image, daemon] {
        run(Command::new("docker").args(["rmi", name]));
    }
}

fn podman_makes_them_too() {
    let (podman, project, registry) = (Podman::start(), project("bypodman"), Registry::start(Guard::None));
    let rich = rich(&project, "appbundle-test-rich-podman");
    let archive = format!("docker-archive:{}", project.path().join("rich.tar").display());
    let to = format!("docker://{}/team/rich:1", registry.host);
    judge("skopeo", &["copy", "-q", "--dest-tls-verify=false", &archive, &to]);
    judge("docker", &["rmi", &rich]);
    let image = "com.example.bypodman.beta:1.2.3";
    for base in ["\"auto\"".to_owned(), format!("{{ image = \"{}/team/rich:1\" }}", registry.host)] {
        project.with_base(&base);
        let mut seen = Vec::new();
        for engine in ["native", "docker"] {
            let mut pack = project.pack_alone(&["--format", "docker", "--engine", engine]);
            let output = run(pack.env("DOCKER_HOST", podman.url()));
            let said = text(&output.stderr);
            assert!(output.status.success(), "{said}");
            assert_eq!(said.contains("2 services with Podman"), engine == "docker", "{said}");
            judge("docker", &["load", "-i", text(&output.stdout).trim()]);
            assert_eq!(judge("docker", &["run", "--rm", "--platform", "linux/arm64", image]), "beta\n");
            seen.push(describe(image));
        }
        assert_eq!(seen[0].0, seen[1].0, "the config on {base}");
        assert_eq!(seen[0].1, seen[1].1, "the file system on {base}");
    }
}

fn an_engine_that_is_absent_or_dies_in_the_middle_is_told() {
    let project = project("bydying");
    let error = fails(project.pack(&["--engine", "docker"]).env("DOCKER_HOST", "unix:///nonexistent/docker.sock"), 1);
    assert!(error.contains("help: start Docker or podman, or build with `--engine native`"), "{error}");
    let folder = tempfile::tempdir().expect("folder");
    let version = answer(r#"{"Version":"27.0","ApiVersion":"1.46","Os":"linux","Arch":"amd64"}"#);
    for half in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"stream\":\"Step 1\\n\"}\n"] {
        let place = folder.path().join(half.len().to_string());
        std::fs::create_dir(&place).expect("folder");
        let socket = pretender(&place, version, half);
        let mut pack = project.pack(&["--engine", "docker"]);
        let error = fails(pack.env("DOCKER_HOST", format!("unix://{}", socket.display())), 1);
        assert!(error.contains("failed to build") && error.contains("stopped answering while building an image"), "{error}");
        assert!(error.contains("build with `--engine native`, which needs none"), "{error}");
        assert!(!project.path().join("target/appbundle/com.example.bydying-1.2.3.auterionos").exists());
    }
    // A real one, that goes away in the middle of a context, and while it builds.
    for most in [100, 5_000, 200_000] {
        let proxy = Proxy::cut_after(most);
        let error = fails(project.pack(&["--engine", "docker"]).env("DOCKER_HOST", proxy.url()), 1);
        assert!(error.contains(&format!("the engine at `{}` (DOCKER_HOST) stopped answering while", proxy.url())), "{error}");
        assert!(error.contains("build with `--engine native`, which needs none"), "{error}");
        assert!(!project.path().join("target/appbundle/com.example.bydying-1.2.3.auterionos").exists());
    }
    ok(&mut project.pack(&["--engine", "docker"]));
}

fn the_example_is_the_same_by_both() {
    let example = repository().join("examples/photo-gallery");
    let out = tempfile::tempdir().expect("folder");
    let mut seen = Vec::new();
    for engine in ["native", "docker"] {
        let out = out.path().join(engine);
        let arguments = ["build", "--locked", "--format", "docker", "--engine", engine, "--out-dir", out.to_str().expect("path")];
        let bundle = ok(&mut appbundle(&example, &arguments));
        let loaded = judge("docker", &["load", "-i", bundle.trim()]);
        let mut images: Vec<&str> = loaded.lines().filter_map(|line| line.strip_prefix("Loaded image: ")).collect();
        images.sort_unstable();
        assert_eq!(images.len(), 3, "{loaded}");
        seen.push(images.into_iter().map(describe).collect::<Vec<_>>());
    }
    assert!(seen[0] == seen[1], "{:#?}", seen);
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(docker_makes_what_the_native_engine_makes, [docker_arm64, arm64_cc]),
        test!(images_of_registries_archives_and_engines_are_bases_for_docker_too, [docker_arm64, guarded_registry, arm64_cc]),
        test!(podman_makes_them_too, [docker_arm64, podman, registry, arm64_cc]),
        test!(an_engine_that_is_absent_or_dies_in_the_middle_is_told, [docker, arm64_cc]),
        test!(the_example_is_the_same_by_both, [docker_arm64, arm64_rust]),
    ])
}
