//! A need of dependencies beside Cargo.

use crate::workspace::Side;

/// Something that a build script looks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NativeFile {
    /// The library that pkg-config knows by this name.
    Library(String),
    /// A program.
    Program(String),
    /// The library with which bindgen reads headers.
    Libclang,
    /// A compiler of C++.
    Cpp,
}

/// Something that build scripts look for, and what is known of it.
#[derive(Clone, Debug)]
pub struct NativeNeed {
    /// What they look for.
    pub wanted: NativeFile,
    /// The machine that it is for.
    pub side: Side,
    /// The packages whose build scripts do, with versions.
    pub packages: Vec<String>,
    /// Whether they certainly do, and certainly fail without it.
    pub certain: bool,
    /// The variables by which users tell where it is.
    pub variables: Vec<String>,
    /// Where it is.
    pub found: Option<String>,
    /// The Debian packages with it, as apt takes them, if it is not here.
    pub debian: Vec<String>,
    /// What it is, for the user: `library`, with its name.
    pub name: String,
    /// The machine that it is for, if that needs to be said.
    pub machine: Option<String>,
}

impl NativeNeed {
    /// Before it is looked for.
    pub fn new(wanted: NativeFile, side: Side, packages: Vec<String>, certain: bool, variables: &[&str]) -> Self {
        let variables = variables.iter().map(|&name| name.to_owned()).collect();
        Self { wanted, side, packages, certain, variables, found: None, debian: Vec::new(), name: String::new(), machine: None }
    }
}

/// What needs are, of which the same is to be said: `library `a`, library `b` for this machine`.
pub fn shown(needs: &[&NativeNeed]) -> String {
    let names: Vec<&str> = needs.iter().map(|need| need.name.as_str()).collect();
    let machine = needs.first().and_then(|need| need.machine.as_ref());
    names.join(", ") + &machine.map(|machine| format!(" for {machine}")).unwrap_or_default()
}

/// Needs of which the same is to be said: all that a package lacks and one Debian package has.
pub fn groups(needs: &[NativeNeed]) -> Vec<Vec<&NativeNeed>> {
    let mut groups: Vec<Vec<&NativeNeed>> = Vec::new();
    for need in needs {
        let same = |group: &&mut Vec<&NativeNeed>| {
            let first = group[0];
            need.found.is_none()
                && first.found.is_none()
                && (&first.packages, first.certain, &first.debian, &first.machine)
                    == (&need.packages, need.certain, &need.debian, &need.machine)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(need),
            None => groups.push(vec![need]),
        }
    }
    groups
}
