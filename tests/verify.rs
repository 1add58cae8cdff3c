//! Is every fault found? Files that break one rule each, and the rule named.

#[path = "support/forge.rs"]
mod forge;
mod support;

use std::io::Read as _;

use cargo_appbundle::archive::TarReader;
use cargo_appbundle::bundle::survey::{Limits, survey_reader};
use forge::{Forge, ForgedImage, docker_members, gzip, member, tar, tar_with};
use proptest::prelude::*;
use serde_json::json;

/// What the fault has to say, and how the file is broken.
type Case = (&'static str, fn(&mut Forge));

fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (expected, break_it) in cases {
        let mut forge = Forge::new();
        break_it(&mut forge);
        let faults = forge.survey().faults;
        if !faults.iter().any(|fault| fault.contains(expected)) {
            wrong.push(format!("no `{expected}` in {faults:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_good_file_has_no_faults() {
    let survey = Forge::new().survey();
    assert_eq!((survey.faults, survey.notes), (vec![], vec![]));
    assert_eq!((survey.images.len(), survey.layers.len()), (2, 3));
}

#[test]
fn the_container() {
    check(&[
        ("`version` is missing", |f| f.outer = Box::new(|m| drop(m.remove(0)))),
        ("`manifest` is missing", |f| f.outer = Box::new(|m| drop(m.remove(1)))),
        ("`header.tar.gz` is missing", |f| f.outer = Box::new(|m| drop(m.remove(2)))),
        ("`data/0000.tar.gz` is missing", |f| f.outer = Box::new(|m| drop(m.remove(3)))),
        ("`manifest` follows `header.tar.gz`", |f| f.outer = Box::new(|m| m.swap(1, 2))),
        ("`version` follows `manifest`", |f| f.outer = Box::new(|m| m.swap(0, 1))),
        ("`x` follows the data", |f| f.outer = Box::new(|m| m.push(member("x", "x")))),
        ("`x` is not allowed in an artifact", |f| f.outer = Box::new(|m| m.insert(2, member("x", "x")))),
        ("`data/` is not allowed in an artifact", |f| f.outer = Box::new(|m| m.insert(3, member("data/", "")))),
        ("must be named `version`", |f| f.outer = Box::new(|m| m[0].0 = "./version".into())),
        ("occurs twice", |f| f.outer = Box::new(|m| m.insert(1, m[0].clone()))),
        ("augmented", |f| f.outer = Box::new(|m| m.insert(2, member("manifest-augment", "x")))),
        ("augmented", |f| f.outer = Box::new(|m| m.insert(3, member("header-augment.tar.gz", "x")))),
        ("`data/0001.tar.gz`", |f| f.outer = Box::new(|m| m.push(member("data/0001.tar.gz", "x")))),
        ("unknown field `x`", |f| f.version = br#"{"format":"mender","version":3,"x":1}"#.to_vec()),
        ("version 2", |f| f.version = br#"{"format":"mender","version":2}"#.to_vec()),
        ("format `menda`", |f| f.version = br#"{"format":"menda","version":3}"#.to_vec()),
        ("missing field `version`", |f| f.version = br#"{"format":"mender"}"#.to_vec()),
        ("extra bytes follow", |f| f.after = b"junk".repeat(128)),
        ("does not match its name", |f| f.outer = Box::new(|m| m[3].0 = "data/0000.tar.zst".into())),
        ("does not match its name", |f| f.outer = Box::new(|m| m[2].0 = "header.tar.xz".into())),
        ("does not match its name", |f| f.outer = Box::new(|m| m[2].1 = tar(&[]))),
        ("incomplete deflate", |f| {
            f.outer = Box::new(|m| {
                let half = m[3].1.len() / 2;
                m[3].1.truncate(half);
            });
        }),
    ]);
}

#[test]
fn the_manifest() {
    check(&[
        ("`data/0000/version` is not listed", |f| f.manifest = Box::new(|t| without(&t, "data/0000/version"))),
        ("`header.tar.gz` is not listed", |f| f.manifest = Box::new(|t| without(&t, "header.tar.gz"))),
        ("`version` is not listed", |f| f.manifest = Box::new(|t| without(&t, " version"))),
        ("`data/0000/none` is listed", |f| f.manifest = Box::new(|t| t + &"0".repeat(64) + "  data/0000/none\n")),
        ("`data/0000/settings.user.env` has the digest", |f| f.manifest = Box::new(|t| t.replace("e3b0c4", "e3b0c5"))),
        ("64 lower-case", |f| f.manifest = Box::new(|t| t.replace("e3b0c4", "E3B0C4"))),
        ("CR LF", |f| f.manifest = Box::new(|t| t.replace('\n', "\r\n"))),
        ("two spaces", |f| f.manifest = Box::new(|t| t.replace("  version", " version"))),
        ("does not end with a line feed", |f| f.manifest = Box::new(|t| t.trim_end().to_owned())),
        ("twice", |f| f.manifest = Box::new(|t| t.clone() + &t)),
        ("empty", |f| f.manifest = Box::new(|_| String::new())),
        ("base64", |f| f.outer = Box::new(|m| m.insert(2, member("manifest.sig", "!")))),
        ("base64", |f| f.outer = Box::new(|m| m.insert(2, member("manifest.sig", "A".repeat(86) + "==\n")))),
        ("has 3 bytes", |f| f.outer = Box::new(|m| m.insert(2, member("manifest.sig", "AAAA")))),
        ("`manifest.sig` follows", |f| f.outer = Box::new(|m| m.insert(3, member("manifest.sig", "A".repeat(86) + "==")))),
    ]);
    let mut signed = Forge::new();
    signed.outer = Box::new(|m| m.insert(2, member("manifest.sig", "A".repeat(86) + "==")));
    let survey = signed.survey();
    assert!(survey.faults.is_empty() && survey.signed, "{:?}", survey.faults);
}

fn without(text: &str, end: &str) -> String {
    text.lines().filter(|line| !line.ends_with(end)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_header() {
    check(&[
        ("instead of `header-info`", |f| f.header = Box::new(|m| m.rotate_left(1))),
        ("out of order", |f| f.header = Box::new(|m| m.swap(1, 2))),
        ("`header-info` is missing", |f| f.header = Box::new(|m| drop(m.remove(0)))),
        ("`headers/0000/type-info` is missing", |f| f.header = Box::new(|m| drop(m.remove(1)))),
        ("`headers/0000/meta-data` is missing", |f| f.header = Box::new(|m| drop(m.remove(2)))),
        ("`headers/0000/meta-data` is empty", |f| f.header = Box::new(|m| m[2].1.clear())),
        ("`headers/0000/x` is not allowed", |f| f.header = Box::new(|m| m.push(member("headers/0000/x", "x")))),
        ("is a state script", |f| {
            f.header = Box::new(|m| m.insert(1, member("scripts/ArtifactInstall_Enter_00", "#!/bin/sh\n")))
        }),
        ("`headers/0001/type-info` is not allowed", |f| f.header = Box::new(|m| m.push(member("headers/0001/type-info", "{}")))),
        ("occurs twice", |f| f.header = Box::new(|m| m.push(m[2].clone()))),
        ("is not JSON", |f| f.header = Box::new(|m| m[1].1 = b"{".to_vec())),
        ("unknown key `x`", |f| f.info["x"] = json!(1)),
        ("2 payloads", |f| f.info["payloads"] = json!([{"type": "docker"}, {"type": "docker"}])),
        ("0 payloads", |f| f.info["payloads"] = json!([])),
        ("has no type", |f| f.info["payloads"] = json!([{}])),
        ("instead of `docker`", |f| {
            f.info["payloads"][0]["type"] = json!("rootfs-image");
            f.type_info["type"] = json!("rootfs-image");
        }),
        ("no `artifact_name`", |f| f.info["artifact_provides"] = json!({})),
        ("white space", |f| f.info["artifact_provides"]["artifact_name"] = json!("a b")),
        ("unprintable", |f| f.info["artifact_provides"]["artifact_name"] = json!("a\u{7}b")),
        ("257 bytes", |f| f.info["artifact_provides"]["artifact_name"] = json!("a".repeat(257))),
        ("unknown key `x`", |f| f.info["artifact_provides"]["x"] = json!("x")),
        ("`artifact_group` is not", |f| f.info["artifact_provides"]["artifact_group"] = json!(1)),
        ("no `artifact_depends` object", |f| drop(f.info.as_object_mut().expect("map").remove("artifact_depends"))),
        ("at least one device", |f| f.info["artifact_depends"]["device_type"] = json!([])),
        ("unknown key `x`", |f| f.info["artifact_depends"]["x"] = json!(["x"])),
        ("257 bytes", |f| f.info["artifact_depends"]["device_type"] = json!(["a".repeat(257)])),
        ("type-info has the type `x`", |f| f.type_info["type"] = json!("x")),
        ("type-info has no `type`", |f| drop(f.type_info.as_object_mut().expect("map").remove("type"))),
        ("unknown key `x`", |f| f.type_info["x"] = json!("x")),
        ("is not a string", |f| f.type_info["artifact_provides"]["x"] = json!(1)),
        ("repeats `artifact_name`", |f| f.type_info["artifact_provides"]["artifact_name"] = json!("x")),
        ("repeats `device_type`", |f| f.type_info["artifact_depends"] = json!({"device_type": ["x"]})),
        ("not a list of strings", |f| f.type_info["clears_artifact_provides"] = json!("x")),
        ("is not a string, a number", |f| f.meta_data["x"] = json!({"nested": 1})),
        ("is not a string, a number", |f| f.meta_data["x"] = json!([[1]])),
        ("not a JSON object", |f| f.meta_data = json!([1])),
    ]);
}

#[test]
fn the_data() {
    check(&[
        ("is not a valid name", |f| f.files.push(member("a+b", "x"))),
        ("is not a valid name", |f| f.files.push(member("a b", "x"))),
        ("is not a valid name", |f| f.files.push(member("a/b", "x"))),
        ("is not a valid name", |f| f.files.push(member("./x", "x"))),
        ("occurs twice", |f| f.files.push(member("version", "1.2.3"))),
        ("is not a plain file", |f| {
            f.outer = Box::new(|m| m[3].1 = gzip(&tar_with("folder/", tar::EntryType::Directory, "", &[])));
        }),
        ("is not a plain file", |f| {
            f.outer = Box::new(|m| m[3].1 = gzip(&tar_with("version", tar::EntryType::Symlink, "/etc/passwd", &[])));
        }),
        ("`data/0000/version` is listed", |f| f.outer = Box::new(|m| m[3].1 = gzip(&tar(&[])))),
        ("two zero blocks", |f| {
            f.outer = Box::new(|m| {
                let whole = tar(&[member("version", "1.2.3")]);
                m[3].1 = gzip(&whole[..1024]);
            });
        }),
    ]);
}

#[test]
fn the_app_file() {
    check(&[
        ("not valid YAML", |f| f.app = "a: [".into()),
        ("`auterion-api-version` is missing", |f| f.app = f.app.replace("auterion-api-version: 2\n", "")),
        ("`auterion-api-version` is 9", |f| f.app = f.app.replace("version: 2", "version: 9")),
        ("`auterion-app-base` is missing", |f| f.app = f.app.replace("auterion-app-base: none\n", "")),
        ("`auterion-app-base` is `x`", |f| f.app = f.app.replace("base: none", "base: x")),
        ("`app-name` is missing", |f| f.app = f.app.replace("app-name: demo\n", "")),
        ("`app-name` is `Demo`", |f| f.app = f.app.replace("name: demo", "name: Demo")),
        ("`app-author` is `Com`", |f| f.app = f.app.replace("com.example", "Com")),
        ("put 1.2 in quotes", |f| f.app = f.app.replace("1.2.3", "1.2")),
        ("`app-version` is `1.2.3+4`", |f| f.app = f.app.replace("1.2.3", "1.2.3+4")),
        ("`target-platform` is not", |f| f.app = f.app.replace("target-platform:\n- skynode\n", "")),
        ("`toaster` of `target-platform`", |f| f.app = f.app.replace("skynode", "toaster")),
        ("up to API 4", |f| f.app = f.app.replace("- skynode", "- ainode")),
        ("differs from the header's devices", |f| f.app = f.app.replace("api-version: 2", "api-version: 5")),
        ("at least one service", |f| f.app = f.app.replace("services:\n", "x:\n")),
        ("unknown key `x`", |f| f.app += "x: 1\n"),
        ("`suite-id` needs `auterion-api-version: 8`", |f| f.app += "suite-id: {release: 1}\n"),
        ("service `a`: unknown key `x`", |f| f.app = f.app.replace("services/a\n", "services/a\n    x: 1\n")),
        ("service `a`: `mountsets` needs", |f| f.app = f.app.replace("services/a\n", "services/a\n    mountsets: x\n")),
        ("exactly one of", |f| f.app = f.app.replace("services/a\n", "services/a\n    image: x\n")),
        ("exactly one of", |f| f.app = f.app.replace("    build: services/a\n", "    ssh: true\n")),
        ("names the service `c`, which is not in", |f| f.app += "compose-override: {services: {c: {}}}\n"),
        ("the image `x:1` of service `a`", |f| f.app += "compose-override: {services: {a: {image: 'x:1'}}}\n"),
        ("`#VERSION#` was not replaced", |f| f.app += "# #VERSION#\n"),
    ]);
}

#[test]
fn the_payload() {
    check(&[
        ("no file `version`", |f| drop(f.files.remove(0))),
        ("`version` contains `1.2.3\\n`", |f| f.files[0] = member("version", "1.2.3\n")),
        ("`version` contains `2`", |f| f.files[0] = member("version", "2")),
        ("no `settings.default.env`", |f| drop(f.files.remove(1))),
        ("no `settings.user.env`", |f| drop(f.files.remove(2))),
        ("`settings.user.env` is not empty", |f| f.files[2] = member("settings.user.env", "A=1\n")),
        ("line 2 of `settings.default.env`", |f| f.files[1] = member("settings.default.env", "A=1\nwhat\n")),
        ("has no `SLUG.image`", |f| f.image_name = "image".into()),
        ("must be named `com.example.demo.image`", |f| f.image_name = "demo.image".into()),
        ("a second `.image`", |f| f.files.push(member("x.image", gzip(b"")))),
        ("not compressed with gzip", |f| f.image_bytes = Some(tar(&docker_members(&f.images)))),
        ("instead of `com.example.demo:1.2.3`", |f| f.info["artifact_provides"]["artifact_name"] = json!("demo:1")),
        ("does not provide", |f| f.type_info["artifact_provides"] = json!({})),
        ("instead of `1.2.3`", |f| f.type_info["artifact_provides"]["docker-app.com.example.demo.version"] = json!("1")),
        ("does not clear", |f| f.type_info["clears_artifact_provides"] = json!([])),
        ("no `auterion-metadata`", |f| f.meta_data = json!({"x": 1})),
        ("not the text of a JSON", |f| f.meta_data = json!({"auterion-metadata": "{"})),
        ("`app-version` differs", |f| f.meta_data = json!({"auterion-metadata": "{\"auterion-app-yml\": {}}"})),
        ("list different services", |f| f.meta_data = json!({"auterion-metadata": "{\"auterion-app-yml\": {}}"})),
        ("`target-platform` of `auterion-metadata` differs", |f| f.describe(json!(["skynode"]))),
        ("`target-platform` of `auterion-metadata` differs", |f| f.describe(json!(["skynode", "ainode", "toaster"]))),
        ("`target-platform` of `auterion-metadata` differs", |f| f.describe(json!("jetson"))),
        ("unknown device type `toaster`", |f| f.info["artifact_depends"]["device_type"] = json!(["toaster"])),
        ("occurs twice", |f| f.info["artifact_depends"]["device_type"] = json!(["skynode", "skynode"])),
        ("mix architectures", |f| f.info["artifact_depends"]["device_type"] = json!(["skynode", "simulation"])),
        ("the devices run linux/amd64", |f| f.info["artifact_depends"]["device_type"] = json!(["simulation"])),
        ("the devices run linux/arm64", |f| f.images[0].config["architecture"] = json!("amd64")),
        ("of service `a` is missing", |f| f.images[0].name = "other:1.2.3".into()),
        ("of service `a` is missing", |f| f.images[0].name = "com.example.demo.a:1.2.4".into()),
        ("no `app.yml`", |f| f.app = f.app.replace("api-version: 2", "api-version: 1")),
        ("`app.yml`: `#VERSION#`", |f| api1(f, "image: 'com.example.demo.a:#VERSION#'")),
        ("`app.yml`: service `a` has the image `x:1`", |f| api1(f, "image: x:1")),
        ("`app.yml`: service `a`: `build`", |f| api1(f, "{build: x, image: 'com.example.demo.a:1.2.3'}")),
        ("`app.yml`: there is no service `b`", |f| api1(f, "image: com.example.demo.a:1.2.3")),
        ("is not `PACKAGE/msg/NAME.msg`", |f| f.files.push(member("logging-msg-files.tar", tar(&[member("x.msg", "")])))),
    ]);
}

fn api1(forge: &mut Forge, service: &str) {
    forge.app = forge.app.replace("api-version: 2", "api-version: 1");
    forge.files.push(member("app.yml", format!("services:\n  a:\n    {service}\n")));
}

#[test]
fn the_images() {
    check(&[
        ("neither a `manifest.json`", |f| f.archive = Box::new(|m| drop(m.pop()))),
        ("`manifest.json` is invalid", |f| f.archive = Box::new(|m| m.last_mut().expect("last").1 = b"[1]".to_vec())),
        ("lists no images", |f| f.archive = Box::new(|m| m.last_mut().expect("last").1 = b"[]".to_vec())),
        ("its layer", |f| f.archive = Box::new(|m| drop(m.remove(0)))),
        ("its config", |f| f.archive = Box::new(|m| m.retain(|(name, _)| !name.ends_with(".json") || name == "manifest.json"))),
        ("has the unpacked digest", |f| f.archive = Box::new(|m| m[0].1 = tar(&[member("other", "")]))),
        ("is not a tar", |f| f.archive = Box::new(|m| m[0].1 = b"no tar".to_vec())),
        ("not the one in its name", |f| {
            f.archive = Box::new(|m| {
                let at = m.iter().position(|(name, _)| name.ends_with(".json")).expect("config");
                m[at].1.push(b' ');
            });
        }),
        ("its history has 1 layers", |f| f.images[0].config["history"] = json!([{}])),
        ("it has 2 layers, but its config has 1", |f| {
            drop(f.images[0].config["rootfs"]["diff_ids"].as_array_mut().expect("list").pop());
        }),
        ("names no platform", |f| f.images[0].config["os"] = json!("")),
        ("instead of `layers`", |f| f.images[0].config["rootfs"]["type"] = json!("x")),
        ("two images are named", |f| f.images[1].name = f.images[0].name.clone()),
        ("is not the name of an image", |f| f.images[0].name = "A:1".into()),
        ("has a path outside the archive", |f| f.archive = Box::new(|m| m.push(member("../x", "")))),
        ("has a path outside the archive", |f| f.archive = Box::new(|m| m.push(member("/x", "")))),
        ("with different contents", |f| f.archive = Box::new(|m| m.push(member(&m[0].0.clone(), "other")))),
        ("cut short", |f| {
            let whole = tar(&docker_members(&f.images));
            f.image_bytes = Some(gzip(&whole[..3000]));
        }),
        ("extra bytes follow", |f| {
            let mut whole = tar(&docker_members(&f.images));
            whole.extend(b"junk");
            f.image_bytes = Some(gzip(&whole));
        }),
        ("`../x` is outside the image", |f| f.images[0].layers[1] = tar(&[member("../x", "")])),
        ("`/x` is outside the image", |f| f.images[0].layers[1] = tar(&[member("/x", "")])),
        ("hard link points outside", |f| f.images[0].layers[1] = tar_with("x", tar::EntryType::Link, "../../x", &[])),
    ]);
}

#[test]
fn symbolic_links_in_a_layer_may_lead_anywhere() {
    let mut forge = Forge::new();
    let layer = tar_with("bin", tar::EntryType::Symlink, "/usr/bin", &[]);
    forge.images[0].config["rootfs"]["diff_ids"][1] = json!(cargo_appbundle::digest::Digest::of(&layer));
    forge.images[0].layers[1] = layer;
    assert!(forge.survey().faults.is_empty());
}

#[test]
fn layers_of_the_app_base_may_be_left_out_where_they_are_lowest() {
    let with = |images: &[(&str, &[&str])], left_out: &'static [&'static str]| {
        let mut forge = Forge::new();
        forge.app = forge.app.replace("base: none", "base: v1");
        forge.images =
            images.iter().map(|(name, layers)| ForgedImage::new(&format!("com.example.demo.{name}:1.2.3"), layers)).collect();
        forge.archive = Box::new(move |members| {
            let names: Vec<String> = left_out
                .iter()
                .map(|text| {
                    let layer = ForgedImage::new("x", &[text]).layers.remove(0);
                    format!("{}.tar", cargo_appbundle::digest::Digest::of(&layer).hex())
                })
                .collect();
            members.retain(|(name, _)| !names.contains(name));
        });
        forge.survey()
    };
    let good = with(&[("a", &["low", "high", "a"]), ("b", &["low", "b"])], &["low", "high"]);
    assert_eq!(good.faults, Vec::<String>::new());
    assert!(good.notes.iter().any(|note| note.contains("app-base-v1")));
    assert_eq!(good.layers.iter().filter(|layer| !layer.present).count(), 2);

    for (images, left_out) in [
        // Not lowest.
        (&[("a", &["a", "low"][..]), ("b", &["low", "b"][..])], &["low"][..]),
        // Twice in one image.
        (&[("a", &["low", "a", "low"][..]), ("b", &["low", "b"][..])], &["low"][..]),
        // Two images that disagree about what is below.
        (&[("a", &["low", "high", "a"][..]), ("b", &["high", "low", "b"][..])], &["low", "high"][..]),
    ] {
        let faults = with(images, left_out).faults;
        assert!(faults.iter().any(|fault| fault.contains("is omitted, but")), "{faults:#?}");
    }

    let mut none = Forge::new();
    none.archive = Box::new(|members| drop(members.remove(0)));
    assert!(none.survey().faults.iter().any(|fault| fault.contains("is missing")));
}

#[test]
fn the_older_flow_is_taken_as_it_is() {
    let mut forge = Forge::new();
    forge.app.clear();
    forge.files = vec![
        member("app.yml", "version: '3.7'\nservices:\n  demo:\n    image: demo:1.2.3\n    container_name: demo\n"),
        member("version", "1.2.3"),
    ];
    forge.image_name = "demo.image".into();
    forge.images.truncate(1);
    forge.images[0].name = "demo:1.2.3".into();
    forge.info["artifact_provides"]["artifact_name"] = json!("demo-1.2.3");
    forge.meta_data = json!({"x": "y"});
    let survey = forge.survey();
    assert_eq!(survey.faults, Vec::<String>::new());
    assert!(survey.notes.iter().any(|note| note.contains("older way")));
    assert_eq!((survey.name.as_deref(), survey.version.as_deref()), (Some("demo"), Some("1.2.3")));

    forge.files[0] = member("app.yml", "services:\n  demo:\n    image: demo:#VERSION#\n");
    assert!(forge.survey().faults.iter().any(|fault| fault.contains("#VERSION#")));
    forge.files.remove(0);
    assert!(forge.survey().faults.iter().any(|fault| fault.contains("neither an `auterion-app.yml` nor")));
}

#[test]
fn through_the_front_door() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("good.auterionos"), Forge::new().build()).expect("written");
    let mut forge = Forge::new();
    forge.files[0] = member("version", "2");
    forge.info["x\u{1b}[31m"] = json!(1);
    std::fs::write(folder.path().join("bad.auterionos"), forge.build()).expect("written");
    let run = |arguments: &[&str]| support::appbundle(folder.path(), arguments);

    let said = support::ok(&mut run(&["verify", "good.auterionos"]));
    assert!(said.starts_with("verified good.auterionos: AuterionOS app com.example.demo 1.2.3, 2 images, 3 layers, "), "{said}");
    let said = support::fails(&mut run(&["verify", "bad.auterionos"]), 1);
    assert!(said.contains("error: `version` contains `2`") && said.contains("`bad.auterionos` has 2 faults"), "{said}");
    assert!(!said.contains("\u{1b}[31m"), "what a file says does not control the terminal");

    let output = support::run(&mut run(&["verify", "bad.auterionos", "--json"]));
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &verdict["good"]), (Some(1), &json!(false)));
    assert_eq!(verdict["faults"].as_array().map(Vec::len), Some(2));
    support::fails(&mut run(&["verify", "none"]), 1);
    support::fails(&mut run(&["verify", "."]), 1);
}

#[test]
fn names_are_compared_as_docker_normalises_them() {
    for prefix in ["", "docker.io/", "docker.io/library/", "index.docker.io/", "library/"] {
        let mut forge = Forge::new();
        for image in &mut forge.images {
            image.name.insert_str(0, prefix);
        }
        let survey = forge.survey();
        assert_eq!((survey.faults, survey.notes), (vec![], vec![]), "{prefix}");
        assert_eq!(survey.images[1].service.as_deref(), Some("b"));

        let mut forge = Forge::new();
        forge.images[1].name = format!("{prefix}{}", forge.images[0].name);
        assert!(forge.survey().faults.iter().any(|fault| fault.contains("two images are named")), "{prefix}");
    }
    let mut forge = Forge::new();
    forge.images[0].name.insert_str(0, "docker.io/team/");
    assert!(forge.survey().faults.iter().any(|fault| fault.contains("of service `a` is missing")));
}

#[test]
fn what_app_yml_leaves_to_the_device_is_a_note() {
    let mut forge = Forge::new();
    forge.app = forge.app.replace("api-version: 2", "api-version: 1");
    let service = |name: &str, more: &str| format!("  {name}:\n    image: com.example.demo.{name}:1.2.3\n{more}");
    let all = "    container_name: b\n    restart: always\n    network_mode: host\n    env_file: []\n";
    forge.files.push(member("app.yml", format!("services:\n{}{}", service("a", "    restart: always\n"), service("b", all))));
    let survey = forge.survey();
    assert_eq!(survey.faults, Vec::<String>::new());
    let left = "`app.yml`: service `a` does not set `container_name`, `network_mode`, `env_file`: the device's defaults apply";
    assert_eq!(survey.notes, [left]);
}

#[test]
fn a_layer_that_is_stored_twice_costs_its_bytes() {
    let mut forge = Forge::new();
    forge.archive = Box::new(|members| {
        // The second image gets its own copy of the layer that both have.
        let base = members[0].clone();
        let text = String::from_utf8(members.last().expect("manifest").1.clone()).expect("text");
        let (first, second) = text.split_at(text.find(".b:1.2.3").expect("name"));
        let manifest = format!("{first}{}", second.replace(&base.0, "copy.tar"));
        members.last_mut().expect("manifest").1 = manifest.into_bytes();
        members.insert(0, member("copy.tar", base.1));
    });
    let archive = {
        let mut members = docker_members(&forge.images);
        (forge.archive)(&mut members);
        tar(&members)
    };
    let survey = forge::look(&archive);
    assert_eq!(survey.faults, Vec::<String>::new());
    let size = ForgedImage::new("x", &["base"]).layers[0].len();
    let [warning] = &survey.warnings[..] else { panic!("{:?}", survey.warnings) };
    assert!(warning.contains("copy.tar") && warning.ends_with(&format!("wastes {size} bytes")), "{warning}");

    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("twice.tar"), archive).expect("written");
    let run = |more: &[&str]| support::appbundle(folder.path(), &[&["verify", "twice.tar"], more].concat());
    let said = support::run(&mut run(&[]));
    let told = support::text(&said.stderr);
    assert!(said.status.success() && told.contains("warning: the layer `"), "{told}");
    let verdict: serde_json::Value = serde_json::from_slice(&support::run(&mut run(&["--json"])).stdout).expect("JSON");
    assert_eq!(verdict["warnings"].as_array().map(Vec::len), Some(1), "{verdict}");

    // The same member twice.
    let mut members = docker_members(&forge.images);
    members.push(members[0].clone());
    assert_eq!(forge::look(&tar(&members)).warnings.len(), 1);
    assert_eq!(Forge::new().survey().warnings, Vec::<String>::new());
}

#[test]
fn devices_are_told_by_whatever_name_their_author_wrote() {
    let mut forge = Forge::new();
    for devices in [json!(["skynode", "ainode"]), json!(["jetson", "skynode", "ainode"])] {
        forge.describe(devices);
        assert_eq!(forge.survey().faults, vec![""; 0]);
    }
}

#[test]
fn a_name_that_says_something_else_than_the_file_is_noted() {
    let folder = tempfile::tempdir().expect("folder");
    let noted = |forge: &Forge, name: &str| {
        std::fs::write(folder.path().join(name), forge.build()).expect("written");
        let said = support::run(&mut support::appbundle(folder.path(), &["verify", name]));
        assert!(said.status.success(), "{}", support::text(&said.stderr));
        support::text(&said.stderr).contains("the usual name for its app is `com.example.demo-1.2.3.auterionos`")
    };
    let good = Forge::new();
    assert!(!noted(&good, "com.example.demo-1.2.3.auterionos") && !noted(&good, "com.example.demo.auterionos"));
    for name in ["com.example.demo-1.2.4.auterionos", "demo-1.2.3.auterionos", "com.example.demo-1.2.3.bin", "demo"] {
        assert!(noted(&good, name), "{name}");
    }
}

#[test]
fn many_faults_are_told_at_once() {
    let mut forge = Forge::new();
    forge.files[0] = member("version", "2");
    forge.images[0].config["architecture"] = json!("amd64");
    forge.manifest = Box::new(|text| text.replace("e3b0c4", "e3b0c5"));
    forge.info["x"] = json!(1);
    assert_eq!(forge.survey().faults.len(), 4, "{:#?}", forge.survey().faults);
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = gzip(&vec![0; 4 << 20]);
    let mut forge = Forge::new();
    forge.files.push(member("x.image", &bomb));
    forge.image_bytes = Some(Vec::new());
    let bytes = forge.build();
    let limits = Limits { unpacked: 1 << 20, largest: 0, executables: false };
    let survey = survey_reader(&bytes[..], limits).expect("a bundle");
    assert!(survey.faults.iter().any(|fault| fault.contains("unpacks to more than the limit")), "{:#?}", survey.faults);
}

#[test]
fn what_is_no_bundle_is_an_error() {
    for bytes in [&b""[..], b"hello", &tar(&[member("x", "y")]), &gzip(b"x"), &[0; 2048]] {
        let survey = survey_reader(bytes, Default::default());
        assert!(survey.map_or(true, |survey| !survey.faults.is_empty()));
    }
}

/// A good file whose data are not compressed, and where bytes stand in it that a sum covers.
fn covered() -> (Vec<u8>, Vec<std::ops::Range<usize>>) {
    let mut forge = Forge::new();
    forge.outer = Box::new(|members| {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&members[3].1[..]).read_to_end(&mut plain).expect("gzip");
        members[3] = member("data/0000.tar", plain);
    });
    let bytes = forge.build();
    let places = |bytes: &[u8], from: usize| {
        let mut reader = TarReader::new(bytes);
        let mut places = Vec::new();
        while let Some(entry) = reader.next_entry().expect("tar") {
            let start = from + entry.offset as usize;
            places.push(start..start + entry.size as usize);
        }
        places
    };
    let mut ranges = places(&bytes, 0);
    let data = ranges.pop().expect("data");
    ranges.extend(places(&bytes[data.clone()], data.start));
    ranges.retain(|range| !range.is_empty());
    (bytes, ranges)
}

fn is_good(bytes: &[u8]) -> bool {
    survey_reader(bytes, Limits::default()).is_ok_and(|survey| survey.faults.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_in_covered_bytes_is_a_fault(which: prop::sample::Index, place: prop::sample::Index, bit in 0u8..8) {
        let (mut bytes, ranges) = covered();
        let range = which.get(&ranges);
        let at = range.start + place.index(range.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(!is_good(&bytes), "bit {bit} of byte {at}");
    }

    #[test]
    fn a_file_cut_short_is_a_fault(place: prop::sample::Index) {
        let bytes = Forge::new().build();
        prop_assert!(!is_good(&bytes[..place.index(bytes.len())]));
    }

    #[test]
    fn any_changed_byte_is_survived(place: prop::sample::Index, byte: u8) {
        let mut bytes = Forge::new().build();
        let at = place.index(bytes.len());
        bytes[at] = byte;
        is_good(&bytes);
    }
}

#[test]
fn covered_bytes_are_found() {
    assert!(is_good(&covered().0));
}
