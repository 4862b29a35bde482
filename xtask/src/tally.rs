//! How many checks passed and failed, and how to repeat the failures.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// A part that took less is not named among those that took long.
const LONG: Duration = Duration::from_secs(30);

/// The outcome of one part of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// Checks that passed.
    pub passed: u64,
    /// Checks that failed.
    pub failed: u64,
    /// The command that repeats it alone, or what to install.
    pub hint: String,
}

impl Part {
    /// One check that either holds or not.
    #[must_use]
    pub fn single(name: &'static str, passed: bool, hint: impl Into<String>) -> Self {
        Self { name, passed: u64::from(passed), failed: u64::from(!passed), hint: hint.into() }
    }

    /// Counts taken from a program's output. A program that ended badly without naming a failed
    /// check counts as one failure, and so does one that checked nothing.
    #[must_use]
    pub fn counted(
        name: &'static str,
        ended_well: bool,
        (passed, failed): (u64, u64),
        hint: impl Into<String>,
    ) -> Self {
        let silent = failed == 0 && (!ended_well || passed == 0);
        Self { name, passed, failed: failed + u64::from(silent), hint: hint.into() }
    }
}

/// All parts of a run.
#[derive(Debug)]
pub struct Tally {
    parts: Vec<Part>,
    /// Names and durations of those that took long.
    long: Vec<(&'static str, Duration)>,
    /// When the last part ended.
    since: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Self { parts: Vec::new(), long: Vec::new(), since: Instant::now() }
    }
}

impl Tally {
    /// Adds a part, which ended just now, and says at once how it went.
    pub fn add(&mut self, part: Part) {
        let took = self.since.elapsed();
        self.since = Instant::now();
        println!(
            "== {}: {} passed, {} failed, {} s",
            part.name,
            part.passed,
            part.failed,
            took.as_secs()
        );
        if took >= LONG {
            self.long.push((part.name, took));
        }
        self.parts.push(part);
    }

    /// Adds what was counted beside it.
    pub fn join(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.long.extend(other.long);
        self.since = Instant::now();
    }

    /// Checks that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.parts.iter().map(|part| part.failed).sum()
    }

    /// Checks that passed.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.parts.iter().map(|part| part.passed).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.parts.iter().filter(|part| part.failed > 0) {
            writeln!(f, "{} failed; repeat with: {}", part.name, part.hint)?;
        }
        for (name, took) in &self.long {
            writeln!(f, "{} s: {name}", took.as_secs())?;
        }
        write!(f, "{} passed, {} failed", self.passed(), self.failed())
    }
}

/// The counts in the output of `cargo nextest run` and `cargo test`, summed over their summaries.
#[must_use]
pub fn counts_of_tests(output: &str) -> (u64, u64) {
    output
        .lines()
        // What nextest quotes of a test that failed is indented, and in its summary already.
        .filter(|line| {
            line.starts_with("test result:") || line.trim_start().starts_with("Summary [")
        })
        .map(|line| {
            let failed = ["failed", "timed out", "exec failed"].iter();
            (number_before(line, "passed"), failed.map(|word| number_before(line, word)).sum())
        })
        .fold((0, 0), |(passed, failed), (p, f): (u64, u64)| (passed + p, failed + f))
}

/// The counts in the output of `node --test`: lines `# pass N` and `# fail N`.
#[must_use]
pub fn counts_of_node(output: &str) -> (u64, u64) {
    let count = |word: &str| {
        let mut lines = output.lines().rev().map(|line| line.trim_start_matches(['#', 'ℹ', ' ']));
        lines.find_map(|line| line.strip_prefix(word)?.trim().parse().ok()).unwrap_or(0)
    };
    (count("pass "), count("fail "))
}

/// The counts in the last line of `pytest`: `== 1 failed, 42 passed in 3.20s ==`.
#[must_use]
pub fn counts_of_pytest(output: &str) -> (u64, u64) {
    let summary = output.lines().rev().find(|line| line.contains(" in ") && line.contains("=="));
    let line = summary.unwrap_or_default();
    let failed = ["failed", "error", "errors"].iter().map(|word| number_before(line, word)).sum();
    (number_before(line, "passed"), failed)
}

/// The counts in the summary of `vitest`: `      Tests  1 failed | 42 passed (43)`.
#[must_use]
pub fn counts_of_vitest(output: &str) -> (u64, u64) {
    let plain = without_colours(output);
    let summary = plain.lines().rev().find(|line| line.trim_start().starts_with("Tests "));
    let line = summary.unwrap_or_default();
    (number_before(line, "passed"), number_before(line, "failed"))
}

/// A text without the sequences that colour it in a terminal: `ESC [ ... m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('m').map_or(part, |(_, rest)| rest))
}

/// The number that stands right before a word: 3 for `passed` in `2 tests: 3 passed, 1 failed`.
fn number_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> =
        line.split([' ', ',', ';', '(', ')']).filter(|w| !w.is_empty()).collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

/// The counts a program of ours ends with: a JSON object with `passed` and `failed`, or a line
/// `N passed, M failed`; the last one there is.
#[must_use]
pub fn counts_at_end(output: &str) -> (u64, u64) {
    output.lines().rev().find_map(|line| in_json(line).or_else(|| in_words(line))).unwrap_or((0, 0))
}

fn in_json(line: &str) -> Option<(u64, u64)> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    Some((value.get("passed")?.as_u64()?, value.get("failed")?.as_u64()?))
}

fn in_words(line: &str) -> Option<(u64, u64)> {
    let (passed, rest) = line.split_once(" passed, ")?;
    Some((passed.parse().ok()?, rest.strip_suffix(" failed")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_what_the_tools_print() {
        for (output, expected) in [
            ("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured", (12, 0)),
            ("     Summary [   1.2s] 9 tests run: 7 passed (1 slow), 2 failed, 3 skipped", (7, 2)),
            (
                "test result: ok. 1 passed; 0 failed\ntest result: FAILED. 2 passed; 1 failed",
                (3, 1),
            ),
            (
                "    test result: FAILED. 0 passed; 1 failed\n Summary [   1s] 9 tests run: 8 passed, 1 failed",
                (8, 1),
            ),
            ("error: could not compile", (0, 0)),
        ] {
            assert_eq!(counts_of_tests(output), expected, "{output}");
        }
        let node = "ok 1 - pass 7\n# tests 3\n# pass 2\n# fail 1\n# skipped 0";
        assert_eq!(counts_of_node(node), (2, 1));
        assert_eq!(counts_of_node("npm error"), (0, 0));
        assert_eq!(counts_of_pytest("collected 3\n== 1 failed, 42 passed in 3.20s =="), (42, 1));
        assert_eq!(counts_of_pytest("=== 2 passed, 1 error in 0.10s ==="), (2, 1));
        assert_eq!(counts_of_pytest("no module named pytest"), (0, 0));
        let vitest = " Test Files  3 passed (3)\n      Tests  1 failed | 42 passed (43)\n";
        assert_eq!(counts_of_vitest(vitest), (42, 1));
        assert_eq!(
            counts_of_vitest("\u{1b}[2m Tests \u{1b}[22m\u{1b}[32m9 passed\u{1b}[39m (9)"),
            (9, 0)
        );
        let json = "step 1\n{\"passed\":5,\"failed\":0,\"steps\":[]}\n";
        assert_eq!(counts_at_end(json), (5, 0));
        assert_eq!(counts_at_end("{\"passed\":true}\nnothing"), (0, 0));
        assert_eq!(counts_at_end("seed 3: fork\n499 passed, 1 failed\n"), (499, 1));
    }

    #[test]
    fn a_part_that_ends_badly_or_checks_nothing_is_a_failure() {
        for (ended_well, counts, failed) in
            [(true, (3, 0), 0), (true, (0, 0), 1), (false, (3, 0), 1), (false, (3, 2), 2)]
        {
            assert_eq!(Part::counted("p", ended_well, counts, "h").failed, failed);
        }
    }

    #[test]
    fn the_counting_line_is_last() {
        let mut tally = Tally::default();
        tally.add(Part::single("format", true, "cargo fmt"));
        tally.add(Part::counted("tests", false, (40, 2), "cargo nextest run"));
        let text = tally.to_string();
        assert_eq!(text.lines().last(), Some("41 passed, 2 failed"));
        assert!(text.contains("tests failed; repeat with: cargo nextest run"));
    }
}
