//! In which order the members of a layer stand.
//!
//! gzip looks back no further than 32 KiB. With files of one ending and one name side by side (translations, libraries,
//! copyright files), a Debian root file system is 1.3 % smaller than in the order of its paths.

/// What a member is to those around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Folders come before what is in them.
    Folder,
    /// Symbolic links, devices and the like.
    Special,
    /// Files with content.
    File,
    /// Hard links come after what they link to.
    HardLink,
}

/// What a member is sorted by.
pub type Key<'a> = (Rank, &'a str, &'a str, &'a str);

/// By rank and, for a file, by ending, name and path. Others of one rank are equal: with a stable sort they keep their order.
pub fn key(rank: Rank, path: &str) -> Key<'_> {
    if rank != Rank::File {
        return (rank, "", "", "");
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, ending)| ending);
    (rank, ending, name, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_kind_stand_side_by_side() {
        let mut members = vec![
            (Rank::HardLink, "a"),
            (Rank::File, "b/x.so"),
            (Rank::File, "a/y.mo"),
            (Rank::Special, "z"),
            (Rank::File, "c/.hidden"),
            (Rank::File, "a/x.so"),
            (Rank::Folder, "b"),
            (Rank::Folder, "a"),
            (Rank::Special, "c"),
        ];
        members.sort_by_key(|(rank, path)| key(*rank, path));
        let paths: Vec<&str> = members.iter().map(|(_, path)| *path).collect();
        assert_eq!(paths, ["b", "a", "z", "c", "c/.hidden", "a/y.mo", "a/x.so", "b/x.so", "a"]);
    }
}
