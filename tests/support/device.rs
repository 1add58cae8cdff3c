//! A device: Debian's Mender client 3.4.0 with a stub update module, in mounts of its own.

use std::path::Path;
use std::process::{Command, Output};

use super::run;

/// The program that scripts/setup takes out of Debian's package, which would start a service.
pub const CLIENT: &str = "mender-client-3";

/// What runs in namespaces of its own: the client looks for update modules and for its state at fixed places.
const SCRIPT: &str = r#"set -e
client=$(command -v "$1")
mount -t tmpfs none /usr/share
mkdir -p /usr/share/mender/modules/v3
cat > /usr/share/mender/modules/v3/docker <<'END'
#!/bin/sh
case "$1" in NeedsArtifactReboot) echo No ;; SupportsRollback) echo Yes ;; esac
END
chmod +x /usr/share/mender/modules/v3/docker
mount -t tmpfs none /etc
mkdir /etc/mender
echo artifact_name=older > /etc/mender/artifact_info
exec "$client" --no-syslog --config "$2/mender.conf" --fallback-config /nonexistent --data "$2/data" install "$3"
"#;

/// Installs a bundle on a new device for `skynode` with this `mender.conf`.
pub fn install(bundle: &Path, conf: &str) -> Output {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::create_dir(folder.path().join("data")).expect("folder");
    std::fs::write(folder.path().join("data/device_type"), "device_type=skynode\n").expect("written");
    std::fs::write(folder.path().join("mender.conf"), conf).expect("written");
    let words = ["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh", CLIENT];
    run(Command::new("unshare").args(words).arg(folder.path()).arg(bundle))
}
