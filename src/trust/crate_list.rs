//! The crates of an executable, as cargo-auditable writes them into its section `.dep-v0`: JSON, compressed by zlib.
//!
//! The format is described in cargo-auditable's `PARSING.md` and by its JSON schema.

use anyhow::{Context as _, Result, bail, ensure};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::archive::zlib;
use crate::elf;

/// The section's name.
pub const SECTION: &str = ".dep-v0";

/// Bytes of JSON at most: a crate takes about a hundred.
const MOST: u64 = 8 << 20;

/// All crates of one executable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrateList {
    /// Crates by name; `dependencies` are their places here.
    pub packages: Vec<ListedCrate>,
    /// What the list was made of: `0` Cargo's metadata, `1` Cargo's own bill of materials. Later numbers are compatible.
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: u32,
}

/// One crate of a [`CrateList`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedCrate {
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: Version,
    /// `crates.io`, `registry` for others, `git`, `local` for paths; or a word that is not known here.
    pub source: String,
    /// Whether it runs with the executable, or only while that is built.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: CrateKind,
    /// The places of the crates that it uses, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<usize>,
    /// Whether the executable is of this package.
    #[serde(default, skip_serializing_if = "is_default")]
    pub root: bool,
}

/// When a crate is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CrateKind {
    /// By a build script, or as a macro.
    Build,
    /// In the executable.
    #[default]
    Runtime,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl CrateList {
    /// Reads the list of an executable. `None` if it has none, or is no ELF file.
    ///
    /// # Errors
    /// When the file or its list is damaged, or unpacks to more than 8 MiB, in words for the user.
    pub fn read(executable: &[u8]) -> Result<Option<Self>> {
        if !executable.starts_with(b"\x7fELF") {
            return Ok(None);
        }
        let section = elf::section(executable, SECTION).context("failed to read its sections")?;
        section.map(Self::parse).transpose()
    }

    /// Reads the content of the section.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn parse(section: &[u8]) -> Result<Self> {
        let parsed = || {
            let json = zlib::decompress(section, MOST)?;
            let list: Self = serde_json::from_slice(&json)?;
            list.check()?;
            Ok::<_, anyhow::Error>(list)
        };
        parsed().with_context(|| format!("failed to read the list of crates in section `{SECTION}`"))
    }

    /// The content of the section.
    ///
    /// # Errors
    /// When [`Self::parse`] would refuse it.
    pub fn write(&self) -> Result<Vec<u8>> {
        self.check()?;
        zlib::compress(&serde_json::to_vec(self)?)
    }

    /// The crate that the executable is of, if the list says so.
    pub fn root(&self) -> Option<&ListedCrate> {
        self.packages.iter().find(|package| package.root)
    }

    /// Places in bounds, one root at most, and no crate that depends on itself.
    fn check(&self) -> Result<()> {
        ensure!(self.packages.iter().filter(|package| package.root).count() <= 1, "several crates are its root");
        // How many crates still have to be removed before nothing depends on this one.
        let mut users = vec![0_usize; self.packages.len()];
        for package in &self.packages {
            for &at in &package.dependencies {
                let Some(count) = users.get_mut(at) else {
                    bail!("`{}` depends on number {at} of {} crates", package.name, self.packages.len());
                };
                *count += 1;
            }
        }
        let mut free: Vec<usize> = users.iter().enumerate().filter(|(_, count)| **count == 0).map(|(at, _)| at).collect();
        let mut removed = 0;
        while let Some(at) = free.pop() {
            removed += 1;
            for &used in self.packages.get(at).into_iter().flat_map(|package| &package.dependencies) {
                let Some(count) = users.get_mut(used) else { continue };
                *count -= 1;
                if *count == 0 {
                    free.push(used);
                }
            }
        }
        let left = self.packages.iter().zip(&users).find(|(_, count)| **count > 0);
        match left {
            Some((package, _)) if removed < self.packages.len() => {
                bail!("`{}` is in a circle of dependencies, or below one", package.name)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(json: &str) -> Result<CrateList> {
        CrateList::parse(&zlib::compress(json.as_bytes())?)
    }

    /// What cargo-auditable 0.6 writes.
    const WRITTEN: &str = r#"{"packages":[{"name":"app","version":"0.1.0","source":"local","dependencies":[1,2],"root":true},{"name":"cc","version":"1.2.0","source":"crates.io","kind":"build"},{"name":"log","version":"0.4.29","source":"registry"}]}"#;

    #[test]
    fn what_is_read_is_written_again() {
        let read = list(WRITTEN).expect("a list");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), WRITTEN);
        assert_eq!(CrateList::parse(&read.write().expect("written")).expect("read"), read);
        assert_eq!(read.root().map(|root| root.name.as_str()), Some("app"));
        assert_eq!(read.packages[1].kind, CrateKind::Build);
    }

    #[test]
    fn hostile_lists_are_refused() {
        let of = |dependencies: [&str; 3]| {
            let package = |(at, uses): (usize, &&str)| {
                format!(r#"{{"name":"c{at}","version":"1.0.0","source":"local","dependencies":{uses}}}"#)
            };
            let packages: Vec<String> = dependencies.iter().enumerate().map(package).collect();
            list(&format!(r#"{{"packages":[{}]}}"#, packages.join(",")))
        };
        assert!(of(["[1,2]", "[2]", "[]"]).is_ok());
        for (refused, why) in [
            (of(["[3]", "[]", "[]"]), "`c0` depends on number 3 of 3 crates"),
            (of(["[18446744073709551615]", "[]", "[]"]), "number 18446744073709551615 of 3"),
            (of(["[-1]", "[]", "[]"]), "invalid value"),
            (of(["[0]", "[]", "[]"]), "`c0` is in a circle"),
            (of(["[1]", "[2]", "[1]"]), "`c1` is in a circle"),
            (list(&WRITTEN.replace("\"kind\"", "\"root\":true,\"kind\"")), "several crates are its root"),
            (list(&WRITTEN.replace("0.4.29", "new")), "unexpected character"),
            (list("{}"), "missing field `packages`"),
            (list(&" ".repeat((8 << 20) + 1)), "limit of 8388608 bytes"),
            (CrateList::parse(b"{\"packages\":[]}"), "section `.dep-v0`"),
            (CrateList::parse(b""), "section `.dep-v0`"),
        ] {
            let error = format!("{:#}", refused.expect_err(why));
            assert!(error.contains(why), "{error}");
        }
        let deep = format!(r#"{{"packages":{}}}"#, "[".repeat(100_000));
        assert!(list(&deep).is_err());
    }

    #[test]
    fn files_without_a_list() {
        let own = std::fs::read(std::env::current_exe().expect("path")).expect("read");
        assert!(matches!(CrateList::read(&own), Ok(None)));
        assert!(matches!(CrateList::read(b"#!/bin/sh\n"), Ok(None)));
        assert!(CrateList::read(&own[..1000]).is_err());
    }
}
