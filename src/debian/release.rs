//! `InRelease`: what a suite of an archive holds, signed (repository format, "Release files").

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result, bail, ensure};

use super::control::Paragraph;
use super::openpgp::Keyring;
use crate::digest::Digest;

/// A Release that was verified.
#[derive(Clone, Debug)]
pub struct Release {
    /// When it was made, as it is written.
    pub date: String,
    /// The sum of the whole signed file.
    pub sum: Digest,
    /// The archive's architectures.
    pub architectures: Vec<String>,
    /// Whether files can be asked for by their sums.
    pub by_hash: bool,
    files: BTreeMap<String, (Digest, u64)>,
}

impl Release {
    /// Verifies an `InRelease` and reads it. `now` is in seconds since the epoch. With `may_be_old`, `Valid-Until` does not
    /// count.
    ///
    /// # Errors
    /// When no known key signed it, it has expired, or it is another suite's. The text's last line may be `help: …`.
    pub fn verified(bytes: &[u8], keyring: &Keyring, suite: &str, now: u64, may_be_old: bool) -> Result<Self> {
        let text = keyring.verified(bytes, now)?;
        let release = Paragraph::parse(&text);
        let field = |name: &str| release.get(name).unwrap_or_default();
        let (codename, name) = (field("Codename"), field("Suite"));
        ensure!(
            [codename, name].contains(&suite),
            "it is the Release of the suite `{}`, not of `{suite}`\nhelp: use another `mirror`, or a suite's code name",
            if codename.is_empty() { name } else { codename }
        );
        let date = release.get("Date").context("it has no `Date`")?;
        let made = seconds(date).with_context(|| format!("its `Date` is `{}`", date.escape_debug()))?;
        // Clocks may differ by a day.
        ensure!(
            made <= now.saturating_add(86_400),
            "it was made on {date}, which is in the future\nhelp: check this machine's clock"
        );
        if let Some(until) = release.get("Valid-Until").filter(|_| !may_be_old) {
            let end = seconds(until).with_context(|| format!("its `Valid-Until` is `{}`", until.escape_debug()))?;
            ensure!(
                now < end,
                "it was valid until {until}\nhelp: use another `mirror`, which is up to date, or check this machine's clock"
            );
        }
        let mut files = BTreeMap::new();
        for line in field("SHA256").lines() {
            let mut words = line.split_whitespace();
            let (Some(sum), Some(size), Some(path)) = (words.next(), words.next(), words.next()) else { continue };
            let (Some(sum), Ok(size)) = (Digest::from_hex(sum), size.parse()) else {
                bail!("its list of sums has the line `{}`", line.trim().escape_debug())
            };
            files.insert(path.to_owned(), (sum, size));
        }
        Ok(Self {
            date: date.to_owned(),
            sum: Digest::of(bytes),
            architectures: field("Architectures").split_whitespace().map(str::to_owned).collect(),
            by_hash: field("Acquire-By-Hash") == "yes",
            files,
        })
    }

    /// The path below the suite's folder, sum and size of a file, in the best compression there is.
    pub fn file(&self, path: &str) -> Option<(String, Digest, u64)> {
        [".xz", ".gz", ""].iter().find_map(|ending| {
            let path = format!("{path}{ending}");
            let (sum, size) = self.files.get(&path)?;
            let hashed = || {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/by-hash/SHA256/{}", sum.hex())
            };
            Some((if self.by_hash { hashed() } else { path.clone() }, *sum, *size))
        })
    }
}

/// `Sat, 11 Jul 2026 10:16:37 UTC` in seconds since the epoch. As for apt, the day of the week means nothing, and numbers below 10
/// may have one digit.
pub fn seconds(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = date.split_whitespace().collect();
    let [_, day, month, year, time, "UTC" | "GMT" | "+0000"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let date = humantime::parse_rfc3339(&format!("{year}-{month:02}-{day:0>2}T{time:0>8}Z")).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 UTC"), Some(0));
        assert_eq!(seconds("Sat, 11 Jul 2026 10:16:37 UTC"), Some(1_783_764_997));
        assert_eq!(seconds("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(seconds("Sat, 1 Aug 2026 9:05:01 +0000"), Some(1_785_575_101));
        for wrong in ["", "Sat, 11 Jul 2026", "Sat, 11 Jly 2026 10:16:37 UTC", "Sat, 11 Jul 2026 10:16:37 CET"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
