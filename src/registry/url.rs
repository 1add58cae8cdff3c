//! URLs as they are compared, shown and written.

/// Whether a URL belongs to a server.
pub(super) fn is_of(url: &str, base: &str) -> bool {
    url.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

/// What a `Location` leads to from a URL.
///
/// # Errors
/// When it is neither a URL nor a path.
pub(super) fn located(from: &str, location: &str) -> anyhow::Result<String> {
    // A path may contain another URL in its query.
    let scheme = location.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric())) {
        return Ok(location.to_owned());
    }
    if location.starts_with('/') && !location.starts_with("//") {
        let end = from.find("://").and_then(|at| Some(at + 3 + from[at + 3..].find('/')?)).unwrap_or(from.len());
        return Ok(format!("{}{location}", &from[..end]));
    }
    anyhow::bail!("`{}` redirects to `{}`, which is not a URL", shown(from), shown(location))
}

/// A URL for people: what stands behind `?` may be as good as a password.
pub(super) fn shown(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    url[..end].chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// `a=b&c=d`, quoted (RFC 3986, 2.1).
pub(super) fn query(fields: &[(&str, &str)]) -> String {
    let quote = |text: &str| -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        text.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect::<Vec<_>>().join("&")
}
