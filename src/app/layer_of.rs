//! What a layer of this tool contains, as recorded in an image's history.

use std::fmt;

/// `cargo-appbundle 0.1.0: executable store sha256:… of front, back`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerOf {
    /// `files`, `folders`, or `executable BIN DIGEST`.
    pub what: String,
    /// If several services share the image, the ones that this layer belongs to.
    pub services: Vec<String>,
}

const BEGIN: &str = concat!("cargo-appbundle ", env!("CARGO_PKG_VERSION"), ": ");

impl LayerOf {
    /// Parses an entry of an image's history; `None` if the layer was not written by any version of this tool.
    pub fn parse(step: &str) -> Option<Self> {
        let (version, rest) = step.strip_prefix("cargo-appbundle ")?.split_once(": ")?;
        let (what, services) = rest.split_once(" of ").unwrap_or((rest, ""));
        let is_ours = !version.contains(' ') && (matches!(what, "files" | "folders") || what.starts_with("executable "));
        let services = services.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        is_ours.then(|| Self { what: what.to_owned(), services })
    }
}

impl fmt::Display for LayerOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEGIN}{}", self.what)?;
        if !self.services.is_empty() {
            write!(f, " of {}", self.services.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (what, services) in [("files", &[][..]), ("files", &["a"]), ("folders", &[]), ("executable x sha256:0", &["a", "b"])]
        {
            let layer = LayerOf { what: what.into(), services: services.iter().map(|name| (*name).to_owned()).collect() };
            assert_eq!(LayerOf::parse(&layer.to_string()), Some(layer));
        }
        for other in ["cargo-appbundle: base auto", "RUN cargo-appbundle 1: files", "cargo-appbundle 1: other", ""] {
            assert_eq!(LayerOf::parse(other), None, "{other}");
        }
    }
}
