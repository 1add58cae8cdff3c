//! What the command line asks of a plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::select::Reach;
use super::{Builder, Engine, Format};
use crate::app::Destination;
use crate::archive::gzip::Level;

/// Options from the command line.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `-p`: services or packages to select; if empty, all.
    pub packages: Vec<String>,
    /// Whether to select the dependencies of the selected services too.
    pub reach: Reach,
    /// The tag of the images; if `None`, the version.
    pub image_tag: Option<String>,
    /// `--profile`
    pub profile: String,
    /// `--target`; if empty, the targets of the table.
    pub targets: Vec<String>,
    /// `--variant`: a variant of the table.
    pub variant: Option<String>,
    /// `--format`; if empty, the formats of the table.
    pub formats: Vec<Format>,
    /// `--builder`
    pub builder: Option<Builder>,
    /// `--engine`
    pub engine: Option<Engine>,
    /// `--compression`
    pub compression: Option<Level>,
    /// `--app-version`
    pub version: Option<String>,
    /// `--repo`: repository prefix of the images.
    pub repo: Option<String>,
    /// `--env`: build arguments for all Dockerfile services.
    pub env: Vec<(String, String)>,
    /// `--insecure-registry`
    pub insecure_registries: Vec<String>,
    /// `--for`: destinations of the deployment files.
    pub destinations: Vec<Destination>,
    /// `SOURCE_DATE_EPOCH`; if `None`, the date that the table chooses.
    pub epoch: Option<u64>,
    /// `--out-dir`; default: `appbundle` in the target folder.
    pub output: Option<PathBuf>,
    /// Whether images are for development: they are built without texts of licences.
    pub in_development: bool,
    /// Whether this is one of several targets: then each has a folder of its own in the output folder, writes what holds one
    /// platform, and leaves out devices of others.
    pub among_others: bool,
    /// Whether the commands of `prepare` have run. Before that, files that they write need not be there.
    pub prepared: bool,
    /// The names under which executables are linked with libraries of the workspace, by the names of their files, where they differ.
    /// They are known when these are compiled.
    pub sonames: BTreeMap<String, String>,
}
