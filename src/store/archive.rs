//! An archive of images on disk, whose members are found by seeking.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Take};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::Documents;
use crate::archive::{Compression, confined, places};
use crate::oci::LARGEST_DOCUMENT;

/// A folder or an uncompressed tar with images in it.
#[derive(Debug)]
pub enum Archive {
    /// An OCI layout that is a folder, or the blobs of one.
    Folder(PathBuf),
    /// A tar: where each member's bytes are; a link's place is its target's.
    Tar(PathBuf, BTreeMap<String, (u64, u64)>),
}

impl Archive {
    /// Opens a folder, or reads where the members of a tar are.
    ///
    /// # Errors
    /// When it is neither, or is cut short.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let failed = || format!("failed to read `{}` as a tar", path.display());
        let members = places(File::open(path).with_context(failed)?).with_context(failed)?;
        Ok(Self::Tar(path.to_owned(), members))
    }

    /// Where a member's bytes are: in which file, from which byte on, and how many.
    pub fn place(&self, path: &str) -> Option<(PathBuf, u64, u64)> {
        let path = confined(path)?;
        match self {
            Self::Folder(folder) => {
                let file = folder.join(path);
                let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some((file, 0, metadata.len()))
            }
            Self::Tar(file, members) => members.get(&path).map(|(offset, size)| (file.clone(), *offset, *size)),
        }
    }

    /// A member's bytes.
    ///
    /// # Errors
    /// When it is not there.
    pub fn reader(&self, path: &str) -> Result<BufReader<Take<File>>> {
        let (file, offset, size) = self.place(path).with_context(|| format!("`{}` is missing", path.escape_debug()))?;
        let mut file = File::open(&file).with_context(|| format!("failed to read `{}`", file.display()))?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(BufReader::with_capacity(1 << 18, file.take(size)))
    }

    /// How a member is compressed.
    ///
    /// # Errors
    /// When it is not there.
    pub fn compression(&self, path: &str) -> Result<Compression> {
        let mut head = Vec::new();
        self.reader(path)?.take(Compression::HEAD).read_to_end(&mut head)?;
        Ok(Compression::of(&head))
    }
}

impl Documents for Archive {
    fn size(&self, path: &str) -> Option<u64> {
        self.place(path).map(|(_, _, size)| size)
    }

    fn document(&self, path: &str) -> Result<Cow<'_, [u8]>> {
        let mut reader = self.reader(path)?;
        let size = reader.get_ref().limit();
        ensure!(size <= LARGEST_DOCUMENT, "`{path}` has {size} bytes, which is too large for a document");
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes)?;
        ensure!(read as u64 == size, io::Error::from(io::ErrorKind::UnexpectedEof));
        Ok(Cow::Owned(bytes))
    }
}
