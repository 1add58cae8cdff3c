//! `base = { dockerfile = … }`: the user's own Dockerfile, built by real engines.

mod support;

use std::path::Path;
use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{arm64_cc, docker_arm64};
use support::{Project, fails, judge, ok, run, text};

const SYSROOT: &str = "/usr/aarch64-linux-gnu/lib";

/// Writes the word of the build's argument to a file, and says so.
const MAKER: &str = "#include <stdio.h>\n#include <stdlib.h>\n\
    int main() { const char *w = getenv(\"WORD\"); FILE *f = fopen(\"/etc/made\", \"w\"); fprintf(f, \"%s\\n\", w); fclose(f);\n\
    printf(\"made %s\\n\", w); fprintf(stderr, \"as told\\n\"); return w[0] == '!'; }\n";

const DOCKERFILE: &str = "FROM scratch AS first\nCOPY root /\nCOPY maker /maker\nARG WORD\nRUN [\"/maker\"]\n\n\
    FROM first AS second\nENV OF_BASE=yes\nCOPY . /context\n\n\
    FROM second AS third\nENV OF_THIRD=yes\n";

fn project(name: &str) -> Project {
    let project = Project::named(name, &["alpha", "beta"]);
    project.binaries(&["alpha", "beta"]);
    let lib = project.path().join("system/root/lib");
    std::fs::create_dir_all(project.path().join("system/root/etc")).expect("folders");
    std::fs::create_dir_all(&lib).expect("folders");
    for name in ["libc.so.6", "ld-linux-aarch64.so.1"] {
        std::fs::copy(Path::new(SYSROOT).join(name), lib.join(name)).expect("the cross C library");
    }
    project.compile("aarch64-linux-gnu-gcc", "maker", MAKER, &["-static"]);
    std::fs::rename(project.path().join("bin/maker"), project.path().join("system/maker")).expect("moved");
    project.write("system/Dockerfile.base", DOCKERFILE);
    project.write("system/.dockerignore", "*.tmp\n");
    project.write("system/note.txt", "a note");
    project
}

fn base(word: &str) -> String {
    format!("{{ dockerfile = \"system/Dockerfile.base\", args = {{ WORD = \"{word}\" }}, target = \"second\" }}")
}

fn it_is_built_for_the_target_once_and_again_when_it_changes() {
    let project = project("filed");
    // A word that no run had before: the engine has a cache of its own.
    let word = format!("{:?}", std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("time"));
    project.with_base(&base(&word));
    let nobody = "unix:///nonexistent/docker.sock";
    let output = run(&mut project.pack(&["--format", "docker"]));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Building system/Dockerfile.base for linux/arm64 with Docker"), "{said}");
    assert!(said.contains("RUN [\"/maker\"]") && said.contains(&format!("made {word}")) && said.contains("as told"), "{said}");
    let bundle = text(&output.stdout);
    judge("docker", &["load", "-i", bundle.trim()]);
    let image = "com.example.filed.alpha:1.2.3";
    assert_eq!(judge("docker", &["run", "--rm", "--platform", "linux/arm64", image]), "alpha\n");
    let config = judge("docker", &["image", "inspect", "--format", "{{.Config.Env}} {{.Architecture}}", image]);
    assert!(config.contains("OF_BASE=yes") && !config.contains("OF_THIRD") && config.contains("arm64"), "{config}");
    let container = judge("docker", &["create", "--platform", "linux/arm64", image]);
    let files = ok(Command::new("sh").args(["-c", &format!("docker export {} | tar t", container.trim())]));
    judge("docker", &["rm", container.trim()]);
    assert!(files.contains("etc/made") && files.contains("context/note.txt"), "{files}");
    let dockerfile = project.text("target/appbundle/docker/Dockerfile.base");
    assert!(
        dockerfile.contains("# First: docker build --platform linux/arm64 -t appbundle-base:")
            && dockerfile.contains("ARG BASE=appbundle-base:"),
        "{dockerfile}"
    );

    // Nothing changed: nobody is asked, nor when only a service or an ignored file changes.
    let said = text(&run(project.pack(&["--format", "docker"]).env("DOCKER_HOST", nobody)).stderr);
    assert!(said.contains("Fresh"), "{said}");
    project.binary("beta", "int main() { return 0; }\n");
    project.write("system/left.tmp", "ignored");
    ok(project.pack(&["--format", "docker"]).env("DOCKER_HOST", nobody));

    for change in ["argument", "file", "Dockerfile"] {
        match change {
            "argument" => project.with_base(&base("other")),
            "file" => project.write("system/note.txt", "another note"),
            _ => project.write("system/Dockerfile.base", &DOCKERFILE.replace("yes", "no")),
        }
        let error = fails(project.pack(&["--format", "docker"]).env("DOCKER_HOST", nobody), 1);
        assert!(
            error.contains("failed to build the base `system/Dockerfile.base`") && error.contains("no container engine answers"),
            "{change}: {error}"
        );
        assert!(error.contains("help: start Docker or podman, or use a base that needs none"), "{error}");
        ok(&mut project.pack(&["--format", "docker"]));
    }
    // The same sources give the same, whoever builds: layers are what the engine made, once.
    let bytes = project.read("target/appbundle/com.example.filed-1.2.3.docker.tar");
    std::fs::remove_file(project.path().join("target/appbundle/com.example.filed-1.2.3.docker.tar")).expect("removed");
    ok(project.pack(&["--format", "docker"]).env("DOCKER_HOST", nobody));
    assert!(project.read("target/appbundle/com.example.filed-1.2.3.docker.tar") == bytes);
}

fn what_fails_in_it_is_told() {
    let project = project("failing");
    project.with_base(&base("!no"));
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("exit code: 1") && error.contains("made !no"), "{error}");
    project.write("system/Dockerfile.base", "FROM scratch AS second\nCOPY nothing /\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("failed to build the base") && error.contains("nothing"), "{error}");
    project.write("system/Dockerfile.base", "FRM scratch\n");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.to_lowercase().contains("unknown instruction"), "{error}");

    for (base, why) in [
        ("{ dockerfile = \"nowhere\" }", "the file `nowhere` does not exist"),
        ("{ dockerfile = \"system/Dockerfile.base\", context = \"nowhere\" }", "the folder `nowhere` does not exist"),
        ("{ dockerfile = \"system/Dockerfile.base\", archive = \"system\" }", "can only have `context`, `args` and `target`"),
        ("{ rootfs = \"system\", target = \"second\" }", "need a `dockerfile`"),
    ] {
        project.with_base(base);
        let error = fails(&mut project.pack(&[]), 1);
        assert!(error.contains(why) && error.contains("--> Cargo.toml"), "{error}");
    }
}

fn an_image_that_is_marked_for_another_machine_is_refused() {
    let project = project("marked");
    ok(Command::new("tar").args(["-C", "system/root", "-cf", "root.tar", "."]).current_dir(project.path()));
    let tar = project.path().join("root.tar");
    judge("docker", &["import", "--platform", "linux/amd64", tar.to_str().expect("path"), "appbundle-test-marked:1"]);
    project.write("system/Dockerfile.base", "FROM appbundle-test-marked:1\nENV A=b\n");
    project.with_base("{ dockerfile = \"system/Dockerfile.base\" }");
    let error = fails(&mut project.pack(&[]), 1);
    assert!(error.contains("the image `appbundle-test-marked:1` of its `FROM` is for linux/amd64"), "{error}");
    assert!(error.contains("help: `docker pull --platform linux/arm64 IMAGE`, or begin"), "{error}");
    judge("docker", &["rmi", "appbundle-test-marked:1"]);
}

fn a_context_can_be_another_folder() {
    let project = project("contexts");
    project.write("elsewhere/Dockerfile", "FROM scratch\nCOPY root /\nCOPY note.txt /note\n");
    project.with_base("{ dockerfile = \"elsewhere/Dockerfile\", context = \"system\" }");
    let bundle = ok(&mut project.pack(&["--format", "docker"]));
    judge("docker", &["load", "-i", bundle.trim()]);
    assert_eq!(judge("docker", &["run", "--rm", "--platform", "linux/arm64", "com.example.contexts.alpha:1.2.3"]), "alpha\n");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(it_is_built_for_the_target_once_and_again_when_it_changes, [docker_arm64, arm64_cc]),
        test!(what_fails_in_it_is_told, [docker_arm64, arm64_cc]),
        test!(an_image_that_is_marked_for_another_machine_is_refused, [docker_arm64, arm64_cc]),
        test!(a_context_can_be_another_folder, [docker_arm64, arm64_cc]),
    ])
}
