//! The source tree as modules, what each imports, and from which file that comes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A module's names from the crate's root on.
pub type Module = Vec<String>;

/// One file.
pub struct Source {
    /// Relative to the package's folder.
    pub path: PathBuf,
    /// The module that it is.
    pub module: Module,
    /// Lines without those of its tests.
    pub lines: usize,
    /// Paths that occur in it, names first: those of `use` and all others.
    paths: BTreeSet<Vec<String>>,
    /// What names that it brings into scope stand for.
    imports: BTreeMap<String, Vec<String>>,
    /// Those of them that others can see.
    exports: BTreeSet<String>,
    /// Names of the public types that it defines.
    pub types: Vec<String>,
}

/// All files below a folder of this package, of which `root` is the crate's root module.
pub struct Tree {
    /// By module.
    pub sources: BTreeMap<Module, Source>,
}

impl Tree {
    /// Reads `src`.
    pub fn of_the_crate() -> Self {
        Self::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &["main", "lib"])
    }

    /// Reads a folder; files of the names `roots` are the crate's root.
    pub fn read(folder: &Path, roots: &[&str]) -> Self {
        let mut sources = BTreeMap::new();
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
            let path = entry.expect("readable").into_path();
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let inside = path.strip_prefix(folder).expect("inside").with_extension("");
            let module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            let module = if matches!(&module[..], [one] if roots.contains(&one.as_str())) { Vec::new() } else { module };
            let source = Source::read(&path, module.clone());
            // `main.rs` only calls the library, whose root `lib.rs` is.
            if path.file_name().is_some_and(|name| name != "main.rs") || roots == ["main"] {
                sources.insert(module, source);
            }
        }
        Self { sources }
    }

    /// The files whose items a file uses, each with one path that shows it.
    pub fn uses(&self, source: &Source) -> BTreeMap<Module, String> {
        let found = source.paths.iter().filter_map(|path| Some((self.owner(&source.module, path, 0)?, path.join("::"))));
        found.filter(|(owner, _)| *owner != source.module).collect()
    }

    /// The module that defines what a path in a module leads to; none if that is a module itself, or foreign.
    fn owner(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        // A name may stand for a path that begins with the same name: of a crate, then.
        if depth > 8 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let (mut at, mut rest) = match first.as_str() {
            "crate" => (Vec::new(), rest.to_vec()),
            "self" => (module.clone(), rest.to_vec()),
            "super" => (module[..module.len().checked_sub(1)?].to_vec(), rest.to_vec()),
            name => match self.sources.get(module)?.imports.get(name) {
                Some(target) if target != path => return self.owner(module, &[target, rest].concat(), depth + 1),
                _ if self.sources.contains_key(&[module.clone(), vec![name.to_owned()]].concat()) => {
                    (module.clone(), path.to_vec())
                }
                _ => return None,
            },
        };
        while let Some(name) = rest.first() {
            if name == "super" {
                at.pop()?;
                rest.remove(0);
                continue;
            }
            let inner = [at.clone(), vec![name.clone()]].concat();
            if self.sources.contains_key(&inner) {
                at = inner;
                rest.remove(0);
                continue;
            }
            let here = self.sources.get(&at)?;
            return match here.imports.get(name).filter(|_| here.exports.contains(name) || at == *module) {
                Some(target) => self.owner(&at, &[&target[..], &rest[1..]].concat(), depth + 1),
                None => Some(at),
            };
        }
        None
    }
}

impl Source {
    fn read(path: &Path, module: Module) -> Self {
        let text = std::fs::read_to_string(path).expect("text");
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut reader = Reader::default();
        reader.visit_file(&file);
        Self {
            path: path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).to_owned(),
            module,
            lines: text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text).lines().count(),
            paths: reader.paths,
            imports: reader.imports,
            exports: reader.exports,
            types: reader.types,
        }
    }

    /// The first names of the paths in it that are longer than one name: crates, above all.
    pub fn crates(&self) -> BTreeSet<&str> {
        self.paths.iter().filter(|path| path.len() > 1).map(|path| path[0].as_str()).collect()
    }
}

#[derive(Default)]
struct Reader {
    paths: BTreeSet<Vec<String>>,
    imports: BTreeMap<String, Vec<String>>,
    exports: BTreeSet<String>,
    types: Vec<String>,
}

impl Reader {
    fn import(&mut self, tree: &syn::UseTree, before: &[String], is_visible: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (name, path) = match tree {
            syn::UseTree::Path(path) => return self.import(&path.tree, &with(&path.ident), is_visible),
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|item| self.import(item, before, is_visible));
            }
            syn::UseTree::Name(name) if name.ident == "self" => (before.last().expect("a name").clone(), before.to_vec()),
            syn::UseTree::Name(name) => (name.ident.to_string(), with(&name.ident)),
            syn::UseTree::Rename(name) => (name.rename.to_string(), with(&name.ident)),
            syn::UseTree::Glob(_) => {
                self.paths.insert([before, &["*".to_owned()]].concat());
                return;
            }
        };
        // What is only handed on is not used here.
        if is_visible {
            self.exports.insert(name.clone());
        } else {
            self.paths.insert(path.clone());
        }
        self.imports.insert(name, path);
    }

    fn define(&mut self, visibility: &syn::Visibility, name: &syn::Ident) {
        if matches!(visibility, syn::Visibility::Public(_)) {
            self.types.push(name.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, &[], !matches!(item.vis, syn::Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    /// Most macros take expressions, in which paths stand as they do elsewhere.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let arguments = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        for argument in item.parse_body_with(arguments).into_iter().flatten() {
            visit::visit_expr(&mut *self, Box::leak(Box::new(argument)));
        }
        visit::visit_macro(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.define(&item.vis, &item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.define(&item.vis, &item.ident);
        visit::visit_item_enum(self, item);
    }
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    matches!(&attribute.meta, syn::Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}
