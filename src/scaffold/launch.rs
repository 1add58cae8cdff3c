//! The words with which something starts an executable.

use std::path::Path;

use super::dockerfile::is_secret;

/// The arguments of an executable in the words of a command; none if the command does not start it.
///
/// What begins with `tini --` or `/bin/sh -c` still starts it. Arguments that something else fills in, and those that look like secrets,
/// are left out with all others: half of them would be wrong.
pub fn arguments<'a>(words: &'a [String], bin: &str) -> Option<&'a [String]> {
    let is_program = |word: &String| Path::new(word).file_name().is_some_and(|name| name == bin);
    let at = words.iter().position(is_program)?;
    let arguments = words.get(at + 1..).unwrap_or_default();
    let is_open = |word: &String| word.contains(['$', '%', '@', '|', ';', '&', '>', '<', '`']) || is_secret(word);
    Some(if arguments.iter().any(is_open) { &[] } else { arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_behind_the_executable_are_its_arguments() {
        let of = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            arguments(&words, "web").map(|found| found.join(" "))
        };
        assert_eq!(of("/usr/bin/web --port 80").as_deref(), Some("--port 80"));
        assert_eq!(of("tini -- @libexecdir@/web").as_deref(), Some(""));
        assert_eq!(of("web --port $PORT -v").as_deref(), Some(""));
        assert_eq!(of("web --token abc").as_deref(), Some(""));
        assert_eq!(of("/usr/bin/webserver web.toml"), None);
    }
}
