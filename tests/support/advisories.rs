//! Databases of advisories about packages that do not exist, and executables that list them.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::Project;

/// Today, as `YYYY-MM-DD`.
pub fn today() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 86_400;
    // Days to a date of the Gregorian calendar, in eras of 400 years that begin in March.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + u64::from(month <= 2))
}

/// An advisory in RustSec's form; `more` is TOML that goes into `[advisory]`, `tables` what follows it.
pub fn advisory(database: &Path, id: &str, package: &str, more: &str, tables: &str) {
    let folder = database.join("crates").join(package);
    std::fs::create_dir_all(&folder).expect("folder");
    let text = format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"{}\"\n{more}\n\n{tables}\n```\n\n\
        # What {package} does wrong\n\nMore of it.\n",
        today()
    );
    std::fs::write(folder.join(format!("{id}.md")), text).expect("written");
}

/// A database with one advisory of each kind.
pub fn database(folder: &Path) {
    let critical = "cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H\"\naliases = [\"CVE-2031-1001\"]";
    advisory(
        folder,
        "RUSTSEC-2031-0001",
        "teapot",
        critical,
        "[versions]\npatched = [\">= 1.2.3\", \"^0.9.4\"]\nunaffected = [\"< 0.5.0\"]",
    );
    advisory(
        folder,
        "RUSTSEC-2031-0002",
        "kettle",
        "cvss = \"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N\"",
        "[versions]\npatched = []",
    );
    advisory(folder, "RUSTSEC-2031-0003", "kettle", "informational = \"unmaintained\"", "[versions]\npatched = []");
    advisory(folder, "RUSTSEC-2031-0004", "teapot", "", "[affected]\nos = [\"windows\"]\n\n[versions]\npatched = []");
    advisory(folder, "RUSTSEC-2031-0005", "teapot", "", "[affected]\narch = [\"x86\"]\n\n[versions]\npatched = []");
    advisory(folder, "RUSTSEC-2031-0006", "teapot", "withdrawn = \"2031-01-01\"", "[versions]\npatched = []");
    advisory(folder, "RUSTSEC-2031-0007", "spoon", "", "[versions]\npatched = [\">= 2.0.0\"]");
    advisory(folder, "RUSTSEC-2031-0008", "saucer", "", "[versions]\npatched = []");
}

/// An advisory in OSV's form about a source package of Debian.
pub fn debian_advisory(database: &Path, id: &str, cve: &[&str], package: &str, fixed: Option<&str>, urgency: &str) {
    std::fs::create_dir_all(database).expect("folder");
    let mut events = vec![json!({"introduced": "0"})];
    events.extend(fixed.map(|version| json!({ "fixed": version })));
    let entry = json!({
        "schema_version": "1.7.0", "id": id, "upstream": cve,
        "modified": format!("{}T10:00:00Z", today()), "published": format!("{}T10:00:00Z", today()),
        "details": format!("What {package} does wrong."),
        "affected": [
            {"package": {"ecosystem": "Debian:11", "name": package}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]},
            {"package": {"ecosystem": "Debian:12", "name": package}, "ranges": [{"type": "ECOSYSTEM", "events": events}],
                "ecosystem_specific": {"urgency": urgency}},
        ],
    });
    std::fs::write(database.join(format!("{id}.json")), entry.to_string()).expect("written");
}

/// A crate of a list: name, version, source, places of what it uses.
pub type Listed<'a> = (&'a str, &'a str, &'a str, &'a [usize]);

/// The section of a list whose first crate is the executable's own.
pub fn section(crates: &[Listed<'_>]) -> Vec<u8> {
    let package = |(at, (name, version, source, uses)): (usize, &Listed<'_>)| -> Value {
        let mut package = json!({"name": name, "version": version, "source": source});
        if !uses.is_empty() {
            package["dependencies"] = json!(uses);
        }
        if at == 0 {
            package["root"] = json!(true);
        }
        package
    };
    let packages: Vec<Value> = crates.iter().enumerate().map(package).collect();
    deflated(json!({ "packages": packages }).to_string().as_bytes())
}

/// Bytes as zlib packs them.
pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("zlib");
    encoder.finish().expect("zlib")
}

impl Project {
    /// An executable with these bytes as its list of crates.
    pub fn listed(&self, name: &str, section: &[u8]) {
        std::fs::create_dir_all(self.path().join("bin")).expect("folder");
        std::fs::write(self.path().join(format!("bin/{name}.list")), section).expect("written");
        let source = format!(
            "__asm__(\".pushsection .dep-v0,\\\"\\\",%progbits\\n.incbin \\\"{name}.list\\\"\\n.popsection\");\nint main() {{ return 0; }}\n"
        );
        self.binary(name, &source);
    }
}
