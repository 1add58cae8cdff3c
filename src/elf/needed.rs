//! The libraries that an executable needs, and those that they need in turn.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};

use anyhow::Result;

use super::Elf;

/// An executable or library that needs others.
#[derive(Clone, Debug)]
pub struct Needing<'a> {
    /// What it is called in messages; for a library, the name under which it is needed.
    pub name: String,
    /// What it needs.
    pub elf: Cow<'a, Elf>,
    /// The folders that are searched for that before the loader's own.
    pub paths: Vec<String>,
}

/// Visits the needed libraries in the loader's order, which is breadth first (ld.so(8)). `find` is asked each time that a library is
/// needed, and by whom; what it gives is followed once for each name.
///
/// # Errors
/// Those of `find`.
pub fn needed<'a>(first: Needing<'a>, mut find: impl FnMut(&str, &Needing<'a>) -> Result<Option<Needing<'a>>>) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut open = VecDeque::from([first]);
    while let Some(by) = open.pop_front() {
        for name in &by.elf.needed {
            let found = find(name, &by)?;
            if seen.insert(name.clone()) {
                open.extend(found);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needing(name: &str, needs: &[&str]) -> Needing<'static> {
        let elf = Elf { needed: needs.iter().map(|name| (*name).to_owned()).collect(), ..Elf::default() };
        Needing { name: name.to_owned(), elf: Cow::Owned(elf), paths: Vec::new() }
    }

    #[test]
    fn each_library_is_followed_once_and_breadth_first() {
        let mut asked = Vec::new();
        let walked = needed(needing("app", &["a", "b"]), |name, by| {
            asked.push(format!("{}>{name}", by.name));
            Ok(match name {
                "a" => Some(needing("a", &["c", "b"])),
                "b" => Some(needing("b", &["a", "c"])),
                "c" => Some(needing("c", &["c"])),
                _ => None,
            })
        });
        assert!(walked.is_ok());
        assert_eq!(asked, ["app>a", "app>b", "a>c", "a>b", "b>a", "b>c", "c>c"]);
    }
}
