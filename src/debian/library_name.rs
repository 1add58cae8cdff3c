//! Which package has a library, by Debian's rules for names (Debian policy, 8.1).

/// Packages whose names do not follow from the library's.
const OTHERS: [(&str, &str); 8] = [
    ("libcrypto.so.3", "libssl3"),
    ("libdl.so.2", "libc6"),
    ("libm.so.6", "libc6"),
    ("libpthread.so.0", "libc6"),
    ("libresolv.so.2", "libc6"),
    ("librt.so.1", "libc6"),
    ("libturbojpeg.so.0", "libturbojpeg0"),
    ("libz.so.1", "zlib1g"),
];

/// The name of the package that has a library: `libssl3` for `libssl.so.3`, `libsqlite3-0` for `libsqlite3.so.0`.
pub fn package_of_library(name: &str) -> String {
    if let Some((_, package)) = OTHERS.iter().find(|(library, _)| *library == name) {
        return (*package).to_owned();
    }
    let (stem, version) = name.split_once(".so.").unwrap_or((name.trim_end_matches(".so"), ""));
    let stem = stem.to_lowercase().replace('_', "-");
    let dash = stem.ends_with(|c: char| c.is_ascii_digit()) && !version.is_empty();
    format!("{stem}{}{version}", if dash { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for (library, package) in [
            ("libssl.so.3", "libssl3"),
            ("libsqlite3.so.0", "libsqlite3-0"),
            ("libgcc_s.so.1", "libgcc-s1"),
            ("libusb-1.0.so.0", "libusb-1.0-0"),
            ("libz.so.1", "zlib1g"),
            ("libfoo.so", "libfoo"),
        ] {
            assert_eq!(package_of_library(library), package);
        }
    }
}
