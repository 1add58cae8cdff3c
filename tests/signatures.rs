//! Signed bundles, judged by what devices and other tools say: mender-artifact, Debian's Mender client, OpenSSL, an HSM in software,
//! and securesystemslib. The commands of docs/guide/trust.md are run here.

#[path = "support/device.rs"]
mod device;
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cargo_appbundle::digest::Digest;
use serde_json::Value;
use support::harness::{self, test};
use support::needs::{arm64_cc, dsse_python, mender_artifact, mender_client, namespaces, openssl, registry, skopeo, softhsm};
use support::registry::{Guard, Registry};
use support::server::{Answer, Server};
use support::{Project, appbundle, fails, judge, ok, run, text};

const BUNDLE: &str = "com.example.demo-1.2.3.auterionos";

/// A workspace with an app, and keys beside it.
struct Signing {
    project: Project,
}

impl Signing {
    fn new() -> Self {
        let project = Project::new(&["alpha"]);
        project.binaries(&["alpha"]);
        let signing = Self { project };
        ok(&mut signing.command(&["keygen", "one.key"]));
        ok(&mut signing.command(&["keygen", "two.key"]));
        signing
    }

    fn at(&self, name: &str) -> PathBuf {
        self.project.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = appbundle(self.project.path(), arguments);
        command.env_remove("APPBUNDLE_SIGN_KEY");
        self.project.alone(&mut command);
        command
    }

    /// Builds a bundle and puts it into the project's folder.
    fn build(&self, arguments: &[&str]) -> PathBuf {
        let path = PathBuf::from(ok(self.project.pack_alone(arguments).env_remove("APPBUNDLE_SIGN_KEY")).trim());
        let copy = self.at(path.file_name().expect("name").to_str().expect("UTF-8"));
        std::fs::copy(&path, &copy).expect("copied");
        copy
    }

    fn sh(&self, script: &str) -> String {
        ok(Command::new("sh").args(["-ec", script]).current_dir(self.project.path()))
    }

    fn envelope(&self, bundle: &str) -> PathBuf {
        self.at(&format!("{bundle}.intoto.jsonl"))
    }

    /// The statement in an envelope.
    fn statement(&self, bundle: &str) -> Value {
        let path = self.envelope(bundle);
        let script =
            "import base64, json, sys; print(base64.b64decode(json.loads(open(sys.argv[1]).read())['payload']).decode())";
        let printed = ok(Command::new("python3").args(["-c", script]).arg(path));
        serde_json::from_str(&printed).expect("JSON")
    }
}

/// Whether mender-artifact takes a signature. Its exit code does not tell.
fn validated(bundle: &Path, key: &Path) -> bool {
    let output = run(Command::new("mender-artifact").arg("validate").arg(bundle).arg("-k").arg(key));
    let said = text(&output.stdout) + &text(&output.stderr);
    said.contains("validated successfully")
}

/// Whether a device with this public key installs the bundle.
fn installs(bundle: &Path, key: Option<&Path>) -> Result<(), String> {
    let conf = key.map_or("{}".to_owned(), |key| format!("{{ \"ArtifactVerifyKey\": \"{}\" }}", key.display()));
    let output = device::install(bundle, &conf);
    let said = text(&output.stdout) + &text(&output.stderr);
    if key.is_some() && output.status.success() {
        assert!(said.contains("authenticated digital signature"), "{said}");
    }
    if output.status.success() { Ok(()) } else { Err(said) }
}

fn a_device_accepts_what_its_key_signed_and_nothing_else() {
    let signing = Signing::new();
    let bundle = signing.build(&["--sign", "one.key"]);
    assert!(validated(&bundle, &signing.at("one.pub")) && !validated(&bundle, &signing.at("two.pub")));
    assert_eq!(installs(&bundle, Some(&signing.at("one.pub"))), Ok(()));
    // Signing harms no device without a key.
    assert_eq!(installs(&bundle, None), Ok(()));
    let refused = installs(&bundle, Some(&signing.at("two.pub"))).expect_err("another key");
    assert!(refused.contains("verification failed") || refused.contains("invalid signature"), "{refused}");

    // The same bundle, signed once more with the other key.
    ok(&mut signing.command(&["sign", BUNDLE, "--key", "two.key"]));
    assert!(validated(&bundle, &signing.at("two.pub")) && !validated(&bundle, &signing.at("one.pub")));
    assert_eq!(installs(&bundle, Some(&signing.at("two.pub"))), Ok(()));
    let list = judge("tar", &["-tf", bundle.to_str().expect("UTF-8")]);
    assert_eq!(list, "version\nmanifest\nmanifest.sig\nheader.tar.gz\ndata/0000.tar.gz\n");

    // Altered, in a payload that no compression protects, and unsigned.
    let bytes = std::fs::read(&bundle).expect("read");
    let at = bytes.windows(12).rposition(|window| window == b"app-version:").expect("the app file");
    let mut altered = bytes;
    altered[at] ^= 1;
    std::fs::write(&bundle, altered).expect("written");
    assert!(installs(&bundle, Some(&signing.at("two.pub"))).is_err());
    let unsigned = signing.build(&[]);
    let refused = installs(&unsigned, Some(&signing.at("one.pub"))).expect_err("not signed");
    assert!(refused.contains("expecting signed artifact"), "{refused}");
    assert!(!signing.project.path().join("target/appbundle").join(format!("{BUNDLE}.intoto.jsonl")).exists());
}

/// All forms of keys, as OpenSSL writes them.
fn keys_of_every_form_sign() {
    let signing = Signing::new();
    let bundle = signing.build(&[]);
    signing.sh("openssl ecparam -name prime256v1 -genkey -out parameters.pem
        openssl ec -in parameters.pem -out sec1.pem
        openssl pkcs8 -topk8 -nocrypt -in sec1.pem -out pkcs8.pem
        openssl genrsa -traditional -out pkcs1.pem 2048
        openssl genrsa -out rsa8.pem 3072
        chmod 600 *.pem
        for key in parameters sec1 pkcs8 pkcs1 rsa8; do openssl pkey -in $key.pem -pubout -out $key.public; done");
    assert!(signing.project.text("parameters.pem").starts_with("-----BEGIN EC PARAMETERS"));
    for name in ["parameters", "sec1", "pkcs8", "pkcs1", "rsa8"] {
        let (private, public) = (format!("{name}.pem"), format!("{name}.public"));
        let output = run(&mut signing.command(&["sign", BUNDLE, "--key", &private]));
        assert!(output.status.success() && !text(&output.stderr).contains("warning"), "{name}: {}", text(&output.stderr));
        assert!(validated(&bundle, &signing.at(&public)), "{name}");
        let verified = ok(&mut signing.command(&["verify", BUNDLE, "--key", &public]));
        // The fingerprint is what OpenSSL's own words come to.
        let printed = signing.sh(&format!("openssl pkey -pubin -in {public} -outform DER | sha256sum"));
        assert!(verified.contains(&format!("signed with {public} (sha256:{})", &printed[..64])), "{verified}");
    }
    // The text of a key in the variable.
    let key = signing.project.text("pkcs8.pem");
    ok(signing.command(&["sign", BUNDLE]).env("APPBUNDLE_SIGN_KEY", &key));
    assert!(validated(&bundle, &signing.at("pkcs8.public")));
    let error = fails(&mut signing.command(&["sign", BUNDLE]), 1);
    assert!(error.contains("the variable `APPBUNDLE_SIGN_KEY` is empty") && error.contains("keygen"), "{error}");
    let error = fails(signing.command(&["sign", BUNDLE]).env("APPBUNDLE_SIGN_KEY", key.replace('M', "-")), 1);
    assert!(error.contains("the private key in the variable `APPBUNDLE_SIGN_KEY`"), "{error}");
}

fn keys_that_cannot_be_used_are_refused_in_their_own_words() {
    let signing = Signing::new();
    signing.build(&["--sign", "one.key"]);
    signing.sh("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384
        openssl genpkey -algorithm ed25519 -out ed25519
        openssl genrsa -out short 1024
        openssl pkcs8 -topk8 -in one.key -passout pass:x -out encrypted
        openssl ec -in one.key -aes128 -passout pass:x -out encrypted-sec1
        openssl req -x509 -new -key one.key -subj /CN=x -days 1 -out certificate
        openssl pkey -in one.key -outform DER -out der
        openssl pkey -in one.key -pubout -outform DER -out der.pub
        for key in p384 ed25519 short; do openssl pkey -in $key -pubout -out $key.pub; done
        echo words > words; : > empty; head -c 100 one.key > cut; chmod 600 *");
    for (key, words) in [
        ("p384", "its algorithm is ECDSA P-384"),
        ("ed25519", "its algorithm is Ed25519"),
        ("short", "its RSA key has 1024 bits; at least 2048"),
        ("encrypted", "it is encrypted with a passphrase"),
        ("encrypted-sec1", "it is encrypted with a passphrase"),
        ("certificate", "it is a certificate"),
        ("one.pub", "it is a public key; signing needs the private one"),
        ("der", "it is DER, not PEM"),
        ("words", "it is not a key in PEM"),
        ("empty", "it is empty"),
        ("cut", "it is not a key in PEM"),
        ("none", "No such file"),
    ] {
        let error = fails(&mut signing.command(&["sign", BUNDLE, "--key", key]), 1);
        assert!(error.contains(&format!("failed to read the private key `{key}`")) && error.contains(words), "{key}: {error}");
    }
    for (key, words) in [
        ("p384.pub", "its algorithm is ECDSA P-384"),
        ("ed25519.pub", "its algorithm is Ed25519"),
        ("short.pub", "its RSA key has 1024 bits; at least 2048"),
        ("certificate", "extract its key with `openssl x509"),
        ("one.key", "it is a private key, where the public one is needed"),
        ("der.pub", "it is DER, not PEM"),
        ("words", "it is not a key in PEM"),
        ("none", "No such file"),
    ] {
        let error = fails(&mut signing.command(&["verify", BUNDLE, "--key", key]), 1);
        assert!(error.contains(&format!("failed to read the public key `{key}`")) && error.contains(words), "{key}: {error}");
    }
    signing.sh("chmod 644 one.key");
    let output = run(&mut signing.command(&["sign", BUNDLE, "--key", "one.key"]));
    let said = text(&output.stderr);
    assert!(output.status.success() && said.contains("warning: other users can read the private key `one.key`"), "{said}");
    assert!(said.contains("help: forbid that with `chmod 600 one.key`"), "{said}");
}

fn keys_are_never_replaced_or_shown() {
    let signing = Signing::new();
    let mode = |name: &str| std::fs::metadata(signing.at(name)).expect("file").permissions().mode() & 0o777;
    assert_eq!((mode("one.key"), mode("one.pub") & 0o600), (0o600, 0o600));
    let before = signing.project.text("one.key");
    let error = fails(&mut signing.command(&["keygen", "one.key"]), 1);
    assert!(error.contains("already exists, and keys are never replaced"), "{error}");
    std::fs::rename(signing.at("one.key"), signing.at("moved")).expect("renamed");
    assert!(fails(&mut signing.command(&["keygen", "one.key"]), 1).contains("`one.pub` already exists"));
    assert!(!signing.at("one.key").exists());
    std::fs::rename(signing.at("moved"), signing.at("one.key")).expect("renamed");
    assert_eq!(signing.project.text("one.key"), before);
    assert!(fails(&mut signing.command(&["keygen", "x.pub"]), 1).contains("give the private key another name"));

    // What is secret of a key: its base64. No command says it, and no file gets it.
    let secrets: Vec<&str> = before.lines().filter(|line| !line.starts_with('-')).collect();
    signing.build(&[]);
    let mut said = String::new();
    for arguments in [
        &["-v", "sign", BUNDLE, "--key", "one.key"][..],
        &["-v", "--message-format", "json", "sign", BUNDLE, "--key", "one.key"],
        &["-v", "verify", BUNDLE, "--key", "one.key"],
        &["-v", "sign", BUNDLE, "--key", "two.pub", "--with", "cat one.key"],
        &["-v", "sign", BUNDLE],
    ] {
        let output = run(signing.command(arguments).env("APPBUNDLE_SIGN_KEY", &before).env("RUST_BACKTRACE", "1"));
        said += &(text(&output.stdout) + &text(&output.stderr));
    }
    let output = run(signing.project.pack_alone(&["-v", "--sign"]).env("APPBUNDLE_SIGN_KEY", &before));
    assert!(output.status.success(), "{}", text(&output.stderr));
    said += &(text(&output.stdout) + &text(&output.stderr));
    for secret in &secrets {
        assert!(!said.contains(secret), "{said}");
    }
    for entry in walkdir::WalkDir::new(signing.project.path()).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        let bytes = std::fs::read(entry.path()).expect("read");
        let has = |secret: &&str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(entry.path().ends_with("one.key") || !secrets.iter().any(has), "{}", entry.path().display());
    }
}

/// Programs that sign: OpenSSL in DER, an HSM in two numbers, as binary and as base64.
fn programs_sign() {
    let signing = Signing::new();
    let bundle = signing.build(&[]);
    signing.sh("mkdir tokens; echo directories.tokendir = $PWD/tokens > softhsm2.conf; export SOFTHSM2_CONF=$PWD/softhsm2.conf
        softhsm2-util --init-token --free --label app --so-pin 123456 --pin 654321
        hsm() { pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --login --pin 654321 \"$@\"; }
        hsm --keypairgen --key-type EC:prime256v1 --id 01 --label app
        hsm --read-object --type pubkey --id 01 --output-file hsm.der
        openssl pkey -pubin -inform DER -in hsm.der -out hsm.pub");
    let hsm = "pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --login --pin 654321 --sign --mechanism ECDSA --id 01 --input-file \
               /dev/stdin --output-file /dev/stdout";
    let openssl = "openssl pkeyutl -sign -inkey one.key -pkeyopt digest:sha256";
    let base64 = format!("sh -c '{openssl} | base64'");
    for (command, key) in [(hsm, "hsm.pub"), (openssl, "one.pub"), (&base64, "one.pub")] {
        let sign = ["sign", BUNDLE, "--key", key, "--with", command];
        let output = run(signing.command(&sign).env("SOFTHSM2_CONF", signing.at("softhsm2.conf")));
        assert!(output.status.success(), "{command}: {}", text(&output.stderr));
        assert!(validated(&bundle, &signing.at(key)), "{command}");
        ok(&mut signing.command(&["verify", BUNDLE, "--key", key]));
        // As a device wants it: two numbers, no line feed.
        let stored = signing.sh(&format!("tar -xOf {BUNDLE} manifest.sig"));
        assert_eq!((stored.len(), stored.trim().len()), (88, 88));
    }
    let built = ok(&mut signing.project.pack_alone(&["--sign", "one.pub", "--with", openssl]));
    assert!(validated(Path::new(built.trim()), &signing.at("one.pub")));
}

fn programs_that_fail_leave_the_bundle_as_it_was() {
    let signing = Signing::new();
    let bundle = signing.build(&["--sign", "one.key"]);
    let before = std::fs::read(&bundle).expect("read");
    let other = "openssl pkeyutl -sign -inkey two.key -pkeyopt digest:sha256";
    for (command, words) in [
        ("none-such", "the signing program `none-such` cannot be started"),
        ("sh -c 'echo no token >&2; exit 7'", "failed (exit status: 7)\n  --- stderr\n  no token"),
        ("sleep 600", "did not end within 1 seconds\n  help: give it more time with `--with-timeout SECONDS`"),
        ("echo rubbish", "answered with 8 bytes that are no ECDSA P-256 signature"),
        ("true", "answered with nothing"),
        ("head -c 100000 /dev/zero", "answered with 100000 bytes that are no"),
        (other, "answered with a signature that does not fit the public key sha256:"),
    ] {
        let error =
            fails(&mut signing.command(&["sign", BUNDLE, "--key", "one.pub", "--with", command, "--with-timeout", "1"]), 1);
        assert!(error.contains("error[signer-failed]") && error.contains(words), "{command}: {error}");
        assert_eq!(std::fs::read(&bundle).expect("read"), before, "{command}");
    }
    let error = fails(&mut signing.command(&["sign", BUNDLE, "--key", "one.pub", "--with", "tool --pin 123456 --x"]), 1);
    assert!(!error.contains("123456"), "{error}");
    let error = fails(&mut signing.project.pack_alone(&["--sign", "two.pub", "--with", "false"]), 1);
    assert!(error.contains("signer-failed"), "{error}");
    let left = std::fs::read_dir(signing.project.path()).expect("folder").flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with(".appbundle-partial")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The key is on another machine: only a digest goes there, and a signature comes back.
fn machines_apart_sign() {
    let signing = Signing::new();
    let bundle = signing.build(&[]);
    let sign = |digest: &str| {
        signing.sh(&format!(
            "printf %s {} | xxd -r -p 2>/dev/null > digest || python3 -c \"open('digest','wb').write(bytes.fromhex('{0}'))\"
            openssl pkeyutl -sign -inkey one.key -pkeyopt digest:sha256 -in digest -out signature",
            digest.trim()
        ));
    };
    let digest = ok(&mut signing.command(&["sign", BUNDLE, "--print-digest"]));
    let manifest = signing.sh(&format!("tar -xOf {BUNDLE} manifest | sha256sum"));
    assert_eq!(digest.trim(), &manifest[..64]);
    sign(&digest);
    ok(&mut signing.command(&["sign", BUNDLE, "--key", "one.pub", "--signature", "signature"]));
    assert!(validated(&bundle, &signing.at("one.pub")));
    assert!(!signing.envelope(BUNDLE).exists());
    ok(&mut signing.command(&["verify", BUNDLE, "--key", "one.pub"]));
    // The envelope is about the signed bundle, so its signature is made after that.
    sign(&ok(&mut signing.command(&["sign", BUNDLE, "--print-digest", "--envelope"])));
    ok(&mut signing.command(&["sign", BUNDLE, "--envelope", "--key", "one.pub", "--signature", "signature"]));
    ok(&mut signing.command(&["verify", BUNDLE, "--key", "one.pub"]));
    let before = std::fs::read(&bundle).expect("read");
    for (key, words) in [("two.pub", "does not fit the public key"), ("one.pub", "does not fit the public key")] {
        // That of the envelope is not that of the bundle.
        let error = fails(&mut signing.command(&["sign", BUNDLE, "--key", key, "--signature", "signature"]), 1);
        assert!(error.contains("error[signature-invalid]") && error.contains(words), "{error}");
        assert_eq!(std::fs::read(&bundle).expect("read"), before);
    }
}

fn envelopes_are_read_by_others() {
    let signing = Signing::new();
    signing.sh("openssl genrsa -out rsa.key 2048; openssl pkey -in rsa.key -pubout -out rsa.pub; chmod 600 rsa.key");
    let script = r"
import json, sys
from securesystemslib.dsse import Envelope
from securesystemslib.signer import Key, SSlibKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
keys = [SSlibKey.from_crypto(load_pem_public_key(open(path, 'rb').read()), scheme=scheme)
        for path, scheme in [a.split(':') for a in sys.argv[2:]]]
data = json.loads(open(sys.argv[1]).read())
for signature in data['signatures']:
    signature['keyid'] = keys[0].keyid
envelope = Envelope.from_dict(data)
print(sorted(envelope.verify(keys, 1)), envelope.payload_type)
";
    let ecdsa = "ecdsa-sha2-nistp256";
    for (format, key, scheme) in [("auterionos", "one", ecdsa), ("docker", "one", ecdsa), ("oci", "rsa", "rsa-pkcs1v15-sha256")] {
        let built =
            PathBuf::from(ok(&mut signing.project.pack_alone(&["--format", format, "--sign", &format!("{key}.key")])).trim());
        let name = built.file_name().expect("name").to_str().expect("UTF-8").to_owned();
        for end in ["", ".intoto.jsonl"] {
            let from = built.with_file_name(format!("{name}{end}"));
            std::fs::copy(from, signing.at(&format!("{name}{end}"))).expect("copied");
        }
        let check = |public: &str, scheme: &str| {
            let mut command = Command::new("dsse-python");
            command.args(["-c", script]).arg(signing.envelope(&name)).arg(format!("{}:{scheme}", signing.at(public).display()));
            command
        };
        let said = ok(&mut check(&format!("{key}.pub"), scheme));
        assert!(said.contains("application/vnd.in-toto+json"), "{said}");
        if key == "one" {
            assert!(!run(&mut check("two.pub", ecdsa)).status.success());
        }
        // The statement is about the bundle and its images.
        let statement = signing.statement(&name);
        let subjects = statement["subject"].as_array().expect("subjects").clone();
        assert_eq!(subjects[0]["name"], name.as_str());
        let bundle = std::fs::read(signing.at(&name)).expect("read");
        assert_eq!(subjects[0]["digest"]["sha256"], Digest::of(&bundle).hex());
        assert_eq!(subjects[1]["name"], "com.example.demo.alpha:1.2.3");
        if format == "oci" {
            let reference = format!("oci-archive:{}:com.example.demo.alpha:1.2.3", signing.at(&name).display());
            let digest = judge("skopeo", &["inspect", "--format", "{{.Digest}}", &reference]);
            assert_eq!(digest.trim(), format!("sha256:{}", subjects[1]["digest"]["sha256"].as_str().expect("hex")));
        }
        let verified = ok(&mut signing.command(&["verify", &name, "--key", &format!("{key}.pub")]));
        assert!(verified.contains(&format!("signed with {key}.pub")), "{verified}");
        // Signed later, an archive has the same subjects.
        ok(&mut signing.command(&["sign", &name, "--key", "two.key"]));
        let again = signing.statement(&name);
        if format != "auterionos" {
            assert_eq!(again["subject"], statement["subject"]);
            assert_eq!(std::fs::read(signing.at(&name)).expect("read"), bundle);
        }
        ok(&mut signing.command(&["verify", &name, "--key", "two.pub"]));
        ok(&mut check("two.pub", ecdsa));
    }
}

fn what_verify_says_of_signatures() {
    let signing = Signing::new();
    let oci = signing.build(&["--format", "oci"]);
    let oci = oci.file_name().expect("name").to_str().expect("UTF-8");
    signing.build(&[]);
    for bundle in [BUNDLE, oci] {
        for arguments in [&["verify", bundle, "--key", "one.pub"][..], &["verify", bundle, "--require-signature"]] {
            let error = fails(&mut signing.command(arguments), 1);
            assert!(
                error.contains("error[signature-missing]") && error.contains(&format!("`{bundle}` is not signed")),
                "{error}"
            );
            assert!(error.contains(&format!("help: sign it with `cargo appbundle sign {bundle} --key KEY`")), "{error}");
        }
        ok(&mut signing.command(&["sign", bundle, "--key", "one.key"]));
        let output = run(&mut signing.command(&["verify", bundle, "--require-signature"]));
        assert!(output.status.success() && text(&output.stderr).contains("note: it is signed, but no key was given"));
        // Rotation: one of several keys; when none fits, all are told.
        ok(&mut signing.command(&["verify", bundle, "--key", "two.pub", "--key", "one.pub"]));
        ok(&mut signing.command(&["keygen", &format!("{bundle}.key")]));
        let error = fails(&mut signing.command(&["verify", bundle, "--key", "two.pub", "--key", &format!("{bundle}.pub")]), 1);
        assert!(error.contains("error[signature-invalid]"), "{error}");
        for key in ["two.pub", &format!("{bundle}.pub")] {
            let printed = signing.sh(&format!("openssl pkey -pubin -in {key} -outform DER | sha256sum"));
            assert!(error.contains(&format!("{key}: sha256:{}", &printed[..64])), "{error}");
        }
        let json = ok(&mut signing.command(&["verify", bundle, "--key", "one.pub", "--json"]));
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((&json["good"], &json["signature"]["covers"]), (&Value::Bool(true), &Value::from("file")));
    }
    // An envelope of another file.
    std::fs::copy(signing.envelope(oci), signing.envelope(BUNDLE)).expect("copied");
    let error = fails(&mut signing.command(&["verify", BUNDLE, "--key", "one.pub"]), 1);
    assert!(error.contains("is about a file with another digest"), "{error}");
    std::fs::write(signing.envelope(BUNDLE), "{}\n").expect("written");
    let error = fails(&mut signing.command(&["verify", BUNDLE, "--key", "one.pub"]), 1);
    assert!(error.contains("is damaged: it is not an envelope"), "{error}");
}

/// A file that other tools wrote and signed: what it contains is verified, and a note says what is not.
fn what_others_signed_is_verified() {
    let signing = Signing::new();
    signing.build(&[]);
    signing.sh(&format!(
        "mkdir parts && cd parts && tar -xf ../{BUNDLE} && tar -xzf header.tar.gz && mkdir files && tar -xzf data/0000.tar.gz -C files && cd ..
        sed -i 's/cargo-appbundle [0-9.]*/another tool/' parts/headers/0000/meta-data
        openssl ec -in one.key -out sec1.key
        mender-artifact write module-image -T docker -n com.example.demo:1.2.3 -t skynode -o foreign.mender -m parts/headers/0000/meta-data -k sec1.key \
          $(for file in parts/files/*; do printf -- '-f %s ' $file; done)"
    ));
    let output = run(&mut signing.command(&["verify", "foreign.mender", "--key", "one.pub", "--json"]));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["signature"]["covers"], "contents", "{json}");
    assert!(json["notes"].to_string().contains("another tool wrote it"), "{json}");
    // With an envelope, all of it is covered.
    ok(&mut signing.command(&["sign", "foreign.mender", "--envelope", "--key", "one.key"]));
    let output = run(&mut signing.command(&["verify", "foreign.mender", "--key", "one.pub", "--json"]));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["signature"]["covers"], "file", "{json}");
    // `mender-artifact sign` changes nothing of our files but the signature.
    signing.sh(&format!("mender-artifact sign {BUNDLE} -k sec1.key -o resigned.auterionos"));
    let output = run(&mut signing.command(&["verify", "resigned.auterionos", "--key", "one.pub", "--json"]));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&json["signature"]["covers"], &json["good"]), (&Value::from("file"), &Value::Bool(true)), "{json}");
    // Signed anew, it is still what it was to others.
    ok(&mut signing.command(&["sign", "foreign.mender", "--key", "two.key"]));
    assert!(validated(&signing.at("foreign.mender"), &signing.at("two.pub")));
}

/// A generator of numbers that are the same in each run (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// Single flipped bits at random places; `SIGNATURE_FLIPS` says how many.
fn no_flipped_bit_is_accepted() {
    let flips = std::env::var("SIGNATURE_FLIPS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let signing = Signing::new();
    let bundle = signing.build(&["--sign", "one.key"]);
    let key = std::fs::read(signing.at("one.pub")).expect("read");
    let key = cargo_appbundle::trust::VerifyingKey::parse(&key).expect("key");
    let keys = [("one.pub".to_owned(), key)];
    let verify = |path: &Path| cargo_appbundle::trust::verify(path, &keys);
    let bytes = std::fs::read(&bundle).expect("read");
    let list = ok(Command::new("tar").arg("-tRf").arg(&bundle));
    // Where the members begin, so that the small ones get as many flips as the large one.
    let block = |name: &str| {
        let line = list.lines().find(|line| line.ends_with(&format!(": {name}"))).unwrap_or_else(|| panic!("{name} in {list}"));
        512 * line.split([' ', ':']).nth(1).and_then(|number| number.parse::<usize>().ok()).expect("number")
    };
    let borders = [
        block("version"),
        block("manifest"),
        block("manifest.sig"),
        block("header.tar.gz"),
        block("data/0000.tar.gz"),
        bytes.len(),
    ];
    let mut numbers = Numbers(20_261_127);
    verify(&bundle).expect("good");
    let mut accepted = Vec::new();
    let mut flipped = bytes.clone();
    for number in 0..flips {
        let part = number % (borders.len() - 1);
        let (from, to) = (borders[part], borders[part + 1]);
        // Half of those in the payload hit its frames: headers and padding at its beginning and end.
        let (from, to) = match number / (borders.len() - 1) % 4 {
            0 => (from, to.min(from + 2048)),
            1 => (from.max(to - 6000.min(to)), to),
            _ => (from, to),
        };
        let (at, bit) = (from + numbers.next(to - from), numbers.next(8));
        flipped[at] ^= 1 << bit;
        std::fs::write(&bundle, &flipped).expect("written");
        if verify(&bundle).is_ok() {
            accepted.push(format!("bit {bit} of byte {at}"));
        }
        flipped[at] ^= 1 << bit;
    }
    assert!(accepted.is_empty(), "{accepted:?}");

    // With its envelope, and of the envelope.
    std::fs::write(&bundle, &bytes).expect("written");
    ok(&mut signing.command(&["sign", BUNDLE, "--envelope", "--key", "one.key"]));
    verify(&bundle).expect("good");
    let envelope = std::fs::read(signing.envelope(BUNDLE)).expect("read");
    for (path, content) in [(signing.envelope(BUNDLE), envelope), (bundle.clone(), bytes)] {
        let mut flipped = content.clone();
        for _ in 0..flips / 3 {
            let (at, bit) = (numbers.next(content.len()), numbers.next(8));
            flipped[at] ^= 1 << bit;
            std::fs::write(&path, &flipped).expect("written");
            assert!(verify(&bundle).is_err(), "bit {bit} of byte {at} of {}", path.display());
            flipped[at] ^= 1 << bit;
        }
        std::fs::write(&path, &content).expect("written");
    }
    // A flip with a check sum that was made to fit: the mode of a payload file, which a device may restore.
    let header = bytes_of_inner_header(&std::fs::read(&bundle).expect("read"));
    std::fs::remove_file(signing.envelope(BUNDLE)).expect("removed");
    let mut forged = std::fs::read(&bundle).expect("read");
    forged[header + 104] ^= 1;
    let sum: u32 = (0..512).map(|n| if (148..156).contains(&n) { 32 } else { u32::from(forged[header + n]) }).sum();
    forged[header + 148..header + 155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    mend_gzip(&mut forged, block("data/0000.tar.gz") + 512);
    std::fs::write(&bundle, &forged).expect("written");
    assert!(validated(&bundle, &signing.at("one.pub")), "the forged file is not what it is meant to be");
    let error = verify(&bundle).expect_err("forged").to_string();
    assert!(error.contains("bytes that its signature does not cover"), "{error}");
}

/// Where the header of the payload's first file is: its gzip has stored blocks, so the header stands there as it is.
fn bytes_of_inner_header(bytes: &[u8]) -> usize {
    bytes.windows(17).position(|window| window == b"auterion-app.yml\0").expect("header")
}

/// Computes the check sum of a gzip file of stored blocks anew.
fn mend_gzip(bytes: &mut [u8], from: usize) {
    let (mut at, mut crc) = (from + 10, crc32fast::Hasher::new());
    loop {
        let last = bytes[at] == 1;
        let size = usize::from(u16::from_le_bytes([bytes[at + 1], bytes[at + 2]]));
        crc.update(&bytes[at + 5..at + 5 + size]);
        at += 5 + size;
        if last {
            break;
        }
    }
    bytes[at..at + 4].copy_from_slice(&crc.finalize().to_le_bytes());
}

/// A build with the same key is fresh; with another, or without, it is not.
fn a_signed_build_is_fresh() {
    let signing = Signing::new();
    let build = |arguments: &[&str]| text(&run(&mut signing.project.pack_alone(arguments)).stderr);
    assert!(build(&["--sign", "one.key"]).contains("Bundled"));
    let fresh = build(&["--sign", "one.key"]);
    assert!(fresh.contains("Fresh") && !fresh.contains("Bundled"), "{fresh}");
    assert!(build(&["--sign", "two.key"]).contains("Bundled"));
    assert!(build(&[]).contains("Bundled"));
    let envelope = signing.at("target/appbundle").join(format!("{BUNDLE}.intoto.jsonl"));
    assert!(!envelope.exists());
    assert!(build(&["--sign", "one.key"]).contains("Bundled") && envelope.exists());
    std::fs::remove_file(&envelope).expect("removed");
    assert!(build(&["--sign", "one.key"]).contains("Bundled") && envelope.exists());
    let error = build(&["--with", "true"]);
    assert!(error.contains("`--with` needs `--sign PUBLIC`"), "{error}");
}

/// A registry that knows no referrers gets a tag; judged by skopeo and securesystemslib.
fn pushed_images_are_signed() {
    let (signing, registry) = (Signing::new(), Registry::start(Guard::None));
    ok(&mut signing.project.pack_alone(&["--format", "oci"]));
    let repository = format!("{}/team", registry.host);
    let push = |key: &str| run(&mut signing.command(&["push", "--repo", &repository, "--sign", key]));
    let output = push("one.key");
    assert!(output.status.success() && text(&output.stderr).contains("Signed"), "{}", text(&output.stderr));
    let digest = text(&output.stdout).trim().rsplit_once("sha256:").expect("digest").1.to_owned();
    let list = |count: usize| {
        let tag = format!("docker://{repository}/alpha:sha256-{digest}");
        let index: Value =
            serde_json::from_str(&judge("skopeo", &["inspect", "--raw", "--tls-verify=false", &tag])).expect("JSON");
        assert_eq!(index["manifests"].as_array().map(Vec::len), Some(count), "{index}");
        index
    };
    let first = list(1)["manifests"][0].clone();
    assert_eq!(first["artifactType"], "application/vnd.in-toto+json");
    // Once more changes nothing; another key adds its own.
    assert!(text(&push("one.key").stderr).contains("Fresh signature of"));
    list(1);
    assert!(text(&push("two.key").stderr).contains("Signed"));
    assert_eq!(list(2)["manifests"][0], first);

    let address = format!("docker://{repository}/alpha@{}", first["digest"].as_str().expect("digest"));
    let manifest = judge("skopeo", &["inspect", "--raw", "--tls-verify=false", &address]);
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["subject"]["digest"], format!("sha256:{digest}"));
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
    let blob = manifest["layers"][0]["digest"].as_str().expect("digest");
    let envelope = judge("curl", &["-fsS", &format!("http://{}/v2/team/alpha/blobs/{blob}", registry.host)]);
    std::fs::write(signing.envelope("pushed"), envelope).expect("written");
    let statement = signing.statement("pushed");
    assert_eq!(statement["subject"][0]["digest"]["sha256"], digest.as_str());
    let script = "import json, sys; from securesystemslib.dsse import Envelope; from securesystemslib.signer import SSlibKey\n\
        from cryptography.hazmat.primitives.serialization import load_pem_public_key as load\n\
        key = SSlibKey.from_crypto(load(open(sys.argv[2], 'rb').read())); data = json.load(open(sys.argv[1]))\n\
        data['signatures'][0]['keyid'] = key.keyid; Envelope.from_dict(data).verify([key], 1)";
    ok(Command::new("dsse-python").args(["-c", script]).arg(signing.envelope("pushed")).arg(signing.at("one.pub")));
}

/// A registry that knows referrers says so, and gets no tag.
fn a_registry_with_referrers_gets_no_tag() {
    let signing = Signing::new();
    ok(&mut signing.project.pack_alone(&["--format", "oci"]));
    let server = Server::start(|asked, _| match (asked.method.as_str(), &asked.path) {
        ("GET", path) if path.contains("/referrers/") => Answer::new(200, r#"{"schemaVersion":2,"manifests":[]}"#),
        ("HEAD" | "GET", _) => Answer::new(404, ""),
        ("POST", _) => Answer::new(202, "").with("location", "/v2/upload"),
        ("PUT", path) if path.contains("/manifests/sha256:") => Answer::new(201, "").with("oci-subject", "sha256:x"),
        _ => Answer::new(201, ""),
    });
    let output = run(&mut signing.command(&["push", "--repo", &format!("{}/team", server.host), "--sign", "one.key"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let asked = server.asked();
    let puts: Vec<_> = asked.iter().filter(|asked| asked.method == "PUT" && asked.path.contains("/manifests/")).collect();
    assert_eq!(puts.len(), 2, "{puts:?}");
    assert!(puts[1].body.contains("\"subject\"") && puts[1].path.contains("/manifests/sha256:"), "{puts:?}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_device_accepts_what_its_key_signed_and_nothing_else, [arm64_cc, mender_artifact, mender_client, namespaces]),
        test!(keys_of_every_form_sign, [arm64_cc, mender_artifact, openssl]),
        test!(keys_that_cannot_be_used_are_refused_in_their_own_words, [arm64_cc, openssl]),
        test!(keys_are_never_replaced_or_shown, [arm64_cc]),
        test!(programs_sign, [arm64_cc, mender_artifact, openssl, softhsm]),
        test!(programs_that_fail_leave_the_bundle_as_it_was, [arm64_cc, openssl]),
        test!(machines_apart_sign, [arm64_cc, mender_artifact, openssl]),
        test!(envelopes_are_read_by_others, [arm64_cc, dsse_python, openssl, skopeo]),
        test!(what_verify_says_of_signatures, [arm64_cc, openssl]),
        test!(what_others_signed_is_verified, [arm64_cc, mender_artifact, openssl]),
        test!(no_flipped_bit_is_accepted, [arm64_cc, mender_artifact]),
        test!(a_signed_build_is_fresh, [arm64_cc]),
        test!(pushed_images_are_signed, [arm64_cc, dsse_python, registry]),
        test!(a_registry_with_referrers_gets_no_tag, [arm64_cc]),
    ])
}
