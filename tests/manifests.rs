//! What is read from manifests, and what is said of mistakes in them.

mod support;

use support::{Project, appbundle, fails, ok, repository};

fn plan(project: &Project, arguments: &[&str]) -> serde_json::Value {
    let mut all = vec!["plan", "--json"];
    all.extend(arguments);
    serde_json::from_str(&ok(&mut appbundle(project.path(), &all))).expect("JSON")
}

#[test]
fn a_plan_for_people_tells_of_secrets_and_replicas() {
    let project = Project::new(&[]);
    let secrets = "secrets = { TOKEN = { secret = \"gallery\", key = \"token\" }, KEY = { secret = \"keys\", key = \"api\" } }\n";
    project.service("a", &format!("replicas = 3\n{secrets}"));
    project.service("b", "");
    let printed = ok(&mut appbundle(project.path(), &["plan"]));
    let (a, b) = printed.split_once("2. b").expect("two services");
    assert!(
        a.contains("\n  replicas 3\n") && a.contains("\n  secrets  KEY (key api of keys), TOKEN (key token of gallery)\n"),
        "{a}"
    );
    assert!(!b.contains("replicas") && !b.contains("secrets"), "{b}");
}

#[test]
fn all_mistakes_of_all_manifests_come_in_one_report() {
    let project = Project::new(&[]);
    project.service("alpha", "enviroment = {}\nports = [\"99999\"]\ndepends-on = [\"beta\"]\n");
    project.service(
        "beta",
        "name = \"Beta!\"\nfiles = [{ from = \"none\", to = \"/x\" }]\nnetwork-mode = \"hots\"\nbin = \"betta\"\n",
    );
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "unknown key `enviroment`",
        "did you mean `environment`?",
        "services/alpha/Cargo.toml:7:1",
        "services/beta/Cargo.toml:7:8",
        "`Beta!` cannot be a name",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    project.service("alpha", "ports = [\"99999\"]\n");
    project.service("beta", "files = [{ from = \"none\", to = \"/x\" }]\nnetwork-mode = \"hots\"\n");
    project.service("gamma", "bin = \"gama\"\nroutes = { api = {} }\nvolumes = [\"x\"]\nhealthcheck = {}\nfeatures = [\"none\"]\nbase = { rootfs = \"no.tar\" }\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "`99999` is not a port",
        "`none` cannot be read",
        "did you mean `host`?",
        "has no bin `gama`; did you mean `gamma`?",
        "services/gamma/Cargo.toml:12:8",
        "`no.tar` does not exist",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

#[test]
fn cycles_doubles_and_unknown_names_are_refused() {
    let project = Project::new(&[]);
    project.service("a", "depends-on = [\"b\"]\n");
    project.service("b", "depends-on = [\"c\"]\n");
    project.service("c", "depends-on = [\"a\"]\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("in a cycle: a -> b -> c -> a"), "{error}");
    project.service("c", "depends-on = [\"bb\"]\n");
    assert!(fails(&mut appbundle(project.path(), &["plan"]), 1).contains("there is no service `bb`; did you mean `b`?"));
    project.service("c", "depends-on = [\"c\"]\n");
    assert!(fails(&mut appbundle(project.path(), &["plan"]), 1).contains("the service `c` depends on itself"));
    project.service("c", "name = \"a\"\n");
    assert!(fails(&mut appbundle(project.path(), &["plan"]), 1).contains("two services are named `a`"));
    project.service("c", "");
    project.write("app.yml", "services: { a: { image: x:#VERSION# }, b: { image: x:#VERSION# }, c: { image: c:#VERSION# } }\n");
    assert!(fails(&mut appbundle(project.path(), &["plan"]), 1).contains("have the same image `x:1.2.3`"));
}

#[test]
fn tables_that_are_nearly_right_are_errors() {
    let project = Project::new(&["alpha"]);
    let manifest = |table: &str| {
        format!(
            "[package]\nname = \"beta\"\nversion = \"0.1.0\"\n\n{table}\n[package.metadata.bundle]\n[package.metadata.docs.rs]\n"
        )
    };
    project.write("services/beta/Cargo.toml", &manifest("[package.metadata.servce]"));
    project.write("services/beta/src/main.rs", "fn main() {}\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    let place = "error[unknown-table]: the table `[package.metadata.servce]` is not read\n --> services/beta/Cargo.toml:5:19\n";
    assert!(error.starts_with(place), "{error}");
    assert!(
        error.contains("did you mean `[package.metadata.service]`?") && error.matches("did you mean").count() == 1,
        "{error}"
    );
    project.write("services/beta/Cargo.toml", &manifest("[package.metadata.appbundle]"));
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("did you mean `[workspace.metadata.appbundle]` in the workspace's `Cargo.toml`?"), "{error}");
    project.write("services/beta/Cargo.toml", &manifest("[package.service]"));
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("the table `[package.service]` is not read"), "{error}");
    project.write("services/beta/Cargo.toml", &manifest(""));
    ok(&mut appbundle(project.path(), &["plan"]));

    // Also where it is the app's, and nothing else of it is wrong.
    project.edit("Cargo.toml", |text| text.replace("metadata.appbundle", "metadata.appbundel"));
    let error = fails(&mut appbundle(project.path(), &["build"]), 1);
    assert!(
        error.starts_with("error[unknown-table]: the table `[workspace.metadata.appbundel]` is not read\n --> Cargo.toml:5:")
    );
    assert!(error.contains("did you mean `[workspace.metadata.appbundle]`?"), "{error}");
    // And where no service is left.
    project.edit("Cargo.toml", |text| text.replace("metadata.appbundel", "metadata.appbundle"));
    project.edit("services/alpha/Cargo.toml", |text| text.replace("metadata.service", "metadata.srevice"));
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("the table `[package.metadata.srevice]` is not read") && !error.contains("no-services"), "{error}");
}

#[test]
fn flags_that_are_wrong_are_told_as_flags() {
    let project = Project::new(&["alpha"]);
    let told = |arguments: &[&str]| fails(&mut appbundle(project.path(), arguments), 1);
    for (typed, why, near) in [
        ("amd46", "there is no target `amd46`", "amd64"),
        ("aarch64-unkown-linux-gnu", "rustc has no target `aarch64-unkown-linux-gnu`", "aarch64-unknown-linux-gnu"),
        (
            "aarch64-unknown-linux-gun",
            "the target `aarch64-unknown-linux-gun` has the unknown C library `gun`",
            "aarch64-unknown-linux-gnu",
        ),
        (
            "x86-64-unknown-linux-musl",
            "the target `x86-64-unknown-linux-musl` has the unknown processor `x86`",
            "x86_64-unknown-linux-musl",
        ),
    ] {
        for verb in ["plan", "build", "doctor"] {
            let error = told(&[verb, "--target", typed]);
            assert!(error.starts_with(&format!("error[unknown-target]: {why}")), "{error}");
            assert!(error.contains("\n--> from `--target`\n"), "{error}");
            assert!(error.contains(&format!("help: did you mean `{near}`?")) && !error.contains("Cargo.toml"), "{error}");
        }
    }
    let error = told(&["plan", "--target", "aarch64-apple-darwin"]);
    assert!(error.contains("`aarch64-apple-darwin` is not a Linux target") && error.contains("from `--target`"), "{error}");
    let error = told(&["plan", "--app-version", "a b"]);
    assert!(error.contains("\n--> from `--app-version`\n") && !error.contains("Cargo.toml"), "{error}");
    project.edit("Cargo.toml", |text| text.replace("author = \"com.example\"\n", ""));
    let error = told(&["plan", "--format", "auterionos"]);
    assert!(error.starts_with("error[author-missing]: ") && error.contains("\n--> from `--format`\n"), "{error}");

    // In a table, it has its place.
    project.edit("Cargo.toml", |text| text + "targets = [\"aarch64-unkown-linux-gnu\"]\n");
    let error = told(&["plan"]);
    assert!(error.contains("rustc has no target `aarch64-unkown-linux-gnu`\n --> Cargo.toml:8:12\n"), "{error}");
    assert!(error.contains("did you mean `aarch64-unknown-linux-gnu`?"), "{error}");
}

#[test]
fn an_image_as_a_base_is_told_how_it_is_written() {
    let project = Project::new(&["alpha"]);
    project.edit("Cargo.toml", |text| text + "base = \"debian:bookworm\"\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.starts_with("error[invalid-value]: `base` cannot be `debian:bookworm`\n --> Cargo.toml:9:8\n"), "{error}");
    assert!(error.contains("= help: did you mean `{ image = \"debian:bookworm\" }`?\n"), "{error}");
}

#[test]
fn a_target_has_shorter_names() {
    let project = Project::new(&["alpha"]);
    for (alias, triple) in [
        ("arm64", "aarch64-unknown-linux-gnu"),
        ("aarch64", "aarch64-unknown-linux-gnu"),
        ("amd64", "x86_64-unknown-linux-gnu"),
        ("x86_64", "x86_64-unknown-linux-gnu"),
    ] {
        assert_eq!(plan(&project, &["--target", alias])["target"]["triple"], triple);
    }
    let error = fails(&mut appbundle(project.path(), &["build", "--target", "arm64", "--target", "aarch64"]), 1);
    assert!(error.contains("the targets `arm64` and `aarch64` are both for linux/arm64"), "{error}");
    project.edit("Cargo.toml", |text| text + "targets = [\"amd64\"]\n");
    assert_eq!(plan(&project, &[])["target"]["triple"], "x86_64-unknown-linux-gnu");
}

#[test]
fn a_mistake_in_one_service_hides_none_between_the_others() {
    let project = Project::new(&[]);
    project.service("alpha", "ports = [\"99999\"]\ndepends-on = [\"beta\"]\n");
    project.service("beta", "depends-on = [\"gama\", \"alpha\"]\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in ["`99999` is not a port", "there is no service `gama`", "in a cycle: alpha -> beta -> alpha"] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    // What is missing because it could not be read is told once, where it stands.
    project.edit("Cargo.toml", |text| text + "stacks = { inner = { services = [\"beta\"] } }\n");
    project.service("alpha", "");
    project.service("beta", "bin = \"beto\"\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("has no bin `beto`") && !error.contains("there is no service"), "{error}");
}

#[test]
fn of_several_tables_in_one_manifest_the_wrong_one_is_shown() {
    let project = Project::new(&[]);
    let tables = "\n[[package.metadata.service]]\nname = \"one\"\n[[package.metadata.service]]\nname = \"three\"\ndepends-on = [\"two\"]\n\
        [[package.metadata.service]]\nname = \"two\"\ndepends-on = [\"three\"]\n";
    project.service("alpha", "");
    project.edit("services/alpha/Cargo.toml", |text| text.replace("\n[package.metadata.service]\n", tables));
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("cycle: three -> two -> three") && error.contains("alpha/Cargo.toml:10:14"), "{error}");
}

#[test]
fn files_that_cannot_stand_side_by_side_are_refused() {
    let project = Project::new(&[]);
    project.write("x", "x");
    let table = |places: &[&str]| {
        let files: Vec<String> = places.iter().map(|to| format!("{{ from = \"../../x\", to = \"{to}\" }}")).collect();
        format!("files = [{}]\n", files.join(", "))
    };
    for (places, why) in [
        (&["/srv/a", "/srv/a-b", "/srv/a/c"][..], "`/srv/a` is a file, so the image cannot contain `/srv/a/c`"),
        (&["/usr/local"], "`/usr/local` is a file, so the image cannot contain `/usr/local/bin/alpha`"),
        (&["/usr/local/bin/alpha/x"], "`/usr/local/bin/alpha` is a file"),
        (&["/srv/.wh.a"], "names that begin with `.wh.` mark files as deleted"),
        (&["/srv/.wh.a/b"], "names that begin with `.wh.`"),
    ] {
        project.service("alpha", &table(places));
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains(why) && error.contains("alpha/Cargo.toml:7:"), "{why} in {error}");
    }
    // Alone, each of these two services is right.
    for (places, why) in [
        ("/usr/local/bin/alpha", "is the path of the executable of `alpha`"),
        ("/srv/a/b", "`/srv/a` of `alpha` is a file, so the image cannot contain `/srv/a/b`"),
    ] {
        project.service("alpha", &table(&["/srv/a"]));
        project.service("beta", &table(&[places]));
        ok(&mut appbundle(project.path(), &["plan"]));
        let manifest = project.text("Cargo.toml");
        project.write("Cargo.toml", &format!("{manifest}layout = \"multi-binary\"\n"));
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains(why) && error.contains("beta/Cargo.toml:7:"), "{why} in {error}");
        project.write("Cargo.toml", &manifest);
    }
}

#[test]
fn names_are_as_long_as_formats_take_them() {
    let project = Project::new(&["alpha"]);
    let manifest = project.text("Cargo.toml");
    let with = |author: usize, service: usize| {
        let author = format!("com.{}", "a".repeat(author - 4));
        project.write("Cargo.toml", &manifest.replace("com.example", &author));
        project.service("alpha", &format!("name = \"{}\"\n", "s".repeat(service)));
    };
    // `docker.io/library/`, author, `.demo.`, service: 255; author, `.demo-1.2.3-simulation.auterionos`: 255.
    with(103, 128);
    ok(&mut appbundle(project.path(), &["plan"]));
    with(104, 128);
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("has 238 bytes; at most 237 are allowed") && error.contains("alpha/Cargo.toml:7:8"), "{error}");
    with(222, 9);
    ok(&mut appbundle(project.path(), &["plan"]));
    with(223, 8);
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("would have 256 bytes") && error.contains("Cargo.toml:6:8"), "{error}");
}

#[test]
fn values_that_no_engine_and_no_device_takes_are_told_at_once() {
    let project = Project::new(&[]);
    project.service(
        "alpha",
        "args = [\"#VERSION#\"]\nhealthcheck = { command = [\"x\"], interval = \"soon\", timeout = \"1day\", start-period = \"1m30s\" }\n\
        [package.metadata.service.test.dependencies]\ndb = { image = \"x\", ports = [1], healthcheck = { port = 1, timeout = \"3 s\" } }\n",
    );
    let auterion = "[workspace.metadata.appbundle.auterion]\napi-version = 6\nlogging = { rate = 1 }\n\
        parameters = [{ name = \"a\", type = \"int64\", default = true, description = { short = \"A\" } }]\ncompose-override = { version = \"3\" }\n";
    project.edit("Cargo.toml", |text| format!("{text}\n{auterion}"));
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for (part, place) in [
        ("`#VERSION#` is replaced only in `app.yml`", "alpha/Cargo.toml:6:1"),
        ("`soon` is not a duration", "alpha/Cargo.toml:8:45"),
        ("`1day` is not a duration", "alpha/Cargo.toml:8:63"),
        ("`3 s` is not a duration", "alpha/Cargo.toml:10:70"),
        ("`rate` of `logging` is not known", "Cargo.toml:12:11"),
        ("parameter `a`: `default` is not of type int64", "Cargo.toml:13:14"),
        ("`compose-override.version` is not known", "Cargo.toml:14:20"),
    ] {
        let after = error.split(part).nth(1).unwrap_or_else(|| panic!("{part} in\n{error}"));
        assert!(after.lines().nth(1).is_some_and(|line| line.ends_with(place)), "{place} in {after}");
    }
}

#[test]
fn services_come_in_launch_order_with_all_defaults() {
    let project = Project::new(&[]);
    project.service("web", "depends-on = [\"store\"]\nargs = [\"--verbose\"]\nenvironment = { N = 1, B = true }\n");
    project.service("store", "volumes = [\"data:/data\"]\n");
    let plan = plan(&project, &[]);
    let names: Vec<&str> = plan["services"].as_array().expect("list").iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, ["store", "web"]);
    let web = &plan["services"][1];
    assert_eq!(
        (web["user"].as_str(), web["workdir"].as_str(), web["bin"].as_str()),
        (Some("65532:65532"), Some("/"), Some("web"))
    );
    assert_eq!(web["environment"], serde_json::json!({ "B": "true", "N": "1" }));
    assert_eq!(web["image"], "com.example.demo.web:1.2.3");
    assert_eq!(plan["target"]["platform"]["architecture"], "arm64");
}

#[test]
fn bins_are_found_as_cargo_does() {
    let project = Project::new(&[]);
    project.service("multi", "");
    project.write("services/multi/src/bin/second.rs", "fn main() {}\n");
    assert!(fails(&mut appbundle(project.path(), &["plan"]), 1).contains("has several bins: set `bin` to one of"));
    let manifest = "[package]\nname = \"multi\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndefault-run = \"second\"\n[features]\nextra = []\n[package.metadata.service]\n";
    project.write("services/multi/Cargo.toml", manifest);
    assert_eq!(plan(&project, &[])["services"][0]["bin"], "second");
    let two = "[[package.metadata.service]]\nname = \"one\"\nbin = \"multi\"\n[[package.metadata.service]]\nname = \"two\"\nbin = \"second\"\nfeatures = [\"extra\"]\n";
    project.write("services/multi/Cargo.toml", &manifest.replace("[package.metadata.service]\n", two));
    let both = plan(&project, &[]);
    assert_eq!((&both["services"][0]["name"], &both["services"][1]["features"][0]), (&"one".into(), &"extra".into()));
    assert_eq!(plan(&project, &["-p", "two"])["services"].as_array().expect("list").len(), 1);
    assert!(fails(&mut appbundle(project.path(), &["plan", "-p", "three"]), 1).contains("no service or package named `three`"));
}

#[test]
fn two_packages_with_one_bin_are_refused() {
    let project = Project::new(&["alpha", "beta"]);
    for name in ["alpha", "beta"] {
        let bin = "[[bin]]\nname = \"server\"\npath = \"src/main.rs\"\n";
        project.edit(&format!("services/{name}/Cargo.toml"), |text| format!("{text}\n{bin}"));
    }
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("`alpha` and `beta` both have a bin `server`"), "{error}");
}

#[test]
fn a_single_package_is_an_app() {
    let project = Project::new(&[]);
    project.write("Cargo.toml", "[package]\nname = \"solo\"\nversion = \"0.3.0\"\nedition = \"2021\"\n[package.metadata.appbundle]\nname = \"solo-app\"\n[package.metadata.service]\n");
    project.write("src/main.rs", "fn main() {}\n");
    std::fs::remove_dir_all(project.path().join("services")).ok();
    let plan = plan(&project, &[]);
    assert_eq!(
        (&plan["name"], &plan["version"]["written"], &plan["formats"][0]),
        (&"solo-app".into(), &"0.3.0".into(), &"docker".into())
    );
    assert_eq!(plan["services"][0]["image"], "solo-app.solo:0.3.0");
}

#[test]
fn the_target_folder_is_cargos() {
    let project = Project::new(&["alpha"]);
    let output = |plan: &serde_json::Value| plan["output"].as_str().expect("path").to_owned();
    project.write(".cargo/config.toml", "[build]\ntarget-dir = \"elsewhere\"\n");
    assert!(output(&plan(&project, &[])).ends_with("/elsewhere/appbundle"));
    let of_variable = ok(appbundle(project.path(), &["plan", "--json"]).env("CARGO_TARGET_DIR", "/tmp/of-variable"));
    assert!(of_variable.contains("/tmp/of-variable/appbundle"));
    assert!(output(&plan(&project, &["--target-dir", "typed"])).ends_with("/typed/appbundle"));
    assert!(output(&plan(&project, &["--out-dir", "out"])).ends_with("/out"));
}

#[test]
fn nothing_to_plan_says_what_to_do() {
    let project = Project::new(&[]);
    project.write("services/lib/Cargo.toml", "[package]\nname = \"lib\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    project.write("services/lib/src/lib.rs", "");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("run `cargo appbundle new-service NAME`"), "{error}");
    project.write("services/lib/src/main.rs", "fn main() {}\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("run `cargo appbundle init`"), "{error}");
    let error = fails(&mut appbundle(std::path::Path::new("/"), &["plan"]), 1);
    assert!(error.contains("could not find `Cargo.toml`"), "{error}");
    fails(&mut appbundle(project.path(), &["biuld"]), 2);
}

#[test]
fn the_schema_accepts_the_examples_and_refuses_what_we_refuse() {
    let schema: serde_json::Value = serde_json::from_str(&ok(&mut appbundle(&repository(), &["schema"]))).expect("JSON");
    let shipped = std::fs::read_to_string(repository().join("appbundle.schema.json")).expect("shipped");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&shipped).expect("JSON"),
        schema,
        "run `cargo run -- schema > appbundle.schema.json`"
    );
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut manifests = 0;
    for entry in
        walkdir::WalkDir::new(repository().join("examples")).into_iter().filter_entry(|e| e.file_name() != "target").flatten()
    {
        if entry.file_name() == "Cargo.toml" {
            let manifest: toml::Table = std::fs::read_to_string(entry.path()).expect("text").parse().expect("TOML");
            let manifest = serde_json::to_value(manifest).expect("JSON");
            assert!(
                validator.is_valid(&manifest),
                "{}: {:?}",
                entry.path().display(),
                validator.iter_errors(&manifest).map(|e| e.to_string()).collect::<Vec<_>>()
            );
            manifests += 1;
        }
    }
    assert!(manifests >= 7);
    assert!(!validator.is_valid(&serde_json::json!({ "package": { "metadata": { "service": { "enviroment": {} } } } })));
    assert!(validator.is_valid(&serde_json::json!({ "package": { "metadata": { "service": [{}, { "base": "auto" }] } } })));
}

/// One compilation serves all services: what one asks for, the other gets too.
#[test]
fn the_plan_says_which_features_are_shared() {
    let project = Project::new(&["a", "b"]);
    project.write(
        "shared/Cargo.toml",
        "[package]\nname = \"shared\"\nversion = \"0.3.0\"\nedition = \"2021\"\n[features]\nfast = []\nsafe = []\n",
    );
    project.write("shared/src/lib.rs", "");
    for (name, feature) in [("a", "fast"), ("b", "safe")] {
        let path = format!("services/{name}/Cargo.toml");
        let dependency = format!("shared = {{ path = \"../../shared\", features = [\"{feature}\"] }}\n");
        project.edit(&path, |text| format!("{text}\n[dependencies]\n{dependency}"));
    }
    let text = ok(&mut appbundle(project.path(), &["plan"]));
    assert!(text.contains("  shared v0.3.0: fast for a; safe for b\n"), "{text}");
    let plan = plan(&project, &[]);
    assert_eq!(plan["unified"][0]["package"], "shared v0.3.0");
    assert_eq!(plan["unified"][0]["features"]["safe"][0], "b");
}
