//! Whether a service is well.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::Result;

use super::launch::{Ask, Check};
use crate::engine::{Engine, State};

/// Asks once. `host_network` says that the container's ports are the host's own.
pub fn is_well(engine: &Engine, container: &str, state: &State, check: &Check, host_network: bool) -> Result<bool> {
    match &check.ask {
        Ask::Command(command) => engine.probe(container, command, check.timeout),
        Ask::Http(path, port) => {
            let published = state.ports.get(&format!("{port}/tcp")).copied();
            let Some(port) = (if host_network { Some(*port) } else { published }) else { return Ok(false) };
            Ok(answers(engine.endpoint().host(), port, path, check.timeout).unwrap_or(false))
        }
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
}
