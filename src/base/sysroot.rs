//! Where libraries for the target are on this machine.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use crate::apt::Architecture;
use crate::elf::{Elf, glibc};
use crate::process;

/// Finds libraries the way the linker does, but prefers those that get security updates.
///
/// The libraries that come with Debian's cross compilers, as in the package `libc6-arm64-cross`, are those of the day on which the
/// compiler was packed. The architecture's own packages, such as `libc6:arm64`, are updated.
pub struct Sysroot {
    linker: String,
    updated: OnceCell<Option<CrossFolders>>,
}

/// The folder of a cross compiler, and the one of the architecture's own packages, which has a C library as good.
struct CrossFolders {
    cross: PathBuf,
    own: PathBuf,
}

impl Sysroot {
    /// The libraries of this compiler driver.
    pub fn new(linker: &str) -> Self {
        Self { linker: linker.to_owned(), updated: OnceCell::new() }
    }

    /// The compiler driver.
    pub fn linker(&self) -> &str {
        &self.linker
    }

    /// The file of a library, if there is one.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let found = process::file_of_compiler(&self.linker, name)?;
        let updated = self.updated.get_or_init(|| self.updated()).as_ref();
        let own = updated.filter(|folders| found.parent() == Some(&*folders.cross)).map(|folders| folders.own.join(name));
        Some(own.and_then(|own| std::fs::canonicalize(own).ok()).unwrap_or(found))
    }

    fn updated(&self) -> Option<CrossFolders> {
        let libc = process::file_of_compiler(&self.linker, "libc.so.6")?;
        let architecture = of_cross_compiler(&libc)?;
        let own = Path::new("/usr/lib").join(architecture.multiarch);
        let (cross_libc, own_libc) = (Elf::read(&libc).ok()?, Elf::read(&own.join("libc.so.6")).ok()?);
        let newest = |elf: &Elf| elf.defines.iter().filter_map(|version| glibc(version)).max();
        // What was linked against one of them has to run with the other.
        let is_as_good = own_libc.machine == cross_libc.machine && newest(&own_libc) >= newest(&cross_libc);
        is_as_good.then(|| CrossFolders { cross: libc.parent().map(Path::to_owned).unwrap_or_default(), own })
    }
}

/// The architecture of a library that is in a cross compiler's folder, `/usr/aarch64-linux-gnu/lib`.
pub fn of_cross_compiler(library: &Path) -> Option<Architecture> {
    let folder = library.parent()?.strip_prefix("/usr").ok()?;
    let mut parts = folder.iter();
    let (tools, lib) = (parts.next()?.to_str()?, parts.next()?);
    Architecture::of_tools(tools).filter(|_| lib == "lib" && parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_cross_compilers() {
        let of = |path: &str| of_cross_compiler(Path::new(path)).map(|architecture| architecture.name);
        assert_eq!(of("/usr/aarch64-linux-gnu/lib/libc.so.6"), Some("arm64"));
        assert_eq!(of("/usr/lib/aarch64-linux-gnu/libc.so.6"), None);
        assert_eq!(of("/opt/aarch64-linux-gnu/lib/libc.so.6"), None);
        assert_eq!(of("/usr/aarch64-linux-gnu/lib/deeper/libc.so.6"), None);
    }
}
