//! What is not installed that a compilation needs, and the packages with it.

use super::causes::Missing;
use super::linker;
use crate::apt::{self, Architecture, Sought};

/// Libraries and headers that belong to a compiler: they come with its packages, not with packages of the target.
const OF_C: [&str; 12] = ["c", "dl", "gcc", "gcc_s", "m", "pthread", "rt", "util", "assert.h", "stdint.h", "stdio.h", "stdlib.h"];

/// The same of C++.
const OF_CPP: [&str; 10] =
    ["stdc++", "supc++", "algorithm", "cstddef", "cstdint", "iostream", "memory", "stdexcept", "string", "vector"];

/// What is not installed.
#[derive(Debug, Default)]
pub struct Absent {
    /// The files, in back-ticks.
    names: Vec<String>,
    /// The packages with them that are not installed, as apt takes them.
    packages: Vec<String>,
    /// A file of which no such package is known.
    unknown: Option<String>,
}

impl Absent {
    /// Looks for the packages of what is missing. What is for the target may be installed for it, and missing for this machine,
    /// whose build scripts need libraries too.
    pub fn new(missing: &[Missing<'_>], triple: &str) -> Self {
        let mut absent = Self::default();
        for missing in missing {
            let (name, packages) = match missing {
                Missing::Part(name, packages) => ((*name).to_owned(), packages.iter().map(|&name| name.to_owned()).collect()),
                Missing::File(sought) => (format!("`{sought}`"), packages(*sought, triple)),
            };
            let lacking = apt::missing(&packages);
            let for_this_machine: Vec<String> =
                packages.iter().filter_map(|package| package.split(':').next()).map(str::to_owned).collect();
            let lacking = if lacking.is_empty() { apt::missing(&for_this_machine) } else { lacking };
            if lacking.is_empty() {
                absent.unknown.get_or_insert_with(|| name.trim_matches('`').to_owned());
            }
            absent.names.push(name);
            absent.packages.extend(lacking.into_iter().filter(|package| !absent.packages.contains(package)).collect::<Vec<_>>());
        }
        absent
    }

    /// What is missing, as a list with its verb.
    pub fn sentence(&self) -> Option<String> {
        let (last, others) = self.names.split_last()?;
        Some(match others {
            [] => format!("{last} is missing"),
            others => format!("{} and {last} are missing", others.join(", ")),
        })
    }

    /// The command that installs all of it.
    pub fn install(&self) -> Option<String> {
        (!self.packages.is_empty()).then(|| format!("run `{}`", apt::install_command(&self.packages)))
    }

    /// How to find what no package is known of.
    pub fn search(&self) -> Option<String> {
        let name = self.unknown.as_ref()?;
        Some(format!("find the package with `apt-file search {name}`, and install it for the target"))
    }
}

/// The packages with a file.
fn packages(sought: Sought<'_>, triple: &str) -> Vec<String> {
    let for_target = |package: String| apt::for_target(&package, triple);
    let found = match sought {
        Sought::Library(name) | Sought::Header(name) if OF_C.contains(&name) => {
            return linker::debian_packages(triple).unwrap_or_default();
        }
        Sought::Library(name) | Sought::Header(name) if OF_CPP.contains(&name) => {
            let tools = Architecture::of_triple(triple).filter(|_| !linker::is_native(triple));
            let name = tools.map_or_else(|| "g++".into(), |architecture| format!("{}-g++", architecture.tools));
            apt::package_with(Sought::Program(&name))
        }
        Sought::Program(_) => apt::package_with(sought),
        Sought::PkgConfig(_) | Sought::Library(_) | Sought::Header(_) => apt::package_with(sought).and_then(for_target),
    };
    Vec::from_iter(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLE: &str = "s390x-unknown-linux-gnu";

    #[test]
    fn all_packages_are_one_command() {
        if !apt::is_used() {
            return;
        }
        let missing = [
            Missing::File(Sought::PkgConfig("tss2-sys")),
            Missing::File(Sought::Library("tss2-sys")),
            Missing::File(Sought::Library("stdc++")),
            Missing::File(Sought::Header("stdio.h")),
        ];
        let absent = Absent::new(&missing, TRIPLE);
        assert_eq!(
            absent.install().as_deref(),
            Some(
                "run `sudo dpkg --add-architecture s390x && sudo apt update && sudo apt install libtss2-dev:s390x g++-s390x-linux-gnu gcc-s390x-linux-gnu libc6-dev-s390x-cross`"
            )
        );
        assert_eq!(
            absent.sentence().as_deref(),
            Some("`tss2-sys.pc`, `libtss2-sys.so`, `libstdc++.so` and `stdio.h` are missing")
        );
        assert_eq!(absent.search(), None);
    }

    #[test]
    fn what_is_installed_is_not_suggested() {
        let absent =
            Absent::new(&[Missing::Part("dpkg's programs", &["dpkg"]), Missing::File(Sought::PkgConfig("unheard-of"))], TRIPLE);
        assert!(absent.install().is_none() || !apt::is_used());
        assert!(absent.search().is_some_and(|search| search.contains("apt-file search")));
    }
}
