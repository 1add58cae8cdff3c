//! Cargo's flags for the features of the services' packages, all in one run of Cargo.

use super::options::CompileOptions;
use crate::plan::Plan;
use crate::workspace::Workspace;

/// The flags. `--no-default-features` is for all packages of a run, so packages that keep their default features name these.
pub fn flags(workspace: &Workspace, plan: &Plan, options: &CompileOptions) -> Vec<String> {
    let mut flags = Vec::new();
    let bare = options.no_default_features || plan.packages().any(|(_, package)| !package.default_features);
    for (_, package) in plan.packages() {
        let has_default =
            || workspace.members.iter().any(|member| member.name == package.package && member.has_feature("default"));
        let own = package.features.iter().map(String::as_str);
        let default = (bare && !options.no_default_features && package.default_features && has_default()).then_some("default");
        flags.extend(own.chain(default).flat_map(|feature| ["--features".into(), format!("{}/{feature}", package.package)]));
    }
    flags.extend(options.features.iter().flat_map(|feature| ["--features".into(), feature.clone()]));
    for (on, flag) in [(options.all_features, "--all-features"), (bare, "--no-default-features")] {
        if on {
            flags.push(flag.to_owned());
        }
    }
    flags
}
