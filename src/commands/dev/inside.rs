//! What containers of a run see of this machine in `/.appbundle`: the services' executables, and who runs them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::control::Control;
use crate::app::{Binary, Service, Target, Volume, VolumeSource};
use crate::base::{self, Sysroot};
use crate::elf::Elf;
use crate::fs;

/// Where it is in a container.
const FOLDER: &str = "/.appbundle";

/// The folder in it of who runs the services, and what that needs: it stands on no base.
const SUPERVISOR: &str = "supervisor";

/// A folder of this machine that all containers of a run have.
pub struct Inside {
    folder: TempDir,
    /// Held as long as the run lasts.
    _lock: std::fs::File,
    /// The command line that goes before a service's own, without the socket; none where this program does not run in the containers.
    supervisor: Option<Vec<String>>,
    controls: BTreeMap<String, Control>,
}

impl Inside {
    /// Makes it in a folder, and removes there what killed runs left; `linker` finds the libraries that this program needs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(parent: &Path, target: &Target, linker: &str) -> Result<Self> {
        fs_err::create_dir_all(parent)?;
        for entry in fs_err::read_dir(parent)?.flatten() {
            let dead = std::fs::File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
            if dead {
                // Whoever of them is in a container that still runs has them open.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(parent).context("failed to make a folder")?;
        // The services' users are others than ours.
        fs_err::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let lock = fs_err::File::create(folder.path().join("lock"))?.into_parts().0;
        lock.lock().context("failed to lock a new file")?;
        let supervisor = supervisor(folder.path(), target, &Sysroot::new(linker));
        Ok(Self { folder, _lock: lock, supervisor: supervisor.ok(), controls: BTreeMap::new() })
    }

    /// Where a service's executable is in a container.
    pub fn path(service: &Service) -> String {
        format!("{FOLDER}/{}/{}", service.name, service.bin)
    }

    /// The volume with all this.
    pub fn volume(&self) -> Volume {
        let source = VolumeSource::Host(self.folder.path().display().to_string());
        Volume { source, target: FOLDER.to_owned(), read_only: true }
    }

    /// Puts a service's executable into the place of the one before, which goes on as long as it runs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn place(&self, service: &Service, binary: &Binary) -> Result<()> {
        let folder = self.folder.path().join(service.name.as_str());
        fs_err::create_dir_all(&folder)?;
        fs::link(&binary.path, &folder.join(&service.bin), true)
    }

    /// The command line of a service that can be started again without its container.
    ///
    /// # Errors
    /// When its socket cannot be made.
    pub fn supervised(&mut self, service: &Service, words: Vec<String>) -> Result<Vec<String>> {
        let Some(supervisor) = self.supervisor.as_ref().filter(|_| !words.is_empty()) else { return Ok(words) };
        let name = service.name.as_str();
        if !self.controls.contains_key(name) {
            let folder = self.folder.path().join(name);
            fs_err::create_dir_all(&folder)?;
            self.controls.insert(name.to_owned(), Control::listen(&folder)?);
        }
        let control = format!("{FOLDER}/{name}/{}", Control::NAME);
        Ok(supervisor.iter().cloned().chain([control, "--".to_owned()]).chain(words).collect())
    }

    /// The connection to a service's supervisor.
    pub fn control(&self, service: &str) -> Option<&Control> {
        self.controls.get(service)
    }
}

/// Puts this program and its libraries into the folder; gives the command line that starts it in a container.
fn supervisor(folder: &Path, target: &Target, sysroot: &Sysroot) -> Result<Vec<String>> {
    let program = std::env::current_exe().context("failed to find this program")?;
    anyhow::ensure!(target.runs(Elf::read(&program)?.machine), "this program does not run there");
    let (libraries, loader) = base::libraries(&program, sysroot)?;
    let own = folder.join(SUPERVISOR);
    fs_err::create_dir_all(&own)?;
    fs::link(&program, &own.join("cargo-appbundle"), true)?;
    for (name, path) in &libraries {
        fs::link(path, &own.join(name), true)?;
    }
    let at = |name: &str| format!("{FOLDER}/{SUPERVISOR}/{name}");
    let through_loader = loader.map(|loader| [at(&loader), "--library-path".to_owned(), format!("{FOLDER}/{SUPERVISOR}")]);
    Ok(through_loader.into_iter().flatten().chain([at("cargo-appbundle"), "supervise".to_owned()]).collect())
}
