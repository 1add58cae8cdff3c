//! Features of services, and variants of an app, in one run of Cargo.

mod support;

use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::arm64_rust;
use support::{Project, appbundle, fails, judge, ok, run, text};

/// Tells the executable which features Cargo gave its package.
const BUILD: &str = r#"fn main() {
    let features = std::env::vars().filter_map(|(name, _)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase()));
    let mut on: Vec<String> = features.collect();
    on.sort();
    println!("cargo::rustc-env=ON={}", on.join("+"));
}
"#;

const ENTERPRISE: &str =
    "\n[workspace.metadata.appbundle.variants.enterprise]\nfeatures = [\"enterprise\"]\nservices.beta.features = [\"audit\"]\n";

/// Services whose executables print their features.
fn project(app: &str, tables: [&str; 3]) -> Project {
    let names = ["alpha", "beta", "gamma"];
    let project = Project::named(app, &[]);
    let features = ["default = [\"log\"]\nlog = []\nenterprise = []\n", "default = [\"log\"]\nlog = []\naudit = []\n", ""];
    for ((name, table), features) in names.iter().zip(tables).zip(features) {
        project.service(name, table);
        project.edit(&format!("services/{name}/Cargo.toml"), |text| format!("{text}\n[features]\n{features}"));
        project.write(&format!("services/{name}/src/main.rs"), "fn main() { println!(\"{}\", env!(\"ON\")); }\n");
        project.write(&format!("services/{name}/build.rs"), BUILD);
    }
    project
}

fn native() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// What the packed executables print.
fn features(project: &Project, folder: &str) -> [String; 3] {
    ["alpha", "beta", "gamma"].map(|name| {
        let path = format!("target/appbundle{folder}/docker/{name}/rootfs/usr/local/bin/{name}");
        ok(&mut Command::new(project.path().join(path))).trim().to_owned()
    })
}

fn default_features_are_each_services_own_in_one_run() {
    let project = project("demo", ["default-features = false\nfeatures = [\"enterprise\"]\n", "", ""]);
    let output = run(&mut appbundle(project.path(), &["build", "-v", "--format", "docker", "--target", &native()]));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    let runs: Vec<&str> = said.lines().filter(|line| line.contains(" Running `") && line.contains(" build --target")).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(features(&project, ""), ["enterprise", "default+log", ""]);
    let plan = ok(&mut appbundle(project.path(), &["plan"]));
    assert!(plan.contains("features enterprise, without the default ones\n"), "{plan}");
    // What is typed is for all.
    ok(&mut appbundle(project.path(), &["build", "--no-default-features", "--format", "docker", "--target", &native()]));
    assert_eq!(features(&project, ""), ["enterprise", "", ""]);
}

fn services_of_one_package_agree_on_default_features() {
    let project = Project::new(&[]);
    project.service(
        "alpha",
        "bin = \"alpha\"\n\n[[package.metadata.service]]\nname = \"other\"\nbin = \"alpha\"\ndefault-features = false\n",
    );
    project.edit("services/alpha/Cargo.toml", |text| {
        text.replace("[package.metadata.service]\nbin", "[[package.metadata.service]]\nbin")
    });
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(
        error.contains("the package `alpha` is compiled once for `alpha` and `other`, so both need the same `default-features`")
            && error.contains("services/alpha/Cargo.toml:12:20"),
        "{error}"
    );
}

fn a_variant_lies_beside_the_app() {
    let project = project("demo", ["", "", ""]);
    project.edit("Cargo.toml", |text| text + ENTERPRISE);
    let build = |more: &[&str]| {
        let output = run(appbundle(project.path(), &["build", "--format", "docker", "--target", &native()]).args(more));
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stdout).trim().to_owned(), text(&output.stderr))
    };
    let (plain, _) = build(&[]);
    let (variant, _) = build(&["--variant", "enterprise"]);
    let folder = project.path().join("target/appbundle").display().to_string();
    assert_eq!(plain, format!("{folder}/com.example.demo-1.2.3.docker.tar"));
    assert_eq!(variant, format!("{folder}/com.example.demo-enterprise-1.2.3.docker.tar"));
    assert_eq!(features(&project, ""), ["default+log", "default+log", ""]);
    assert_eq!(features(&project, "/variants/enterprise"), ["default+enterprise+log", "audit+default+log", ""]);
    assert!(project.path().join("target/appbundle/variants/enterprise/debug/alpha.debug").is_file());
    // To build one does not make the other stale.
    assert!(build(&[]).1.contains("Fresh com.example.demo 1.2.3"));
    assert!(build(&["--variant", "enterprise"]).1.contains("Fresh com.example.demo-enterprise 1.2.3"));
    // Images of both do not meet in an engine or a registry.
    let images = |bundle: &str| judge("tar", &["-xOf", bundle, "manifest.json"]);
    assert!(
        images(&plain).contains("com.example.demo.alpha:1.2.3")
            && images(&variant).contains("com.example.demo-enterprise.alpha:1.2.3")
    );
    let last = |more: &[&str]| ok(appbundle(project.path(), &["inspect", "--target", &native()]).args(more));
    assert!(last(&["--variant", "enterprise"]).contains("com.example.demo-enterprise") && !last(&[]).contains("enterprise"));
    ok(&mut appbundle(project.path(), &["clean"]));
    assert!(!project.path().join("target/appbundle").exists());
}

fn a_variant_has_its_formats_and_reaches_every_verb() {
    let project = project("demo", ["", "", ""]);
    project.edit("Cargo.toml", |text| {
        format!("{text}\n[workspace.metadata.appbundle.variants.lab]\nsuffix = \"test\"\nformats = [\"oci\"]\nservices.alpha.default-features = false\n")
    });
    let plan = ok(&mut appbundle(project.path(), &["plan", "--variant", "lab"]));
    assert!(
        plan.starts_with("com.example.demo-test 1.2.3\n")
            && plan.contains("  variant  lab\n")
            && plan.contains("/com.example.demo-test-1.2.3.oci.tar\n")
            && plan.contains("features without the default ones\n"),
        "{plan}"
    );
    let two =
        ["build", "--variant", "lab", "--format", "docker,oci", "--target", "aarch64-unknown-linux-gnu", "--target", &native()];
    let printed = ok(&mut appbundle(project.path(), &two));
    let names: Vec<&str> =
        printed.lines().filter_map(|line| line.split_once("/target/appbundle/")).map(|(_, name)| name).collect();
    if cfg!(target_arch = "x86_64") {
        let folders = ["linux-arm64", "linux-amd64"].map(|folder| format!("{folder}/com.example.demo-test-1.2.3.docker.tar"));
        assert_eq!(names, [&folders[0], &folders[1], "com.example.demo-test-1.2.3.oci.tar"]);
    }
    let generated = project.path().join("target/appbundle/variants/lab/compose/demo-test/docker-compose.yml");
    ok(&mut appbundle(project.path(), &["generate", "--variant", "lab", "--for", "compose"]));
    assert!(generated.is_file());
    for verb in [
        "build", "plan", "generate", "run", "dev", "push", "load", "inspect", "verify", "deploy", "status", "remove", "update",
        "vendor", "doctor",
    ] {
        let error = fails(&mut appbundle(project.path(), &[verb, "--variant", "lav", "--help-me"]), 2);
        assert!(error.contains("--help-me"), "`{verb}` has no `--variant`: {error}");
    }
}

/// Tests are compiled with the features of the variant.
fn tests_run_with_the_features_of_a_variant() {
    let project = project("demo", ["", "", ""]);
    project.edit("Cargo.toml", |text| text + ENTERPRISE);
    project.write(
        "services/alpha/tests/it.rs",
        r#"#[test]
fn on() { assert_eq!(env!("ON"), std::env::var("EXPECTED").unwrap()); }
"#,
    );
    for (variant, expected) in [(&[][..], "default+log"), (&["--variant", "enterprise"], "default+enterprise+log")] {
        ok(appbundle(project.path(), &[&["test", "alpha"], variant].concat()).env("EXPECTED", expected));
    }
    let error = fails(&mut appbundle(project.path(), &["test", "alpha", "--variant", "enterprize"]), 1);
    assert!(error.contains("there is no variant `enterprize`") && error.contains("did you mean `enterprise`?"), "{error}");
}

fn mistakes_have_a_place() {
    let project = project("demo", ["", "", ""]);
    let root = project.text("Cargo.toml");
    for (lines, place, message) in [
        (
            "features = [\"enterprize\"]",
            "14:13",
            "no service has a package with the feature `enterprize`; did you mean `enterprise`?",
        ),
        ("services.bet.features = [\"audit\"]", "14:10", "there is no service `bet`; did you mean `beta`?"),
        (
            "services.beta.features = [\"log\", \"audti\"]",
            "14:34",
            "package `beta` has no feature `audti`; did you mean `audit`?",
        ),
        ("suffix = \"x\"", "13:1", "the variant `big` changes nothing: set `features`, `services` or `formats`"),
        ("suffix = \"X y\"\nfeatures = [\"log\"]", "14:10", "`X y` cannot be a name"),
        ("feature = [\"log\"]", "14:1", "unknown key `feature`"),
        (
            "features = [\"log\"]\n[workspace.metadata.appbundle.variants.huge]\nsuffix = \"big\"\nfeatures = [\"log\"]",
            "16:10",
            "two variants have the suffix `big`",
        ),
    ] {
        project.write("Cargo.toml", &format!("{root}\n\n\n\n[workspace.metadata.appbundle.variants.big]\n{lines}\n"));
        // Those that are not chosen are checked as well.
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains(message) && error.contains(&format!("Cargo.toml:{place}")), "{lines}: {error}");
    }
    project.write("Cargo.toml", &(root.clone() + ENTERPRISE));
    let error = fails(&mut appbundle(project.path(), &["plan", "--variant", "enterprice"]), 1);
    assert!(
        error.contains("there is no variant `enterprice`")
            && error.contains("did you mean `enterprise`?")
            && error.contains("--variant"),
        "{error}"
    );
    project.write("Cargo.toml", &root);
    let error = fails(&mut appbundle(project.path(), &["plan", "--variant", "any"]), 1);
    assert!(error.contains("help: describe it under `[workspace.metadata.appbundle.variants.any]`"), "{error}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(default_features_are_each_services_own_in_one_run),
        test!(services_of_one_package_agree_on_default_features),
        test!(a_variant_lies_beside_the_app),
        test!(a_variant_has_its_formats_and_reaches_every_verb, [arm64_rust]),
        test!(tests_run_with_the_features_of_a_variant),
        test!(mistakes_have_a_place),
    ])
}
