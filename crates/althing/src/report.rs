//! How a command ends badly: one message, its causes once, and what to type next.

use std::{error::Error, fmt, process::ExitCode};

/// A command did what it should and found something wrong: a proof that does not hold, a procedure
/// that failed. Also the code of any error.
pub(crate) const EXIT_FAILED: u8 = 1;

/// Adds what to type next to an error.
pub(crate) trait NextStep<T> {
    /// `step` is a command line, or a short imperative sentence.
    fn next_step(self, step: impl FnOnce() -> String) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> NextStep<T> for Result<T, E> {
    fn next_step(self, step: impl FnOnce() -> String) -> anyhow::Result<T> {
        self.map_err(|error| with_next(error, step()))
    }
}

/// The same error, with what to type next.
pub(crate) fn with_next(error: impl Into<anyhow::Error>, step: impl Into<String>) -> anyhow::Error {
    WithNext { error: error.into(), step: step.into() }.into()
}

/// An error made of a sentence and what to type next.
pub(crate) fn failed(problem: impl fmt::Display, step: impl Into<String>) -> anyhow::Error {
    with_next(anyhow::Error::msg(problem.to_string()), step)
}

/// What to type next, as the outermost that knows it says.
pub(crate) fn next_step_of(error: &anyhow::Error) -> Option<&str> {
    let next = error.chain().find_map(|cause| cause.downcast_ref::<WithNext>());
    next.map(|with_next| with_next.step.as_str())
}

/// An error that knows the way out; it shows as the error it wraps.
#[derive(Debug)]
struct WithNext {
    error: anyhow::Error,
    step: String,
}

impl fmt::Display for WithNext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl Error for WithNext {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Writes the error to standard error, as text or as one JSON object, and gives the exit code.
pub(crate) fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let report = Report::of(error);
    if json {
        eprintln!("{}", report.to_json());
    } else {
        eprint!("{}", report.to_text());
    }
    ExitCode::from(EXIT_FAILED)
}

/// An error taken apart for printing.
struct Report {
    problem: String,
    causes: Vec<String>,
    next: Option<String>,
}

impl Report {
    fn of(error: &anyhow::Error) -> Self {
        let mut causes: Vec<String> = Vec::new();
        for cause in error.chain() {
            let text = cause.to_string();
            // Some libraries repeat their source in their own text; nobody needs to read it twice.
            if !causes.iter().any(|earlier| earlier.contains(&text)) {
                causes.push(text);
            }
        }
        Self { problem: causes.remove(0), causes, next: next_step_of(error).map(str::to_owned) }
    }

    fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", self.problem);
        for cause in &self.causes {
            text.push_str(&format!("  because: {cause}\n"));
        }
        if let Some(next) = &self.next {
            text.push_str(&format!("  next: {next}\n"));
        }
        text
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "error": self.problem, "because": self.causes, "next": self.next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn shows_each_cause_once_and_the_way_out() {
        let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = Err::<(), _>(missing)
            .next_step(|| "althing network new demo".to_owned())
            .context("cannot read genesis.json")
            .unwrap_err();
        assert_eq!(
            Report::of(&error).to_text(),
            "error: cannot read genesis.json\n  because: no such file\n  next: althing network new demo\n"
        );
    }

    #[test]
    fn a_cause_that_repeats_another_is_left_out() {
        let error = anyhow::anyhow!("refused").context("cannot connect: refused");
        assert_eq!(Report::of(&error).to_text(), "error: cannot connect: refused\n");
        let error = failed("port 1883 is in use", "--mqtt-port 0");
        assert_eq!(Report::of(&error).to_json()["next"], "--mqtt-port 0");
    }
}
