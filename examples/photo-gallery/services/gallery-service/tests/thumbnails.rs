//! The gallery with a server that replaces the thumbnailer: `cargo appbundle test gallery-service` starts it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::Duration;

const GALLERY: &str = "127.0.0.1:18081";

/// Stops the gallery, even if the test fails.
struct Gallery(Child);

impl Drop for Gallery {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(request: &str, body: &[u8]) -> String {
    let mut stream = loop {
        match TcpStream::connect(GALLERY) {
            Ok(stream) => break stream,
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    let head = format!("{request} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    stream.write_all(head.as_bytes()).expect("asked");
    stream.write_all(b"Authorization: Bearer ours\r\n\r\n").expect("asked");
    stream.write_all(body).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn a_thumbnail_is_what_the_thumbnailer_answers() {
    let Ok(thumbnailer) = std::env::var("THUMBNAILER_URL") else {
        eprintln!("skipped: nothing answers instead of the thumbnailer");
        return;
    };
    let folder = std::env::temp_dir().join(format!("gallery-thumbnails-{}", std::process::id()));
    let gallery = Command::new(env!("CARGO_BIN_EXE_gallery-service"))
        .args(["--listen", GALLERY])
        .envs([("THUMBNAILER_URL", thumbnailer.as_str()), ("TOKEN", "ours")])
        .env("DATA_DIR", &folder)
        .spawn();
    let gallery = Gallery(gallery.expect("started"));
    let added = ask("POST /photos", b"\xff\xd8\xff picture");
    assert!(added.starts_with("HTTP/1.1 201"), "{added}");
    let thumbnail = ask("GET /photos/1/thumbnail", b"");
    assert!(thumbnail.starts_with("HTTP/1.1 200") && thumbnail.trim_end().ends_with("small"), "{thumbnail}");
    drop(gallery);
    let _ = std::fs::remove_dir_all(folder);
}
