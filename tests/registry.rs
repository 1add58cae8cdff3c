//! Images of a registry as bases, and images pushed to one: a real registry, judged by skopeo.

mod support;

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cargo_appbundle::digest::Digest;
use support::harness::{self, test};
use support::needs::{arm64_cc, guarded_registry, registry};
use support::registry::{Guard, PASSWORD, Registry, TestImage, USER};
use support::{Project, appbundle, fails, judge, ok, run, text};

fn project() -> Project {
    let project = Project::new(&["alpha", "beta"]);
    project.binaries(&["alpha", "beta"]);
    project
}

fn lock(project: &Project) -> String {
    project.text("appbundle.lock")
}

fn a_base_is_pulled_once_and_pinned() {
    let (project, registry) = (project(), Registry::start(Guard::None));
    let image = TestImage::new(&project, "one");
    registry.put(&project, &image, "team/base:1");
    let reference = format!("{}/team/base:1", registry.host);
    project.with_base(&format!("{{ image = \"{reference}\" }}"));
    let bundle = ok(&mut project.pack_alone(&["--format", "oci"]));

    // The layer is in the bundle as it was in the registry.
    let list = judge("tar", &["-tf", bundle.trim()]);
    assert!(list.contains(&Digest::of(&image.layer).hex()), "{list}");
    let config =
        judge("skopeo", &["inspect", "--config", &format!("oci-archive:{}:com.example.demo.alpha:1.2.3", bundle.trim())]);
    assert!(config.contains("MARK=one"), "{config}");
    let lock_text = lock(&project);
    for part in [
        &reference,
        &Digest::of(image.index("arm64")).to_string(),
        &Digest::of(&image.manifest).to_string(),
        "linux/arm64",
        "glibc = \"2.",
    ] {
        assert!(lock_text.contains(part), "{part} in\n{lock_text}");
    }
    let dockerfile = project.read("target/appbundle/docker/Dockerfile.base");
    assert!(String::from_utf8_lossy(&dockerfile).contains(&format!("ARG BASE={reference}@sha256:")));

    // Nothing more is asked: neither for what is fresh, nor for what is packed anew.
    let before = registry.requests("GET").len();
    assert!(text(&run(&mut project.pack_alone(&["--format", "oci"])).stderr).contains("Fresh"));
    project.write("services/alpha/x", "");
    ok(&mut project.pack_alone(&["--format", "docker"]));
    ok(&mut project.pack_alone(&["--format", "docker", "--offline", "--app-version", "2.0.0"]));
    ok(&mut project.pack_alone(&["--format", "docker", "--locked", "--app-version", "2.0.1"]));
    assert_eq!(registry.requests("GET").len(), before);
    assert_eq!(lock(&project), lock_text);

    // Without the packed layers the cache of blobs does, and without that the registry.
    std::fs::remove_dir_all(project.path().join("target")).expect("removed");
    ok(&mut project.pack_alone(&["--format", "oci", "--offline"]));
    std::fs::remove_dir_all(project.path().join("target")).expect("removed");
    std::fs::remove_dir_all(project.path().join("cache")).expect("removed");
    let error = fails(&mut project.pack_alone(&["--format", "oci", "--offline"]), 1);
    assert!(error.contains("error[registry-offline]") && error.contains("help: run once without `--offline`"), "{error}");
    ok(&mut project.pack_alone(&["--format", "oci", "--locked"]));
}

fn in_project(project: &Project, arguments: &[&str]) -> Command {
    let mut command = appbundle(project.path(), arguments);
    project.alone(&mut command);
    command
}

fn update_moves_the_pin_and_locked_forbids_it() {
    let (project, registry) = (project(), Registry::start(Guard::None));
    let (one, two) = (TestImage::new(&project, "one"), TestImage::new(&project, "two"));
    registry.put(&project, &one, "team/base:1");
    let reference = format!("{}/team/base:1", registry.host);
    project.with_base(&format!("{{ image = \"{reference}\" }}"));
    let error = fails(&mut project.pack_alone(&["--locked"]), 1);
    assert!(
        error.contains("error[lock-file-locked]: cannot update the lock file")
            && error.contains("because --locked was passed to prevent this"),
        "{error}"
    );
    assert!(!project.path().join("appbundle.lock").exists());
    ok(&mut project.pack_alone(&[]));
    let pinned = lock(&project);

    // The tag moves; builds do not, until they are told to.
    registry.put(&project, &two, "team/base:1");
    ok(&mut project.pack_alone(&["--app-version", "2.0.0"]));
    assert_eq!(lock(&project), pinned);
    let error = fails(&mut in_project(&project, &["update", "--locked"]), 1);
    assert!(error.contains("because --locked was passed"), "{error}");
    let error = fails(&mut in_project(&project, &["update", "--offline"]), 1);
    assert!(error.contains("`--offline` was passed"), "{error}");
    let error = fails(&mut in_project(&project, &["update", "debian"]), 1);
    assert!(
        error.contains("no service uses the image `docker.io/library/debian:latest`") && error.contains(&reference),
        "{error}"
    );
    assert_eq!(lock(&project), pinned);
    let output = run(&mut in_project(&project, &["update", &reference]));
    let said = text(&output.stderr);
    let (old, new) = (Digest::of(one.index("arm64")), Digest::of(two.index("arm64")));
    for part in [&format!("Updating {reference} {old} -> {new}"), "linux/arm64: 1 of 1 layers changed, glibc 2."] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    assert!(lock(&project).contains(&new.to_string()) && !lock(&project).contains(&old.to_string()));
    assert!(text(&run(&mut in_project(&project, &["update"])).stderr).contains("Unchanged"));
    let bundle = ok(&mut project.pack_alone(&["--format", "oci", "--locked"]));
    let config =
        judge("skopeo", &["inspect", "--config", &format!("oci-archive:{}:com.example.demo.alpha:1.2.3", bundle.trim())]);
    assert!(config.contains("MARK=two"), "{config}");

    // What nothing stands on any more is not kept.
    project.with_base("\"auto\"");
    let said = text(&run(&mut in_project(&project, &["update"])).stderr);
    assert!(said.contains(&format!("Removing {reference}")) && !lock(&project).contains(&reference), "{said}");
}

fn images_are_pushed_as_they_are_and_only_once() {
    let (project, registry) = (project(), Registry::start(Guard::None));
    registry.put(&project, &TestImage::new(&project, "one"), "team/base:1");
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", registry.host));
    let prefix = format!("{}/gallery", registry.host);
    let push = |arguments: &[&str]| in_project(&project, &[&["push", "--repo", &prefix], arguments].concat());
    let error = fails(&mut push(&[]), 1);
    assert!(error.contains("there is no build in") && error.contains("help: run `cargo appbundle build`"), "{error}");
    let bundle = ok(&mut project.pack_alone(&["--format", "oci"]));
    let puts = || registry.requests("PUT").iter().filter(|line| line.contains("/blobs/")).count();
    let before = puts();
    let printed = ok(&mut push(&[]));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 2, "{printed}");
    // The base's layer is mounted from the base, what both share from the first: two configs, two layers with executables.
    assert_eq!(puts() - before, 4);

    for (line, service) in lines.iter().zip(["alpha", "beta"]) {
        let name = format!("docker://{prefix}/{service}:1.2.3");
        let raw = judge("skopeo", &["inspect", "--tls-verify=false", "--raw", &name]);
        assert_eq!(*line, format!("{prefix}/{service}@{}", Digest::of(&raw)));
        let of_bundle =
            judge("skopeo", &["inspect", "--raw", &format!("oci-archive:{}:com.example.demo.{service}:1.2.3", bundle.trim())]);
        assert_eq!(raw, of_bundle, "the manifest in the registry is that of the bundle");
        let layout = project.path().join(service);
        judge(
            "skopeo",
            &["--override-arch", "arm64", "copy", "-q", "--src-tls-verify=false", &name, &format!("oci:{}:x", layout.display())],
        );
    }

    let before = puts();
    let json: serde_json::Value = serde_json::from_str(&ok(&mut push(&["--json"]))).expect("JSON");
    assert_eq!(puts(), before, "the second push sends no blob");
    // It asks for two manifests, and nothing else.
    let requests = || ["HEAD", "GET", "POST", "PUT", "PATCH"].map(|method| registry.requests(method).len());
    let [heads, others @ ..] = requests();
    assert!(text(&run(&mut push(&[])).stderr).contains(&format!("Fresh {prefix}/alpha:1.2.3@")));
    let [heads_now, others_now @ ..] = requests();
    assert_eq!((heads_now - heads, others_now), (2, others));
    assert_eq!(json[1]["repository"], format!("{prefix}/beta"));
    assert_eq!((json[1]["tag"].as_str(), json[1]["platform"].as_str()), (Some("1.2.3"), Some("linux/arm64")));
    assert!(lines[1].ends_with(json[1]["digest"].as_str().expect("digest")));
    assert_eq!(ok(&mut push(&["-p", "beta"])).lines().count(), 1);
    let error = fails(&mut push(&["--offline"]), 1);
    assert!(error.contains("`--offline` was passed"), "{error}");
    // What was built for another target is not built once more, but chosen.
    let error = fails(&mut push(&["--target", "x86_64-unknown-linux-gnu"]), 1);
    assert!(error.contains("help: select it with `--target aarch64-unknown-linux-gnu`"), "{error}");
    let error = fails(&mut in_project(&project, &["push", "--repo", "https://registry.local/x"]), 1);
    assert!(error.contains("it must not begin with a scheme"), "{error}");
    // Of a service that has changed, the layer that the other one has too is taken from there; a tag that somebody moved comes back.
    project.binary("beta", "int main() { return 0; }\n");
    ok(&mut project.pack_alone(&["--format", "oci"]));
    let before = puts();
    let said = text(&run(&mut push(&[])).stderr);
    assert!(said.contains("Fresh") && said.contains(&format!("Pushed {prefix}/beta:1.2.3@")), "{said}");
    assert_eq!(puts() - before, 2, "an executable and a config");
    registry.put(&project, &TestImage::new(&project, "one"), "gallery/alpha:1.2.3");
    assert!(ok(&mut push(&[])).contains(lines[0]));
    let raw = judge("skopeo", &["inspect", "--tls-verify=false", "--raw", &format!("docker://{prefix}/alpha:1.2.3")]);
    assert!(lines[0].ends_with(&Digest::of(&raw).to_string()));
}

fn cargo_is_not_asked_again_what_the_last_build_knows() {
    let (project, registry) = (project(), Registry::start(Guard::None));
    ok(&mut project.pack_alone(&["--format", "oci"]));
    let prefix = format!("{}/gallery", registry.host);
    let push = |folder: &str, arguments: &[&str]| {
        let mut command = appbundle(&project.path().join(folder), &[&["push", "--repo", &prefix], arguments].concat());
        project.alone(&mut command);
        command
    };
    let without_cargo = |folder: &str, arguments: &[&str]| {
        let mut command = push(folder, arguments);
        command.env("CARGO", "/no/cargo");
        command
    };
    let asks = |command: &mut Command| {
        let error = fails(command, 1);
        assert!(error.contains("failed to run `/no/cargo metadata`"), "{error}");
    };
    let printed = ok(&mut without_cargo("", &[]));
    assert_eq!(printed, ok(&mut push("", &[])));
    assert_eq!(printed, ok(&mut without_cargo("services/alpha/src", &[])));

    // Whatever may decide otherwise has Cargo asked.
    asks(&mut without_cargo("", &["-p", "beta"]));
    asks(&mut without_cargo("", &["--app-version", "2.0.0"]));
    asks(&mut without_cargo("", &["--target", "x86_64-unknown-linux-gnu"]));
    asks(without_cargo("", &[]).env("CARGO_TARGET_DIR", "elsewhere"));
    project.write(".cargo/config.toml", "[build]\ntarget-dir = \"elsewhere\"\n");
    asks(&mut without_cargo("", &[]));
    let error = fails(&mut push("", &[]), 1);
    assert!(error.contains("there is no build in") && error.contains("elsewhere"), "{error}");
    std::fs::remove_dir_all(project.path().join(".cargo")).expect("removed");
    // A workspace in this one is another one.
    project.write("inner/Cargo.toml", "[package]\nname = \"inner\"\n[workspace]\n");
    project.write("inner/src/main.rs", "fn main() {}\n");
    asks(&mut without_cargo("inner", &[]));
    assert_eq!(printed, ok(&mut without_cargo("", &[])));

    // A manifest that changed is read; a build that finds nothing else changed makes that certain again.
    project.edit("services/alpha/Cargo.toml", |text| text + "\n# A remark.\n");
    asks(&mut without_cargo("", &[]));
    assert_eq!(printed, ok(&mut push("", &[])));
    assert!(text(&run(&mut project.pack_alone(&["--format", "oci"])).stderr).contains("Fresh"));
    assert_eq!(printed, ok(&mut without_cargo("", &[])));
    // So does a new member, wherever it stands.
    project.edit("Cargo.toml", |text| text.replace("[\"services/*\"]", "[\"services/*\", \"deep/*/*\"]"));
    project.write("deep/one/tool/Cargo.toml", "[package]\nname = \"tool\"\n");
    project.write("deep/one/tool/src/lib.rs", "");
    std::fs::create_dir(project.path().join("deep/two")).expect("folder");
    std::thread::sleep(std::time::Duration::from_millis(100));
    ok(&mut project.pack_alone(&["--format", "oci"]));
    assert_eq!(printed, ok(&mut without_cargo("", &[])));
    project.write("deep/three/gamma/Cargo.toml", "[package]\nname = \"gamma\"\n");
    asks(&mut without_cargo("", &[]));
}

fn what_is_no_reference_is_told_where_it_stands() {
    let project = project();
    project.with_base("{ image = \"Debian:1\" }");
    let error = fails(&mut project.pack_alone(&[]), 1);
    assert!(error.contains("`Debian:1` is not an image reference") && error.contains("Cargo.toml:9"), "{error}");
    project.with_base("{ image = \"debian\", rootfs = \"x\" }");
    let error = fails(&mut project.pack_alone(&[]), 1);
    assert!(error.contains("exactly one of `rootfs`, `archive`, `dockerfile`, `image`, `debian` and `ubuntu`"), "{error}");
}

fn tls_and_a_password() {
    let (project, registry) = (project(), Registry::start(Guard::TlsAndPassword));
    registry.put(&project, &TestImage::new(&project, "one"), "team/base:1");
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", registry.host));
    let build = || project.pack_alone(&["--format", "oci"]);
    let error = fails(&mut build(), 1);
    assert!(error.contains("is not trusted") && error.contains("ca.crt"), "{error}");
    let error = fails(build().env("SSL_CERT_FILE", registry.ca()), 1);
    assert!(
        error.contains("401 Unauthorized") && error.contains(&format!("help: run `docker login {}`", registry.host)),
        "{error}"
    );
    project.login(&registry.host, USER, "wrong");
    let error = fails(build().env("SSL_CERT_FILE", registry.ca()), 1);
    assert!(error.contains("401 Unauthorized"), "{error}");
    project.login(&registry.host, USER, PASSWORD);
    let output = run(build().arg("-v").env("SSL_CERT_FILE", registry.ca()));
    let said = text(&output.stderr);
    assert!(output.status.success() && !said.contains(PASSWORD), "{said}");
    let prefix = format!("{}/gallery", registry.host);
    let mut push = in_project(&project, &["push", "--repo", &prefix]);
    assert_eq!(ok(push.env("SSL_CERT_FILE", registry.ca())).lines().count(), 2);
    // podman's file does as well.
    let config = project.path().join("docker-config/config.json");
    let auth = project.path().join("auth.json");
    std::fs::rename(&config, &auth).expect("renamed");
    let mut push = in_project(&project, &["push", "--repo", &prefix]);
    ok(push.env("SSL_CERT_FILE", registry.ca()).env("REGISTRY_AUTH_FILE", auth));
}

fn every_kind_of_bundle_gives_the_same_images() {
    let (project, registry) = (project(), Registry::start(Guard::None));
    let bundles = ok(&mut project.pack_alone(&["--format", "auterionos,docker,oci"]));
    let bundles: Vec<&str> = bundles.lines().collect();
    assert_eq!(bundles.len(), 3, "{bundles:?}");
    let push = |bundle: &[&str], folder: &str| {
        let prefix = format!("{}/{folder}", registry.host);
        // Elsewhere than in the workspace, which is not needed.
        let elsewhere = tempfile::tempdir().expect("folder");
        let mut command = appbundle(elsewhere.path(), &[&["push", "--repo", &prefix], bundle].concat());
        project.alone(&mut command);
        let printed = ok(&mut command);
        let of_line = |line: &str| line.replace(&prefix, "PREFIX");
        printed.lines().map(of_line).collect::<Vec<_>>()
    };
    let workspace = ok(&mut in_project(&project, &["push", "--repo", &format!("{}/direct", registry.host)]));
    let workspace: Vec<String> =
        workspace.lines().map(|line| line.replace(&format!("{}/direct", registry.host), "PREFIX")).collect();
    assert!(workspace[0].starts_with("PREFIX/alpha@sha256:") && workspace[1].starts_with("PREFIX/beta@sha256:"), "{workspace:?}");
    for (bundle, folder) in bundles.iter().zip(["auterionos", "docker", "oci"]) {
        assert_eq!(push(&[bundle], folder), workspace, "{bundle}");
    }

    // Archives of other tools: plain layers are packed, and what the archive names are the images' names.
    let (docker, plain) = (bundles[1], project.path().join("plain.tar").display().to_string());
    let (from, to) =
        (format!("docker-archive:{docker}:com.example.demo.alpha:1.2.3"), format!("docker-archive:{plain}:example/alpha:7"));
    judge("skopeo", &["--override-arch", "arm64", "copy", "-q", &from, &to]);
    ok(Command::new("gzip").args(["-nk", &plain]));
    let pushed = push(&[&plain], "plain");
    assert!(pushed.len() == 1 && pushed[0].starts_with("PREFIX/alpha@sha256:"), "{pushed:?}");
    assert_eq!(push(&[&format!("{plain}.gz")], "plain-gz"), pushed);
    let config = |name: &str| {
        judge("skopeo", &["inspect", "--tls-verify=false", "--config", "--raw", &format!("docker://{}/{name}", registry.host)])
    };
    let layers = |text: String| serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["rootfs"]["diff_ids"].clone();
    assert_eq!(layers(config("plain/alpha:7")), layers(config("oci/alpha:1.2.3")));

    // Broken ones are refused.
    let bytes = std::fs::read(bundles[0]).expect("read");
    for (name, bytes) in [("short", &bytes[..bytes.len() / 2]), ("empty", &[][..]), ("noise", &[7; 5000][..])] {
        std::fs::write(project.path().join(name), bytes).expect("written");
        let error = fails(&mut in_project(&project, &["push", "--repo", &format!("{}/broken", registry.host), name]), 1);
        assert!(error.contains(&format!("failed to read `{name}`")), "{error}");
    }
    let error = fails(&mut in_project(&project, &["push", "--repo", &format!("{}/twice", registry.host), docker, docker]), 1);
    assert!(error.contains("two images would become"), "{error}");
}

/// Passes requests on to a registry until so many bytes went there; then it keeps all connections, and passes on no more.
fn stalling(registry: &Registry, after: usize) -> (String, Arc<AtomicBool>) {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = format!("localhost:{}", listener.local_addr().expect("address").port());
    let (behind, stalled, passed) = (registry.host.clone(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let is_stalled = Arc::clone(&stalled);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for client in listener.incoming().flatten() {
            if is_stalled.load(Ordering::SeqCst) {
                kept.push(client);
                continue;
            }
            let Ok(server) = TcpStream::connect(&behind) else { return };
            let (mut from, mut to) = (client.try_clone().expect("socket"), server.try_clone().expect("socket"));
            let (is_stalled, passed) = (Arc::clone(&is_stalled), Arc::clone(&passed));
            std::thread::spawn(move || {
                let mut buffer = [0; 500];
                while let Ok(size @ 1..) = from.read(&mut buffer) {
                    if passed.fetch_add(size, Ordering::SeqCst) + size > after {
                        is_stalled.store(true, Ordering::SeqCst);
                    }
                    if is_stalled.load(Ordering::SeqCst) {
                        // Until the other end is killed.
                        while matches!(from.read(&mut buffer), Ok(1..)) {}
                        break;
                    }
                    if to.write_all(&buffer[..size]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            });
            let (mut from, mut to) = (server, client);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    });
    (host, stalled)
}

fn a_push_that_was_killed_anywhere_ends_right() {
    let (project, registry) = (project(), Registry::start(Guard::None));
    let bundle = ok(&mut project.pack_alone(&["--format", "oci"]));
    // How much a whole push sends: then it can be killed in each tenth of it.
    let (host, _) = stalling(&registry, usize::MAX);
    let before = registry.requests("PUT").len();
    ok(&mut in_project(&project, &["push", "--repo", &format!("{host}/whole")]));
    // A layer that both share, for each an executable, a config, a manifest.
    assert_eq!(registry.requests("PUT").len() - before, 7);
    let layers: u64 = judge("tar", &["-tvf", bundle.trim()])
        .lines()
        .filter(|line| line.contains("blobs/sha256/"))
        .map(|line| line.split_whitespace().nth(2).and_then(|size| size.parse::<u64>().ok()).expect("size"))
        .sum();
    let total = usize::try_from(layers).expect("size") + 8_000;
    let (mut killed, mut spared) = (0, 0);
    for tenth in 0..=10 {
        let folder = format!("killed-{tenth}");
        let (host, stalled) = stalling(&registry, 300 + total * tenth / 10);
        let mut command = in_project(&project, &["push", "--repo", &format!("{host}/{folder}")]);
        let mut child = command.stderr(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().expect("started");
        while !stalled.load(Ordering::SeqCst) && child.try_wait().expect("child").is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        killed += usize::from(child.try_wait().expect("child").is_none());
        child.kill().expect("killed");
        child.wait().expect("ended");
        // Whoever finds a tag finds all that it leads to; and the next push sends only what is missing.
        let puts = || registry.requests("PUT").iter().filter(|line| line.contains("/blobs/")).count();
        let before = puts();
        ok(&mut in_project(&project, &["push", "--repo", &format!("{}/{folder}", registry.host)]));
        spared += 5 - (puts() - before).min(5);
        for service in ["alpha", "beta"] {
            let from = format!("docker://{}/{folder}/{service}:1.2.3", registry.host);
            let to = format!("oci:{}:x", project.path().join(format!("{folder}-{service}")).display());
            judge("skopeo", &["--override-arch", "arm64", "copy", "-q", "--src-tls-verify=false", &from, &to]);
        }
    }
    assert!(killed >= 8, "only {killed} of 11 were killed");
    assert!(spared > 0, "what was there was sent again");
}

/// Passes connections on to a registry; the first `count` of them are cut after so many bytes to it.
fn cutting(registry: &Registry, count: usize, after: usize) -> String {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = format!("localhost:{}", listener.local_addr().expect("address").port());
    let behind = registry.host.clone();
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().flatten().enumerate() {
            let Ok(server) = TcpStream::connect(&behind) else { return };
            let (mut from, mut to) = (client.try_clone().expect("socket"), server.try_clone().expect("socket"));
            std::thread::spawn(move || {
                let (mut buffer, mut passed) = ([0; 1000], 0);
                while let Ok(size) = from.read(&mut buffer) {
                    passed += size;
                    if size == 0 || number < count && passed > after || to.write_all(&buffer[..size]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
            });
            let (mut from, mut to) = (server, client);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    });
    host
}

fn a_push_that_was_cut_anywhere_ends_right() {
    let (project, registry) = (project(), Registry::start(Guard::None));
    ok(&mut project.pack_alone(&["--format", "oci"]));
    let whole = |folder: &str| {
        for service in ["alpha", "beta"] {
            let from = format!("docker://{}/{folder}/{service}:1.2.3", registry.host);
            let to = format!("oci:{}:x", project.path().join(format!("{folder}-{service}")).display());
            judge("skopeo", &["--override-arch", "arm64", "copy", "-q", "--src-tls-verify=false", &from, &to]);
        }
    };
    // What breaks now and then is tried again.
    for (number, after) in [100, 700, 2_000, 60_000].into_iter().enumerate() {
        let folder = format!("now-and-then-{number}");
        // The first connection asks whether TLS is spoken.
        let host = cutting(&registry, 4, after);
        ok(&mut in_project(&project, &["push", "--repo", &format!("{host}/{folder}")]));
        whole(&folder);
    }
    // What breaks always ends in an error; the next push goes on from there.
    for (number, after) in [700, 60_000].into_iter().enumerate() {
        let folder = format!("always-{number}");
        let host = cutting(&registry, usize::MAX, after);
        let output = run(&mut in_project(&project, &["push", "--repo", &format!("{host}/{folder}")]));
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        ok(&mut in_project(&project, &["push", "--repo", &format!("{}/{folder}", registry.host)]));
        whole(&folder);
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_base_is_pulled_once_and_pinned, [registry, arm64_cc]),
        test!(update_moves_the_pin_and_locked_forbids_it, [registry, arm64_cc]),
        test!(images_are_pushed_as_they_are_and_only_once, [registry, arm64_cc]),
        test!(cargo_is_not_asked_again_what_the_last_build_knows, [registry, arm64_cc]),
        test!(what_is_no_reference_is_told_where_it_stands, [arm64_cc]),
        test!(tls_and_a_password, [guarded_registry, arm64_cc]),
        test!(every_kind_of_bundle_gives_the_same_images, [registry, arm64_cc]),
        test!(a_push_that_was_killed_anywhere_ends_right, [registry, arm64_cc]),
        test!(a_push_that_was_cut_anywhere_ends_right, [registry, arm64_cc]),
    ])
}
