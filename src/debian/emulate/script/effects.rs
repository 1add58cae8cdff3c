//! What commands do to files and accounts of the tree.

use crate::debian::emulate::accounts::NewUser;
use crate::debian::emulate::setup::Setup;
use crate::debian::parcel::Parcel;
use crate::debian::tree::{NodeKind, TreeNode};

/// Makes a folder and those around it.
pub fn folder(setup: &mut Setup<'_>, path: &str) {
    if let Some(path) = setup.tree.resolve(path).filter(|path| !path.is_empty()) {
        setup.tree.folders(&path, setup.epoch);
    }
}

/// Takes away what stands at a path or matches a pattern; folders with something in them only with `all`.
pub fn remove(setup: &mut Setup<'_>, path: &str, all: bool) {
    let Some(path) = setup.tree.place(path) else { return };
    let mut gone = vec![path.clone()];
    if let Ok(glob) = globset::GlobBuilder::new(&path).literal_separator(true).build()
        && path.contains(['*', '?'])
    {
        let folder = path.split(['*', '?']).next().and_then(|start| start.rsplit_once('/')).map_or("", |(folder, _)| folder);
        let matcher = glob.compile_matcher();
        gone = setup.tree.below(folder).map(|(path, _)| path.to_owned()).filter(|path| matcher.is_match(path)).collect();
    }
    for path in gone {
        let inside: Vec<String> = setup.tree.below(&path).map(|(path, _)| path.to_owned()).collect();
        if all || inside.is_empty() {
            inside.iter().for_each(|path| setup.tree.remove(path));
            setup.tree.remove(&path);
        }
    }
}

/// What is not there cannot be moved; folders are not.
pub fn rename(setup: &mut Setup<'_>, from: &str, to: &str) -> bool {
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
pub fn install(setup: &mut Setup<'_>, arguments: &[String]) -> bool {
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
            (owner.and_then(|name| setup.accounts.wanted(name, false)), group.and_then(|name| setup.accounts.wanted(name, true)));
        let Some(path) = setup.tree.resolve(path) else { return false };
        if let Some(node) = setup.tree.at(&path).cloned() {
            let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok()).unwrap_or(node.mode);
            setup.tree.put(path, TreeNode { uid: uid.unwrap_or(node.uid), gid: gid.unwrap_or(node.gid), mode, ..node });
        }
    }
    true
}

/// `chmod`, `chown` and `chgrp` with plain numbers and names.
pub fn change(setup: &mut Setup<'_>, name: &str, arguments: &[String], paths: &[&str], parcel: &Parcel) -> bool {
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
                    setup.note(format!("`/{path}` of `{}` is not made setuid or setgid (mode {what})", parcel.name));
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
                    let Some(id) = setup.accounts.wanted(wanted, is_group) else { return false };
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
pub fn add(setup: &mut Setup<'_>, program: &str, arguments: &[String]) -> bool {
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
