//! Notes: grouped, silenced by their codes, and of the formats that are written.

mod support;

use std::path::Path;
use std::process::Command;

use support::{Project, appbundle, fails, ok, repository, run, text};

const HEALTH: &str = "healthcheck = { path = \"/healthz\", port = 8080 }\nports = [\"8080\"]\n";

fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = run(&mut appbundle(folder, arguments));
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn one_note_for_services_of_which_the_same_is_said() {
    let project = Project::new(&[]);
    project.service("alpha", "replicas = 2\nroutes = { \"/alpha\" = { port = 80 } }\n");
    project.service("beta", "replicas = 3\nroutes = { \"/beta\" = { port = 80 } }\n");
    let said = said(project.path(), &["generate", "--for", "compose,dev"]);
    for note in [
        "note[routes-ignored]: compose: the routes of `alpha`, `beta` are left out: compose has no proxy\n",
        "note[replicas-ignored]: dev: `replicas` of `alpha`, `beta` is ignored: each service runs once\n",
    ] {
        assert!(said.contains(note), "{note} in\n{said}");
    }
}

#[test]
fn a_code_silences_its_note_and_no_other() {
    let project = Project::new(&[]);
    project.service("alpha", "replicas = 2\nroutes = { \"/alpha\" = { port = 80 } }\n");
    let generate = ["generate", "--for", "dev"];
    assert!(said(project.path(), &generate).contains("note[replicas-ignored]"));
    project.edit("Cargo.toml", |text| text + "allow = [\"replicas-ignored\"]\n");
    let said = said(project.path(), &generate);
    assert!(!said.contains("replicas") && said.contains("note[routes-ignored]"), "{said}");
    for (code, why) in [
        ("replica-ignored", "is no code of a note\n --> Cargo.toml:9:10\n"),
        ("unknown-key", "is the code of an error, which cannot be allowed\n"),
    ] {
        project.edit("Cargo.toml", |text| text.lines().take(8).map(|line| format!("{line}\n")).collect());
        project.edit("Cargo.toml", |text| format!("{text}allow = [\"{code}\"]\n"));
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains(&format!("`{code}` {why}")), "{error}");
        assert!(code != "replica-ignored" || error.contains("help: did you mean `replicas-ignored`?"), "{error}");
    }
}

#[test]
fn only_formats_that_are_written_are_spoken_of() {
    let project = Project::new(&[]);
    project.service("alpha", "environment = { LINES = \"a\\nb\" }\nports = [\"8080\"]\nreplicas = 2\n");
    let device = said(project.path(), &["plan", "--format", "auterionos"]);
    assert!(!device.contains("Dockerfile") && device.contains("note[replicas-ignored]: on AuterionOS"), "{device}");
    let docker = said(project.path(), &["plan", "--format", "docker"]);
    assert!(docker.contains("Dockerfile") && !docker.contains("AuterionOS"), "{docker}");
}

#[test]
fn the_example_is_built_without_a_note() {
    let said = said(&repository().join("examples/photo-gallery"), &["plan"]);
    assert!(!said.contains("note"), "{said}");
}

#[test]
fn a_note_has_its_code_in_json_and_a_page() {
    let project = Project::new(&[]);
    project.service("alpha", "replicas = 2\n");
    let lines = ok(&mut appbundle(project.path(), &["plan", "--format", "auterionos", "--message-format", "json"]));
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let notes: Vec<_> = lines.filter(|line| line["message"]["level"] == "note").collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0]["message"]["code"]["code"], "replicas-ignored");
    assert!(notes[0]["message"]["rendered"].as_str().expect("text").starts_with("note[replicas-ignored]: "), "{notes:?}");
    let page = ok(&mut appbundle(project.path(), &["explain", "note[replicas-ignored]:"]));
    assert!(page.starts_with("replicas-ignored: ") && page.contains("How to fix it:"), "{page}");
}

#[test]
fn a_health_check_at_a_port_that_is_not_there_is_noted() {
    let project = Project::new(&[]);
    project.service("alpha", &HEALTH.replace("\"8080\"", "\"8081\""));
    let told = said(project.path(), &["plan"]);
    assert!(
        told.contains("note[health-port]: the `healthcheck` of `alpha` uses the port 8080, which is not in its `ports`\n"),
        "{told}"
    );
    project.service("alpha", HEALTH);
    assert!(!said(project.path(), &["plan"]).contains("health-port"));
    project.service("alpha", &HEALTH.replace("\"8080\"", "\"80:8080\""));
    assert!(!said(project.path(), &["plan"]).contains("health-port"));
}

/// On the host's network, other services have no names.
#[test]
fn names_of_other_services_that_do_not_resolve_on_a_device_are_noted() {
    let project = Project::new(&["storage", "index"]);
    let table = "environment = { STORAGE_URL = \"http://storage:8080/api\", RUST_LOG = \"info,storage=debug\", SELF = \"front:80\", \
        IMAGE = \"storage:latest\" }\nargs = [\"--listen=0.0.0.0:8080\", \"--index=index:9000\"]\n";
    project.service("front", table);
    let device = ["plan", "--format", "auterionos"];
    let told = said(project.path(), &device);
    let note = "note[name-unresolved]: on AuterionOS, `front` uses the host's network, where the name `index` in `args` does not resolve: \
        set `auterion.compose-override.services.front.extra_hosts = [\"index:127.0.0.1\", \"storage:127.0.0.1\"]`\n";
    assert!(told.contains(note) && told.matches("note[").count() == 1, "{told}");
    assert!(!said(project.path(), &["plan", "--format", "docker"]).contains("note["));
    // What the note says helps: Docker resolves the name, and AuterionOS takes the key.
    let header = "[workspace.metadata.appbundle.auterion.compose-override.services.front]\n";
    project.edit("Cargo.toml", |text| format!("{text}{header}extra_hosts = [\"index:127.0.0.1\", \"storage:127.0.0.1\"]\n"));
    assert!(!said(project.path(), &device).contains("note["));
    for (own, has_note) in [
        ("", true),
        ("network-mode = \"bridge\"\n", false),
        ("network-mode = \"host\"\n", true),
        ("compose = { networks = [\"own\"] }\n", false),
        ("auterion = { networking = { subnet = \"10.0.0.0/24\" } }\n", false),
    ] {
        project.edit("Cargo.toml", |text| text.split(header).next().expect("text").to_owned());
        if own.starts_with("auterion") {
            project.edit("Cargo.toml", |text| text + "auterion = { api-version = 5 }\n");
        }
        project.service("front", &format!("environment = {{ A = \"redis://storage\" }}\n{own}"));
        assert_eq!(said(project.path(), &device).contains("name-unresolved"), has_note, "{own}");
    }
    // A key that the app's API lacks.
    project.edit("Cargo.toml", |text| text.replace("api-version = 5", "api-version = 4"));
    let error = fails(&mut appbundle(project.path(), &device), 1);
    assert!(error.contains("`networking` needs `api-version = 5`, but this app has 4"), "{error}");
    project.edit("Cargo.toml", |text| text.replace("api-version = 4", "api-version = 5"));
    project.service("front", "auterion = { networking = { net = \"10.0.0.0/24\" } }\n");
    assert!(fails(&mut appbundle(project.path(), &device), 1).contains("service `front`: `networking` has no `subnet`"));
}

#[test]
fn decisions_about_targets_templates_and_swarms_are_noted() {
    let project = Project::new(&["alpha"]);
    project.edit("Cargo.toml", |text| text + "swarm = { routing = \"host\" }\n");
    assert!(said(project.path(), &["generate", "--for", "swarm"]).contains("note[routing-ignored]: swarm: `routing"));
    project.edit("Cargo.toml", |text| text + "targets = [\"arm64\", \"amd64\"]\nauterion = { target-platform = \"skynode\" }\n");
    let output = run(&mut appbundle(project.path(), &["build", "--no-compile", "--bin-dir", "none"]));
    assert!(text(&output.stderr).contains("note[no-device]: no device in `target-platform` runs linux/amd64"), "{output:?}");
    project.edit("Cargo.toml", |text| text.replace("targets = [\"arm64\", \"amd64\"]\n", ""));
    project.write("app.yml", "services: { alpha: { image: alpha:#VERSION# } }\n");
    assert!(
        said(project.path(), &["generate", "--for", "kubernetes"])
            .contains("note[template-ignored]: kubernetes: the files are generated")
    );
}

#[test]
fn flags_that_replace_ours_are_noted() {
    let project = Project::new(&["alpha"]);
    let mut build = appbundle(project.path(), &["build"]);
    let told = text(&run(build.env("RUSTFLAGS", "--cfg mine")).stderr);
    assert!(told.contains("note[rustflags-set]: `RUSTFLAGS` is set"), "{told}");
    project.edit("Cargo.toml", |text| text + "allow = [\"rustflags-set\"]\n");
    let told = text(&run(&mut build).stderr);
    assert!(!told.contains("note["), "{told}");
}

#[test]
fn the_date_may_be_that_of_the_commit() {
    let project = Project::new(&["alpha"]);
    project.edit("Cargo.toml", |text| text + "created = \"commit\"\n");
    let epoch = |variable: Option<&str>| {
        let mut command = appbundle(project.path(), &["plan", "--json"]);
        command.envs(variable.map(|seconds| ("SOURCE_DATE_EPOCH", seconds))).env("GIT_CEILING_DIRECTORIES", project.path());
        serde_json::from_str::<serde_json::Value>(&ok(&mut command)).expect("JSON")["epoch"].clone()
    };
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]).args(arguments);
        command.env("GIT_COMMITTER_DATE", "1700000000 +0000").env("GIT_AUTHOR_DATE", "1600000000 +0000");
        ok(command.current_dir(project.path()))
    };
    assert_eq!(epoch(Some("12")), 12);
    git(&["init", "-q"]);
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("git does not say when the last commit was made") && error.contains("Cargo.toml:9:11"), "{error}");
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    assert_eq!((epoch(None), epoch(None), epoch(Some("12"))), (1_700_000_000.into(), 1_700_000_000.into(), 12.into()));
    project.edit("Cargo.toml", |text| text.replace("created = \"commit\"", "created = \"epoch\""));
    assert_eq!(epoch(None), 0);
}
