//! Users and groups: the tables of `base-passwd`, or the few that every container has, and those that scripts add.

use anyhow::Result;

use crate::debian::tree::{NodeKind, Tree, TreeNode};

/// Where there is no `base-passwd`.
const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUPS: &str = "root:x:0:\nshadow:x:42:\nnogroup:x:65534:\n";

/// The accounts that every Debian has (policy, 9.2.2), which scripts may take for granted. Without `base-passwd`, those that one names are added.
const STANDARD_USERS: &str = "daemon 1 1 /usr/sbin,bin 2 2 /bin,sys 3 3 /dev,games 5 60 /usr/games,man 6 12 /var/cache/man,\
    lp 7 7 /var/spool/lpd,mail 8 8 /var/mail,news 9 9 /var/spool/news,uucp 10 10 /var/spool/uucp,proxy 13 13 /bin,\
    www-data 33 33 /var/www,backup 34 34 /var/backups,list 38 38 /var/list,irc 39 39 /run/ircd";
const STANDARD_GROUPS: &str = "daemon 1,bin 2,sys 3,adm 4,tty 5,disk 6,lp 7,mail 8,news 9,uucp 10,man 12,proxy 13,kmem 15,dialout 20,fax 21,\
    voice 22,cdrom 24,floppy 25,tape 26,sudo 27,audio 29,dip 30,www-data 33,backup 34,operator 37,list 38,irc 39,src 40,utmp 43,video 44,\
    sasl 45,plugdev 46,staff 50,games 60,users 100";

/// The first number that Debian gives to a system's own users.
const FIRST: u32 = 100;

/// The rows of `/etc/passwd` and `/etc/group`.
#[derive(Debug)]
pub struct Accounts {
    users: Vec<Vec<String>>,
    groups: Vec<Vec<String>>,
    /// Whether passwords are in tables of their own.
    pub shadow: bool,
}

impl Accounts {
    /// The rows that a tree begins with.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn read(tree: &Tree) -> Result<Self> {
        let rows = |name: &str, otherwise: &str| -> Result<Vec<Vec<String>>> {
            let text = tree.text(&format!("usr/share/base-passwd/{name}.master"))?;
            let text = text.as_deref().unwrap_or(otherwise);
            Ok(text.lines().filter(|line| line.contains(':')).map(|line| line.split(':').map(str::to_owned).collect()).collect())
        };
        Ok(Self { users: rows("passwd", USERS)?, groups: rows("group", GROUPS)?, shadow: false })
    }

    /// The number of a user or group.
    pub fn id(&self, name: &str, group: bool) -> Option<u64> {
        let rows = if group { &self.groups } else { &self.users };
        name.parse().ok().or_else(|| rows.iter().find(|row| row[0] == name)?.get(2)?.parse().ok())
    }

    /// The same; an account that every Debian has is added.
    pub fn wanted(&mut self, name: &str, group: bool) -> Option<u64> {
        let known = self.id(name, group);
        if known.is_some() {
            return known;
        }
        let table = if group { STANDARD_GROUPS } else { STANDARD_USERS };
        let mut words = table.split(',').map(|row| row.split(' ')).find(|row| row.clone().next() == Some(name))?.skip(1);
        let id = words.next()?;
        if group {
            self.groups.push([name, "x", id, ""].map(str::to_owned).to_vec());
        } else {
            let (group, home) = (words.next()?, words.next()?);
            self.users.push([name, "x", id, group, name, home, "/usr/sbin/nologin"].map(str::to_owned).to_vec());
            // Its group, which has its name or, for some, another one.
            let owner = STANDARD_GROUPS.split(',').find_map(|row| row.split_once(' ').filter(|(_, id)| *id == group));
            owner.and_then(|(owner, _)| self.wanted(owner, true));
        }
        id.parse().ok()
    }

    /// A number that neither a user nor a group has.
    fn free(&self) -> u32 {
        let mut rows =
            self.users.iter().chain(&self.groups).filter_map(|row| row.get(2)?.parse::<u32>().ok()).collect::<Vec<_>>();
        rows.sort_unstable();
        rows.into_iter().fold(FIRST, |free, id| if id == free { free + 1 } else { free })
    }

    /// Adds a group of the system, unless it is there; gives its number.
    pub fn add_group(&mut self, name: &str, id: Option<u32>) -> u64 {
        if let Some(id) = self.id(name, true) {
            return id;
        }
        let id = id.unwrap_or_else(|| self.free());
        self.groups.push(vec![name.to_owned(), "x".into(), id.to_string(), String::new()]);
        id.into()
    }

    /// Adds a user of the system, unless it is there.
    pub fn add_user(&mut self, user: &NewUser<'_>) {
        if self.id(user.name, false).is_some() {
            return;
        }
        let id = user.id.unwrap_or_else(|| self.free());
        let group = match user.group {
            Some(group) => self.wanted(group, true).unwrap_or(65534),
            None if user.own_group => self.add_group(user.name, Some(id)),
            None => 65534,
        };
        let row = [user.name, "x", &id.to_string(), &group.to_string(), user.comment, user.home, user.shell];
        self.users.push(row.map(str::to_owned).to_vec());
    }

    /// Makes a user a member of a group.
    pub fn join(&mut self, user: &str, group: &str) {
        let members = self.groups.iter_mut().find(|row| row[0] == group).and_then(|row| row.get_mut(3));
        if let Some(members) = members.filter(|members| !members.split(',').any(|member| member == user)) {
            if !members.is_empty() {
                members.push(',');
            }
            members.push_str(user);
        }
    }

    /// Adds what a file of systemd-sysusers asks for (sysusers.d(5)).
    pub fn sysusers(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let words = crate::process::split(line).unwrap_or_default();
            let word = |at: usize| words.get(at).map(String::as_str).filter(|word| *word != "-" && !word.is_empty());
            let (Some(kind), Some(name)) = (word(0), word(1)) else { continue };
            let (id, group) = match word(2).and_then(|id| id.split_once(':')) {
                Some((id, group)) => (id.parse().ok(), Some(group.to_owned())),
                None => (word(2).and_then(|id| id.parse().ok()), None),
            };
            match kind.trim_end_matches(['!', '-']) {
                "u" => self.add_user(&NewUser {
                    name,
                    id,
                    group: group.as_deref(),
                    own_group: true,
                    comment: word(3).unwrap_or_default(),
                    home: word(4).unwrap_or("/"),
                    shell: word(5).unwrap_or("/usr/sbin/nologin"),
                }),
                "g" => drop(self.add_group(name, id)),
                "m" => {
                    if let Some(group) = word(2) {
                        self.join(name, group);
                    }
                }
                _ => {}
            }
        }
    }

    /// Writes the tables.
    pub fn write(&self, tree: &mut Tree, epoch: u64, newest: u64) {
        let rows = |rows: &[Vec<String>], password: &str| -> String {
            rows.iter()
                .map(|row| {
                    row.iter().enumerate().map(|(at, cell)| if at == 1 { password } else { cell }).collect::<Vec<_>>().join(":")
                        + "\n"
                })
                .collect()
        };
        let password = if self.shadow { "x" } else { "*" };
        tree.write("etc/passwd", 0o644, epoch, rows(&self.users, password));
        tree.write("etc/group", 0o644, epoch, rows(&self.groups, password));
        if !self.shadow {
            return;
        }
        // A day that is no more than the packages tell: the same packages make the same file.
        let day = newest / 86_400;
        let shadow: String = self.users.iter().map(|row| format!("{}:*:{day}:0:99999:7:::\n", row[0])).collect();
        let gshadow: String =
            self.groups.iter().map(|row| format!("{}:*::{}\n", row[0], row.get(3).map_or("", String::as_str))).collect();
        for (path, text) in [("etc/shadow", shadow), ("etc/gshadow", gshadow)] {
            let mut node = TreeNode::new(0o640, epoch, NodeKind::Made(text.into_bytes()));
            node.gid = self.id("shadow", true).unwrap_or(0);
            tree.put(path.to_owned(), node);
        }
    }
}

/// A user of the system that a script adds.
pub struct NewUser<'a> {
    /// The name.
    pub name: &'a str,
    /// Its number, if a certain one is wanted.
    pub id: Option<u32>,
    /// Its group, if it is an existing one.
    pub group: Option<&'a str>,
    /// Whether it has a group of its own.
    pub own_group: bool,
    /// The comment.
    pub comment: &'a str,
    /// The home folder, which is not made.
    pub home: &'a str,
    /// The shell.
    pub shell: &'a str,
}
