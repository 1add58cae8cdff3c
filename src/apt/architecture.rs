//! Debian's architectures.

/// An architecture of Debian's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Its name, as `arm64`.
    pub name: &'static str,
    /// Its folder below `/usr/lib` and `/usr/include`.
    pub multiarch: &'static str,
    /// The name of its tools, before `-gcc`.
    pub tools: &'static str,
}

/// The processor of a triple, the end of the triple, and the architecture.
const ALL: [(&str, &str, Architecture); 11] = [
    ("aarch64", "gnu", same("arm64", "aarch64-linux-gnu")),
    ("x86_64", "gnu", same("amd64", "x86_64-linux-gnu")),
    ("armv7", "gnueabihf", same("armhf", "arm-linux-gnueabihf")),
    ("thumbv7neon", "gnueabihf", same("armhf", "arm-linux-gnueabihf")),
    ("armv5te", "gnueabi", same("armel", "arm-linux-gnueabi")),
    ("arm", "gnueabi", same("armel", "arm-linux-gnueabi")),
    ("riscv64gc", "gnu", same("riscv64", "riscv64-linux-gnu")),
    ("i686", "gnu", Architecture { name: "i386", multiarch: "i386-linux-gnu", tools: "i686-linux-gnu" }),
    ("powerpc64le", "gnu", same("ppc64el", "powerpc64le-linux-gnu")),
    ("s390x", "gnu", same("s390x", "s390x-linux-gnu")),
    ("loongarch64", "gnu", same("loong64", "loongarch64-linux-gnu")),
];

const fn same(name: &'static str, triplet: &'static str) -> Architecture {
    Architecture { name, multiarch: triplet, tools: triplet }
}

impl Architecture {
    /// The architecture whose libraries a target can use; `None` if Debian has none, such as for musl.
    pub fn of_triple(triple: &str) -> Option<Self> {
        let (cpu, rest) = triple.split_once('-')?;
        let environment = rest.split_once("linux-")?.1;
        ALL.iter().find(|(of, end, _)| *of == cpu && *end == environment).map(|(_, _, architecture)| *architecture)
    }

    /// The architecture whose tools have names with this beginning: `aarch64-linux-gnu`.
    pub fn of_tools(tools: &str) -> Option<Self> {
        ALL.iter().find(|(_, _, architecture)| architecture.tools == tools).map(|(_, _, architecture)| *architecture)
    }

    /// The one of this machine.
    pub fn of_this_machine() -> Option<Self> {
        let cpu = match std::env::consts::ARCH {
            "arm" => "armv7",
            "riscv64" => "riscv64gc",
            "x86" => "i686",
            cpu => cpu,
        };
        ALL.iter().find(|(of, _, _)| *of == cpu).map(|(_, _, architecture)| *architecture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_are_architectures() {
        let of = |triple| Architecture::of_triple(triple).map(|architecture| (architecture.name, architecture.multiarch));
        assert_eq!(of("aarch64-unknown-linux-gnu"), Some(("arm64", "aarch64-linux-gnu")));
        assert_eq!(of("armv7-unknown-linux-gnueabihf"), Some(("armhf", "arm-linux-gnueabihf")));
        assert_eq!(of("i686-unknown-linux-gnu"), Some(("i386", "i386-linux-gnu")));
        assert_eq!(of("aarch64-unknown-linux-musl"), None);
        assert_eq!(of("aarch64-apple-darwin"), None);
    }
}
