//! Bases of Debian packages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a base of Debian packages is made of.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct PackagesTable {
    /// With `debian` or `ubuntu`: the packages. Their dependencies are included.
    pub packages: Vec<String>,
    /// With `debian` or `ubuntu`: whether to include all `Essential` packages: a shell, coreutils, dpkg and so on. Default: `false`.
    pub essential: Option<bool>,
    /// With `debian` or `ubuntu`: whether to leave out documentation and translations. Copyright files stay. Default: `true`.
    pub slim: Option<bool>,
    /// With `debian` or `ubuntu`: patterns of paths to leave out, such as `usr/share/icons/**`.
    pub exclude: Vec<String>,
    /// With `debian` or `ubuntu`: packages to leave out, although others depend on them.
    pub without: Vec<String>,
    /// With `debian` or `ubuntu`: URL of the archive. Default: the one that this machine's apt uses.
    pub mirror: Option<String>,
    /// With `debian`: URL of the archive of security updates. Default: the one that this machine's apt uses.
    pub security_mirror: Option<String>,
    /// With `debian` or `ubuntu`: a file with the public keys that sign the archive, instead of Debian's. Relative to the manifest.
    pub keyring: Option<String>,
    /// With `debian` or `ubuntu`: a point in time, such as `20261124T000000Z`, if `mirror` is an archive of snapshots.
    pub snapshot: Option<String>,
    /// With `debian` or `ubuntu`: URL of an archive of snapshots, without the distribution's name. Packages that `appbundle.lock` pins and that are
    /// no longer on the mirrors are downloaded from it.
    pub snapshot_mirror: Option<String>,
    /// With `debian` or `ubuntu`: a folder with packages, searched before the archive. Relative to the manifest.
    pub vendor: Option<String>,
    /// With `debian` or `ubuntu`: `"skip"` for each package whose scripts are skipped.
    pub scripts: BTreeMap<String, ScriptName>,
}

/// What becomes of a package's scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptName {
    /// They are not run, and nothing does what they would do.
    Skip,
}
