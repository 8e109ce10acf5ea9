//! Which module of a crate names which, and where that goes in circles.
//!
//! A module here is a file or folder directly below `src`. A name counts where it is written: as `crate::…` or
//! `super::…` in a `use` or a path. The crate's root belongs to no circle: it names all modules, as it should.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

/// The arrows between the modules of one crate.
#[derive(Default)]
pub(super) struct Imports {
    modules: BTreeSet<String>,
    arrows: BTreeMap<String, BTreeSet<String>>,
}

impl Imports {
    /// Adds a file, named by its path below `src`.
    pub(super) fn read(&mut self, path: &str, file: &syn::File) {
        let here = module(path);
        let Some(module) = here.first().cloned() else { return };
        self.modules.insert(module.clone());
        let mut met = Met { here, named: BTreeSet::new() };
        met.visit_file(file);
        self.arrows.entry(module).or_default().extend(met.named);
    }

    /// Modules that reach each other, each group once, sorted by name.
    pub(super) fn circles(&self) -> Vec<Vec<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.modules.iter().map(|module| (module.as_str(), self.reached_from(module))).collect();
        let mut circles = BTreeSet::new();
        for (module, others) in &reached {
            let back =
                others.iter().filter(|other| reached.get(*other).is_some_and(|back| back.contains(module)));
            let circle: Vec<&str> = back.copied().collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reached_from(&self, module: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut next = vec![module];
        while let Some(module) = next.pop() {
            let arrows = self.arrows.get(module).into_iter().flatten();
            for other in arrows.filter(|other| self.modules.contains(*other)) {
                if reached.insert(other.as_str()) {
                    next.push(other);
                }
            }
        }
        reached
    }
}

/// The module of a file: empty for the crate's root.
fn module(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(stem, "lib" | "main") { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

/// What one file names of other modules.
struct Met {
    here: Vec<String>,
    named: BTreeSet<String>,
}

impl Met {
    fn name(&mut self, path: &[String]) {
        let module = match path.first().map(String::as_str) {
            Some("crate") => path.get(1),
            Some("super") => {
                let up = path.iter().take_while(|word| *word == "super").count();
                if up < self.here.len() { return } else { path.get(up) }
            }
            _ => return,
        };
        self.named.extend(module.filter(|module| Some(*module) != self.here.first()).cloned());
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
