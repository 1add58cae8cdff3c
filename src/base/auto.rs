//! `base = "auto"`: one layer with the libraries that the executables need, from the linker's sysroot.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;

use super::sysroot::Sysroot;
use super::{opened, records};
use crate::app::{AppFile, Base, BaseChoice, Binary, runpath};
use crate::archive::{Entry, EntryKind};
use crate::diagnostic::{Code, Note};
use crate::elf::{Elf, Needing, glibc, needed};
use crate::oci::{History, RunConfig};
use crate::segment::{Content, KnownDigests, Layer, LayerMember, Packer};

/// Libraries that glibc before 2.34 loads by itself to resolve names; newer versions contain them.
const NAME_SERVICE: [&str; 3] = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

/// The root certificates, and the configuration of OpenSSL.
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";
const OPENSSL_CONFIG: &str = "etc/ssl/openssl.cnf";

pub fn read(binaries: &[&Binary], sysroot: &Sysroot, epoch: u64, packer: &Packer, known: &KnownDigests) -> Result<Base> {
    let layer = layer(binaries, sysroot, epoch, packer.cache().folder(), known)?;
    let segment = packer.layer(&layer)?;
    let facts = super::packed::facts(packer, &segment)?;
    let history = History { created_by: Some("cargo-appbundle: base auto".into()), ..History::default() };
    let config = RunConfig::default();
    let (layers, history) = (vec![segment], vec![history]);
    Ok(Base { choice: BaseChoice::Auto, layers, config, history, facts, reference: None, written: None })
}

fn layer(binaries: &[&Binary], sysroot: &Sysroot, epoch: u64, cache: &Path, known: &KnownDigests) -> Result<Layer> {
    let mut members: BTreeMap<String, LayerMember> = BTreeMap::new();
    let mut add = |member: LayerMember| {
        members.insert(member.entry.path.clone(), member);
    };
    for folder in ["etc", "etc/ssl", "etc/ssl/certs", "lib"] {
        add(LayerMember::folder(folder, 0o755, epoch));
    }
    add(LayerMember::folder("tmp", 0o1777, epoch));
    add(LayerMember::folder("root", 0o700, epoch));
    let text = |path: &str, text: &str| LayerMember::bytes(path, 0o644, epoch, text.into());
    add(text(
        "etc/passwd",
        "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin\n",
    ));
    add(text("etc/group", "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n"));
    add(text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"));
    add(text(CERTIFICATES, &certificates()));

    let found = closure(binaries, sysroot)?;
    let all: BTreeSet<PathBuf> = found.values().map(|(path, _)| path.clone()).collect();
    records::members(&all, cache, epoch)?.into_iter().for_each(&mut add);
    let mut folders: BTreeSet<String> = BTreeSet::new();
    let libraries = found.iter().filter(|(name, _)| name.starts_with("libcrypto.so")).map(|(_, (path, _))| path.as_path());
    for path in libraries.chain(binaries.iter().map(|binary| binary.path.as_path())) {
        folders.extend(opened::openssl_folder(path)?);
    }
    openssl(&folders, epoch).into_iter().for_each(&mut add);
    for (name, (path, _)) in &found {
        for module in opened::modules(name, path)? {
            let (digest, size) = known.digest(&module.path)?;
            parents(&module.place, epoch).for_each(&mut add);
            let kind = EntryKind::File(size);
            let entry = Entry { path: module.place, mode: 0o644, uid: 0, gid: 0, mtime: epoch, kind };
            add(LayerMember { entry, content: Content::File(module.path, digest) });
        }
    }
    let loaders: BTreeSet<&str> = binaries.iter().filter_map(|binary| binary.elf.interpreter.as_deref()).collect();
    for (name, (path, is_loader)) in found {
        let (digest, size) = known.digest(&path)?;
        let places: Vec<String> = if is_loader {
            loaders
                .iter()
                .filter(|loader| loader.ends_with(&format!("/{name}")))
                .map(|loader| loader.trim_start_matches('/').to_owned())
                .collect()
        } else {
            vec![format!("lib/{name}")]
        };
        for place in places {
            let (folder, file) = place.rsplit_once('/').unwrap_or(("lib", &place));
            // Loaders in /lib64 are expected there, and some loaders search only /lib64 for libraries.
            if folder == "lib64" {
                add(LayerMember::symlink("lib64", "lib", epoch));
            }
            let folder = if folder == "lib64" { "lib" } else { folder };
            add(LayerMember::folder(folder, 0o755, epoch));
            let entry = Entry {
                path: format!("{folder}/{file}"),
                mode: 0o755,
                uid: 0,
                gid: 0,
                mtime: epoch,
                kind: EntryKind::File(size),
            };
            add(LayerMember { entry, content: Content::File(path.clone(), digest) });
        }
    }
    Ok(Layer::new(members.into_values().collect()))
}

/// What OpenSSL looks for in its folders: the roots and the configuration, where Debian's packages have them too.
fn openssl(folders: &BTreeSet<String>, epoch: u64) -> Vec<LayerMember> {
    let mut members = Vec::new();
    for folder in folders {
        members.extend(parents(&format!("{folder}/certs"), epoch));
        let links = [("cert.pem", CERTIFICATES), ("certs", "etc/ssl/certs"), ("openssl.cnf", OPENSSL_CONFIG)];
        for (name, target) in links {
            let path = format!("{folder}/{name}");
            if path != target {
                members.push(LayerMember::symlink(&path, &format!("/{target}"), epoch));
            }
        }
    }
    if !folders.is_empty() {
        members.push(LayerMember::bytes(OPENSSL_CONFIG, 0o644, epoch, b"# OpenSSL's own defaults.\n".to_vec()));
    }
    members
}

/// The folders around a path.
fn parents(path: &str, epoch: u64) -> impl Iterator<Item = LayerMember> + '_ {
    path.match_indices('/').map(move |(at, _)| LayerMember::folder(&path[..at], 0o755, epoch))
}

/// Notes on what the libraries of the base open that neither it nor `files` has.
pub fn notes(base: &Base, files: &[&AppFile]) -> Vec<Note> {
    let names = base.facts.libraries.keys().map(|path| path.rsplit('/').next().unwrap_or(path));
    let is_packed = |path: &str| files.iter().any(|file| file.to.starts_with(path));
    let missing = opened::files(names).into_iter().filter(|(_, path)| !is_packed(path));
    let note = |(library, path): (&str, &str)| {
        Code::LibraryFiles.note(format!(
            "`{library}` opens `{path}`, which `base = \"auto\"` does not have: add it with `files`, or use a base that has it"
        ))
    };
    missing.map(note).collect()
}

/// All libraries that the executables need, directly or indirectly, including the loader, by name; without those that a service
/// packs itself.
fn closure(binaries: &[&Binary], sysroot: &Sysroot) -> Result<BTreeMap<String, (PathBuf, bool)>> {
    let mut found: BTreeMap<String, (PathBuf, bool)> = BTreeMap::new();
    for binary in binaries {
        if let Some(name) = binary.elf.loader() {
            let path = sysroot.find(name).with_context(|| missing(name, &binary.service, sysroot))?;
            found.insert(name.to_owned(), (path, true));
        }
        for root in binary.roots() {
            needed(root, |name, by| {
                if let Some((place, packed)) = binary.beside.library(name, &by.paths) {
                    let paths = runpath(packed, &place).into_iter().chain(by.paths.iter().cloned()).collect();
                    return Ok(Some(Needing { name: name.to_owned(), elf: Cow::Borrowed(packed), paths }));
                }
                if found.contains_key(name) {
                    return Ok(None);
                }
                let path = sysroot.find(name).with_context(|| Code::SysrootLibrary.error(missing(name, &by.name, sysroot)))?;
                let mut elf = Elf::read(&path)?;
                if name == "libc.so.6" && elf.defines.iter().filter_map(|version| glibc(version)).max() < Some((2, 34)) {
                    let there = NAME_SERVICE.iter().filter(|name| sysroot.find(name).is_some());
                    elf.needed.extend(there.map(|name| (*name).to_owned()));
                }
                // What it opens by itself, and what that needs, as far as this machine has it.
                let mut more: Vec<String> = opened::libraries(name).iter().map(|name| (*name).to_owned()).collect();
                for module in opened::modules(name, &path)? {
                    more.extend(Elf::read(&module.path).map(|elf| elf.needed).unwrap_or_default());
                }
                elf.needed.extend(more.into_iter().filter(|name| sysroot.find(name).is_some()));
                found.insert(name.to_owned(), (path, false));
                Ok(Some(Needing { name: name.to_owned(), elf: Cow::Owned(elf), paths: by.paths.clone() }))
            })?;
        }
    }
    Ok(found)
}

fn missing(name: &str, by: &str, sysroot: &Sysroot) -> String {
    format!(
        "`{by}` needs the library `{name}`, which was not found where `{}` looks\nhelp: install it for the target, add it with `files`, or use a base that has it, such as `base = {{ debian = \"bookworm\", packages = [\"…\"] }}`",
        sysroot.linker()
    )
}

/// The root certificates of the web's CAs, as PEM.
fn certificates() -> String {
    let mut text = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = base64::engine::general_purpose::STANDARD.encode(certificate);
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}
