//! The verbs in groups, as `cargo appbundle --help` shows them: clap has one list for all.

use std::fmt::Write as _;

use clap::Command;

/// The groups, and the verbs of each. What a new user needs comes first.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Start here", &["init", "build", "dev"]),
    ("Build", &["plan", "generate", "sign", "update", "vendor", "clean"]),
    ("Inspect", &["inspect", "verify", "sbom", "audit", "doctor", "explain"]),
    ("Run on this machine", &["run", "ps", "logs", "exec", "stop", "test", "load"]),
    ("Deploy", &["push", "deploy", "status", "remove"]),
    ("Set up a project", &["new-service", "ci", "keygen", "schema", "completions"]),
];

/// As clap's own limit for this program's help.
const WIDEST: usize = 100;

/// The command whose help shows verbs in groups.
pub fn grouped(command: Command) -> Command {
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\n{{all-args}}{{after-help}}",
        groups(&command, crate::shell::columns().unwrap_or(WIDEST).min(WIDEST)).trim_start()
    );
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    // Hidden verbs are not in the list that clap would add.
    let hidden = verbs.into_iter().fold(command, |command, verb| command.mut_subcommand(verb, |verb| verb.hide(true)));
    hidden
        .override_usage("cargo appbundle [OPTIONS] <COMMAND>")
        .help_template(template)
        .after_help("`cargo appbundle help COMMAND` explains a command, with examples.")
}

fn groups(command: &Command, columns: usize) -> String {
    let styles = command.get_styles();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let width = command.get_subcommands().map(|verb| verb.get_name().len()).max().unwrap_or_default();
    let mut text = String::new();
    for (title, names) in GROUPS {
        let verbs: Vec<&Command> = names.iter().filter_map(|name| command.find_subcommand(name)).collect();
        if !verbs.is_empty() {
            let _ = writeln!(text, "\n{header}{title}:{header:#}");
        }
        for verb in verbs {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            let aliases: Vec<&str> = verb.get_visible_aliases().collect();
            let aliases = if aliases.is_empty() { String::new() } else { format!(" [alias: {}]", aliases.join(", ")) };
            let about = wrapped(&format!("{about}{aliases}"), columns.saturating_sub(width + 4), width + 4);
            let _ = writeln!(text, "  {literal}{:width$}{literal:#}  {about}", verb.get_name());
        }
    }
    text
}

/// Lines of at most so many characters, each but the first with an indentation.
fn wrapped(text: &str, most: usize, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_verb_is_in_one_group() {
        let command = super::super::Cli::command();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, verbs)| verbs.iter().copied()).collect();
        grouped.sort_unstable();
        let mut verbs: Vec<&str> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(Command::get_name).collect();
        verbs.sort_unstable();
        if cfg!(feature = "engine") {
            assert_eq!(grouped, verbs);
        } else {
            assert!(verbs.iter().all(|verb| grouped.contains(verb)), "{verbs:?}");
        }
    }
}
