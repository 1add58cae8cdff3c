//! Engines and readers that others wrote, as judges of small bundles.

mod support;

use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{arm64_cc, auterion_cli, docker_arm64, mender_artifact, podman, skopeo, umoci};
use support::{Project, judge, ok};

/// Both services and the bundle in all formats.
fn bundles(project: &Project) -> Vec<String> {
    project.binaries(&["alpha", "beta"]);
    ok(&mut project.pack(&["--format", "auterionos,docker,oci"])).lines().map(str::to_owned).collect()
}

fn docker_and_podman_load_all_images_of_a_docker_archive() {
    let project = Project::named("loadable", &["alpha", "beta"]);
    let bundles = bundles(&project);
    let loaded = judge("docker", &["load", "-i", &bundles[1]]);
    assert!(
        loaded.contains("com.example.loadable.alpha:1.2.3") && loaded.contains("com.example.loadable.beta:1.2.3"),
        "{loaded}"
    );
    let printed = judge("docker", &["run", "--rm", "--platform", "linux/arm64", "com.example.loadable.beta:1.2.3"]);
    assert_eq!(printed, "beta\n");
    let store = project.path().join("podman");
    let store = store.to_str().expect("path");
    let podman = ["--root", store, "--runroot", store, "--storage-driver", "vfs"];
    let loaded = ok(Command::new("podman").args(podman).args(["load", "-i", &bundles[1]]));
    assert!(
        loaded.contains("com.example.loadable.alpha:1.2.3") && loaded.contains("com.example.loadable.beta:1.2.3"),
        "{loaded}"
    );
}

fn skopeo_and_umoci_read_the_layouts() {
    let project = Project::new(&["alpha", "beta"]);
    let bundles = bundles(&project);
    let reference = "com.example.demo.alpha:1.2.3";
    let seen = judge("skopeo", &["inspect", "--config", &format!("docker-archive:{}:{reference}", bundles[1])]);
    assert!(seen.contains("\"arm64\""), "{seen}");
    for bundle in &bundles[1..] {
        let folder = tempfile::tempdir().expect("folder");
        let layout = folder.path().join("layout");
        std::fs::create_dir(&layout).expect("folder");
        ok(Command::new("tar").arg("xf").arg(bundle).current_dir(&layout));
        let layout = layout.to_str().expect("path");
        let seen = judge("skopeo", &["inspect", &format!("oci:{layout}:{reference}")]);
        assert!(seen.contains("\"Architecture\": \"arm64\""), "{seen}");
        let root = folder.path().join("root");
        let root = root.to_str().expect("path");
        // umoci takes no colon in a tag: give the image a plain name first.
        let copy = folder.path().join("copy");
        let copy = copy.to_str().expect("path");
        judge("skopeo", &["copy", "--quiet", &format!("oci:{layout}:{reference}"), &format!("oci:{copy}:alpha")]);
        ok(Command::new("umoci").args(["unpack", "--rootless", "--image", &format!("{copy}:alpha"), root]));
        assert!(std::path::Path::new(root).join("rootfs/usr/local/bin/alpha").is_file());
        assert!(std::path::Path::new(root).join("rootfs/etc/ssl/certs/ca-certificates.crt").is_file());
    }
}

fn the_reference_tools_accept_the_app_file() {
    for api in ["1", "2", "6", "8"] {
        let project = Project::new(&["alpha", "beta"]);
        project.edit("Cargo.toml", |text| format!("{text}\n[workspace.metadata.appbundle.auterion]\napi-version = {api}\ntarget-platform = [\"skynode\", \"ainode\"]\n"));
        let bundles = bundles(&project);
        judge("mender-artifact", &["validate", &bundles[0]]);
        let read = judge("mender-artifact", &["read", &bundles[0]]);
        assert!(read.contains("com.example.demo:1.2.3") && read.contains("jetson"), "{read}");
        let seen = judge("auterion-cli", &["app", "inspect", &bundles[0]]);
        assert!(seen.contains("App name: demo") && seen.contains(&format!("App API version: {api}")), "{seen}");
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(docker_and_podman_load_all_images_of_a_docker_archive, [docker_arm64, podman, arm64_cc]),
        test!(skopeo_and_umoci_read_the_layouts, [arm64_cc, skopeo, umoci]),
        test!(the_reference_tools_accept_the_app_file, [arm64_cc, auterion_cli, mender_artifact]),
    ])
}
