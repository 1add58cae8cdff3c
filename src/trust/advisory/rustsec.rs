//! RustSec's advisories: Markdown whose first block is TOML (`README.md` of the advisory database, "Advisory Format").

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::ecosystem::Ecosystem;
use super::rating::Scored;
use super::record::{Advisory, AffectedPackage, AffectedPlatforms, AffectedVersions, day};
use super::safe_range::SafeRange;

#[derive(Deserialize)]
struct FrontMatter {
    advisory: Head,
    #[serde(default)]
    affected: AffectedPlatforms,
    versions: Versions,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    package: String,
    date: String,
    withdrawn: Option<String>,
    url: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    informational: Option<String>,
    cvss: Option<String>,
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// Reads one file; gives its day, and the advisory unless it was withdrawn.
///
/// # Errors
/// When it is no such file, in words for the user.
pub fn parse(text: &str) -> Result<(String, Option<Advisory>)> {
    let (toml, markdown) = split(text).context("it does not begin with a block of TOML")?;
    let FrontMatter { advisory: head, affected, versions } = toml::from_str(toml).map_err(|error| plain(&error))?;
    let date = day(&head.date).with_context(|| format!("`date` is `{}` instead of a day", head.date))?.to_owned();
    ensure!(!head.id.is_empty() && !head.package.is_empty(), "its `id` or `package` is empty");
    let ranges = |list: Vec<String>| -> Result<Vec<SafeRange>> {
        let parse = |text: &String| SafeRange::parse(text).with_context(|| format!("`{text}` is not a range of versions"));
        list.iter().map(parse).collect()
    };
    let versions = AffectedVersions::Except(ranges(versions.patched)?, ranges(versions.unaffected)?);
    if head.withdrawn.is_some() {
        return Ok((date, None));
    }
    let title = markdown.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(&head.id).trim().to_owned();
    let advisory = Advisory {
        title,
        aliases: head.aliases,
        url: head.url.or_else(|| Some(format!("https://rustsec.org/advisories/{}.html", head.id))),
        id: head.id,
        date: date.clone(),
        scored: Scored::of(head.cvss.as_deref(), None),
        informational: head.informational,
        affected: vec![AffectedPackage { ecosystem: Ecosystem::Crates, name: head.package, platforms: affected, versions }],
    };
    Ok((date, Some(advisory)))
}

/// The block and what follows it.
fn split(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start_matches('\u{feff}').strip_prefix("```toml")?;
    let rest = rest.trim_start_matches('\r').strip_prefix('\n')?;
    match rest.find("\n```") {
        Some(end) => rest.get(..=end).zip(rest.get(end + 4..)),
        None => None,
    }
}

/// The error without the lines that show where it is.
fn plain(error: &toml::de::Error) -> anyhow::Error {
    anyhow::anyhow!("its TOML is invalid: {}", error.message().lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2031-0001\"\npackage = \"teapot\"\ndate = \"2031-02-03\"\n\
        aliases = [\"CVE-2031-1\"]\ncvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H\"\n\n[affected]\nos = [\"linux\"]\n\n\
        [versions]\npatched = [\">= 1.2.3\", \"^0.9.4\"]\nunaffected = [\"< 0.5\"]\n```\n\n# Tea leaks\n\nMuch of it.\n";

    fn advisory(text: &str) -> Option<Advisory> {
        parse(text).expect("an advisory").1
    }

    #[test]
    fn versions_that_are_spared() {
        let teapot = advisory(TEXT).expect("not withdrawn");
        assert_eq!((teapot.title.as_str(), teapot.scored.score), ("Tea leaks", Some(10.0)));
        let package = &teapot.affected[0];
        for (version, has, fixed) in [
            ("0.4.9", false, "0.9.4 1.2.3"),
            ("0.5.0", true, "0.9.4 1.2.3"),
            ("0.9.4", false, "0.9.4 1.2.3"),
            ("1.0.0", true, "1.2.3"),
            ("1.2.3-rc.1", true, "1.2.3"),
            ("1.2.3", false, "1.2.3"),
        ] {
            assert_eq!((package.has(version), package.fixed_in(version).join(" ")), (has, fixed.to_owned()), "{version}");
        }
        assert!(package.is_about("linux", Some("aarch64")) && !package.is_about("windows", None));
    }

    #[test]
    fn withdrawn_ones_have_only_a_day() {
        let withdrawn = TEXT.replace("date =", "withdrawn = \"2031-05-01\"\ndate =");
        assert_eq!(parse(&withdrawn).expect("read"), ("2031-02-03".to_owned(), None));
        assert!(advisory(&TEXT.replace('\n', "\r\n")).is_some());
    }

    #[test]
    fn what_is_no_advisory_is_refused() {
        let deep = format!("x = {}", "[".repeat(100_000));
        for (text, why) in [
            ("# Tea".to_owned(), "does not begin with a block of TOML"),
            ("```toml\n[advisory]".to_owned(), "does not begin with a block of TOML"),
            (TEXT.replace("id =", "ib ="), "missing field `id`"),
            (TEXT.replace("package =", "id ="), "duplicate key"),
            (TEXT.replace("2031-02-03", "today"), "`date` is `today` instead of a day"),
            (TEXT.replace(">= 1.2.3", "new"), "`new` is not a range of versions"),
            (TEXT.replace("[versions]", &deep), "its TOML is invalid"),
        ] {
            let error = format!("{:#}", parse(&text).expect_err(why));
            assert!(error.contains(why), "{error}");
        }
    }
}
