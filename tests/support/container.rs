//! An image as a container of it shows itself.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::process::Command;

use super::{judge, ok};

/// What of an image's config matters to a container, and its files with mode, owner and sum.
pub fn describe(image: &str) -> (String, String) {
    let format = "{{.Config.User}} {{json .Config.ExposedPorts}} {{json .Config.Env}} {{json .Config.Cmd}} {{json .Config.Entrypoint}} {{.Config.WorkingDir}} {{json .Config.Labels}} {{json .Config.Volumes}} {{json .Config.StopSignal}} {{.Architecture}} {{json .Config.Healthcheck}}";
    let config = judge("docker", &["image", "inspect", "--format", format, image]);
    let container = judge("docker", &["create", "--platform", "linux/arm64", image, "x"]);
    let container = container.trim();
    let script = format!("docker export {container} | python3 -c '{LIST}'");
    let files = ok(Command::new("sh").args(["-c", &script]));
    judge("docker", &["rm", "-v", container]);
    (normal_env(&config), files)
}

fn normal_env(config: &str) -> String {
    let (start, end) = (config.find(" [\"").expect("env"), config.find("\"] ").expect("env"));
    let mut env: Vec<String> = serde_json::from_str(&config[start + 1..end + 2]).expect("JSON");
    env.sort();
    format!("{}{env:?}{}", &config[..start + 1], &config[end + 2..])
}

const LIST: &str = r#"
import hashlib, sys, tarfile
tar = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
lines = []
for m in tar:
    # What the engine puts into every container.
    if m.name.split("/")[0] in ("dev", "proc", "sys", ".dockerenv") or m.name in ("etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab"):
        continue
    content = hashlib.sha256(tar.extractfile(m).read()).hexdigest()[:16] if m.isfile() else m.linkname
    lines.append("%s %o %d:%d %s %s" % (m.type.decode(), m.mode, m.uid, m.gid, m.name, content))
print("\n".join(sorted(lines)))
"#;
