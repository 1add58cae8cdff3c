//! What the images of an app contain, and the bill that this amounts to.

use std::collections::{BTreeMap, BTreeSet};

use super::bill::{Bill, Component, ComponentKind};
use super::system::System;
use crate::debian::InstalledPackage;
use crate::trust::purl::Purl;
use crate::trust::{Origin, ServiceCrates, UsedCrate};

/// The contents of an app's images, as far as a bill tells of them.
#[derive(Clone, Debug, Default)]
pub struct AppParts {
    /// `AUTHOR.NAME`.
    pub name: String,
    /// The app's version.
    pub version: Option<String>,
    /// Who supplies the app.
    pub supplier: Option<String>,
    /// Seconds since 1970 for the bill's time.
    pub epoch: u64,
    /// Its services.
    pub services: Vec<ServiceParts>,
}

/// The contents of one service's image.
#[derive(Clone, Debug, Default)]
pub struct ServiceParts {
    /// The service's name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Executables with their crates.
    pub executables: Vec<Executable>,
    /// The system of its base.
    pub system: Option<System>,
    /// Whether its base has programs or libraries that no package of `packages` has.
    pub unlisted_base: bool,
    /// The packages of its base.
    pub packages: Vec<InstalledPackage>,
    /// Files that the service packs.
    pub files: Vec<PackedFile>,
    /// The image that it is, if it is someone else's.
    pub image: Option<String>,
}

/// An executable in an image.
#[derive(Clone, Debug, Default)]
pub struct Executable {
    /// Absolute path in the image.
    pub path: String,
    /// The SHA-256 sum of its bytes, in hexadecimal digits.
    pub sha256: Option<String>,
    /// Its crates.
    pub crates: ServiceCrates,
}

/// A file in an image.
#[derive(Clone, Debug, Default)]
pub struct PackedFile {
    /// Absolute path in the image.
    pub path: String,
    /// The SHA-256 sum of its bytes, in hexadecimal digits.
    pub sha256: Option<String>,
}

impl AppParts {
    /// The bill of all of it.
    pub fn bill(&self) -> Bill {
        let app = Component {
            kind: ComponentKind::Application,
            name: self.name.clone(),
            version: self.version.clone(),
            purl: self.version.as_ref().map(|version| Purl::generic(&self.name, version).to_string()),
            supplier: self.supplier.clone(),
            ..Component::default()
        };
        let root = app.id();
        let mut bill = Bill::of(app, self.epoch);
        for service in &self.services {
            self.add_service(&mut bill, &root, service);
        }
        bill
    }

    /// The id of a service in [`Self::bill`].
    pub fn id_of(&self, service: &str) -> Option<String> {
        self.services.iter().find(|known| known.name == service).map(|service| self.service(service).id())
    }

    fn service(&self, service: &ServiceParts) -> Component {
        let own = match service.executables.as_slice() {
            [executable] => executable.sha256.clone(),
            _ => None,
        };
        Component {
            kind: ComponentKind::Application,
            name: service.name.clone(),
            version: service.version.clone(),
            supplier: self.supplier.clone().filter(|_| service.image.is_none()),
            sha256: own,
            properties: service.image.iter().map(|image| ("image", image.clone())).collect(),
            ..Component::default()
        }
    }

    fn add_service(&self, bill: &mut Bill, root: &str, service: &ServiceParts) {
        let id = bill.add(root, self.service(service));
        for executable in &service.executables {
            self.add_crates(bill, &id, &executable.crates);
            if !executable.crates.complete {
                bill.gaps.push(format!("the crates of `{}` in `{}` are not all known", executable.path, service.name));
            }
        }
        if service.unlisted_base {
            bill.gaps.push(format!("the packages in the base of `{}` are not known", service.name));
        }
        if service.executables.is_empty() && service.packages.is_empty() && !service.unlisted_base {
            bill.gaps.push(format!("the contents of `{}` are not known", service.name));
        }
        let base = self.add_base(bill, &id, service);
        for package in &service.packages {
            bill.add(&base, package_of(package, service));
        }
        for package in &service.packages {
            let used = package_of(package, service).id();
            for user in service.packages.iter().filter(|user| package.needed_by.contains(&user.name)) {
                bill.uses.entry(package_of(user, service).id()).or_default().insert(used.clone());
            }
        }
        for file in &service.files {
            let (name, supplier, sha256) = (file.path.clone(), self.supplier.clone(), file.sha256.clone());
            let (kind, version) = (ComponentKind::File, self.version.clone());
            bill.add(&id, Component { kind, name, version, supplier, sha256, ..Component::default() });
        }
    }

    /// The system of a service's base; returns the id that its packages belong to.
    fn add_base(&self, bill: &mut Bill, service: &str, parts: &ServiceParts) -> String {
        let Some(System { id, name, version }) = &parts.system else { return service.to_owned() };
        let supplier = Some(name.clone().unwrap_or_else(|| id.clone()));
        let (name, version) = (id.clone(), version.clone());
        bill.add(service, Component { kind: ComponentKind::System, name, version, supplier, ..Component::default() })
    }

    /// Adds the crates in an executable, which its service uses as its root crate does.
    fn add_crates(&self, bill: &mut Bill, service: &str, list: &ServiceCrates) {
        let used: BTreeSet<usize> = list.crates.iter().flat_map(|used| &used.dependencies).copied().collect();
        for (at, package) in list.crates.iter().enumerate() {
            let user = if package.root { service.to_owned() } else { bill.add_alone(self.crate_of(package)) };
            if !package.root && !used.contains(&at) {
                bill.uses.entry(service.to_owned()).or_default().insert(user.clone());
            }
            for used in package.dependencies.iter().filter_map(|at| list.crates.get(*at)).filter(|used| !used.root) {
                bill.add(&user, self.crate_of(used));
            }
        }
    }

    fn crate_of(&self, used: &UsedCrate) -> Component {
        let version = used.version.to_string();
        // A crate from elsewhere may share its name and version with one on crates.io, and is not that one.
        let purl = Purl::of_crate(&used.name, &version);
        let purl = match &used.origin {
            Origin::CratesIo => Some(purl.to_string()),
            Origin::Registry(url) if !url.is_empty() => Some(purl.qualified(&[("repository_url", url)])),
            Origin::Git { url, commit: Some(commit) } if !url.is_empty() => {
                Some(purl.qualified(&[("vcs_url", &format!("git+{url}@{commit}"))]))
            }
            _ => None,
        };
        let supplier = match used.origin {
            Origin::CratesIo => Some("crates.io".to_owned()),
            Origin::Local => self.supplier.clone(),
            _ => None,
        };
        Component {
            kind: ComponentKind::Library,
            name: used.name.clone(),
            purl,
            version: Some(version),
            licence: used.about.license.clone(),
            supplier,
            author: Some(used.about.authors.join(", ")).filter(|authors| !authors.is_empty()),
            sha256: used.about.checksum.clone(),
            repository: used.about.repository.clone(),
            properties: used.about.links.iter().map(|links| ("links", links.clone())).collect(),
        }
    }
}

fn package_of(package: &InstalledPackage, service: &ServiceParts) -> Component {
    let system = service.system.as_ref();
    let id = system.map_or("debian", |system| &system.id);
    let version = system.and_then(|system| system.version.as_ref());
    let distro = version.map(|version| format!("{id}-{version}")).unwrap_or_default();
    let purl = Purl { namespace: Some(id.to_owned()), ..Purl::of_debian(&package.name, &package.version) };
    Component {
        kind: ComponentKind::Package,
        name: package.name.clone(),
        version: Some(package.version.clone()),
        purl: Some(purl.qualified(&[("arch", &package.architecture), ("distro", &distro)])),
        supplier: package.maintainer.clone(),
        properties: BTreeMap::from([("source", format!("{} {}", package.source, package.source_version))]),
        ..Component::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(json: &str) -> ServiceCrates {
        let mut list = ServiceCrates::listed("alpha", &serde_json::from_str(json).expect("a list"));
        for used in list.crates.iter_mut().filter(|used| used.name == "log") {
            used.about.license = Some("MIT OR Apache-2.0".into());
        }
        list
    }

    fn parts() -> AppParts {
        let list = listed(
            r#"{"packages":[{"name":"alpha","version":"1.0.0","source":"local","dependencies":[1,2],"root":true},
            {"name":"cc","version":"1.2.0","source":"crates.io","kind":"build"},
            {"name":"log","version":"0.4.29","source":"crates.io","dependencies":[3]},
            {"name":"own","version":"0.1.0","source":"git"}]}"#,
        );
        let package = |name: &str, needed_by: &[&str]| InstalledPackage {
            name: name.into(),
            version: "1".into(),
            architecture: "arm64".into(),
            needed_by: needed_by.iter().map(ToString::to_string).collect(),
            ..InstalledPackage::default()
        };
        let service = ServiceParts {
            name: "alpha".into(),
            version: Some("1.0.0".into()),
            executables: vec![Executable { path: "/usr/bin/alpha".into(), crates: list, ..Executable::default() }],
            system: Some(System { id: "debian".into(), name: None, version: Some("12".into()) }),
            packages: vec![package("libc6", &["libssl3"]), package("libssl3", &[])],
            ..ServiceParts::default()
        };
        AppParts {
            name: "com.example.demo".into(),
            version: Some("1.0.0".into()),
            services: vec![service],
            ..AppParts::default()
        }
    }

    #[test]
    fn a_bill_has_what_runs_and_how_it_hangs_together() {
        let parts = parts();
        let bill = parts.bill();
        let id = parts.id_of("alpha").expect("an id");
        let libc = "pkg:deb/debian/libc6@1?arch=arm64&distro=debian-12";
        let libssl = "pkg:deb/debian/libssl3@1?arch=arm64&distro=debian-12";
        let names: Vec<&String> = bill.components.keys().collect();
        assert_eq!(names, [&id, "library:own@0.1.0", "pkg:cargo/log@0.4.29", libc, libssl, "system:debian@12"]);
        let uses = |user: &str| bill.uses.get(user).into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(uses("pkg:generic/com.example.demo@1.0.0"), [id.as_str()]);
        assert_eq!(uses(&id), ["pkg:cargo/log@0.4.29", "system:debian@12"]);
        assert_eq!(uses("pkg:cargo/log@0.4.29"), ["library:own@0.1.0"]);
        assert_eq!(uses("system:debian@12"), [libc, libssl]);
        assert_eq!(uses(libssl), [libc]);
        assert_eq!(bill.components["pkg:cargo/log@0.4.29"].licence.as_deref(), Some("MIT OR Apache-2.0"));
        assert!(bill.gaps.is_empty(), "{:?}", bill.gaps);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut parts = parts();
        parts.services[0].executables[0].crates.complete = false;
        parts.services.push(ServiceParts { name: "beta".into(), ..ServiceParts::default() });
        let gaps = parts.bill().gaps;
        assert_eq!(gaps, ["the crates of `/usr/bin/alpha` in `alpha` are not all known", "the contents of `beta` are not known"]);
    }
}
