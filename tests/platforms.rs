//! Several targets in one build.

mod support;

use support::registry::{Guard, Registry};
use support::{Project, appbundle, fails, judge, ok, run, text, tool};

const ARM: &str = "aarch64-unknown-linux-gnu";
const AMD: &str = "x86_64-unknown-linux-gnu";

/// Two services, each with a static program for both targets.
fn project() -> Option<Project> {
    let project = Project::new(&["alpha", "beta"]);
    if !tool("aarch64-linux-gnu-gcc") {
        return None;
    }
    let manifest = String::from_utf8(project.read("Cargo.toml")).expect("text");
    let auterion = "[workspace.metadata.appbundle.auterion]\ntarget-platform = [\"skynode\", \"simulation\"]\n";
    project.write("Cargo.toml", &format!("{manifest}targets = [\"{ARM}\", \"{AMD}\"]\nbase = \"scratch\"\n{auterion}"));
    for (triple, compiler) in [(ARM, "aarch64-linux-gnu-gcc"), (AMD, "cc")] {
        for service in ["alpha", "beta"] {
            let source = format!("#include <stdio.h>\nint main() {{ puts(\"{service} {triple}\"); return 0; }}\n");
            project.compile(compiler, &format!("{triple}/{service}"), &source, &["-static"]);
        }
    }
    Some(project)
}

#[test]
fn an_index_where_the_format_has_one_and_a_bundle_for_each_platform_where_not() {
    let Some(project) = project() else { return };
    let output = project.path().join("target/appbundle");
    let printed = ok(&mut project.pack(&["--format", "auterionos,docker,oci"]));
    let files: Vec<&str> =
        printed.lines().map(|line| line.strip_prefix(output.to_str().expect("path")).expect("there")).collect();
    let slug = "com.example.demo-1.2.3";
    let expected = [
        format!("/linux-arm64/{slug}.auterionos"),
        format!("/linux-arm64/{slug}.docker.tar"),
        format!("/linux-amd64/{slug}-simulation.auterionos"),
        format!("/linux-amd64/{slug}.docker.tar"),
        format!("/{slug}.oci.tar"),
    ];
    assert_eq!(files, expected);
    for file in printed.lines() {
        ok(&mut appbundle(project.path(), &["verify", file]));
    }
    let archive = format!("oci-archive:{}:com.example.demo.alpha:1.2.3", output.join(format!("{slug}.oci.tar")).display());
    if tool("skopeo") {
        for platform in ["arm64", "amd64"] {
            let config = judge("skopeo", &["--override-arch", platform, "inspect", "--config", &archive]);
            assert!(config.contains(&format!("\"{platform}\"")), "{config}");
        }
        let raw = judge("skopeo", &["inspect", "--raw", &archive]);
        assert_eq!(raw.matches("\"platform\"").count(), 2, "{raw}");
    }
    // Nothing changed, nothing done; and for one of them the folder is the usual one.
    let again = run(&mut project.pack(&["--format", "auterionos,docker,oci"]));
    let said = text(&again.stderr);
    assert!(said.matches("Fresh").count() == 2 && !said.contains("Bundled"), "{said}");
    let one = ok(&mut appbundle(
        project.path(),
        &["build", "--no-compile", "--bin-dir", &format!("bin/{ARM}"), "--format", "oci", "--target", ARM],
    ));
    assert_eq!(one.trim(), output.join(format!("{slug}.oci.tar")).to_str().expect("path"));
    // What is for one target only says so.
    let error = fails(&mut appbundle(project.path(), &["generate"]), 1);
    assert!(error.contains(&format!("help: choose one: `--target {ARM}`")), "{error}");
    let twice = fails(&mut project.pack(&["--target", ARM, "--target", "aarch64-unknown-linux-musl"]), 1);
    assert!(twice.contains("are both for linux/arm64"), "{twice}");
}

#[test]
fn a_tag_leads_to_all_platforms() {
    let (Some(project), Some(registry)) = (project(), Registry::start(Guard::None)) else { return };
    ok(&mut project.pack(&["--format", "oci"]));
    let prefix = format!("{}/team", registry.host);
    let printed = ok(&mut appbundle(project.path(), &["push", "--repo", &prefix]));
    assert_eq!(printed.lines().count(), 2, "{printed}");
    let image = format!("docker://{prefix}/alpha:1.2.3");
    for platform in ["arm64", "amd64"] {
        let arguments = ["--override-arch", platform, "inspect", "--tls-verify=false", "--config", &image];
        let config = judge("skopeo", &arguments);
        assert!(config.contains(&format!("\"{platform}\"")), "{config}");
    }
    // The archive of the same images leads to the same.
    let archive = project.path().join("target/appbundle/com.example.demo-1.2.3.oci.tar");
    let again = ok(&mut appbundle(project.path(), &["push", archive.to_str().expect("path"), "--repo", &prefix]));
    assert_eq!(again, printed);
}
