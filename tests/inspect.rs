//! Is what others write understood? Archives of the tools in the field, and our own.

#[path = "support/forge.rs"]
mod forge;
mod support;

use std::path::Path;
use std::process::{Command, ExitCode};

use cargo_appbundle::bundle::survey::{Format, Limits, Survey, survey};
use forge::{Forge, ForgedImage, docker_members, gzip, look, member, oci_members, tar, zstd};
use support::harness::{self, test};
use support::needs::{arm64_cc, bash, docker, mender_artifact, podman, skopeo, umoci, xz};
use support::{Project, judge, ok};

fn two() -> [ForgedImage; 2] {
    [ForgedImage::new("a:1", &["base", "a"]), ForgedImage::new("b:1", &["base", "b"])]
}

fn good(path: &Path) -> Survey {
    let survey = survey(path, Limits::default(), &|_| {}).expect("a bundle");
    assert_eq!(survey.faults, Vec::<String>::new(), "{}", path.display());
    survey
}

fn every_kind_of_archive_is_the_same_inside() {
    let images = two();
    let dual = |layer: &[u8]| (gzip(layer), "+gzip");
    let mut both = oci_members(&images, dual);
    let manifest: Vec<serde_json::Value> = images
        .iter()
        .map(|image| {
            let path = |bytes: &[u8]| format!("blobs/sha256/{}", cargo_appbundle::digest::Digest::of(bytes).hex());
            let layers: Vec<String> = image.layers.iter().map(|layer| path(&gzip(layer))).collect();
            let config = path(&serde_json::to_vec(&image.config).expect("json"));
            serde_json::json!({"Config": config, "RepoTags": [image.name], "Layers": layers})
        })
        .collect();
    both.push(member("manifest.json", serde_json::to_vec(&manifest).expect("json")));
    for (format, members) in [
        (Format::Docker, docker_members(&images)),
        (Format::Oci, oci_members(&images, |layer| (layer.to_vec(), ""))),
        (Format::Oci, oci_members(&images, dual)),
        (Format::Oci, oci_members(&images, |layer| (zstd(layer), "+zstd"))),
        (Format::DockerAndOci, both),
    ] {
        let forwards = tar(&members);
        let backwards = tar(&members.iter().rev().cloned().collect::<Vec<_>>());
        for bytes in [&forwards, &backwards, &gzip(&forwards), &zstd(&backwards)] {
            let survey = look(bytes);
            assert_eq!((survey.faults, survey.format), (vec![], format));
            assert_eq!((survey.images.len(), survey.layers.len()), (2, 3));
            let names: Vec<&str> = survey.images.iter().flat_map(|image| &image.names).map(String::as_str).collect();
            assert_eq!(names, ["a:1", "b:1"]);
            let image = &survey.images[0];
            assert_eq!((image.platform.as_str(), image.user.as_deref()), ("linux/arm64", Some("65532")));
            assert_eq!((&image.entrypoint[..], &image.cmd[..]), (&["/srv/app".to_owned()][..], &["--fast".to_owned()][..]));
            let base = &survey.layers[0];
            assert_eq!((base.unpacked, base.files, &base.images[..]), (images[0].layers[0].len() as u64, 1, &[0, 1][..]));
            assert_eq!(survey.sharing.saved, base.unpacked);
            assert_eq!((survey.largest[0].path.as_str(), survey.largest[0].size), ("srv/base", 200));
        }
    }
}

fn through_the_front_door() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("app.auterionos"), Forge::new().build()).expect("written");
    let text = ok(&mut support::appbundle(folder.path(), &["inspect", "app.auterionos"]));
    for part in
        ["app.auterionos: AuterionOS app, ", "name      com.example.demo", "1. a: com.example.demo.a:1.2.3", "sharing saves"]
    {
        assert!(text.contains(part), "{text}");
    }
    let json = ok(&mut support::appbundle(folder.path(), &["inspect", "app.auterionos", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let keys: Vec<&str> = json.as_object().expect("map").keys().map(String::as_str).collect();
    let expected = "file format size name version made-by made-at devices api-version signed payload images layers sharing layouts packages largest notes warnings faults";
    assert_eq!(keys.join(" "), expected);
    assert_eq!((&json["images"][1]["service"], &json["layers"][0]["images"]), (&"b".into(), &serde_json::json!([0, 1])));
}

fn sparse_files_and_many_holes() {
    let folder = tempfile::tempdir().expect("folder");
    let script =
        "for at in $(seq 0 2 40); do printf x | dd of=holes bs=64k seek=$at conv=notrunc status=none; done; echo y > after
        tar --format=gnu -S -cf layer.tar holes after";
    ok(Command::new("bash").args(["-c", script]).current_dir(&folder));
    let mut reader = cargo_appbundle::archive::TarReader::new(std::fs::File::open(folder.path().join("layer.tar")).expect("tar"));
    let mut names = Vec::new();
    while let Some(entry) = reader.next_entry().expect("tar") {
        names.push(entry.path);
    }
    assert_eq!(names, ["holes", "after"]);
}

fn faults_of_oci_layouts() {
    let broken = |change: fn(&mut Vec<forge::Member>)| {
        let mut members = oci_members(&two(), |layer| (gzip(layer), "+gzip"));
        change(&mut members);
        look(&tar(&members)).faults.join("\n")
    };
    assert!(broken(|m| drop(m.remove(0))).contains("`oci-layout` is missing"));
    assert!(broken(|m| m[0].1 = br#"{"imageLayoutVersion":"2"}"#.to_vec()).contains("has the version `2`"));
    assert!(broken(|m| m.last_mut().expect("index").1 = b"{}".to_vec()).contains("`index.json` is invalid"));
    assert!(broken(|m| drop(m.remove(1))).contains("is missing"));
    assert!(broken(|m| drop(m.remove(2))).contains("is missing"));
    assert!(broken(|m| m[2].1.push(0)).contains("not the one in its name"));
    assert!(broken(|m| drop(m.pop())).contains("no `index.json`"));
    let says_zstd = tar(&oci_members(&two(), |layer| (gzip(layer), "+zstd")));
    assert!(look(&says_zstd).faults.join("\n").contains("its compression is gzip"));
}

fn what_docker_skopeo_and_podman_write() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let names: Vec<String> = ["one", "two"].map(|name| format!("inspect-test-{}-{name}:1", std::process::id())).to_vec();
    std::fs::write(at("file"), "x".repeat(3000)).expect("written");
    ok(Command::new("tar").args(["-cf", "root.tar", "file"]).current_dir(&folder));
    ok(Command::new("docker").args(["import", "--change", "ENTRYPOINT [\"/file\"]", "root.tar", &names[0]]).current_dir(&folder));
    std::fs::write(at("Dockerfile"), format!("FROM {}\nCOPY file /again\nENV A=b\nCOPY file /thrice\n", names[0]))
        .expect("written");
    ok(Command::new("docker").args(["build", "-q", "-t", &names[1], "."]).env("DOCKER_BUILDKIT", "0").current_dir(&folder));
    ok(Command::new("docker").args(["save", "-o", "saved.tar", &names[0], &names[1]]).current_dir(&folder));
    let ids = judge("docker", &["inspect", "--format", "{{.Id}}", &names[0], &names[1]]);
    judge("docker", &["rmi", &names[0], &names[1]]);

    let saved = good(&at("saved.tar"));
    let mut found: Vec<String> = saved.images.iter().map(|image| image.id.to_string()).collect();
    let mut expected: Vec<&str> = ids.lines().collect();
    found.sort();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(matches!(saved.format, Format::Docker | Format::DockerAndOci) && saved.sharing.saved > 3000);
    let entry = saved.images.iter().find(|image| image.names == [names[0].clone()]).expect("image");
    assert_eq!(entry.entrypoint, ["/file"]);

    ok(Command::new("gzip").args(["-k", "saved.tar"]).current_dir(&folder));
    assert_eq!(good(&at("saved.tar.gz")).layers.len(), saved.layers.len());

    // From docker archive to docker archive, old skopeo fails: "write too long".
    let saved = format!("docker-archive:saved.tar:{}", names[1]);
    let copied = format!("oci-archive:skopeo-gzip.tar:{}", names[1]);
    for (from, kind, file, extra, format) in [
        (&saved, "oci-archive", "skopeo-gzip.tar", &[][..], Format::Oci),
        (&saved, "oci-archive", "skopeo-zstd.tar", &["--dest-compress-format", "zstd", "--dest-compress"][..], Format::Oci),
        (&copied, "docker-archive", "skopeo-docker.tar", &[][..], Format::Docker),
    ] {
        let to = format!("{kind}:{file}:{}", names[1]);
        ok(Command::new("skopeo").args(["copy", "--insecure-policy"]).args(extra).args([from, &to]).current_dir(&folder));
        let copied = good(&at(file));
        assert_eq!((copied.format, copied.images.len()), (format, 1), "{file}");
        assert_eq!(copied.images[0].layers.len(), 3);
    }

    let podman = |arguments: &[&str]| {
        let root = at("podman");
        let mut command = Command::new("podman");
        command.arg("--root").arg(root.join("root")).arg("--runroot").arg(root.join("run")).args(["--storage-driver", "vfs"]);
        ok(command.args(arguments).current_dir(&folder))
    };
    podman(&["load", "-q", "-i", "saved.tar"]);
    podman(&["save", "-q", "-m", "-o", "podman.tar", &names[0], &names[1]]);
    assert_eq!(good(&at("podman.tar")).images.len(), 2);
    podman(&["save", "-q", "--format", "oci-archive", "-o", "podman-oci.tar", &names[1]]);
    assert_eq!(good(&at("podman-oci.tar")).format, Format::Oci);
}

fn what_umoci_writes() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("file"), "x").expect("written");
    for arguments in [
        &["init", "--layout", "layout"][..],
        &["new", "--image", "layout:one"],
        &["insert", "--image", "layout:one", "--rootless", "file", "/file"],
    ] {
        ok(Command::new("umoci").args(arguments).current_dir(&folder));
    }
    ok(Command::new("tar").args(["-C", "layout", "-cf", "umoci.tar", "."]).current_dir(&folder));
    let survey = good(&folder.path().join("umoci.tar"));
    assert_eq!((survey.format, survey.images.len(), survey.layers.len()), (Format::Oci, 1, 1));
}

fn the_reference_artifact_tool_takes_the_forged_file() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("good.auterionos");
    std::fs::write(&file, Forge::new().build()).expect("written");
    judge("mender-artifact", &["validate", file.to_str().expect("text")]);
}

fn what_the_reference_artifact_tool_writes() {
    let folder = tempfile::tempdir().expect("folder");
    let forge = Forge::new();
    let image = "com.example.demo.image";
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
    write("auterion-app.yml", forge::APP.as_bytes());
    write(image, &gzip(&tar(&docker_members(&forge.images))));
    for (name, bytes) in &forge.files {
        write(name, bytes);
    }
    write("meta", forge.meta_data.to_string().as_bytes());
    for (compression, suffix) in [("gzip", ".gz"), ("lzma", ".xz"), ("none", "")] {
        let file = format!("{compression}.auterionos");
        let mut command = Command::new("mender-artifact");
        command.args(["--compression", compression, "write", "module-image", "-T", "docker", "-n", "com.example.demo:1.2.3"]);
        command.args(["-o", &file, "-m", "meta", "-t", "skynode", "-t", "jetson", "--software-filesystem", "docker-app"]);
        command.args(["--software-name", "com.example.demo", "--software-version", "1.2.3"]);
        for name in ["auterion-app.yml", image, "version", "settings.default.env", "settings.user.env"] {
            command.args(["-f", name]);
        }
        ok(command.current_dir(&folder));
        let members = ok(Command::new("tar").args(["-tf", &file]).current_dir(&folder));
        assert!(members.lines().any(|name| name == format!("data/0000.tar{suffix}")), "{members}");
        let survey = good(&folder.path().join(&file));
        assert_eq!((survey.format, survey.devices.join(" ").as_str()), (Format::Auterionos, "skynode jetson"));
        assert_eq!(survey.images[0].service.as_deref(), Some("a"));
        assert_eq!(survey.made_by.as_deref(), Some("forge"));
        assert_eq!(survey.notes.iter().any(|note| note.contains("xz is slow")), suffix == ".xz");
        // What is pushed of it.
        let scratch = tempfile::tempdir().expect("folder");
        let images = cargo_appbundle::bundle::outgoing(&folder.path().join(&file), scratch.path()).expect("images");
        assert_eq!(images.iter().map(|image| image.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}

fn what_xz_writes() {
    let folder = tempfile::tempdir().expect("folder");
    let xz = |bytes: &[u8], options: &[&str]| {
        let (from, to) = (folder.path().join("x"), folder.path().join("x.xz"));
        std::fs::write(&from, bytes).expect("written");
        ok(Command::new("xz").args(["-kf"]).args(options).arg(&from));
        std::fs::read(to).expect("read")
    };
    let images = two();
    let layers = tar(&oci_members(&images, |layer| (xz(layer, &["-6", "--check=sha256"]), "+xz")));
    let survey = look(&layers);
    assert_eq!((survey.faults, survey.layers[0].compression), (vec![], "xz"));
    let docker = tar(&docker_members(&images));
    for options in
        [&["-9e"][..], &["-0", "--check=none"], &["--arm64", "--lzma2"], &["--block-size=4096"], &["-T2", "--check=crc32"]]
    {
        let packed = xz(&docker, options);
        let survey = look(&packed);
        assert_eq!((survey.faults, survey.images.len(), survey.layers.len()), (vec![], 2, 3), "{options:?}");
        // `push`, `load` and `verify` read the same images of it.
        let file = folder.path().join("images.tar.xz");
        std::fs::write(&file, packed).expect("written");
        let pushed = cargo_appbundle::bundle::outgoing(&file, &folder.path().join("scratch")).expect("images");
        let loaded = cargo_appbundle::bundle::contents(&file, &|_| ()).expect("images");
        assert_eq!((pushed.len(), loaded.images.len()), (2, 2));
    }
    // A file of some bytes that wants a gibibyte of memory.
    let large = xz(&docker, &["--lzma2=dict=1GiB"]);
    let faults = look(&large).faults.join("\n");
    assert!(faults.contains("takes more than 72 MiB of memory"), "{faults}");
    let mut damaged = xz(&docker, &[]);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    assert!(!look(&damaged).faults.is_empty());
}

fn what_we_write() {
    let names = ["camera", "storage"];
    let project = Project::new(&names);
    project.binaries(&names);
    let output = ok(&mut project.pack(&["--format", "auterionos,docker,oci"]));
    let mut formats = Vec::new();
    for path in output.lines().map(Path::new).filter(|path| path.is_file()) {
        let survey = good(path);
        assert_eq!((survey.name.as_deref(), survey.version.as_deref()), (Some("com.example.demo"), Some("1.2.3")));
        assert_eq!(survey.images.len(), 2);
        assert!(survey.sharing.saved > 0 && survey.made_by.is_some());
        formats.push(survey.format);
    }
    assert_eq!(formats, [Format::Auterionos, Format::DockerAndOci, Format::Oci]);
}

fn many_claims_of_one_large_layer_need_no_memory() {
    let mut builder = tar::Builder::new(Vec::new());
    for number in 0..10 {
        let path = format!("{}{number}", "long/".repeat(200));
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        builder.append_data(&mut header, path, &b"x"[..]).expect("tar");
    }
    let layer = builder.into_inner().expect("tar");
    let diff_ids: Vec<String> = (0..50_000).map(|number| format!("sha256:{number:064x}")).collect();
    let config = serde_json::json!({"architecture": "arm64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let config = serde_json::to_vec(&config).expect("JSON");
    let name = format!("{}.json", cargo_appbundle::digest::Digest::of(&config).hex());
    let manifest = serde_json::json!([{"Config": name, "RepoTags": ["a:1"], "Layers": vec!["l"; diff_ids.len()]}]);
    let members = [member("l", layer), member(&name, config), member("manifest.json", manifest.to_string())];
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("x.tar"), tar(&members)).expect("written");
    let words = ["sh", "-c", "ulimit -v 400000 && exec \"$@\"", "sh"];
    let said = ok(&mut support::within(&words, &support::appbundle(folder.path(), &["inspect", "x.tar"])));
    assert!(said.contains("largest files"), "{:?}", said.lines().last());
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(every_kind_of_archive_is_the_same_inside),
        test!(through_the_front_door),
        test!(sparse_files_and_many_holes, [bash]),
        test!(faults_of_oci_layouts),
        test!(what_docker_skopeo_and_podman_write, [docker, podman, skopeo]),
        test!(what_umoci_writes, [umoci]),
        test!(the_reference_artifact_tool_takes_the_forged_file, [mender_artifact]),
        test!(what_the_reference_artifact_tool_writes, [mender_artifact]),
        test!(what_xz_writes, [xz]),
        test!(what_we_write, [arm64_cc]),
        test!(many_claims_of_one_large_layer_need_no_memory),
    ])
}
