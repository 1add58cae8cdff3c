//! Archives of snapshots, which keep packages that the mirrors have dropped.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use super::pin::{DebianPin, PackagePin};
use super::recipe::{Distribution, Recipe};
use super::release;

/// Seconds after a Release at which it is in a snapshot: they are taken a few times a day.
const DELAY: u64 = 86_400;

/// Where an archive of snapshots has a package: as it was a day after the pinned Release, and when that was made.
pub fn urls(package: &PackagePin, pin: &DebianPin, recipe: &Recipe) -> Vec<String> {
    let suite = package.suite.as_ref().unwrap_or(&pin.suite);
    let release = pin.releases.iter().find(|release| release.suite == *suite);
    let (Some(mirror), Some(made)) = (&recipe.snapshot_mirror, release.and_then(|release| release::seconds(&release.date)))
    else {
        return Vec::new();
    };
    let is_security = recipe.distribution == Distribution::Debian && suite.ends_with("-security");
    let archive = format!("{}{}", recipe.distribution.name(), if is_security { "-security" } else { "" });
    let (mirror, path) = (mirror.trim_end_matches('/'), &package.path);
    let moments = [made.saturating_add(DELAY), made].into_iter().filter_map(moment);
    moments.map(|moment| format!("{mirror}/{archive}/{moment}/{path}")).collect()
}

/// Seconds since the epoch, as in the paths of a snapshot archive: `20260711T101637Z`.
fn moment(seconds: u64) -> Option<String> {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    let mut text = String::new();
    // It has no form for years of five digits.
    write!(text, "{}", humantime::format_rfc3339_seconds(time)).ok()?;
    Some(text.replace(['-', ':'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_in_paths() {
        assert_eq!(moment(1_783_764_997).as_deref(), Some("20260711T101637Z"));
        assert_eq!((moment(253_402_300_800), moment(u64::MAX)), (None, None));
    }
}
