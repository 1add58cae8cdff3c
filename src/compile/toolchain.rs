//! Which programs compile, in their own words.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::builder;
use super::linker;
use super::settings::CargoSettings;
use crate::plan::Builder;
use crate::process::capture;

/// What determines the bytes of executables, besides sources and flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The version of Cargo, `1.96.0`.
    pub cargo: String,
    /// What `rustc -vV` says: `commit-hash`, `host`, `release` and more.
    pub rustc: BTreeMap<String, String>,
    /// What links, and its version.
    pub linker: String,
}

impl Toolchain {
    /// Asks the programs that compile in a folder for a target.
    ///
    /// # Errors
    /// When the compiler or Cargo do not answer.
    pub fn ask(folder: &Path, settings: &CargoSettings, cargo: &Path, by: Builder, triple: &str) -> Result<Self> {
        let said = capture(Command::new(settings.rustc()).arg("-vV").current_dir(folder))?;
        let pair = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
        let version = capture(Command::new(cargo).arg("-V").current_dir(folder))?;
        Ok(Self {
            cargo: version.split_whitespace().nth(1).unwrap_or_default().to_owned(),
            rustc: said.lines().filter_map(pair).collect(),
            linker: match by {
                Builder::Cargo => linker_version(&linker::used(settings, triple)),
                Builder::Cross => builder_version("cross"),
                Builder::Zigbuild => builder_version("cargo-zigbuild"),
            },
        })
    }
}

/// `aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40`; the name alone if that is all that is known.
fn linker_version(linker: &str) -> String {
    let first = |argument: &str| {
        let said = capture(Command::new(linker).arg(argument)).ok()?;
        // A line with a folder in it is not a version.
        said.lines().next().map(str::trim).filter(|line| !line.is_empty() && !line.contains('/')).map(str::to_owned)
    };
    let name = Path::new(linker).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let own = first("--version").unwrap_or(name);
    match first("-Wl,--version") {
        Some(inner) if inner != own => format!("{own}, {inner}"),
        _ => own,
    }
}

fn builder_version(program: &str) -> String {
    let version = builder::version(Path::new(program), &["--version"]);
    version.map_or_else(|| program.to_owned(), |version| format!("{program} {version}"))
}
