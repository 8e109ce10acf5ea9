//! Which module of a crate names which, and where that goes in circles.
//!
//! Modules are compared folder by folder: those directly in `src`, then those in each folder below. A name counts where
//! it is written: as `crate::…` or `super::…` in a `use` or a path. The module that a folder belongs to is in no circle
//! with its files: it names all of them, as it should.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

/// A module's path below the crate.
type Module = Vec<String>;

/// The arrows between the modules of one crate.
#[derive(Default)]
pub(super) struct Imports {
    modules: BTreeSet<Module>,
    /// From a module to a path that it names.
    arrows: BTreeSet<(Module, Module)>,
}

impl Imports {
    /// Adds a file, named by its path below `src`.
    pub(super) fn read(&mut self, path: &str, file: &syn::File) {
        let here = module(path);
        if here.is_empty() {
            return;
        }
        let mut met = Met { here, named: BTreeSet::new() };
        met.visit_file(file);
        let Met { here, named } = met;
        self.arrows.extend(named.into_iter().map(|path| (here.clone(), path)));
        self.modules.insert(here);
    }

    /// Modules of one folder that reach each other, each group once, by folder and then by name.
    pub(super) fn circles(&self) -> Vec<String> {
        let folders: BTreeSet<&[String]> =
            self.modules.iter().flat_map(|module| (0..module.len()).map(|deep| &module[..deep])).collect();
        folders.into_iter().flat_map(|folder| self.circles_in(folder)).collect()
    }

    fn circles_in(&self, folder: &[String]) -> Vec<String> {
        let name_in = |path: &Module| path.strip_prefix(folder)?.first().cloned();
        let names: BTreeSet<String> = self.modules.iter().filter_map(name_in).collect();
        let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to) in &self.arrows {
            if let (Some(from), Some(to)) = (name_in(from), name_in(to))
                && let (Some(from), Some(to)) = (names.get(&from), names.get(&to))
                && from != to
            {
                arrows.entry(from).or_default().insert(to);
            }
        }
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            names.iter().map(|name| (name.as_str(), reached_from(name, &arrows))).collect();
        let circle = |name: &str| -> Vec<&str> {
            let back = |other: &&str| reached.get(other).is_some_and(|back| back.contains(name));
            reached[name].iter().copied().filter(back).collect()
        };
        let circles: BTreeSet<_> =
            names.iter().map(|name| circle(name)).filter(|circle| circle.len() > 1).collect();
        let place = folder.iter().map(|name| format!("{name}/")).collect::<String>();
        circles.into_iter().map(|circle| format!("{place}{}", circle.join(&format!(" ↔ {place}")))).collect()
    }
}

fn reached_from<'a>(name: &'a str, arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![name];
    while let Some(name) = next.pop() {
        next.extend(arrows.get(name).into_iter().flatten().copied().filter(|other| reached.insert(*other)));
    }
    reached
}

/// The module of a file: empty for the crate's root.
fn module(path: &str) -> Module {
    let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(stem, "lib" | "main") { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

/// What one file names.
struct Met {
    here: Module,
    named: BTreeSet<Module>,
}

impl Met {
    fn name(&mut self, path: &[String]) {
        let up = path.iter().take_while(|word| *word == "super").count();
        let named = match path.first().map(String::as_str) {
            Some("crate") => path[1..].to_vec(),
            Some("super") if up <= self.here.len() => {
                [&self.here[..self.here.len() - up], &path[up..]].concat()
            }
            _ => return,
        };
        self.named.insert(named);
    }

    fn name_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |word: &syn::Ident| [before, &[word.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.name_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.name(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.name(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.name(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.name_tree(before, tree)),
        }
    }
}

impl<'a> Visit<'a> for Met {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.name_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.name(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        // Modules inside a file are one level deeper, and here only tests have any.
        if item.content.is_none() {
            visit::visit_item_mod(self, item);
        }
    }
}
