//! Whether a service is well.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::Result;

use crate::app::{Health, Probe};
use crate::engine::{Engine, State};

/// How long one answer may take, unless the check says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A time in compose's words, such as `1m30s`.
pub fn duration(text: Option<&str>) -> Option<Duration> {
    humantime::parse_duration(text?).ok()
}

/// Asks once. `host_network` says that the container's ports are the host's own.
pub fn is_well(engine: &Engine, container: &str, state: &State, health: &Health, host_network: bool) -> Result<bool> {
    let host = engine.endpoint().host();
    let outside = |port: u16| if host_network { Some(port) } else { state.ports.get(&format!("{port}/tcp")).copied() };
    let timeout = duration(health.timeout.as_deref()).unwrap_or(TIMEOUT);
    Ok(match &health.probe {
        Probe::Command(command) => engine.probe(container, command, timeout)?,
        Probe::Http(path, port) => outside(*port).is_some_and(|port| answers(host, port, path, timeout).unwrap_or(false)),
        Probe::Port(port) => outside(*port).is_some_and(|port| connects(host, port, timeout).unwrap_or(false)),
    })
}

/// How long a connection has to last: an engine's proxy takes all, and drops those that nobody in the container takes.
const LASTING: Duration = Duration::from_millis(100);

/// Whether somebody takes connections at a port, and keeps them.
fn connects(host: &str, port: u16, timeout: Duration) -> std::io::Result<bool> {
    let Some(address) = (host, port).to_socket_addrs()?.next() else { return Ok(false) };
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(LASTING))?;
    match stream.read(&mut [0]) {
        Ok(count) => Ok(count > 0),
        Err(error) => Ok(matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)),
    }
}

/// Whether `GET path` is answered with 2xx in time.
fn answers(host: &str, port: u16, path: &str, timeout: Duration) -> std::io::Result<bool> {
    let Some(address) = (host, port).to_socket_addrs()?.next() else { return Ok(false) };
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: cargo-appbundle\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.") && answer[9] == b'2')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_2xx_in_time_is_well() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        std::thread::spawn(move || {
            for (stream, answer) in
                listener.incoming().flatten().zip(["HTTP/1.1 204 No", "HTTP/1.1 503 No", "220 mail for you", ""])
            {
                let mut stream = stream;
                let _ = stream.write_all(answer.as_bytes());
                std::mem::forget(stream);
            }
        });
        let asked = || answers("127.0.0.1", port, "/", Duration::from_millis(300)).unwrap_or(false);
        assert_eq!([asked(), asked(), asked(), asked()], [true, false, false, false]);
    }

    #[test]
    fn a_connection_that_is_dropped_is_none() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        let (mut kept, mut taken) = (Vec::new(), 0);
        let server = std::thread::spawn(move || {
            for stream in listener.incoming().flatten().take(2) {
                taken += 1;
                if taken == 2 {
                    kept.push(stream);
                }
            }
            std::thread::sleep(Duration::from_secs(1));
        });
        let asked = || connects("127.0.0.1", port, Duration::from_secs(1)).unwrap_or(false);
        assert_eq!([asked(), asked()], [false, true]);
        server.join().expect("server");
    }
}
