//! The devices that run AuterionOS (`docs/file-format.md`, section 4.3).

/// A device model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Name in `target-platform`.
    pub name: &'static str,
    /// Type in the artifact's header.
    pub device_type: &'static str,
    /// OCI platform that it runs.
    pub architecture: &'static str,
}

impl Device {
    /// All known devices.
    pub const ALL: [Self; 12] = [
        Self { name: "skynode", device_type: "skynode", architecture: "arm64" },
        Self { name: "skynode-s", device_type: "skynode-s", architecture: "arm64" },
        Self { name: "dacnode", device_type: "dacnode", architecture: "arm64" },
        Self { name: "pigeon", device_type: "pigeon", architecture: "arm64" },
        Self { name: "rb5", device_type: "rb5", architecture: "arm64" },
        Self { name: "ainode", device_type: "jetson", architecture: "arm64" },
        Self { name: "jetson", device_type: "jetson", architecture: "arm64" },
        Self { name: "ainode-onx", device_type: "jetsononx", architecture: "arm64" },
        Self { name: "jetsononx", device_type: "jetsononx", architecture: "arm64" },
        Self { name: "skynode-n", device_type: "arkjetson", architecture: "arm64" },
        Self { name: "arkjetson", device_type: "arkjetson", architecture: "arm64" },
        Self { name: "simulation", device_type: "simulation", architecture: "amd64" },
    ];

    /// Finds a device by its name in `target-platform`.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|device| device.name == name)
    }

    /// Finds a device by its type in an artifact's header.
    pub fn of_type(device_type: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|device| device.device_type == device_type)
    }
}
