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

/// The `base` that stands in for a Dockerfile of Debian or Ubuntu with `apt-get install`; `None` if it is none.
pub fn base_of(dockerfile: &str) -> Option<String> {
    let joined = dockerfile.replace("\\\n", " ");
    let mut image = None;
    let mut packages: Vec<&str> = Vec::new();
    for line in joined.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let (instruction, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match instruction.to_ascii_uppercase().as_str() {
            // The last stage is the one that is shipped.
            "FROM" => {
                image = rest.split_whitespace().find(|word| !word.starts_with("--"));
                packages.clear();
            }
            "RUN" => {
                for command in rest.split(['&', ';', '|']) {
                    let mut words = command.split_whitespace().skip_while(|word| !matches!(*word, "apt-get" | "apt"));
                    if words.next().is_some() && words.by_ref().any(|word| word == "install") {
                        packages.extend(words.filter(|word| !word.starts_with(['-', '$', '>', '"'])));
                    }
                }
            }
            _ => {}
        }
    }
    let (name, tag) = image?.rsplit('/').next()?.split_once(':')?;
    let distribution = ["debian", "ubuntu"].into_iter().find(|known| *known == name)?;
    let tag = tag.split('-').next()?;
    let suite = NUMBERS.iter().find(|(number, _)| *number == tag).map_or(tag, |(_, suite)| suite);
    let is_suite = suite.bytes().all(|byte| byte.is_ascii_lowercase()) && !matches!(suite, "latest" | "stable" | "rolling");
    // A version that is asked for is pinned in the lock file.
    let mut packages: Vec<&str> = packages.iter().filter_map(|package| package.split('=').next()).collect();
    packages.sort_unstable();
    packages.dedup();
    (is_suite && !packages.is_empty()).then(|| format!("base = {{ {distribution} = \"{suite}\", packages = {packages:?} }}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_of_the_last_stage() {
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
