//! What the pages for users say is so: their commands run, their tables are accepted, their links lead somewhere.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::pages::{Block, Mark, Page, page, pages};
use support::session::SESSIONS;
use support::{appbundle, ok, repository};

/// All commands that no test runs, by page and reason. To add one is a decision: a reader may find that it does not work.
const NOT_RUN: [(&str, &str); 11] = [
    ("README.md", "needs a release"),
    ("README.md", "needs the address of the repository"),
    ("README.md", "changes the machine"),
    ("docs/guide/contents.md", "changes the machine"),
    ("docs/guide/first-bundle.md", "changes the machine"),
    ("docs/guide/installing.md", "needs a release"),
    ("docs/guide/installing.md", "needs a release"),
    ("docs/guide/installing.md", "needs the address of the repository"),
    ("docs/guide/targets.md", "changes the machine"),
    ("docs/guide/targets.md", "changes the machine"),
    ("docs/guide/targets.md", "needs zig; `tests/builders.rs` builds so"),
];

#[test]
fn every_command_is_run_or_says_why_not() {
    let mut not_run = Vec::new();
    for page in pages() {
        for block in page.sessions() {
            match &block.mark {
                Mark::Run | Mark::RunUntil(_) => {
                    assert!(SESSIONS.contains(&page.path.as_str()), "no test runs the commands of {}:{}", page.path, block.line);
                }
                Mark::RunBy(test) => is_run_by(&page, &block, test),
                Mark::NotRun(reason) => not_run.push((page.path.clone(), reason.clone())),
            }
        }
    }
    let known: Vec<(String, String)> = NOT_RUN.iter().map(|(page, reason)| ((*page).into(), (*reason).into())).collect();
    assert_eq!(not_run, known);
}

/// The test reads the page itself, or runs each of the block's commands.
fn is_run_by(page: &Page, block: &Block, test: &str) {
    let place = format!("{}:{}", page.path, block.line);
    let source = std::fs::read_to_string(repository().join(test)).unwrap_or_else(|error| panic!("{place}: {test}: {error}"));
    let support = std::fs::read_to_string(repository().join("tests/support/swarm.rs")).expect("readable");
    for line in block.script().lines() {
        let words: Vec<&str> = line.split_whitespace().filter(|word| !word.contains('=')).collect();
        let verb = match words[..] {
            ["cargo", "appbundle", verb, ..] | ["docker", verb, ..] => verb,
            _ => continue,
        };
        let named = format!("\"{verb}\"");
        assert!(
            source.contains(&page.path) || source.contains(&named) || support.contains(&named),
            "{place}: {test} has no {named}"
        );
    }
}

/// The verb and the flags of all commands that are named anywhere.
#[test]
fn verbs_and_flags_exist() {
    let mut verbs = BTreeSet::new();
    for page in pages() {
        let blocks = page.sessions().into_iter().map(|block| block.script());
        let texts =
            page.spans().into_iter().chain(blocks.flat_map(|script| script.lines().map(str::to_owned).collect::<Vec<_>>()));
        for text in texts {
            let Some((_, rest)) = text.split_once("cargo appbundle ") else { continue };
            let rest = rest.split(['#', '|', '>', ';']).next().unwrap_or_default();
            let mut words = rest.split_whitespace().take_while(|word| *word != "--");
            let Some(verb) = words.next().filter(|verb| verb.starts_with(|c: char| c.is_ascii_lowercase())) else { continue };
            verbs.insert(verb.to_owned());
            let help = ok(&mut appbundle(&repository(), &[verb, "--help"]));
            assert!(help.contains("Usage: cargo appbundle"), "{verb}: {help}");
            for flag in words.filter(|word| word.starts_with('-')) {
                let flag = flag.split('=').next().unwrap_or(flag);
                let known = help.split([' ', ',', '\n']).any(|word| word == flag);
                assert!(known, "{}: `cargo appbundle {verb}` has no `{flag}`: `{text}`", page.path);
            }
        }
    }
    assert!(verbs.len() >= 20, "{verbs:?}");
}

/// README lists all commands.
#[test]
fn readme_lists_every_command() {
    let help = ok(&mut appbundle(&repository(), &["--help"]));
    let commands = help.split("\nOptions:").next().expect("the list");
    let readme = page("README.md").text;
    let verbs: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split_whitespace().next())
        .collect();
    assert!(verbs.len() >= 20, "{verbs:?}");
    for verb in verbs.into_iter().filter(|verb| *verb != "help") {
        assert!(readme.contains(&format!("`cargo appbundle {verb}")), "README says nothing of `{verb}`");
    }
    assert!(readme.lines().count() <= 250, "README is too long: {} lines", readme.lines().count());
}

/// Relative links lead to files, and what follows `#` to a heading there.
#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let folder = Path::new(&page.path).parent().expect("a folder").to_owned();
        let outside: String = page.text.split("```").step_by(2).collect();
        for link in outside.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { PathBuf::from(&page.path) } else { folder.join(path) };
            let full = repository().join(&target);
            assert!(full.exists(), "{}: `{link}` leads nowhere", page.path);
            if !anchor.is_empty() {
                let there = std::fs::read_to_string(&full).expect("readable");
                let anchors = anchors(&there);
                assert!(anchors.iter().any(|other| other == anchor), "{}: no heading for `{link}`: {anchors:?}", page.path);
            }
        }
    }
}

/// The anchors of a page's headings; of those that are the same, the second one ends in `-1`.
fn anchors(page: &str) -> Vec<String> {
    let mut seen = std::collections::BTreeMap::new();
    let headings = page.lines().filter(|line| line.starts_with('#')).map(anchor_of);
    let numbered = headings.map(|anchor| {
        let before = seen.entry(anchor.clone()).and_modify(|count| *count += 1).or_insert(0);
        if *before == 0 { anchor } else { format!("{anchor}-{before}") }
    });
    numbered.collect()
}

/// A heading's anchor, as forges make it.
fn anchor_of(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    words
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// All tables follow the schema; every page's own are checked against each other by the tests that run them.
#[test]
fn tables_follow_the_schema() {
    let schema: serde_json::Value = serde_json::from_str(&ok(&mut appbundle(&repository(), &["schema"]))).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let mut count = 0;
    for page in pages() {
        for block in page.blocks().into_iter().filter(|block| block.language == "toml") {
            let table: toml::Table = block.text.parse().unwrap_or_else(|error| panic!("{}:{}: {error}", page.path, block.line));
            let ours = table.contains_key("package") || table.contains_key("workspace");
            assert!(ours, "{}:{}: under which table does this belong?", page.path, block.line);
            let value = serde_json::to_value(&table).expect("JSON");
            let errors: Vec<String> =
                schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{}:{}: {}", page.path, block.line, errors.join("\n"));
            count += 1;
        }
    }
    assert!(count >= 15, "{count} tables");
}
