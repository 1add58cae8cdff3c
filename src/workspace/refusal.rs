//! Why Cargo, or rustup in its place, does not read a workspace or its dependencies.

use crate::diagnostic::{Code, Diagnostic};

/// What it wrote to stderr, as an error in our words: with its own, as far as they tell more.
pub fn refusal(stderr: &str) -> Diagnostic {
    let said = own_words(stderr);
    toolchain(&said).or_else(|| locked(&said)).or_else(|| dependency(&said)).unwrap_or_else(|| {
        Code::WorkspaceUnreadable.error(format!("failed to read the workspace\n{}", said.trim_start_matches("error: ")))
    })
}

/// Without steps and warnings on the way, and without the backtrace that rustup appends.
fn own_words(stderr: &str) -> String {
    let said = stderr.split("\nStack backtrace:").next().unwrap_or_default();
    let from = said.find("error: ").unwrap_or(0);
    said[from..].trim_end().to_owned()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.get(..rest.find(after)?)
}

/// rustup has no such toolchain.
fn toolchain(said: &str) -> Option<Diagnostic> {
    let first = said.lines().next().filter(|line| line.contains("toolchain '") && line.contains("is not installed"))?;
    let name = between(first, "toolchain '", "'")?;
    let file = between(first, "override file '", "'").map(str::to_owned).or_else(|| file_that_names(name));
    let by = file.map(|file| format!(", which `{file}` names")).unwrap_or_default();
    let help = match first.contains("custom toolchain") {
        true => format!("link it with `rustup toolchain link {name} DIR`"),
        false => format!("run `rustup toolchain install {name}`"),
    };
    Some(Code::ToolchainMissing.error(format!("the toolchain `{name}` is not installed{by}\nhelp: {help}")))
}

/// The file that chooses a toolchain here, if it names this one: `1.70.0` of `1.70.0-x86_64-unknown-linux-gnu`.
fn file_that_names(toolchain: &str) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let files = here.ancestors().flat_map(|folder| ["rust-toolchain.toml", "rust-toolchain"].map(|name| folder.join(name)));
    let file = files.into_iter().find(|path| path.is_file())?;
    let text = std::fs::read_to_string(&file).ok()?;
    let mut words = text.split(|letter: char| letter.is_whitespace() || "\"'=".contains(letter)).filter(|word| !word.is_empty());
    words.any(|word| toolchain == word || toolchain.starts_with(&format!("{word}-"))).then(|| file.display().to_string())
}

/// The lock file would change.
fn locked(said: &str) -> Option<Diagnostic> {
    let flag = ["--locked", "--frozen"].into_iter().find(|flag| said.contains(&format!("{flag} was passed to prevent this")))?;
    let is_new = said.contains("cannot create the lock file");
    let (why, help) = match is_new {
        true => ("there is no `Cargo.lock`", "cargo generate-lockfile"),
        false => ("`Cargo.lock` does not match the manifests", "cargo update --workspace"),
    };
    Some(Code::WorkspaceUnreadable.error(format!("{why}, and `{flag}` forbids to write it\nhelp: run `{help}`")))
}

/// A dependency cannot be had.
fn dependency(said: &str) -> Option<Diagnostic> {
    let first = said.lines().next()?;
    let name = ["failed to get `", "no matching package named `", "failed to download `", "unable to get packages from source"]
        .iter()
        .find(|before| first.contains(*before))
        .map(|before| between(first, before, "`").unwrap_or_default().replace(" v", " "))?;
    let what = if name.is_empty() { "a dependency".to_owned() } else { format!("the dependency `{name}`") };
    let causes: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "Caused by:").collect();
    let is_offline = said.contains("offline");
    let why = match causes.iter().skip(1).rfind(|line| !line.contains("offline mode")) {
        _ if first.contains("no matching package") => format!("cargo finds no package of this name{}", place(said)),
        Some(last) => (*last).to_owned(),
        None => first.trim_start_matches("error: ").to_owned(),
    };
    let help = match is_offline {
        true => "run `cargo fetch` while the network can be reached",
        false => "run `cargo fetch`, which tells more",
    };
    Some(Code::DependencyMissing.error(format!("failed to get {what}: {why}\nhelp: {help}")))
}

/// Where Cargo looked, and for whom.
fn place(said: &str) -> String {
    let location = between(said, "location searched: ", "\n").map(|place| format!(" in {place}"));
    let by = between(said, "required by package `", " ").map(|package| format!("; `{package}` requires it"));
    location.unwrap_or_default() + &by.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_and_rustup_say_is_told_shortly() {
        for (said, told) in [
            (
                "error: toolchain '1.70.0-x86_64-unknown-linux-gnu' is not installed\nhelp: run `rustup toolchain install` to install it\n\nStack backtrace:\n   0: x\n",
                "the toolchain `1.70.0-x86_64-unknown-linux-gnu` is not installed\nhelp: run `rustup toolchain install 1.70.0-x86_64-unknown-linux-gnu`",
            ),
            (
                "error: custom toolchain 'own' specified in override file '/w/rust-toolchain.toml' is not installed\n",
                "the toolchain `own` is not installed, which `/w/rust-toolchain.toml` names\nhelp: link it with `rustup toolchain link own DIR`",
            ),
            (
                "    Updating crates.io index\nerror: cannot update the lock file /w/Cargo.lock because --locked was passed to prevent this\n",
                "`Cargo.lock` does not match the manifests, and `--locked` forbids to write it\nhelp: run `cargo update --workspace`",
            ),
            (
                "    Updating crates.io index\nerror: no matching package named `nope` found\nlocation searched: crates.io index\nrequired by package `e v0.1.0 (/e)`\n",
                "failed to get the dependency `nope`: cargo finds no package of this name in crates.io index; `e` requires it\nhelp: run `cargo fetch`, which tells more",
            ),
            (
                "warning: spurious network error (1 try remaining)\nerror: failed to get `x` as a dependency of package `e v0.1.0 (/e)`\n\nCaused by:\n  unable to update https://h/a.git\n\nCaused by:\n  failed to connect to h: Connection refused\n",
                "failed to get the dependency `x`: failed to connect to h: Connection refused\nhelp: run `cargo fetch`, which tells more",
            ),
            (
                "error: failed to download `libc v0.2.1`\n\nCaused by:\n  attempting to make an HTTP request, but --offline was specified\n",
                "failed to get the dependency `libc 0.2.1`: attempting to make an HTTP request, but --offline was specified\nhelp: run `cargo fetch` while the network can be reached",
            ),
            (
                "error: failed to parse manifest at `/e/Cargo.toml`\n",
                "failed to read the workspace\nfailed to parse manifest at `/e/Cargo.toml`",
            ),
        ] {
            assert_eq!(refusal(said).to_string(), told);
        }
    }
}
