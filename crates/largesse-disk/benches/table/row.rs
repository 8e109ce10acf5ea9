//! A row of the table: what was measured, the result, and the target, if there is one.
//!
//! On stdout a row is one line with tabs between its fields; `cargo xtask measure` aligns them.

/// A measurement's target.
pub(crate) enum Target {
    /// There is none.
    No,
    /// There is one, and it was reached or missed.
    Should { be: &'static str, holds: bool },
    /// There is one, but the baseline varied too much to say.
    Unsure { be: &'static str },
}

/// Prints a row.
#[expect(clippy::print_stdout, reason = "rows are the result")]
pub(crate) fn row(what: &str, measured: &str, target: &Target) {
    let (be, verdict) = match target {
        Target::No => ("", ""),
        Target::Should { be, holds: true } => (*be, "holds"),
        Target::Should { be, holds: false } => (*be, "missed"),
        Target::Unsure { be } => (*be, "unsure"),
    };
    println!("{what}\t{measured}\t{be}\t{verdict}");
}

/// Says that this process may be killed now. It is the only line without a tab.
#[expect(clippy::print_stdout, reason = "the process that kills it reads stdout")]
pub(crate) fn killable() {
    println!("killable");
}

/// A count with commas between its thousands.
pub(crate) fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in millions.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", grouped(bytes as f64 / 1e6))
}

/// A count in short form: `10M`, `10k`.
pub(crate) fn short(count: u64) -> String {
    match count {
        1_000_000.. => format!("{:.4}M", count as f64 / 1e6).replace(".0000", ""),
        1_000.. => format!("{:.4}k", count as f64 / 1e3).replace(".0000", ""),
        _ => count.to_string(),
    }
}
