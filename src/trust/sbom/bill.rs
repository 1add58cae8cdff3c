//! A software bill of materials before it has a format: components, and which is made of which.

use std::collections::{BTreeMap, BTreeSet};

/// What an app, or one service of it, is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// What the bill is of. It is not among `components`.
    pub subject: Component,
    /// All that is in it, each once, sorted by [`Component::id`].
    pub components: BTreeMap<String, Component>,
    /// By a component's id: those that it directly uses or contains.
    pub uses: BTreeMap<String, BTreeSet<String>>,
    /// What is known to be missing, in words for the reader. A bill without such gaps is complete.
    pub gaps: Vec<String>,
    /// Seconds since 1970 at which it was made: `SOURCE_DATE_EPOCH`, or 0.
    pub epoch: u64,
}

/// One thing in a bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// The sort of thing.
    pub kind: ComponentKind,
    /// Its name.
    pub name: String,
    /// Its version; files have that of the app.
    pub version: Option<String>,
    /// Where the field's tools look it up.
    pub purl: Option<String>,
    /// Its licence as an SPDX expression, or in the author's words.
    pub licence: Option<String>,
    /// Who supplies it.
    pub supplier: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// The SHA-256 sum, in hexadecimal digits, of its bytes as they are supplied, or as they are in the image.
    pub sha256: Option<String>,
    /// Where its source is developed.
    pub repository: Option<String>,
    /// Further facts by name, such as the path in an image.
    pub properties: BTreeMap<&'static str, String>,
}

/// The sort of a [`Component`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComponentKind {
    /// The app, or an executable of a service.
    Application,
    /// A crate, or a library in C.
    #[default]
    Library,
    /// A package of a distribution.
    Package,
    /// The distribution of a base.
    System,
    /// A file that a service packs.
    File,
}

impl Component {
    /// What identifies it in a bill: its package URL, or its sort, name and version.
    pub fn id(&self) -> String {
        if let Some(purl) = &self.purl {
            return purl.clone();
        }
        let sort = match self.kind {
            ComponentKind::Application => "application",
            ComponentKind::Library | ComponentKind::Package => "library",
            ComponentKind::System => "system",
            ComponentKind::File => "file",
        };
        // The same path may have other contents in another service.
        let version = if self.kind == ComponentKind::File { &self.sha256 } else { &self.version };
        version.as_ref().map_or_else(|| format!("{sort}:{}", self.name), |version| format!("{sort}:{}@{version}", self.name))
    }
}

impl Bill {
    /// A bill of nothing yet.
    pub fn of(subject: Component, epoch: u64) -> Self {
        Self { subject, components: BTreeMap::new(), uses: BTreeMap::new(), gaps: Vec::new(), epoch }
    }

    /// Adds a component; returns its id. What is known of it already stays.
    pub fn add_alone(&mut self, component: Component) -> String {
        let id = component.id();
        self.components.entry(id.clone()).or_insert(component);
        id
    }

    /// Adds a component that `user`, an id, uses; returns its id.
    pub fn add(&mut self, user: &str, component: Component) -> String {
        let id = self.add_alone(component);
        self.uses.entry(user.to_owned()).or_default().insert(id.clone());
        id
    }

    /// The bill of a service, by name. `None` if there is no such service.
    pub fn service(&self, name: &str) -> Option<Self> {
        let is_it = |component: &&Component| component.kind == ComponentKind::Application && component.name == name;
        self.part(&self.components.values().find(is_it)?.id())
    }

    /// The bill of one of its components, with all that this uses. `None` if there is no such component.
    pub fn part(&self, id: &str) -> Option<Self> {
        let mut left = self.clone();
        let subject = left.components.remove(id)?;
        let mut reached = BTreeSet::from([id.to_owned()]);
        let mut next = vec![id.to_owned()];
        while let Some(user) = next.pop() {
            for used in self.uses.get(&user).into_iter().flatten() {
                if reached.insert(used.clone()) {
                    next.push(used.clone());
                }
            }
        }
        left.components.retain(|id, _| reached.contains(id));
        left.uses.retain(|id, _| reached.contains(id));
        Some(Self { subject, ..left })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str) -> Component {
        Component { name: name.to_owned(), version: Some("1.0.0".into()), ..Component::default() }
    }

    #[test]
    fn a_part_has_what_it_reaches_and_no_more() {
        let app = Component { kind: ComponentKind::Application, ..library("app") };
        let mut bill = Bill::of(app.clone(), 0);
        let one = bill.add(&app.id(), library("one"));
        let two = bill.add(&app.id(), library("two"));
        let shared = bill.add(&one, library("shared"));
        assert_eq!(bill.add(&two, library("shared")), shared);
        // A circle, as by dependencies of tests, ends.
        bill.add(&shared, library("one"));
        let part = bill.part(&one).expect("a part");
        assert_eq!(part.subject.name, "one");
        assert_eq!(Vec::from_iter(part.components.keys()), [&shared]);
        assert!(part.uses.contains_key(&one) && !part.uses.contains_key(&two));
        assert_eq!(bill.part("library:three@1"), None);
    }
}
