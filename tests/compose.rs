//! Compose files as both generations of compose run them.

mod support;

use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{compose, docker};
use support::{Project, appbundle, judge, ok};

const X86: &str = "x86_64-unknown-linux-gnu";
const WAITS: &str = "#include <signal.h>\n#include <unistd.h>\nstatic void end(int s) { _exit(0); }\n\
    int main() { signal(SIGTERM, end); for (;;) pause(); }\n";

/// An app with its images in Docker. Its only service is called as that of any other app is.
fn app(name: &str) -> Project {
    let project = Project::named(name, &[]);
    project.edit("Cargo.toml", |text| format!("{text}targets = [\"{X86}\"]\n"));
    project.service("web", "");
    project.compile("cc", "web", WAITS, &["-O1"]);
    project.compile("cc", "../target/debug/web", WAITS, &["-O1"]);
    let bundle = ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
    ok(&mut appbundle(project.path(), &["load", bundle.trim()]));
    ok(&mut appbundle(project.path(), &["generate", "--for", "compose,dev"]));
    project
}

/// Two apps, and the development of one of them, are three projects.
fn down_of_one_app_leaves_the_containers_of_others() {
    let (left, right) = (app("compose-left"), app("compose-right"));
    let all = [
        (&left, "compose/compose-left/docker-compose.yml"),
        (&right, "compose/compose-right/docker-compose.yml"),
        (&left, "dev/compose-left-dev/docker-compose.dev.yml"),
    ];
    for program in ["docker-compose", "docker-compose-v2"] {
        let compose = |(project, file): &(&Project, &str), words: &[&str]| {
            ok(Command::new(program).arg("-f").arg(project.path().join("target/appbundle").join(file)).args(words))
        };
        let running =
            || -> Vec<bool> { all.iter().map(|of| compose(of, &["ps", "-q"]).split_whitespace().count() == 1).collect() };
        all.iter().for_each(|of| drop(compose(of, &["up", "-d", "--remove-orphans"])));
        let before = running();
        compose(&all[0], &["down", "--remove-orphans", "-t", "1"]);
        let one_less = running();
        compose(&all[2], &["down", "--remove-orphans", "-t", "1"]);
        let two_less = running();
        compose(&all[1], &["down", "--remove-orphans", "-t", "1"]);
        assert_eq!(before, [true, true, true], "{program}");
        assert_eq!(one_less, [false, true, true], "{program}");
        assert_eq!((two_less, running()), (vec![false, true, false], vec![false; 3]), "{program}");
    }
    for name in ["left", "right"] {
        judge("docker", &["rmi", "--force", &format!("com.example.compose-{name}.web:1.2.3")]);
    }
}

fn main() -> ExitCode {
    harness::run(vec![test!(down_of_one_app_leaves_the_containers_of_others, [compose, docker])])
}
