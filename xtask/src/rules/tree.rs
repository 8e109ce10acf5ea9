//! The repository as the rules see it: paths, texts, and which of them is source and which is test.
//!
//! Invariants: paths use `/` and start at the root; files are sorted by path; a file that is not UTF-8 is left
//! out. What git ignores does not exist; what is new and not yet added does.

use std::collections::BTreeSet;

use super::rust::{Code, Places};
use crate::shell::{self, Failure};

/// Crates that are not part of the product are at the root.
const BESIDE_CRATES: &[&str] = &["trials/", "xtask/"];

/// One file of the repository.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    rust: Option<Rust>,
}

/// What is known about a Rust file beyond its text.
struct Rust {
    code: Code,
    tests: Places,
}

impl File {
    /// The file as Rust, if it is Rust.
    pub(super) fn code(&self) -> Option<&Code> {
        self.rust.as_ref().map(|rust| &rust.code)
    }

    /// Whether the byte at `at` is compiled for tests only. False for files in other languages.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        self.rust.as_ref().is_some_and(|rust| rust.tests.contains(at))
    }

    /// The line, from 1, of the byte at `at`.
    pub(super) fn line_of(&self, at: usize) -> usize {
        1 + self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
    }

    /// The lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.split_terminator('\n'))
    }

    /// The crate a file is in: `largesse-wire` of `crates/largesse-wire/src/lib.rs`, or `trials`, or `xtask`.
    pub(crate) fn member(&self) -> Option<&str> {
        self.member_and_rest().map(|(member, _)| member)
    }

    /// The path within the crate's folder: `src/lib.rs`.
    pub(crate) fn inside_member(&self) -> Option<&str> {
        self.member_and_rest().map(|(_, rest)| rest)
    }

    fn member_and_rest(&self) -> Option<(&str, &str)> {
        let is_at_the_root = |path: &&str| BESIDE_CRATES.iter().any(|member| path.starts_with(member));
        let in_member =
            self.path.strip_prefix("crates/").or_else(|| Some(self.path.as_str()).filter(is_at_the_root));
        in_member?.split_once('/')
    }

    /// Whether the file is below a crate's `src`.
    pub(super) fn is_in_src(&self) -> bool {
        self.inside_member().is_some_and(|path| path.starts_with("src/"))
    }

    /// The name without folders.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// All files.
pub(crate) struct Tree(Vec<File>);

impl Tree {
    /// The checkout this program was built in: what git tracks, and what it would track if it were added.
    ///
    /// # Errors
    /// Git is missing or refuses, or this is not a checkout.
    pub(crate) fn of_repository() -> Result<Self, Failure> {
        let root = shell::root();
        // A container's user is often not the checkout's owner, which git would refuse.
        let ours = format!("safe.directory={}", root.display());
        let words = ["-c", &ours, "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = shell::output(&mut shell::program("git", &words))?;
        let paths: BTreeSet<String> = String::from_utf8_lossy(&listed)
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect();
        // A listed file that cannot be read as text was deleted, is a folder, or is not text.
        let read = |path: String| std::fs::read_to_string(root.join(&path)).ok().map(|text| (path, text));
        Ok(Self::new(paths.into_iter().filter_map(read)))
    }

    /// A small repository to test a rule with.
    pub(crate) fn of_sample(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
    }

    fn new(files: impl Iterator<Item = (String, String)>) -> Self {
        let mut files: Vec<File> = files.map(|(path, text)| new_file(path, text)).collect();
        let modules: Vec<String> = files.iter().flat_map(test_modules).collect();
        for file in &mut files {
            let only_tests =
                is_beside_src(file) || modules.iter().any(|module| is_module(&file.path, module));
            if let Some(rust) = file.rust.as_mut().filter(|_| only_tests) {
                rust.tests = Places::all();
            }
        }
        Self(files)
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.0
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.0.iter().find(|file| file.path == path)
    }

    /// The Rust files, each with its code.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Code)> {
        self.0.iter().filter_map(|file| Some((file, file.code()?)))
    }
}

fn new_file(path: String, text: String) -> File {
    let is_rust = path.ends_with(".rs");
    let rust = is_rust.then(|| {
        let code = Code::read(&text);
        let tests = code.test_places();
        Rust { code, tests }
    });
    File { path, text, rust }
}

/// A crate's `tests`, `benches` and `examples`.
fn is_beside_src(file: &File) -> bool {
    let beside = ["tests/", "benches/", "examples/"];
    file.inside_member().is_some_and(|path| beside.iter().any(|folder| path.starts_with(folder)))
}

/// The module paths, without `.rs`, of the files that a file declares under `cfg(test)`.
fn test_modules(file: &File) -> Vec<String> {
    let Some(code) = file.code() else { return Vec::new() };
    let folder = file.path.strip_suffix(file.name()).unwrap_or_default();
    let base = match file.name() {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        name => format!("{folder}{}/", name.trim_end_matches(".rs")),
    };
    code.test_module_names().map(|name| format!("{base}{name}")).collect()
}

/// Whether a path is a module's own file or below it.
fn is_module(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], want_tests: &[&str]) {
        let tree = Tree::of_sample(files);
        let tests: Vec<_> =
            tree.files().iter().filter(|file| file.is_test(0)).map(|file| &file.path).collect();
        assert_eq!(tests, want_tests);
    }

    #[test]
    fn a_file_declared_under_cfg_test_is_a_test_with_all_below_it() {
        check(
            &[
                ("crates/a/src/lib.rs", "mod one;\n#[cfg(test)]\nmod two;\n"),
                ("crates/a/src/one.rs", "use x;\n#[cfg(test)]\nmod tests;\n"),
                ("crates/a/src/one/tests.rs", ""),
                ("crates/a/src/one/tests/more.rs", ""),
                ("crates/a/src/tests.rs", ""),
                ("crates/a/src/two.rs", ""),
            ],
            &["crates/a/src/one/tests.rs", "crates/a/src/one/tests/more.rs", "crates/a/src/two.rs"],
        );
    }

    #[test]
    fn what_is_beside_src_is_a_test() {
        check(
            &[("crates/a/tests/b.rs", ""), ("crates/a/build.rs", ""), ("tests/c.rs", "")],
            &["crates/a/tests/b.rs"],
        );
    }

    #[test]
    fn a_member_is_a_folder_under_crates_or_one_of_those_beside() {
        let paths =
            ["crates/a/src/lib.rs", "trials/src/lib.rs", "xtask/src/main.rs", "docs/a.md", "README.md"];
        let tree = Tree::of_sample(&paths.map(|path| (path, "")));
        let members: Vec<_> = tree.files().iter().map(File::member).collect();
        assert_eq!(members, [Some("a"), Some("trials"), Some("xtask"), None, None]);
    }

    #[test]
    fn this_checkout_lists_this_file() {
        let tree = Tree::of_repository().expect("a checkout");
        assert!(tree.file("xtask/src/rules/tree.rs").is_some());
        assert!(tree.files().iter().all(|file| !file.path.starts_with("target/")));
    }
}
