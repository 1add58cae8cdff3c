//! A survey as text.

use std::fmt::{self, Write as _};

use super::{Bytes, ImagePackages, ImageReport, Layouts, Size, Survey, printable};
use crate::debian::InstalledPackage;
use crate::plan::Layout;
use crate::process;
use crate::shell::{Ink, bytes, count};

/// How many packages are named as those that need another one.
const NEEDING: usize = 3;

/// A bundle's contents as text: its own facts, then a table each of its images, layers, layouts,
/// packages, payload and largest files.
pub fn tables(file: &str, survey: &Survey, ink: Ink) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_all(&mut out, file, survey, ink);
    out
}

fn write_all(out: &mut String, file: &str, survey: &Survey, ink: Ink) -> fmt::Result {
    writeln!(out, "{}: {}, {}", ink.heading(file), survey.format.name(), bytes(survey.size))?;
    let mut line = |name: &str, value: Option<String>| match value {
        Some(value) => writeln!(out, "  {name:<9} {}", printable(&value)),
        None => Ok(()),
    };
    line("name", survey.name.clone())?;
    line("version", survey.version.clone())?;
    line("made by", survey.made_by.clone())?;
    line("made at", survey.made_at.clone())?;
    line("devices", Some(survey.devices.join(", ")).filter(|list| !list.is_empty()))?;
    line("API", survey.api_version.map(|api| api.to_string()))?;
    line("signed", survey.signed.then(|| "yes".into()))?;

    for (at, image) in survey.images.iter().enumerate() {
        image_text(out, at, image, ink)?;
    }
    if !survey.layers.is_empty() {
        writeln!(out, "\n{}", ink.heading("layers"))?;
        let mut table = vec![["layer", "unpacked", "packed", "files", "images"].map(str::to_owned).to_vec()];
        for layer in &survey.layers {
            let packed = layer.packed.filter(|_| layer.present).map_or_else(|| "-".into(), bytes);
            let unpacked = if layer.present { bytes(layer.unpacked) } else { "left out".into() };
            let images: Vec<String> = layer.images.iter().map(|at| (at + 1).to_string()).collect();
            table.push(vec![layer.diff_id.short(), unpacked, packed, layer.files.to_string(), images.join(" ")]);
        }
        columns(out, &table, &[false, true, true, true, false])?;
        let sharing = &survey.sharing;
        if sharing.saved > 0 {
            let packed = sharing.saved_packed.map_or_else(String::new, |saved| format!(", {} in this file", bytes(saved)));
            writeln!(
                out,
                "  sharing saves {}{packed}: {} of images are stored as {}",
                bytes(sharing.saved),
                bytes(sharing.separate),
                bytes(sharing.stored)
            )?;
        }
    }
    if let Some(layouts) = &survey.layouts {
        layouts_text(out, layouts, ink)?;
    }
    for packages in &survey.packages {
        packages_text(out, packages, ink)?;
    }
    if !survey.payload.is_empty() {
        writeln!(out, "\n{}", ink.heading("payload"))?;
        let rows: Vec<Vec<String>> = survey.payload.iter().map(|file| vec![file.name.clone(), bytes(file.size)]).collect();
        columns(out, &rows, &[false, true])?;
    }
    if !survey.largest.is_empty() {
        writeln!(out, "\n{}", ink.heading("largest files"))?;
        let rows: Vec<Vec<String>> =
            survey.largest.iter().map(|file| vec![bytes(file.size), file.layer.short(), file.path.clone()]).collect();
        columns(out, &rows, &[true, false, false])?;
    }
    Ok(())
}

/// The two layouts side by side: what a file and a device have, and what a host fetches that runs one service alone.
fn layouts_text(out: &mut String, layouts: &Layouts, ink: Ink) -> fmt::Result {
    writeln!(out, "\n{}", ink.heading("layouts, by the size of their layers"))?;
    let shown = |of: &Bytes| bytes(of.packed.unwrap_or(of.unpacked));
    let row = |name: &str, size: &Size, this: bool| {
        let (least, most) = (shown(&size.smallest), shown(&size.largest));
        let one = if least == most { most } else { format!("{least} to {most}") };
        let packed = size.all.packed.map_or_else(|| "-".into(), bytes);
        let mark = if this { "this file" } else { "" };
        [name, &size.images.to_string(), &size.layers.to_string(), &bytes(size.all.unpacked), &packed, &one, mark]
            .map(str::to_owned)
            .to_vec()
    };
    let mut table = vec![["layout", "images", "layers", "unpacked", "packed", "one service", ""].map(str::to_owned).to_vec()];
    table.push(row("image-per-service", &layouts.image_per_service, layouts.this == Layout::ImagePerService));
    if let Some(size) = &layouts.multi_binary {
        table.push(row("multi-binary", size, layouts.this == Layout::MultiBinary));
    }
    columns(out, &table, &[false, true, true, true, true, true, false])?;
    if layouts.multi_binary.is_none() {
        writeln!(out, "  one image cannot contain all services: they have different bases")?;
    }
    Ok(())
}

/// The packages of images, with what depends on each.
fn packages_text(out: &mut String, ImagePackages { images, list, .. }: &ImagePackages, ink: Ink) -> fmt::Result {
    let of: Vec<String> = images.iter().map(|at| (at + 1).to_string()).collect();
    let size = list.iter().fold(0, |sum: u64, package| sum.saturating_add(package.size));
    let heading = format!("Debian packages of {} {}", if of.len() == 1 { "image" } else { "images" }, of.join(" "));
    writeln!(out, "\n{}: {}, {}", ink.heading(&heading), count(list.len(), "package"), bytes(size))?;
    let row = |package: &InstalledPackage| {
        let (named, more) = package.needed_by.split_at(package.needed_by.len().min(NEEDING));
        let why = match (named, more.len()) {
            ([], _) => String::new(),
            (named, 0) => format!("for {}", named.join(", ")),
            (named, more) => format!("for {} and {more} more", named.join(", ")),
        };
        vec![bytes(package.size), package.name.clone(), package.version.clone(), why]
    };
    let rows: Vec<Vec<String>> = list.iter().map(row).collect();
    columns(out, &rows, &[true, false, false, false])
}

fn image_text(out: &mut String, at: usize, image: &ImageReport, ink: Ink) -> fmt::Result {
    let names = if image.names.is_empty() { "(no name)".to_owned() } else { image.names.join(", ") };
    let service = image.service.as_ref().map_or_else(String::new, |service| format!("{service}: "));
    writeln!(out, "\n{}. {}", at + 1, ink.heading(&printable(&format!("{service}{names}"))))?;
    let mut line = |name: &str, value: String| {
        if value.is_empty() { Ok(()) } else { writeln!(out, "  {name:<9} {}", printable(&value)) }
    };
    line("id", image.id.short())?;
    line("platform", image.platform.clone())?;
    let command: Vec<String> = image.entrypoint.iter().chain(&image.cmd).cloned().collect();
    line("runs", process::words(&command))?;
    line("user", image.user.clone().unwrap_or_else(|| "root".into()))?;
    line("in", image.working_dir.clone().unwrap_or_default())?;
    line("ports", image.ports.join(", "))?;
    line("env", if image.env.is_empty() { String::new() } else { image.env.len().to_string() })?;
    line("size", format!("{} in {}", bytes(image.unpacked), count(image.layers.len(), "layer")))?;
    Ok(())
}

/// Aligns rows in columns; the columns in `right` are aligned to the right.
fn columns(out: &mut String, rows: &[Vec<String>], right: &[bool]) -> fmt::Result {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..right.len()).map(width).collect();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .zip(right)
            .map(|((cell, width), right)| if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") });
        writeln!(out, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
