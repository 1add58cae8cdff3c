//! Detects that nothing changed: the inputs of the last build, and the files it left.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::app::{AppFile, Binary};
use crate::digest::{Digest, Hasher};
use crate::fs::Stamp;
use crate::plan::Plan;
use crate::segment::KnownDigests;
use crate::trust::ServiceCrates;

/// The inputs and outputs of the last build in a folder.
#[derive(Debug, Serialize, Deserialize)]
pub struct LastBuild {
    inputs: Digest,
    outputs: Vec<(PathBuf, Stamp)>,
}

impl LastBuild {
    /// Loads the last build from `path`, if there was one.
    pub fn load(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Whether the last build had these inputs, and its outputs are still untouched.
    pub fn is_fresh(&self, inputs: Digest) -> bool {
        self.inputs == inputs && self.outputs.iter().all(|(path, stamp)| Stamp::read(path).is_ok_and(|now| now == *stamp))
    }

    /// Saves a build that has just ended.
    pub fn save(path: &Path, inputs: Digest, outputs: &[PathBuf]) -> Result<()> {
        let outputs = outputs.iter().map(|path| Ok((path.clone(), Stamp::read(path)?))).collect::<Result<_>>()?;
        crate::fs::write(path, &serde_json::to_vec(&Self { inputs, outputs })?)
    }
}

/// The digest of everything that a build's outputs depend on; `images` are the manifests of its base images.
pub fn inputs(
    plan: &Plan,
    binaries: &[Binary],
    crates: &[ServiceCrates],
    linker: &str,
    images: &[Digest],
    known: &KnownDigests,
) -> Result<Digest> {
    use std::io::Write as _;
    let mut sum = Hasher::default();
    write!(sum, "{} {linker} ", env!("CARGO_PKG_VERSION"))?;
    // A rebuilt tool may write other bytes under the same version.
    if let Ok(stamp) = std::env::current_exe().and_then(|path| Stamp::read(&path)) {
        write!(sum, "{stamp:?} ")?;
    }
    serde_json::to_writer(&mut sum, plan)?;
    write!(sum, "{:?} {}", plan.template, Digest::of(&plan.settings))?;
    for binary in binaries {
        write!(sum, " {} {}", binary.service, binary.digest)?;
    }
    serde_json::to_writer(&mut sum, crates)?;
    for file in plan.packages().flat_map(|(_, package)| &package.files).filter_map(AppFile::from) {
        write!(sum, " {}", known.digest(file)?.0)?;
    }
    write!(sum, " {images:?}")?;
    for base in plan.bases() {
        if let crate::app::BaseChoice::Dockerfile(source) = base {
            write!(sum, " {}", crate::base::BuildContext::read(source, known)?.sum(source, &plan.target)?)?;
        }
        #[cfg(feature = "engine")]
        if let crate::app::BaseChoice::Daemon(name) = base {
            write!(sum, " {}", crate::base::image_id(name)?)?;
        }
        if let crate::app::BaseChoice::Rootfs(path) | crate::app::BaseChoice::Archive(path) = base {
            for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
                let entry = entry?;
                write!(sum, " {} {:?}", entry.path().display(), Stamp::of(&entry.metadata()?))?;
            }
        }
    }
    Ok(sum.finish())
}
