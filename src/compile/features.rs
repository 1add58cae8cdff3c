//! The features of the services' packages, all in one run of Cargo.

use std::collections::BTreeSet;

use super::options::CompileOptions;
use crate::plan::Plan;
use crate::workspace::Selection;

/// What Cargo is told of features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enabled {
    /// `--features`
    pub features: Vec<String>,
    /// `--no-default-features`, which is for all packages of a run: those that keep their default features name these.
    pub no_default_features: bool,
}

impl Enabled {
    /// What the services' tables and the command line enable.
    pub fn of(plan: &Plan, options: &CompileOptions) -> Self {
        let some_are_bare = plan.packages().any(|(_, package)| !package.default_features);
        let mut features = Vec::new();
        for (_, package) in plan.packages() {
            let keeps = package.has_default && package.default_features && some_are_bare && !options.no_default_features;
            let own = package.features.iter().map(String::as_str).chain(keeps.then_some("default"));
            features.extend(own.map(|feature| format!("{}/{feature}", package.package)));
        }
        let of_libraries = plan.libraries().into_iter().filter(|library| library.has_default && some_are_bare);
        let of_libraries = of_libraries.filter(|library| plan.packages().all(|(_, package)| package.package != library.package));
        features
            .extend(of_libraries.filter(|_| !options.no_default_features).map(|library| format!("{}/default", library.package)));
        features.extend(options.features.iter().cloned());
        Self { features, no_default_features: options.no_default_features || some_are_bare }
    }

    /// The flags.
    pub fn flags(&self, all_features: bool) -> Vec<String> {
        let mut flags: Vec<String> = self.features.iter().flat_map(|feature| ["--features".into(), feature.clone()]).collect();
        for (on, flag) in [(all_features, "--all-features"), (self.no_default_features, "--no-default-features")] {
            if on {
                flags.push(flag.to_owned());
            }
        }
        flags
    }
}

/// The packages of a plan's services, with the features that they are compiled with.
pub fn selection(plan: &Plan, options: &CompileOptions) -> Selection {
    let packages = packages(plan).into_iter().map(str::to_owned).collect();
    let Enabled { features, no_default_features } = Enabled::of(plan, options);
    Selection { features, packages, all_features: options.all_features, no_default_features }
}

/// The packages that Cargo compiles for a plan: those of the services, and of the libraries that these pack.
pub fn packages(plan: &Plan) -> BTreeSet<&str> {
    let of_services = plan.packages().map(|(_, package)| package.package.as_str());
    of_services.chain(plan.libraries().into_iter().map(|library| library.package.as_str())).collect()
}
