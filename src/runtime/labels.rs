//! Labels of containers by which other processes find them.

use std::collections::BTreeMap;

use super::launch::Launch;

/// The label with the run's name, which its network has too.
pub const RUN: &str = "io.github.cargo-appbundle.run";

/// The label with the app's name.
pub const APP: &str = "io.github.cargo-appbundle.app";

/// The label with the service's name.
pub const SERVICE: &str = "io.github.cargo-appbundle.service";

/// The label with the services that it depends on, separated by commas.
pub const AFTER: &str = "io.github.cargo-appbundle.after";

/// The label with its `stop-grace-period`.
pub const GRACE: &str = "io.github.cargo-appbundle.stop-grace-period";

/// The labels of one container.
pub fn of(launch: &Launch) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([(SERVICE.to_owned(), launch.name.clone())]);
    if !launch.after.is_empty() {
        labels.insert(AFTER.to_owned(), launch.after.join(","));
    }
    labels.extend(launch.container.stop_grace_period.iter().map(|grace| (GRACE.to_owned(), grace.clone())));
    labels
}
