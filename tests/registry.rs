//! Images of a registry as bases, and images pushed to one: a real registry, judged by skopeo.

mod support;

use cargo_appbundle::digest::Digest;
use support::registry::{Guard, Registry, TestImage};
use support::{Project, fails, judge, ok, run, text};

fn project() -> Option<Project> {
    let project = Project::new(&["alpha", "beta"]);
    project.binaries(&["alpha", "beta"]).then_some(project)
}

fn lock(project: &Project) -> String {
    String::from_utf8(project.read("appbundle.lock")).expect("text")
}

#[test]
fn a_base_is_pulled_once_and_pinned() {
    let (Some(project), Some(registry)) = (project(), Registry::start(Guard::None)) else { return };
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
    assert!(String::from_utf8_lossy(&dockerfile).contains(&format!("FROM {reference}@sha256:")));

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
    assert!(error.contains("`--offline` was passed") && error.contains("help: run once without `--offline`"), "{error}");
    ok(&mut project.pack_alone(&["--format", "oci", "--locked"]));
}
