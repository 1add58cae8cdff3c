//! Ports of containers.

use serde::Serialize;

/// A port of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Host port, `8080` or `127.0.0.1:8080`; `None` if it is not published.
    pub host: Option<String>,
    /// Port in the container.
    pub container: u16,
    /// Protocol.
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Port {
    /// Parses compose's short form.
    ///
    /// # Errors
    /// In words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a port: write `8080`, `80:8080` or `53:53/udp`");
        let (ports, protocol) = match text.split_once('/') {
            None | Some((_, "tcp")) => (text.split('/').next().unwrap_or_default(), Protocol::Tcp),
            Some((ports, "udp")) => (ports, Protocol::Udp),
            Some(_) => return Err(wrong()),
        };
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0 && plain(text)).ok_or_else(wrong);
        let (host, container) = match ports.rsplit_once(':') {
            None => (None, ports),
            Some((host, container)) => {
                let (address, port) = host.rsplit_once(':').map_or((None, host), |(address, port)| (Some(address), port));
                number(port)?;
                if address.is_some_and(|a| a.parse::<std::net::Ipv4Addr>().is_err()) {
                    return Err(wrong());
                }
                (Some(host.to_owned()), container)
            }
        };
        Ok(Self { host, container: number(container)?, protocol })
    }

    /// `8080/tcp`, as in image configs.
    pub fn exposed(&self) -> String {
        let protocol = if self.protocol == Protocol::Tcp { "tcp" } else { "udp" };
        format!("{}/{protocol}", self.container)
    }

    /// Formats the port in compose's short form.
    pub fn short(&self) -> String {
        let protocol = if self.protocol == Protocol::Udp { "/udp" } else { "" };
        self.host.iter().map(|host| format!("{host}:")).collect::<String>() + &format!("{}{protocol}", self.container)
    }

    /// The host's port number, if it is published.
    pub fn host_number(&self) -> Option<u16> {
        self.host.as_deref()?.rsplit(':').next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        let shown = |text: &str| Port::parse(text).map(|p| (p.short(), p.exposed(), p.host_number()));
        assert_eq!(shown("8080"), Ok(("8080".into(), "8080/tcp".into(), None)));
        assert_eq!(shown("127.0.0.1:53:54/udp"), Ok(("127.0.0.1:53:54/udp".into(), "54/udp".into(), Some(53))));
        for bad in ["", "0", "a", "80:", ":80", "70000", "1:2/sctp", "x:1:2", "1:2:3:4", "+1", "+80:80"] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }
}
