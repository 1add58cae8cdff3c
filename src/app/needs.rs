//! Dependencies of a service during development and tests.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Container;

/// Containers that a service depends on, and the variables that tell it where they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Needs {
    /// Environment variables, with placeholders not yet replaced.
    pub environment: BTreeMap<String, String>,
    /// Dependencies, by name.
    pub dependencies: BTreeMap<String, Dependency>,
}

/// A container that a service depends on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dependency {
    /// How it runs.
    #[serde(flatten)]
    pub container: Container,
    /// Seconds to wait for it to become healthy.
    pub wait: u64,
    /// Whether it is a service of the app. Then `dev` has it already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub of_app: bool,
}

impl Needs {
    /// Whether there are neither variables nor dependencies.
    pub fn is_empty(&self) -> bool {
        self.environment.is_empty() && self.dependencies.is_empty()
    }

    /// The dependencies that are no services of the app.
    pub fn beside(&self) -> impl Iterator<Item = (&String, &Dependency)> {
        self.dependencies.iter().filter(|(_, dependency)| !dependency.of_app)
    }

    /// The variables to set: those from the table, and `NAME_HOST`, `NAME_PORT` and `NAME_ADDRESS` for each dependency.
    /// `address` returns where a port of a dependency can be reached.
    ///
    /// # Errors
    /// When a placeholder names no dependency or port; the message is for the user.
    pub fn variables(&self, address: &dyn Fn(&str, u16) -> (String, u16)) -> Result<BTreeMap<String, String>, String> {
        let mut all = BTreeMap::new();
        for (name, dependency) in &self.dependencies {
            let prefix = variable(name);
            for (at, port) in dependency.container.ports.iter().enumerate() {
                let (host, number) = address(name, port.container);
                if at == 0 {
                    all.insert(format!("{prefix}_ADDRESS"), format!("{host}:{number}"));
                    all.insert(format!("{prefix}_HOST"), host);
                    all.insert(format!("{prefix}_PORT"), number.to_string());
                } else {
                    all.insert(format!("{prefix}_PORT_{}", port.container), number.to_string());
                }
            }
        }
        for (name, text) in &self.environment {
            all.insert(name.clone(), self.fill(text, address)?);
        }
        Ok(all)
    }

    /// Replaces the placeholders in a text.
    ///
    /// # Errors
    /// When a placeholder names no dependency or port; the message is for the user.
    pub fn fill(&self, text: &str, address: &dyn Fn(&str, u16) -> (String, u16)) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                out += before;
                out += "${";
                rest = after;
                continue;
            }
            out += before;
            let Some((inner, after)) = after.split_once('}') else { return Err(format!("`{text}` has a `${{` without a `}}`")) };
            out += &self.place(inner, address)?;
            rest = after;
        }
        Ok(out + rest)
    }

    fn place(&self, inner: &str, address: &dyn Fn(&str, u16) -> (String, u16)) -> Result<String, String> {
        let mut words = inner.splitn(3, '.');
        let (name, part, port) = (words.next().unwrap_or_default(), words.next(), words.next());
        let Some(dependency) = self.dependencies.get(name) else {
            return Err(format!("`${{{inner}}}` does not name a dependency"));
        };
        let of_port = match port.map(str::parse::<u16>) {
            None => dependency.container.ports.first(),
            Some(number) => dependency.container.ports.iter().find(|port| Ok(port.container) == number),
        };
        let Some(of_port) = of_port else {
            return Err(match port {
                None => format!("`${{{inner}}}` is unknown: the dependency `{name}` has no `ports`"),
                Some(port) => format!("`${{{inner}}}` is unknown: the dependency `{name}` has no port `{port}`"),
            });
        };
        let (host, number) = address(name, of_port.container);
        match part {
            Some("host") if port.is_none() => Ok(host),
            Some("port") => Ok(number.to_string()),
            Some("address") => Ok(format!("{host}:{number}")),
            _ => Err(format!("`${{{inner}}}` is not `${{{name}.host}}`, `${{{name}.port}}` or `${{{name}.address}}`")),
        }
    }
}

/// `my-db` as `MY_DB`.
fn variable(name: &str) -> String {
    name.to_uppercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Port;

    fn needs(environment: &[(&str, &str)]) -> Needs {
        let ports = ["5432", "9000"].map(|port| Port::parse(port).expect("port")).to_vec();
        let dependency = Dependency { container: Container { ports, ..Container::default() }, wait: 1, of_app: false };
        Needs {
            environment: environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            dependencies: [("my-db".to_owned(), dependency)].into(),
        }
    }

    fn far(_: &str, port: u16) -> (String, u16) {
        ("127.0.0.1".into(), port + 1)
    }

    #[test]
    fn placeholders_become_addresses() {
        let written = [("URL", "pg://${my-db.host}:${my-db.port}/x"), ("B", "${my-db.address} $${x} $5 ${my-db.port.9000}")];
        let all = needs(&written).variables(&far).expect("variables");
        let shown: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "B=127.0.0.1:5433 ${x} $5 9001",
            "MY_DB_ADDRESS=127.0.0.1:5433",
            "MY_DB_HOST=127.0.0.1",
            "MY_DB_PORT=5433",
            "MY_DB_PORT_9000=9001",
            "URL=pg://127.0.0.1:5433/x",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn placeholders_that_name_nothing_are_told() {
        let needs = needs(&[]);
        for (text, words) in [
            ("${db.host}", "does not name a dependency"),
            ("${HOME}", "does not name a dependency"),
            ("${my-db}", "is not `${my-db.host}`"),
            ("${my-db.hosts}", "is not `${my-db.host}`"),
            ("${my-db.port.1}", "has no port `1`"),
            ("${my-db.host", "without a `}`"),
        ] {
            let error = needs.fill(text, &far).expect_err(text);
            assert!(error.contains(words), "{error}");
        }
    }
}
