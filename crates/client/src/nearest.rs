//! Find the name that somebody probably meant.

/// How far a name may be from what was typed to be worth suggesting, in single changes of a
/// character, per three characters typed.
const CHANGES_PER_THREE: usize = 1;

/// The candidate closest to `typed`, if one is close.
#[must_use]
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (typed.chars().count() * CHANGES_PER_THREE).div_ceil(3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(typed, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour to turn
/// one text into the other (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_close() {
        let known = ["listen", "peers", "data", "voting_key"];
        for (typed, expected) in [
            ("listne", Some("listen")),
            ("liste", Some("listen")),
            ("peer", Some("peers")),
            ("voting-key", Some("voting_key")),
            ("database", None),
            ("zzz", None),
        ] {
            assert_eq!(nearest(typed, known), expected, "{typed}");
        }
    }
}
