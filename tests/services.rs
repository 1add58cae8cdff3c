//! Services whose images others made: packed as they are, pinned, and run everywhere.

mod support;

use std::path::Path;
use std::process::{Command, ExitCode};

use cargo_appbundle::digest::Digest;
use serde_json::Value;
use support::debian::root_file_system;
use support::harness::{self, test};
use support::needs::{arm64_cc, compose, docker, kubectl, kubernetes_validate, mmdebstrap, registry};
use support::registry::{Guard, Registry, TestImage};
use support::running::start;
use support::{Project, appbundle, fails, judge, ok, run, text};

const X86: &str = "x86_64-unknown-linux-gnu";

/// Adds a service to the app's table.
fn add(project: &Project, name: &str, table: &str) {
    project.edit("Cargo.toml", |text| format!("{text}\n[workspace.metadata.appbundle.services.{name}]\n{table}"));
}

fn in_project(project: &Project, arguments: &[&str]) -> Command {
    let mut command = appbundle(project.path(), arguments);
    project.alone(&mut command);
    command
}

/// The sum of an image's config in a bundle: its id in an engine.
fn id(bundle: &str, image: &str) -> Digest {
    let of = format!("oci-archive:{bundle}:{image}");
    Digest::of(ok(Command::new("skopeo").args(["inspect", "--config", "--raw", &of])))
}

/// An app of a package that asks a real redis, made of Debian's package; gives the redis' id in Docker, too.
fn with_redis(name: &str) -> (Project, String) {
    let tar = root_file_system(&["--variant=extract", "--include=redis-server", "bookworm"]);
    let project = Project::named(name, &[]);
    let image = format!("{name}-redis:7");
    let changes = ["ENTRYPOINT [\"/usr/bin/redis-server\"]", "CMD [\"--save\", \"\"]", "USER 65534", "WORKDIR /tmp"];
    let mut import = Command::new("docker");
    import.arg("import").args(changes.iter().flat_map(|change| ["--change", change])).arg(&tar).arg(&image);
    let id = ok(&mut import).trim().to_owned();
    let archive = project.path().join("redis.tar");
    judge("docker", &["save", "-o", archive.to_str().expect("path"), &image]);
    judge("docker", &["rmi", &image]);
    project.edit("Cargo.toml", |text| format!("{text}targets = [\"{X86}\"]\n"));
    add(
        &project,
        "redis",
        "image = { archive = \"redis.tar\" }\nargs = [\"--protected-mode\", \"no\", \"--save\", \"\"]\nports = [\"6379\"]\n\
         healthcheck = { command = [\"redis-cli\", \"ping\"], interval = \"1s\" }\n",
    );
    project.service("web", "environment = { SERVER = \"redis\" }\ndepends-on = [\"redis\"]\n");
    project.compile("cc", "web", include_str!("programs/ping.c"), &["-w"]);
    (project, id)
}

/// Removes an app's images when the test ends.
struct Images(&'static str);

impl Drop for Images {
    fn drop(&mut self) {
        for (service, tag) in [("web", "1.2.3"), ("web", "dev"), ("redis", "1.2.3"), ("redis", "dev")] {
            run(Command::new("docker").args(["rmi", "--force", &format!("com.example.{}.{service}:{tag}", self.0)]));
        }
    }
}

fn a_real_redis_runs_beside_a_package() {
    let (project, redis) = with_redis("services-run");
    let _images = Images("services-run");
    ok(&mut in_project(&project, &["run", "--detach", "--no-compile", "--bin-dir", "bin"]));
    let logs = ok(&mut in_project(&project, &["logs", "web"]));
    let listed = ok(&mut in_project(&project, &["ps"]));
    let ping = ok(&mut in_project(&project, &["exec", "redis", "--", "redis-cli", "ping"]));
    ok(&mut in_project(&project, &["stop"]));
    assert!(logs.contains("answered +PONG"), "{logs}");
    assert!(listed.contains("redis") && ping.trim() == "PONG", "{listed} {ping}");
    // The bundle has the image as it was, byte by byte.
    let image = "com.example.services-run.redis:1.2.3";
    assert_eq!(judge("docker", &["inspect", "--format", "{{.Id}}", image]).trim(), redis);
    // The Dockerfile is the image alone.
    let dockerfile = project.text("target/appbundle/docker/redis/Dockerfile");
    let lines: Vec<&str> = dockerfile.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines, ["FROM services-run-redis:7"]);
}

fn it_runs_with_compose_and_in_dev() {
    let (project, _) = with_redis("services-dev");
    let _images = Images("services-dev");
    let bundle = ok(&mut project.pack_alone(&["--format", "docker"]));
    ok(&mut in_project(&project, &["load", bundle.trim()]));
    ok(&mut in_project(&project, &["generate", "--for", "compose"]));
    let file = project.path().join("target/appbundle/compose/services-dev/docker-compose.yml");
    let compose = |words: &[&str]| run(Command::new("docker-compose-v2").arg("-f").arg(&file).args(words));
    let up = compose(&["up", "-d"]);
    let logs = (0..50).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let logs = text(&compose(&["logs", "web"]).stdout);
        logs.contains("answered").then_some(logs)
    });
    compose(&["down", "-t", "1"]);
    assert!(up.status.success(), "{}", text(&up.stderr));
    assert!(logs.is_some_and(|logs| logs.contains("answered +PONG")));
    let mut dev = start(&mut in_project(&project, &["dev", "--no-compile", "--bin-dir", "bin"]));
    let said = dev.wait_for("answered +PONG");
    dev.signal("INT");
    let (code, all) = dev.end();
    assert_eq!(code, Some(0), "{said}\n{all}");
}

fn every_destination_has_it() {
    let project = Project::named("services-all", &["web"]);
    registry_free(&project);
    add(
        &project,
        "cache",
        "image = { archive = \"layout\" }\ncommand = [\"/bin/serve\"]\nargs = [\"--all\"]\nenvironment = { A = \"b\" }\n\
         ports = [\"6379:6379\"]\nvolumes = [\"cache:/data\"]\nuser = \"7:7\"\nreplicas = 2\ndepends-on = [\"web\"]\n\
         resources = { memory-limit = \"64Mi\" }\nhealthcheck = { port = 6379 }\nroutes = { \"/cache\" = { port = 6379 } }\n\
         compose = { hostname = \"cache-host\" }\nkubernetes = { nodeSelector = { disk = \"fast\" } }\n",
    );
    ok(&mut in_project(&project, &["generate", "--for", "compose,swarm,kubernetes,auterionos,dev"]));
    let out = project.path().join("target/appbundle");
    let file = |path: &str| std::fs::read_to_string(out.join(path)).expect(path);
    let compose = file("compose/services-all/docker-compose.yml");
    for part in ["com.example.services-all.cache:1.2.3", "/bin/serve", "--all", "cache:/data", "7:7", "cache-host", "64"] {
        assert!(compose.contains(part), "{part} in {compose}");
    }
    for path in ["swarm/docker-stack.yml", "auterionos/app.yml", "dev/services-all-dev/docker-compose.dev.yml"] {
        assert!(file(path).contains("com.example.services-all.cache:1.2.3"), "{path}: {}", file(path));
    }
    let path = out.join("kubernetes/service-cache.yaml");
    let path = path.to_str().expect("path");
    judge("kubernetes-validate", &["--strict", "-k", "1.37", path]);
    let objects = judge("kubectl", &["annotate", "--local", "-o", "json", "-f", path, "seen=true"]);
    let objects = serde_json::Deserializer::from_str(&objects).into_iter::<Value>().map(|one| one.expect("JSON"));
    let pods: Vec<Value> =
        objects.filter_map(|object| object["spec"]["template"]["spec"].as_object().cloned().map(Value::from)).collect();
    let pod = pods.first().expect("pod");
    let container = &pod["containers"][0];
    assert_eq!(container["livenessProbe"]["tcpSocket"]["port"], 6379, "{container:#}");
    assert_eq!((&container["command"][0], &pod["nodeSelector"]["disk"]), (&"/bin/serve".into(), &"fast".into()));
}

/// An image for arm64 in a folder `layout`.
fn registry_free(project: &Project) -> TestImage {
    project.binaries(&["web"]);
    let image = TestImage::new(project, "one");
    image.write_layout(&project.path().join("layout"));
    image
}

fn an_image_of_a_registry_is_pinned_packed_and_pushed() {
    let project = Project::named("services-pin", &["web"]);
    project.binaries(&["web"]);
    let registry = Registry::start(Guard::None);
    let (one, two) = (TestImage::new(&project, "one"), TestImage::new(&project, "two"));
    registry.put(&project, &one, "team/cache:1");
    let reference = format!("{}/team/cache:1", registry.host);
    add(&project, "cache", &format!("image = \"{reference}\"\n"));
    let error = fails(&mut project.pack_alone(&["--locked"]), 1);
    assert!(error.contains("error[lock-file-locked]") && error.contains("help:"), "{error}");
    let error = fails(&mut project.pack_alone(&["--offline"]), 1);
    assert!(error.contains("error[registry-offline]") && error.contains("Cargo.toml:11:9"), "{error}");
    let bundle = ok(&mut project.pack_alone(&["--format", "oci"]));
    let name = "com.example.services-pin.cache:1.2.3";
    assert_eq!(id(bundle.trim(), name), Digest::of(&one.config));
    assert!(judge("tar", &["-tf", bundle.trim()]).contains(&Digest::of(&one.layer).hex()));
    let lock = project.text("appbundle.lock");
    assert!(lock.contains(&reference) && lock.contains(&Digest::of(one.index("arm64")).to_string()), "{lock}");
    let dockerfile = project.text("target/appbundle/docker/cache/Dockerfile");
    assert!(dockerfile.ends_with(&format!("\nFROM {reference}@{}\n", Digest::of(one.index("arm64")))), "{dockerfile}");
    // The lock and the cache are enough.
    std::fs::remove_dir_all(project.path().join("target")).expect("removed");
    let bundle = ok(&mut project.pack_alone(&["--format", "auterionos", "--offline", "--locked"]));
    ok(&mut in_project(&project, &["verify", bundle.trim()]));
    let seen = ok(&mut in_project(&project, &["inspect", bundle.trim()]));
    assert!(seen.contains("cache"), "{seen}");
    // The tag moves; the pin does when it is told to.
    registry.put(&project, &two, "team/cache:1");
    ok(&mut project.pack_alone(&["--app-version", "2.0.0"]));
    assert_eq!(project.text("appbundle.lock"), lock);
    let said = text(&run(&mut in_project(&project, &["update", &reference])).stderr);
    assert!(said.contains(&format!("Updating {reference}")), "{said}");
    ok(&mut project.pack_alone(&["--format", "oci"]));
    ok(&mut in_project(&project, &["push", "--repo", &format!("{}/app", registry.host)]));
    let pushed = format!("docker://{}/app/cache:1.2.3", registry.host);
    let config = ok(Command::new("skopeo").args(["inspect", "--config", "--raw", "--tls-verify=false", &pushed]));
    assert_eq!(Digest::of(config), Digest::of(&two.config));
}

/// An image with an index of two platforms, in a registry.
fn put_both(project: &Project, registry: &Registry, name: &str) -> [TestImage; 2] {
    let images = [("arm64", "a"), ("amd64", "b")].map(|(cpu, mark)| TestImage::for_architecture(project, mark, cpu));
    let layout = project.path().join("both");
    let blobs = layout.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("folder");
    let put = |folder: &Path, bytes: &[u8]| std::fs::write(folder.join(Digest::of(bytes).hex()), bytes).expect("written");
    let mut entries = Vec::new();
    for (image, cpu) in images.iter().zip(["arm64", "amd64"]) {
        [&image.layer, &image.config, &image.manifest].iter().for_each(|bytes| put(&blobs, bytes));
        let index: Value = serde_json::from_slice(&image.index(cpu)).expect("JSON");
        entries.push(index["manifests"][0].clone());
    }
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({ "schemaVersion": 2, "mediaType": kind, "manifests": entries }).to_string();
    put(&blobs, index.as_bytes());
    let named = serde_json::json!({ "org.opencontainers.image.ref.name": "image" });
    let entry = serde_json::json!(
        { "mediaType": kind, "digest": Digest::of(&index).to_string(), "size": index.len(), "annotations": named }
    );
    std::fs::write(layout.join("index.json"), serde_json::json!({ "schemaVersion": 2, "manifests": [entry] }).to_string())
        .expect("written");
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("written");
    let to = format!("docker://{}/{name}", registry.host);
    let from = format!("oci:{}:image", layout.display());
    judge("skopeo", &["copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false", &from, &to]);
    images
}

fn each_platform_gets_its_own() {
    let project = Project::named("services-two", &["web"]);
    let registry = Registry::start(Guard::None);
    let images = put_both(&project, &registry, "team/cache:1");
    add(&project, "cache", &format!("image = \"{}/team/cache:1\"\n", registry.host));
    for (triple, compiler) in [("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-gcc"), (X86, "cc")] {
        project.compile(compiler, "web", "int main() { return 0; }", &[]);
        let folder = project.path().join("bins").join(triple);
        std::fs::create_dir_all(&folder).expect("folder");
        std::fs::copy(project.path().join("bin/web"), folder.join("web")).expect("copied");
    }
    let mut build = in_project(&project, &["build", "--no-compile", "--bin-dir", "bins", "--format", "oci"]);
    let bundle = ok(build.args(["--target", "aarch64-unknown-linux-gnu", "--target", X86]));
    for (image, cpu) in images.iter().zip(["arm64", "amd64"]) {
        let of = format!("oci-archive:{}:com.example.services-two.cache:1.2.3", bundle.trim());
        let config = ok(Command::new("skopeo").args(["--override-arch", cpu, "inspect", "--config", "--raw", &of]));
        assert_eq!(Digest::of(config), Digest::of(&image.config), "{cpu}");
    }
}

/// All has a place in the manifest, and says what to do.
fn what_is_wrong_is_told() {
    let project = Project::named("services-wrong", &["web"]);
    let image = registry_free(&project);
    let registry = Registry::start(Guard::None);
    registry.put(&project, &image, "team/cache:1");
    let root = project.text("Cargo.toml");
    let host = &registry.host;
    for (name, table, more, words) in [
        ("cache", "imag = \"redis\"\n".to_owned(), &[][..], "did you mean `image`?"),
        ("cache", "ports = [\"1\"]\n".to_owned(), &[], "the service `cache` has no `image`"),
        ("cache", "image = \"Redis 7\"\n".to_owned(), &[], "is not an image reference"),
        ("cache", "image = \"\"\n".to_owned(), &[], "image"),
        ("cache", "image = { archive = \"none.tar\" }\n".to_owned(), &[], "`none.tar` does not exist"),
        ("cache", "image = { archiv = \"none.tar\" }\n".to_owned(), &[], "archive"),
        ("cache", "image = 7\n".to_owned(), &[], "image"),
        ("web", format!("image = \"{host}/team/cache:1\"\n"), &[], "two services are named `web`"),
        ("cache", format!("image = \"{host}/team/cache:2\"\n"), &[], "error[registry-not-found]"),
        ("cache", format!("image = \"{host}/team/cache:1\"\n"), &["--target", X86], "error[base-platform]"),
        ("cache", format!("image = \"{host}/team/cache:1\"\ndepends-on = [\"wb\"]\n"), &[], "did you mean `web`?"),
        ("Cache", format!("image = \"{host}/team/cache:1\"\n"), &[], "Cache"),
    ] {
        project.write("Cargo.toml", &root);
        add(&project, name, &table);
        if more.contains(&X86) {
            project.compile("cc", "web", "int main() { return 0; }", &[]);
        }
        let error = fails(&mut project.pack_alone(more), 1);
        assert!(error.contains(words) && error.contains("Cargo.toml:"), "{table}: {error}");
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_real_redis_runs_beside_a_package, [docker, mmdebstrap]),
        test!(it_runs_with_compose_and_in_dev, [docker, mmdebstrap, compose]),
        test!(every_destination_has_it, [arm64_cc, kubectl, kubernetes_validate]),
        test!(an_image_of_a_registry_is_pinned_packed_and_pushed, [registry, arm64_cc]),
        test!(each_platform_gets_its_own, [registry, arm64_cc]),
        test!(what_is_wrong_is_told, [registry, arm64_cc]),
    ])
}
