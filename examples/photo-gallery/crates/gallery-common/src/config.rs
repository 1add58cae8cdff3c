//! Settings from the environment; the listen address can also come from `--listen`.

use std::env;
use std::net::SocketAddr;

use anyhow::{Context as _, Result};

/// The value of an environment variable, or a default.
pub fn env_or(name: &str, default: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

/// Where to listen: `--listen ADDRESS`, or `LISTEN`, or the port on all interfaces.
pub fn listen_address(default_port: u16) -> Result<SocketAddr> {
    let address = listen_argument(env::args().skip(1))?.unwrap_or_else(|| env_or("LISTEN", &format!("0.0.0.0:{default_port}")));
    address.parse().with_context(|| format!("`{address}` is not an address to listen on, such as `0.0.0.0:{default_port}`"))
}

fn listen_argument(mut args: impl Iterator<Item = String>) -> Result<Option<String>> {
    let mut address = None;
    while let Some(arg) = args.next() {
        address = match arg.split_once('=') {
            Some(("--listen", value)) => Some(value.to_owned()),
            None if arg == "--listen" => Some(args.next().context("`--listen` needs an address")?),
            _ => anyhow::bail!("unexpected argument `{arg}`; usage: [--listen ADDRESS]"),
        };
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Option<Option<String>> {
        listen_argument(args.iter().map(ToString::to_string)).ok()
    }

    #[test]
    fn both_spellings_of_the_argument_are_understood() {
        assert_eq!(parse(&[]), Some(None));
        assert_eq!(parse(&["--listen", "[::]:80"]), Some(Some("[::]:80".into())));
        assert_eq!(parse(&["--listen=[::]:80"]), Some(Some("[::]:80".into())));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(parse(&["--listen"]), None);
        assert_eq!(parse(&["--verbose"]), None);
    }
}
