//! What this machine's dpkg and apt know (Debian, Ubuntu): which package has a file that a build lacks, and whether it is installed.
//!
//! Packages are named as `apt install` takes them: `libssl-dev`, or `libssl-dev:arm64` for another architecture than this machine's.

mod architecture;
mod common;
mod content;
mod owner;
mod sought;

use std::process::Command;

use crate::process::capture;

pub use architecture::Architecture;
pub use owner::{FileOwner, owners};
pub use sought::Sought;

/// The package that has a file, without an architecture unless only one will do: of the installed ones, else as apt's lists of contents say if they were
/// fetched (`apt-file update`), else of a short list of common ones.
pub fn package_with(sought: Sought<'_>) -> Option<String> {
    content::installed(sought).or_else(|| content::listed(sought)).or_else(|| common::package(sought))
}

/// As [`package_with`], at once for common files, of which nothing is searched.
pub fn usual_package_with(sought: Sought<'_>) -> Option<String> {
    common::package(sought).or_else(|| package_with(sought))
}

/// A package for a target, as `apt install` takes it. A target that is no architecture of Debian's has no packages.
pub fn for_target(package: &str, triple: &str) -> Option<String> {
    if package.contains(':') {
        return Some(package.to_owned());
    }
    let architecture = Architecture::of_triple(triple)?;
    let is_own = Architecture::of_this_machine().is_some_and(|own| own == architecture);
    Some(if is_own { package.to_owned() } else { format!("{package}:{}", architecture.name) })
}

/// Whether this machine's packages are dpkg's.
pub fn is_used() -> bool {
    std::path::Path::new("/var/lib/dpkg/status").is_file()
}

/// Those of some packages that are not installed, in their order.
pub fn missing(packages: &[String]) -> Vec<String> {
    if packages.is_empty() {
        return Vec::new();
    }
    let names = packages.iter().map(|package| package.split(':').next().unwrap_or(package));
    let format = "${db:Status-Status} ${Package} ${Architecture}\n";
    // It fails if it has never heard of one of them, and tells of the others all the same.
    let told = Command::new("dpkg-query").args(["-W", "-f", format]).args(names).output();
    let told = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let own = Architecture::of_this_machine().map(|own| own.name);
    let is_installed = |package: &String| {
        let (name, wanted) = package.split_once(':').map_or((package.as_str(), own), |(name, wanted)| (name, Some(wanted)));
        told.lines().any(|line| {
            let Some(("installed", rest)) = line.split_once(' ') else { return false };
            rest.split_once(' ').is_some_and(|(of, architecture)| {
                of == name && (architecture == "all" || wanted.is_none_or(|wanted| wanted == architecture))
            })
        })
    };
    packages.iter().filter(|package| !is_installed(package)).cloned().collect()
}

/// The command that installs packages, and before it makes the architectures known that are not.
pub fn install_command(packages: &[String]) -> String {
    let mut architectures: Vec<&str> = packages.iter().filter_map(|package| Some(package.split_once(':')?.1)).collect();
    architectures.sort_unstable();
    architectures.dedup();
    let known = capture(Command::new("dpkg").arg("--print-foreign-architectures")).unwrap_or_default();
    let unknown = architectures.into_iter().filter(|architecture| !known.lines().any(|line| line == *architecture));
    let mut command: String = unknown.map(|architecture| format!("sudo dpkg --add-architecture {architecture} && ")).collect();
    if !command.is_empty() {
        command += "sudo apt update && ";
    }
    command + "sudo apt install " + &packages.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_by_their_files() {
        for (sought, package) in [
            (Sought::PkgConfig("openssl"), "libssl-dev"),
            (Sought::PkgConfig("tss2-sys"), "libtss2-dev"),
            (Sought::Library("sqlite3"), "libsqlite3-dev"),
            (Sought::Program("protoc"), "protobuf-compiler"),
            (Sought::Program("powerpc64le-linux-gnu-g++"), "g++-powerpc64le-linux-gnu"),
            (Sought::Program("s390x-linux-gnu-ar"), "binutils-s390x-linux-gnu"),
            (Sought::Program("riscv64-linux-musl-gcc"), "musl-dev:riscv64"),
            (Sought::Header("dbus/dbus.h"), "libdbus-1-dev"),
        ] {
            assert_eq!(package_with(sought).as_deref(), Some(package), "{sought:?}");
        }
        for sought in
            [Sought::PkgConfig("no-such-library"), Sought::PkgConfig("*"), Sought::Program("../bin/sh"), Sought::Library("")]
        {
            assert_eq!(package_with(sought), None, "{sought:?}");
        }
    }

    #[test]
    fn targets_have_packages_of_their_architecture() {
        let of = |triple| for_target("libssl-dev", triple);
        assert_eq!(of("riscv64gc-unknown-linux-gnu").as_deref(), Some("libssl-dev:riscv64"));
        let own = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        assert_eq!(of(&own).as_deref(), Some("libssl-dev"));
        assert_eq!(of("aarch64-unknown-linux-musl"), None);
    }

    #[test]
    fn what_is_not_installed_gets_a_command() {
        if !is_used() {
            return;
        }
        let packages = ["dpkg", "base-files", "dpkg:s390x", "no-such-package"].map(str::to_owned);
        let missing = missing(&packages);
        assert_eq!(missing, packages[2..]);
        assert_eq!(
            install_command(&missing),
            "sudo dpkg --add-architecture s390x && sudo apt update && sudo apt install dpkg:s390x no-such-package"
        );
        assert_eq!(install_command(&packages[..1]), "sudo apt install dpkg");
    }
}
