//! What the files of a payload hold.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};

use super::limits::Limits;
use super::members::ImageMembers;
use crate::archive::{Budget, Compression, TarReader};
use crate::mender::Faults;

/// Bytes of a small text file of the payload.
const LARGEST: u64 = 1 << 20;

/// What the payload's files hold.
#[derive(Default)]
pub struct PayloadContents {
    /// Small files by name.
    pub texts: BTreeMap<String, Vec<u8>>,
    /// Name without `.image`, and what is in it.
    pub images: Vec<(String, ImageMembers)>,
    /// What is wrong with them.
    pub faults: Faults,
}

impl PayloadContents {
    /// Takes in one file of the payload.
    pub fn file(&mut self, name: &str, size: u64, stream: &mut dyn Read, budget: &Budget, limits: Limits) {
        let result = match name {
            "auterion-app.yml" | "version" | "settings.default.env" | "settings.user.env" | "app.yml" => {
                self.text(name, size, stream)
            }
            "logging-msg-files.tar" => self.messages(stream),
            name if name.ends_with(".image") => self.image(name, stream, budget, limits),
            _ => Ok(()),
        };
        if let Err(error) = result {
            self.faults.add(format!("`{name}`: {error:#}"));
        }
    }

    fn text(&mut self, name: &str, size: u64, stream: &mut dyn Read) -> anyhow::Result<()> {
        anyhow::ensure!(size <= LARGEST, "it has {size} bytes; at most {LARGEST} are allowed");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        self.texts.insert(name.to_owned(), bytes);
        Ok(())
    }

    fn image(&mut self, name: &str, stream: &mut dyn Read, budget: &Budget, limits: Limits) -> anyhow::Result<()> {
        anyhow::ensure!(self.images.is_empty(), "there is a second `.image` file");
        let mut stream = BufReader::with_capacity(1 << 16, stream);
        if Compression::of(stream.fill_buf()?) != Compression::Gzip {
            self.faults.add(format!("`{name}` is not compressed with gzip"));
        }
        let slug = name.strip_suffix(".image").unwrap_or(name).to_owned();
        self.images.push((slug, ImageMembers::read(stream, budget, Some(limits))));
        Ok(())
    }

    /// `PACKAGE/msg/*.msg` (section 4.6).
    fn messages(&mut self, stream: &mut dyn Read) -> anyhow::Result<()> {
        let mut tar = TarReader::new(BufReader::new(stream));
        while let Some(entry) = tar.next_entry()? {
            let parts: Vec<&str> = entry.path.split('/').collect();
            let fits = matches!(parts[..], [package, "msg", file] if !package.is_empty() && file.ends_with(".msg"));
            if !(entry.kind.is_dir() || fits && entry.is_file()) {
                let path = entry.path.escape_debug();
                self.faults.add(format!("`logging-msg-files.tar`: `{path}` is not `PACKAGE/msg/NAME.msg`"));
            }
        }
        tar.tail()?;
        Ok(())
    }
}
