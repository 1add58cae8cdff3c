//! The examples from their sources to running containers: three that hand a picture to each other, and one with a shared library of Debian's.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use support::harness::{self, test};
use support::needs::{
    arm64_rust, arm64_sqlite, auterion_cli, curl, debian_archive, docker, docker_arm64, mender_artifact, namespaces,
};
use support::{appbundle, free_ports, judge, ok, repository, within};

const SERVICES: [&str; 3] = ["thumbnailer", "gallery-service", "camera-control"];

/// The network in which the services find one another.
const NETWORK: &str = "appbundle-test-gallery";

/// Stops what it started, also when a test fails.
struct Containers;

impl Drop for Containers {
    fn drop(&mut self) {
        for service in SERVICES {
            let _ = Command::new("docker").args(["rm", "--force", &format!("appbundle-test-{service}")]).output();
        }
        let _ = Command::new("docker").args(["network", "rm", NETWORK]).output();
    }
}

fn example() -> PathBuf {
    repository().join("examples/photo-gallery")
}

fn build(folder: &Path, formats: &str) -> Vec<PathBuf> {
    let printed = ok(&mut appbundle(folder, &["build", "--locked", "--format", formats]));
    printed.lines().map(PathBuf::from).collect()
}

fn retry(what: &str, mut attempt: impl FnMut() -> Option<Vec<u8>>) -> Vec<u8> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = attempt() {
            return answer;
        }
        assert!(Instant::now() < end, "{what} did not answer in time");
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn fetch(arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("curl").args(["--silent", "--fail", "--max-time", "20"]).args(arguments).output().expect("curl");
    output.status.success().then_some(output.stdout)
}

fn the_example_runs_as_arm64_and_serves_a_picture_through_all_three() {
    let bundles = build(&example(), "auterionos,docker");
    let [app_file, archive] = &bundles[..] else { panic!("{bundles:?}") };
    let app_file = app_file.to_str().expect("path");
    judge("mender-artifact", &["validate", app_file]);
    let seen = judge("auterion-cli", &["app", "inspect", app_file]);
    assert!(seen.contains("photo-gallery") && seen.contains("1.0.0") && seen.contains("com.example"), "{seen}");
    ok(&mut appbundle(&example(), &["verify", app_file]));

    // The image in the app file and the docker archive hold the same images.
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    ok(Command::new("tar").args(["xf", app_file]).current_dir(path));
    ok(Command::new("tar").args(["xzf", "data/0000.tar.gz"]).current_dir(path));
    let loaded = ok(Command::new("docker").args(["load", "-i", "com.example.photo-gallery.image"]).current_dir(path));
    let id = |service: &str| judge("docker", &["image", "inspect", "--format", "{{.Id}} {{.Architecture}}", &image(service)]);
    let ids: Vec<String> = SERVICES.iter().map(|service| id(service)).collect();
    assert!(ids.iter().all(|id| id.trim().ends_with(" arm64")), "{loaded}{ids:?}");
    judge("docker", &["load", "-i", archive.to_str().expect("path")]);
    assert_eq!(ids, SERVICES.iter().map(|service| id(service)).collect::<Vec<_>>());

    drop(Containers);
    let containers = Containers;
    judge("docker", &["network", "create", NETWORK]);
    let ports: [u16; 3] = free_ports();
    let published = [8082, 8081, 8080].iter().zip(ports).map(|(inside, port)| format!("127.0.0.1:{port}:{inside}"));
    for (service, port) in SERVICES.iter().zip(published) {
        let name = format!("appbundle-test-{service}");
        let mut arguments = vec!["run", "--detach", "--platform", "linux/arm64", "--name", &name, "--publish", &port];
        arguments.extend(["--network", NETWORK, "--network-alias", service, "--env", "TOKEN=ours"]);
        judge("docker", &[&arguments[..], &[&image(service)]].concat());
    }
    for port in ports {
        let answer = retry("/healthz", || fetch(&[&format!("http://127.0.0.1:{port}/healthz")]));
        assert_eq!(answer, b"ok", "port {port}");
    }
    let [_, gallery, camera] = ports.map(|port| format!("http://127.0.0.1:{port}"));
    let captured = retry("/capture", || fetch(&["-X", "POST", &format!("{camera}/camera/capture")]));
    let captured: serde_json::Value = serde_json::from_slice(&captured).expect("JSON");
    let id = &captured["id"];
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let picture = fetch(&[&format!("{gallery}/photos/{id}")]).expect("the picture");
    let small = fetch(&[&format!("{gallery}/photos/{id}/thumbnail?width=64")]).expect("the thumbnail");
    assert!(picture.starts_with(&[0xff, 0xd8]) && small.starts_with(&[0xff, 0xd8]), "both are JPEG");
    assert!(small.len() < picture.len());
    assert!(fetch(&["--data-binary", "@Cargo.toml", &format!("{gallery}/photos")]).is_none(), "only with the token");
    let page = fetch(&[&format!("{gallery}/")]).expect("the page");
    assert!(String::from_utf8_lossy(&page).contains("<html"), "the static files are served");
    drop(containers);
}

/// What its manifest says of tests: something that answers instead of the thumbnailer.
fn the_example_is_tested_with_something_that_answers_instead_of_a_service() {
    let named = "hashicorp/http-echo:1.0";
    let there = Command::new("docker").args(["image", "inspect", named]).output().expect("docker").status.success();
    if !there {
        let own = support::running::image("appbundle-test-echo", include_str!("programs/echo.c"));
        judge("docker", &["tag", &own, named]);
    }
    let tested =
        ok(appbundle(&example(), &["test", "gallery-service", "--locked", "--", "--", "--nocapture"])
            .env_remove("THUMBNAILER_URL"));
    if !there {
        judge("docker", &["rmi", named]);
    }
    assert!(tested.contains("a_thumbnail_is_what_the_thumbnailer_answers ... ok"), "{tested}");
    assert!(!tested.contains("skipped"), "{tested}");
}

fn image(service: &str) -> String {
    format!("com.example.photo-gallery.{service}:1.0.0")
}

/// Another folder, another user, another home, another umask, time zone and language: the same bytes.
fn two_builds_from_two_folders_by_two_users_are_equal_byte_for_byte() {
    let first = build(&example(), "auterionos,docker,oci");
    let folder = tempfile::tempdir().expect("folder");
    let other = folder.path().join("elsewhere and deeper").join("photos");
    std::fs::create_dir_all(other.parent().expect("parent")).expect("folders");
    let files = judge("git", &["-C", example().to_str().expect("path"), "ls-files"]);
    for file in files.lines() {
        let to = other.join(file);
        std::fs::create_dir_all(to.parent().expect("parent")).expect("folders");
        std::fs::copy(example().join(file), to).expect("copied");
    }
    ok(Command::new("sh").args(["-c", "chmod -R go-rwx ."]).current_dir(&other));
    let home = folder.path().join("home");
    std::fs::create_dir(&home).expect("folder");
    let rustup = std::env::var("RUSTUP_HOME").unwrap_or_else(|_| format!("{}/.rustup", std::env::var("HOME").expect("home")));
    let inner = appbundle(&other, &["build", "--locked", "--format", "auterionos,docker,oci"]);
    let user = ["unshare", "--user", "--map-user=4321", "--map-group=4321", "sh", "-c", "umask 077; exec \"$@\"", "sh"];
    let mut command = within(&user, &inner);
    command.env("HOME", &home).env("CARGO_HOME", home.join("cargo")).env("RUSTUP_HOME", rustup);
    command.envs([("TZ", "Asia/Kathmandu"), ("LC_ALL", "C"), ("USER", "somebody")]);
    let printed = ok(&mut command);
    for (one, two) in first.iter().zip(printed.lines()) {
        let (a, b) = (std::fs::read(one).expect("read"), std::fs::read(two).expect("read"));
        assert!(a == b, "{} and {two} differ", one.display());
    }
    assert_eq!(first.len(), printed.lines().count());
}

/// Its library comes from Debian's packages, natively: an engine only runs the result.
fn a_shared_library_of_debian_is_in_the_base_of_the_other_example() {
    let station = repository().join("examples/weather-station");
    let printed = ok(appbundle(&station, &["build", "--format", "docker"]).env("DOCKER_HOST", "tcp://127.0.0.1:9"));
    let archive = printed.trim();
    let listed = ok(&mut appbundle(&station, &["inspect", archive]));
    assert!(listed.contains("libsqlite3-0"), "{listed}");
    judge("docker", &["load", "-i", archive]);

    let [port] = free_ports();
    let name = "appbundle-test-readings";
    let remove = || drop(Command::new("docker").args(["rm", "--force", name]).output());
    remove();
    let published = format!("127.0.0.1:{port}:8080");
    let image = "com.example.weather-station.readings:1.0.0";
    judge("docker", &["run", "--detach", "--platform", "linux/arm64", "--name", name, "--publish", &published, image]);
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let healthy = retry("/healthz", || fetch(&[&url("/healthz")]));
    for celsius in ["20", "23"] {
        fetch(&["--data", celsius, &url("/readings")]).expect("kept");
    }
    let mean = fetch(&[&url("/mean")]).expect("the mean");
    let refused = fetch(&["--data", "warm", &url("/readings")]);
    // The executable has no SQLite of its own.
    let version = judge("docker", &["logs", name]);
    remove();
    assert_eq!((&healthy[..], &mean[..], refused), (&b"ok"[..], &b"{\"count\":2,\"mean\":21.50}\n"[..], None));
    let package = listed.split_once(" libsqlite3-0 ").expect("the package").1.trim_start();
    let of_package = package.split('-').next().expect("a version");
    assert!(version.contains(&format!("SQLite {of_package} ")), "{version} and {of_package}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(
            the_example_runs_as_arm64_and_serves_a_picture_through_all_three,
            [docker_arm64, arm64_rust, auterion_cli, mender_artifact, curl]
        ),
        test!(
            a_shared_library_of_debian_is_in_the_base_of_the_other_example,
            [docker_arm64, arm64_rust, arm64_sqlite, debian_archive, curl]
        ),
        test!(the_example_is_tested_with_something_that_answers_instead_of_a_service, [docker]),
        test!(two_builds_from_two_folders_by_two_users_are_equal_byte_for_byte, [arm64_rust, namespaces]),
    ])
}
