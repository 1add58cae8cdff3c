//! What the tests share: the program under test, workspaces to run it in, and the tools that judge its output.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod cluster;
pub mod container;
pub mod debian;
pub mod golden;
pub mod harness;
pub mod machine;
pub mod names;
pub mod needs;
pub mod pages;
pub mod podman;
pub mod registry;
pub mod repository;
pub mod running;
pub mod server;
pub mod session;
pub mod swarm;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_cargo-appbundle");

/// A client of Docker that has `stack config`, which came with 23.
pub const NEW_DOCKER: &str = "docker-26";

/// The triple of most tests.
pub const TRIPLE: &str = "aarch64-unknown-linux-gnu";

/// All that `generate --for` takes. `tests/deployments.rs` compares it with what `--help` lists.
pub const DESTINATIONS: &str = "compose,swarm,stacks,dev,kubernetes,auterionos";

/// Whether this is CI, where no test may be ignored for want of a tool.
pub fn ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// The same command, run by another: `words` come before it.
pub fn within(words: &[&str], inner: &Command) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(inner.get_program()).args(inner.get_args());
    inner.get_current_dir().map(|folder| command.current_dir(folder));
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The top folder of this repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `cargo appbundle` in a folder, without colours or variables of this test run.
pub fn appbundle(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("appbundle").args(arguments).current_dir(folder);
    for name in ["CARGO_TARGET_DIR", "RUSTFLAGS", "SOURCE_DATE_EPOCH", "CARGO_ENCODED_RUSTFLAGS", "CARGO"] {
        command.env_remove(name);
    }
    match toolchain() {
        Some(toolchain) => command.env("RUSTUP_TOOLCHAIN", toolchain),
        None => command.env_remove("RUSTUP_TOOLCHAIN"),
    };
    command
}

/// Which toolchain compiles for the target, when it is not the active one: found out as scripts/setup does, once.
pub fn toolchain() -> Option<&'static str> {
    static TOOLCHAIN: OnceLock<Option<&str>> = OnceLock::new();
    *TOOLCHAIN.get_or_init(|| (!has_std(None, TRIPLE) && has_std(Some("debian"), TRIPLE)).then_some("debian"))
}

/// Whether a toolchain, none is the active one, has a target's standard library.
pub fn has_std(toolchain: Option<&str>, triple: &str) -> bool {
    let mut command = Command::new("rustc");
    command.env_remove("RUSTUP_TOOLCHAIN").args(toolchain.map(|name| format!("+{name}")));
    let output = command.args(["--print", "target-libdir", "--target", triple]).output();
    let folder = output.ok().filter(|o| o.status.success()).map(|o| PathBuf::from(String::from_utf8_lossy(&o.stdout).trim()));
    folder.and_then(|folder| std::fs::read_dir(folder).ok()).is_some_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
    })
}

/// A copy of a workspace in `tests/fixtures`.
pub fn fixture(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let from = repository().join("tests/fixtures").join(name);
    for entry in walkdir::WalkDir::new(&from).into_iter().filter_entry(|entry| entry.file_name() != "target").flatten() {
        let to = folder.path().join(entry.path().strip_prefix(&from).expect("below"));
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(to).expect("folder"),
            false => drop(std::fs::copy(entry.path(), to).expect("copied")),
        }
    }
    folder
}

/// Ports of this machine at which nobody listens.
pub fn free_ports<const N: usize>() -> [u16; N] {
    // All at once, so that they differ.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("address").port())
}

/// Runs to the end, which must be good; gives stdout.
pub fn ok(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}\n{}{}", output.status, text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs to the end, which must be a failure with this code; gives stderr.
pub fn fails(command: &mut Command, code: i32) -> String {
    let output = run(command);
    assert_eq!(output.status.code(), Some(code), "{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stderr)
}

/// Runs to the end.
pub fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A command's stderr, but for the lines with which Cargo waits for another test's Cargo.
pub fn stderr(output: &Output) -> String {
    text(&output.stderr).lines().filter(|line| !line.starts_with("    Blocking ")).map(|line| format!("{line}\n")).collect()
}

/// A tool's stdout.
pub fn judge(program: &str, arguments: &[&str]) -> String {
    ok(Command::new(program).args(arguments))
}

/// The name of apps that meet nowhere.
const SHARED: &str = "demo";

/// A workspace in a folder of its own, whose binaries are small C programs that stand ready in `bin/`.
pub struct Project {
    folder: tempfile::TempDir,
    app: String,
}

/// An app with a name of its own leaves no images.
impl Drop for Project {
    fn drop(&mut self) {
        if self.app == SHARED || !names::are_kept() {
            return;
        }
        let filter = format!("reference=com.example.{}*", self.app);
        let list = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &filter];
        let Ok(listed) = Command::new("docker").args(list).output() else { return };
        // Of another app with a longer name there may be some, too.
        let own = format!("com.example.{}", self.app);
        let is_own = |image: &&str| image.strip_prefix(&own).is_some_and(|rest| rest.starts_with(['.', ':']));
        let images: Vec<String> = text(&listed.stdout).lines().filter(is_own).map(str::to_owned).collect();
        if !images.is_empty() {
            let _ = Command::new("docker").args(["rmi", "--force"]).args(images).output();
        }
    }
}

impl Project {
    /// The app `demo` of services called `names`, without more in their tables.
    pub fn new(names: &[&str]) -> Self {
        Self::named(SHARED, names)
    }

    /// An app of another name. Tests that meet in an engine give each app a name of its own.
    pub fn named(app: &str, names: &[&str]) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("folder"), app: app.to_owned() };
        let root = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"services/*\"]\n\n\
            [workspace.metadata.appbundle]\nname = \"{app}\"\nauthor = \"com.example\"\nversion = \"1.2.3\"\n"
        );
        project.write("Cargo.toml", &root);
        for name in names {
            project.service(name, "");
        }
        project
    }

    /// Adds a service with this text in its table.
    pub fn service(&self, name: &str, table: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[package.metadata.service]\n{table}"
        );
        self.write(&format!("services/{name}/Cargo.toml"), &manifest);
        self.write(&format!("services/{name}/src/main.rs"), &format!("fn main() {{ println!(\"{name}\"); }}\n"));
    }

    /// Compiles a C program for the target into `bin/`.
    pub fn binary(&self, name: &str, source: &str) {
        self.compile("aarch64-linux-gnu-gcc", name, source, &[]);
    }

    /// As [`Project::binary`], with another compiler or flags.
    pub fn compile(&self, compiler: &str, name: &str, source: &str, flags: &[&str]) {
        self.write(&format!("bin/{name}.c"), source);
        let folder = self.path().join("bin");
        ok(Command::new(compiler).args(["-s", "-o", name]).arg(format!("{name}.c")).args(flags).current_dir(folder));
    }

    /// Binaries for all of `names` that print their own name.
    pub fn binaries(&self, names: &[&str]) {
        for name in names {
            self.binary(name, &format!("#include <stdio.h>\nint main() {{ puts(\"{name}\"); return 0; }}\n"));
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file below it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folders");
        std::fs::write(path, text).expect("written");
    }

    /// Reads a file below it.
    pub fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Reads a text file below it.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Changes a text file below it.
    pub fn edit(&self, path: &str, change: impl FnOnce(String) -> String) {
        self.write(path, &change(self.text(path)));
    }

    /// Packs the binaries that stand ready.
    pub fn pack(&self, arguments: &[&str]) -> Command {
        let mut command = appbundle(self.path(), &["build", "--no-compile", "--bin-dir", "bin"]);
        command.args(arguments);
        command
    }
}
