//! One layer on top of others.

use super::Facts;

impl Facts {
    /// Applies a layer on top of this file system.
    pub fn overlay(&mut self, upper: Self) {
        for removed in &upper.removed {
            let (root, opaque) = removed.strip_suffix('/').map_or((removed.as_str(), false), |root| (root, true));
            let gone =
                |path: &str| (path == root && !opaque) || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
            self.folders.retain(|path| !gone(path));
            self.links.retain(|path, _| !gone(path));
            self.libraries.retain(|path, _| !gone(path));
            self.programs.retain(|path| !gone(path));
            self.records.retain(|path, _| !gone(path));
            for (path, list) in [("etc/passwd", &mut self.users.passwd), ("etc/group", &mut self.users.group)] {
                list.take_if(|_| gone(path));
            }
        }
        for path in upper.links.keys().chain(upper.libraries.keys()).chain(&upper.folders) {
            self.links.remove(path);
            self.libraries.remove(path);
            self.programs.remove(path);
        }
        // A file over a link, too; of a file over a program, nobody is told.
        for path in &upper.programs {
            self.links.remove(path);
            self.libraries.remove(path);
        }
        self.folders.extend(upper.folders);
        self.links.extend(upper.links);
        self.libraries.extend(upper.libraries);
        self.programs.extend(upper.programs);
        self.users.passwd = upper.users.passwd.or_else(|| self.users.passwd.take());
        self.users.group = upper.users.group.or_else(|| self.users.group.take());
        self.records.extend(upper.records);
        self.search.extend(upper.search);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::facts;

    #[test]
    fn an_upper_layer_takes_away() {
        let mut lower = facts(&["a", "a/b", "c", "c/d"], &[("a/l", "x"), ("c/d/m", "x")]);
        let mut upper = facts(&["c/e"], &[]);
        upper.removed.extend(["a".to_owned(), "c/".to_owned()]);
        lower.overlay(upper);
        assert_eq!(lower, facts(&["c", "c/e"], &[]));
    }
}
