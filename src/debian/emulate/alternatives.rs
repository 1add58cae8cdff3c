//! Links of which several packages may have the target (update-alternatives(1)).

use std::collections::BTreeMap;

use crate::debian::tree::Tree;

/// The groups of links, by name.
#[derive(Debug, Default)]
pub struct Alternatives(BTreeMap<String, Group>);

#[derive(Debug)]
struct Group {
    link: String,
    /// Links that go with it: name and link.
    slaves: BTreeMap<String, String>,
    choices: BTreeMap<String, Choice>,
}

#[derive(Debug)]
struct Choice {
    priority: i64,
    slaves: BTreeMap<String, String>,
}

impl Alternatives {
    /// Takes the arguments of `update-alternatives`; false if they are not understood.
    pub fn command(&mut self, words: &[String]) -> bool {
        let mut words = words.iter().map(String::as_str).filter(|word| !matches!(*word, "--quiet" | "--verbose" | "--force"));
        match words.next() {
            Some("--install") => {}
            // What is removed or set was not there before.
            Some("--remove" | "--remove-all" | "--auto" | "--display" | "--query" | "--list") => return true,
            _ => return false,
        }
        let (Some(link), Some(name), Some(path), Some(Ok(priority))) =
            (words.next(), words.next(), words.next(), words.next().map(str::parse))
        else {
            return false;
        };
        let mut choice = Choice { priority, slaves: BTreeMap::new() };
        let mut links = BTreeMap::new();
        while let Some(word) = words.next() {
            let (Some(link), Some(name), Some(path)) = (words.next(), words.next(), words.next()) else { return false };
            if word != "--slave" {
                return false;
            }
            choice.slaves.insert(name.to_owned(), path.to_owned());
            links.insert(name.to_owned(), link.to_owned());
        }
        let group = self.0.entry(name.to_owned()).or_insert_with(|| Group {
            link: link.to_owned(),
            slaves: BTreeMap::new(),
            choices: BTreeMap::new(),
        });
        group.slaves.extend(links);
        group.choices.insert(path.to_owned(), choice);
        true
    }

    /// Makes the links, and the files that dpkg keeps of them.
    pub fn write(&self, tree: &mut Tree, epoch: u64) {
        for (name, group) in &self.0 {
            let there = group.choices.iter().filter(|(path, _)| tree.has(path));
            // Of several with one priority, the first is the choice.
            let best = there.fold(None, |best: Option<(&String, &Choice)>, other| match best {
                Some(best) if best.1.priority >= other.1.priority => Some(best),
                _ => Some(other),
            });
            let Some((path, choice)) = best else { continue };
            let mut links = vec![(name, &group.link, path)];
            for (name, path) in &choice.slaves {
                // A page of a manual that a slim base leaves out is no target.
                if let Some(link) = group.slaves.get(name).filter(|_| tree.has(path)) {
                    links.push((name, link, path));
                }
            }
            for (name, link, path) in links {
                tree.link(&format!("etc/alternatives/{name}"), path, epoch);
                tree.link(link, &format!("/etc/alternatives/{name}"), epoch);
            }
            tree.write(&format!("var/lib/dpkg/alternatives/{name}"), 0o644, epoch, group.record());
        }
    }
}

impl Group {
    /// dpkg's own form.
    fn record(&self) -> String {
        let mut text = format!("auto\n{}\n", self.link);
        for (name, link) in &self.slaves {
            text.push_str(&format!("{name}\n{link}\n"));
        }
        text.push('\n');
        for (path, choice) in &self.choices {
            text.push_str(&format!("{path}\n{}\n", choice.priority));
            for name in self.slaves.keys() {
                text.push_str(choice.slaves.get(name).map_or("", String::as_str));
                text.push('\n');
            }
        }
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debian::spool::Spool;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_highest_priority_is_linked_with_those_that_go_with_it() {
        let mut all = Alternatives::default();
        assert!(all.command(&words("--install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/bin/nawk nawk /usr/bin/mawk")));
        assert!(all.command(&words("--install /usr/bin/awk awk /usr/bin/gawk 10 --slave /usr/man/awk.1 awk.1 /usr/man/gawk.1")));
        assert!(all.command(&words("--install /usr/bin/awk awk /usr/bin/gone 99")));
        assert!(!all.command(&words("--install /usr/bin/awk awk")) && !all.command(&words("--config awk")));
        let mut tree = Tree::new(Spool::new().expect("spool"));
        tree.write("usr/bin/mawk", 0o755, 0, "");
        tree.write("usr/bin/gawk", 0o755, 0, "");
        all.write(&mut tree, 0);
        assert_eq!(tree.resolve("usr/bin/awk").as_deref(), Some("usr/bin/gawk"));
        assert!(!tree.has("usr/bin/nawk") && !tree.has("usr/man/awk.1"));
        let record = tree.text("var/lib/dpkg/alternatives/awk").expect("read").expect("there");
        assert!(
            record.starts_with(
                "auto\n/usr/bin/awk\nawk.1\n/usr/man/awk.1\nnawk\n/usr/bin/nawk\n\n/usr/bin/gawk\n10\n/usr/man/gawk.1\n\n"
            ),
            "{record}"
        );
    }
}
