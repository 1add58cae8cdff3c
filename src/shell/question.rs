//! Questions at the terminal.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Result, bail};

/// A question that yes or no answers; only pressing Enter means yes. It is asked again until the answer is one of these.
///
/// # Errors
/// When there is no terminal, or it is closed.
pub fn ask_yes(question: &str) -> Result<bool> {
    ask_yes_or_no(question, true)
}

/// As [`ask_yes`], where only pressing Enter means `usual`.
///
/// # Errors
/// As [`ask_yes`].
pub fn ask_yes_or_no(question: &str, usual: bool) -> Result<bool> {
    let choices = if usual { "[Y/n]" } else { "[y/N]" };
    loop {
        match answer(&format!("{question} {choices}"))?.to_lowercase().as_str() {
            "" => return Ok(usual),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            other => eprintln!("`{}` is neither yes nor no", other.escape_debug()),
        }
    }
}

/// A question for a text that `check` accepts; `None` if only Enter is pressed.
///
/// # Errors
/// When there is no terminal, or it is closed.
pub fn ask_text(question: &str, check: impl Fn(&str) -> Result<(), String>) -> Result<Option<String>> {
    loop {
        let text = answer(&format!("{question}:"))?;
        if text.is_empty() {
            return Ok(None);
        }
        match check(&text) {
            Ok(()) => return Ok(Some(text)),
            Err(why) => eprintln!("{why}"),
        }
    }
}

fn answer(question: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!("cannot ask \"{question}\": stdin is not a terminal\nhelp: choose all with `cargo appbundle init --all`");
    }
    eprint!("{question} ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        bail!("the question was not answered; nothing was changed");
    }
    Ok(line.trim().to_owned())
}
