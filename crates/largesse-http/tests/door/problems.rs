//! `docs/http.md` names every problem, with its status, and shows only ids that can exist.

use largesse_http::Problem;
use largesse_log::WireId;

const PAGE: &str = include_str!("../../../../docs/http.md");

#[test]
fn the_page_has_a_row_for_each_problem_and_no_other() {
    let wanted: Vec<String> = Problem::ALL
        .iter()
        .map(|problem| {
            format!("| `{}` | {} | {} |", problem.slug(), problem.status().as_u16(), problem.title())
        })
        .collect();
    let found: Vec<&str> = PAGE
        .lines()
        .skip_while(|line| *line != "## Problems")
        .filter(|line| line.starts_with("| `"))
        .collect();
    let rows: Vec<String> = found.iter().map(|row| first_cells(row, 3)).collect();
    assert_eq!(rows, wanted);
}

#[test]
fn no_slug_stands_for_two_problems() {
    let mut slugs: Vec<_> = Problem::ALL.iter().map(|problem| problem.slug()).collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), Problem::ALL.len());
}

#[test]
fn every_id_on_the_pages_is_one_that_can_exist() {
    let readme = include_str!("../../../../README.md");
    let is_of_an_id = |letter: char| letter.is_ascii_alphanumeric() || "._~-".contains(letter);
    let words = |page: &'static str| page.split(move |letter| !is_of_an_id(letter));
    // Ids of our version begin with an E, and no other word here is that long and does.
    let ids: Vec<&str> =
        words(PAGE).chain(words(readme)).filter(|word| word.len() >= 28 && word.starts_with('E')).collect();
    assert!(ids.len() > 8, "{ids:?}");
    for id in ids {
        assert!(WireId::parse(id).is_ok(), "{id}: {:?}", WireId::parse(id));
    }
}

/// The first cells of a table's row; the rest is prose.
fn first_cells(row: &str, cells: usize) -> String {
    let kept: Vec<_> = row.split('|').take(cells + 1).collect();
    format!("{}|", kept.join("|"))
}
