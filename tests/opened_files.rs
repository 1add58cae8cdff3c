//! Files that libraries open by name: they find them in the base `auto`, or a note tells which it does not have.

mod support;

use std::process::{Command, ExitCode};

use support::harness::{self, test};
use support::needs::{arm64_c, arm64_cc, docker_arm64};
use support::{Project, ok, run, text};

/// Counts the roots of the default paths, loads a module, and reads the default configuration.
const TLS: &str = "#include <openssl/conf.h>\n#include <openssl/provider.h>\n#include <openssl/ssl.h>\n#include <stdio.h>\nint main() {\n\
    SSL_CTX *context = SSL_CTX_new(TLS_client_method()); SSL_CTX_set_default_verify_paths(context);\n\
    int roots = sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context)));\n\
    int legacy = OSSL_PROVIDER_load(NULL, \"legacy\") != NULL;\n\
    int configured = CONF_modules_load_file(NULL, NULL, 0) == 1;\n\
    printf(\"%s, legacy %d, configuration %d\\n\", roots > 100 ? \"roots\" : \"none\", legacy, configured); return 0; }\n";

/// Without the variables that point to the roots of this machine: the image alone has to do.
fn openssl_finds_its_roots_modules_and_configuration() {
    let project = Project::named("openedtls", &["alpha"]);
    project.edit("services/alpha/Cargo.toml", |text| text + "user = \"1000:1000\"\n");
    project.compile("aarch64-linux-gnu-gcc", "alpha", TLS, &["-lssl", "-lcrypto"]);
    for engine in ["native", "docker"] {
        let bundle = ok(&mut project.pack(&["--format", "docker", "--engine", engine]));
        support::judge("docker", &["load", "-i", bundle.trim()]);
        let image = "com.example.openedtls.alpha:1.2.3";
        let said = support::judge("docker", &["run", "--rm", "--platform", "linux/arm64", image]);
        assert_eq!(said, "roots, legacy 1, configuration 1\n", "{engine}");
    }
    support::judge("docker", &["rmi", "--force", "com.example.openedtls.alpha:1.2.3"]);
}

/// The files of the base.
fn of_base(project: &Project) -> String {
    let folder = project.path().join("target/appbundle/docker");
    ok(Command::new("tar").args(["tzvf", "base.tar.gz"]).current_dir(folder))
}

fn other_libraries_are_packed_with_what_they_load_or_told() {
    let project = Project::new(&["alpha"]);
    let library = |name: &str, flags: &[&str]| {
        std::fs::create_dir_all(project.path().join("bin/usr/lib/sasl2")).expect("folder");
        let soname = format!("-Wl,-soname,{}", name.rsplit('/').next().expect("a name"));
        let own = name.replace(['/', '.', '-'], "_");
        project.compile(
            "aarch64-linux-gnu-gcc",
            &format!("usr/lib/{name}"),
            &format!("int of_{own}() {{ return 0; }}\n"),
            &[&["-shared", &soname], flags].concat(),
        );
    };
    for name in ["libmagic.so.1", "libsasl2.so.2", "libtss2-tctildr.so.0", "libtss2-tcti-device.so.0", "libdeep.so.1"] {
        library(name, &[]);
    }
    library("sasl2/libplain.so.2", &["-Wl,--no-as-needed", "-Lusr/lib", "-l:libdeep.so.1"]);
    let own = "/usr/local/ssl";
    let needed = ["-Wl,--no-as-needed", "-Lusr/lib", "-l:libmagic.so.1", "-l:libsasl2.so.2", "-l:libtss2-tctildr.so.0"];
    // A copy of OpenSSL in the executable itself says where it looks, too.
    let source = format!("const char *kept = \"OPENSSLDIR: \\\"{own}\\\"\";\nint main() {{ return kept[0]; }}\n");
    project.compile("aarch64-linux-gnu-gcc", "alpha", &source, &needed);
    let linker = project.path().join("linker");
    let script = format!("#!/bin/sh\nexec aarch64-linux-gnu-gcc -B{}/bin/usr/lib/ \"$@\"\n", project.path().display());
    project.write("linker", &script);
    ok(Command::new("chmod").arg("755").arg(&linker));
    let pack = |table: &str| {
        project.service("alpha", table);
        let mut pack = project.pack(&["--format", "docker"]);
        let output = run(pack.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", &linker));
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let said = pack("");
    let files = of_base(&project);
    for file in [
        " lib/libsasl2.so.2",
        " usr/lib/sasl2/libplain.so.2",
        " lib/libdeep.so.1",
        " lib/libtss2-tcti-device.so.0",
        " usr/local/ssl/cert.pem -> /etc/ssl/certs/ca-certificates.crt",
        " usr/local/ssl/certs -> /etc/ssl/certs",
        " usr/local/ssl/openssl.cnf -> /etc/ssl/openssl.cnf",
    ] {
        assert!(files.lines().any(|line| line.ends_with(file)), "{file} in\n{files}");
    }
    let note = "note[library-files]: `libmagic.so.1` opens `/usr/share/misc/magic.mgc`, which `base = \"auto\"` does not have";
    assert!(said.contains(note) && said.matches("library-files").count() == 1, "{said}");
    project.write("services/alpha/magic.mgc", "magic");
    let said = pack("files = [{ from = \"magic.mgc\", to = \"/usr/share/misc/\" }]\n");
    assert!(!said.contains("library-files"), "{said}");
    // Whoever needs none of them gets none.
    project.compile("aarch64-linux-gnu-gcc", "alpha", "int main() { return 0; }\n", &[]);
    let said = pack("");
    let files = of_base(&project);
    assert!(!files.contains("openssl.cnf") && !files.contains("sasl2") && !said.contains("library-files"), "{files}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(openssl_finds_its_roots_modules_and_configuration, [docker_arm64, arm64_c]),
        test!(other_libraries_are_packed_with_what_they_load_or_told, [arm64_cc]),
    ])
}
