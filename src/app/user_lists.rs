//! The lists of users and groups, `/etc/passwd` and `/etc/group` (passwd(5), group(5)).

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::Owner;
use crate::diagnostic::Code;
use crate::digest::Digest;

/// The numbers of users that are made here: above those of a distribution's own users and of people.
const NUMBERS: std::ops::Range<u64> = 10_000..60_000;

/// The texts of both lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLists {
    /// `/etc/passwd`
    pub passwd: Option<String>,
    /// `/etc/group`
    pub group: Option<String>,
}

impl UserLists {
    /// The numbers of `USER`, `UID` or either with a group. A number alone stands for the group as well.
    pub fn owner(&self, user: &str) -> Owner {
        let (name, group) = user.split_once(':').map_or((user, None), |(name, group)| (name, Some(group)));
        let owner = self.user(name).unwrap_or_else(|| Owner::of(name.parse().unwrap_or_default()));
        let gid = group.and_then(|group| self.group(group).or_else(|| group.parse().ok()));
        Owner { gid: gid.unwrap_or(owner.gid), ..owner }
    }

    pub(super) fn user(&self, name: &str) -> Option<Owner> {
        let row = row(self.passwd.as_deref()?, name)?;
        Some(Owner { uid: row.get(2)?.parse().ok()?, gid: row.get(3)?.parse().ok()? })
    }

    fn group(&self, name: &str) -> Option<u64> {
        row(self.group.as_deref()?, name)?.get(2)?.parse().ok()
    }

    pub(super) fn known_group(&self, user: &str, group: Option<&str>) -> Result<()> {
        let Some(name) = group.filter(|group| !is_number(group) && self.group(group).is_none()) else { return Ok(()) };
        bail!(Code::UserMissing.error(format!(
            "the image has no group `{name}`, which `user = \"{user}\"` names\nhelp: write its number, or only the user: a user that is made has a group of its own"
        )));
    }

    pub(super) fn add(&mut self, user: &str, name: &str, group: Option<&str>) -> Result<()> {
        let id = self.free(name);
        let own = group.is_none() || group == Some(name);
        let gid = match group.filter(|_| !own) {
            Some(group) => {
                self.known_group(user, Some(group))?;
                self.group(group).or_else(|| group.parse().ok()).unwrap_or_default()
            }
            None => self.group(name).unwrap_or(id),
        };
        if own && self.group(name).is_none() {
            append(self.group.get_or_insert_with(|| "root:x:0:\n".into()), &format!("{name}:x:{gid}:"));
        }
        let passwd = self.passwd.get_or_insert_with(|| "root:x:0:0:root:/root:/sbin/nologin\n".into());
        append(passwd, &format!("{name}:x:{id}:{gid}::/nonexistent:/sbin/nologin"));
        Ok(())
    }

    /// The number for a name: it depends on nothing else, so that what a user owns in volumes stays its own. The next one if another
    /// has it.
    fn free(&self, name: &str) -> u64 {
        let taken: BTreeSet<&str> = [&self.passwd, &self.group].into_iter().flatten().flat_map(|text| numbers(text)).collect();
        let digits = Digest::of(name.as_bytes()).hex();
        let start = u64::from_str_radix(&digits[..8], 16).unwrap_or_default() % (NUMBERS.end - NUMBERS.start);
        let mut all = (NUMBERS.start + start..NUMBERS.end).chain(NUMBERS);
        all.find(|id| !taken.contains(id.to_string().as_str())).unwrap_or(NUMBERS.end)
    }
}

/// Whether it is no name.
pub fn is_number(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit())
}

fn row<'a>(text: &'a str, name: &str) -> Option<Vec<&'a str>> {
    text.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|row| row[0] == name)
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split(':').nth(2))
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_the_name_alone() {
        let made = |names: &[&str], passwd: &str| {
            let mut all = UserLists { passwd: Some(passwd.to_owned()), group: None };
            for name in names {
                all.add(name, name, None).expect("made");
            }
            all
        };
        let (one, two) = (made(&["keyd"], ""), made(&["certd", "keyd", "tpmd"], "x:x:1:1::/:/"));
        assert_eq!(one.owner("keyd"), two.owner("keyd"));
        assert!(NUMBERS.contains(&one.owner("keyd").uid) && one.owner("keyd").uid == one.owner("keyd").gid);
        // A number that another has is not taken.
        let id = one.owner("keyd").uid;
        let beside = made(&["keyd"], &format!("other:x:{id}:5::/:/"));
        assert_eq!(beside.owner("keyd"), Owner::of(id + 1));
        assert_eq!(beside.passwd.expect("a list").lines().count(), 2);
    }

    #[test]
    fn owners_of_users_and_groups() {
        let all = UserLists { passwd: Some("a:x:5:6::/:/".into()), group: Some("g:x:7:".into()) };
        for (user, uid, gid) in [("a", 5, 6), ("a:g", 5, 7), ("a:8", 5, 8), ("9", 9, 9), ("9:g", 9, 7), ("9:10", 9, 10)] {
            assert_eq!(all.owner(user), Owner { uid, gid }, "{user}");
        }
    }
}
