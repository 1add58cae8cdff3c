//! A registry that misbehaves: nothing half-fetched or wrong is ever used, and no credential is ever printed.

mod support;

use std::io::Read as _;
use std::process::{ExitCode, Output};
use std::sync::Arc;

use cargo_appbundle::digest::Digest;
use support::harness::{self, test};
use support::needs::{arm64_cc, network};
use support::registry::{PASSWORD, TestImage, USER};
use support::server::{Answer, Asked, Good, Server, outer_address, ranged};
use support::{Project, run, text};

/// A workspace whose base is an image of a server.
fn project(server: &Server) -> Project {
    let project = bare();
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", server.host));
    project
}

fn bare() -> Project {
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    project
}

/// Builds on what a server gives.
fn build(project: &Project) -> Output {
    run(&mut project.pack_alone(&["--format", "oci"]))
}

/// The build must fail with these words; nothing may be left of it, and no credential may be seen.
fn refuses(project: &Project, words: &[&str]) -> String {
    let output = build(project);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in words {
        assert!(said.contains(word), "{word} in\n{said}");
    }
    assert!(!said.contains(PASSWORD), "{said}");
    assert!(!project.path().join("appbundle.lock").exists());
    for entry in walkdir::WalkDir::new(project.path().join("cache")).into_iter().flatten().filter(|e| e.file_type().is_file()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let whole = name == ".lock" || Digest::of(std::fs::read(entry.path()).expect("read")).hex() == name;
        assert!(whole, "{} is half-fetched", entry.path().display());
    }
    said
}

fn builds(project: &Project) -> String {
    let output = build(project);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    said
}

/// A server that is good but for what `fault` says.
fn faulty(fault: impl Fn(&Good, &Asked, usize) -> Option<Answer> + Send + Sync + 'static) -> (Arc<Good>, Server, Project) {
    let good = Good::new(&bare());
    let behind = Arc::clone(&good);
    let server = Server::start(move |asked, before| fault(&behind, asked, before).unwrap_or_else(|| behind.answer(asked)));
    let project = project(&server);
    (good, server, project)
}

fn a_good_server_is_good() {
    let (_, _, project) = faulty(|_, _, _| None);
    builds(&project);
}

fn what_is_not_there_is_told_with_the_registrys_words() {
    let (_, _, project) =
        faulty(|_, asked, _| (asked.path != "/v2/").then(|| Answer::new(404, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#)));
    refuses(&project, &["failed to pull the image `127.0.0.1:", "404 Not Found: NAME_UNKNOWN", "error[registry-not-found]"]);
}

fn too_many_requests_and_passing_errors_are_waited_for() {
    let (good, server, project) = faulty(|good, asked, before| match before {
        0 if asked.path.ends_with("/manifests/1") => Some(Answer::new(429, "").with("Retry-After", "2")),
        0 | 1 if asked.path == good.layer() => Some(Answer::new(500, "oh")),
        _ => None,
    });
    let start = std::time::Instant::now();
    let said = builds(&project);
    assert!(start.elapsed().as_secs() >= 2 && said.contains("429") && said.contains("4 tries remaining"), "{said}");
    assert_eq!(server.asked().iter().filter(|asked| asked.path == good.layer()).count(), 3);
}

fn an_error_that_stays_ends() {
    let (_, server, project) = faulty(|_, asked, _| asked.path.contains("/manifests/").then(|| Answer::new(503, "")));
    let said = refuses(&project, &["503 Service Unavailable"]);
    assert_eq!(said.matches("tries remaining").count(), 1, "{said}");
    assert_eq!(server.asked().iter().filter(|asked| asked.path.contains("/manifests/")).count(), 5);
}

fn a_blob_that_was_cut_goes_on_where_it_was() {
    let (good, server, project) = faulty(|good, asked, before| {
        let half = good.image.layer.len() / 2;
        (asked.path == good.layer() && before < 2).then(|| ranged(asked, &good.image.layer).cut(half / (before + 1)))
    });
    builds(&project);
    let ranges: Vec<_> =
        server.asked().iter().filter(|asked| asked.path == good.layer()).map(|a| a.headers.get("range").cloned()).collect();
    let half = good.image.layer.len() / 2;
    assert_eq!(ranges.len(), 3, "{ranges:?}");
    assert_eq!((ranges[0].as_deref(), ranges[1].clone()), (None, Some(format!("bytes={half}-"))));
}

fn a_server_that_cannot_go_on_begins_again() {
    let (_, _, project) = faulty(|good, asked, before| {
        (asked.path == good.layer()).then(|| {
            let whole = Answer::new(200, good.image.layer.clone());
            if before == 0 { whole.cut(1000) } else { whole }
        })
    });
    builds(&project);
}

fn a_blob_that_is_always_cut_at_the_same_place_ends_in_an_error() {
    let (_, _, project) =
        faulty(|good, asked, _| (asked.path == good.layer()).then(|| Answer::new(200, good.image.layer.clone()).cut(1000)));
    refuses(&project, &["closed the connection early"]);
}

fn wrong_bytes_and_wrong_lengths_are_refused() {
    let wrong = |change: fn(&mut Vec<u8>)| {
        move |good: &Good, asked: &Asked, _: usize| {
            (asked.path == good.layer()).then(|| {
                let mut bytes = good.image.layer.clone();
                change(&mut bytes);
                Answer::new(200, bytes)
            })
        }
    };
    let (_, _, flipped) = faulty(wrong(|bytes| bytes[5000] ^= 1));
    refuses(&flipped, &["failed to get the blob `sha256:", "returned bytes with the digest"]);
    let (_, _, short) = faulty(wrong(|bytes| bytes.truncate(5000)));
    refuses(&short, &["returned 5000 bytes instead of"]);
    let (_, _, long) = faulty(wrong(|bytes| bytes.push(0)));
    refuses(&long, &["bytes instead of"]);
    let (_, _, endless) = faulty(|good, asked, _| {
        let mut bytes = good.image.layer.clone();
        bytes.extend([0; 100_000]);
        let chunk = [format!("{:x}\r\n", bytes.len()).into_bytes(), bytes, b"\r\n0\r\n\r\n".to_vec()].concat();
        (asked.path == good.layer())
            .then(|| Answer::new(200, chunk).with("Transfer-Encoding", "chunked").with("Content-Length", ""))
    });
    refuses(&endless, &["failed to get the blob"]);
}

fn manifests_that_lie_are_refused() {
    let (_, _, other) = faulty(|good, asked, _| {
        asked
            .path
            .ends_with("/manifests/1")
            .then(|| Answer::new(200, good.index.clone()).with("Docker-Content-Digest", Digest::of("x").to_string()))
    });
    refuses(&other, &["but claims `sha256:"]);
    let (_, _, swapped) = faulty(|good, asked, _| {
        asked.path.ends_with(&Digest::of(&good.image.manifest).to_string()).then(|| Answer::new(200, good.index.clone()))
    });
    refuses(&swapped, &["returned a manifest with the digest"]);
    let (_, _, page) =
        faulty(|_, asked, _| asked.path.ends_with("/manifests/1").then(|| Answer::new(200, "<html>Hotel WLAN</html>")));
    refuses(&page, &["its manifest is not JSON"]);
}

fn an_image_for_another_platform_is_refused() {
    let (_, _, none) =
        faulty(|good, asked, _| asked.path.ends_with("/manifests/1").then(|| Answer::new(200, good.image.index("riscv64"))));
    refuses(&none, &["it is not available for linux/arm64, only for linux/riscv64"]);
    // The index says arm64, the config knows better.
    let project = bare();
    let image = Arc::new(TestImage::for_architecture(&project, "amd64", "amd64"));
    let good = Arc::new(Good { index: image.index("arm64"), image: TestImage::for_architecture(&project, "amd64", "amd64") });
    let server = Server::start(move |asked, _| good.answer(asked));
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", server.host));
    refuses(&project, &["it is for linux/amd64 instead of linux/arm64"]);
}

/// `Basic` of [`USER`] and [`PASSWORD`].
const BASIC: &str = "Basic cm9iaW46Y29ycmVjdC1ob3JzZS05";

fn credentials_go_to_their_host_alone() {
    // The other host has the blobs, and must see no credentials.
    let project = bare();
    let good = Good::new(&project);
    let behind = Arc::clone(&good);
    let storage = Server::start(move |asked, _| behind.answer(asked));
    let (behind, to) = (Arc::clone(&good), storage.host.clone());
    let registry = Server::start(move |asked, _| {
        if asked.headers.get("authorization").map(String::as_str) != Some(BASIC) {
            return Answer::new(401, "").with("WWW-Authenticate", "Basic realm=\"x\"");
        }
        if let Some(path) = asked.path.strip_prefix("/moved").and_then(|path| path.split('?').next()) {
            return Answer::new(307, "").with("Location", format!("http://{to}{path}?signature=very-secret"));
        }
        if asked.path.contains("/blobs/") {
            // A path, in which another URL is a value.
            return Answer::new(307, "").with("Location", format!("/moved{}?from=http://example.com/", asked.path));
        }
        behind.answer(asked)
    });
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", registry.host));
    let said = refuses(&project, &["401 Unauthorized", &format!("help: run `docker login {}`", registry.host)]);
    assert!(!said.contains("Caused by:\n  Caused"), "{said}");
    project.login(&registry.host, USER, PASSWORD);
    builds(&project);
    let there = storage.asked();
    assert!(there.iter().any(|asked| asked.method == "GET" && asked.path.contains("/blobs/")), "{there:?}");
    assert!(there.iter().all(|asked| !asked.headers.contains_key("authorization")), "{there:?}");
    // Nothing of them is in what was written.
    for entry in walkdir::WalkDir::new(project.path()).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        if entry.path().starts_with(project.path().join("docker-config")) {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("read");
        assert!(!bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes()), "{}", entry.path().display());
    }
}

fn a_redirect_to_a_plain_connection_elsewhere_is_refused() {
    let (_, _, project) = faulty(|_, asked, _| {
        asked
            .path
            .contains("/blobs/")
            .then(|| Answer::new(302, "").with("Location", "http://storage.example.com/x?signature=very-secret"))
    });
    let said = refuses(&project, &["redirects to `http://storage.example.com/x`, which is not encrypted"]);
    assert!(!said.contains("very-secret"), "{said}");
    // A challenge of another host is none: its token server would be told the password.
    let thief = Server::start(|_, _| Answer::new(401, "").with("WWW-Authenticate", "Basic realm=\"x\""));
    let to = thief.host.clone();
    let (_, registry, lured) = faulty(move |_, asked, _| {
        asked.path.contains("/blobs/").then(|| Answer::new(302, "").with("Location", format!("http://{to}/x")))
    });
    lured.login(&registry.host, USER, PASSWORD);
    refuses(&lured, &["401 Unauthorized"]);
    assert!(thief.asked().iter().all(|asked| !asked.headers.contains_key("authorization")));
    let (_, _, round) =
        faulty(|_, asked, _| asked.path.contains("/blobs/").then(|| Answer::new(302, "").with("Location", asked.path.clone())));
    refuses(&round, &["redirects more than 5 times"]);
}

/// A registry that wants tokens, of which the token server answers by `answer`.
fn with_tokens(project: &Project, answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> (Server, Server) {
    let good = Good::new(project);
    let tokens = Server::start(move |asked, _| answer(asked));
    let realm = format!("http://{}/token", tokens.host);
    let registry = Server::start(move |asked, _| {
        if asked.headers.get("authorization").map(String::as_str) == Some("Bearer opaque") {
            return good.answer(asked);
        }
        Answer::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\",service=\"the registry\""))
    });
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", registry.host));
    project.login(&registry.host, USER, PASSWORD);
    (registry, tokens)
}

fn a_token_is_asked_for_once_with_the_password_and_used() {
    let project = bare();
    let (registry, tokens) = with_tokens(&project, |_| Answer::new(200, r#"{"token":"opaque","expires_in":300}"#));
    builds(&project);
    let asked = tokens.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].headers.get("authorization").map(String::as_str), Some(BASIC));
    assert_eq!(asked[0].path, "/token?service=the%20registry&scope=repository%3Ateam%2Fbase%3Apull");
    assert!(registry.asked().iter().all(|asked| asked.headers.get("authorization").map(String::as_str) != Some(BASIC)));
}

fn a_token_server_that_answers_nonsense_ends_in_an_error() {
    for (answer, words) in [
        (r#"{"token":"bad\r\nX-Evil: 1"}"#, "its token contains invalid characters"),
        ("<html>correct-horse-9</html>", "its response is not a JSON token"),
        ("{}", "its response has no token"),
    ] {
        let project = bare();
        let _servers = with_tokens(&project, move |_| Answer::new(200, answer));
        refuses(&project, &["failed to get a token for `127.0.0.1:", words]);
    }
    let project = bare();
    let _servers = with_tokens(&project, |_| Answer::new(401, ""));
    refuses(&project, &["401 Unauthorized", "help: run `docker login 127.0.0.1:"]);
    // A token that the registry does not take is not asked for again and again.
    let project = bare();
    let (registry, tokens) = with_tokens(&project, |_| Answer::new(200, r#"{"token":"other"}"#));
    refuses(&project, &["401 Unauthorized"]);
    assert_eq!((tokens.asked().len(), registry.asked().iter().filter(|asked| asked.path.contains("manifests")).count()), (1, 2));
}

fn a_realm_that_is_wrong_is_refused() {
    for (challenge, words) in [
        ("Bearer realm=\"http://tokens.example.com/x\"", "which is not encrypted"),
        ("Bearer realm=\"nonsense\"", "it is not a URL"),
        ("Digest realm=\"x\"", "401 Unauthorized"),
    ] {
        let (_, _, project) =
            faulty(move |_, asked, _| (asked.path != "/v2/").then(|| Answer::new(401, "").with("WWW-Authenticate", challenge)));
        refuses(&project, &[words]);
    }
    let (_, _, project) = faulty(|_, asked, _| (asked.path != "/v2/").then(|| Answer::new(401, "")));
    refuses(&project, &["401 Unauthorized"]);
}

fn plain_connections_are_only_for_hosts_in_the_list() {
    let project = bare();
    let address = outer_address().expect("needed");
    let good = Good::new(&project);
    let server = Server::start_at(&address, move |asked, _| good.answer(asked));
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", server.host));
    refuses(&project, &["failed to pull the image", "failed to reach", "error[registry-unreachable]"]);
    assert!(server.asked().is_empty(), "{:?}", server.asked());
    let mut listed = project.pack_alone(&["--format", "oci", "--insecure-registry", &server.host]);
    let output = run(listed.env("NO_PROXY", &address));
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn mirrors_are_asked_first_and_the_origin_last() {
    let (good, origin, project) = faulty(|_, _, _| None);
    let dead = Server::start(|_, _| Answer::new(404, ""));
    let behind = Arc::clone(&good);
    let partial =
        Server::start(move |asked, _| if asked.path.contains("/blobs/") { Answer::new(404, "") } else { behind.answer(asked) });
    let mirrors = format!("mirrors = {{ \"{}\" = [\"http://{}\", \"http://{}\"] }}\n", origin.host, dead.host, partial.host);
    project.edit("Cargo.toml", |text| text + &mirrors);
    let said = builds(&project);
    assert!(said.contains(&format!("the mirror `{}` failed", dead.host)), "{said}");
    assert!(partial.asked().iter().any(|asked| asked.path.contains("/manifests/1")));
    assert!(origin.asked().iter().all(|asked| asked.path.contains("/blobs/") || asked.path == "/v2/"), "{:?}", origin.asked());
}

fn helpers_are_asked_and_their_failures_told_without_their_words() {
    let project = bare();
    let good = Good::new(&project);
    let registry = Server::start(move |asked, _| match asked.headers.get("authorization").map(String::as_str) {
        Some(BASIC) => good.answer(asked),
        _ => Answer::new(401, "").with("WWW-Authenticate", "Basic realm=\"x\""),
    });
    project.with_base(&format!("{{ image = \"{}/team/base:1\" }}", registry.host));
    let helper = |script: &str| {
        project.write("tools/docker-credential-test", &format!("#!/bin/sh\n{script}\n"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(project.path().join("tools/docker-credential-test"), mode).expect("mode");
        let mut command = project.pack_alone(&["--format", "oci"]);
        let path = std::env::var("PATH").expect("PATH");
        run(command.env("PATH", format!("{}:{path}", project.path().join("tools").display())))
    };
    project.write("docker-config/config.json", &format!(r#"{{"credHelpers":{{"{}":"test"}}}}"#, registry.host));
    let failed = text(&helper(&format!("echo '{PASSWORD}'; echo locked >&2; exit 1")).stderr);
    assert!(failed.contains("docker-credential-test get") && failed.contains("locked") && !failed.contains(PASSWORD), "{failed}");
    let nonsense = text(&helper(&format!("echo '{PASSWORD}'")).stderr);
    assert!(nonsense.contains("did not return `Username` and `Secret`") && !nonsense.contains(PASSWORD), "{nonsense}");
    let answer = format!(
        r#"[ "$1 $(cat)" = "get {}" ] && echo '{{"ServerURL":"x","Username":"{USER}","Secret":"{PASSWORD}"}}'"#,
        registry.host
    );
    let good = helper(&answer);
    assert!(good.status.success(), "{}", text(&good.stderr));
}

fn a_lock_file_that_was_tampered_with_is_told_with_its_place() {
    let (good, _, project) = faulty(|_, _, _| None);
    builds(&project);
    let written = project.text("appbundle.lock");
    let of = |bytes: &[u8]| Digest::of(bytes).to_string();
    let other = Digest::of("other").to_string();
    let tar = Digest::of(project_tar(&good)).to_string();
    for (text_of_lock, words) in [
        (format!("<<<<<<< HEAD\n{written}=======\n>>>>>>> theirs\n"), vec!["merge conflict markers", "appbundle.lock:1:1"]),
        (format!("{written}colour = \"red\"\n"), vec!["unknown field `colour`", "appbundle.lock:"]),
        (written.replace(&of(&good.index), &other), vec!["the registry has no", "with this digest", "appbundle.lock:"]),
        (written.replace(&of(&good.image.manifest), &other), vec!["has the digest `sha256:", "appbundle.lock:"]),
        (written.replace(&tar, &other), vec!["these are not the layers of", "appbundle.lock:"]),
        (written.replace("glibc = \"2", "glibc = \"1"), vec!["the glibc of", "appbundle.lock:"]),
        (written.replace("version = 1", "version = 9"), vec!["newer", "appbundle.lock:3:"]),
    ] {
        project.write("appbundle.lock", &text_of_lock);
        let output = run(&mut project.pack_alone(&["--format", "oci", "--app-version", "9.9.9"]));
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for word in words {
            assert!(said.contains(word), "{word} in\n{said}");
        }
        assert_eq!(project.read("appbundle.lock"), text_of_lock.as_bytes());
    }
    project.write("appbundle.lock", &written);
    builds(&project);
}

fn project_tar(good: &Good) -> Vec<u8> {
    let mut tar = Vec::new();
    cargo_appbundle::archive::gzip::decoder(&good.image.layer[..]).read_to_end(&mut tar).expect("gzip");
    tar
}

fn what_is_pinned_and_gone_is_told_with_the_way_out() {
    let (good, _, project) = faulty(|good, asked, before| {
        let index = asked.path.ends_with(&Digest::of(&good.index).to_string());
        (index || asked.path.ends_with("/manifests/1") && before > 0).then(|| Answer::new(404, ""))
    });
    builds(&project);
    assert!(String::from_utf8_lossy(&project.read("appbundle.lock")).contains(&Digest::of(&good.index).to_string()));
    std::fs::remove_dir_all(project.path().join("target")).expect("removed");
    std::fs::remove_dir_all(project.path().join("cache")).expect("removed");
    let output = build(&project);
    let said = text(&output.stderr);
    assert!(
        !output.status.success()
            && said.contains("404")
            && said.contains("appbundle.lock:7:10")
            && said.contains("`cargo appbundle update 127.0.0.1:"),
        "{said}"
    );
}

fn several_processes_share_the_cache() {
    let (_, server, first) = faulty(|_, _, _| None);
    let others: Vec<Project> = (0..3).map(|_| project(&server)).collect();
    let mut running: Vec<_> = others
        .iter()
        .map(|other| {
            let mut command = other.pack_alone(&["--format", "oci"]);
            command.env("XDG_CACHE_HOME", first.path().join("cache")).spawn().expect("started")
        })
        .collect();
    builds(&first);
    assert!(running.iter_mut().all(|child| child.wait().expect("ended").success()));
    let blobs = std::fs::read_dir(first.path().join("cache/cargo-appbundle/blobs/sha256")).expect("cache");
    for entry in blobs.flatten() {
        assert_eq!(Digest::of(std::fs::read(entry.path()).expect("read")).hex(), entry.file_name().to_string_lossy());
    }
}

fn a_damaged_cache_is_mended() {
    let (good, server, project) = faulty(|_, _, _| None);
    builds(&project);
    std::fs::remove_dir_all(project.path().join("target")).expect("removed");
    let blob = |bytes: &[u8]| project.path().join("cache/cargo-appbundle/blobs/sha256").join(Digest::of(bytes).hex());
    for bytes in [&good.image.layer, &good.image.config, &good.image.manifest, &good.index] {
        let mut damaged = bytes.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        std::fs::write(blob(bytes), damaged).expect("written");
    }
    let before = server.asked().len();
    builds(&project);
    assert!(server.asked().len() > before);
    assert_eq!(std::fs::read(blob(&good.image.layer)).expect("read"), good.image.layer);
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_good_server_is_good, [arm64_cc]),
        test!(what_is_not_there_is_told_with_the_registrys_words, [arm64_cc]),
        test!(too_many_requests_and_passing_errors_are_waited_for, [arm64_cc]),
        test!(an_error_that_stays_ends, [arm64_cc]),
        test!(a_blob_that_was_cut_goes_on_where_it_was, [arm64_cc]),
        test!(a_server_that_cannot_go_on_begins_again, [arm64_cc]),
        test!(a_blob_that_is_always_cut_at_the_same_place_ends_in_an_error, [arm64_cc]),
        test!(wrong_bytes_and_wrong_lengths_are_refused, [arm64_cc]),
        test!(manifests_that_lie_are_refused, [arm64_cc]),
        test!(an_image_for_another_platform_is_refused, [arm64_cc]),
        test!(credentials_go_to_their_host_alone, [arm64_cc]),
        test!(a_redirect_to_a_plain_connection_elsewhere_is_refused, [arm64_cc]),
        test!(a_token_is_asked_for_once_with_the_password_and_used, [arm64_cc]),
        test!(a_token_server_that_answers_nonsense_ends_in_an_error, [arm64_cc]),
        test!(a_realm_that_is_wrong_is_refused, [arm64_cc]),
        test!(plain_connections_are_only_for_hosts_in_the_list, [arm64_cc, network]),
        test!(mirrors_are_asked_first_and_the_origin_last, [arm64_cc]),
        test!(helpers_are_asked_and_their_failures_told_without_their_words, [arm64_cc]),
        test!(a_lock_file_that_was_tampered_with_is_told_with_its_place, [arm64_cc]),
        test!(what_is_pinned_and_gone_is_told_with_the_way_out, [arm64_cc]),
        test!(several_processes_share_the_cache, [arm64_cc]),
        test!(a_damaged_cache_is_mended, [arm64_cc]),
    ])
}
