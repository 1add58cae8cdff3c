//! What the README says is so: its commands exist, its tables are accepted, its scripts are there.

mod support;

use support::{Project, appbundle, ok, repository};

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).expect("README.md")
}

/// The code blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let parts = text.split("```").skip(1).step_by(2);
    parts.filter_map(|block| block.strip_prefix(&format!("{language}\n")).map(str::to_owned)).collect()
}

#[test]
fn every_command_has_a_help_that_teaches() {
    let text = readme();
    let named = text.split("`cargo appbundle ").skip(1).filter_map(|rest| rest.split(['`', ' ']).next());
    let mut commands: Vec<&str> = named.collect();
    commands.sort_unstable();
    commands.dedup();
    assert!(commands.len() >= 11, "{commands:?}");
    for command in commands {
        let help = ok(&mut appbundle(&repository(), &[command, "--help"]));
        assert!(help.contains("Usage: cargo appbundle"), "{command}: {help}");
    }
}

#[test]
fn the_tables_are_accepted_as_they_stand() {
    let blocks = blocks("toml");
    let service = blocks.iter().find(|block| block.contains("name = \"gallery\"")).expect("the service's table");
    let app = blocks.iter().find(|block| block.contains("name = \"photo-gallery\"")).expect("the app's table");
    let project = Project::new(&["thumbnailer"]);
    project.write("Cargo.toml", &format!("[workspace]\nresolver = \"3\"\nmembers = [\"services/*\"]\n{app}"));
    let manifest = "[package]\nname = \"gallery-service\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[features]\nmetrics = []\n";
    project.write("services/gallery-service/Cargo.toml", &format!("{manifest}{service}"));
    project.write("services/gallery-service/src/main.rs", "fn main() {}\n");
    project.write("services/gallery-service/web/index.html", "");
    project.write("services/gallery-service/settings.env", "");
    let plan: serde_json::Value = serde_json::from_str(&ok(&mut appbundle(project.path(), &["plan", "--json"]))).expect("JSON");
    assert_eq!(plan["services"][1]["name"], "gallery");
    let test = blocks.iter().find(|block| block.contains("[package.metadata.service.test]")).expect("the tests' table");
    let service = format!("{manifest}{service}");
    project.write("services/gallery-service/Cargo.toml", &format!("{service}\n{test}"));
    let plan: serde_json::Value = serde_json::from_str(&ok(&mut appbundle(project.path(), &["plan", "--json"]))).expect("JSON");
    assert_eq!(plan["services"][1]["test"]["dependencies"]["db"]["wait"], 30);
    ok(&mut appbundle(project.path(), &["generate"]));
    ok(&mut appbundle(project.path(), &["generate", "--check"]));
    ok(&mut appbundle(project.path(), &["clean"]));
}

#[test]
fn binaries_that_were_built_elsewhere_are_packed_as_it_says() {
    let line = blocks("sh").into_iter().find(|block| block.contains("--no-compile")).expect("the command");
    let words: Vec<&str> = line.split_whitespace().skip(2).collect();
    let project = Project::new(&["alpha"]);
    if !project.binaries(&["alpha"]) {
        return;
    }
    std::fs::rename(project.path().join("bin"), project.path().join("out")).expect("renamed");
    let printed = ok(&mut appbundle(project.path(), &words));
    ok(&mut appbundle(project.path(), &["verify", printed.trim()]));
    assert!(ok(&mut appbundle(project.path(), &["inspect", printed.trim()])).contains("com.example.demo.alpha:1.2.3"));
    ok(&mut appbundle(project.path(), &["doctor"]));
}

#[test]
fn the_scripts_are_there_and_linked_files_too() {
    for path in [
        "scripts/demo",
        "scripts/test",
        "scripts/setup",
        "scripts/bench",
        "BENCHMARKS.md",
        "appbundle.schema.json",
        "action.yml",
        "CHANGELOG.md",
    ] {
        assert!(repository().join(path).is_file(), "{path}");
    }
}
