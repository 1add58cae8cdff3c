//! Folders below `/usr/local`, which packages may not have, so that debhelper has the script make them (dh_usrlocal(1)).

use std::borrow::Cow;

/// The line before them.
const BEGIN: &str = "# Automatically added by dh_usrlocal";

/// The line behind them.
const END: &str = "# End automatically added section";

/// A folder to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFolder {
    /// Path without `/` before it.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Its group; the owner is root.
    pub group: String,
}

/// A script without debhelper's lines, and the folders that they make. A line that is none of debhelper's stays.
pub fn taken_out(text: &str) -> (Cow<'_, str>, Vec<LocalFolder>) {
    let (Some(start), mut folders) = (text.find(BEGIN), Vec::new()) else { return (Cow::Borrowed(text), Vec::new()) };
    let Some(length) = text[start..].find(END) else { return (Cow::Borrowed(text), Vec::new()) };
    for line in text[start..start + length].lines().filter(|line| line.starts_with("/usr/local/")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (path, mode, group) = match words[..] {
            [path, mode, "root", group] => (path, mode, group),
            // Only systems from before Debian 10 give them to the group `staff`.
            [path, "default"] => (path, "755", "root"),
            _ => return (Cow::Borrowed(text), Vec::new()),
        };
        let Ok(mode) = u32::from_str_radix(mode, 8) else { return (Cow::Borrowed(text), Vec::new()) };
        folders.push(LocalFolder { path: path.trim_matches('/').to_owned(), mode: mode & 0o7777, group: group.to_owned() });
    }
    (Cow::Owned([&text[..start], &text[start + length..]].concat()), folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_debhelper_are_taken_out() {
        let text = "set -e\n# Automatically added by dh_usrlocal/13.11\nif [ \"$1\" = configure ]; then\n(\n\twhile read line; do\n\
            \t\tmkdir \"$dir\"\n\tdone\n) << DATA\n/usr/local/share/zsh 02775 root staff\n/usr/local/lib/zsh default\nDATA\nfi\n# End automatically added section\nexit 0\n";
        let (rest, folders) = taken_out(text);
        assert_eq!(rest, "set -e\n# End automatically added section\nexit 0\n");
        let folder = |path: &str, mode, group: &str| LocalFolder { path: path.into(), mode, group: group.into() };
        assert_eq!(folders, [folder("usr/local/share/zsh", 0o2775, "staff"), folder("usr/local/lib/zsh", 0o755, "root")]);
        let other = text.replace("root staff", "me me");
        assert_eq!(taken_out(&other), (Cow::Borrowed(&*other), Vec::new()));
    }
}
