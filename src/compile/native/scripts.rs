//! The texts of build scripts.

use std::path::Path;

/// Whether a build script, or a module beside it, has one of these words outside of comments. A script that cannot be read has none.
pub fn has(script: Option<&Path>, words: &[&str]) -> bool {
    let text = text(script);
    words.iter().any(|word| text.contains(word))
}

/// A build script and the modules beside it, without comments; empty if it cannot be read.
pub fn text(script: Option<&Path>) -> String {
    let Some(script) = script else { return String::new() };
    // `build.rs` stands beside the manifest, and only `build/…` has its modules beside it.
    let own_folder = script.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "build"));
    let beside = own_folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let files = beside.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let mut all = String::new();
    for path in std::iter::once(script.to_owned()).chain(files) {
        for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
            all.push_str(line.split("//").next().unwrap_or_default());
            all.push('\n');
        }
    }
    all
}
