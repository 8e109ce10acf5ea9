//! The table, printed row by row as results come in.
//!
//! Invariant: every target is counted once: as held, as missed, or as undecided.

use crate::shell::Failure;

/// What there is to say about a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is none.
    None,
    Holds,
    Missed,
    /// The baseline moved too much.
    Unsure,
}

impl Verdict {
    pub(super) fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Missed }
    }
}

/// The table so far.
pub(super) struct Table {
    held: u32,
    missed: u32,
    unsure: u32,
    failed: u32,
}

impl Table {
    /// Prints the head of the table.
    pub(super) fn begin() -> Self {
        print("what", "measured", "target", "");
        Self { held: 0, missed: 0, unsure: 0, failed: 0 }
    }

    /// Prints a row, and counts its target if it has one.
    pub(super) fn row(&mut self, what: &str, measured: &str, target: &str, verdict: Verdict) {
        let (word, count) = match verdict {
            Verdict::None => return print(what, measured, target, ""),
            Verdict::Holds => ("holds", &mut self.held),
            Verdict::Missed => ("MISSED", &mut self.missed),
            Verdict::Unsure => ("unsure", &mut self.unsure),
        };
        *count += 1;
        print(what, measured, target, word);
    }

    /// A row as the bench prints it: fields separated by tabs.
    pub(super) fn line(&mut self, line: &str) {
        let mut fields = line.split('\t');
        let [what, measured, target, verdict] = std::array::from_fn(|_| fields.next().unwrap_or_default());
        let verdict = match verdict {
            "holds" => Verdict::Holds,
            "missed" => Verdict::Missed,
            "unsure" => Verdict::Unsure,
            _ => Verdict::None,
        };
        self.row(what, measured, target, verdict);
    }

    /// A part that could not be measured to its end.
    pub(super) fn failed(&mut self, part: &str, failure: &Failure) {
        println!("{part}: NOT MEASURED. {failure}");
        self.failed += 1;
    }

    /// Prints the totals.
    pub(super) fn end(&self) {
        let Self { held, missed, unsure, failed } = self;
        println!(
            "\n{held} targets hold, {missed} were missed, {unsure} are undecided: their baseline moved too much. \
            {failed} parts could not be measured."
        );
    }
}

fn print(what: &str, measured: &str, target: &str, verdict: &str) {
    println!("{}", format!("{what:<44} {measured:<58} {target:<11} {verdict}").trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_of_the_bench_is_counted_as_what_it_says() {
        let mut table = Table::begin();
        for line in [
            "a\t1\t\t",
            "a\t1\t< 2\tholds",
            "a\t1\t< 1\tmissed",
            "a\t1\t< 0\tmissed",
            "a\t1\t< 0\tunsure",
            "a",
        ] {
            table.line(line);
        }
        assert_eq!((table.held, table.missed, table.unsure, table.failed), (1, 2, 1, 0));
    }
}
