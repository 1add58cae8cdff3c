//! dpkg's own records, so that scanners and dpkg itself know what is installed.

use anyhow::{Context as _, Result};

use crate::debian::control::Paragraph;
use crate::debian::parcel::Parcel;
use crate::debian::tree::Tree;
use crate::digest::md5;

/// The order in which dpkg writes fields; others follow.
const ORDER: [&str; 27] = [
    "Package",
    "Essential",
    "Protected",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Origin",
    "Maintainer",
    "Bugs",
    "Architecture",
    "Multi-Arch",
    "Source",
    "Version",
    "Config-Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
    "Conffiles",
    "Description",
    "Triggers-Awaited",
];

/// Writes `status` and `info/*`.
///
/// # Errors
/// When a control file is not one.
pub fn write(tree: &mut Tree, parcels: &[Parcel], epoch: u64) -> Result<()> {
    let mut status = String::new();
    for parcel in parcels {
        let control = parcel.unpacked.text("control").context("it has no `control`")?;
        let control = Paragraph::parse(&control);
        let is_same = control.get("Multi-Arch") == Some("same");
        let name = if is_same { format!("{}:{}", parcel.name, parcel.architecture) } else { parcel.name.clone() };
        for (file, bytes) in parcel.unpacked.control.iter().filter(|(file, _)| *file != "control") {
            let is_script = ["preinst", "postinst", "prerm", "postrm", "config"].contains(&file.as_str());
            let mode = if is_script { 0o755 } else { 0o644 };
            tree.write(&format!("var/lib/dpkg/info/{name}.{file}"), mode, epoch, bytes.clone());
        }
        let list: String = parcel.unpacked.listed.iter().map(|path| format!("/{path}\n")).collect();
        tree.write(&format!("var/lib/dpkg/info/{name}.list"), 0o644, epoch, format!("/.\n{list}"));
        let conffiles = conffiles(tree, parcel)?;
        let value = |field: &str| match field {
            "Status" => Some("install ok installed".to_owned()),
            "Conffiles" => Some(conffiles.clone()).filter(|list| !list.is_empty()),
            field => control.get(field).map(str::to_owned),
        };
        for field in ORDER {
            if let Some(value) = value(field) {
                let space = if value.starts_with('\n') || value.is_empty() { "" } else { " " };
                status.push_str(&format!("{field}:{space}{value}\n"));
            }
        }
        for (field, value) in control.fields().filter(|(field, _)| !ORDER.iter().any(|known| known.eq_ignore_ascii_case(field))) {
            status.push_str(&format!("{field}: {value}\n"));
        }
        status.push('\n');
    }
    tree.write("var/lib/dpkg/status", 0o644, epoch, status);
    tree.write("var/lib/dpkg/info/format", 0o644, epoch, "1\n");
    for folder in ["var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/lib/dpkg/alternatives", "var/lib/dpkg/parts"] {
        tree.folders(folder, epoch);
    }
    Ok(())
}

/// The files that belong to the user, with their sums.
fn conffiles(tree: &Tree, parcel: &Parcel) -> Result<String> {
    let mut list = String::new();
    for line in parcel.unpacked.text("conffiles").unwrap_or_default().lines() {
        let path = line.split_whitespace().next().unwrap_or_default();
        let is_removed = !path.starts_with('/');
        if let Some(bytes) = tree.content(path)?.filter(|_| !is_removed) {
            list.push_str(&format!("\n {path} {}", md5(&bytes)));
        }
    }
    Ok(list)
}
