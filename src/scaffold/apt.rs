//! What a Dockerfile installs with apt, as a base of packages.

/// Numbers of versions, and the suites that they are.
const NUMBERS: [(&str, &str); 7] = [
    ("11", "bullseye"),
    ("12", "bookworm"),
    ("13", "trixie"),
    ("20.04", "focal"),
    ("22.04", "jammy"),
    ("24.04", "noble"),
    ("26.04", "resolute"),
];

/// What a Dockerfile installs with apt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The Dockerfile, relative to the workspace.
    pub source: String,
    /// The packages, by name.
    pub packages: Vec<String>,
    /// The `base` with these packages, if the image is one of Debian or Ubuntu.
    pub base: Option<String>,
}

impl Installed {
    /// The packages that a stage installs, and the image that it begins with; `None` without packages.
    pub(super) fn new(source: &str, image: &str, mut packages: Vec<String>) -> Option<Self> {
        packages.sort_unstable();
        packages.dedup();
        let base = base(image, &packages);
        (!packages.is_empty()).then(|| Self { source: source.to_owned(), packages, base })
    }
}

/// The packages that a command line installs.
pub(super) fn packages(line: &str) -> Vec<String> {
    let mut packages = Vec::new();
    for command in line.split(['&', ';', '|']) {
        let mut words = command.split_whitespace().skip_while(|word| !matches!(*word, "apt-get" | "apt"));
        if words.next().is_some() && words.by_ref().any(|word| word == "install") {
            let names = words.filter(|word| !word.starts_with(['-', '$', '>', '"']));
            // A version that is asked for is pinned in the lock file.
            packages.extend(names.filter_map(|name| name.split('=').next()).map(str::to_owned));
        }
    }
    packages
}

/// The `base` with packages that stands in for an image with a tag, such as `debian:12-slim`.
fn base(image: &str, packages: &[String]) -> Option<String> {
    let (name, tag) = image.rsplit('/').next()?.split_once(':')?;
    let distribution = ["debian", "ubuntu"].into_iter().find(|known| *known == name)?;
    let tag = tag.split('-').next()?;
    let suite = NUMBERS.iter().find(|(number, _)| *number == tag).map_or(tag, |(_, suite)| suite);
    let is_suite = suite.bytes().all(|byte| byte.is_ascii_lowercase()) && !matches!(suite, "latest" | "stable" | "rolling");
    is_suite.then(|| format!("base = {{ {distribution} = \"{suite}\", packages = {packages:?} }}"))
}

#[cfg(test)]
mod tests {
    use super::super::dockerfile;

    #[test]
    fn packages_are_read_of_the_last_stage() {
        let base_of =
            |text| dockerfile::read(text, "Dockerfile").found.installed.into_iter().find_map(|installed| installed.base);
        let text = "FROM rust:1 AS build\nRUN apt-get update && apt-get install -y cmake\n\
            FROM --platform=linux/arm64 arm64v8/ubuntu:focal\n# RUN apt-get install vim\nENV A=1\n\
            RUN apt-get update && \\\n    apt-get install -y --no-install-recommends ffmpeg \\\n    libssl1.1=1.1.1 ca-certificates && rm -rf /var/lib/apt/lists/*\n";
        let base = "base = { ubuntu = \"focal\", packages = [\"ca-certificates\", \"ffmpeg\", \"libssl1.1\"] }";
        assert_eq!(base_of(text).as_deref(), Some(base));
        let slim = "FROM debian:12-slim\nRUN apt install curl\n";
        assert_eq!(base_of(slim).as_deref(), Some("base = { debian = \"bookworm\", packages = [\"curl\"] }"));
        for other in
            ["FROM alpine:3\nRUN apk add curl\n", "FROM debian:12\nRUN true\n", "FROM debian\nRUN apt-get install curl\n", ""]
        {
            assert_eq!(base_of(other), None, "{other}");
        }
    }
}
