//! `cargo appbundle explain`: explains an error code.

use anyhow::{Result, bail};
use serde::Serialize;

use crate::config::schema;
use crate::diagnostic::Code;
use crate::shell::Shell;

/// The JSON output for a code.
#[derive(Serialize)]
struct Explained {
    code: &'static str,
    summary: &'static str,
    explanation: &'static str,
}

/// Prints the page of a code, or a list of all codes.
///
/// # Errors
/// When there is no such code.
pub fn run(code: Option<&str>, shell: &Shell) -> Result<()> {
    let Some(name) = code else {
        let width = Code::ALL.iter().map(|code| code.name().len()).max().unwrap_or_default();
        for code in Code::ALL {
            shell.result("appbundle-explanation", explained(*code), format_args!("{code:width$}  {}", code.summary()));
        }
        return Ok(());
    };
    // The user may copy the code as it is printed: `error[CODE]`.
    let name = name.strip_prefix("error").or_else(|| name.strip_prefix("note[")).unwrap_or(name).trim_matches(['[', ']', ':']);
    let Some(code) = Code::named(name) else {
        let known: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        let near = schema::did_you_mean(name, &known);
        bail!("there is no code `{name}`{near}\nhelp: list all codes with `cargo appbundle explain`");
    };
    let text = format_args!("{code}: {}\n\n{}", code.summary(), code.explanation()).to_string();
    shell.result("appbundle-explanation", explained(code), text);
    Ok(())
}

fn explained(code: Code) -> Explained {
    Explained { code: code.name(), summary: code.summary(), explanation: code.explanation() }
}
