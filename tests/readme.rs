//! The tables and files that README and the guide show are what a build takes.

mod support;

use std::process::ExitCode;

use support::harness::{self, test};
use support::needs::arm64_cc;
use support::pages::page;
use support::{Project, appbundle, ok, repository};

/// The code blocks of one language on a page.
fn blocks(path: &str, language: &str) -> Vec<String> {
    page(path).blocks().into_iter().filter(|block| block.language == language).map(|block| block.text).collect()
}

fn the_tables_are_accepted_as_they_stand() {
    let shown = blocks("docs/guide/services.md", "toml");
    let service = shown.iter().find(|block| block.contains("name = \"gallery\"")).expect("the service's table");
    let app = shown.iter().find(|block| block.contains("name = \"photo-gallery\"")).expect("the app's table");
    let project = Project::new(&["thumbnailer"]);
    project.write("Cargo.toml", &format!("[workspace]\nresolver = \"3\"\nmembers = [\"services/*\"]\n{app}"));
    let manifest = "[package]\nname = \"gallery-service\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[features]\nmetrics = []\n";
    project.write("services/gallery-service/Cargo.toml", &format!("{manifest}{service}"));
    project.write("services/gallery-service/src/main.rs", "fn main() {}\n");
    project.write("services/gallery-service/web/index.html", "");
    project.write("services/gallery-service/settings.env", "");
    let library = "[package]\nname = \"thumbnails\"\n[lib]\ncrate-type = [\"cdylib\"]\n";
    project.write("services/thumbnails/Cargo.toml", library);
    project.write("services/thumbnails/src/lib.rs", "");
    let plan: serde_json::Value = serde_json::from_str(&ok(&mut appbundle(project.path(), &["plan", "--json"]))).expect("JSON");
    assert_eq!(plan["services"][1]["name"], "gallery");
    let developing = blocks("docs/guide/developing.md", "toml");
    let test = developing.iter().find(|block| block.contains("[package.metadata.service.test]")).expect("the tests' table");
    let service = format!("{manifest}{service}");
    project.write("services/gallery-service/Cargo.toml", &format!("{service}\n{test}"));
    let plan: serde_json::Value = serde_json::from_str(&ok(&mut appbundle(project.path(), &["plan", "--json"]))).expect("JSON");
    assert_eq!(plan["services"][1]["test"]["dependencies"]["db"]["wait"], 30);
    ok(&mut appbundle(project.path(), &["generate"]));
    ok(&mut appbundle(project.path(), &["generate", "--check"]));
    ok(&mut appbundle(project.path(), &["clean"]));
}

fn binaries_that_were_built_elsewhere_are_packed_as_it_says() {
    let line =
        blocks("docs/guide/targets.md", "sh").into_iter().find(|block| block.contains("--no-compile")).expect("the command");
    let words: Vec<&str> = line.split_whitespace().skip(2).collect();
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    std::fs::rename(project.path().join("bin"), project.path().join("out")).expect("renamed");
    let printed = ok(&mut appbundle(project.path(), &words));
    ok(&mut appbundle(project.path(), &["verify", printed.trim()]));
    assert!(ok(&mut appbundle(project.path(), &["inspect", printed.trim()])).contains("com.example.demo.alpha:1.2.3"));
    ok(&mut appbundle(project.path(), &["doctor"]));
}

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

fn main() -> ExitCode {
    harness::run(vec![
        test!(the_tables_are_accepted_as_they_stand),
        test!(binaries_that_were_built_elsewhere_are_packed_as_it_says, [arm64_cc]),
        test!(the_scripts_are_there_and_linked_files_too),
    ])
}
