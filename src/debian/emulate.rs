//! Does what the packages' scripts would do, in memory and without running them.
//!
//! Scripts that set up a system by rules of their own are known by their package's name ([`known`]); what all others say is read line by
//! line ([`script`]). A line that is not understood is an error, unless the user says that it can be skipped.

mod accounts;
mod alternatives;
mod authorities;
mod database;
mod known;
mod linker_cache;
mod script;
mod setup;

use anyhow::{Result, bail};

use self::accounts::Accounts;
use self::alternatives::Alternatives;
use self::script::Script;
use self::setup::Setup;
use super::parcel::Parcel;
use super::recipe::Recipe;
use super::tree::Tree;
use crate::diagnostic::{Code, Note};
pub use linker_cache::folders as search_path;

/// Lines of a script that an error shows.
const SHOWN: usize = 6;

/// Completes a tree; gives what the user should know.
///
/// # Errors
/// When a script would do what is not known.
pub fn all(tree: &mut Tree, parcels: &[Parcel], recipe: &Recipe, epoch: u64) -> Result<Vec<Note>> {
    let members = parcels.iter().flat_map(|parcel| &parcel.unpacked.members);
    let newest = members.map(|member| member.mtime).max().unwrap_or(epoch);
    let accounts = Accounts::read(tree)?;
    let alternatives = Alternatives::default();
    let mut setup = Setup { tree, epoch, newest, accounts, alternatives, notes: Vec::new(), is_unpacked: false };
    let mut faults = Vec::new();
    for parcel in parcels {
        if recipe.skipped_scripts.contains(&parcel.name) || known::set_up(&mut setup, &parcel.name)? {
            continue;
        }
        for name in ["preinst", "postinst"] {
            let Some(text) = parcel.unpacked.text(name) else { continue };
            setup.is_unpacked = name == "postinst";
            let unknown = Script::new(&text).run(&mut setup, parcel)?;
            if !unknown.is_empty() && known::is_of_system(&parcel.name) {
                setup.note(format!("parts of the script `{name}` of `{}` need a running system and were skipped", parcel.name));
            } else if !unknown.is_empty() {
                let shown: Vec<String> = unknown.iter().take(SHOWN).map(|line| format!("    {line}")).collect();
                let more = unknown.len().saturating_sub(SHOWN);
                let more = if more > 0 { format!("\n    and {more} more") } else { String::new() };
                faults.push((parcel.name.clone(), format!("`{}` in its `{name}`:\n{}{more}", parcel.name, shown.join("\n"))));
            }
        }
    }
    if !faults.is_empty() {
        let told: Vec<&str> = faults.iter().map(|(_, text)| text.as_str()).collect();
        let mut names: Vec<String> = faults.iter().map(|(name, _)| format!("{name} = \"skip\"")).collect();
        names.dedup();
        bail!(Code::DebianScript.error(format!(
            "scripts of packages have commands that cannot be replaced:\n  {}\nhelp: if your services do not need what they do, add `scripts = {{ {} }}` to `base`",
            told.join("\n  "),
            names.join(", ")
        )));
    }
    authorities::write(&mut setup)?;
    setup.alternatives.write(setup.tree, setup.epoch);
    setup.accounts.write(setup.tree, setup.epoch, setup.newest);
    linker_cache::write(setup.tree, parcels, setup.epoch)?;
    database::write(setup.tree, parcels, setup.epoch)?;
    Ok(setup.notes)
}
