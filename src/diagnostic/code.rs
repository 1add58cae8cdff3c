//! The codes. Each has a page in `codes/`: a heading, what happened, and how to fix it.

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
    AppVersion = "app-version",
    AppYml = "app-yml",
    AuterionValue = "auterion-value",
    AuthorMissing = "author-missing",
    BaseGlibc = "base-glibc",
    BaseLibrary = "base-library",
    BasePlatform = "base-platform",
    BinaryMachine = "binary-machine",
    BinaryMissing = "binary-missing",
    BuildScript = "build-script",
    BundleDamaged = "bundle-damaged",
    ConflictingKeys = "conflicting-keys",
    DependencyCycle = "dependency-cycle",
    DuplicateService = "duplicate-service",
    EngineUnreachable = "engine-unreachable",
    FileNotFound = "file-not-found",
    GeneratedOutdated = "generated-outdated",
    ImageMissing = "image-missing",
    InvalidBase = "invalid-base",
    InvalidFiles = "invalid-files",
    InvalidName = "invalid-name",
    InvalidStack = "invalid-stack",
    InvalidValue = "invalid-value",
    LinkerMissing = "linker-missing",
    LockFile = "lock-file",
    LockFileLocked = "lock-file-locked",
    MissingKey = "missing-key",
    NoBuild = "no-build",
    NoServices = "no-services",
    NotABundle = "not-a-bundle",
    OneImage = "one-image",
    PortConflict = "port-conflict",
    PortTaken = "port-taken",
    RegistryCertificate = "registry-certificate",
    RegistryLogin = "registry-login",
    RegistryNotFound = "registry-not-found",
    RegistryOffline = "registry-offline",
    RegistryPlainHttp = "registry-plain-http",
    RegistryUnreachable = "registry-unreachable",
    RouteConflict = "route-conflict",
    ServiceEnded = "service-ended",
    ServiceUnhealthy = "service-unhealthy",
    SeveralTargets = "several-targets",
    StackController = "stack-controller",
    StdMissing = "std-missing",
    SwarmMissing = "swarm-missing",
    SysrootLibrary = "sysroot-library",
    TargetGlibc = "target-glibc",
    ToolsMissing = "tools-missing",
    UnknownBin = "unknown-bin",
    UnknownKey = "unknown-key",
    UnknownPackage = "unknown-package",
    UnknownService = "unknown-service",
    UnknownTarget = "unknown-target",
    VariableMissing = "variable-missing",
    VolumeOwners = "volume-owners",
    WorkspaceUnreadable = "workspace-unreadable",
    WrongType = "wrong-type",
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

    /// The page below its heading, in Markdown: causes, and how to fix them.
    pub fn explanation(self) -> &'static str {
        self.page().split_once('\n').map_or("", |(_, rest)| rest).trim()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
