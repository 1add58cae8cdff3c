//! "With plain Docker" in docs/guide/images.md, command by command.

mod support;

use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{curl, docker, registry};
use support::registry::{Guard, Registry};
use support::{Project, free_ports, judge, ok, repository, run};

const SERVER: &str = include_str!("programs/server.c");
const CONTAINER: &str = "appbundle-test-by-hand";

fn commands() -> Vec<String> {
    let page = std::fs::read_to_string(repository().join("docs/guide/images.md")).expect("the page");
    let section = page.split("## With plain Docker").nth(1).expect("the section");
    let block = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("commands");
    let there = section.split("On another host, `").nth(1).and_then(|rest| rest.split('`').next()).expect("the last command");
    block.lines().map(str::to_owned).chain([there.to_owned()]).collect()
}

fn page(port: u16) -> String {
    for _ in 0..50 {
        let asked = run(Command::new("curl").args(["--silent", "--fail", &format!("http://127.0.0.1:{port}/")]));
        if asked.status.success() {
            return String::from_utf8_lossy(&asked.stdout).into_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("no answer");
}

fn from_build_to_another_hosts_run() {
    let registry = Registry::start(Guard::None);
    let [port] = free_ports();
    let project = Project::named("byhand", &[]);
    project.edit("Cargo.toml", |text| text + "base = \"scratch\"\ntargets = [\"x86_64-unknown-linux-gnu\"]\n");
    project.service("thumbnailer", "environment = { PORT = \"8082\" }\nports = [\"8082:8082\"]\n");
    project.compile("cc", "thumbnailer", SERVER, &["-static", "-O1"]);
    ok(&mut project.pack(&[]));

    let image = format!("{}/thumbnailer:1.2.3", registry.host);
    for command in commands() {
        let command = command
            .replace("com.example.photo-gallery", "com.example.byhand")
            .replace("registry.local:5000", &registry.host)
            .replace(":1.0.0", ":1.2.3")
            .replace("linux/arm64", "linux/amd64")
            .replace("-p 8082:8082", &format!("-p {port}:8082"))
            .replace("docker run ", &format!("docker run --detach --name {CONTAINER} "))
            .replace("docker ", "/usr/bin/docker ");
        let folder = if command.starts_with("cd ") { continue } else { project.path().join("target/appbundle/docker") };
        run(Command::new("docker").args(["rm", "--force", CONTAINER]));
        // The other host has nothing of it.
        if command.contains(" run ") && !command.contains("--rm") {
            judge("docker", &["rmi", "--force", &image]);
        }
        ok(Command::new("sh").args(["-c", &command]).current_dir(&folder));
        if command.contains(" run ") {
            assert_eq!(page(port), "ok\n", "{command}");
        }
    }
    judge("docker", &["rm", "--force", CONTAINER]);
    judge("docker", &["rmi", "--force", &image]);
}

fn main() -> ExitCode {
    harness::run(vec![test!(from_build_to_another_hosts_run, [docker, registry, curl])])
}
