//! Notes: what users should know, each with a code by which it is explained and silenced.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::Code;

/// What stands in the text of a note for the services that it is about.
const SERVICES: &str = "{services}";

/// A note, about the app or about some of its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// By which it is explained and silenced.
    pub code: Code,
    services: Vec<String>,
    text: String,
}

impl Code {
    /// A note with this code.
    pub fn note(self, text: impl Into<String>) -> Note {
        Note { code: self, services: Vec::new(), text: text.into() }
    }

    /// A note about one service. `{services}` in the text stands for it, and for all of which the same is said.
    pub fn note_of(self, service: impl fmt::Display, text: impl Into<String>) -> Note {
        Note { code: self, services: vec![service.to_string()], text: text.into() }
    }
}

impl Note {
    /// The same note, said of one destination.
    #[must_use]
    pub fn of(self, destination: impl fmt::Display) -> Self {
        Self { text: format!("{destination}: {}", self.text), ..self }
    }
}

/// Notes that are not allowed, with one for all services of which the same is said.
pub fn grouped(notes: impl IntoIterator<Item = Note>, allowed: &[Code]) -> Vec<Note> {
    let mut groups: Vec<Note> = Vec::new();
    for note in notes.into_iter().filter(|note| !allowed.contains(&note.code)) {
        match groups.iter_mut().find(|group| group.code == note.code && group.text == note.text) {
            Some(group) => {
                let new = note.services.into_iter().filter(|service| !group.services.contains(service)).collect::<Vec<_>>();
                group.services.extend(new);
            }
            None => groups.push(note),
        }
    }
    groups
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<String> = self.services.iter().map(|service| format!("`{service}`")).collect();
        f.write_str(&self.text.replacen(SERVICES, &services.join(", "), 1))
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut note = serializer.serialize_struct("Note", 2)?;
        note.serialize_field("code", self.code.name())?;
        note.serialize_field("message", &self.to_string())?;
        note.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_several_services_is_said_once() {
        let note = |service: &str| Code::RoutesIgnored.note_of(service, "the routes of {services} are left out");
        let other = Code::RoutesIgnored.note("the route `/a` is left out");
        let notes = [note("a"), other, note("b"), note("a")];
        let shown: Vec<String> = grouped(notes.clone(), &[]).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["the routes of `a`, `b` are left out", "the route `/a` is left out"]);
        assert_eq!(grouped(notes, &[Code::RoutesIgnored]), []);
    }
}
