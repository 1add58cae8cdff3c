//! How registries are reached, and as whom: what docker and podman leave on a machine is enough.

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};

use support::harness::{self, test};
use support::needs::{arm64_cc, guarded_registry, network, podman};
use support::registry::{Guard, PASSWORD, Registry, TestImage, USER};
use support::server::{Answer, Asked, Good, Server, outer_address};
use support::{Project, appbundle, fails, ok, run, text};

fn project() -> Project {
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    project
}

/// A registry with TLS and a password, with the image `team/base:1`, on which the project stands.
fn guarded() -> (Project, Registry) {
    let (project, registry) = (project(), Registry::start(Guard::TlsAndPassword));
    registry.put(&project, &TestImage::new(&project, "one"), "team/base:1");
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", registry.host));
    (project, registry)
}

fn build(project: &Project) -> Command {
    project.pack_alone(&["--format", "oci"])
}

/// As if nothing had been built or pulled before.
fn forget(project: &Project) {
    for name in ["target", "cache", "appbundle.lock"] {
        let path = project.path().join(name);
        let _ = std::fs::remove_dir_all(&path);
        let _ = std::fs::remove_file(&path);
    }
}

fn builds_anew(project: &Project, command: &mut Command) {
    forget(project);
    let output = run(command);
    let said = text(&output.stderr);
    assert!(output.status.success() && !said.contains(PASSWORD), "{said}");
}

fn fails_anew(project: &Project, command: &mut Command) -> String {
    forget(project);
    let error = fails(command, 1);
    assert!(!error.contains(PASSWORD), "{error}");
    error
}

fn a_certificate_for_one_host_is_where_docker_and_podman_have_it() {
    let (project, registry) = guarded();
    project.login(&registry.host, USER, PASSWORD);
    let error = fails(&mut build(&project), 1);
    assert!(error.contains(&format!("`/etc/docker/certs.d/{}/ca.crt`", registry.host)), "{error}");
    for tool in ["docker", "containers"] {
        let config = tempfile::tempdir().expect("folder");
        let certificates = config.path().join(tool).join("certs.d");
        // Of another host it is worth nothing.
        let place = certificates.join("localhost:1");
        std::fs::create_dir_all(&place).expect("folder");
        std::fs::copy(registry.ca(), place.join("ca.crt")).expect("copied");
        let error = fails_anew(&project, build(&project).env("XDG_CONFIG_HOME", config.path()));
        assert!(error.contains("error[registry-certificate]") && error.contains("is not trusted"), "{error}");
        std::fs::rename(&place, certificates.join(&registry.host)).expect("renamed");
        builds_anew(&project, build(&project).env("XDG_CONFIG_HOME", config.path()));
    }
    // The machine's, where a test may write there.
    let place = std::path::Path::new("/etc/docker/certs.d").join(&registry.host);
    if std::fs::create_dir_all(&place).is_ok() {
        std::fs::copy(registry.ca(), place.join("ca.crt")).expect("copied");
        builds_anew(&project, &mut build(&project));
        std::fs::write(place.join("ca.crt"), "no certificate").expect("written");
        forget(&project);
        let output = run(&mut build(&project));
        std::fs::remove_dir_all(&place).expect("removed");
        let error = text(&output.stderr);
        assert!(error.contains("failed to read certificates from `/etc/docker/certs.d/"), "{error}");
    }
}

fn a_registry_that_wants_a_certificate_gets_the_one_that_docker_shows_it() {
    let (project, registry) = (project(), Registry::start(Guard::ClientCertificate));
    registry.put(&project, &TestImage::new(&project, "one"), "team/base:1");
    let base = format!("{{ image = \"{}/team/base:1\" }}", registry.host);
    project.with_base(&base);
    let config = tempfile::tempdir().expect("folder");
    let place = config.path().join("docker/certs.d").join(&registry.host);
    std::fs::create_dir_all(&place).expect("folder");
    std::fs::copy(registry.ca(), place.join("ca.crt")).expect("copied");
    let with = || {
        let mut command = build(&project);
        command.env("XDG_CONFIG_HOME", config.path());
        command
    };
    let error = fails_anew(&project, &mut with());
    assert!(error.contains(&format!("`{}` requires a client certificate that it trusts", registry.host)), "{error}");
    assert!(error.contains(&format!("`/etc/docker/certs.d/{}/client.cert` and `client.key`", registry.host)), "{error}");

    let [certificate, key] = registry.client();
    let to = |from: &std::path::Path, name: &str| std::fs::copy(from, place.join(name)).expect("copied");
    to(&certificate, "client.cert");
    let error = fails_anew(&project, &mut with());
    assert!(
        error.contains("the key of the client certificate") && error.contains("is missing") && error.contains("help: "),
        "{error}"
    );
    // Of another certificate: the key of the registry itself would do.
    to(&registry.ca().with_file_name("server.key"), "client.key");
    let error = fails_anew(&project, &mut with());
    assert!(error.contains("cannot be used") && error.contains("the key does not belong to the certificate"), "{error}");
    std::fs::write(
        place.join("client.key"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMTIz\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .expect("written");
    let error = fails_anew(&project, &mut with());
    assert!(error.contains("failed to read a key from `") && error.contains("no unencrypted private key"), "{error}");
    assert!(!error.contains("MTIz"), "{error}");
    to(&key, "client.key");
    builds_anew(&project, &mut with());
    let mut push = appbundle(project.path(), &["push", "--repo", &format!("{}/app", registry.host)]);
    project.alone(&mut push);
    ok(push.env("XDG_CONFIG_HOME", config.path()));
    assert!(registry.log().contains("PUT /v2/app/alpha/manifests/1.2.3"), "{}", registry.log());
    std::fs::remove_file(place.join("client.cert")).expect("removed");
    let error = fails_anew(&project, &mut with());
    assert!(error.contains("the certificate of the key") && error.contains("is missing"), "{error}");

    // One of another CA is shown, and not believed.
    let stranger = Registry::start(Guard::ClientCertificate);
    let [certificate, key] = stranger.client();
    to(&certificate, "client.cert");
    to(&key, "client.key");
    let error = fails_anew(&project, &mut with());
    assert!(error.contains("requires a client certificate that it trusts"), "{error}");
}

fn what_podman_login_wrote_is_enough() {
    let (project, registry) = guarded();
    let login = |runtime: &std::path::Path| {
        let file = runtime.join("containers/auth.json");
        std::fs::create_dir_all(file.parent().expect("folder")).expect("folders");
        let arguments = ["login", "--tls-verify=false", "--username", USER, "--password", PASSWORD, &registry.host];
        ok(Command::new("podman").args(arguments).arg("--authfile").arg(&file));
    };
    for variable in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"] {
        let folder = tempfile::tempdir().expect("folder");
        let with = |command: &mut Command| {
            command.env("SSL_CERT_FILE", registry.ca()).env(variable, folder.path());
        };
        let mut without = build(&project);
        with(&mut without);
        assert!(fails_anew(&project, &mut without).contains("401 Unauthorized"));
        login(folder.path());
        let mut logged_in = build(&project);
        with(&mut logged_in);
        builds_anew(&project, &mut logged_in);
    }
}

/// A proxy for `CONNECT`, which leads everything to one server; it remembers the requests.
struct Proxy {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Leads to `host`; without one, it answers 407.
    fn start(host: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("127.0.0.1:{}", listener.local_addr().expect("address").port());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let all = Arc::clone(&asked);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let (all, host) = (Arc::clone(&all), host.clone());
                std::thread::spawn(move || Self::pass(near, &all, host.as_deref()));
            }
        });
        Self { url, asked }
    }

    fn pass(mut near: TcpStream, all: &Mutex<Vec<String>>, host: Option<&str>) -> Option<()> {
        let mut reader = BufReader::new(near.try_clone().ok()?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            (reader.read_line(&mut head).ok()? > 0).then_some(())?;
        }
        all.lock().ok()?.push(head);
        let Some(host) = host else {
            return near.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").ok();
        };
        let mut far = TcpStream::connect(host).ok()?;
        near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
        let (mut far_in, mut near_out) = (far.try_clone().ok()?, near);
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut far_in, &mut near_out);
            let _ = near_out.shutdown(std::net::Shutdown::Both);
        });
        std::io::copy(&mut reader, &mut far).ok()?;
        far.shutdown(std::net::Shutdown::Write).ok()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("lock").clone()
    }
}

/// A registry behind a proxy is Docker Hub, as far as one can see from here: a short name leads to its host, to `library/`, and to
/// what `docker login` without a name wrote.
fn short_names_are_those_of_docker_hub_and_a_proxy_leads_there() {
    let (project, registry) = (project(), Registry::start(Guard::TlsAndPassword));
    registry.put(&project, &TestImage::new(&project, "one"), "library/base:1");
    project.with_base("{ image = \"base:1\" }");
    project.login("https://index.docker.io/v1/", USER, PASSWORD);
    let proxy = Proxy::start(Some(registry.host.clone()));
    let with = |command: &mut Command, url: &str| {
        command.env("SSL_CERT_FILE", registry.ca()).env("HTTPS_PROXY", url).env_remove("NO_PROXY").env_remove("no_proxy");
    };
    let mut through = build(&project);
    with(&mut through, &format!("http://{}", proxy.url));
    builds_anew(&project, &mut through);
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|head| head.starts_with("CONNECT registry-1.docker.io:443 ")), "{asked:?}");
    assert!(registry.log().contains("GET /v2/library/base/manifests/1"), "{}", registry.log());
    let lock = project.text("appbundle.lock");
    assert!(lock.contains("reference = \"docker.io/library/base:1\""), "{lock}");

    // A proxy with a password that it does not like: nobody else gets to see it.
    let strict = Proxy::start(None);
    let mut refused = build(&project);
    with(&mut refused, &format!("http://{USER}:{PASSWORD}@{}", strict.url));
    let error = fails_anew(&project, &mut refused);
    assert!(error.contains("failed to reach `registry-1.docker.io`") && error.contains("407"), "{error}");

    // One for plain HTTP is nothing to a registry with TLS; one that is not a URL is told, and not shown.
    let mut other = build(&project);
    with(&mut other, &format!("http://{}", proxy.url));
    other.env("HTTP_PROXY", format!("http://{}", strict.url)).env("ALL_PROXY", format!("http://{}", strict.url));
    builds_anew(&project, &mut other);
    let mut wrong = build(&project);
    with(&mut wrong, &format!("ftp://{USER}:{PASSWORD}@{}", strict.url));
    let error = fails_anew(&project, &mut wrong);
    assert!(error.contains("the proxy in `HTTPS_PROXY` is invalid") && error.contains("NO_PROXY"), "{error}");
    assert_eq!(strict.asked().len(), 1, "{:?}", strict.asked());
}

fn who_is_listed_in_no_proxy_is_asked_directly() {
    let project = project();
    let address = outer_address().expect("needed");
    let good = Good::new(&project);
    let server = Server::start_at(&address, move |asked, _| good.answer(asked));
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", server.host));
    let proxy = Proxy::start(Some(server.host.clone()));
    let with = |except: &str| {
        let mut command = project.pack_alone(&["--format", "oci", "--insecure-registry", &server.host]);
        command.env("HTTP_PROXY", format!("http://{}", proxy.url)).env_remove("HTTPS_PROXY").env_remove("https_proxy");
        command.env("NO_PROXY", except).env_remove("no_proxy");
        command
    };
    for except in [format!("example.com,{address}"), server.host.clone(), format!("{address}/31"), "*".into()] {
        builds_anew(&project, &mut with(&except));
        assert!(proxy.asked().is_empty(), "{except}: {:?}", proxy.asked());
    }
    // The registry speaks plain HTTP, and this proxy is for TLS.
    let mut other = with("");
    builds_anew(&project, other.env_remove("HTTP_PROXY").env("HTTPS_PROXY", "http://127.0.0.1:1"));
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
    builds_anew(&project, &mut with("example.com"));
    assert!(proxy.asked().iter().any(|head| head.contains(&server.host)), "{:?}", proxy.asked());
    // This machine itself is never asked through a proxy.
    let (good, asked) = (Good::new(&project), proxy.asked().len());
    let own = Server::start(move |asked, _| good.answer(asked));
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", own.host));
    builds_anew(&project, &mut with("example.com"));
    assert_eq!(proxy.asked().len(), asked);
}

const IDENTITY: &str = "long-lived-identity-7";

/// A registry that wants tokens of `tokens`, which the test's function gives.
fn with_tokens(
    project: &Project,
    answer: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static,
    good: &[&'static str],
) -> [Server; 2] {
    let (image, good) = (Good::new(project), good.to_vec());
    let tokens = Server::start(answer);
    let realm = format!("http://{}/token", tokens.host);
    let registry = Server::start(move |asked, before| {
        let token = asked.headers.get("authorization").and_then(|text| text.strip_prefix("Bearer "));
        // The first of several tokens is good for one request of each kind.
        let at = good.iter().position(|known| Some(*known) == token);
        if at.is_some_and(|at| at + 1 == good.len() || asked.path.contains("/manifests/1") && before < 2) {
            return image.answer(asked);
        }
        Answer::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\",service=\"the registry\""))
    });
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", registry.host));
    [registry, tokens]
}

fn fields(asked: &Asked) -> Vec<&str> {
    let mut fields: Vec<&str> = asked.body.split('&').collect();
    fields.sort_unstable();
    fields
}

fn an_identity_token_is_exchanged_and_never_seen_by_the_registry() {
    let project = project();
    let answer = |asked: &Asked, _| match asked.body.contains(IDENTITY) && asked.method == "POST" {
        true => Answer::new(200, r#"{"access_token":"opaque","expires_in":300}"#),
        false => Answer::new(401, ""),
    };
    let [registry, tokens] = with_tokens(&project, answer, &["opaque"]);
    let entry = format!(r#""auth":"MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==","identitytoken":"{IDENTITY}""#);
    project.write("docker-config/config.json", &format!(r#"{{"auths":{{"{}":{{{entry}}}}}}}"#, registry.host));
    builds_anew(&project, build(&project).arg("-v"));
    let asked = tokens.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let expected = [
        "client_id=cargo-appbundle",
        "grant_type=refresh_token",
        &format!("refresh_token={IDENTITY}"),
        "scope=repository%3Ateam%2Fbase%3Apull",
        "service=the%20registry",
    ];
    assert_eq!(fields(&asked[0]), expected);
    assert_eq!(asked[0].path, "/token");
    assert_eq!(asked[0].headers.get("content-type").map(String::as_str), Some("application/x-www-form-urlencoded"));
    assert!(!asked[0].headers.contains_key("authorization"));
    let seen = |asked: &Asked| asked.headers.values().any(|value| value.contains(IDENTITY)) || asked.body.contains(IDENTITY);
    assert!(!registry.asked().iter().any(seen));

    // A helper gives one under a name that no user has.
    project.write("docker-config/config.json", &format!(r#"{{"credsStore":"test","auths":{{"{}":{{}}}}}}"#, registry.host));
    let script = format!("#!/bin/sh\necho '{{\"Username\":\"<token>\",\"Secret\":\"{IDENTITY}\"}}'\n");
    project.write("tools/docker-credential-test", &script);
    ok(Command::new("chmod").arg("+x").arg(project.path().join("tools/docker-credential-test")));
    let path = format!("{}:{}", project.path().join("tools").display(), std::env::var("PATH").expect("PATH"));
    builds_anew(&project, build(&project).env("PATH", path));
    assert_eq!(fields(&tokens.asked()[1]), expected);
}

fn an_identity_token_that_is_refused_is_told_and_not_shown() {
    let project = project();
    let body = format!(r#"{{"error":"invalid_grant","error_description":"{IDENTITY} is too old"}}"#);
    for (status, words) in [(401, "error[registry-login]"), (401, "help: run `docker login 127.0.0.1:"), (400, "it answered 400")]
    {
        let body = body.clone();
        let [registry, tokens] = with_tokens(&project, move |_, _| Answer::new(status, body.clone()), &["opaque"]);
        let entry = format!(r#"{{"auths":{{"{}":{{"identitytoken":"{IDENTITY}"}}}}}}"#, registry.host);
        project.write("docker-config/config.json", &entry);
        let error = fails(build(&project).arg("-v"), 1);
        assert!(error.contains("failed to get a token for `127.0.0.1:") && error.contains(words), "{error}");
        assert!(!error.contains(IDENTITY), "{error}");
        assert_eq!(tokens.asked().len(), 1);
    }
}

fn a_token_that_has_run_out_is_asked_for_again() {
    let project = project();
    let answer = |_: &Asked, before: usize| Answer::new(200, format!(r#"{{"token":"{}"}}"#, ["first", "second"][before.min(1)]));
    let [registry, tokens] = with_tokens(&project, answer, &["first", "second"]);
    project.login(&registry.host, USER, PASSWORD);
    builds_anew(&project, &mut build(&project));
    assert_eq!(tokens.asked().len(), 2, "{:?}", registry.asked());
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_certificate_for_one_host_is_where_docker_and_podman_have_it, [guarded_registry, arm64_cc]),
        test!(a_registry_that_wants_a_certificate_gets_the_one_that_docker_shows_it, [guarded_registry, arm64_cc]),
        test!(what_podman_login_wrote_is_enough, [podman, guarded_registry, arm64_cc]),
        test!(short_names_are_those_of_docker_hub_and_a_proxy_leads_there, [guarded_registry, arm64_cc]),
        test!(who_is_listed_in_no_proxy_is_asked_directly, [arm64_cc, network]),
        test!(an_identity_token_is_exchanged_and_never_seen_by_the_registry, [arm64_cc]),
        test!(an_identity_token_that_is_refused_is_told_and_not_shown, [arm64_cc]),
        test!(a_token_that_has_run_out_is_asked_for_again, [arm64_cc]),
    ])
}
