//! Users and groups: the tables of `base-passwd`, or the few that every container has.

use anyhow::Result;

use crate::debian::tree::Tree;

/// Writes `/etc/passwd` and `/etc/group`.
///
/// # Errors
/// When the tables cannot be read.
pub fn write(tree: &mut Tree, epoch: u64) -> Result<()> {
    for (name, otherwise) in [
        ("passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"),
        ("group", "root:x:0:\nnogroup:x:65534:\n"),
    ] {
        let master = tree.content(&format!("usr/share/base-passwd/{name}.master"))?;
        tree.write(&format!("etc/{name}"), 0o644, epoch, master.unwrap_or_else(|| otherwise.into()));
    }
    Ok(())
}
