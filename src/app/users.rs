//! The users and groups of an image.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::user_lists::is_number;
use super::{AppFile, Facts, FileContent, Owner, Service, UserLists};
use crate::diagnostic::Code;

/// Where the lists are in an image.
const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

impl UserLists {
    /// Those of the image of these services on a base, with a user for each name that none has yet.
    ///
    /// # Errors
    /// When a user cannot be made.
    pub fn of(services: &[&Service], facts: &Facts) -> Result<Self> {
        let (mut all, mut packed) = (facts.users.clone(), false);
        for file in services.iter().filter_map(|service| service.package()).flat_map(|package| &package.files) {
            let list = match file.to.as_str() {
                PASSWD => &mut all.passwd,
                GROUP => &mut all.group,
                _ => continue,
            };
            packed = true;
            *list = file.from().map(fs_err::read_to_string).transpose()?;
        }
        let users: BTreeSet<&str> = services.iter().filter_map(|service| service.container.user.as_deref()).collect();
        for user in users {
            let (name, group) = user.split_once(':').map_or((user, None), |(name, group)| (name, Some(group)));
            if is_number(name) || all.user(name).is_some() {
                all.known_group(user, group)?;
            } else if packed {
                bail!(Code::UserMissing.error(format!(
                    "the user `{name}` is not in the `{PASSWD}` and `{GROUP}` that `files` packs\nhelp: add it there, or leave them out of `files`: then it is made"
                )));
            } else {
                all.add(user, name, group)?;
            }
        }
        Ok(all)
    }

    /// The lists that the image of these services needs in place of those that it has.
    pub fn files(&self, services: &[&Service], facts: &Facts) -> Vec<AppFile> {
        let is_packed = |path: &str| {
            let mut files = services.iter().filter_map(|service| service.package()).flat_map(|package| &package.files);
            files.any(|file| file.to == path)
        };
        let lists = [(PASSWD, &self.passwd, &facts.users.passwd), (GROUP, &self.group, &facts.users.group)];
        let new = lists.into_iter().filter(|(path, own, old)| own != old && !is_packed(path));
        new.filter_map(|(path, own, _)| {
            let content = FileContent::Text(own.clone()?);
            Some(AppFile { to: path.to_owned(), content, mode: 0o644, owner: Owner::default() })
        })
        .collect()
    }
}
