//! Which package has a file: as dpkg knows it of installed packages, and apt of all packages.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::common;
use super::sought::Sought;

/// Where apt keeps the lists that it fetched.
const LISTS: &str = "/var/lib/apt/lists";

/// The installed package that has it.
pub fn installed(sought: Sought<'_>) -> Option<String> {
    if !sought.is_sane() {
        return None;
    }
    // `PACKAGE:ARCHITECTURE, PACKAGE: PATH`
    let output = Command::new("dpkg").args(["--search", &format!("*/{sought}")]).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let packages = text.lines().filter_map(|line| {
        let (packages, path) = line.split_once(": /")?;
        sought.is_at(path).then_some(packages)
    });
    best(sought, packages.flat_map(|packages| packages.split(", ")).filter_map(|package| package.split(':').next()))
}

/// The package that has it, as the lists of contents say that apt fetched.
pub fn listed(sought: Sought<'_>) -> Option<String> {
    let entries = std::fs::read_dir(LISTS).ok().filter(|_| sought.is_sane())?;
    let lists = entries.flatten().map(|entry| entry.path());
    let is_contents =
        |path: &std::path::PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains("_Contents-"));
    let mut lists: Vec<_> = lists.filter(is_contents).collect();
    lists.sort_unstable();
    lists.iter().find_map(|list| of_contents(sought, list))
}

/// Lines are `PATH SECTION/PACKAGE,SECTION/PACKAGE` (Debian wiki, "RepositoryFormat"). apt unpacks them, however it keeps them.
fn of_contents(sought: Sought<'_>, list: &Path) -> Option<String> {
    let mut unpacked = Command::new("/usr/lib/apt/apt-helper");
    unpacked.arg("cat-file").arg(list).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = unpacked.spawn().ok()?;
    let mut lines = BufReader::new(child.stdout.take()?);
    let end = sought.to_string();
    let (mut packages, mut line) = (Vec::new(), Vec::new());
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        if let Some((path, of)) = text.trim_end().rsplit_once([' ', '\t'])
            && path.trim_end().ends_with(&end)
            && sought.is_at(path.trim_end())
        {
            packages.extend(of.split(',').filter_map(|package| package.rsplit('/').next()).map(str::to_owned));
        }
        line.clear();
    }
    let _ = child.wait();
    best(sought, packages.iter().map(String::as_str))
}

/// Of several packages the common one, else the one with the shortest name: its variants have longer ones.
fn best<'a>(sought: Sought<'_>, packages: impl Iterator<Item = &'a str>) -> Option<String> {
    let common = common::package(sought);
    packages.min_by_key(|package| (common.as_deref() != Some(*package), package.len(), *package)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_contents_name_packages() {
        if !Path::new("/usr/lib/apt/apt-helper").is_file() {
            return;
        }
        let folder = tempfile::tempdir().expect("folder");
        let list = folder.path().join("deb.debian.org_debian_dists_bookworm_main_Contents-amd64");
        let text = "usr/lib/x86_64-linux-gnu/pkgconfig/imagined.pc              libdevel/libimagined-extra-dev,libdevel/libimagined-dev\n\
            usr/lib/x86_64-linux-gnu/pkgconfig/notimagined.pc\t\tlibdevel/libother-dev\n";
        std::fs::write(&list, text).expect("written");
        assert_eq!(of_contents(Sought::PkgConfig("imagined"), &list).as_deref(), Some("libimagined-dev"));
        assert_eq!(of_contents(Sought::PkgConfig("absent"), &list), None);
    }
}
