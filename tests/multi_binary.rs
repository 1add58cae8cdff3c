//! `layout = "multi-binary"`: all services in one image.

mod support;

use std::process::ExitCode;

use support::harness::{self, test};
use support::needs::{arm64_cc, docker_arm64};
use support::{Project, appbundle, fails, judge, ok};

const IMAGE: &str = "com.example.demo:1.2.3";

fn project() -> Project {
    let project = Project::new(&[]);
    project.edit("Cargo.toml", |text| text + "layout = \"multi-binary\"\nbase = \"scratch\"\n");
    project.service(
        "alpha",
        "args = [\"--x\", \"a $b\"]\nenvironment = { A = \"1\" }\nports = [\"80:8080\"]\nuser = \"1000:1000\"\n",
    );
    project.service("beta", "files = [{ from = \"conf.txt\", to = \"/etc/beta.conf\" }]\nvolumes = [\"data:/data\"]\n");
    project.write("services/beta/conf.txt", "conf");
    for service in ["alpha", "beta"] {
        let source =
            format!("#include <stdio.h>\nint main(int n, char **v) {{ printf(\"{service} %d %s\\n\", n, v[n - 1]); }}\n");
        project.compile("aarch64-linux-gnu-gcc", service, &source, &["-static"]);
    }
    project
}

fn one_image_holds_all_executables_and_starts_none() {
    let project = project();
    let printed = ok(&mut project.pack(&["--format", "auterionos,docker,oci"]));
    for bundle in printed.lines() {
        ok(&mut appbundle(project.path(), &["verify", bundle]));
        let report: serde_json::Value =
            serde_json::from_str(&ok(&mut appbundle(project.path(), &["inspect", bundle, "--json"]))).expect("JSON");
        assert_eq!(report["images"].as_array().map(Vec::len), Some(1), "{report:#}");
    }
    let compose = project.text("target/appbundle/app.yml");
    for part in ["/usr/local/bin/alpha", "a $$b", "user: ", "1000:1000", "working_dir: /", IMAGE] {
        assert!(compose.contains(part), "{part} in\n{compose}");
    }
    assert_eq!(compose.matches(IMAGE).count(), 2, "{compose}");
    let load = || judge("docker", &["load", "-i", printed.lines().nth(1).expect("docker")]);
    load();
    let config = judge(
        "docker",
        &["image", "inspect", "--format", "{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{len .RootFS.Layers}}", IMAGE],
    );
    assert_eq!(config.trim(), "null null 4", "files, then folders, then an executable in a layer of its own each");
    for service in ["alpha", "beta"] {
        let path = format!("/usr/local/bin/{service}");
        let said = judge("docker", &["run", "--rm", "--platform", "linux/arm64", IMAGE, &path, "x"]);
        assert_eq!(said, format!("{service} 2 x\n"));
    }
    // Docker makes the same of the generated Dockerfile.
    let describe = || {
        judge(
            "docker",
            &[
                "image",
                "inspect",
                "--format",
                "{{.Config.User}} {{json .Config.ExposedPorts}} {{json .Config.Entrypoint}} {{.Config.WorkingDir}} {{json .Config.Labels}}",
                IMAGE,
            ],
        )
    };
    let native = describe();
    ok(&mut project.pack(&["--format", "docker", "--engine", "docker"]));
    load();
    assert_eq!(describe(), native);
    judge("docker", &["rmi", "-f", IMAGE]);
}

fn what_does_not_fit_into_one_image_is_told() {
    let project = project();
    project.service("gamma", "base = \"auto\"\nfiles = [{ from = \"conf.txt\", to = \"/etc/beta.conf\" }]\n");
    project.write("services/gamma/conf.txt", "other");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "services that share an image must share a base",
        "have different files at `/etc/beta.conf`",
        "services/gamma/Cargo.toml:",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

/// What `inspect` says of the other layout is what a build in that layout has.
fn inspect_compares_the_layouts_as_they_are_built() {
    let project = project();
    // A file that two services share, one of one alone, and a second service of the same executable.
    for service in ["alpha", "delta"] {
        project.service(service, "files = [{ from = \"same.txt\", to = \"/etc/same.txt\" }]\n");
        project.write(&format!("services/{service}/same.txt"), "same");
    }
    project.compile("aarch64-linux-gnu-gcc", "delta", "int main() { return 4; }\n", &["-static"]);
    project.write(
        "services/beta/Cargo.toml",
        "[package]\nname = \"beta\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
        [[package.metadata.service]]\nname = \"beta\"\nbin = \"beta\"\nfiles = [{ from = \"conf.txt\", to = \"/etc/beta.conf\" }]\n\
        [[package.metadata.service]]\nname = \"beta-too\"\nbin = \"beta\"\n",
    );
    let root = project.text("Cargo.toml");
    let formats = "auterionos,docker,oci";
    for base in ["base = \"scratch\"\n", "base = { rootfs = \"root.tar\" }\n"] {
        project.write("root/etc/of-base", &"of the base ".repeat(1000));
        ok(std::process::Command::new("tar").args(["-C", "root", "-cf", "root.tar", "etc"]).current_dir(project.path()));
        let reports = ["image-per-service", "multi-binary"].map(|layout| {
            let root = root.replace("base = \"scratch\"\n", base).replace("\"multi-binary\"", &format!("\"{layout}\""));
            project.write("Cargo.toml", &root);
            let printed = ok(&mut project.pack(&["--format", formats]));
            let inspect = |bundle: &str| {
                let report = ok(&mut appbundle(project.path(), &["inspect", bundle, "--json"]));
                let mut report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
                let mut layouts = report["layouts"].take();
                assert_eq!(layouts["this"].take(), layout);
                // What it says of itself is what it has.
                let (itself, layers) = (&layouts[layout], report["layers"].as_array().expect("layers"));
                let sum = |key: &str| layers.iter().map(|layer| layer[key].as_u64().expect("bytes")).sum::<u64>();
                assert_eq!(itself["images"], report["images"].as_array().expect("images").len());
                assert_eq!((&itself["layers"], &itself["all"]["unpacked"]), (&layers.len().into(), &sum("unpacked").into()));
                assert_eq!(itself["all"]["packed"], sum("packed"));
                let sizes = report["images"].as_array().expect("images").iter().map(|image| image["unpacked"].as_u64());
                assert_eq!(itself["largest"]["unpacked"].as_u64(), sizes.max().expect("one"));
                layouts
            };
            printed.lines().map(inspect).collect::<Vec<_>>()
        });
        assert_eq!(reports[0].len(), 3);
        assert_eq!(reports[0], reports[1], "each says the same of both");
        assert!(reports[0].iter().all(|layouts| layouts["multi-binary"]["images"] == 1));
        let one = &reports[0][0];
        assert!(one["image-per-service"]["largest"]["packed"].as_u64() < one["multi-binary"]["largest"]["packed"].as_u64());
    }
    let text = ok(&mut appbundle(project.path(), &["inspect", "target/appbundle/com.example.demo-1.2.3.docker.tar"]));
    let row = |name: &str| text.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{text}"));
    assert!(row("multi-binary").ends_with("this file") && row("image-per-service").contains(" to "), "{text}");

    // One image cannot stand on two bases.
    project.write("Cargo.toml", &root.replace("layout = \"multi-binary\"\n", ""));
    project.service("alpha", "base = { rootfs = \"root.tar\" }\n");
    ok(std::process::Command::new("tar")
        .args(["-C", "root", "-cf", "services/alpha/root.tar", "etc"])
        .current_dir(project.path()));
    let bundle = ok(&mut project.pack(&["--format", "docker"]));
    let text = ok(&mut appbundle(project.path(), &["inspect", bundle.trim()]));
    assert!(text.contains("one image cannot contain all services: they have different bases"), "{text}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(one_image_holds_all_executables_and_starts_none, [docker_arm64, arm64_cc]),
        test!(what_does_not_fit_into_one_image_is_told, [arm64_cc]),
        test!(inspect_compares_the_layouts_as_they_are_built, [arm64_cc]),
    ])
}
