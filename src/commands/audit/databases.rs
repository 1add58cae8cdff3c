//! Where databases of advisories are, and how old.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};

use crate::diagnostic::Code;

/// Days after which a database is called old. New advisories come every few days.
const OLD: u64 = 90;

/// The folders that the user names; else where cargo-audit and cargo-deny keep theirs.
///
/// # Errors
/// When none is named, and none is there.
pub fn folders(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let homes = [variable("CARGO_HOME"), variable("HOME").map(|home| home.join(".cargo"))];
    let mut found = Vec::new();
    for home in homes.into_iter().flatten() {
        let several = std::fs::read_dir(home.join("advisory-dbs")).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut several: Vec<PathBuf> = several.filter(|path| path.join("crates").is_dir()).collect();
        several.sort();
        let own = Some(home.join("advisory-db")).filter(|path| path.is_dir());
        found.extend(own.into_iter().chain(several).filter(|path| !found.contains(path)).collect::<Vec<_>>());
    }
    if found.is_empty() {
        bail!(Code::AdvisoryDatabase.error(
            "there is no database of advisories on this machine\n\
            help: clone the RustSec advisory-db with `git clone`, and name its folder: `cargo appbundle audit --db FOLDER`"
        ));
    }
    Ok(found)
}

/// What is said of a database whose newest entry is old.
pub fn age(newest: &str, now: SystemTime) -> Option<String> {
    let time = humantime::parse_rfc3339(&format!("{newest}T00:00:00Z")).ok()?;
    let days = now.duration_since(time).ok()?.as_secs() / Duration::from_secs(24 * 60 * 60).as_secs();
    (days > OLD).then(|| {
        format!("the newest advisory is of {newest}, {days} days ago; update the database, as with `git -C FOLDER pull`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_database_is_called_so() {
        let now = humantime::parse_rfc3339("2031-04-02T00:00:00Z").expect("a time");
        assert_eq!(age("2031-01-02", now), None);
        assert!(age("2031-01-01", now).expect("old").contains("91 days ago"));
        assert_eq!((age("2031-05-01", now), age("new", now)), (None, None));
    }
}
