//! The features with which packages are compiled.

use std::collections::BTreeMap;

use super::manifests::ServiceSource;
use super::report::Report;
use crate::config::{Problems, Step, schema};
use crate::diagnostic::Code;
use crate::workspace::Member;

/// Reports features of a service's table that its package does not have.
pub fn known(source: &ServiceSource<'_>, report: &mut Report<'_>) {
    let Some(member) = source.member() else { return };
    for (at, feature) in source.table.features.iter().flatten().enumerate() {
        if let Some(message) = unknown(member, feature) {
            report.wrong(Code::InvalidValue, &[Step::Key("features"), Step::Index(at)], message);
        }
    }
}

/// The message for a feature that a package does not have.
pub fn unknown(member: &Member, feature: &str) -> Option<String> {
    let known: Vec<&str> = member.features.iter().map(String::as_str).collect();
    let near = schema::did_you_mean(feature, &known);
    (!member.has_feature(feature)).then(|| format!("package `{}` has no feature `{feature}`{near}", member.name))
}

/// A package is compiled once for all of its services, so these have to agree.
pub fn agreement(sources: &[ServiceSource<'_>], problems: &mut Problems) {
    let mut first: BTreeMap<&str, &ServiceSource<'_>> = BTreeMap::new();
    let has_default = |source: &ServiceSource<'_>| source.table.default_features.unwrap_or(true);
    for (source, member) in sources.iter().filter_map(|source| Some((source, source.member()?))) {
        let other = *first.entry(&member.name).or_insert(source);
        if has_default(other) != has_default(source) {
            let steps = if source.table.default_features.is_some() { &[Step::Key("default-features")][..] } else { &[] };
            let message = format!(
                "the package `{}` is compiled once for `{}` and `{}`, so both need the same `default-features`",
                member.name,
                other.name(),
                source.name()
            );
            source.report(problems).wrong(Code::ConflictingKeys, steps, message);
        }
    }
}
