//! Advisories in OSV's form (Open Source Vulnerability format, 1.7), as far as they are about crates and Debian's packages.

use std::borrow::Cow;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::ecosystem::Ecosystem;
use super::events::VersionEvent;
use super::rating::Scored;
use super::record::{Advisory, AffectedPackage, AffectedPlatforms, AffectedVersions, day};

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    modified: Cow<'a, str>,
    published: Option<Cow<'a, str>>,
    withdrawn: Option<Cow<'a, str>>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    upstream: Vec<String>,
    summary: Option<Cow<'a, str>>,
    details: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    severity: Vec<Vector<'a>>,
    #[serde(default, borrow)]
    affected: Vec<Affected<'a>>,
    #[serde(default, borrow)]
    references: Vec<Reference<'a>>,
    #[serde(borrow)]
    database_specific: Option<Words<'a>>,
}

#[derive(Deserialize)]
struct Vector<'a> {
    #[serde(borrow)]
    score: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    url: Cow<'a, str>,
}

/// What databases say in words of their own.
#[derive(Default, Deserialize)]
struct Words<'a> {
    #[serde(borrow)]
    severity: Option<Cow<'a, str>>,
    urgency: Option<Cow<'a, str>>,
    informational: Option<Cow<'a, str>>,
    #[serde(default)]
    affects: Option<AffectedPlatforms>,
}

#[derive(Deserialize)]
struct Affected<'a> {
    #[serde(borrow)]
    package: Option<Named<'a>>,
    #[serde(default, borrow)]
    severity: Vec<Vector<'a>>,
    #[serde(default, borrow)]
    ranges: Vec<Range<'a>>,
    #[serde(default, borrow)]
    versions: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    ecosystem_specific: Option<Words<'a>>,
    #[serde(borrow)]
    database_specific: Option<Words<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    ecosystem: Cow<'a, str>,
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Range<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    introduced: Option<Cow<'a, str>>,
    fixed: Option<Cow<'a, str>>,
    last_affected: Option<Cow<'a, str>>,
}

/// Reads one file; gives its day, and the advisory unless it was withdrawn. Packages that `wanted` declines are left out.
///
/// # Errors
/// When it is no such file, in words for the user.
pub fn parse(json: &[u8], wanted: &dyn Fn(&Ecosystem, &str) -> bool) -> Result<(String, Option<Advisory>)> {
    let entry: Entry<'_> = serde_json::from_slice(json).map_err(|error| anyhow::anyhow!("it is not OSV's JSON: {error}"))?;
    ensure!(!entry.id.is_empty(), "its `id` is empty");
    let modified = day(&entry.modified).with_context(|| format!("`modified` is `{}` instead of a time", entry.modified))?;
    let date = entry.published.as_deref().and_then(day).unwrap_or(modified).to_owned();
    if entry.withdrawn.is_some() {
        return Ok((date, None));
    }
    let (mut affected, mut vectors, mut word, mut informational) = (Vec::new(), Vec::new(), None, None);
    for one in entry.affected {
        let Some(package) = one.package else { continue };
        let Some(ecosystem) = Ecosystem::named(&package.ecosystem).filter(|ecosystem| wanted(ecosystem, &package.name)) else {
            continue;
        };
        let own = one.ecosystem_specific.unwrap_or_default();
        let more = one.database_specific.unwrap_or_default();
        vectors.extend(one.severity);
        let unimportant = own.urgency.as_ref().filter(|word| *word == "unimportant").cloned();
        informational = informational.or(more.informational).or(own.informational).or(unimportant);
        word = word.or(own.urgency).or(own.severity).or(more.severity);
        let lines = one.ranges.into_iter().filter(|range| range.kind != "GIT").map(|range| events(range.events)).collect();
        let single = one.versions.into_iter().map(Cow::into_owned).collect();
        affected.push(AffectedPackage {
            ecosystem,
            name: package.name.into_owned(),
            platforms: own.affects.or(more.affects).unwrap_or_default(),
            versions: AffectedVersions::Events(lines, single),
        });
    }
    let more = entry.database_specific.unwrap_or_default();
    vectors.extend(entry.severity);
    word = word.or(more.severity).or(more.urgency);
    let title = entry.summary.or(entry.details).unwrap_or_default();
    let url = entry.references.iter().find(|reference| reference.kind == "ADVISORY").or(entry.references.first());
    let mut aliases = entry.aliases;
    aliases.extend(entry.upstream);
    let advisory = Advisory {
        id: entry.id.into_owned(),
        aliases,
        title: one_line(&title),
        url: url.map(|reference| reference.url.clone().into_owned()),
        date: date.clone(),
        scored: Scored::of(vectors.iter().map(|vector| &*vector.score), word.as_deref()),
        informational: informational.map(Cow::into_owned),
        affected,
    };
    Ok((date, Some(advisory)))
}

fn events(list: Vec<Event<'_>>) -> Vec<VersionEvent> {
    let events = list.into_iter().filter_map(|event| {
        let introduced = event.introduced.map(|version| VersionEvent::Introduced(version.into_owned()));
        let fixed = event.fixed.map(|version| VersionEvent::Fixed(version.into_owned()));
        introduced.or(fixed).or_else(|| Some(VersionEvent::LastAffected(event.last_affected?.into_owned())))
    });
    events.collect()
}

/// The first line, and of that no more than a line holds.
fn one_line(text: &str) -> String {
    const MOST: usize = 120;
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advisory(json: &serde_json::Value) -> Advisory {
        let parsed = parse(json.to_string().as_bytes(), &|_, name| name != "other").expect("an advisory");
        parsed.1.expect("not withdrawn")
    }

    #[test]
    fn crates_and_debian_packages() {
        let json = serde_json::json!({
            "id": "DSA-9999-1", "modified": "2031-03-01T00:00:00Z", "published": "2031-02-03T10:00:00Z",
            "upstream": ["CVE-2031-1"], "details": "Tea \"leaks\".\nMuch of it.",
            "affected": [
                {
                    "package": {"ecosystem": "Debian:12", "name": "teapot", "purl": "pkg:deb/debian/teapot"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:2.0-3+deb12u1"}]}],
                    "versions": ["1:1.0-1"], "ecosystem_specific": {"urgency": "medium"},
                },
                {
                    "package": {"ecosystem": "crates.io", "name": "teapot"},
                    "ranges": [
                        {"type": "GIT", "events": [{"introduced": "0"}]},
                        {"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}, {"fixed": "0.9.4"}]},
                    ],
                    "ecosystem_specific": {"affects": {"os": ["linux"], "arch": [], "functions": []}},
                    "database_specific": {"informational": null, "cvss": null},
                },
                {"package": {"ecosystem": "npm", "name": "teapot"}},
                {"package": {"ecosystem": "Debian", "name": "other"}},
                {"ranges": []},
            ],
            "references": [{"type": "WEB", "url": "https://a.example"}, {"type": "ADVISORY", "url": "https://b.example"}],
        });
        let teapot = advisory(&json);
        assert_eq!((teapot.title.as_str(), &teapot.aliases[..]), ("Tea \"leaks\".", &["CVE-2031-1".to_owned()][..]));
        assert_eq!((teapot.url.as_deref(), teapot.date.as_str()), (Some("https://b.example"), "2031-02-03"));
        assert_eq!((teapot.scored.severity, teapot.informational), (Some(super::super::Rating::Medium), None));
        let [debian, own] = &teapot.affected[..] else { panic!("{:?}", teapot.affected) };
        assert!(debian.has("1:2.0-3") && !debian.has("1:2.0-3+deb12u1") && debian.has("1:1.0-1"));
        assert_eq!(debian.fixed_in("1:2.0-3"), ["1:2.0-3+deb12u1"]);
        assert!(own.has("0.9.3") && !own.has("0.9.4"));
    }

    #[test]
    fn what_debian_calls_unimportant_is_no_vulnerability() {
        let json = serde_json::json!({"id": "DEBIAN-CVE-2031-1", "modified": "2031-03-01T00:00:00Z", "affected": [{
            "package": {"ecosystem": "Debian:12", "name": "teapot"}, "ecosystem_specific": {"urgency": "unimportant"}}]});
        assert_eq!(advisory(&json).informational.as_deref(), Some("unimportant"));
    }

    #[test]
    fn what_is_no_advisory_is_refused() {
        let deep = format!("{{\"id\":\"A\",\"x\":{}", "[".repeat(100_000));
        for (json, why) in [
            ("[]", "it is not OSV's JSON"),
            ("{\"id\":\"A\"}", "missing field `modified`"),
            ("{\"id\":\"\",\"modified\":\"2031-03-01\"}", "its `id` is empty"),
            ("{\"id\":\"A\",\"modified\":\"today\"}", "`modified` is `today` instead of a time"),
            ("{\"id\":1}", "invalid type"),
            (&deep, "EOF while parsing a list"),
        ] {
            let error = format!("{:#}", parse(json.as_bytes(), &|_, _| true).expect_err(why));
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(one_line(&"ä".repeat(500)).chars().count(), 121);
    }
}
