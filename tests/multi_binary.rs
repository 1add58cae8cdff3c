//! `layout = "multi-binary"`: all services in one image.

mod support;

use support::{Project, appbundle, engine, fails, judge, ok, tool};

const IMAGE: &str = "com.example.demo:1.2.3";

fn project() -> Option<Project> {
    let project = Project::new(&[]);
    let manifest = String::from_utf8(project.read("Cargo.toml")).expect("text");
    project.write("Cargo.toml", &format!("{manifest}layout = \"multi-binary\"\nbase = \"scratch\"\n"));
    project.service(
        "alpha",
        "args = [\"--x\", \"a $b\"]\nenvironment = { A = \"1\" }\nports = [\"80:8080\"]\nuser = \"1000:1000\"\n",
    );
    project.service("beta", "files = [{ from = \"conf.txt\", to = \"/etc/beta.conf\" }]\nvolumes = [\"data:/data\"]\n");
    project.write("services/beta/conf.txt", "conf");
    if !tool("aarch64-linux-gnu-gcc") {
        return None;
    }
    for service in ["alpha", "beta"] {
        let source =
            format!("#include <stdio.h>\nint main(int n, char **v) {{ printf(\"{service} %d %s\\n\", n, v[n - 1]); }}\n");
        project.compile("aarch64-linux-gnu-gcc", service, &source, &["-static"]);
    }
    Some(project)
}

#[test]
fn one_image_holds_all_executables_and_starts_none() {
    let Some(project) = project() else { return };
    let printed = ok(&mut project.pack(&["--format", "auterionos,docker,oci"]));
    for bundle in printed.lines() {
        ok(&mut appbundle(project.path(), &["verify", bundle]));
        let report: serde_json::Value =
            serde_json::from_str(&ok(&mut appbundle(project.path(), &["inspect", bundle, "--json"]))).expect("JSON");
        assert_eq!(report["images"].as_array().map(Vec::len), Some(1), "{report:#}");
    }
    let compose = String::from_utf8(project.read("target/appbundle/app.yml")).expect("text");
    for part in ["/usr/local/bin/alpha", "a $$b", "user: ", "1000:1000", "working_dir: /", IMAGE] {
        assert!(compose.contains(part), "{part} in\n{compose}");
    }
    assert_eq!(compose.matches(IMAGE).count(), 2, "{compose}");
    if !engine() {
        return;
    }
    let load = || judge("docker", &["load", "-i", printed.lines().nth(1).expect("docker")]);
    load();
    let config = judge(
        "docker",
        &["image", "inspect", "--format", "{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{len .RootFS.Layers}}", IMAGE],
    );
    assert_eq!(config.trim(), "null null 3", "files, then an executable in a layer of its own each");
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

#[test]
fn what_does_not_fit_into_one_image_is_told() {
    let Some(project) = project() else { return };
    project.service("gamma", "base = \"auto\"\nfiles = [{ from = \"conf.txt\", to = \"/etc/beta.conf\" }]\n");
    project.write("services/gamma/conf.txt", "other");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in ["one image stands on one base", "both have a file `/etc/beta.conf`", "services/gamma/Cargo.toml:"] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}
