//! Volumes of containers.

use serde::Serialize;

/// A volume of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Source.
    pub source: VolumeSource,
    /// Path in the container.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
}

/// The source of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeSource {
    /// A named volume of the app.
    Named(String),
    /// A path of the host.
    Host(String),
}

impl Volume {
    /// Parses compose's short form.
    ///
    /// # Errors
    /// In words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a volume: write `data:/data` or `/dev/shm:/dev/shm:ro`");
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, read_only) = match parts[..] {
            [source, target] | [source, target, "rw"] => (source, target, false),
            [source, target, "ro"] => (source, target, true),
            _ => return Err(wrong()),
        };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let source = if source.starts_with('/') {
            VolumeSource::Host(source.into())
        } else if source.starts_with(|c: char| c.is_ascii_alphanumeric()) && source.chars().all(named) {
            VolumeSource::Named(source.into())
        } else {
            return Err(wrong());
        };
        if !target.starts_with('/') || target.len() == 1 || crate::archive::confined(&target[1..]).is_none() {
            return Err(wrong());
        }
        Ok(Self { source, target: target.into(), read_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes() {
        let parsed = Volume::parse("/dev/shm:/dev/shm:ro").expect("volume");
        assert_eq!((parsed.source, parsed.read_only), (VolumeSource::Host("/dev/shm".into()), true));
        for bad in ["data", "data:rel", "../x:/y", ":/y", "a:/", "a:/b:zz", "a:/../b"] {
            assert!(Volume::parse(bad).is_err(), "{bad}");
        }
    }
}
