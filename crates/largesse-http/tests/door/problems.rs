//! `docs/http.md` names every problem, with its status.

use largesse_http::Problem;

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

/// The first cells of a table's row; those after them are prose.
fn first_cells(row: &str, cells: usize) -> String {
    let kept: Vec<_> = row.split('|').take(cells + 1).collect();
    format!("{}|", kept.join("|"))
}
