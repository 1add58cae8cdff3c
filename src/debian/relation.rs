//! Relations between packages: `libc6 (>= 2.36) | libc6.1` (Debian policy, 7.1).

use std::cmp::Ordering;
use std::fmt;

use super::version::compare;

/// One alternative: a name, perhaps with a bound on the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation<'a> {
    /// The name of a real or virtual package.
    pub name: &'a str,
    bound: Option<(Bound, &'a str)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Less,
    AtMost,
    Exactly,
    AtLeast,
    Greater,
}

impl<'a> Relation<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.split(['[', '<']).next().filter(|_| !text.contains('(')).unwrap_or(text).trim();
        let (name, rest) = match text.split_once('(') {
            Some((name, rest)) => (name.trim(), Some(rest)),
            None => (text, None),
        };
        // `python3:any` is python3 of any architecture.
        let name = name.split(':').next().unwrap_or(name);
        if name.is_empty() {
            return None;
        }
        let Some(rest) = rest else { return Some(Self { name, bound: None }) };
        let inside = rest.split(')').next()?.trim();
        let end = inside.find(|c: char| !matches!(c, '<' | '>' | '=')).unwrap_or(inside.len());
        let (operator, version) = inside.split_at(end);
        let bound = match operator {
            "<<" => Bound::Less,
            "<=" | "<" => Bound::AtMost,
            "=" => Bound::Exactly,
            ">=" | ">" => Bound::AtLeast,
            ">>" => Bound::Greater,
            _ => return None,
        };
        Some(Self { name, bound: Some((bound, version.trim())) })
    }

    /// Whether a version is one that is meant.
    pub fn takes(&self, version: &str) -> bool {
        let Some((bound, wanted)) = self.bound else { return true };
        let order = compare(version, wanted);
        match bound {
            Bound::Less => order == Ordering::Less,
            Bound::AtMost => order != Ordering::Greater,
            Bound::Exactly => order == Ordering::Equal,
            Bound::AtLeast => order != Ordering::Less,
            Bound::Greater => order == Ordering::Greater,
        }
    }

    /// Whether a package that provides the name does; one that provides it without a version only where no version is wanted.
    pub fn takes_provided(&self, version: Option<&str>) -> bool {
        self.bound.is_none() || version.is_some_and(|version| self.takes(version))
    }

    /// The version that a `Provides` names.
    pub fn provided_version(&self) -> Option<&'a str> {
        self.bound.map(|(_, version)| version)
    }
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        let Some((bound, version)) = self.bound else { return Ok(()) };
        let operator = match bound {
            Bound::Less => "<<",
            Bound::AtMost => "<=",
            Bound::Exactly => "=",
            Bound::AtLeast => ">=",
            Bound::Greater => ">>",
        };
        write!(f, " ({operator} {version})")
    }
}

/// The groups of alternatives in a field.
pub fn groups(field: &str) -> impl Iterator<Item = Vec<Relation<'_>>> {
    field
        .split(',')
        .map(|group| group.split('|').filter_map(Relation::parse).collect::<Vec<_>>())
        .filter(|group| !group.is_empty())
}

/// The relations in a field without alternatives, as `Provides` and `Conflicts` are.
pub fn list(field: &str) -> impl Iterator<Item = Relation<'_>> {
    groups(field).flatten()
}

/// A group as it is written.
pub fn shown(group: &[Relation<'_>]) -> String {
    group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_are_written() {
        let field = "libc6 (>= 2.36), debconf (>= 0.5) | debconf-2.0, python3:any (<< 4),";
        let groups: Vec<String> = groups(field).map(|group| shown(&group)).collect();
        assert_eq!(groups, ["libc6 (>= 2.36)", "debconf (>= 0.5) | debconf-2.0", "python3 (<< 4)"]);
        let one = |text| list(text).next().expect("a relation");
        assert!(one("a (>> 1)").takes("2") && !one("a (>> 1)").takes("1") && one("a").takes("1"));
        assert!(!one("a (>= 1)").takes_provided(None) && one("a").takes_provided(None));
        assert_eq!(one("a (= 3)").provided_version(), Some("3"));
        assert_eq!(list(" , ").count(), 0);
    }
}
