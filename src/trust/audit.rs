//! What is known of the packages of a bundle or a workspace: their lists, held against databases of advisories.

mod finding;
mod inventory;
mod report;
mod sarif;

pub use finding::{AuditFinding, FindingPlace, VexVerdict};
pub use inventory::{AuditedCrates, AuditedPackage, AuditedPackages, Inventory};
pub use report::{AuditReport, DatabaseReport};
pub use sarif::sarif;

use crate::trust::advisory::{Advisory, AffectedPackage, Database, Ecosystem};
use crate::trust::purl::Purl;
use crate::trust::vex::VexStatement;

/// Finds what databases know of an inventory. What `statements` settle is marked so; gives the places of those that match nothing
/// as well.
pub fn audit(inventory: &Inventory, database: &Database, statements: &[VexStatement]) -> (Vec<AuditFinding>, Vec<usize>) {
    let mut hits = inventory.crates.iter().flat_map(|set| of_crates(set, database)).collect::<Vec<_>>();
    hits.extend(inventory.packages.iter().flat_map(|set| of_packages(set, database)));
    let mut unused: Vec<usize> = (0..statements.len()).collect();
    for hit in &mut hits {
        let within: Vec<_> = inventory.products.iter().chain(&hit.roots).cloned().collect();
        for (at, statement) in statements.iter().enumerate() {
            if statement.is_about(&hit.finding.names(), &hit.purls, &within) {
                // Of several, the newest counts, which is the last.
                hit.finding.vex = Some(VexVerdict { status: statement.status, reason: statement.reason.clone() });
                unused.retain(|unused| *unused != at);
            }
        }
    }
    (finding::grouped(hits.into_iter().map(|hit| hit.finding)), unused)
}

/// One finding in one place.
struct Hit {
    finding: AuditFinding,
    /// Names of the package.
    purls: Vec<Purl>,
    /// The package of the executable.
    roots: Vec<Purl>,
}

fn of_crates(set: &AuditedCrates, database: &Database) -> Vec<Hit> {
    let mut hits = Vec::new();
    let users = set.users();
    for (at, name, version) in set.from_crates_io() {
        let found = database
            .of(&Ecosystem::Crates, name)
            .filter(|(_, package)| package.has(&version) && package.is_about("linux", set.arch.as_deref()));
        for (advisory, package) in found {
            let purls = vec![Purl::of_crate(name, &version)];
            let place = FindingPlace {
                services: set.services.clone(),
                file: set.file.clone(),
                base: None,
                path: set.path_to(at, &users),
            };
            hits.push(Hit {
                finding: finding(advisory, package, Ecosystem::Crates, &version, &purls, Vec::new(), place),
                purls,
                roots: set.root().into_iter().collect(),
            });
        }
    }
    hits
}

fn of_packages(set: &AuditedPackages, database: &Database) -> Vec<Hit> {
    let Some(release) = &set.release else { return Vec::new() };
    let ecosystem = Ecosystem::Debian(Some(release.clone()));
    let mut hits: Vec<Hit> = Vec::new();
    for (source, version, binaries) in set.by_source() {
        let found: Vec<_> = database.of(&ecosystem, source).filter(|(_, package)| package.has(version)).collect();
        for (advisory, package) in found.iter().filter(|(advisory, _)| !is_covered(advisory, &found)) {
            let mut purls = vec![Purl::of_debian(source, version)];
            purls.extend(binaries.iter().map(|binary| Purl::of_debian(&binary.name, &binary.version)));
            purls.dedup();
            let place = FindingPlace { services: set.services.clone(), file: None, base: set.base.clone(), path: Vec::new() };
            let names = binaries.iter().map(|binary| binary.name.clone()).collect();
            hits.push(Hit {
                finding: finding(advisory, package, ecosystem.clone(), version, &purls, names, place),
                purls,
                roots: Vec::new(),
            });
        }
    }
    hits
}

/// Whether others say all of it: Debian's `DSA-…` stands for several of CVE's numbers, each of which has an entry of its own.
fn is_covered(advisory: &Advisory, found: &[(&Advisory, &AffectedPackage)]) -> bool {
    let is_own = |name: &String| {
        found.iter().any(|(other, _)| {
            other.id != advisory.id && other.aliases.len() < advisory.aliases.len().max(2) && other.aliases.contains(name)
        })
    };
    advisory.id.starts_with("DSA-") && !advisory.aliases.is_empty() && advisory.aliases.iter().all(is_own)
}

fn finding(
    advisory: &Advisory,
    package: &AffectedPackage,
    ecosystem: Ecosystem,
    version: &str,
    purls: &[Purl],
    binary_packages: Vec<String>,
    place: FindingPlace,
) -> AuditFinding {
    AuditFinding {
        id: advisory.id.clone(),
        aliases: advisory.aliases.clone(),
        informational: advisory.informational.clone(),
        title: advisory.title.clone(),
        url: advisory.url.clone(),
        date: advisory.date.clone(),
        scored: advisory.scored.clone(),
        ecosystem,
        package: package.name.clone(),
        version: version.to_owned(),
        purls: purls.iter().map(ToString::to_string).collect(),
        binary_packages,
        fixed_in: package.fixed_in(version),
        places: vec![place],
        vex: None,
    }
}
