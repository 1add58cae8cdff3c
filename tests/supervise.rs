//! The first process of a container of `dev`, outside of one: `cargo appbundle supervise`.

mod support;

use std::process::ExitCode;

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use support::harness::{self, test};
use support::needs::flock;
use support::running::{Running, start};
use support::{appbundle, fails, ok};

fn supervise(folder: &Path, words: &[&str]) -> (Running, UnixStream) {
    let listener = UnixListener::bind(folder.join("control")).expect("socket");
    let running = start(&mut appbundle(folder, &[&["supervise", "control", "--"], words].concat()));
    let (stream, _) = listener.accept().expect("a call");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
    (running, stream)
}

fn answer(stream: &mut UnixStream) -> u8 {
    let mut word = [0];
    stream.read_exact(&mut word).expect("an answer");
    word[0]
}

fn a_program_starts_again_and_ends_with_its_own_exit_code() {
    let folder = tempfile::tempdir().expect("folder");
    let script = folder.path().join("program");
    let write = |text: &str| std::fs::write(&script, text).expect("written");
    write("trap 'echo ended; exit 7' TERM; echo \"first $1\"; while :; do sleep 0.05; done");
    let (mut running, mut stream) = supervise(folder.path(), &["sh", "program", "with it"]);
    running.wait_for("first with it");
    // What runs is what stands there then.
    write("trap 'echo over; exit 9' TERM; echo \"second $1\"; while :; do sleep 0.05; done");
    stream.write_all(b"r").expect("asked");
    assert_eq!(answer(&mut stream), b's');
    let said = running.wait_for("second with it");
    assert!(said.contains("ended"), "{said}");
    // Nobody needs to be there who asks.
    drop(stream);
    running.signal("TERM");
    let (code, said) = running.end();
    assert_eq!(code, Some(9), "{said}");
    assert!(said.ends_with("over\n"), "{said}");
}

fn what_does_not_end_is_killed_when_asked() {
    let folder = tempfile::tempdir().expect("folder");
    let script = "trap '' TERM; trap 'exit 5' USR1; trap 'echo read again' HUP; echo runs; while :; do sleep 0.05; done";
    let (mut running, mut stream) = supervise(folder.path(), &["sh", "-c", script]);
    running.wait_for("runs");
    stream.write_all(b"r").expect("asked");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("timeout");
    assert!(stream.read_exact(&mut [0]).is_err(), "it goes on");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
    stream.write_all(b"k").expect("asked");
    assert_eq!(answer(&mut stream), b's');
    running.wait_for("runs\nruns");
    // What comes too late does not hit the next one; other signals are the program's.
    stream.write_all(b"k").expect("asked");
    running.signal("HUP");
    running.wait_for("read again");
    running.signal("USR1");
    let (code, said) = running.end();
    assert_eq!(code, Some(5), "{said}");
}

fn what_cannot_be_started_is_an_error() {
    let folder = tempfile::tempdir().expect("folder");
    let error = fails(&mut appbundle(folder.path(), &["supervise", "control", "--", "./nothing"]), 127);
    assert!(error.contains("failed to start `./nothing`") && error.contains("No such file"), "{error}");
    fails(&mut appbundle(folder.path(), &["supervise", "control", "--", "/"]), 126);
    let (code, _) = start(&mut appbundle(folder.path(), &["supervise", "control", "--", "true"])).end();
    assert_eq!(code, Some(0), "without a socket, it runs alone");
}

/// Also where an engine has a first process of its own in the container.
fn what_a_program_leaves_does_not_outlive_it() {
    let folder = tempfile::tempdir().expect("folder");
    // A child, and a child of one that has ended.
    let script = "exec 9>lock; flock -n 9 && echo free || echo held; (sleep 3000 & exec true); sleep 3000 & exec sleep 3000";
    let (mut running, mut stream) = supervise(folder.path(), &["sh", "-c", script]);
    for times in 1..=3 {
        running.wait_for(&"free\n".repeat(times));
        // The children are there a moment later.
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"r").expect("asked");
        assert_eq!(answer(&mut stream), b's');
    }
    let said = running.wait_for(&"free\n".repeat(4));
    assert!(!said.contains("held"), "{said}");
    running.signal("TERM");
    let (code, _) = running.end();
    assert_eq!(code, Some(128 + 15));
    ok(std::process::Command::new("flock").args(["-n", "lock", "true"]).current_dir(folder.path()));
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_program_starts_again_and_ends_with_its_own_exit_code),
        test!(what_does_not_end_is_killed_when_asked),
        test!(what_cannot_be_started_is_an_error),
        test!(what_a_program_leaves_does_not_outlive_it, [flock]),
    ])
}
