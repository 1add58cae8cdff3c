//! Findings as text for people.

use std::fmt::Write as _;

use crate::bundle::survey::printable;
use crate::shell::{Ink, count};
use crate::trust::audit::{AuditFinding, AuditReport, FindingPlace};

/// Ways to a package that are shown; others are counted.
const MOST_WAYS: usize = 3;

/// The whole report.
pub fn of(report: &AuditReport, ink: Ink) -> String {
    let mut out = summary(report);
    for finding in &report.findings {
        let text = of_finding(finding, ink);
        out.push_str(&text);
    }
    out
}

fn summary(report: &AuditReport) -> String {
    let settled = report.count(&AuditFinding::is_settled);
    let warnings = report.count(&|finding| finding.informational.is_some() && !finding.is_settled());
    let mut found = match report.vulnerabilities {
        0 => "no known vulnerabilities".to_owned(),
        1 => "1 vulnerability".to_owned(),
        several => format!("{several} vulnerabilities"),
    };
    for (number, what) in [(warnings, count(warnings, "warning")), (settled, format!("{settled} settled by VEX"))] {
        if number > 0 {
            let _ = write!(found, ", {what}");
        }
    }
    let packages = if report.packages > 0 { format!(" and {}", count(report.packages, "Debian package")) } else { String::new() };
    format!(
        "{}: {found}, in {}{packages}; {}, the newest of {}\n",
        report.file,
        count(report.crates, "crate"),
        if report.database.entries == 1 { "1 advisory".to_owned() } else { format!("{} advisories", report.database.entries) },
        report.database.newest
    )
}

fn of_finding(finding: &AuditFinding, ink: Ink) -> String {
    let mut out = String::new();
    let kind = match (&finding.informational, finding.scored.severity, finding.scored.score) {
        (Some(kind), _, _) => printable(kind),
        (None, Some(severity), Some(score)) => format!("{severity} {score:.1}"),
        (None, Some(severity), None) => severity.to_string(),
        (None, None, _) => "not rated".to_owned(),
    };
    let head = format!("{} {}: {} ({kind})", printable(&finding.package), printable(&finding.version), printable(&finding.id));
    let _ = writeln!(out, "\n{}", ink.heading(&head));
    let mut line = |name: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "  {name:<9} {}", printable(text));
        }
    };
    line("what", &finding.title);
    line("also", &finding.aliases.join(", "));
    line("packages", &finding.binary_packages.join(", "));
    line("in", &finding.services().join(", "));
    let bases: Vec<&str> = finding.places.iter().filter_map(|place| place.base.as_deref()).collect();
    line("base", &bases.join(", "));
    for way in ways(&finding.places) {
        line("through", &way);
    }
    let none = if finding.informational.is_some() { "" } else { "no version" };
    line("fixed in", &if finding.fixed_in.is_empty() { none.to_owned() } else { finding.fixed_in.join(", ") });
    if let Some(verdict) = &finding.vex {
        let reason = verdict.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        line("VEX", &format!("{}{reason}", verdict.status.name()));
    }
    line("more", finding.url.as_deref().unwrap_or_default());
    out
}

/// The different ways, but for those to a package that stands alone.
fn ways(places: &[FindingPlace]) -> Vec<String> {
    let mut ways: Vec<String> = places.iter().filter(|place| place.path.len() > 1).map(|place| place.path.join(" > ")).collect();
    ways.sort_unstable();
    ways.dedup();
    if ways.len() > MOST_WAYS + 1 {
        let more = ways.len() - MOST_WAYS;
        ways.truncate(MOST_WAYS);
        ways.push(format!("{more} more ways"));
    }
    ways
}

/// ` of a, b` or ` of the base x`.
pub fn services(services: &[String], base: Option<&str>) -> String {
    match (base, services) {
        (Some(base), _) => format!(" of the base `{base}`"),
        (None, []) => String::new(),
        (None, services) => format!(" of {}", services.join(", ")),
    }
}

/// The one command that helps with most of it.
pub fn help(denied: &[&AuditFinding]) -> String {
    let fixable = |debian: bool| {
        let of_kind = denied.iter().filter(|finding| !finding.fixed_in.is_empty() && finding.ecosystem.is_debian() == debian);
        let named = of_kind.map(|finding| match debian {
            true => printable(&finding.package),
            false => printable(&format!("{}@{}", finding.package, finding.version)),
        });
        let mut names: Vec<String> = named.collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let crates = fixable(false);
    if !crates.is_empty() {
        return format!("take versions that fix it: `cargo update {}`", crates.join(" "));
    }
    if !fixable(true).is_empty() {
        return "take newer packages of the base: `cargo appbundle update`".to_owned();
    }
    "say what it means for this app: `cargo appbundle audit --vex-init FILE`".to_owned()
}
