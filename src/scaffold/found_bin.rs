//! The executables of a workspace that are no services yet.

use std::collections::{BTreeMap, BTreeSet};

use super::discover::discover;
use super::discovered::Discovered;
use super::starters::Starters;
use super::tool::ToolSign;
use crate::app::{Name, Port};
use crate::workspace::{Member, Workspace};

/// An executable whose member has no service table.
#[derive(Debug)]
pub struct FoundBin<'a> {
    /// Its member.
    pub member: &'a Member,
    /// Its name.
    pub bin: String,
    /// The service's name, which no other one has.
    pub name: String,
    /// What its table says.
    pub found: Discovered,
    /// Why it had better not be a service.
    pub doubt: Option<String>,
}

/// All candidates, by member. Tools have a doubt, unless there are only tools; so has what would keep a build from starting.
pub fn candidates(workspace: &Workspace) -> Vec<FoundBin<'_>> {
    let alone = workspace.members.iter().map(|member| member.bins.len()).sum::<usize>() == 1;
    let starters = Starters::read(&workspace.root, &workspace.target_dir);
    let bins_of_all = || workspace.members.iter().flat_map(|member| &member.bins);
    let has_units = bins_of_all().any(|bin| !starters.units(bin).is_empty());
    let open = workspace.members.iter().filter(|member| member.metadata.get("service").is_none());
    let bins = open.flat_map(|member| member.bins.iter().map(move |bin| (member, bin)));
    let all: Vec<(Option<ToolSign>, FoundBin<'_>)> = bins
        .map(|(member, bin)| {
            let near = Name::near(bin);
            let names = if member.bins.len() == 1 { vec![bin.as_str(), &near, &member.name] } else { vec![bin.as_str(), &near] };
            let found = discover(&workspace.root, member.folder(), &names, alone, &starters);
            // What has a container has been a service all along.
            let sign = found.sources.is_empty().then(|| ToolSign::of(workspace, member, bin, has_units)).flatten();
            let is_named = member.bins.len() == 1 && Name::new(&member.name).is_ok();
            let name = if is_named { member.name.clone() } else { near };
            (sign, FoundBin { member, bin: bin.clone(), name, found, doubt: None })
        })
        .collect();
    let strength = |sign: &Option<ToolSign>| match sign {
        None => 0,
        Some(ToolSign::NothingServes(_)) => 1,
        Some(ToolSign::NotStarted | ToolSign::Named(_)) => 2,
    };
    let has_services = workspace.members.iter().any(|member| member.metadata.get("service").is_some());
    let usual = all.iter().map(|(sign, _)| strength(sign)).min().filter(|_| !has_services).unwrap_or_default();
    let mut taken = Taken::by_tables(workspace);
    let settled = all.into_iter().map(|(sign, mut candidate)| {
        candidate.doubt = match sign {
            Some(sign) if strength(&Some(sign.clone())) > usual => Some(sign.to_string()),
            _ => taken.by(&mut candidate).err(),
        };
        candidate
    });
    let mut settled: Vec<FoundBin<'_>> = settled.collect();
    order(&mut settled, &starters);
    settled
}

/// Replaces the names of systemd's units by those of the services that they start.
fn order(candidates: &mut [FoundBin<'_>], starters: &Starters) {
    let services = candidates.iter().filter(|candidate| candidate.doubt.is_none());
    let units: BTreeMap<String, String> = services
        .flat_map(|service| starters.units(&service.bin).into_iter().map(|unit| (unit.to_owned(), service.name.clone())))
        .collect();
    for candidate in candidates {
        let services: BTreeSet<&String> = candidate.found.after.iter().filter_map(|unit| units.get(unit)).collect();
        candidate.found.after = services.into_iter().filter(|name| **name != candidate.name).cloned().collect();
    }
}

/// What only one service can have.
struct Taken {
    names: BTreeSet<String>,
    /// The package of each executable.
    bins: BTreeMap<String, String>,
    host_ports: BTreeSet<u16>,
}

impl Taken {
    /// What the tables of a workspace name.
    fn by_tables(workspace: &Workspace) -> Self {
        let mut taken = Self { names: BTreeSet::new(), bins: BTreeMap::new(), host_ports: BTreeSet::new() };
        for member in &workspace.members {
            let Some(value) = member.metadata.get("service") else { continue };
            for table in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
                let text = |key: &str| table.get(key).and_then(|value| value.as_str());
                taken.names.insert(text("name").unwrap_or(&member.name).to_owned());
                let bin = text("bin").or(member.default_run.as_deref()).or(member.bins.first().map(String::as_str));
                taken.bins.extend(bin.map(|bin| (bin.to_owned(), member.name.clone())));
                let ports = table.get("ports").and_then(|ports| ports.as_array()).into_iter().flatten();
                taken.host_ports.extend(ports.filter_map(|port| Port::parse(port.as_str()?).ok()?.host_number()));
            }
        }
        taken
    }

    /// Gives the candidate a name and ports that no other service has, or says why it cannot be a service.
    fn by(&mut self, candidate: &mut FoundBin<'_>) -> Result<(), String> {
        let FoundBin { member, bin, name, found, .. } = candidate;
        if let Some(other) = self.bins.get(bin).filter(|other| **other != member.name) {
            return Err(format!("package `{other}` has an executable of the same name, and Cargo writes both to one file"));
        }
        let long = Name::near(&format!("{}-{name}", member.name));
        let free = [name.clone(), long].into_iter().find(|name| Name::new(name).is_ok() && !self.names.contains(name));
        *name = free.ok_or_else(|| format!("`{bin}` makes no name of a service that is not taken"))?;
        for port in &mut found.ports {
            let Ok(parsed) = Port::parse(port) else { continue };
            if parsed.host_number().is_some_and(|number| !self.host_ports.insert(number)) {
                *port = Port { host: None, ..parsed }.short();
            }
        }
        self.names.insert(name.clone());
        self.bins.insert(bin.clone(), member.name.clone());
        Ok(())
    }
}
