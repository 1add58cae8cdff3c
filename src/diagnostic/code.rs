//! The codes. Each has a page in `codes/`: a heading, what happened, and the ways out.

use std::fmt;

/// Defines [`Code`] of pairs of a variant and its name, which is the name of its page as well.
macro_rules! codes {
    ($($variant:ident = $name:literal,)*) => {
        /// What went wrong, by a name that stays the same from version to version.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(
                #[doc = include_str!(concat!("codes/", $name, ".md"))]
                $variant,
            )*
        }

        impl Code {
            /// All codes, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it is printed and typed.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            const fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("codes/", $name, ".md")),)*
                }
            }
        }
    };
}

codes! {
    BaseGlibc = "base-glibc",
    BaseLibrary = "base-library",
}

impl Code {
    /// The code with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// What it means, in one line.
    pub fn summary(self) -> &'static str {
        let heading = self.page().lines().next().unwrap_or_default();
        heading.trim_start_matches("# ")
    }

    /// The page below its heading, in Markdown: causes, and ways out.
    pub fn explanation(self) -> &'static str {
        self.page().split_once('\n').map_or("", |(_, rest)| rest).trim()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
