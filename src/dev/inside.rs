//! Mounts for the containers of `dev`: each service's executable, and the supervisor that restarts it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use super::GRACE;
use super::control::{Control, Restart};
use crate::app::{Binary, Target, Volume, VolumeSource};
use crate::elf::{Elf, Needing, needed};
use crate::engine::Interrupt;
use crate::os;
use crate::shell::Shell;

/// The mounted folder to which Cargo writes executables.
const EXECUTABLES: &str = "/.appbundle/bin";

/// The folder with this service's control socket.
const CONTROL: &str = "/.appbundle/control";

/// The folder with the supervisor and its libraries, so that it does not depend on the image's base.
const SUPERVISOR: &str = "/.appbundle/supervisor";

/// The name of the supervisor's executable, a copy of this program.
const NAME: &str = "cargo-appbundle";

/// The files mounted into the containers of one run, deleted when it is dropped.
pub struct Inside {
    folder: TempDir,
    /// Locked until the run ends.
    _lock: std::fs::File,
    /// The supervisor's command line, without the socket; `None` if this program cannot run in the containers.
    supervisor: Option<Vec<String>>,
    controls: BTreeMap<String, Control>,
}

/// The path of an executable in the mounted folder, where a rebuilt one shows up at once. `None` if it must keep its path in the
/// image: it is a symbolic link, or it finds libraries relative to itself (`$ORIGIN`).
pub fn moved(binary: &Binary) -> Option<String> {
    let finds = binary.elf.runpath.iter().any(|path| path.contains("ORIGIN"));
    let name = binary.path.file_name().filter(|_| !finds && !binary.path.is_symlink())?;
    Some(format!("{EXECUTABLES}/{}", name.to_str()?))
}

impl Inside {
    /// Creates the files in a new folder below `parent`, and removes folders that killed runs left there.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn new(parent: &Path, target: &Target, shell: &Shell) -> Result<Self> {
        make(parent)?;
        // Holds off a second run until this run's folder is locked, so that the second does not remove it.
        let beginning = fs_err::File::create(parent.join("lock"))?;
        beginning.file().lock().context("failed to lock a file")?;
        for entry in fs_err::read_dir(parent)?.flatten().filter(|entry| entry.path().is_dir()) {
            let lock = std::fs::File::open(entry.path().join("lock"));
            if lock.is_ok_and(|lock| lock.try_lock().is_err()) {
                continue;
            }
            let _ = std::fs::remove_dir_all(entry.path());
        }
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(parent).context("failed to create a folder")?;
        let lock = fs_err::File::create(folder.path().join("lock"))?.into_parts().0;
        lock.lock().context("failed to lock a new file")?;
        let supervisor = supervisor(&folder.path().join("supervisor"), target);
        if let Err(error) = &supervisor {
            shell.detail("Restarting", format_args!("whole containers, because the supervisor cannot be used: {error:#}"));
        }
        Ok(Self { folder, _lock: lock, supervisor: supervisor.ok(), controls: BTreeMap::new() })
    }

    /// The mount that brings a service's executable into its container.
    pub fn executable(binary: &Binary) -> Volume {
        let folder = Path::new(&binary.place).parent().filter(|folder| *folder == Path::new(EXECUTABLES));
        match (folder, binary.path.parent()) {
            (Some(_), Some(parent)) => mounted(parent, EXECUTABLES),
            _ => mounted(&binary.path, &binary.place),
        }
    }

    /// Wraps a command line in the supervisor, so that the service can restart inside its container. Returns the command line and
    /// the mounts it needs; without a supervisor, `words` as they are.
    pub fn supervised(&mut self, binary: &Binary, words: Vec<String>) -> (Vec<String>, Vec<Volume>) {
        let moved = binary.place.starts_with(EXECUTABLES);
        let Some(supervisor) = self.supervisor.as_ref().filter(|_| moved && !words.is_empty()) else {
            return (words, Vec::new());
        };
        let name = binary.service.as_str();
        let folder = self.folder.path().join("services").join(name);
        if !self.controls.contains_key(name) {
            // Some file systems cannot hold sockets.
            match make(&folder).and_then(|()| Control::listen(&folder)) {
                Ok(control) => drop(self.controls.insert(name.to_owned(), control)),
                Err(_) => return (words, Vec::new()),
            }
        }
        let control = format!("{CONTROL}/{}", Control::NAME);
        let words = supervisor.iter().cloned().chain([control, "--".to_owned()]).chain(words).collect();
        (words, vec![mounted(&folder, CONTROL), mounted(&self.folder.path().join("supervisor"), SUPERVISOR)])
    }

    /// Restarts services through their supervisors, all at once. Returns the services that restarted, and those whose containers
    /// must be restarted instead.
    pub fn restart(&self, services: &[String], interrupt: &Interrupt, shell: &Shell) -> (Vec<String>, Vec<String>) {
        let restarts: Vec<Restart> = std::thread::scope(|scope| {
            let restart = |name: &String| {
                let control = self.control(name);
                scope.spawn(move || control.map_or(Restart::Not, |control| control.restart(GRACE, &|| interrupt.count() > 0)))
            };
            let all: Vec<_> = services.iter().map(restart).collect();
            all.into_iter().map(|restart| restart.join().unwrap_or(Restart::Not)).collect()
        });
        let (mut done, mut left) = (Vec::new(), Vec::new());
        for (name, restart) in services.iter().zip(restarts) {
            if restart == Restart::Killed {
                shell.warning(format_args!("`{name}` did not exit on SIGTERM; killed"));
            }
            if restart == Restart::Not { &mut left } else { &mut done }.push(name.clone());
        }
        (done, left)
    }

    /// The connection to a service's supervisor.
    pub fn control(&self, service: &str) -> Option<&Control> {
        self.controls.get(service)
    }
}

fn mounted(source: &Path, target: &str) -> Volume {
    Volume { source: VolumeSource::Host(source.display().to_string()), target: target.to_owned(), read_only: true }
}

/// Creates a folder that every user can read.
fn make(folder: &Path) -> Result<()> {
    fs_err::create_dir_all(folder)?;
    Ok(fs_err::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?)
}

/// Copies this program and its libraries into `folder`; returns the command line that starts it in a container. Hard links would
/// change the timestamps of the original files.
fn supervisor(folder: &Path, target: &Target) -> Result<Vec<String>> {
    let program = std::env::current_exe().context("failed to find this program")?;
    let elf = Elf::read(&program)?;
    ensure!(target.runs(elf.machine), "this program does not run on {}", target.platform);
    make(folder.parent().unwrap_or(folder))?;
    make(folder)?;
    let copy = |from: &Path, name: &str| -> Result<()> {
        fs_err::copy(from, folder.join(name))?;
        Ok(fs_err::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755))?)
    };
    copy(&program, NAME)?;
    for (name, path) in loaded(&elf)? {
        copy(&path, &name)?;
    }
    let line = |folder: &str| -> Vec<String> {
        let at = |name: &str| format!("{folder}/{name}");
        let through_loader = elf.loader().map(|loader| [at(loader), "--library-path".to_owned(), folder.to_owned()]);
        through_loader.into_iter().flatten().chain([at(NAME), "supervise".to_owned()]).collect()
    };
    // With an empty environment and its own libraries, a copy that runs here also runs in every container.
    let words = line(&folder.display().to_string());
    let tried = Command::new(&words[0]).args(&words[1..]).arg("--help").env_clear().stdin(Stdio::null()).output();
    ensure!(tried.is_ok_and(|output| output.status.success()), "a copy of this program does not run");
    Ok(line(SUPERVISOR))
}

/// The libraries of this process and its loader, by the names under which they are needed.
fn loaded(elf: &Elf) -> Result<BTreeMap<String, PathBuf>> {
    let mapped = os::mapped_files()?;
    let folders: BTreeSet<&Path> = mapped.iter().filter_map(|path| path.parent()).collect();
    let find = |name: &str| {
        let places = folders.iter().map(|folder| folder.join(name));
        places.filter_map(|place| std::fs::canonicalize(place).ok()).find(|path| mapped.contains(path))
    };
    let mut found = BTreeMap::new();
    if let (Some(name), Some(path)) = (elf.loader(), &elf.interpreter) {
        found.insert(name.to_owned(), PathBuf::from(path));
    }
    let first = Needing { name: NAME.to_owned(), elf: Cow::Borrowed(elf), paths: Vec::new() };
    needed(first, |name, _| {
        if found.contains_key(name) {
            return Ok(None);
        }
        let path = find(name).with_context(|| format!("failed to find this program's library `{name}`"))?;
        let library = Elf::read(&path)?;
        found.insert(name.to_owned(), path);
        Ok(Some(Needing { name: name.to_owned(), elf: Cow::Owned(library), paths: Vec::new() }))
    })?;
    Ok(found)
}
