//! The mode and the owner that an entry of `files` gives.

use crate::app::Owner;

/// The bits that let a program run with the rights of its owner or group.
const SET_ID: u32 = 0o6000;

/// The permission bits in octal.
///
/// # Errors
/// In words for the user.
pub fn mode(text: &str, is_folder: bool) -> Result<u32, String> {
    let is_octal = matches!(text.len(), 3 | 4) && text.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
    let mode = is_octal.then(|| u32::from_str_radix(text, 8).ok()).flatten();
    let mode = mode.ok_or_else(|| format!("`{text}` is not a mode: write the permission bits in octal, such as `0640`"))?;
    if !is_folder && mode & SET_ID != 0 {
        return Err(format!(
            "`{text}` has the set-user-ID or set-group-ID bit, and files cannot have it: `cap-add` gives a service the right that it needs"
        ));
    }
    // In a folder, the group's bit hands the group on; that of the user means nothing.
    if mode & 0o4000 != 0 {
        return Err(format!("`{text}` has the set-user-ID bit, which means nothing for a folder"));
    }
    if !is_folder && mode & 0o1000 != 0 {
        return Err(format!("`{text}` has the sticky bit, which means nothing for a file"));
    }
    Ok(mode)
}

/// `UID` or `UID:GID`; of the first, the group has the same number.
///
/// # Errors
/// In words for the user.
pub fn owner(text: &str) -> Result<Owner, String> {
    let number = |text: &str| {
        let digits = text.bytes().all(|digit| digit.is_ascii_digit());
        // The highest one stands for "no user" (chown(2)).
        digits.then(|| text.parse::<u32>().ok()).flatten().filter(|id| *id < u32::MAX).map(u64::from)
    };
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    match (number(user), number(group)) {
        (Some(uid), Some(gid)) => Ok(Owner { uid, gid }),
        _ => Err(format!("`{text}` is not an owner: write the numbers `UID` or `UID:GID`, such as `1000:1000`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_and_owners() {
        for (text, is_folder, expected) in
            [("640", false, 0o640), ("0755", false, 0o755), ("1777", true, 0o1777), ("2770", true, 0o2770), ("000", false, 0)]
        {
            assert_eq!(mode(text, is_folder), Ok(expected), "{text}");
        }
        for (text, is_folder) in [
            ("", false),
            ("rw-r--r--", false),
            ("0o640", false),
            ("648", false),
            ("+640", false),
            ("64", false),
            ("00640", false),
            ("4755", false),
            ("2755", false),
            ("1644", false),
            ("4755", true),
        ] {
            assert!(mode(text, is_folder).is_err(), "{text}");
        }
        assert_eq!(owner("7"), Ok(Owner { uid: 7, gid: 7 }));
        assert_eq!(owner("7:8"), Ok(Owner { uid: 7, gid: 8 }));
        for text in ["", "x", "7:", ":7", "7:8:9", "-1", "+7", "4294967295", "99999999999"] {
            assert!(owner(text).is_err(), "{text}");
        }
    }
}
