//! Several targets in one build.

mod support;

use std::process::ExitCode;

use support::harness::{self, test};
use support::needs::{arm64_cc, armv7, namespaces, registry, riscv64, skopeo};
use support::registry::{Guard, Registry};
use support::{Project, appbundle, fails, has_std, judge, ok, run, text, toolchain};

const ARM: &str = "aarch64-unknown-linux-gnu";
const AMD: &str = "x86_64-unknown-linux-gnu";

/// Two services, each with a static program for both targets.
fn project() -> Project {
    let project = Project::new(&["alpha", "beta"]);
    let auterion = "[workspace.metadata.appbundle.auterion]\ntarget-platform = [\"skynode\", \"simulation\"]\n";
    project.edit("Cargo.toml", |text| format!("{text}targets = [\"{ARM}\", \"{AMD}\"]\nbase = \"scratch\"\n{auterion}"));
    for (triple, compiler) in [(ARM, "aarch64-linux-gnu-gcc"), (AMD, "cc")] {
        for service in ["alpha", "beta"] {
            let source = format!("#include <stdio.h>\nint main() {{ puts(\"{service} {triple}\"); return 0; }}\n");
            project.compile(compiler, &format!("{triple}/{service}"), &source, &["-static"]);
        }
    }
    project
}

fn an_index_where_the_format_has_one_and_a_bundle_for_each_platform_where_not() {
    let project = project();
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
    for platform in ["arm64", "amd64"] {
        let config = judge("skopeo", &["--override-arch", platform, "inspect", "--config", &archive]);
        assert!(config.contains(&format!("\"{platform}\"")), "{config}");
    }
    let raw = judge("skopeo", &["inspect", "--raw", &archive]);
    assert_eq!(raw.matches("\"platform\"").count(), 2, "{raw}");
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
    assert!(error.contains(&format!("help: select one with `--target {ARM}`")), "{error}");
    let twice = fails(&mut project.pack(&["--target", ARM, "--target", "aarch64-unknown-linux-musl"]), 1);
    assert!(twice.contains("are both for linux/arm64"), "{twice}");
}

fn a_tag_leads_to_all_platforms() {
    let (project, registry) = (project(), Registry::start(Guard::None));
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

const ARMV7: (&str, &str, &str) = ("armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf-gcc", "qemu-arm-static");
const RISCV: (&str, &str, &str) = ("riscv64gc-unknown-linux-gnu", "riscv64-linux-gnu-gcc", "qemu-riscv64-static");

/// What the only service of a docker archive prints, run by qemu with nothing but the image's own files.
fn prints(project: &Project, archive: &str, qemu: &str) -> String {
    let root = project.path().join("root");
    let at = |path: &str| root.join(path).to_str().expect("path").to_owned();
    std::fs::create_dir_all(at("archive")).expect("folder");
    judge("tar", &["-xf", archive, "-C", &at("archive")]);
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at("archive/manifest.json")).expect("manifest")).expect("JSON");
    for layer in manifest[0]["Layers"].as_array().expect("layers") {
        judge("tar", &["-xf", &at(&format!("archive/{}", layer.as_str().expect("path"))), "-C", &at("")]);
    }
    let config = manifest[0]["Config"].as_str().expect("path");
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at(&format!("archive/{config}"))).expect("config")).expect("JSON");
    let program = config["config"]["Entrypoint"][0].as_str().expect("a program");
    judge("cp", &[&format!("/usr/bin/{qemu}"), &at("qemu")]);
    judge("unshare", &["--user", "--map-root-user", "chroot", &at(""), "/qemu", program])
}

/// A program of another processor, with the C library of the cross compiler as its base.
fn runs_from_its_image((triple, compiler, qemu): (&str, &str, &str), platform: &str) {
    let project = Project::new(&["alpha"]);
    project.compile(compiler, "alpha", "#include <stdio.h>\nint main() { puts(\"alpha\"); return 0; }\n", &[]);
    let printed = ok(&mut project.pack(&["--target", triple, "--format", "docker,oci"]));
    let files: Vec<&str> = printed.lines().collect();
    for file in &files {
        ok(&mut appbundle(project.path(), &["verify", file]));
    }
    assert_eq!(prints(&project, files[0], qemu), "alpha\n");
    let config = judge("skopeo", &["inspect", "--config", "--raw", &format!("docker-archive:{}", files[0])]);
    let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    let variant = config["variant"].as_str().map(|variant| format!("/{variant}")).unwrap_or_default();
    assert_eq!(format!("{}{variant}", config["architecture"].as_str().expect("text")), platform);
    let wrong = fails(&mut project.pack(&["--target", AMD]), 1);
    assert!(wrong.contains("is for") && wrong.contains("but the target `x86_64-unknown-linux-gnu` is amd64"), "{wrong}");
}

fn a_program_for_armv7_runs_from_its_image() {
    runs_from_its_image(ARMV7, "arm/v7");
}

fn a_program_for_riscv64_runs_from_its_image() {
    runs_from_its_image(RISCV, "riscv64");
}

fn rust_for_armv7_is_compiled_or_told_what_it_lacks() {
    let (triple, _, qemu) = ARMV7;
    let project = Project::new(&["alpha"]);
    let mut build = appbundle(project.path(), &["build", "--target", triple, "--format", "docker"]);
    if has_std(toolchain(), triple) {
        assert_eq!(prints(&project, ok(&mut build).trim(), qemu), "alpha\n");
    } else {
        let error = fails(&mut build, 1);
        assert!(error.contains(&format!("run `rustup target add {triple}`")), "{error}");
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(an_index_where_the_format_has_one_and_a_bundle_for_each_platform_where_not, [arm64_cc, skopeo]),
        test!(a_tag_leads_to_all_platforms, [registry, arm64_cc]),
        test!(a_program_for_armv7_runs_from_its_image, [armv7, skopeo, namespaces]),
        test!(a_program_for_riscv64_runs_from_its_image, [riscv64, skopeo, namespaces]),
        test!(rust_for_armv7_is_compiled_or_told_what_it_lacks, [armv7, namespaces]),
    ])
}
