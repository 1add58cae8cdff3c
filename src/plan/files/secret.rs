//! Files that look like secrets, by their names.

use std::io::Read as _;
use std::path::Path;

/// Names that tools give to files with passwords and keys.
const NAMES: [&str; 13] = [
    ".env",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    "credentials.json",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
];

/// Endings of key files and key stores.
const ENDINGS: [&str; 7] = ["jks", "kdbx", "key", "keystore", "p12", "pem", "pfx"];

/// Endings of templates, which stand in a repository in place of the file with the values.
const TEMPLATES: [&str; 4] = ["dist", "example", "sample", "template"];

/// How much of a file is read to find a private key.
const READ: u64 = 1 << 20;

/// The path up to the part that looks like a secret, if one does. A repository's `.git` counts: it holds what was deleted.
pub fn look<'a>(shown: &'a Path, file: &Path) -> Option<&'a Path> {
    let git = shown.ancestors().find(|path| path.file_name().is_some_and(|name| name == ".git"));
    git.or_else(|| is_secret(shown, file).then_some(shown))
}

fn is_secret(shown: &Path, file: &Path) -> bool {
    let name = shown.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if TEMPLATES.contains(&ending) {
        return false;
    }
    match ending {
        // Certificates have this ending, too.
        "pem" => has_private_key(file),
        _ => NAMES.contains(&name.as_str()) || name.starts_with(".env.") || ENDINGS.contains(&ending),
    }
}

fn has_private_key(file: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(READ).read_to_end(&mut bytes));
    // What cannot be read may be one.
    read.is_err() || bytes.windows(11).any(|window| window == b"PRIVATE KEY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let private = file("private.pem", "-----BEGIN EC PRIVATE KEY-----\n");
        let public = file("public.pem", "-----BEGIN CERTIFICATE-----\n");
        let looks = |shown: &str, file: &Path| look(Path::new(shown), file).map(|path| path.display().to_string());
        for (shown, expected) in [
            ("web/.env", Some("web/.env")),
            ("web/.env.production", Some("web/.env.production")),
            ("web/.env.example", None),
            ("web/.environment", None),
            ("ssh/id_ed25519", Some("ssh/id_ed25519")),
            ("ssh/id_ed25519.pub", None),
            ("web/TLS.KEY", Some("web/TLS.KEY")),
            ("web/monkey", None),
            ("web/.git/objects/1a/2b", Some("web/.git")),
            ("web/.gitignore", None),
            ("web/index.html", None),
        ] {
            assert_eq!(looks(shown, &public).as_deref(), expected, "{shown}");
        }
        assert_eq!((looks("a.pem", &private).is_some(), looks("a.pem", &public).is_some()), (true, false));
    }
}
