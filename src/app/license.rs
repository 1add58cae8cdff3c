//! The licence of a package, as its manifest states it.

use std::fmt;

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum License {
    /// An SPDX expression, in its canonical form.
    Expression(String),
    /// Anything else.
    Words(String),
}

impl License {
    /// Reads the words of a manifest. Old manifests of Cargo say `MIT/Apache-2.0` for a choice.
    pub fn parse(words: &str) -> Self {
        let words = words.trim();
        let canonical = spdx::Expression::canonicalize(words).ok().map(|canonical| canonical.unwrap_or_else(|| words.to_owned()));
        // Making it canonical looks at its words alone.
        match canonical.filter(|canonical| spdx::Expression::parse(canonical).is_ok()) {
            Some(canonical) => Self::Expression(canonical),
            None => Self::Words(words.to_owned()),
        }
    }
}

impl fmt::Display for License {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Expression(text) | Self::Words(text)) = self;
        formatter.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_told_from_words() {
        let expression = |text: &str| License::Expression(text.to_owned());
        for (said, meant) in [
            ("MIT", "MIT"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("Apache-2.0 WITH LLVM-exception OR MIT", "Apache-2.0 WITH LLVM-exception OR MIT"),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", "(MIT OR Apache-2.0) AND Unicode-3.0"),
            ("LicenseRef-Own", "LicenseRef-Own"),
        ] {
            assert_eq!(License::parse(said), expression(meant), "{said}");
        }
        for words in ["see the contract", "MIT OR", "(MIT", ""] {
            assert_eq!(License::parse(words), License::Words(words.into()));
        }
    }
}
