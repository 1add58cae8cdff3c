//! The system of a base, as it says itself.

/// A distribution's release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// Its name for programs, such as `debian`.
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Its version, such as `12`.
    pub version: Option<String>,
}

impl System {
    /// Reads `os-release`.
    pub fn parse(release: &str) -> Self {
        Self {
            id: field(release, "ID").unwrap_or("linux").to_owned(),
            name: field(release, "NAME").map(str::to_owned),
            version: field(release, "VERSION_ID").map(str::to_owned),
        }
    }
}

/// A variable of `os-release` (os-release(5)).
fn field<'a>(release: &'a str, name: &str) -> Option<&'a str> {
    let value = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?.trim();
    Some(value.trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_not_part_of_values() {
        let text = "PRETTY_NAME=\"Debian 12\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nID=debian\n";
        let system = System { id: "debian".into(), name: Some("Debian GNU/Linux".into()), version: Some("12".into()) };
        assert_eq!(System::parse(text), system);
        assert_eq!(System::parse("VERSION_ID=\n"), System { id: "linux".into(), ..System::default() });
    }
}
