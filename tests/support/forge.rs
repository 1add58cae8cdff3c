//! Bundles made by hand, good ones and broken ones, without the writers under test.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::Write as _;

use cargo_appbundle::bundle::survey::{Limits, Survey, survey_reader};
use cargo_appbundle::digest::Digest;
use serde_json::{Value, json};

/// A name and bytes.
pub type Member = (String, Vec<u8>);

/// What a test does to the members of an archive.
pub type Change = Box<dyn Fn(&mut Vec<Member>)>;

/// A member of this name and content.
pub fn member(name: &str, bytes: impl AsRef<[u8]>) -> Member {
    (name.to_owned(), bytes.as_ref().to_vec())
}

/// A tar of plain files.
pub fn tar(members: &[Member]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        builder.append(&header(name, bytes.len() as u64, tar::EntryType::Regular), &bytes[..]).expect("tar");
    }
    builder.into_inner().expect("tar")
}

/// A header that takes any name up to 100 bytes, however bad.
pub fn header(name: &str, size: u64, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o644);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

/// A tar of one member that is not a plain file, followed by the others.
pub fn tar_with(name: &str, kind: tar::EntryType, link: &str, members: &[Member]) -> Vec<u8> {
    let mut special = header(name, 0, kind);
    special.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    special.set_cksum();
    let mut bytes = special.as_bytes().to_vec();
    bytes.extend(tar(members));
    bytes
}

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

/// A zstd frame of raw blocks (RFC 8878, 3.1.1).
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    // No checksum, no dictionary, a window of 1 MiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let blocks: Vec<&[u8]> = bytes.chunks(64 << 10).collect();
    for (at, block) in blocks.iter().enumerate() {
        let last = u32::from(at + 1 == blocks.len());
        frame.extend_from_slice(&((block.len() as u32) << 3 | last).to_le_bytes()[..3]);
        frame.extend_from_slice(block);
    }
    frame
}

/// An image of a forged archive.
#[derive(Clone)]
pub struct ForgedImage {
    pub name: String,
    pub config: Value,
    /// Plain tars.
    pub layers: Vec<Vec<u8>>,
}

impl ForgedImage {
    /// An arm64 image; each layer is a tar of one file.
    pub fn new(name: &str, layers: &[&str]) -> Self {
        let layers: Vec<Vec<u8>> = layers.iter().map(|text| tar(&[member(&format!("srv/{text}"), text.repeat(50))])).collect();
        let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
        let history: Vec<Value> = layers.iter().map(|_| json!({"created_by": "forge"})).collect();
        let config = json!({
            "architecture": "arm64", "os": "linux",
            "config": {"Entrypoint": ["/srv/app"], "Cmd": ["--fast"], "Env": ["A=b"], "ExposedPorts": {"80/tcp": {}}, "User": "65532"},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": history,
        });
        Self { name: name.to_owned(), config, layers }
    }
}

/// `<sha>.json`, `<sha>.tar`, `manifest.json` last.
pub fn docker_members(images: &[ForgedImage]) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    let mut manifest = Vec::new();
    for image in images {
        let config = serde_json::to_vec(&image.config).expect("json");
        let config_name = format!("{}.json", Digest::of(&config).hex());
        let mut names = Vec::new();
        for layer in &image.layers {
            let name = format!("{}.tar", Digest::of(layer).hex());
            if !members.iter().any(|(other, _)| *other == name) {
                members.push((name.clone(), layer.clone()));
            }
            names.push(name);
        }
        if !members.iter().any(|(other, _)| *other == config_name) {
            members.push((config_name.clone(), config));
        }
        manifest.push(json!({"Config": config_name, "RepoTags": [image.name], "Layers": names}));
    }
    members.push(member("manifest.json", serde_json::to_vec(&manifest).expect("json")));
    members
}

/// An OCI layout; `pack` compresses layers and says what that is called.
pub fn oci_members(images: &[ForgedImage], pack: impl Fn(&[u8]) -> (Vec<u8>, &'static str)) -> Vec<Member> {
    let mut members = vec![member("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)];
    let mut blob = |bytes: Vec<u8>, kind: &str| {
        let digest = Digest::of(&bytes);
        let descriptor = json!({"mediaType": kind, "digest": digest, "size": bytes.len()});
        let name = format!("blobs/sha256/{}", digest.hex());
        if !members.iter().any(|(other, _)| *other == name) {
            members.push((name, bytes));
        }
        descriptor
    };
    let mut manifests = Vec::new();
    for image in images {
        let config = blob(serde_json::to_vec(&image.config).expect("json"), "application/vnd.oci.image.config.v1+json");
        let layers: Vec<Value> = image
            .layers
            .iter()
            .map(|layer| {
                let (bytes, suffix) = pack(layer);
                blob(bytes, &format!("application/vnd.oci.image.layer.v1.tar{suffix}"))
            })
            .collect();
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        let mut descriptor = blob(serde_json::to_vec(&manifest).expect("json"), "application/vnd.oci.image.manifest.v1+json");
        descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": image.name});
        manifests.push(descriptor);
    }
    members.push(member("index.json", serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": manifests})).expect("json")));
    members
}

/// An `.auterionos` file in parts that a test can break.
pub struct Forge {
    pub images: Vec<ForgedImage>,
    /// Changes the members of `SLUG.image`.
    pub archive: Change,
    pub app: String,
    /// Files of the payload beside `SLUG.image`.
    pub files: Vec<Member>,
    pub image_name: String,
    /// `SLUG.image`, if it shall not be the gzip of the archive.
    pub image_bytes: Option<Vec<u8>>,
    pub info: Value,
    pub type_info: Value,
    pub meta_data: Value,
    /// Changes the members of `header.tar`.
    pub header: Change,
    /// Changes the text of `manifest`.
    pub manifest: Box<dyn Fn(String) -> String>,
    pub version: Vec<u8>,
    /// Changes the members of the whole.
    pub outer: Change,
    /// Stands after the end.
    pub after: Vec<u8>,
}

/// The app file of [`Forge::new`].
pub const APP: &str = "\
app-author: com.example
app-name: demo
app-version: 1.2.3
auterion-api-version: 2
auterion-app-base: none
services:
  a:
    build: services/a
  b:
    build: services/b
target-platform:
- skynode
";

impl Forge {
    /// A good file: two services that share a layer.
    pub fn new() -> Self {
        let described = json!({"app-name": "demo", "app-author": "com.example", "app-version": "1.2.3",
            "services": {"a": {"build": "services/a"}, "b": {"build": "services/b"}}});
        let metadata = json!({"build-time": "2026-01-01T00:00:00", "cli-version": "forge", "auterion-app-yml": described});
        Self {
            images: vec![
                ForgedImage::new("com.example.demo.a:1.2.3", &["base", "a"]),
                ForgedImage::new("com.example.demo.b:1.2.3", &["base", "b"]),
            ],
            archive: Box::new(|_| {}),
            app: APP.into(),
            files: vec![member("version", "1.2.3"), member("settings.default.env", "RATE=5\n"), member("settings.user.env", "")],
            image_name: "com.example.demo.image".into(),
            image_bytes: None,
            info: json!({
                "payloads": [{"type": "docker"}],
                "artifact_provides": {"artifact_name": "com.example.demo:1.2.3"},
                "artifact_depends": {"device_type": ["skynode", "jetson"]},
            }),
            type_info: json!({
                "type": "docker",
                "artifact_provides": {"docker-app.com.example.demo.version": "1.2.3"},
                "clears_artifact_provides": ["docker-app.com.example.demo.*"],
            }),
            meta_data: json!({"auterion-metadata": metadata.to_string()}),
            header: Box::new(|_| {}),
            manifest: Box::new(|text| text),
            version: br#"{"format":"mender","version":3}"#.to_vec(),
            outer: Box::new(|_| {}),
            after: Vec::new(),
        }
    }

    /// Puts a `target-platform` into the app file that the metadata hold.
    pub fn describe(&mut self, devices: Value) {
        let text = self.meta_data["auterion-metadata"].as_str().expect("text");
        let mut metadata: Value = serde_json::from_str(text).expect("JSON");
        metadata["auterion-app-yml"]["target-platform"] = devices;
        self.meta_data = json!({"auterion-metadata": metadata.to_string()});
    }

    /// The file.
    pub fn build(&self) -> Vec<u8> {
        let mut archive = docker_members(&self.images);
        (self.archive)(&mut archive);
        let image = self.image_bytes.clone().unwrap_or_else(|| gzip(&tar(&archive)));
        let mut data = vec![member("auterion-app.yml", &self.app), (self.image_name.clone(), image)];
        data.retain(|(_, bytes)| !bytes.is_empty());
        data.extend(self.files.iter().cloned());

        let mut header = vec![
            member("header-info", self.info.to_string()),
            member("headers/0000/type-info", self.type_info.to_string()),
            member("headers/0000/meta-data", self.meta_data.to_string()),
        ];
        (self.header)(&mut header);
        let header = gzip(&tar(&header));

        let mut manifest = String::new();
        for (name, bytes) in &data {
            manifest += &format!("{}  data/0000/{name}\n", Digest::of(bytes).hex());
        }
        manifest += &format!("{}  header.tar.gz\n", Digest::of(&header).hex());
        manifest += &format!("{}  version\n", Digest::of(&self.version).hex());
        let manifest = (self.manifest)(manifest);

        let mut outer = vec![
            member("version", &self.version),
            member("manifest", manifest),
            member("header.tar.gz", header),
            member("data/0000.tar.gz", gzip(&tar(&data))),
        ];
        (self.outer)(&mut outer);
        let mut bytes = tar(&outer);
        bytes.extend(&self.after);
        bytes
    }

    /// What is found in it.
    pub fn survey(&self) -> Survey {
        look(&self.build())
    }
}

/// Surveys bytes in memory.
pub fn look(bytes: &[u8]) -> Survey {
    survey_reader(bytes, Limits::default()).expect("a bundle")
}
