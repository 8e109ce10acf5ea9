//! Functions with their lengths, and public items with or without documentation.
//!
//! A function's lines run from its signature to its last brace, without documentation and attributes. Tests are left
//! out.

use std::fmt;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// What was found in some files.
#[derive(Default)]
pub(super) struct Items {
    functions: Vec<(usize, String)>,
    public: usize,
    documented: usize,
}

impl Items {
    /// Adds what a file contains.
    pub(super) fn read(&mut self, file: &syn::File) {
        self.visit_file(file);
    }

    pub(super) fn functions(&self) -> Lengths {
        let mut functions = self.functions.clone();
        functions.sort();
        Lengths(functions)
    }

    pub(super) fn documented(&self) -> String {
        format!("{} of {}", self.documented, self.public)
    }

    fn function(&mut self, signature: &syn::Signature, end: usize) {
        let begin = signature.span().start().line;
        self.functions.push((end + 1 - begin, signature.ident.to_string()));
    }

    fn public(&mut self, visibility: &syn::Visibility, attributes: &[syn::Attribute]) {
        if matches!(visibility, syn::Visibility::Public(_)) {
            self.public += 1;
            self.documented +=
                usize::from(attributes.iter().any(|attribute| attribute.path().is_ident("doc")));
        }
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

impl<'a> Visit<'a> for Items {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.public(&item.vis, &item.attrs);
        self.function(&item.sig, item.block.span().end().line);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.public(&item.vis, &item.attrs);
        self.function(&item.sig, item.block.span().end().line);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block.span().end().line);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.public(&item.vis, &item.attrs);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.public(&item.vis, &item.attrs);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.public(&item.vis, &item.attrs);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.public(&item.vis, &item.attrs);
        visit::visit_item_const(self, item);
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.public(&item.vis, &item.attrs);
        visit::visit_item_type(self, item);
    }
}

/// Functions by length.
pub(super) struct Lengths(Vec<(usize, String)>);

impl Lengths {
    /// The length that `percent` of the functions do not exceed.
    fn percentile(&self, percent: usize) -> usize {
        let place = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(place).map_or(0, |(lines, _)| *lines)
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (max, name) = self.0.last().map_or((0, "none"), |(lines, name)| (*lines, name.as_str()));
        let (p50, p90) = (self.percentile(50), self.percentile(90));
        write!(to, "{}, lines p50 {p50}, p90 {p90}, max {max} ({name})", self.0.len())
    }
}
