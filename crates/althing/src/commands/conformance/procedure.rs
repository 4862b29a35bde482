//! A procedure of clause 10 of Y.4464, run step by step.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures::future::LocalBoxFuture;
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::topology::Topology;
use crate::output::{Output, write_out};

/// How long one step may take before it has failed.
const STEP_PATIENCE: Duration = Duration::from_secs(60);
/// How often something that is about to happen is looked for, and how long: a step should say what it waits
/// for before its time is over.
const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(50);

/// A procedure: what it is called, which steps it has, how it is run.
///
/// To add one: write a module with such a constant, and list it in [`PROCEDURES`](super::PROCEDURES).
/// `run` calls [`Recorder::step`] once for each of `steps`, in their order, and stops at the first
/// that fails; what a step finds out is an ordinary value that later steps use.
pub(super) struct Procedure {
    /// The clause, which is also what one types.
    pub(super) clause: &'static str,
    /// Its title in the Recommendation.
    pub(super) title: &'static str,
    /// Its steps.
    pub(super) steps: &'static [Step],
    /// Whether its ledger has tokens in every mode.
    pub(super) with_tokens: bool,
    /// Runs it on a network that is up.
    pub(super) run: for<'a> fn(&'a mut Topology, &'a mut Recorder) -> LocalBoxFuture<'a, Stopped>,
}

/// A step, by the id of its row in `docs/conformance.md`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The row.
    pub(super) id: &'static str,
    /// What must happen.
    pub(super) title: &'static str,
}

/// The end of a procedure: after its last step, or at one that failed.
pub(super) type Stopped = Result<(), Failed>;

/// A step has failed, and is recorded as such.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed;

/// What came of a step.
#[derive(Debug, Clone, Serialize)]
pub(super) struct StepReport {
    id: &'static str,
    title: &'static str,
    ok: bool,
    evidence: String,
    ms: u64,
}

/// What came of a procedure.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Steps that passed.
    pub(super) passed: usize,
    /// Steps that failed or could not be run.
    pub(super) failed: usize,
    /// All steps in order.
    pub(super) steps: Vec<StepReport>,
}

/// Runs steps, says what came of each, and remembers it.
#[derive(Debug)]
pub(super) struct Recorder {
    output: Output,
    due: Vec<Step>,
    done: Vec<StepReport>,
}

impl Recorder {
    /// For these steps.
    pub(super) fn new(output: Output, steps: impl IntoIterator<Item = Step>) -> Self {
        Self { output, due: steps.into_iter().collect(), done: Vec::new() }
    }

    /// Runs the next step: `work` gives what later steps need, and the evidence in words.
    pub(super) async fn step<T>(
        &mut self,
        id: &'static str,
        work: impl Future<Output = anyhow::Result<(T, String)>>,
    ) -> Result<T, Failed> {
        let position = self.done.len();
        let due = self.due.get(position).filter(|step| step.id == id);
        assert!(due.is_some(), "step {id} is not the next of its procedure");
        let started = Instant::now();
        let result = timeout(STEP_PATIENCE, work).await;
        let result = result
            .with_context(|| format!("nothing happened within {STEP_PATIENCE:?}"))
            .and_then(|result| result);
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (value, ok, evidence) = match result {
            Ok((value, evidence)) => (Ok(value), true, evidence),
            Err(error) => (Err(Failed), false, format!("{error:#}")),
        };
        self.record(ok, evidence, ms);
        value
    }

    fn record(&mut self, ok: bool, evidence: String, ms: u64) {
        let Step { id, title } = self.due[self.done.len()];
        let report = StepReport { id, title, ok, evidence, ms };
        if !self.output.json {
            // The report is kept whatever becomes of this line.
            let _ = write_out(report.to_text().trim_end());
        }
        self.done.push(report);
    }

    /// The report; steps that were not reached count as failed.
    pub(super) fn finish(mut self) -> Report {
        while self.done.len() < self.due.len() {
            self.record(false, "not run, since a step before it failed".to_owned(), 0);
        }
        let passed = self.done.iter().filter(|step| step.ok).count();
        Report { passed, failed: self.done.len() - passed, steps: self.done }
    }
}

/// Waits until something holds.
pub(super) async fn until<F: Future<Output = anyhow::Result<bool>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> anyhow::Result<()> {
    let started = Instant::now();
    while !look().await? {
        ensure!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(POLL).await;
    }
    Ok(())
}

impl StepReport {
    fn to_text(&self) -> String {
        let verdict = if self.ok { "ok    " } else { "FAILED" };
        let head = format!("{:<12} {verdict} {:>6} ms  {}\n", self.id, self.ms, self.title);
        let evidence = self.evidence.lines().map(|line| format!("{:32}{line}\n", ""));
        head + &evidence.collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 3] = [
        Step { id: "REQ-1", title: "first" },
        Step { id: "REQ-2", title: "second" },
        Step { id: "REQ-3", title: "third" },
    ];

    #[test]
    fn a_failed_step_ends_the_procedure_and_says_why() {
        let mut recorder = Recorder::new(Output { json: true }, STEPS);
        let run = crate::session::block_on(async {
            let value = recorder.step("REQ-1", async { Ok((7, "seen".to_owned())) }).await;
            assert_eq!(value.ok(), Some(7));
            let failing = async { anyhow::bail!("no votes") };
            let value: Result<(), Failed> = recorder.step("REQ-2", failing).await;
            assert!(value.is_err());
            Ok(())
        });
        run.unwrap();
        let report = recorder.finish();
        assert_eq!((report.passed, report.failed), (1, 2));
        let evidence: Vec<&str> = report.steps.iter().map(|step| &step.evidence[..]).collect();
        assert_eq!(evidence, ["seen", "no votes", "not run, since a step before it failed"]);
    }
}
