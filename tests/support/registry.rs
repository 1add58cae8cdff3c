//! Images to pull, and a real registry to pull them from.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cargo_appbundle::digest::Digest;

use super::{Project, ok};

const SYSROOT: &str = "/usr/aarch64-linux-gnu/lib";

/// An image as its blobs.
pub struct TestImage {
    pub layer: Vec<u8>,
    pub config: Vec<u8>,
    pub manifest: Vec<u8>,
}

impl TestImage {
    /// The C library of the cross compiler as a root file system for arm64; `mark` makes it another one.
    pub fn new(project: &Project, mark: &str) -> Self {
        Self::for_architecture(project, mark, "arm64")
    }

    /// The same, marked for an architecture.
    pub fn for_architecture(project: &Project, mark: &str, architecture: &str) -> Self {
        let root = project.path().join(format!("root-{mark}"));
        std::fs::create_dir_all(root.join("lib")).expect("folder");
        for name in ["libc.so.6", "ld-linux-aarch64.so.1"] {
            std::fs::copy(Path::new(SYSROOT).join(name), root.join("lib").join(name)).expect("the cross C library");
        }
        std::fs::write(root.join("mark"), mark).expect("written");
        let script =
            format!("tar --sort=name --owner=0 --group=0 --mtime=@0 -C root-{mark} -cf {mark}.tar . && gzip -nkf {mark}.tar");
        ok(Command::new("sh").args(["-c", &script]).current_dir(project.path()));
        let diff_id = Digest::of(project.read(&format!("{mark}.tar")));
        let layer = project.read(&format!("{mark}.tar.gz"));
        let config = format!(
            r#"{{"architecture":"{architecture}","os":"linux","config":{{"Env":["MARK={mark}"]}},"rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#
        );
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
            descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes(), ""),
            descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer, "")
        );
        Self { layer, config: config.into_bytes(), manifest: manifest.into_bytes() }
    }

    /// An index with this image, called an image for the architecture.
    pub fn index(&self, architecture: &str) -> Vec<u8> {
        let platform = format!(r#","platform":{{"os":"linux","architecture":"{architecture}"}}"#);
        let image = descriptor("application/vnd.oci.image.manifest.v1+json", &self.manifest, &platform);
        let kind = "application/vnd.oci.image.index.v1+json";
        format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{image}]}}"#).into_bytes()
    }

    /// Writes it as an OCI layout, with an index in between.
    pub fn write_layout(&self, folder: &Path) {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).expect("folder");
        let index = self.index("arm64");
        for bytes in [&self.layer, &self.config, &self.manifest, &index] {
            std::fs::write(blobs.join(Digest::of(bytes).hex()), bytes).expect("written");
        }
        let named = r#","annotations":{"org.opencontainers.image.ref.name":"image"}"#;
        let entry = descriptor("application/vnd.oci.image.index.v1+json", &index, named);
        std::fs::write(folder.join("index.json"), format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#)).expect("written");
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("written");
    }
}

fn descriptor(kind: &str, bytes: &[u8], more: &str) -> String {
    format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{}{more}}}"#, Digest::of(bytes), bytes.len())
}

/// Debian's `docker-registry` on a port of its own.
pub struct Registry {
    pub host: String,
    folder: tempfile::TempDir,
    process: Child,
}

/// What protects a registry.
#[derive(Clone, Copy, PartialEq)]
pub enum Guard {
    /// Nothing.
    None,
    /// TLS with a certificate of a CA of its own, and the password of [`USER`].
    TlsAndPassword,
    /// TLS on both sides: only who shows a certificate of the same CA is let in.
    ClientCertificate,
}

pub const USER: &str = "robin";
pub const PASSWORD: &str = "correct-horse-9";

impl Registry {
    /// Starts one.
    pub fn start(guard: Guard) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let host = format!("localhost:{port}");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut config = format!(
            "version: 0.1\nlog:\n  accesslog:\n    disabled: false\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\nhttp:\n  addr: localhost:{port}\n",
            path("data")
        );
        std::fs::create_dir(folder.path().join("client")).expect("folder");
        if guard != Guard::None {
            certificates(folder.path());
            config += &format!("  tls:\n    certificate: {}\n    key: {}\n", path("server.crt"), path("server.key"));
        }
        if guard == Guard::ClientCertificate {
            config += &format!("    clientcas:\n      - {}\n", path("ca.crt"));
        }
        if guard == Guard::TlsAndPassword {
            let line = ok(Command::new("htpasswd").args(["-nbB", USER, PASSWORD]));
            std::fs::write(folder.path().join("htpasswd"), line).expect("written");
            config += &format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", path("htpasswd"));
        }
        std::fs::write(folder.path().join("config.yml"), config).expect("written");
        let log = std::fs::File::create(folder.path().join("log")).expect("log");
        let process = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(log.try_clone().expect("log"))
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .expect("docker-registry");
        let registry = Self { host, folder, process };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("localhost", port)).is_err() {
            assert!(Instant::now() < deadline, "docker-registry does not answer: {}", registry.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    /// The certificate of its CA.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// The certificate of a client that it lets in, and its key.
    pub fn client(&self) -> [PathBuf; 2] {
        ["client/client.cert", "client/client.key"].map(|name| self.folder.path().join(name))
    }

    /// All that it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Lines of its log that are requests of this method.
    pub fn requests(&self, method: &str) -> Vec<String> {
        // The log is written when the answer is; the last line may still be on its way.
        std::thread::sleep(Duration::from_millis(200));
        let mark = format!("\"{method} /v2/");
        self.log().lines().filter(|line| line.contains(&mark)).map(str::to_owned).collect()
    }

    /// Puts an image in, with skopeo.
    pub fn put(&self, project: &Project, image: &TestImage, name: &str) {
        let layout = project.path().join("layout-to-put");
        let _ = std::fs::remove_dir_all(&layout);
        image.write_layout(&layout);
        let to = format!("docker://{}/{name}", self.host);
        let from = format!("oci:{}:image", layout.display());
        let credentials = format!("{USER}:{PASSWORD}");
        // Where it finds a client's certificate, if one is wanted.
        let folder = format!("--dest-cert-dir={}", self.folder.path().join("client").display());
        let options = ["--all", "--preserve-digests", "--dest-tls-verify=false", "--dest-creds", &credentials, &folder];
        let arguments = ["copy", "-q"].into_iter().chain(options).chain([from.as_str(), &to]);
        ok(Command::new("skopeo").args(arguments));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn certificates(folder: &Path) {
    let script = "set -e
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.crt -subj '/CN=Test CA' \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        printf 'subjectAltName=DNS:localhost,DNS:registry-1.docker.io,IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' > ext
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.crt
        openssl req -newkey rsa:2048 -nodes -keyout client/client.key -out client.csr -subj /CN=client
        openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out client/client.cert";
    ok(Command::new("sh").args(["-c", script]).current_dir(folder));
}

impl Project {
    /// Sets the base of all services.
    pub fn with_base(&self, base: &str) {
        self.edit("Cargo.toml", |text| {
            let kept = text.lines().filter(|line| !line.starts_with("base = ")).map(|line| format!("{line}\n"));
            format!("{}base = {base}\n", kept.collect::<String>())
        });
    }

    /// Packs as [`Project::pack`], with cache and credentials in the project's own folder.
    pub fn pack_alone(&self, arguments: &[&str]) -> Command {
        let mut command = self.pack(arguments);
        self.alone(&mut command);
        command
    }

    /// Lets a command see no cache and no credentials but the project's.
    pub fn alone(&self, command: &mut Command) {
        for name in ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "SSL_CERT_FILE", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        command.env("XDG_CACHE_HOME", self.path().join("cache")).env("DOCKER_CONFIG", self.path().join("docker-config"));
    }

    /// Writes credentials as `docker login` does.
    pub fn login(&self, host: &str, user: &str, password: &str) {
        let mut encode = Command::new("base64").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("base64");
        encode.stdin.take().expect("stdin").write_all(format!("{user}:{password}").as_bytes()).expect("written");
        let output = encode.wait_with_output().expect("base64");
        let auth = String::from_utf8_lossy(&output.stdout);
        self.write("docker-config/config.json", &format!(r#"{{"auths":{{"{host}":{{"auth":"{}"}}}}}}"#, auth.trim()));
    }
}
