//! Proxies, as the environment names them. The rules are those of Docker (Go's `httpproxy`): `HTTPS_PROXY` is for `https`, `HTTP_PROXY`
//! for `http`, and `NO_PROXY` lists who is asked directly. `ALL_PROXY` stands in for one that is not set, as Cargo has it.

use std::net::IpAddr;

use anyhow::{Result, anyhow};
use ureq::Proxy;

use super::access::is_loopback;

/// The proxy that leads to a host, `NAME[:PORT]`; none to this machine itself.
///
/// # Errors
/// When a variable does not name a proxy; its value is not shown, for it may hold a password.
pub fn of_environment(scheme: &str, host: &str) -> Result<Option<Proxy>> {
    let variable = |name: &str| {
        [name.to_uppercase(), name.to_owned()].into_iter().find_map(|name| {
            let value = std::env::var(&name).ok().filter(|value| !value.trim().is_empty())?;
            Some((name, value))
        })
    };
    let Some((name, value)) = variable(&format!("{scheme}_proxy")).or_else(|| variable("all_proxy")) else { return Ok(None) };
    if is_loopback(host) || variable("no_proxy").is_some_and(|(_, list)| is_listed(&list, scheme, host)) {
        return Ok(None);
    }
    let proxy = Proxy::new(value.trim()).map_err(|_| {
        anyhow!(
            "the proxy in `{name}` is invalid\nhelp: write `http://HOST:PORT`, or add `{host}` to `NO_PROXY` to connect directly"
        )
    })?;
    Ok(Some(proxy))
}

/// Whether a host stands in a list: `*`, a name with or without a port, for itself and all names below it, `.NAME` or `*.NAME` for those
/// below it alone, an address, or a range of addresses.
fn is_listed(list: &str, scheme: &str, host: &str) -> bool {
    let (name, port) = parts(host);
    let port = port.unwrap_or(if scheme == "https" { "443" } else { "80" });
    let address: Option<IpAddr> = name.parse().ok();
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some((start, length)) = entry.split_once('/') {
            return address.is_some_and(|address| is_in(address, start, length));
        }
        let (other, other_port) = parts(entry);
        if other_port.is_some_and(|other| other != port) {
            return false;
        }
        if let Ok(other) = other.parse::<IpAddr>() {
            return address == Some(other);
        }
        let (name, other) = (name.to_lowercase(), other.to_lowercase());
        let below = other.trim_start_matches('*');
        match below.strip_prefix('.') {
            Some(_) => name.ends_with(below),
            None => name == other || name.strip_suffix(&other).is_some_and(|rest| rest.ends_with('.')),
        }
    })
}

/// A host's name or address, and its port.
fn parts(host: &str) -> (&str, Option<&str>) {
    let (name, port) = match host.rsplit_once(':') {
        // An IPv6 address without brackets has no port.
        Some((name, port)) if !port.contains(']') && (!name.contains(':') || name.ends_with(']')) => (name, Some(port)),
        _ => (host, None),
    };
    (name.trim_start_matches('[').trim_end_matches(']'), port)
}

/// Whether an address is in the range that begins like `start` for so many bits.
fn is_in(address: IpAddr, start: &str, length: &str) -> bool {
    let Ok(length) = length.parse::<u32>() else { return false };
    let same = |a: u128, b: u128, width: u32| length <= width && (length == 0 || (a ^ b) >> (width - length) == 0);
    match (address, start.parse()) {
        (IpAddr::V4(a), Ok(IpAddr::V4(b))) => same(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), Ok(IpAddr::V6(b))) => same(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_ranges_are_listed() {
        let listed = |list: &str, host: &str| is_listed(list, "https", host);
        for (list, host) in [
            ("*", "a.example"),
            ("x, a.example ,y", "a.example"),
            ("a.example", "b.A.example:5000"),
            (".a.example", "b.a.example"),
            ("*.a.example", "b.a.example"),
            ("a.example:443", "a.example"),
            ("a.example:5000", "a.example:5000"),
            ("10.0.0.7", "10.0.0.7:5000"),
            ("10.0.0.7:5000", "10.0.0.7:5000"),
            ("10.0.0.0/8", "10.9.9.9"),
            ("0.0.0.0/0", "10.9.9.9"),
            ("fd00::1", "[fd00::1]:5000"),
            ("fd00::/16", "[fd00::1]"),
        ] {
            assert!(listed(list, host), "{host} in {list}");
        }
        for (list, host) in [
            ("", "a.example"),
            ("a.example", "ba.example"),
            (".a.example", "a.example"),
            ("a.example:5000", "a.example"),
            ("10.0.0.7", "10.0.0.70"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/40", "10.0.0.1"),
            ("10.0.0.0/8", "10.example"),
            ("fd00::/16", "10.0.0.1"),
        ] {
            assert!(!listed(list, host), "{host} in {list}");
        }
    }
}
