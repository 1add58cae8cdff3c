//! Affected versions as events on a line (OSV schema, `affected[].ranges[].events`).

use std::cmp::Ordering;

use semver::Version;

use crate::debian::compare_versions;

/// How versions are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionOrder {
    /// SemVer's precedence.
    Semver,
    /// dpkg's.
    Dpkg,
}

impl VersionOrder {
    /// The order of two versions. `0` is below all; what is no version in SemVer's eyes is compared as dpkg does.
    pub fn compare(self, one: &str, other: &str) -> Ordering {
        match (one == "0", other == "0") {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        if self == Self::Semver
            && let (Ok(a), Ok(b)) = (Version::parse(one), Version::parse(other))
        {
            return a.cmp_precedence(&b);
        }
        compare_versions(one, other)
    }
}

/// Something that happened at a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionEvent {
    /// From here on, versions are affected.
    Introduced(String),
    /// From here on, they are not.
    Fixed(String),
    /// Those after this one are not.
    LastAffected(String),
}

impl VersionEvent {
    fn version(&self) -> &str {
        let (Self::Introduced(version) | Self::Fixed(version) | Self::LastAffected(version)) = self;
        version
    }
}

/// Whether a version is affected: what the last event at or before it says.
pub fn affects(events: &[VersionEvent], version: &str, order: VersionOrder) -> bool {
    let mut before: Vec<&VersionEvent> =
        events.iter().filter(|event| order.compare(event.version(), version) != Ordering::Greater).collect();
    before.sort_by(|a, b| order.compare(a.version(), b.version()));
    match before.last() {
        None | Some(VersionEvent::Fixed(_)) => false,
        Some(VersionEvent::Introduced(_)) => true,
        Some(VersionEvent::LastAffected(last)) => order.compare(last, version) == Ordering::Equal,
    }
}

/// The version that fixes it for those who have this one.
pub fn fixed_after<'a>(events: &'a [VersionEvent], version: &str, order: VersionOrder) -> Option<&'a str> {
    let fixed = events.iter().filter_map(|event| match event {
        VersionEvent::Fixed(fixed) if order.compare(fixed, version) == Ordering::Greater => Some(fixed.as_str()),
        _ => None,
    });
    fixed.min_by(|a, b| order.compare(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_before_a_version_decides() {
        use VersionEvent::{Fixed, Introduced, LastAffected};
        let of = |event: fn(String) -> VersionEvent, version: &str| event(version.to_owned());
        // In no order.
        let events = [of(Fixed, "2.3.0"), of(Introduced, "0"), of(Fixed, "1.2.3"), of(Introduced, "2.0.0-0")];
        for (version, affected, fix) in [
            ("0.0.0", true, Some("1.2.3")),
            ("1.2.3-rc.1", true, Some("1.2.3")),
            ("1.2.3", false, Some("2.3.0")),
            ("2.0.0-alpha", true, Some("2.3.0")),
            ("10.0.0", false, None),
        ] {
            assert_eq!(affects(&events, version, VersionOrder::Semver), affected, "{version}");
            assert_eq!(fixed_after(&events, version, VersionOrder::Semver), fix, "{version}");
        }
        let events = [of(Introduced, "0"), of(LastAffected, "1:2.36-9")];
        for (version, affected) in [("1:2.36-9", true), ("1:2.36-9+deb12u1", false), ("2.36-10", true), ("1:2.4~rc1", true)] {
            assert_eq!(affects(&events, version, VersionOrder::Dpkg), affected, "{version}");
        }
        assert!(!affects(&[], "1.0.0", VersionOrder::Semver));
    }
}
