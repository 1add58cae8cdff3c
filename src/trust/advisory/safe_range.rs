//! Versions of a crate that an advisory spares, in RustSec's words: `>= 1.2.3, < 1.3.0`.
//!
//! RustSec reads requirements as stretches in SemVer's order of precedence, so that `1.2.3-rc.1` is below `>= 1.2.3`; Cargo itself
//! treats prereleases apart.

use std::cmp::Ordering;

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

/// An end of a stretch: the version, and whether it is inside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    version: Version,
    inside: bool,
}

/// A stretch of versions; without an end, it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SafeRange {
    from: Option<End>,
    to: Option<End>,
    text: String,
}

impl SafeRange {
    /// Reads a requirement.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, semver::Error> {
        let requirement = VersionReq::parse(text)?;
        let mut range = Self { text: text.trim().to_owned(), ..Self::default() };
        for comparator in &requirement.comparators {
            let (from, to) = ends(comparator);
            range.from = narrower(range.from, from, Ordering::Greater);
            range.to = narrower(range.to, to, Ordering::Less);
        }
        Ok(range)
    }

    /// Whether a version is in it.
    pub fn has(&self, version: &Version) -> bool {
        let within = |end: &Option<End>, side: Ordering| match end {
            None => true,
            Some(end) => match version.cmp_precedence(&end.version) {
                Ordering::Equal => end.inside,
                order => order == side,
            },
        };
        within(&self.from, Ordering::Greater) && within(&self.to, Ordering::Less)
    }

    /// The lowest version in it, if that is above this one: the version itself, or the requirement.
    pub fn above(&self, version: &Version) -> Option<(Version, String)> {
        let from = self.from.as_ref().filter(|from| from.version.cmp_precedence(version) != Ordering::Less)?;
        let shown = if from.inside { from.version.to_string() } else { self.text.clone() };
        Some((from.version.clone(), shown))
    }
}

/// The one of two ends that leaves less; `side` is what it then is to the other.
fn narrower(one: Option<End>, other: Option<End>, side: Ordering) -> Option<End> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let order = one.version.cmp_precedence(&other.version);
            let first = order == side || order == Ordering::Equal && !one.inside;
            Some(if first { one } else { other })
        }
        (one, other) => one.or(other),
    }
}

fn ends(comparator: &Comparator) -> (Option<End>, Option<End>) {
    let Comparator { op, major, minor, patch, pre } = comparator;
    let (minor, patch) = (*minor, *patch);
    let lowest = Version {
        major: *major,
        minor: minor.unwrap_or(0),
        patch: patch.unwrap_or(0),
        pre: pre.clone(),
        build: BuildMetadata::EMPTY,
    };
    let inside = |version: &Version| Some(End { version: version.clone(), inside: true });
    let outside = |version: &Version| Some(End { version: version.clone(), inside: false });
    // `-0` is the lowest prerelease: those of the next version are not meant.
    let before = |major: u64, minor: u64, patch: u64| {
        let pre = Prerelease::new("0").unwrap_or_default();
        Some(End { version: Version { major, minor, patch, pre, build: BuildMetadata::EMPTY }, inside: false })
    };
    let next = |number: u64| number.saturating_add(1);
    match op {
        Op::Exact => (inside(&lowest), inside(&lowest)),
        Op::Greater => (outside(&lowest), None),
        Op::GreaterEq => (inside(&lowest), None),
        Op::Less => (None, outside(&lowest)),
        Op::LessEq => (None, inside(&lowest)),
        Op::Tilde | Op::Wildcard => {
            let to = match minor {
                Some(minor) => before(*major, next(minor), 0),
                None => before(next(*major), 0, 0),
            };
            (inside(&lowest), to)
        }
        // The caret, which is also meant where nothing is written.
        _ => {
            let to = match (major, minor, patch) {
                (0, Some(0), Some(patch)) => before(0, 0, next(patch)),
                (0, Some(minor), _) => before(0, next(minor), 0),
                _ => before(next(*major), 0, 0),
            };
            (inside(&lowest), to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prereleases_are_in_order_with_all_others() {
        for (range, inside, outside) in [
            (">= 1.2.3", "1.2.3 1.2.4-rc.1 2.0.0 1.2.3+build", "1.2.3-rc.1 1.2.2"),
            (">1.2.3", "1.2.4-0 1.3.0", "1.2.3 1.2.3+build"),
            ("<= 0.3", "0.3.0 0.1.0", "0.3.1"),
            ("< 2.0.0, >= 1.0.0", "1.0.0 1.9.9 2.0.0-rc.1", "2.0.0 0.9.9"),
            ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0 0.3.0-rc.1"),
            ("0.0.3", "0.0.3", "0.0.4 0.0.4-0"),
            ("^0.0", "0.0.9", "0.1.0"),
            ("^ 1.2", "1.2.0 1.9.0", "2.0.0-0 1.1.9"),
            ("~1.2.3", "1.2.3 1.2.9", "1.3.0-0"),
            ("~1", "1.9.0", "2.0.0-0"),
            ("=1.0.0", "1.0.0", "1.0.1"),
            ("1.2.*", "1.2.9", "1.3.0 1.1.0"),
            ("*", "0.0.0 9.9.9-rc.1", ""),
            ("> 1.0.0, >= 1.0.0", "1.0.1", "1.0.0"),
        ] {
            let parsed = SafeRange::parse(range).expect(range);
            let has = |version: &str| parsed.has(&version.parse().expect(version));
            assert!(inside.split_whitespace().all(has), "{range} {inside}");
            assert!(!outside.split_whitespace().any(has), "{range} {outside}");
        }
        assert!(SafeRange::parse("new").is_err());
    }

    #[test]
    fn the_next_good_version_is_told() {
        let above = |range: &str, version: &str| {
            let range = SafeRange::parse(range).expect(range);
            range.above(&version.parse().expect(version)).map(|(_, text)| text)
        };
        assert_eq!(above(">= 1.2.3, < 2.0.0", "1.0.0").as_deref(), Some("1.2.3"));
        assert_eq!(above("> 1.2.3", "1.2.3").as_deref(), Some("> 1.2.3"));
        assert_eq!((above(">= 0.9.4, < 1.0.0", "1.0.0"), above("< 1.0.0", "1.0.0")), (None, None));
    }
}
