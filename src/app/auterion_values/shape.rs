//! The expected shapes of values in `auterion-app.yml`.

use serde_json::{Map, Value};

use Shape::{Any, Count, Fields, Flag, List, Number, OneOf, OneOrMore, Text, TextOr};

use crate::mender::Faults;

/// The expected shape of a value.
pub enum Shape {
    Text,
    Flag,
    /// A non-negative integer.
    Count,
    Number,
    OneOf(&'static [&'static str]),
    /// A value of this shape, or a list of such values.
    OneOrMore(&'static Shape),
    List(&'static Shape),
    /// A table with arbitrary keys and values of this shape.
    Map(&'static Shape),
    /// A table with only these keys; `true` marks the required ones.
    Fields(&'static [(&'static str, bool, Shape)]),
    /// The first shape for a string, the second for anything else.
    TextOr(&'static Shape),
    Any,
}

impl Shape {
    /// Adds a fault for each part of the value that does not fit; `place` is the path of the value.
    pub fn check(&'static self, value: &Value, place: &str, faults: &mut Faults) {
        let fits = match self {
            Text => value.is_string(),
            Flag => value.is_boolean(),
            Count => value.is_u64(),
            Number => value.is_number(),
            OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Any => true,
            OneOrMore(shape) => {
                let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                return list.iter().for_each(|item| shape.check(item, place, faults));
            }
            List(shape) => match value.as_array() {
                Some(list) => return list.iter().for_each(|item| shape.check(item, &format!("an item of {place}"), faults)),
                None => false,
            },
            TextOr(_) if value.is_string() => true,
            TextOr(shape) => return shape.check(value, place, faults),
            Self::Map(shape) => match value.as_object() {
                Some(map) => {
                    let inner = |key: &str| format!("`{}` of {place}", key.escape_debug());
                    return map.iter().for_each(|(key, value)| shape.check(value, &inner(key), faults));
                }
                None => false,
            },
            Fields(fields) => match value.as_object() {
                Some(map) => return Self::check_fields(fields, map, place, faults),
                None => false,
            },
        };
        if !fits {
            faults.add(format!("{place} is not {}", self.name()));
        }
    }

    fn check_fields(fields: &'static [(&str, bool, Self)], map: &Map<String, Value>, place: &str, faults: &mut Faults) {
        for (key, needed, shape) in fields {
            match map.get(*key) {
                Some(value) => shape.check(value, &format!("`{key}` of {place}"), faults),
                None if *needed => faults.add(format!("{place} has no `{key}`")),
                None => {}
            }
        }
        for key in map.keys().filter(|key| !fields.iter().any(|(known, ..)| known == key)) {
            faults.add(format!("`{}` of {place} is not known", key.escape_debug()));
        }
    }

    fn name(&self) -> String {
        match self {
            Text | TextOr(_) => "a string: put it in quotes".into(),
            Flag => "true or false".into(),
            Count => "a non-negative integer".into(),
            Number => "a number".into(),
            OneOf(words) => format!("one of {}", words.join(", ")),
            List(_) => "a list".into(),
            Self::Map(_) | Fields(_) => "a map".into(),
            OneOrMore(shape) => shape.name(),
            Any => "anything".into(),
        }
    }
}

/// Checks the values of the keys that are present.
pub fn each(map: &Map<String, Value>, shapes: &'static [(&str, Shape)], place: &str, faults: &mut Faults) {
    for (key, shape) in shapes {
        if let Some(value) = map.get(*key) {
            shape.check(value, &format!("{place}`{key}`"), faults);
        }
    }
}
