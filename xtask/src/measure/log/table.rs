//! The table, printed row by row as they come.
//!
//! Invariant: every target is counted once, as one that holds or as one that was missed.

use crate::shell::Failure;

/// The table so far.
pub(super) struct Table {
    held: u32,
    missed: u32,
    failed: u32,
}

impl Table {
    /// Prints the head.
    pub(super) fn begin() -> Self {
        print("what", "measured", "target", "");
        Self { held: 0, missed: 0, failed: 0 }
    }

    /// Prints a row, and counts its target if it has one.
    pub(super) fn row(&mut self, what: &str, measured: &str, target: &str, holds: Option<bool>) {
        let verdict = match holds {
            None => "",
            Some(true) => "holds",
            Some(false) => "MISSED",
        };
        print(what, measured, target, verdict);
        match holds {
            None => {}
            Some(true) => self.held += 1,
            Some(false) => self.missed += 1,
        }
    }

    /// A row as the bench prints it: fields parted by tabs.
    pub(super) fn line(&mut self, line: &str) {
        let mut fields = line.split('\t');
        let [what, measured, target, verdict] = std::array::from_fn(|_| fields.next().unwrap_or_default());
        let holds = match verdict {
            "holds" => Some(true),
            "missed" => Some(false),
            _ => None,
        };
        self.row(what, measured, target, holds);
    }

    /// A part that could not be measured to its end.
    pub(super) fn failed(&mut self, part: &str, failure: &Failure) {
        println!("{part}: NOT MEASURED. {failure}");
        self.failed += 1;
    }

    /// Prints the sum.
    pub(super) fn end(&self) {
        let Self { held, missed, failed } = self;
        println!("\n{held} targets hold, {missed} were missed; {failed} parts could not be measured.");
    }
}

fn print(what: &str, measured: &str, target: &str, verdict: &str) {
    println!("{}", format!("{what:<44} {measured:<58} {target:<11} {verdict}").trim_end());
}

/// The middle one of some numbers; of none, 0.
pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_of_the_bench_is_counted_as_what_it_says() {
        let mut table = Table::begin();
        for line in ["a\t1\t\t", "a\t1\t< 2\tholds", "a\t1\t< 1\tmissed", "a\t1\t< 0\tmissed", "a"] {
            table.line(line);
        }
        assert_eq!((table.held, table.missed, table.failed), (1, 2, 0));
    }
}
