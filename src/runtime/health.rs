//! Checks from outside whether a service is healthy.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use crate::app::{Health, Probe};
use crate::engine::{Engine, State};
use crate::grpc;

/// The timeout of one check, unless the health check sets one.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Parses a duration as compose writes it, such as `1m30s`.
pub fn duration(text: Option<&str>) -> Option<Duration> {
    humantime::parse_duration(text?).ok()
}

/// Runs the health check once; the inner error is why the service is not healthy. With `host_network`, the container's ports are
/// the host's own.
///
/// # Errors
/// When the engine stops answering.
pub fn check(
    engine: &Engine,
    container: &str,
    state: &State,
    health: &Health,
    host_network: bool,
) -> anyhow::Result<Result<(), String>> {
    let host = engine.endpoint().host();
    let outside = |port: u16| if host_network { Some(port) } else { state.ports.get(&format!("{port}/tcp")).copied() };
    let timeout = duration(health.timeout.as_deref()).unwrap_or(TIMEOUT);
    let closed = || "the container does not publish this port".to_owned();
    Ok(match &health.probe {
        Probe::Command(command) => match engine.probe(container, command, timeout)? {
            true => Ok(()),
            false => Err(format!("`{}` failed", crate::process::words(command))),
        },
        Probe::Http(path, port) => outside(*port)
            .ok_or_else(closed)
            .and_then(|at| answers(host, at, path, timeout))
            .map_err(|why| format!("GET :{port}{path}: {why}")),
        Probe::Port(port) => outside(*port)
            .ok_or_else(closed)
            .and_then(|at| connects(host, at, timeout))
            .map_err(|why| format!("port {port}: {why}")),
        Probe::Grpc(port) => outside(*port)
            .ok_or_else(closed)
            .and_then(|at| serves(host, at, timeout))
            .map_err(|why| format!("gRPC at port {port}: {why}")),
    })
}

/// A socket's error in a few words, such as `connection refused`.
fn told(error: &std::io::Error) -> String {
    use std::io::ErrorKind::{TimedOut, UnexpectedEof, WouldBlock};
    match error.kind() {
        WouldBlock | TimedOut => "timed out".to_owned(),
        UnexpectedEof => "connection closed".to_owned(),
        kind => kind.to_string(),
    }
}

/// Connects to the first address of a host.
fn connect(host: &str, port: u16, timeout: Duration) -> Result<TcpStream, String> {
    let mut addresses = (host, port).to_socket_addrs().map_err(|error| told(&error))?;
    let address = addresses.next().ok_or_else(|| format!("`{host}` has no address"))?;
    TcpStream::connect_timeout(&address, timeout).map_err(|error| told(&error))
}

/// How long a connection has to last: an engine's proxy accepts every connection, and drops it if nothing in the container listens.
const LASTING: Duration = Duration::from_millis(100);

/// Whether a port accepts a connection and keeps it open.
fn connects(host: &str, port: u16, timeout: Duration) -> Result<(), String> {
    let mut stream = connect(host, port, timeout)?;
    stream.set_read_timeout(Some(LASTING)).map_err(|error| told(&error))?;
    match stream.read(&mut [0]) {
        Ok(0) => Err("connection closed".to_owned()),
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => Ok(()),
        Err(error) => Err(told(&error)),
    }
}

/// Whether `GET path` returns a 2xx status in time.
fn answers(host: &str, port: u16, path: &str, timeout: Duration) -> Result<(), String> {
    let mut stream = connect(host, port, timeout)?;
    let mut ask = || -> std::io::Result<[u8; 12]> {
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        let headers = format!("Host: {host}:{port}\r\nUser-Agent: cargo-appbundle\r\nConnection: close");
        write!(stream, "GET {path} HTTP/1.1\r\n{headers}\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| told(&error))?;
    match &answer {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', b'2', ..] => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', ..] => Err(format!("answered {}", String::from_utf8_lossy(&answer[9..]))),
        _ => Err("the response is not HTTP".to_owned()),
    }
}

/// Whether gRPC's health service answers SERVING in time.
fn serves(host: &str, port: u16, timeout: Duration) -> Result<(), String> {
    let end = Instant::now() + timeout;
    let mut stream = connect(host, port, timeout)?;
    stream.set_write_timeout(Some(timeout)).map_err(|error| told(&error))?;
    stream.write_all(grpc::REQUEST).map_err(|error| told(&error))?;
    let (mut answer, mut bytes) = (grpc::Answer::default(), [0; 512]);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("timed out".to_owned());
        }
        stream.set_read_timeout(Some(left)).map_err(|error| told(&error))?;
        let read = stream.read(&mut bytes).map_err(|error| told(&error))?;
        if read == 0 {
            return Err("connection closed".to_owned());
        }
        for byte in &bytes[..read] {
            match answer.take(*byte) {
                grpc::Next::Read => {}
                grpc::Next::Acknowledge => stream.write_all(grpc::SETTINGS_ACK).map_err(|error| told(&error))?,
                grpc::Next::Serving => return Ok(()),
                grpc::Next::Failed(why) => return Err(why.to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_2xx_in_time_is_healthy() {
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
        let ask = || answers("127.0.0.1", port, "/", Duration::from_millis(300)).err().unwrap_or_default();
        assert_eq!([ask(), ask(), ask(), ask()], ["", "answered 503", "the response is not HTTP", "timed out"]);
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
        let ask = || connects("127.0.0.1", port, Duration::from_secs(1));
        assert_eq!([ask(), ask()], [Err("connection closed".to_owned()), Ok(())]);
        server.join().expect("server");
    }
}
