//! Keeps the readings of a thermometer, and tells their mean.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Bytes that a request's body may have; a number has fewer.
const LARGEST_BODY: u64 = 64;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::var_os("DATA_DIR").unwrap_or_else(|| "/data".into()));
    let database = Connection::open(folder.join("readings.db"))?;
    database.execute_batch("CREATE TABLE IF NOT EXISTS reading (celsius REAL NOT NULL)")?;
    let listener = TcpListener::bind(std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:8080".into()))?;
    println!("SQLite {} listens on {}", rusqlite::version(), listener.local_addr()?);
    for stream in listener.incoming() {
        if let Err(error) = stream.map_err(Into::into).and_then(|stream| answer(stream, &database)) {
            eprintln!("a request failed: {error}");
        }
    }
    Ok(())
}

/// Answers one request.
fn answer(mut stream: TcpStream, database: &Connection) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(8 << 10));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = String::new();
    reader.take(LARGEST_BODY.min(length)).read_to_string(&mut body)?;
    let (status, text) = match first.split_whitespace().collect::<Vec<_>>()[..] {
        ["GET", "/healthz", ..] => ("200 OK", "ok".to_owned()),
        ["GET", "/mean", ..] => ("200 OK", mean(database)?),
        ["POST", "/readings", ..] => match body.trim().parse::<f64>() {
            Ok(celsius) if celsius.is_finite() => {
                database.execute("INSERT INTO reading VALUES (?1)", [celsius])?;
                ("201 Created", "kept\n".to_owned())
            }
            _ => ("400 Bad Request", format!("`{}` is not a number of degrees\n", body.trim().escape_debug())),
        },
        _ => ("404 Not Found", "GET /mean, or POST /readings with a number of degrees\n".to_owned()),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())?;
    Ok(())
}

fn mean(database: &Connection) -> rusqlite::Result<String> {
    let select = "SELECT count(*), coalesce(avg(celsius), 0) FROM reading";
    database.query_row(select, [], |row| {
        let (count, mean): (i64, f64) = (row.get(0)?, row.get(1)?);
        Ok(format!("{{\"count\":{count},\"mean\":{mean:.2}}}\n"))
    })
}
