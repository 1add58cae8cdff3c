//! Parses `WWW-Authenticate` (RFC 9110, 11.6.1) and the response of a token server (distribution, "Token Authentication").

use serde::Deserialize;

use super::secret::Secret;

/// How a server wants to be authenticated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User and password with every request.
    Basic,
    /// A token from a token server.
    Bearer {
        /// The token server's URL.
        realm: String,
        /// The service that the token is for, as the registry names it.
        service: Option<String>,
        /// The requested permissions.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Parses the headers' values; prefers a token to a password. `None` if neither is offered in a known form.
    pub fn parse<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut basic = None;
        for value in values {
            let (scheme, parameters) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            } else if scheme.eq_ignore_ascii_case("bearer") {
                let parameters = parse_parameters(parameters)?;
                let get = |name: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
                return Some(Self::Bearer { realm: get("realm")?, service: get("service"), scope: get("scope") });
            }
        }
        basic
    }
}

/// Parses `a="b c",d=e`.
fn parse_parameters(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start_matches([' ', ',', '\t']);
        if text.is_empty() {
            return Some(found);
        }
        let (name, rest) = text.split_once('=')?;
        let mut value = String::new();
        text = if let Some(quoted) = rest.strip_prefix('"') {
            let mut characters = quoted.char_indices();
            loop {
                match characters.next()? {
                    (_, '\\') => value.push(characters.next()?.1),
                    (at, '"') => break &quoted[at + 1..],
                    (_, character) => value.push(character),
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            rest[..end].trim().clone_into(&mut value);
            &rest[end..]
        };
        found.push((name.trim().to_owned(), value));
    }
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

/// The token in a token server's response. Errors do not quote the response, which may contain a secret.
pub fn parse_token(bytes: &[u8]) -> Result<Secret, String> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| "its response is not a JSON token".to_owned())?;
    let token = answer.token.filter(|token| !token.is_empty()).or(answer.access_token).unwrap_or_default();
    if token.is_empty() {
        return Err("its response has no token".into());
    }
    // The characters allowed in the header (RFC 6750, 2.1).
    if !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err("its token contains invalid characters".into());
    }
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer =
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.docker.io/token".into(),
            service: Some("registry.docker.io".into()),
            scope: Some("repository:a/b:pull,push".into()),
        };
        assert_eq!(Challenge::parse([bearer].into_iter()), Some(expected.clone()));
        assert_eq!(Challenge::parse(["Basic realm=x", bearer].into_iter()), Some(expected));
        assert_eq!(Challenge::parse(["basic realm=\"x, y\""].into_iter()), Some(Challenge::Basic));
        for bad in ["", "Digest x", "Bearer", "Bearer realm", "Bearer realm=\"x", "Bearer service=x"] {
            assert_eq!(Challenge::parse([bad].into_iter()), None, "{bad}");
        }
    }

    #[test]
    fn a_token_is_taken_and_nonsense_is_not() {
        assert_eq!(parse_token(br#"{"token":"","access_token":"b"}"#).map(|t| t.expose().to_owned()), Ok("b".into()));
        for bad in [&b"<html>"[..], b"{}", br#"{"token":""}"#, br#"{"token":"a\r\nX: y"}"#, br#"{"token":7}"#, b"[]"] {
            assert!(parse_token(bad).is_err());
        }
    }
}
