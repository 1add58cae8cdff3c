//! Whether a bundle's own bill of materials says what its images contain.

use std::collections::BTreeSet;

use crate::bundle::survey::Survey;
use crate::trust::sbom::{self, ComponentKind};
use crate::trust::{CrateKind, CrateList};

/// What does not agree, in words for the reader. A bill that names what it lacks is taken at its word.
pub fn faults(document: &[u8], survey: &Survey) -> Vec<String> {
    let bill = match sbom::parse(document) {
        Ok(bill) => bill,
        Err(error) => return vec![format!("its bill of materials cannot be read: {error:#}")],
    };
    let mut faults = Vec::new();
    let mut crates = BTreeSet::new();
    for executable in &survey.executables {
        let Some(section) = &executable.found.list else { continue };
        match CrateList::parse(section) {
            Ok(list) => crates.extend(
                list.packages
                    .into_iter()
                    .filter(|one| !one.root && one.kind == CrateKind::Runtime)
                    .map(|one| format!("{} {}", one.name, one.version)),
            ),
            Err(error) => faults.push(format!("the list of crates in `{}` cannot be read: {error:#}", executable.path)),
        }
    }
    if !faults.is_empty() || !bill.gaps.is_empty() {
        return faults;
    }
    let packages = survey.packages.iter().flat_map(|image| &image.list);
    let packages: BTreeSet<String> = packages.map(|package| format!("{} {}", package.name, package.version)).collect();
    let listed = |kind: ComponentKind| -> BTreeSet<String> {
        let of_kind = bill.components.values().filter(|component| component.kind == kind);
        of_kind.map(|component| format!("{} {}", component.name, component.version.as_deref().unwrap_or_default())).collect()
    };
    let found = [(ComponentKind::Library, crates, "crate", "executable"), (ComponentKind::Package, packages, "package", "image")];
    for (kind, there, what, place) in found {
        let said = listed(kind);
        faults.extend(there.difference(&said).map(|one| format!("its bill of materials lacks the {what} `{one}`")));
        faults.extend(
            said.difference(&there)
                .map(|one| format!("its bill of materials lists the {what} `{one}`, which no {place} contains")),
        );
    }
    faults
}
