//! In which order the members of a layer stand.
//!
//! gzip looks back no further than 32 KiB. With files of one ending, one name and one size side by side (translations, copyright
//! files, the same change log of several packages), a Debian root file system is 1.8 % smaller than in the order of its paths.

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
pub type Key<'a> = (Rank, &'a str, &'a str, u64, &'a str);

/// By rank and, for a file, by ending, name, size and path. Others of one rank are equal: with a stable sort they keep their order.
pub fn key(rank: Rank, path: &str, size: u64) -> Key<'_> {
    if rank != Rank::File {
        return (rank, "", "", 0, "");
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, ending)| ending);
    (rank, ending, name, size, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_kind_stand_side_by_side() {
        let mut members = vec![
            (Rank::HardLink, "a", 0),
            (Rank::File, "b/x.so", 7),
            (Rank::File, "a/y.mo", 1),
            (Rank::Special, "z", 0),
            (Rank::File, "c/.hidden", 2),
            (Rank::File, "c/x.so", 7),
            (Rank::File, "a/x.so", 9),
            (Rank::Folder, "b", 0),
            (Rank::Folder, "a", 0),
            (Rank::Special, "c", 0),
        ];
        members.sort_by_key(|(rank, path, size)| key(*rank, path, *size));
        let paths: Vec<&str> = members.iter().map(|(_, path, _)| *path).collect();
        assert_eq!(paths, ["b", "a", "z", "c", "c/.hidden", "a/y.mo", "b/x.so", "c/x.so", "a/x.so", "a"]);
    }
}
