//! Which release of Debian packages are of.

use super::InstalledPackage;

/// Code names and the numbers of their releases.
const NAMES: [(&str, &str); 6] =
    [("buster", "10"), ("bullseye", "11"), ("bookworm", "12"), ("trixie", "13"), ("forky", "14"), ("duke", "15")];

/// The number of a release by its code name.
pub fn edition_named(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(other, _)| *other == name).map(|(_, number)| *number)
}

/// The number of the release that has a version of Debian's C library.
pub fn edition_of_glibc(version: &str) -> Option<&str> {
    const RELEASES: [(&str, &str); 4] = [("2.28-", "10"), ("2.31-", "11"), ("2.36-", "12"), ("2.41-", "13")];
    let of_upstream = RELEASES.iter().find(|(start, _)| version.starts_with(start)).map(|(_, number)| *number);
    marked(version).or(of_upstream)
}

/// The number of the release that a file system's packages are of: what os-release(5) says, else the version of `base-files`, else
/// what updates of a release have in their versions, as in `2.36-9+deb12u4`. `None` if it is not Debian, or nobody says.
pub fn edition(os_release: Option<&str>, packages: &[InstalledPackage]) -> Option<String> {
    if let Some(text) = os_release {
        let value = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(|value| value.trim_matches(['"', '\'']))
        };
        if value("ID")? != "debian" {
            return None;
        }
        if let Some(number) = value("VERSION_ID").filter(|number| is_number(number)) {
            return Some(number.to_owned());
        }
    }
    let base = packages.iter().find(|package| package.name == "base-files").map(|package| package.version.as_str());
    if let Some(number) = base.and_then(|version| version.split(['.', '+', '~', '-']).next()).filter(|number| is_number(number))
        && base.is_some_and(|version| !version.contains("ubuntu"))
    {
        return Some(number.to_owned());
    }
    packages.iter().find_map(|package| marked(&package.version)).map(str::to_owned)
}

/// The `12` of `+deb12u4` or `~deb12u4`.
fn marked(version: &str) -> Option<&str> {
    let (_, after) = version.rsplit_once("+deb").or_else(|| version.rsplit_once("~deb"))?;
    let (number, update) = after.split_once('u')?;
    (is_number(number) && update.starts_with(|c: char| c.is_ascii_digit())).then_some(number)
}

fn is_number(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::installed;
    use super::*;

    #[test]
    fn whoever_says_it_first_is_believed() {
        let packages = |list: &[(&str, &str)]| {
            let records: Vec<String> =
                list.iter().map(|(name, version)| format!("Package: {name}\nVersion: {version}\nArchitecture: all\n")).collect();
            installed(records.iter().map(String::as_str))
        };
        let debian = "PRETTY_NAME=\"x\"\nVERSION_ID=\"12\"\nID=debian\n";
        let libc = packages(&[("libc6", "2.41-12+deb13u1")]);
        assert_eq!(edition(Some(debian), &libc).as_deref(), Some("12"));
        assert_eq!(edition(Some("ID=ubuntu\nVERSION_ID=\"24.04\"\n"), &libc), None);
        assert_eq!(
            edition(Some("ID=debian\nVERSION_CODENAME=sid\n"), &packages(&[("base-files", "13.8")])).as_deref(),
            Some("13")
        );
        assert_eq!(edition(None, &packages(&[("base-files", "12.4+deb12u5"), ("a", "1+deb11u1")])).as_deref(), Some("12"));
        assert_eq!(edition(None, &libc).as_deref(), Some("13"));
        assert_eq!(edition(None, &packages(&[("a", "3.0.15-1~deb12u1")])).as_deref(), Some("12"));
        for (name, version) in [("a", "1.0-1"), ("base-files", "13ubuntu10"), ("a", "1+deb"), ("a", "1+debXu1"), ("a", "1+deb12")]
        {
            assert_eq!(edition(None, &packages(&[(name, version)])), None, "{version}");
        }
        assert_eq!(
            (edition_of_glibc("2.36-8"), edition_of_glibc("2.41-12+deb13u1"), edition_of_glibc("2.99-1")),
            (Some("12"), Some("13"), None)
        );
        assert_eq!((edition_named("bookworm"), edition_named("sid")), (Some("12"), None));
    }
}
