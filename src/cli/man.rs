//! Man pages.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Command;
use clap::builder::Resettable;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

/// Writes a page for the command and one for each visible verb: `cargo-appbundle.1`, `cargo-appbundle-build.1` and so on.
///
/// # Errors
/// When a page cannot be written.
pub fn write(command: Command, folder: &Path) -> Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let verbs: Vec<Command> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect();
    for command in verbs.into_iter().chain([command]) {
        let end = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let man = Man::new(command.after_help(Resettable::Reset))
            .manual("Cargo")
            .source(format!("cargo-appbundle {}", env!("CARGO_PKG_VERSION")));
        let mut page = Vec::new();
        man.render(&mut page).context("failed to render a man page")?;
        page.extend_from_slice(sections(&end).to_roff().as_bytes());
        crate::fs::write(&folder.join(man.get_filename()), &page)?;
    }
    Ok(())
}

/// Formats the end of a help text, such as its examples. clap_mangen would turn all of it into one paragraph.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    let mut heading = "";
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let (lines, wanted) = match paragraph.strip_prefix("Examples:\n") {
            Some(examples) => (examples, "EXAMPLES"),
            None => (paragraph, "NOTES"),
        };
        let control = if wanted == heading { ("PP", None) } else { ("SH", Some(wanted)) };
        roff.control(control.0, control.1);
        heading = wanted;
        for line in lines.lines() {
            // Indented lines are commands and tables, and are copied verbatim.
            let verbatim = line.starts_with(' ');
            if verbatim {
                roff.control("nf", None);
            }
            roff.text([roman(line)]);
            if verbatim {
                roff.control("fi", None);
            }
        }
    }
    roff
}
