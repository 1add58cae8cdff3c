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
        let [path, mode, "root", group] = words[..] else { return (Cow::Borrowed(text), Vec::new()) };
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
            \t\tmkdir \"$dir\"\n\tdone\n) << DATA\n/usr/local/share/zsh 02775 root staff\nDATA\nfi\n# End automatically added section\nexit 0\n";
        let (rest, folders) = taken_out(text);
        assert_eq!(rest, "set -e\n# End automatically added section\nexit 0\n");
        assert_eq!(folders, [LocalFolder { path: "usr/local/share/zsh".into(), mode: 0o2775, group: "staff".into() }]);
        let other = text.replace("root staff", "me me");
        assert_eq!(taken_out(&other), (Cow::Borrowed(&*other), Vec::new()));
    }
}
