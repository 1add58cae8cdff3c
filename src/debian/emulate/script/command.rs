//! One command of a script: what it would do, done in the tree.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::debian::assembly::Parcel;
use crate::debian::emulate::Setup;
use crate::debian::emulate::accounts::NewUser;
use crate::debian::tree::{Node, NodeKind};

/// Commands that only look, talk or steer.
const LOOKS: &[&str] = &[
    "[",
    "[[",
    ":",
    "test",
    "true",
    "false",
    "exit",
    "return",
    "set",
    "shift",
    "export",
    "local",
    "unset",
    "echo",
    "printf",
    "cd",
    "umask",
    "trap",
    "read",
    "break",
    "continue",
    "cat",
    "which",
    "command",
    "type",
    "hash",
    "grep",
    "egrep",
    "fgrep",
    "cut",
    "head",
    "tail",
    "awk",
    "tr",
    "sort",
    "uniq",
    "wc",
    "id",
    "getent",
    "ls",
    "basename",
    "dirname",
    "readlink",
    "realpath",
    "stat",
    "uname",
    "dpkg",
    "dpkg-query",
    "md5sum",
    "sha256sum",
    "cmp",
    "diff",
    "expr",
    "seq",
    "sleep",
    "date",
    "mktemp",
    "hostname",
    "ischroot",
    "in",
    "xargs",
    "tput",
    "env",
    "in_chroot",
    "dpkg-architecture",
    "pidof",
    "logger",
    "sync",
    "let",
    "readonly",
    "declare",
    "nproc",
    "lsmod",
    "aa-enabled",
    "aa-status",
    "getcap",
    "apparmor_parser",
    "modprobe",
    "udevadm",
];

/// Commands for a running system, or for what a container does not have.
const ELSEWHERE: &[&str] = &[
    "dpkg-maintscript-helper",
    "dpkg-trigger",
    "update-rc.d",
    "invoke-rc.d",
    "deb-systemd-helper",
    "deb-systemd-invoke",
    "systemctl",
    "service",
    "start-stop-daemon",
    "py3compile",
    "py3clean",
    "pycompile",
    "pyclean",
    "pypy3compile",
    "emacs-package-install",
    "ldconfig",
    "update-menus",
    "update-mime",
    "install-info",
    "update-info-dir",
    "mandb",
    "update-shells",
    "add-shell",
    "remove-shell",
    "ucfr",
    "update-initramfs",
    "update-binfmts",
    "restorecon",
    "killall",
    "kill",
    "pkill",
    "initctl",
    "insserv",
    "update-grub",
    "depmod",
    "nscd",
    "telinit",
    "runlevel",
    "apt-config",
    "update-usbids",
    "update-ca-certificates",
    "locale-gen",
    "update-locale",
    "perl-validate",
];

/// Commands that make a cache, which programs do without.
const CACHES: &[&str] = &[
    "update-icon-caches",
    "gtk-update-icon-cache",
    "update-desktop-database",
    "update-mime-database",
    "glib-compile-schemas",
    "gio-querymodules",
    "gdk-pixbuf-query-loaders",
    "fc-cache",
    "update-fonts-dir",
    "update-fonts-scale",
    "update-fonts-alias",
    "mkfontscale",
    "mkfontdir",
    "update-xmlcatalog",
    "update-catalog",
    "texhash",
    "mktexlsr",
    "systemd-tmpfiles",
    "systemd-hwdb",
    "pam-auth-update",
    "gtk-query-immodules-3.0",
    "gtk-query-immodules-2.0",
    "update-gconf-defaults",
    "appstreamcli",
    "vlc-cache-gen",
    "setcap",
];

/// Does a command; false if it is not understood.
///
/// # Errors
/// When a file of the tree cannot be read.
pub fn run(text: &str, variables: &mut BTreeMap<String, String>, setup: &mut Setup<'_>, parcel: &Parcel) -> Result<bool> {
    if assigned(text, variables) {
        return Ok(true);
    }
    let (text, writes) = without_redirections(text);
    let words = words(&text, variables);
    let Some((first, arguments)) = words.split_first() else { return Ok(true) };
    let name = first.rsplit('/').next().unwrap_or(first);
    // What a cache is written to does not matter: it is not made.
    if writes && !CACHES.contains(&name) {
        return Ok(false);
    }
    let is_open = |word: &String| word.contains(['$', '`', '*', '?']);
    let paths: Vec<&str> = arguments.iter().filter(|word| !word.starts_with('-')).map(String::as_str).collect();
    let is_literal = !arguments.iter().any(is_open);
    let done = match name {
        "." | "source" => paths
            .first()
            .is_some_and(|path| path.contains("confmodule") || path.starts_with("/usr/share/") || path.starts_with("/lib/")),
        name if LOOKS.contains(&name) || ELSEWHERE.contains(&name) || name.starts_with("db_") => true,
        "sed" => !arguments.iter().any(|word| word.starts_with("-i") || word.starts_with("--in-place")),
        "find" => !arguments.iter().any(|word| word == "-delete" || word == "-exec"),
        "dpkg-divert" => {
            arguments.iter().any(|word| matches!(word.as_str(), "--list" | "--truename" | "--listpackage" | "--remove"))
        }
        name if CACHES.contains(&name) => {
            setup.note(format!("`{name}` was not run for `{}`: what it makes is missing", parcel.name));
            true
        }
        "update-alternatives" => is_literal && setup.alternatives.command(arguments),
        "systemd-sysusers" => {
            for path in &paths {
                let path = if path.contains('/') { (*path).to_owned() } else { format!("usr/lib/sysusers.d/{path}") };
                if let Some(text) = setup.tree.text(&path)? {
                    setup.accounts.sysusers(&text);
                }
            }
            true
        }
        "adduser" | "addgroup" | "useradd" | "groupadd" => is_literal && add(setup, name, arguments),
        // What is on the way to be unpacked was not there yet.
        "rm" | "rmdir" | "unlink" | "mv" if !setup.is_unpacked => true,
        "rm" | "rmdir" | "unlink" => {
            let (open, fixed): (Vec<&str>, Vec<&str>) = paths.iter().partition(|path| path.contains(['$', '`', '*', '?']));
            fixed.iter().for_each(|path| remove(setup, path));
            open.iter().all(|path| path.starts_with(['$', '"']) && !path.contains("$DPKG") || path.starts_with("/tmp/"))
                || open
                    .iter()
                    .all(|path| path.starts_with("/var/cache/") || path.starts_with("/var/lib/") || path.starts_with("/run/"))
        }
        "mkdir" if is_literal => {
            paths.iter().filter(|path| path.starts_with('/')).for_each(|path| folder(setup, path));
            true
        }
        "install" if is_literal && arguments.iter().any(|word| word.starts_with("-d") || word == "--directory") => {
            install(setup, arguments)
        }
        "touch" if is_literal => {
            for path in &paths {
                if !setup.tree.has(path) {
                    setup.tree.write(path, 0o644, setup.epoch, "");
                }
            }
            true
        }
        "ln" if is_literal && arguments.iter().any(|word| word.starts_with('-') && word.contains('s')) => match paths[..] {
            [target, link] if !link.ends_with('/') => {
                if !setup.tree.has(link) || arguments[0].contains('f') {
                    setup.tree.link(link, target, setup.epoch);
                }
                true
            }
            _ => false,
        },
        "cp" if is_literal => match paths[..] {
            [from, to] if setup.tree.has(from) && !setup.tree.at(to.trim_matches('/')).is_some_and(Node::is_folder) => {
                setup.copy(from, to)?;
                true
            }
            // What is not there cannot be copied.
            [from, _] => !setup.tree.has(from),
            _ => false,
        },
        "mv" if is_literal => match paths[..] {
            [from, to] => rename(setup, from, to),
            _ => false,
        },
        "ucf" if arguments.iter().any(|word| word == "-p" || word == "--purge") => true,
        "ucf" if is_literal => match paths[..] {
            [from, to] => {
                setup.copy(from, to)?;
                true
            }
            _ => false,
        },
        "chmod" | "chown" | "chgrp" if is_literal => change(setup, name, arguments, &paths, parcel),
        "dpkg-statoverride" => match paths[..] {
            _ if arguments.iter().any(|word| word == "--list" || word == "--remove") => true,
            [owner, group, mode, path] if is_literal => {
                change(setup, "chown", arguments, &[&format!("{owner}:{group}"), path], parcel)
                    && change(setup, "chmod", arguments, &[mode, path], parcel)
            }
            _ => false,
        },
        _ => false,
    };
    Ok(done)
}

/// Whether it is `NAME=VALUE`; a plain value is kept.
fn assigned(text: &str, variables: &mut BTreeMap<String, String>) -> bool {
    let Some((name, value)) = text.split_once('=') else { return false };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return false;
    }
    let words = words(value, variables);
    match &words[..] {
        [one] if !one.contains(['$', '`']) => drop(variables.insert(name.to_owned(), one.clone())),
        // A command follows the assignment.
        [_, _, ..] if !value.contains("$(") && !value.contains('`') => return false,
        _ => drop(variables.remove(name)),
    }
    true
}

/// Without `2>&1` and the like, and whether it writes to a file.
fn without_redirections(text: &str) -> (String, bool) {
    let mut kept = Vec::new();
    let mut writes = false;
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let bare = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
        if bare.starts_with("<<") {
            words.next();
            continue;
        }
        match bare.strip_prefix('>').filter(|_| !word.starts_with(['"', '\''])) {
            Some(rest) => {
                let to = rest.trim_start_matches('>');
                let to = if to.is_empty() { words.next().unwrap_or_default() } else { to };
                writes |= !to.starts_with('&') && to.trim_matches('"') != "/dev/null" && to != "/dev/stderr";
            }
            None => kept.push(word),
        }
    }
    (kept.join(" "), writes)
}

/// The words of a command, with the variables that are known.
fn words(text: &str, variables: &BTreeMap<String, String>) -> Vec<String> {
    let mut text = text.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("${{{name}}}"), value);
        // `$NAME` must not be the beginning of a longer name.
        let short = format!("${name}");
        let mut from = 0;
        while let Some(at) = text[from..].find(&short).map(|at| at + from) {
            let end = at + short.len();
            let goes_on = text[end..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if goes_on {
                from = end;
            } else {
                text.replace_range(at..end, value);
                from = at + value.len();
            }
        }
    }
    crate::process::split(&text).unwrap_or_else(|_| text.split_whitespace().map(str::to_owned).collect())
}

fn folder(setup: &mut Setup<'_>, path: &str) {
    if let Some(path) = setup.tree.resolve(path).filter(|path| !path.is_empty()) {
        setup.tree.folders(&path, setup.epoch);
    }
}

fn remove(setup: &mut Setup<'_>, path: &str) {
    if let Some(path) = setup.tree.place(path) {
        let below: Vec<String> = setup.tree.below(&path).map(|(path, _)| path.to_owned()).collect();
        if below.is_empty() {
            setup.tree.remove(&path);
        }
    }
}

/// What is not there cannot be moved; folders are not.
fn rename(setup: &mut Setup<'_>, from: &str, to: &str) -> bool {
    let (Some(from), Some(to)) = (setup.tree.place(from), setup.tree.place(to)) else { return false };
    match setup.tree.at(&from).cloned() {
        Some(node) if node.is_folder() => false,
        Some(node) => {
            setup.tree.remove(&from);
            setup.tree.put(to, node);
            true
        }
        None => true,
    }
}

/// `install -d -o OWNER -g GROUP -m MODE PATH…`
fn install(setup: &mut Setup<'_>, arguments: &[String]) -> bool {
    let (mut owner, mut group, mut mode) = (None, None, None);
    let mut paths = Vec::new();
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-o" => owner = words.next(),
            "-g" => group = words.next(),
            "-m" => mode = words.next(),
            word if word.starts_with("-m") => mode = word.get(2..),
            word if word.starts_with("--mode=") => mode = word.get(7..),
            word if word.starts_with('-') => {}
            path => paths.push(path),
        }
    }
    for path in paths {
        folder(setup, path);
        let (uid, gid) =
            (owner.and_then(|name| setup.accounts.id(name, false)), group.and_then(|name| setup.accounts.id(name, true)));
        let Some(path) = setup.tree.resolve(path) else { return false };
        if let Some(node) = setup.tree.at(&path).cloned() {
            let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok()).unwrap_or(node.mode);
            setup.tree.put(path, Node { uid: uid.unwrap_or(node.uid), gid: gid.unwrap_or(node.gid), mode, ..node });
        }
    }
    true
}

/// `chmod`, `chown` and `chgrp` with plain numbers and names.
fn change(setup: &mut Setup<'_>, name: &str, arguments: &[String], paths: &[&str], parcel: &Parcel) -> bool {
    let Some((what, paths)) = paths.split_first() else { return false };
    let all = arguments.iter().any(|word| word == "-R" || word == "--recursive");
    for path in paths {
        let Some(path) = setup.tree.resolve(path).filter(|path| setup.tree.at(path).is_some()) else { continue };
        let mut at = vec![path.clone()];
        if all {
            at.extend(setup.tree.below(&path).map(|(path, _)| path.to_owned()));
        }
        for path in at {
            let Some(mut node) = setup.tree.at(&path).cloned() else { continue };
            if name == "chmod" {
                let Some(mode) = mode_of(what, node.mode) else { return false };
                // Nobody gets more rights by a script that was never looked at.
                if mode & 0o6000 != 0 && !node.is_folder() && node.mode & 0o6000 == 0 {
                    setup.note(format!(
                        "`{}` would make `/{path}` run with other rights (mode {what}); it does not here",
                        parcel.name
                    ));
                    continue;
                }
                node.mode = mode;
            } else {
                let (owner, group) = match name {
                    "chgrp" => (None, Some(*what)),
                    _ => what.split_once([':', '.']).map_or((Some(*what), None), |(owner, group)| (Some(owner), Some(group))),
                };
                for (wanted, is_group) in [(owner, false), (group, true)] {
                    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else { continue };
                    let Some(id) = setup.accounts.id(wanted, is_group) else { return false };
                    *(if is_group { &mut node.gid } else { &mut node.uid }) = id;
                }
                if matches!(node.kind, NodeKind::Symlink(_)) {
                    continue;
                }
            }
            setup.tree.put(path, node);
        }
    }
    true
}

/// The mode that `755` or `go-w,u+x` makes of another one.
fn mode_of(text: &str, mut mode: u32) -> Option<u32> {
    if let Ok(mode) = u32::from_str_radix(text, 8) {
        return Some(mode);
    }
    for part in text.split(',') {
        let at = part.find(['+', '-', '='])?;
        let (who, rights) = (&part[..at], &part[at + 1..]);
        let mut bits = 0;
        for right in rights.chars() {
            let every = match right {
                'r' => 0o444,
                'w' => 0o222,
                'x' | 'X' => 0o111,
                's' => 0o6000,
                't' => 0o1000,
                _ => return None,
            };
            bits |= every;
        }
        let mask = who.chars().try_fold(0, |mask, who| {
            Some(
                mask | match who {
                    'u' => 0o4700,
                    'g' => 0o2070,
                    'o' => 0o1007,
                    'a' => 0o7777,
                    _ => return None,
                },
            )
        })?;
        bits &= if who.is_empty() { 0o7777 } else { mask };
        mode = match part.as_bytes()[at] {
            b'+' => mode | bits,
            b'-' => mode & !bits,
            _ => mode & !mask | bits,
        };
    }
    Some(mode)
}

/// `adduser`, `addgroup`, `useradd` and `groupadd` for accounts of the system.
fn add(setup: &mut Setup<'_>, program: &str, arguments: &[String]) -> bool {
    let (mut home, mut shell, mut comment, mut group, mut id) = (None, None, None, None, None);
    let (mut own_group, mut of_system) = (program == "useradd", false);
    let mut names = Vec::new();
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (key, value) = word.split_once('=').map_or((word, None), |(key, value)| (key, Some(value)));
        let mut value = || value.or_else(|| words.next());
        match key {
            "--home" | "--home-dir" | "-d" => home = value(),
            "--shell" | "-s" => shell = value(),
            "--gecos" | "--comment" | "-c" => comment = value(),
            "--ingroup" | "--gid" | "-g" if program != "groupadd" && program != "addgroup" => group = value(),
            "--uid" | "-u" | "--gid" | "-g" => id = value().and_then(|id| id.parse().ok()),
            "--system" | "-r" => of_system = true,
            "--group" | "--user-group" | "-U" => own_group = true,
            "--force-badname"
            | "--allow-bad-names"
            | "--quiet"
            | "--no-create-home"
            | "-M"
            | "--disabled-login"
            | "--disabled-password"
            | "-q"
            | "--no-user-group"
            | "-N" => {}
            word if word.starts_with('-') => return false,
            name => names.push(name),
        }
    }
    match (program, &names[..]) {
        ("adduser", [user, group]) => setup.accounts.join(user, group),
        _ if !of_system && id.is_none() => return false,
        ("addgroup" | "groupadd", [name]) => drop(setup.accounts.add_group(name, id)),
        (_, [name]) => setup.accounts.add_user(&NewUser {
            name,
            id,
            group,
            own_group,
            comment: comment.unwrap_or_default(),
            home: home.unwrap_or("/nonexistent"),
            shell: shell.unwrap_or("/usr/sbin/nologin"),
        }),
        _ => return false,
    }
    true
}
