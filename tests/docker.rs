//! What talks to an engine: real ones, ones that are not there, and ones that die.

mod support;

use std::os::unix::net::UnixListener;
use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{arm64_cc, docker, podman};
use support::podman::{Podman, answer, pretender};
use support::running::Proxy;
use support::{Project, appbundle, fails, judge, ok, run, text};

const X86: &str = "x86_64-unknown-linux-gnu";

/// An app of its own name, so that tests do not meet in the engine, whose services are static programs of this machine.
fn app(name: &str, services: &[(&str, &str, &str)]) -> Project {
    let project = Project::named(name, &[]);
    project.edit("Cargo.toml", |text| format!("{text}targets = [\"{X86}\"]\nbase = \"scratch\"\n"));
    for (service, table, source) in services {
        project.service(service, table);
        project.compile("cc", service, source, &["-static", "-O1"]);
    }
    project
}

const HELLO: &str = "#include <stdio.h>\nint main() { puts(NAME); return 0; }\n";

fn hello(name: &str) -> String {
    HELLO.replace("NAME", &format!("\"{name}\""))
}

/// Letters that do not get much smaller.
fn noise(size: usize) -> String {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + u8::try_from(state >> 57).expect("7 bits") % 94)
    };
    std::iter::repeat_with(&mut next).take(size).collect()
}

/// Removes an app's images.
fn forget(app: &str) {
    // By name: another app's image may be the same one.
    let reference = format!("reference=com.example.{app}.*");
    let images = judge("docker", &["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &reference]);
    for image in images.lines() {
        run(Command::new("docker").args(["rmi", "-f", image]));
    }
}

fn load_sends_what_is_missing_of_any_format() {
    let project = app("loading", &[("alpha", "", &hello("alpha")), ("beta", "", &hello("beta"))]);
    for service in ["alpha", "beta"] {
        project.service(service, "files = [{ from = \"../../shared.txt\", to = \"/srv/shared.txt\" }]\n");
    }
    for format in ["docker", "oci", "auterionos"] {
        forget("loading");
        // Other bytes for each: the engine keeps layers of images that have no name any more.
        let now = std::time::SystemTime::now();
        project.write("shared.txt", &format!("{}{format}{now:?}", noise(3_000_000)));
        let arguments = ["--format", format];
        let bundle = ok(project.pack(&arguments).args(["--target", X86]));
        let load = |proxy: &Proxy| {
            let mut command = appbundle(project.path(), &["load", bundle.trim(), "--color", "never"]);
            run(command.env("DOCKER_HOST", proxy.url()))
        };
        let proxy = Proxy::start();
        let output = load(&proxy);
        assert!(proxy.sent() > 2_000_000, "{} bytes", proxy.sent());
        let (printed, said) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{said}");
        assert_eq!(printed.lines().count(), 2, "{printed}");
        for service in ["alpha", "beta"] {
            let name = format!("com.example.loading.{service}:1.2.3");
            let id = judge("docker", &["image", "inspect", "--format", "{{.Id}}", &name]);
            let short = &id.trim().trim_start_matches("sha256:")[..12];
            assert!(printed.contains(&format!("Loaded {name} (")) && printed.contains(short), "{printed} {id}");
            assert_eq!(judge("docker", &["run", "--rm", &name]), format!("{service}\n"));
        }
        let proxy = Proxy::start();
        let said = text(&load(&proxy).stderr);
        assert!(said.contains("2 images already loaded") && !said.contains("Loading"), "{said}");
        assert!(proxy.sent() < 10_000, "{} bytes for nothing", proxy.sent());
        // One service changes: of its image, the shared layer stays where it is.
        project.compile("cc", "beta", &hello("beta two"), &["-static", "-O1"]);
        ok(project.pack(&arguments).args(["--target", X86]));
        let proxy = Proxy::start();
        let said = text(&load(&proxy).stderr);
        assert!(said.contains("Loaded 1 image (") && said.contains(" reused)"), "{said}");
        // A static executable of less than 1 MB, and questions.
        assert!(proxy.sent() < 1_500_000, "{} bytes, the shared layer among them", proxy.sent());
        assert_eq!(judge("docker", &["run", "--rm", "com.example.loading.beta:1.2.3"]), "beta two\n");
        project.compile("cc", "beta", &hello("beta"), &["-static", "-O1"]);
        // What the engine lacks is damaged: it is told whose fault that is, and nothing is loaded of it.
        forget("loading");
        project.write("shared.txt", &format!("{}{now:?} again", noise(3_000_000)));
        ok(project.pack(&arguments).args(["--target", X86]));
        let mut bytes = std::fs::read(bundle.trim()).expect("bundle");
        let middle = bytes.len() / 2;
        bytes[middle..middle + 16].iter_mut().for_each(|byte| *byte ^= 0xff);
        std::fs::write(bundle.trim(), bytes).expect("damaged");
        let error = fails(&mut appbundle(project.path(), &["load", bundle.trim()]), 1);
        assert!(error.contains("damaged") && error.contains("cargo appbundle verify"), "{error}");
        ok(project.pack(&arguments).args(["--target", X86]));
    }
    // Without a name, the last build's.
    let printed = ok(&mut appbundle(project.path(), &["load"]));
    assert!(printed.contains("com.example.loading.alpha:1.2.3"), "{printed}");
    // That is what was written last, of whatever format.
    project.compile("cc", "beta", &hello("beta three"), &["-static", "-O1"]);
    ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
    ok(&mut appbundle(project.path(), &["load"]));
    assert_eq!(judge("docker", &["run", "--rm", "com.example.loading.beta:1.2.3"]), "beta three\n");
    forget("loading");
}

/// A compressed layer is not unpacked to be compared with its config's sum: engines do that, and take nothing else.
fn a_layer_that_is_not_the_configs_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let sum = cargo_appbundle::digest::Digest::of(format!("{:?}", std::time::SystemTime::now()));
    let config =
        format!(r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{sum}"]}}}}"#);
    let manifest = r#"[{"Config":"c.json","RepoTags":["com.example.lying:1"],"Layers":["l.tar.gz"]}]"#;
    std::fs::write(folder.path().join("c.json"), config).expect("written");
    std::fs::write(folder.path().join("manifest.json"), manifest).expect("written");
    let script = "tar -czf l.tar.gz c.json && tar -cf lying.tar manifest.json c.json l.tar.gz";
    ok(Command::new("sh").args(["-c", script]).current_dir(folder.path()));
    let error = fails(&mut appbundle(folder.path(), &["load", "lying.tar"]), 1);
    assert!(error.contains("invalid diffID"), "{error}");
    assert_eq!(judge("docker", &["images", "-q", "com.example.lying"]), "");
    let podman = Podman::start();
    fails(appbundle(folder.path(), &["load", "lying.tar"]).env("DOCKER_HOST", podman.url()), 1);
    assert_eq!(judge("podman", &["--url", &podman.url(), "images", "-q"]), "");
}

fn podman_loads_over_its_socket() {
    let podman = Podman::start();
    let project = app("podding", &[("alpha", "", &hello("alpha"))]);
    for format in ["docker", "auterionos"] {
        let bundle = ok(project.pack(&["--format", format]).args(["--target", X86]));
        let mut load = appbundle(project.path(), &["load", bundle.trim()]);
        let output = run(load.env("DOCKER_HOST", podman.url()));
        let said = text(&output.stderr);
        assert!(output.status.success() && said.contains("Podman"), "{said}");
        assert!(text(&output.stdout).contains("Loaded com.example.podding.alpha:1.2.3 ("), "{}", text(&output.stdout));
        let said = text(&run(appbundle(project.path(), &["load", bundle.trim()]).env("DOCKER_HOST", podman.url())).stderr);
        assert!(said.contains("1 image already loaded"), "{said}");
        let url = podman.url();
        judge("podman", &["--url", &url, "rmi", "com.example.podding.alpha:1.2.3"]);
    }
}

fn an_engine_that_is_absent_old_or_no_engine_is_told() {
    let project = app("absent", &[("alpha", "", &hello("alpha"))]);
    let bundle = ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
    let load = |host: &str| {
        let mut command = appbundle(project.path(), &["load", bundle.trim()]);
        command.env("DOCKER_HOST", host);
        command
    };
    let error = fails(&mut load("unix:///nonexistent/docker.sock"), 1);
    assert!(
        error.contains("error[engine-unreachable]: no container engine answers")
            && error.contains("`unix:///nonexistent/docker.sock` (DOCKER_HOST): the socket does not exist"),
        "{error}"
    );
    assert!(error.contains("help: start one"), "{error}");
    let [closed] = support::free_ports();
    let error = fails(&mut load(&format!("tcp://127.0.0.1:{closed}")), 1);
    assert!(error.contains(&format!("`tcp://127.0.0.1:{closed}` (DOCKER_HOST): connection refused\nhelp: start one")), "{error}");
    let error = fails(&mut load("ssh://somewhere"), 1);
    assert!(error.contains("use `unix://` or `tcp://`"), "{error}");

    let folder = tempfile::tempdir().expect("folder");
    let old = answer(r#"{"Version":"17.12.1-ce","ApiVersion":"1.35","Os":"linux","Arch":"amd64"}"#);
    let socket = pretender(folder.path(), old, old);
    let error = fails(&mut load(&format!("unix://{}", socket.display())), 1);
    assert!(error.contains("Docker 17.12.1-ce speaks API 1.35, which is too old: 1.41 is needed"), "{error}");

    let folder = tempfile::tempdir().expect("folder");
    let socket = pretender(folder.path(), answer("<html>"), "");
    let error = fails(&mut load(&format!("unix://{}", socket.display())), 1);
    assert!(error.contains("is not a container engine"), "{error}");

    // Nobody listens at a socket that somebody left.
    let left = folder.path().join("left.sock");
    drop(UnixListener::bind(&left).expect("socket"));
    let error = fails(&mut load(&format!("unix://{}", left.display())), 1);
    assert!(error.contains("connection refused"), "{error}");

    // Without any address from the user, the usual places are told.
    let mut command = appbundle(project.path(), &["load", "nonexistent.tar"]);
    command.env_remove("DOCKER_HOST").env("DOCKER_CONTEXT", "nonexistent").env("DOCKER_CONFIG", folder.path());
    let error = fails(&mut command, 1);
    assert!(error.contains("docker's context `nonexistent` does not exist"), "{error}");
}

fn an_engine_that_dies_in_the_middle_is_told() {
    let project = app("dying", &[("alpha", "", &hello("alpha"))]);
    let bundle = ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
    let folder = tempfile::tempdir().expect("folder");
    let version = answer(r#"{"Version":"27.0","ApiVersion":"1.46","Os":"linux","Arch":"amd64"}"#);
    let socket = pretender(folder.path(), version, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    let mut command = appbundle(project.path(), &["load", bundle.trim()]);
    let error = fails(command.env("DOCKER_HOST", format!("unix://{}", socket.display())), 1);
    assert!(error.contains("stopped answering while") && error.contains("help: "), "{error}");
    // A real one, that takes a part of the images only.
    project.write("noise.txt", &noise(2_000_000));
    project.service("alpha", "files = [{ from = \"../../noise.txt\", to = \"/srv/noise.txt\" }]\n");
    let bundle = ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
    forget("dying");
    for most in [100, 20_000, 1_000_000] {
        let proxy = Proxy::cut_after(most);
        let mut command = appbundle(project.path(), &["load", bundle.trim()]);
        let error = fails(command.env("DOCKER_HOST", proxy.url()), 1);
        assert!(error.contains(&format!("the engine at `{}` (DOCKER_HOST) stopped answering while", proxy.url())), "{error}");
        assert!(error.contains("`cargo appbundle build` needs none"), "{error}");
        assert!(most < 1_000_000 || error.contains("while loading images"), "{error}");
        assert_eq!(judge("docker", &["images", "-q", "com.example.dying.alpha"]), "");
    }
    ok(&mut appbundle(project.path(), &["load", bundle.trim()]));
    forget("dying");
}

fn doctor_shows_the_engine_and_asks_for_it_only_where_it_is_needed() {
    let project = app("doctored", &[("alpha", "", &hello("alpha"))]);
    let doctor = |host: Option<&str>| {
        let mut command = appbundle(project.path(), &["doctor"]);
        command.envs(host.map(|host| ("DOCKER_HOST", host)));
        run(&mut command)
    };
    let shown = text(&doctor(None).stdout);
    let version = judge("docker", &["version", "--format", "{{.Server.Version}}, API {{.Server.APIVersion}}"]);
    assert!(shown.contains(&format!("ok  container engine: Docker {}, linux/", version.trim())), "{shown} {version}");
    assert!(shown.contains("ok  running amd64: this machine"), "{shown}");
    let absent = Some("unix:///nonexistent/docker.sock");
    let shown = text(&doctor(absent).stdout);
    assert!(shown.contains("(no)  container engine\n          runs images; without it, `build` works"), "{shown}");
    project.edit("Cargo.toml", |text| text + "engine = \"docker\"\n");
    let output = doctor(absent);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("MISSING  container engine") && shown.contains("the socket does not exist"), "{shown}");
    // `build` says so before it compiles.
    let error = fails(appbundle(project.path(), &["build"]).envs(absent.map(|host| ("DOCKER_HOST", host))), 1);
    assert!(error.starts_with("error[engine-unreachable]") && error.contains("--engine native"), "{error}");
}

/// Images of another target than the app's would not start where the app's are meant to.
fn the_last_bundle_is_that_of_the_usual_target() {
    let project = app("usual", &[("alpha", "", &hello("alpha"))]);
    project.edit("Cargo.toml", |text| text.replace(&format!("targets = [\"{X86}\"]\n"), ""));
    let error = fails(&mut appbundle(project.path(), &["inspect"]), 1);
    assert!(error.starts_with("error[no-build]") && error.contains("run `cargo appbundle build`"), "{error}");
    std::fs::rename(project.path().join("bin"), project.path().join("x86")).expect("moved");
    project.compile("aarch64-linux-gnu-gcc", "alpha", &hello("alpha"), &["-static"]);
    let bundle = ok(&mut project.pack(&["--format", "docker"]));
    let inspected = || -> serde_json::Value {
        serde_json::from_str(&ok(&mut appbundle(project.path(), &["inspect", "--json"]))).expect("JSON")
    };
    assert_eq!(inspected()["images"][0]["platform"], "linux/arm64");
    assert!(ok(&mut appbundle(project.path(), &["verify"])).starts_with(&format!("verified {}", bundle.trim())));
    // `run` on this machine leaves it as it is.
    ok(&mut appbundle(project.path(), &["run", "--target", X86, "--no-compile", "--bin-dir", "x86"]));
    assert_eq!(inspected()["images"][0]["platform"], "linux/arm64");
    // A build for another target does not.
    let other = ["build", "--format", "docker", "--target", X86, "--no-compile", "--bin-dir", "x86"];
    ok(&mut appbundle(project.path(), &other));
    let error = fails(&mut appbundle(project.path(), &["load"]), 1);
    assert!(error.starts_with("error[no-build]: the last build is version 1.2.3 for x86_64"), "{error}");
    assert!(error.contains(", not for aarch64-unknown-linux-gnu\nhelp: select it with `--target"), "{error}");
    // Whoever only looks gets what is there.
    assert_eq!(inspected()["images"][0]["platform"], "linux/amd64");
    let output = run(&mut appbundle(project.path(), &["verify"]));
    assert!(text(&output.stderr).contains("note: the last build is for x86_64-unknown-linux-gnu\n"), "{output:?}");
    assert!(output.status.success() && text(&output.stdout).starts_with("verified "), "{output:?}");
    ok(&mut appbundle(project.path(), &["load", "--target", X86]));
    assert_eq!(judge("docker", &["run", "--rm", "com.example.usual.alpha:1.2.3"]), "alpha\n");
    forget("usual");
}

/// What the engine's socket says, at a port of this machine.
fn over_tcp() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = std::os::unix::net::UnixStream::connect("/var/run/docker.sock").expect("the engine");
            let (mut near_in, mut far_in) = (near.try_clone().expect("clone"), far.try_clone().expect("clone"));
            let (mut near, mut far) = (near, far);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut near_in, &mut far);
                let _ = far.shutdown(std::net::Shutdown::Write);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut far_in, &mut near);
                let _ = near.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    port
}

fn an_engine_over_tcp_loads_and_builds() {
    let project = app("tcp", &[("alpha", "", &hello("alpha"))]);
    let host = format!("tcp://127.0.0.1:{}", over_tcp());
    let mut pack = project.pack(&["--format", "docker", "--engine", "docker", "--target", X86]);
    let bundle = ok(pack.env("DOCKER_HOST", &host));
    forget("tcp");
    let printed = ok(appbundle(project.path(), &["load", bundle.trim()]).env("DOCKER_HOST", &host));
    assert!(printed.contains("Loaded com.example.tcp.alpha:1.2.3"), "{printed}");
    assert_eq!(judge("docker", &["run", "--rm", "com.example.tcp.alpha:1.2.3"]), "alpha\n");
    forget("tcp");
}

/// An image of the engine as a base, by its own platform, packed again when its name leads to another one.
fn an_image_of_the_engine_is_a_base() {
    run(Command::new("docker").args(["rmi", "-f", "appbundle-test-daemon:1"]));
    let project = app("daemonbase", &[("alpha", "", &hello("alpha"))]);
    project.edit("Cargo.toml", |text| text.replace("\"scratch\"", "{ image = \"docker-daemon:appbundle-test-daemon:1\" }"));
    let error = fails(&mut project.pack(&["--format", "docker"]), 1);
    assert!(
        error.contains("error[image-missing]")
            && error.contains("has no image `appbundle-test-daemon:1`")
            && error.contains("help: run `docker pull"),
        "{error}"
    );
    for mark in ["one", "two"] {
        project.write("base/Dockerfile", &format!("FROM scratch\nCOPY mark /etc/mark\nENV MARK={mark}\n"));
        project.write("base/mark", mark);
        judge("docker", &["build", "-t", "appbundle-test-daemon:1", project.path().join("base").to_str().expect("path")]);
        let said = text(&run(&mut project.pack(&["--format", "docker"])).stderr);
        assert!(said.contains("Bundled"), "{said}");
        ok(&mut appbundle(project.path(), &["load"]));
        let env = judge("docker", &["image", "inspect", "--format", "{{.Config.Env}}", "com.example.daemonbase.alpha:1.2.3"]);
        assert!(env.contains(&format!("MARK={mark}")), "{env}");
        assert!(text(&run(&mut project.pack(&["--format", "docker"])).stderr).contains("Fresh"));
    }
    let error = fails(&mut appbundle(project.path(), &["generate", "--target", "aarch64-unknown-linux-gnu"]), 1);
    assert!(
        error.contains("error[base-platform]")
            && error.contains("is for linux/amd64")
            && error.contains("docker pull --platform linux/arm64"),
        "{error}"
    );
    judge("docker", &["rmi", "-f", "appbundle-test-daemon:1"]);
    forget("daemonbase");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(load_sends_what_is_missing_of_any_format, [docker]),
        test!(a_layer_that_is_not_the_configs_is_refused, [docker, podman]),
        test!(podman_loads_over_its_socket, [podman]),
        test!(an_engine_that_is_absent_old_or_no_engine_is_told),
        test!(an_engine_that_dies_in_the_middle_is_told, [docker]),
        test!(doctor_shows_the_engine_and_asks_for_it_only_where_it_is_needed, [docker]),
        test!(the_last_bundle_is_that_of_the_usual_target, [arm64_cc, docker]),
        test!(an_engine_over_tcp_loads_and_builds, [docker]),
        test!(an_image_of_the_engine_is_a_base, [docker]),
    ])
}
