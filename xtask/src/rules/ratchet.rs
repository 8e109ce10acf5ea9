//! Breaches that are left where a rule came later than the text, and can only become fewer.
//!
//! It does not know rules: a rule hands over what it found, and how many breaches each folder may still have.

use super::Violation;

/// What is left of `found` without the folders that have no more breaches than they may. Of a folder with more, all
/// are reported: which of them is new, nobody knows.
pub(super) fn over(found: Vec<Violation>, left: &[(&str, usize)]) -> Vec<Violation> {
    let count = |folder: &str| found.iter().filter(|violation| violation.path.starts_with(folder)).count();
    let spared: Vec<_> =
        left.iter().filter(|(folder, most)| count(folder) <= *most).map(|(folder, _)| *folder).collect();
    let is_spared = |violation: &Violation| spared.iter().any(|folder| violation.path.starts_with(folder));
    found.into_iter().filter(|violation| !is_spared(violation)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;

    #[test]
    fn a_folder_may_have_as_many_as_it_had_and_not_one_more() {
        let tree = Tree::of_sample(&[("a/1.rs", ""), ("a/2.rs", ""), ("b/1.rs", "")]);
        let found = || tree.files().iter().map(|file| Violation::new(file, 1, "what", "instead")).collect();
        assert_eq!(over(found(), &[("a/", 2)]).len(), 1);
        assert_eq!(over(found(), &[("a/", 1)]).len(), 3);
    }
}
