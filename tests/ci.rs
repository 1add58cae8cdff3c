//! The jobs that `ci` writes, and the GitHub action: their steps are run here as the services document that they run them, but for
//! what would change this machine.

#[path = "support/advisories.rs"]
mod advisories;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use serde_json::Value;
use support::harness::{self, test};
use support::needs::{arm64_rust, check_jsonschema};
use support::{Project, appbundle, fails, ok, repository, run, text};

/// A step's words, and the shell that they go to.
struct Step {
    script: String,
    shell: &'static [&'static str],
    environment: Vec<(String, String)>,
}

/// What GitHub runs a step with: without `shell`, errors within a pipe are not seen
/// (Workflow syntax, "Exit codes and error action preference").
const UNSAID: &[&str] = &["bash", "-e"];
const BASH: &[&str] = &["bash", "--noprofile", "--norc", "-eo", "pipefail"];
/// What GitLab's runner has in an image without bash.
const SH: &[&str] = &["sh", "-e"];

/// Programs that would change this machine, or fetch what is not published: they write down how they were called.
fn stubs(folder: &Path) -> PathBuf {
    let path = folder.join("stubs");
    std::fs::create_dir_all(&path).expect("folder");
    let called = path.join("called");
    let stub = |name: &str, otherwise: &str| {
        let script = format!("#!/bin/sh\n{otherwise}\necho {name} \"$@\" >> {}\n", called.display());
        std::fs::write(path.join(name), script).expect("stub");
        ok(Command::new("chmod").arg("+x").arg(path.join(name)));
    };
    for name in ["rustup", "sudo", "apt-get", "dpkg"] {
        stub(name, "");
    }
    let cargo = ok(Command::new("sh").args(["-c", "command -v cargo"]));
    stub("cargo", &format!("[ \"$1\" = install ] || exec {} \"$@\"", cargo.trim()));
    let program = path.join("cargo-appbundle");
    std::os::unix::fs::symlink(support::PROGRAM, program).expect("link");
    path
}

/// Runs steps one after another until one fails; gives the last one's output, and what was kept in `GITHUB_OUTPUT`.
fn play(project: &Project, steps: &[Step]) -> (Output, String) {
    let folder = tempfile::tempdir().expect("folder");
    let stubs = stubs(folder.path());
    let kept = folder.path().join("kept");
    std::fs::write(&kept, "").expect("written");
    // The toolchain that the other tests compile with.
    let like = appbundle(project.path(), &[]);
    let mut last = None;
    for step in steps {
        let path = folder.path().join("step.sh");
        std::fs::write(&path, &step.script).expect("written");
        let mut command = Command::new(step.shell[0]);
        command.args(&step.shell[1..]).arg(&path).current_dir(project.path());
        for (name, value) in like.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let path = std::env::var("PATH").expect("PATH");
        command.env("PATH", format!("{}:{path}", stubs.display())).env("GITHUB_OUTPUT", &kept).env("RUNNER_TEMP", folder.path());
        command.env("GITHUB_ACTION_PATH", repository()).envs(step.environment.iter().cloned());
        let output = run(&mut command);
        let failed = !output.status.success();
        last = Some(output);
        if failed {
            break;
        }
    }
    let called = std::fs::read_to_string(stubs.join("called")).expect("stubs were called");
    assert!(called.contains("rustup target add aarch64-unknown-linux-gnu"), "{called}");
    assert!(called.contains("install --yes --no-install-recommends gcc-aarch64-linux-gnu"), "{called}");
    let foreign = called.find("dpkg --add-architecture arm64").expect("apt is told of the architecture");
    let installed = called.find("libno-such-dev:arm64").expect("the table's packages are installed");
    assert!(called[foreign..installed].contains("apt-get update"), "{called}");
    (last.expect("a step"), std::fs::read_to_string(kept).expect("kept"))
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The steps with `run` of a job or action. `inputs` are what an action's expressions stand for.
fn github(steps: &Value, inputs: &dyn Fn(&str) -> String) -> Vec<Step> {
    let steps = steps.as_array().expect("steps").iter().filter(|step| step["run"].is_string());
    let environment = |step: &Value| -> Vec<(String, String)> {
        let all = step["env"].as_object().into_iter().flatten();
        all.map(|(name, value)| (name.clone(), inputs(value.as_str().unwrap_or_default()))).collect()
    };
    let shell = |step: &Value| if step["shell"] == "bash" { BASH } else { UNSAID };
    steps.map(|step| Step { script: words(&step["run"]), shell: shell(step), environment: environment(step) }).collect()
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML")
}

/// A workspace that compiles in a moment, with a lock file.
fn workspace() -> Project {
    let project = Project::new(&["alpha"]);
    project.edit("Cargo.toml", |text| text + "build.packages = [\"libssl-dev\", \"protobuf-compiler\", \"libno-such-dev\"]\n");
    ok(Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(project.path()));
    project.write(".gitignore", "/target\n");
    for arguments in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "first"]] {
        let own = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        ok(Command::new("git").args(own).args(arguments).current_dir(project.path()));
    }
    // What the job's step without `run` checks out.
    advisories::database(&project.path().join("target/advisory-db"));
    project
}

/// Plays a job on a good workspace, and on one that does not compile though an older bundle stands there.
fn judge(job: &dyn Fn(&Project) -> Vec<Step>) {
    let project = workspace();
    let bundle = project.path().join("target/appbundle/com.example.demo-1.2.3.auterionos");
    let (output, kept) = play(&project, &job(&project));
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("com.example.demo 1.2.3"), "inspected: {}", text(&output.stdout));
    assert!(bundle.is_file());
    if !kept.is_empty() {
        assert!(kept.contains(&format!("<<END\n{}\nEND\n", bundle.display())), "{kept}");
    }
    project.write("services/alpha/src/main.rs", "fn main() { no }\n");
    let (output, kept) = play(&project, &job(&project));
    assert!(!output.status.success(), "a failing build fails the job");
    assert!(text(&output.stderr).contains("cannot find value `no`"), "{}", text(&output.stderr));
    assert_eq!(kept, "");
}

fn the_github_job_builds_and_fails_with_the_build() {
    judge(&|project| {
        let job = yaml(&ok(&mut appbundle(project.path(), &["ci", "github", "--stdout"])));
        github(&job["jobs"]["bundle"]["steps"], &without_secrets)
    });
}

/// As in a repository without secrets.
fn without_secrets(expression: &str) -> String {
    if expression.starts_with("${{ secrets.") { String::new() } else { expression.to_owned() }
}

fn the_github_job_signs_once_there_is_a_secret() {
    let project = workspace();
    ok(&mut appbundle(project.path(), &["keygen"]));
    let job = yaml(&ok(&mut appbundle(project.path(), &["ci", "github", "--stdout"])));
    let key = project.text("appbundle.key");
    let secrets =
        |expression: &str| if expression == "${{ secrets.APPBUNDLE_SIGN_KEY }}" { key.clone() } else { expression.to_owned() };
    let (output, kept) = play(&project, &github(&job["jobs"]["bundle"]["steps"], &secrets));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let bundle = project.path().join("target/appbundle/com.example.demo-1.2.3.auterionos");
    assert!(kept.contains(&format!("envelopes<<END\n{}.intoto.jsonl\nEND\n", bundle.display())), "{kept}");
    ok(appbundle(project.path(), &["verify", "--key", "appbundle.pub"]).arg(bundle));
}

fn the_gitlab_job_builds_and_fails_with_the_build() {
    judge(&|project| {
        let job = yaml(&ok(&mut appbundle(project.path(), &["ci", "gitlab", "--stdout"])));
        let lines = ["before_script", "script"].map(|key| job["appbundle"][key].as_array().expect("lines").clone());
        let script: Vec<String> = lines.iter().flatten().map(words).collect();
        let home = words(&job["appbundle"]["variables"]["CARGO_HOME"]);
        let home = home.replace("$CI_PROJECT_DIR", &project.path().display().to_string());
        vec![Step { script: script.join("\n"), shell: SH, environment: vec![("CARGO_HOME".into(), home)] }]
    });
}

fn the_action_builds_and_fails_with_the_build() {
    let action = yaml(&std::fs::read_to_string(repository().join("action.yml")).expect("action.yml"));
    assert_eq!(action["runs"]["using"], "composite");
    let steps = action["runs"]["steps"].as_array().expect("steps");
    assert!(steps.iter().all(|step| step["run"].is_null() || step["shell"] == "bash"), "an action's step must name its shell");
    let input = |expression: &str| {
        let name = expression.trim_start_matches("${{ inputs.").trim_end_matches(" }}");
        words(&action["inputs"][name]["default"])
    };
    judge(&|_| github(&action["runs"]["steps"], &input));
}

fn several_targets_are_all_installed_and_all_cleaned() {
    let project = workspace();
    let targets = "targets = [\"aarch64-unknown-linux-gnu\", \"x86_64-unknown-linux-gnu\"]\n";
    project.edit("Cargo.toml", |text| format!("{text}{targets}"));
    for service in ["github", "gitlab"] {
        let job = ok(&mut appbundle(project.path(), &["ci", service, "--stdout"]));
        assert!(job.contains("rustup target add aarch64-unknown-linux-gnu x86_64-unknown-linux-gnu\n"), "{job}");
        assert!(job.contains(" gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc libc6-dev libssl-dev:arm64 protobuf-compiler libno-such-dev:arm64 libssl-dev libno-such-dev\n"), "{job}");
    }
    for file in ["com.example.demo-1.2.3.oci.tar", "linux-arm64/app.yml", "linux-amd64/cache/x.gz"] {
        project.write(&format!("target/appbundle/{file}"), "old");
    }
    ok(&mut appbundle(project.path(), &["clean", "--cache"]));
    assert!(!project.path().join("target/appbundle/linux-amd64/cache").exists());
    assert!(project.path().join("target/appbundle/linux-arm64/app.yml").exists());
    ok(&mut appbundle(project.path(), &["clean"]));
    assert!(!project.path().join("target/appbundle").exists());
}

/// The line that installs the program, of either job.
fn install_line(job: &str) -> &str {
    let line = job.lines().find(|line| line.contains("cargo install")).expect("a line that installs");
    line.trim_start().trim_start_matches("run: ").trim_start_matches("- ")
}

fn jobs_install_from_crates_io_or_from_a_repository() {
    let project = Project::new(&["alpha"]);
    let url = "https://git.example.com/tools/cargo-appbundle";
    for service in ["github", "gitlab"] {
        for (more, expected) in [(vec![], String::new()), (vec!["--git", url], format!(" --git {url}"))] {
            let job = ok(appbundle(project.path(), &["ci", service, "--stdout"]).args(&more));
            let parsed = yaml(&job);
            let variables = if service == "github" { &parsed["env"] } else { &parsed["appbundle"]["variables"] };
            // Where no cargo-appbundle is found yet, and `cargo` only tells how it was called.
            let script = format!("cargo() {{ echo \"$*\"; }}\n{}\n", install_line(&job));
            let mut shell = Command::new("/bin/sh");
            shell
                .args(["-eu", "-c", &script])
                .env_clear()
                .env("PATH", "/nowhere")
                .env("APPBUNDLE_GIT", words(&variables["APPBUNDLE_GIT"]));
            assert_eq!(ok(&mut shell), format!("install --locked{expected} cargo-appbundle\n"), "{service}");
        }
    }
    // What registries and archives sent is kept from run to run.
    let cached = ["~/.cache/cargo-appbundle", ".cache/cargo-appbundle"];
    for (service, folder) in ["github", "gitlab"].into_iter().zip(cached) {
        assert!(ok(&mut appbundle(project.path(), &["ci", service, "--stdout"])).contains(folder));
    }
    let said = fails(&mut appbundle(project.path(), &["ci", "github", "--stdout", "--git", "a b"]), 1);
    assert!(said.contains("`a b` is not the address of a git repository"), "{said}");
}

/// As the services' own schemas have it.
fn jobs_and_workflows_follow_their_schemas() {
    let project = Project::new(&["alpha"]);
    ok(&mut appbundle(project.path(), &["ci", "github"]));
    ok(&mut appbundle(project.path(), &["ci", "gitlab", "--git", "https://git.example.com/a"]));
    let workflows = std::fs::read_dir(repository().join(".github/workflows")).expect("workflows").flatten();
    let mut workflows: Vec<PathBuf> = workflows.map(|entry| entry.path()).collect();
    workflows.push(project.path().join(".github/workflows/appbundle.yml"));
    let schemas = [
        ("vendor.github-workflows", workflows),
        ("vendor.gitlab-ci", vec![project.path().join(".gitlab-ci.yml")]),
        ("vendor.github-actions", vec![repository().join("action.yml")]),
    ];
    for (schema, files) in schemas {
        ok(Command::new("check-jsonschema").args(["--builtin-schema", schema]).args(files));
    }
}

fn a_job_never_replaces_the_users() {
    let project = Project::new(&["alpha"]);
    for (service, path) in [("github", ".github/workflows/appbundle.yml"), ("gitlab", ".gitlab-ci.yml")] {
        let printed = ok(&mut appbundle(project.path(), &["ci", service, "--stdout"]));
        ok(&mut appbundle(project.path(), &["ci", service]));
        assert_eq!(project.text(path), printed);
        project.write(path, "mine: true\n");
        assert!(fails(&mut appbundle(project.path(), &["ci", service]), 1).contains("already exists"));
        assert_eq!(project.text(path), "mine: true\n");
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(the_github_job_signs_once_there_is_a_secret, [arm64_rust]),
        test!(the_github_job_builds_and_fails_with_the_build, [arm64_rust]),
        test!(the_gitlab_job_builds_and_fails_with_the_build, [arm64_rust]),
        test!(the_action_builds_and_fails_with_the_build, [arm64_rust]),
        test!(jobs_install_from_crates_io_or_from_a_repository),
        test!(jobs_and_workflows_follow_their_schemas, [check_jsonschema]),
        test!(several_targets_are_all_installed_and_all_cleaned),
        test!(a_job_never_replaces_the_users),
    ])
}
