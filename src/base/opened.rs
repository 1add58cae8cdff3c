//! What libraries open by name, which their `DT_NEEDED` does not tell.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use memchr::memmem;

use crate::archive::confined;

/// Libraries that a library loads by their names (dlopen(3)).
const LIBRARIES: [(&str, &[&str]); 2] = [
    ("libnss3.so", &["libfreebl3.so", "libfreeblpriv3.so", "libnssckbi.so", "libsoftokn3.so"]),
    (
        "libtss2-tctildr.so.0",
        &["libtss2-tcti-device.so.0", "libtss2-tcti-mssim.so.0", "libtss2-tcti-swtpm.so.0", "libtss2-tcti-tabrmd.so.0"],
    ),
];

/// Folders next to a library from which it loads modules.
const FOLDERS: [(&str, &str); 4] = [
    ("libcrypto.so.1.1", "engines-1.1"),
    ("libcrypto.so.3", "engines-3"),
    ("libcrypto.so.3", "ossl-modules"),
    ("libsasl2.so.2", "sasl2"),
];

/// Files and folders that only the device or the app can have.
const FILES: [(&str, &str); 5] = [
    ("libfontconfig.so.1", "/etc/fonts"),
    ("libgssapi_krb5.so.2", "/etc/krb5.conf"),
    ("libgstreamer-1.0.so.0", "/usr/lib/gstreamer-1.0"),
    ("libmagic.so.1", "/usr/share/misc/magic.mgc"),
    ("libp11-kit.so.0", "/usr/share/p11-kit/modules"),
];

/// How OpenSSL tells the folder in which it looks for its files (openssl-version(1), `-d`).
const OPENSSLDIR: &[u8] = b"OPENSSLDIR: \"";

/// How much of a file is searched at once.
const CHUNK: usize = 1 << 20;

/// The longest path that is taken from a file.
const LONGEST: usize = 256;

/// A module of a library.
#[derive(Debug, PartialEq, Eq)]
pub struct Module {
    /// On this machine.
    pub path: PathBuf,
    /// In the image.
    pub place: String,
}

/// The libraries that the library of this name loads, as far as there may be any.
pub fn libraries(name: &str) -> &'static [&'static str] {
    LIBRARIES.iter().find(|(library, _)| *library == name).map_or(&[], |(_, names)| names)
}

/// The modules of the library of this name, which is at `path`. They keep the folder that they have in the sysroot, since it is
/// compiled into the library.
///
/// # Errors
/// When their folder cannot be read.
pub fn modules(name: &str, path: &Path) -> Result<Vec<Module>> {
    let mut found = Vec::new();
    let Some(folder) = path.parent() else { return Ok(found) };
    for (_, own) in FOLDERS.iter().filter(|(library, _)| *library == name) {
        let folder = folder.join(own);
        if !folder.is_dir() {
            continue;
        }
        let mut names: Vec<PathBuf> = fs_err::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
        names.sort();
        for path in names.into_iter().filter(|path| path.is_file()) {
            let shown = path.display().to_string();
            let start = shown.rfind("/usr/lib/").or_else(|| shown.rfind("/lib/")).unwrap_or_default();
            let place = shown[start..].trim_start_matches('/').to_owned();
            found.push(Module { path: fs_err::canonicalize(&path)?, place });
        }
    }
    Ok(found)
}

/// What these libraries open that no base of libraries can have, each with the path that it opens.
pub fn files<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(&'static str, &'static str)> {
    let names: BTreeSet<&str> = names.into_iter().collect();
    FILES.iter().filter(|(library, _)| names.contains(library)).copied().collect()
}

/// The folder in which the OpenSSL in a library or an executable looks for its root certificates and its configuration, without the
/// slash at its beginning; `None` if there is no OpenSSL in it.
///
/// # Errors
/// When the file cannot be read.
pub fn openssl_folder(path: &Path) -> Result<Option<String>> {
    let failed = || format!("failed to read `{}`", path.display());
    let mut file = fs_err::File::open(path)?;
    let mut buffer: Vec<u8> = Vec::with_capacity(CHUNK + LONGEST);
    loop {
        let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut buffer).with_context(failed)?;
        if let Some(at) = memmem::find(&buffer, OPENSSLDIR) {
            let rest = &buffer[at + OPENSSLDIR.len()..];
            let end = rest.iter().position(|byte| *byte == b'"');
            if let Some(end) = end.filter(|end| *end <= LONGEST) {
                let folder = std::str::from_utf8(&rest[..end]).ok().and_then(|folder| folder.strip_prefix('/'));
                return Ok(folder.and_then(confined).filter(|folder| !folder.is_empty()));
            }
        }
        if read == 0 {
            return Ok(None);
        }
        // What spans two chunks is found in the second.
        let kept = buffer.len().saturating_sub(LONGEST + OPENSSLDIR.len() + 1);
        buffer.drain(..kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_openssl_is_found_wherever_it_is() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("file");
        let found = |before: usize, text: &str| {
            let bytes = [vec![0; before], text.as_bytes().to_vec(), vec![0; 10]].concat();
            std::fs::write(&path, bytes).expect("written");
            openssl_folder(&path).expect("read")
        };
        for before in [0, CHUNK - 20, CHUNK - 13, CHUNK - 5, CHUNK, 2 * CHUNK - 14] {
            assert_eq!(found(before, "OPENSSLDIR: \"/usr/lib/ssl\"").as_deref(), Some("usr/lib/ssl"), "{before}");
        }
        for text in
            ["", "OPENSSLDIR: \"", "OPENSSLDIR: N/A", "OPENSSLDIR: \"../x\"", "OPENSSLDIR: \"/\"", "OPENSSLDIR: \"/../x\""]
        {
            assert_eq!(found(7, text), None, "{text}");
        }
    }
}
