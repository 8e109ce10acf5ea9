//! How far apart two times are, for people.

use std::time::Duration;

/// Such as `365 days` or `2 h 5 min`: the two largest units, rounded.
pub(crate) fn distance(by: Duration) -> String {
    let half = match by.as_secs() {
        86_400.. => 1_800_000,
        3_600.. => 30_000,
        _ => 500,
    };
    let secs = by.saturating_add(Duration::from_millis(half)).as_secs();
    let units = [("day", 86_400, u64::MAX), ("h", 3_600, 24), ("min", 60, 60), ("s", 1, 60)];
    let counted = units.map(|(unit, unit_secs, many)| (unit, secs / unit_secs % many));
    let from = counted.iter().position(|(_, count)| *count > 0).unwrap_or(counted.len() - 1);
    let shown = counted.iter().skip(from).take(2).filter(|(_, count)| *count > 0);
    let texts: Vec<String> =
        shown
            .map(|(unit, count)| {
                if *unit == "day" && *count > 1 { format!("{count} days") } else { format!("{count} {unit}") }
            })
            .collect();
    if texts.is_empty() { "less than a second".to_owned() } else { texts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_said_in_its_two_largest_units() {
        let rows = [
            (0, "less than a second"),
            (1, "1 s"),
            (61, "1 min 1 s"),
            (3_600, "1 h"),
            (3_661, "1 h 1 min"),
            (3_601, "1 h"),
            (365 * 86_400 - 1, "365 days"),
            (86_400, "1 day"),
            (365 * 86_400 + 3_700, "365 days 1 h"),
            (u64::MAX, "213503982334601 days 7 h"),
        ];
        for (secs, want) in rows {
            assert_eq!(distance(Duration::from_secs(secs)), want, "{secs}");
        }
    }
}
