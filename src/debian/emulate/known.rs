//! Packages whose scripts set up the system itself, by rules that are repeated here.

use anyhow::Result;

use super::setup::Setup;
use crate::debian::tree::{NodeKind, TreeNode};

/// Packages whose scripts do nothing on a new system that another step does not do, or only ask questions.
const NOTHING: [&str; 25] = [
    "base-passwd",
    "bsdutils",
    "coreutils",
    "dash",
    "debconf",
    "debian-archive-keyring",
    "dpkg",
    "gzip",
    "init-system-helpers",
    "libc6",
    "libgcrypt20",
    "libpam0g",
    "libssl3",
    "libssl3t64",
    "openssl",
    "perl",
    "perl-base",
    "netbase",
    "ubuntu-keyring",
    "ucf",
    "usr-is-merged",
    "usrmerge",
    "libssl1.1",
    "libwrap0",
    "locales",
];

/// Packages of a running system, whose scripts also tell what runs: what of them is not understood is noted.
const OF_SYSTEM: [&str; 12] = [
    "dbus",
    "dbus-daemon",
    "dbus-system-bus-common",
    "dbus-user-session",
    "dbus-x11",
    "libnss-systemd",
    "libpam-systemd",
    "procps",
    "systemd",
    "systemd-sysv",
    "udev",
    "polkitd",
];

/// Whether lines of a package's scripts that are not understood are no more than a note.
pub fn is_of_system(name: &str) -> bool {
    OF_SYSTEM.contains(&name)
}

/// Whether it is an interpreter: `python3`, `python3.11`, `python3.11-minimal`.
fn is_python(name: &str) -> bool {
    let version = name.strip_prefix("python3").map(|rest| rest.trim_end_matches("-minimal").trim_start_matches('.'));
    version.is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Does what the scripts of a package would; false if they are not known by its name.
///
/// # Errors
/// When a file cannot be read.
pub fn set_up(setup: &mut Setup<'_>, name: &str) -> Result<bool> {
    match name {
        "base-files" => base_files(setup)?,
        "passwd" => {
            setup.accounts.shadow = true;
            setup.empty("etc/subuid", "root", 0o644);
            setup.empty("etc/subgid", "root", 0o644);
        }
        "login" => {
            setup.empty("etc/subuid", "root", 0o644);
            setup.empty("etc/subgid", "root", 0o644);
            setup.empty("var/log/faillog", "root", 0o644);
        }
        "libc-bin" => setup.copy("usr/share/libc-bin/nsswitch.conf", "etc/nsswitch.conf")?,
        "tzdata" => {
            if setup.tree.has("usr/share/zoneinfo/Etc/UTC") {
                setup.tree.link("etc/localtime", "/usr/share/zoneinfo/Etc/UTC", setup.epoch);
                setup.tree.write("etc/timezone", 0o644, setup.epoch, "Etc/UTC\n");
            }
        }
        "ca-certificates" => setup.folder("usr/local/share/ca-certificates", "root", 0o755),
        "debianutils" => {
            shells(setup)?;
            return Ok(false);
        }
        "libpam-modules" => {
            setup.empty("etc/security/opasswd", "root", 0o600);
            setup.empty("etc/environment", "root", 0o644);
        }
        "libpam-runtime" => {
            setup.note("`libpam-runtime`: the profiles of PAM are not set up, so no program can log a user in");
        }
        "apt" => {
            for path in ["var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/lib/apt/lists/auxfiles"] {
                if let (Some(id), Some(node)) = (setup.accounts.id("_apt", false), setup.tree.at(path)) {
                    let mode = if path.ends_with("partial") { 0o700 } else { node.mode };
                    let node = TreeNode { uid: id, mode, ..node.clone() };
                    setup.tree.put(path.into(), node);
                }
            }
        }
        "fontconfig-config" => {
            // What it asks by default: no bitmap fonts.
            let name = "70-no-bitmaps.conf";
            if setup.tree.has(&format!("usr/share/fontconfig/conf.avail/{name}")) {
                let target = format!("/usr/share/fontconfig/conf.avail/{name}");
                setup.tree.link(&format!("etc/fonts/conf.d/{name}"), &target, setup.epoch);
            }
            setup.folder("usr/local/share/fonts", "staff", 0o2775);
        }
        "readline-common" => setup.copy("usr/share/readline/inputrc", "etc/inputrc")?,
        // They compile modules, which the interpreter does by itself as well.
        name if is_python(name) => {}
        name => return Ok(NOTHING.contains(&name)),
    }
    Ok(true)
}

impl Setup<'_> {
    /// An empty file, unless something is there.
    fn empty(&mut self, path: &str, group: &str, mode: u32) {
        if !self.tree.has(path) {
            let mut node = TreeNode::new(mode, self.epoch, NodeKind::Made(Vec::new()));
            node.gid = self.accounts.id(group, true).unwrap_or(0);
            if let Some((folder, _)) = path.rsplit_once('/') {
                self.tree.folders(folder, self.epoch);
            }
            self.tree.put(path.to_owned(), node);
        }
    }

    /// A copy of a file with its mode and time, unless something is there or there is nothing to copy.
    pub(super) fn copy(&mut self, from: &str, to: &str) -> Result<()> {
        let Some(node) = self.tree.resolve(from).and_then(|path| self.tree.at(&path)) else { return Ok(()) };
        let (mode, mtime) = (node.mode, node.mtime);
        if !self.tree.has(to)
            && let Some(bytes) = self.tree.content(from)?
        {
            self.tree.write(to, mode, mtime, bytes);
        }
        Ok(())
    }

    /// A folder, unless something is there.
    pub(super) fn folder(&mut self, path: &str, group: &str, mode: u32) {
        if !self.tree.has(path) {
            self.tree.folders(path, self.epoch);
            let mut node = TreeNode::new(mode, self.epoch, NodeKind::Folder);
            node.gid = self.accounts.id(group, true).unwrap_or(0);
            self.tree.put(path.to_owned(), node);
        }
    }
}

fn base_files(setup: &mut Setup<'_>) -> Result<()> {
    for (from, to) in
        [("dot.profile", "root/.profile"), ("dot.bashrc", "root/.bashrc"), ("profile", "etc/profile"), ("motd", "etc/motd")]
    {
        setup.copy(&format!("usr/share/base-files/{from}"), to)?;
    }
    if setup.tree.has("usr/share/info") {
        setup.copy("usr/share/base-files/info.dir", "usr/share/info/dir")?;
    }
    let origins = ["debian", "ubuntu"].into_iter().rev().find(|name| setup.tree.has(&format!("etc/dpkg/origins/{name}")));
    if let Some(origin) = origins.filter(|_| !setup.tree.has("etc/dpkg/origins/default")) {
        setup.tree.link("etc/dpkg/origins/default", origin, setup.epoch);
    }
    for path in ["mnt", "srv", "opt", "etc/opt", "var/opt", "media"] {
        setup.folder(path, "root", 0o755);
    }
    setup.folder("var/mail", "mail", 0o2775);
    setup.folder("run/lock", "root", 0o1777);
    for (path, target) in [("var/spool/mail", "../mail"), ("var/run", "/run"), ("var/lock", "/run/lock")] {
        setup.tree.remove(path);
        setup.tree.link(path, target, setup.epoch);
    }
    for name in ["share", "share/man", "bin", "games", "lib", "include", "sbin", "src", "etc"] {
        setup.folder(&format!("usr/local/{name}"), "root", 0o755);
    }
    setup.tree.link("usr/local/man", "share/man", setup.epoch);
    setup.empty("var/log/wtmp", "utmp", 0o664);
    setup.empty("var/log/btmp", "utmp", 0o660);
    setup.empty("var/log/lastlog", "utmp", 0o664);
    Ok(())
}

/// `/etc/shells`, as `update-shells` makes it.
fn shells(setup: &mut Setup<'_>) -> Result<()> {
    let Some(mut text) = setup.tree.text("usr/share/debianutils/shells")? else { return Ok(()) };
    let lists: Vec<String> = setup.tree.below("usr/share/debianutils/shells.d").map(|(path, _)| path.to_owned()).collect();
    let mut all: Vec<String> = text.lines().filter(|line| line.starts_with('/')).map(str::to_owned).collect();
    let given = all.len();
    for list in lists {
        let list = setup.tree.text(&list)?.unwrap_or_default();
        all.extend(list.lines().filter(|line| line.starts_with('/')).map(str::to_owned));
    }
    // The same programs are below `/usr` as well.
    let below: Vec<String> = all.iter().filter(|path| !path.starts_with("/usr/")).map(|path| format!("/usr{path}")).collect();
    all.extend(below);
    for path in &all[given..] {
        text.push_str(&format!("{path}\n"));
    }
    setup.tree.write("etc/shells", 0o644, setup.epoch, text);
    Ok(())
}
