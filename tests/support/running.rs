//! Programs that run until they are told to end.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{judge, ok};

/// A program whose stdout and stderr are gathered as they come.
pub struct Running {
    /// Itself.
    pub child: Child,
    said: Arc<Mutex<String>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

/// Starts it.
pub fn start(command: &mut Command) -> Running {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let said = Arc::new(Mutex::new(String::new()));
    let mut readers = Vec::new();
    let streams: [Box<dyn std::io::Read + Send>; 2] =
        [Box::new(child.stdout.take().expect("stdout")), Box::new(child.stderr.take().expect("stderr"))];
    for stream in streams {
        let said = Arc::clone(&said);
        readers.push(std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                said.lock().expect("lock").push_str(&(line + "\n"));
            }
        }));
    }
    Running { child, said, readers }
}

impl Running {
    /// Waits until it has said this; gives all that it said.
    pub fn wait_for(&mut self, words: &str) -> String {
        let end = Instant::now() + Duration::from_secs(90);
        loop {
            let said = self.said.lock().expect("lock").clone();
            if said.contains(words) {
                return said;
            }
            let ended = self.child.try_wait().expect("child");
            assert!(ended.is_none() && Instant::now() < end, "no `{words}` ({ended:?}) in:\n{said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// All that it has said.
    pub fn said(&self) -> String {
        self.said.lock().expect("lock").clone()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        ok(Command::new("kill").args(["-s", name, &self.child.id().to_string()]));
    }

    /// Waits for its end; gives its exit code and all that it said.
    pub fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("ended");
        self.readers.drain(..).for_each(|reader| reader.join().expect("reader"));
        (status.code(), self.said.lock().expect("lock").clone())
    }
}

/// Containers and networks of an app's runs that are still there.
pub fn left(app: &str) -> String {
    let filter = format!("name={app}-");
    judge("docker", &["ps", "-aq", "--filter", &filter]) + &judge("docker", &["network", "ls", "-q", "--filter", &filter])
}

/// Where words stand in a text that has them.
pub fn position(text: &str, words: &str) -> usize {
    text.find(words).unwrap_or_else(|| panic!("no `{words}` in:\n{text}"))
}

/// An image of a static program of this machine, `NAME:1`.
pub fn image(name: &str, source: &str) -> String {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("program.c"), source).expect("written");
    let script = format!(
        "cc -static -O1 -s -o program program.c && tar -c program | docker import -c 'ENTRYPOINT [\"/program\"]' - {name}:1"
    );
    ok(Command::new("sh").args(["-c", &script]).current_dir(folder.path()));
    format!("{name}:1")
}

/// A socket that passes everything on to the engine, until it is cut.
pub struct Proxy {
    folder: tempfile::TempDir,
    passing: Arc<Passing>,
}

struct Passing {
    open: Mutex<Option<Vec<UnixStream>>>,
    /// Bytes that went to the engine.
    sent: AtomicUsize,
    /// After so many of them, it is cut.
    most: usize,
}

impl Passing {
    fn cut(&self) {
        for stream in self.open.lock().expect("lock").take().into_iter().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Proxy {
    /// Begins to pass on.
    pub fn start() -> Self {
        Self::cut_after(usize::MAX)
    }

    /// Begins to pass on, and is cut once so many bytes went to the engine.
    pub fn cut_after(most: usize) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&path).expect("socket");
        let passing = Arc::new(Passing { open: Mutex::new(Some(Vec::new())), sent: AtomicUsize::new(0), most });
        let all = Arc::clone(&passing);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let mut streams = all.open.lock().expect("lock");
                let Some(streams) = streams.as_mut() else { return };
                let far = UnixStream::connect("/var/run/docker.sock").expect("the engine");
                let copy = |stream: &UnixStream| stream.try_clone().expect("clone");
                streams.extend([copy(&near), copy(&far)]);
                let (mut near_in, mut far_in, mut near_out, mut far_out) = (copy(&near), copy(&far), near, far);
                let (passing, path) = (Arc::clone(&all), path.clone());
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(count @ 1..) = near_in.read(&mut buffer) {
                        if passing.sent.fetch_add(count, Ordering::Relaxed) + count > passing.most {
                            let _ = std::fs::remove_file(&path);
                            passing.cut();
                            return;
                        }
                        if far_out.write_all(&buffer[..count]).is_err() {
                            break;
                        }
                    }
                    let _ = far_out.shutdown(Shutdown::Write);
                });
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut far_in, &mut near_out);
                    let _ = near_out.shutdown(Shutdown::Both);
                });
            }
        });
        Self { folder, passing }
    }

    /// For `DOCKER_HOST`.
    pub fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("engine.sock").display())
    }

    /// Bytes that went to the engine.
    pub fn sent(&self) -> usize {
        self.passing.sent.load(Ordering::Relaxed)
    }

    /// The engine is gone, as far as those can see who speak to it here.
    pub fn cut(&self) {
        std::fs::remove_file(self.folder.path().join("engine.sock")).expect("removed");
        self.passing.cut();
    }
}
