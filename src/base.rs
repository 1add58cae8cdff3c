//! The bases of images: the layers below the service, and facts about the file system that they form.

mod archive;
mod auto;
mod check;
mod context;
#[cfg(feature = "engine")]
mod daemon;
#[cfg(feature = "engine")]
mod dockerfile;
mod opened;
mod packages;
mod packed;
mod programs;
mod records;
mod remembered;
mod rootfs;
mod sorted;
mod sysroot;

use anyhow::{Context as _, Result, bail};

use crate::app::{Base, BaseChoice, Binary, Facts, Target};
use crate::oci::RunConfig;
use crate::segment::{KnownDigests, Packer};

#[cfg(feature = "engine")]
pub use archive::read_saved;
pub use archive::{Pulled, has_layer, read_pulled};
pub use auto::notes as auto_notes;
pub use check::check;
pub use context::BuildContext;
#[cfg(feature = "engine")]
pub use daemon::{image_id, read as read_daemon};
#[cfg(feature = "engine")]
pub use dockerfile::read as read_dockerfile;
pub use packages::{packed as packed_packages, read as read_packages};
pub use programs::check_programs;
pub use sysroot::{Sysroot, of_cross_compiler};

/// Reads or builds a base; images of registries are read by [`read_pulled`] instead. `binaries` are the executables that will use
/// it, `linker` is the linker that linked them.
///
/// # Errors
/// When it cannot be read, is invalid, or is for another platform.
pub fn read(
    choice: &BaseChoice,
    target: &Target,
    binaries: &[&Binary],
    linker: &str,
    epoch: u64,
    packer: &Packer,
    known: &KnownDigests,
) -> Result<Base> {
    match choice {
        BaseChoice::Auto => auto::read(binaries, &Sysroot::new(linker), epoch, packer, known),
        BaseChoice::Scratch => Ok(Base {
            choice: BaseChoice::Scratch,
            layers: Vec::new(),
            config: RunConfig::default(),
            history: Vec::new(),
            facts: Facts::default(),
            reference: None,
            written: None,
        }),
        BaseChoice::Rootfs(path) => rootfs::read(path, epoch, packer, known),
        BaseChoice::Dockerfile(_) | BaseChoice::Daemon(_) => {
            bail!("it needs a container engine, but cargo-appbundle was built without the feature `engine`")
        }
        BaseChoice::Archive(path) => remembered::read_once(path, target, packer, known),
        BaseChoice::Image(_) | BaseChoice::Debian(_) => bail!("it was not pulled"),
    }
    .with_context(|| format!("failed to prepare the base `{choice}`"))
}

/// The highest glibc version that the base's C library defines, such as `2.36`; `None` if it has no glibc.
pub fn glibc(base: &Base) -> Option<String> {
    let libraries = base.facts.libraries.iter().filter(|(path, _)| path.ends_with("/libc.so.6"));
    let versions = libraries.flat_map(|(_, elf)| &elf.defines).filter_map(|version| crate::elf::glibc(version));
    versions.max().map(|(major, minor)| format!("{major}.{minor}"))
}
