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
    AdvisoryDatabase = "advisory-database",
    AppVersion = "app-version",
    AppYml = "app-yml",
    AuditIncomplete = "audit-incomplete",
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
    CratesIncomplete = "crates-incomplete",
    DebianDamaged = "debian-damaged",
    DebianLibraries = "debian-libraries",
    DebianMirror = "debian-mirror",
    DebianPackage = "debian-package",
    DebianScript = "debian-script",
    DebianSecurity = "debian-security",
    DebianSetup = "debian-setup",
    DebianSignature = "debian-signature",
    DependencyCycle = "dependency-cycle",
    DependencyMissing = "dependency-missing",
    DevicesIgnored = "devices-ignored",
    DuplicateService = "duplicate-service",
    EngineUnreachable = "engine-unreachable",
    EnvFileSource = "env-file-source",
    ExcludeUnmatched = "exclude-unmatched",
    FileNotFound = "file-not-found",
    FilesHidden = "files-hidden",
    FilesSecret = "files-secret",
    GeneratedOutdated = "generated-outdated",
    HealthIgnored = "health-ignored",
    HealthPort = "health-port",
    ImageMissing = "image-missing",
    InvalidBase = "invalid-base",
    InvalidFiles = "invalid-files",
    InvalidName = "invalid-name",
    InvalidStack = "invalid-stack",
    InvalidValue = "invalid-value",
    KeyUnusable = "key-unusable",
    KeysIgnored = "keys-ignored",
    LabelsIgnored = "labels-ignored",
    LibraryFiles = "library-files",
    LibraryMissing = "library-missing",
    LicenseText = "license-text",
    LinkerMissing = "linker-missing",
    LockFile = "lock-file",
    LockFileLocked = "lock-file-locked",
    MissingKey = "missing-key",
    NameUnresolved = "name-unresolved",
    NativeMissing = "native-missing",
    NetworkDiffers = "network-differs",
    NoBuild = "no-build",
    NoDevice = "no-device",
    NoServices = "no-services",
    NotABundle = "not-a-bundle",
    OneImage = "one-image",
    OrderIgnored = "order-ignored",
    OtherApp = "other-app",
    PortConflict = "port-conflict",
    PortReach = "port-reach",
    PortTaken = "port-taken",
    PrivilegedIgnored = "privileged-ignored",
    ProgramMissing = "program-missing",
    ProvenanceUnusable = "provenance-unusable",
    RebuildDiffers = "rebuild-differs",
    RegistryCertificate = "registry-certificate",
    RegistryLogin = "registry-login",
    RegistryNotFound = "registry-not-found",
    RegistryOffline = "registry-offline",
    RegistryPlainHttp = "registry-plain-http",
    RegistryUnreachable = "registry-unreachable",
    ReplicasIgnored = "replicas-ignored",
    RestartIgnored = "restart-ignored",
    RevisionUnknown = "revision-unknown",
    RouteConflict = "route-conflict",
    RoutesIgnored = "routes-ignored",
    RoutingIgnored = "routing-ignored",
    RustflagsSet = "rustflags-set",
    SecretSource = "secret-source",
    ServiceEnded = "service-ended",
    ServiceUnhealthy = "service-unhealthy",
    SeveralLines = "several-lines",
    SeveralTargets = "several-targets",
    SignatureInvalid = "signature-invalid",
    SignatureMissing = "signature-missing",
    SignerFailed = "signer-failed",
    StackController = "stack-controller",
    StdMissing = "std-missing",
    SwarmMissing = "swarm-missing",
    SysrootLibrary = "sysroot-library",
    TargetGlibc = "target-glibc",
    TemplateIgnored = "template-ignored",
    TemplateMissing = "template-missing",
    ToolchainMissing = "toolchain-missing",
    ToolsMissing = "tools-missing",
    UnknownBin = "unknown-bin",
    UnknownKey = "unknown-key",
    UnknownLibrary = "unknown-library",
    UnknownPackage = "unknown-package",
    UnknownService = "unknown-service",
    UnknownTable = "unknown-table",
    UnknownTarget = "unknown-target",
    UserDiffers = "user-differs",
    UserMissing = "user-missing",
    VariableMissing = "variable-missing",
    VersionMapped = "version-mapped",
    VexInvalid = "vex-invalid",
    VolumeOwners = "volume-owners",
    VolumeShared = "volume-shared",
    VolumeSize = "volume-size",
    VulnerablePackages = "vulnerable-packages",
    WorkspaceUnreadable = "workspace-unreadable",
    WrongType = "wrong-type",
}

impl Code {
    /// The code with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// Whether it is the code of a note: it can be allowed, and nothing fails.
    pub const fn is_note(self) -> bool {
        matches!(
            self,
            Self::CratesIncomplete
                | Self::DebianLibraries
                | Self::DebianSecurity
                | Self::DebianSetup
                | Self::DevicesIgnored
                | Self::EnvFileSource
                | Self::ExcludeUnmatched
                | Self::FilesHidden
                | Self::FilesSecret
                | Self::HealthIgnored
                | Self::HealthPort
                | Self::KeysIgnored
                | Self::LabelsIgnored
                | Self::LibraryFiles
                | Self::LicenseText
                | Self::NameUnresolved
                | Self::NativeMissing
                | Self::NetworkDiffers
                | Self::NoDevice
                | Self::OrderIgnored
                | Self::OtherApp
                | Self::PortReach
                | Self::PrivilegedIgnored
                | Self::ReplicasIgnored
                | Self::RestartIgnored
                | Self::RevisionUnknown
                | Self::RoutesIgnored
                | Self::RoutingIgnored
                | Self::RustflagsSet
                | Self::SecretSource
                | Self::SeveralLines
                | Self::TemplateIgnored
                | Self::TemplateMissing
                | Self::UserDiffers
                | Self::VersionMapped
                | Self::VolumeShared
                | Self::VolumeSize
        )
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
