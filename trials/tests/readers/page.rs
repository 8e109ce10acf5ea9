//! The table in `docs/readers.md`, generated from the rows that the trials check.

use std::path::{Path, PathBuf};

use crate::rows::{AfterEnd, ComesBack, CutAfterId, Hears, ROWS, Refused, Row};

const BEGIN: &str = "<!-- The trials write from here … -->\n";
const END: &str = "<!-- … to here. -->\n";

#[test]
fn the_page_of_readers_says_what_the_trials_check() {
    let path = page();
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the page has the mark where the table begins");
    let (_, after) = rest.split_once(END).expect("the page has the mark where the table ends");
    let wanted = [before, BEGIN, "\n", &table(), "\n", END, after].concat();
    if std::env::var_os("LARGESSE_WRITE_READERS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        let how = "LARGESSE_WRITE_READERS=1 cargo test -p largesse-trials --test readers page";
        assert!(text == wanted, "docs/readers.md says something else; to rewrite it: {how}");
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/readers.md")
}

fn table() -> String {
    let mut table = "| reader | version | comes back | hears | after `end` | hostile data | what to do |\n\
                     |---|---|---|---|---|---|---|\n"
        .to_owned();
    table.extend(ROWS.iter().map(line));
    table
}

fn line(row: &Row) -> String {
    let comes_back = match (&row.comes_back, row.refused) {
        (ComesBack::ByItself, Refused::ComesBack) => "by itself",
        (ComesBack::ByItself, Refused::GivesUp) => "by itself, but **not** after a reset before the answer",
        (ComesBack::ByHand, _) => "by hand",
    };
    let hears = match row.hears {
        Hears::EveryEvent => "every event once and in order, and `end`",
        Hears::OnlyMessages => "every event without a name once and in order; no named one, and so no `end`",
    };
    let loses = match row.cut_after_id {
        CutAfterId::HearsTheEvent => "",
        CutAfterId::LosesTheEvent => "; but **loses one** that is cut just after its id",
    };
    let after_end = match row.after_end {
        AfterEnd::AsksOnce => "asks once more, gets 204, stops",
        AfterEnd::Leaves => "stops",
        AfterEnd::LeavesUnlessCut => {
            "stops; where it was cut just then, **asks forever**, gets 204 each time"
        }
        AfterEnd::AsksForEver => "**asks forever**, gets 204 each time",
        AfterEnd::BeginsAgain => "asks, gets 204, **then begins again** without an id: all events come again",
    };
    let (reader, version, advice) = (row.reader, row.version.text(), row.advice);
    format!(
        "| {reader} | {version} | {comes_back} | {hears}{loses} | {after_end} | {} | {advice} |\n",
        hostile(row)
    )
}

fn hostile(row: &Row) -> String {
    match row.unheard {
        None => "not tried".to_owned(),
        Some([]) => "heard as it is".to_owned(),
        Some(labels) => format!("heard as it is, except {}", labels.join(", ")),
    }
}
