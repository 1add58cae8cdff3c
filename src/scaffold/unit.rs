//! What a unit file of systemd says of the service that it starts (`systemd.service(5)`).

use std::collections::BTreeMap;

use super::dockerfile::is_secret;

/// The start of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemdUnit {
    /// The words of its first `ExecStart`.
    pub words: Vec<String>,
    /// `Environment`, without what systemd or a configure script fills in.
    pub environment: BTreeMap<String, String>,
    /// The names of the units that start before it.
    pub after: Vec<String>,
}

/// Reads a unit file, also one that a configure script fills in (`@bindir@`). Keys of other sections, and what a program cannot have, do
/// not count.
pub fn read(text: &str) -> SystemdUnit {
    let mut unit = SystemdUnit::default();
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    for (key, value) in lines.filter_map(|line| line.split_once('=')) {
        let words = || crate::process::split(value.trim()).unwrap_or_default();
        match key.trim() {
            "ExecStart" if unit.words.is_empty() => unit.words = program_first(words()),
            "Environment" => unit.environment.extend(words().iter().filter_map(|word| word.split_once('=')).map(owned)),
            "After" => unit.after.extend(words()),
            _ => {}
        }
    }
    unit.environment.retain(|name, value| !value.contains(['$', '%', '@']) && !is_secret(name));
    unit
}

/// Without the characters in front of the program that say how systemd starts it.
fn program_first(mut words: Vec<String>) -> Vec<String> {
    if let Some(program) = words.first_mut() {
        *program = program.trim_start_matches(['-', ':', '+', '!']).to_owned();
    }
    words
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read() {
        let text = "[Unit]\nAfter=network.target hub.service\n# ExecStart=/no\n[Service]\n\
            Environment=\"LOG=info\" \"WORDS=one two\" DIR=%S/x LIBS=@libs@ API_TOKEN=x\n\
            ExecStart=-@libexecdir@/fleet/agentd --hub \\\n  tcp://hub:1\nExecStart=/bin/other\n";
        let unit = read(text);
        assert_eq!(unit.words, ["@libexecdir@/fleet/agentd", "--hub", "tcp://hub:1"]);
        assert_eq!(unit.environment, [("LOG", "info"), ("WORDS", "one two")].map(owned).into());
        assert_eq!(unit.after, ["network.target", "hub.service"]);
    }
}
