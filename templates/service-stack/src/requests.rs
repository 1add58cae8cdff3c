//! The requests to Docker that deploy a stack: read from the image, with their variables replaced.

use std::collections::BTreeMap;

use bollard::errors::Error as DockerError;
use bollard::models::{NetworkCreateRequest, ServiceSpec};
use serde::Deserialize;
use serde_json::Value;

/// Begins a template in a value, which a swarm would replace.
const OPEN: &str = concat!("{", "{");

/// A template that a swarm replaces with [`OPEN`].
const LITERAL: &str = concat!("{", "{\"{", "{\"}", "}");

/// Any error.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The requests of a stack, and those of the stacks inside it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Requests {
    /// The stack's name in the swarm.
    #[serde(skip)]
    pub full: String,
    /// The networks to create.
    pub networks: Vec<NetworkCreateRequest>,
    /// The configs to create.
    pub configs: Vec<Config>,
    /// The self-signed certificate of its gateway, if it has one.
    pub self_signed: Option<SelfSigned>,
    /// Its services, in launch order.
    pub services: Vec<Service>,
    /// The stacks inside it.
    #[serde(skip)]
    pub stacks: Vec<Requests>,
}

/// A config.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Config {
    /// Its name in the swarm.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// Two secrets for a certificate that is created here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SelfSigned {
    /// The name of the secret with the certificate.
    pub certificate: String,
    /// The name of the secret with its key.
    pub key: String,
    /// The engine's host, which the certificate is for.
    #[serde(skip)]
    pub host: String,
}

/// A service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    /// Services with the same number start together, once all services with lower numbers run.
    pub wave: u64,
    /// The request to Docker.
    pub spec: ServiceSpec,
}

/// Where the stack is deployed.
pub struct Surroundings<'a> {
    /// The engine's host.
    pub host: String,
    /// The environment of this container: variables of the stack around it, and secrets.
    pub told: &'a dyn Fn(&str) -> Option<String>,
}

impl Requests {
    /// Parses the requests and replaces their variables with the values in `around`.
    ///
    /// # Errors
    /// When the text is not a stack, or a required variable is not set.
    pub fn parse(text: &str, around: &Surroundings<'_>) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(text)?;
        let word = |key: &str| value[key].as_str().unwrap_or_default();
        let prefix = word("Variables");
        let told = |name: &str| {
            (around.told)(&format!("{prefix}_{name}")).filter(|value| !value.is_empty())
        };
        let (own, name) = (word("App"), word("Name"));
        let app = told("APPNAME").unwrap_or_else(|| own.to_owned());
        // Without variables of an outer stack, an inner stack belongs directly to the app's own stack.
        let stack = told("STACKNAME").or_else(|| (name != own).then(|| own.to_owned()));
        Self::of(&value, &app, stack.as_deref(), around)
    }

    /// A stack inside the stack `outer`.
    fn of(
        value: &Value,
        app: &str,
        outer: Option<&str>,
        around: &Surroundings<'_>,
    ) -> Result<Self, Error> {
        let word = |key: &str| value[key].as_str().unwrap_or_default();
        let (name, prefix) = (word("Name"), word("Variables"));
        let full = match outer {
            Some(outer) => format!("{outer}-{name}"),
            None => name.to_owned(),
        };
        let network = outer.map(|outer| format!("{app}_{outer}_family"));
        let variables: BTreeMap<String, String> = [
            ("PARENT", outer.unwrap_or_default()),
            ("PARENTHOST", outer.map_or("", |_| &around.host)),
            ("APPNAME", app),
            ("STACKNAME", &full),
            ("PARENT_NETWORK", network.as_deref().unwrap_or_default()),
        ]
        .into_iter()
        .map(|(name, value)| (format!("{prefix}_{name}"), value.to_owned()))
        .collect();
        let told = |name: &str| (around.told)(name).map(|value| value.replace(OPEN, LITERAL));
        let known = |name: &str| variables.get(name).cloned().or_else(|| told(name));
        let mut own = value.clone();
        let inner = own.as_object_mut().and_then(|own| own.remove("Stacks"));
        let mut requests: Self = serde_json::from_value(filled(&own, &known)?)?;
        for inner in inner.iter().filter_map(Value::as_array).flatten() {
            let inner = Self::of(inner, app, Some(&full), around)?;
            requests.stacks.push(inner);
        }
        if let Some(own) = &mut requests.self_signed {
            own.host.clone_from(&around.host);
        }
        requests.full = full;
        Ok(requests)
    }
}

/// A value with its variables replaced.
fn filled(value: &Value, known: &dyn Fn(&str) -> Option<String>) -> Result<Value, Error> {
    Ok(match value {
        Value::String(text) => replaced(text, known)?.into(),
        Value::Array(list) => list
            .iter()
            .map(|one| filled(one, known))
            .collect::<Result<_, _>>()?,
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, one)| Ok((key.clone(), filled(one, known)?)))
                .collect::<Result<_, Error>>()?,
        ),
        other => other.clone(),
    })
}

/// Replaces variables as in compose files: a name in braces after `$`, with a default after `:-`, or an error message after `:?`
/// if the variable is required; `$$` stands for `$`.
fn replaced(text: &str, known: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let inner = after.strip_prefix('{');
        let Some((inner, after)) = inner.and_then(|inner| inner.split_once('}')) else {
            out.push('$');
            rest = after;
            continue;
        };
        let (name, other) = inner.split_once(':').unwrap_or((inner, "-"));
        match (known(name), other.split_at_checked(1)) {
            (Some(value), _) => out.push_str(&value),
            (None, Some(("?", why))) => {
                return Err(format!("the variable `{name}` is not set: {why}"));
            }
            (None, Some(("-", default))) => out.push_str(default),
            (None, _) => {}
        }
        rest = after;
    }
    Ok(out + rest)
}

/// Whether Docker answered that the object does not exist.
pub fn missing<T>(answer: Result<T, DockerError>) -> Result<bool, Error> {
    match answer {
        Ok(_) => Ok(false),
        Err(error) if is_missing(&error) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Whether an error says that the object does not exist.
pub fn is_missing(error: &DockerError) -> bool {
    match error {
        DockerError::DockerResponseServerError {
            status_code,
            message,
        } => *status_code == 404 || message.contains("not found"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_in_compose_files() {
        let known = |name: &str| (name == "A").then(|| "one".to_owned());
        let replaced = |text: &str| replaced(text, &known);
        let text = "$$A ${A} ${A:-x} ${B:-two} ${B} $5 $";
        assert_eq!(replaced(text).unwrap(), "$A one one two  $5 $");
        assert!(
            replaced("${B:?it is a secret}")
                .unwrap_err()
                .ends_with("it is a secret")
        );
    }

    #[test]
    fn another_app_has_its_own_names_and_secrets_stay_as_they_are() {
        let text = r#"{ "Variables": "X", "App": "a", "Name": "a", "Networks": [], "Configs": [], "Services": [], "Stacks": [
            { "Variables": "Y", "Name": "billing", "Networks": [{ "Name": "${Y_STACKNAME} ${Y_APPNAME} ${X_APPNAME:-no}" }],
            "SelfSigned": { "Certificate": "${Y_STACKNAME}_certificate", "Key": "k" },
            "Configs": [{ "Name": "n", "Text": "${TOKEN:?why}" }], "Services": [], "Stacks": [] }] }"#;
        let value = format!("$x {OPEN}.Node.ID");
        let told = |name: &str| (name == "TOKEN").then(|| value.clone());
        let around = Surroundings {
            host: "h".to_owned(),
            told: &told,
        };
        let stack = Requests::parse(text, &around).unwrap();
        let billing = &stack.stacks[0];
        assert_eq!(billing.networks[0].name, "a-billing a no");
        let own = billing.self_signed.as_ref().unwrap();
        assert_eq!(
            (&*own.certificate, &*own.host),
            ("a-billing_certificate", "h")
        );
        assert_eq!(billing.configs[0].text, format!("$x {LITERAL}.Node.ID"));
    }

    #[test]
    fn an_inner_stack_is_told_of_the_outer_one() {
        let text = r#"{ "Variables": "X", "App": "a", "Name": "s", "Networks": [{ "Name": "${X_PARENT_NETWORK:-none}" }],
            "Configs": [], "Services": [], "Stacks": [{ "Variables": "X", "Name": "t", "Networks": [{ "Name": "${X_PARENT_NETWORK}" }],
            "Configs": [{ "Name": "${X_PARENT}", "Text": "${X_PARENTHOST}" }], "Services": [], "Stacks": [] }] }"#;
        let told = |name: &str| (name == "X_STACKNAME").then(|| "outer".to_owned());
        let around = Surroundings {
            host: "h".to_owned(),
            told: &told,
        };
        let stack = Requests::parse(text, &around).unwrap();
        assert_eq!(
            (&*stack.full, &*stack.stacks[0].full),
            ("outer-s", "outer-s-t")
        );
        assert_eq!(stack.networks[0].name, "a_outer_family");
        let inner = &stack.stacks[0];
        assert_eq!(inner.networks[0].name, "a_outer-s_family");
        assert_eq!(
            (&*inner.configs[0].name, &*inner.configs[0].text),
            ("outer-s", "h")
        );
    }
}
