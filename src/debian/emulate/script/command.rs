//! One command of a script: what it would do, done in the tree.

use std::collections::BTreeMap;

use anyhow::Result;

use super::effects::{add, change, folder, install, remove, rename};
use super::words::{assigned, without_redirections, words};
use crate::debian::emulate::setup::Setup;
use crate::debian::parcel::Parcel;
use crate::debian::tree::TreeNode;

/// Commands that only look, talk or steer.
const LOOKS: &str = "[ [[ : test true false exit return set shift export local unset echo printf cd umask trap read break continue \
    cat which command type hash grep egrep fgrep cut head tail awk tr sort uniq wc id getent ls basename dirname \
    readlink realpath stat uname dpkg dpkg-query md5sum sha256sum cmp diff expr seq sleep date mktemp hostname \
    ischroot in xargs tput env in_chroot dpkg-architecture pidof logger sync let readonly declare nproc lsmod \
    aa-enabled aa-status getcap apparmor_parser modprobe udevadm";

/// Commands for a running system, or for what a container does not have.
const ELSEWHERE: &str = "dpkg-maintscript-helper dpkg-trigger update-rc.d invoke-rc.d deb-systemd-helper deb-systemd-invoke systemctl \
    service start-stop-daemon py3compile py3clean pycompile pyclean pypy3compile emacs-package-install ldconfig \
    update-menus update-mime install-info update-info-dir mandb update-shells add-shell remove-shell ucfr \
    update-initramfs update-binfmts restorecon killall kill pkill initctl insserv update-grub depmod nscd telinit \
    runlevel apt-config update-usbids update-ca-certificates locale-gen update-locale perl-validate";

/// Commands that make a cache, which programs do without.
const CACHES: &str = "update-icon-caches gtk-update-icon-cache update-desktop-database update-mime-database glib-compile-schemas \
    gio-querymodules gdk-pixbuf-query-loaders fc-cache update-fonts-dir update-fonts-scale update-fonts-alias \
    mkfontscale mkfontdir update-xmlcatalog update-catalog texhash mktexlsr systemd-tmpfiles systemd-hwdb \
    pam-auth-update gtk-query-immodules-3.0 gtk-query-immodules-2.0 update-gconf-defaults appstreamcli \
    vlc-cache-gen setcap";

/// Whether a list has a name.
fn is_one_of(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|word| word == name)
}

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
    if writes && !is_one_of(CACHES, name) {
        return Ok(false);
    }
    let is_open = |word: &String| word.contains(['$', '`', '*', '?']);
    let paths: Vec<&str> = arguments.iter().filter(|word| !word.starts_with('-')).map(String::as_str).collect();
    let is_literal = !arguments.iter().any(is_open);
    let done = match name {
        "." | "source" => paths
            .first()
            .is_some_and(|path| path.contains("confmodule") || path.starts_with("/usr/share/") || path.starts_with("/lib/")),
        name if is_one_of(LOOKS, name) || is_one_of(ELSEWHERE, name) || name.starts_with("db_") => true,
        "sed" => !arguments.iter().any(|word| word.starts_with("-i") || word.starts_with("--in-place")),
        "find" => !arguments.iter().any(|word| word == "-delete" || word == "-exec"),
        "dpkg-divert" => {
            arguments.iter().any(|word| matches!(word.as_str(), "--list" | "--truename" | "--listpackage" | "--remove"))
        }
        name if is_one_of(CACHES, name) => {
            setup.note(format!("`{name}` was not run for `{}`, so its cache is missing", parcel.name));
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
            let (unknown, known): (Vec<&str>, Vec<&str>) = paths.iter().partition(|path| path.contains(['$', '`']));
            let all = arguments.iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(['r', 'R']));
            known.iter().for_each(|path| remove(setup, path, all));
            // A name that only the script knows is one of its own files.
            unknown.iter().all(|path| path.starts_with('$') || path.starts_with("/tmp/") || path.starts_with("/var/"))
        }
        "mkdir" if is_literal => {
            paths.iter().filter(|path| path.starts_with('/')).for_each(|path| folder(setup, path));
            true
        }
        "install" if is_literal && arguments.iter().any(|word| word.starts_with("-d") || word == "--directory") => {
            install(setup, arguments)
        }
        "install" if is_literal && matches!(paths[..], [.., "/dev/null", _]) => {
            let path = paths[paths.len() - 1];
            if !setup.tree.has(path) {
                setup.tree.write(path, 0o644, setup.epoch, "");
            }
            true
        }
        // A group that a new system does not have needs no other name.
        "groupmod" if is_literal => paths.last().is_some_and(|name| setup.accounts.id(name, true).is_none()),
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
            [from, to] if setup.tree.has(from) && !setup.tree.at(to.trim_matches('/')).is_some_and(TreeNode::is_folder) => {
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
