//! `althing conformance`: the procedures of clause 10 of ITU-T Y.4464, and use cases of its Appendix II,
//! run between real processes.

mod access;
mod agreement;
mod bike;
mod contract;
mod device;
mod direct;
mod drill;
mod hijack;
mod mqtt;
mod outside;
mod procedure;
mod sociable;
mod topology;
mod vehicles;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use self::{
    procedure::{Procedure, Recorder, Step},
    topology::Topology,
};
use crate::{
    commands::network::ModeName,
    folder::Folder,
    nearest::nearest,
    output::{Output, Table},
    report::failed,
    session::block_on,
    shutdown::Shutdown,
};

/// The procedures that can be run.
const PROCEDURES: &[Procedure] = &[
    agreement::PROCEDURE,
    contract::CONTRACTS,
    contract::SERVICES,
    contract::ACCESS,
    outside::PROCEDURE,
    device::FULL,
    device::CONSTRAINED,
    access::PROCEDURE,
    bike::PROCEDURE,
    hijack::PROCEDURE,
    vehicles::PROCEDURE,
    sociable::PROCEDURE,
    drill::PROCEDURE,
];

/// The step before every procedure.
const TOPOLOGY: Step =
    Step { id: "REQ-10-topo", title: "The peers and entities that clause 10 assumes exist" };

/// Most peers B; the Recommendation sets no bound, a machine does.
const B_MAX: usize = 32;

/// Runs the procedures of clause 10 of ITU-T Y.4464, and use cases of its Appendix II, between real
/// processes, and shows each step with its evidence.
#[derive(Debug, Args)]
pub(crate) struct ConformanceCommand {
    /// A clause, such as 10.1 or II.2; `drill` to break things; `list` for those there are; `up` to start the peers and entities and
    /// leave them running.
    #[arg(value_parser = parse_what)]
    what: What,
    /// How many peers B1 to Bk.
    #[arg(long, default_value_t = 2, value_name = "K")]
    b: usize,
    /// Deployment mode of the ledger; a private one agrees by raft.
    #[arg(long, value_enum, default_value = "consortium")]
    mode: ModeName,
    /// Folder for files and logs, which must be new or empty; otherwise a temporary one.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What is to be done.
#[derive(Clone, Copy)]
enum What {
    Up,
    List,
    Run(&'static Procedure),
}

impl std::fmt::Debug for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::List => "list",
            Self::Run(procedure) => procedure.clause,
        })
    }
}

fn parse_what(text: &str) -> Result<What, String> {
    if let Some(procedure) = PROCEDURES.iter().find(|procedure| procedure.clause == text) {
        return Ok(What::Run(procedure));
    }
    match text {
        "up" => Ok(What::Up),
        "list" => Ok(What::List),
        _ => {
            let known = PROCEDURES.iter().map(|procedure| procedure.clause).chain(["up", "list"]);
            Err(match nearest(text, known) {
                Some(near) => format!("there is no `{text}`; did you mean `{near}`?"),
                None => format!("there is no `{text}`; try `list`"),
            })
        }
    }
}

impl ConformanceCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        if !(1..=B_MAX).contains(&self.b) {
            return Err(failed(format!("k must be 1 to {B_MAX}, not {}", self.b), "--b 2"));
        }
        match self.what {
            What::List => list(output),
            What::Up => block_on(up(self.b, self.mode, &self.folder()?, output)),
            What::Run(procedure) => {
                block_on(run(procedure, self.b, self.mode, &self.folder()?, output))
            }
        }
    }

    fn folder(&self) -> anyhow::Result<Folder> {
        match &self.dir {
            Some(path) => Folder::kept(path),
            None => Folder::temporary("althing-conformance"),
        }
    }
}

fn list(output: Output) -> anyhow::Result<()> {
    let mut table = Table::new(&["clause", "steps", "title"]);
    for procedure in PROCEDURES {
        let steps = procedure.steps.len().to_string();
        table.row([procedure.clause.to_owned(), steps, procedure.title.to_owned()]);
    }
    let clauses: Vec<&str> = PROCEDURES.iter().map(|procedure| procedure.clause).collect();
    output.show(&clauses, || table.to_text())
}

async fn up(k: usize, mode: ModeName, folder: &Folder, output: Output) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen(false).context("cannot listen for signals")?;
    let topology = tokio::select! {
        topology = Topology::start(k, mode, false, folder) => topology?,
        _ = shutdown.requested() => return Ok(()),
    };
    let peers: Vec<String> = topology
        .cluster
        .endpoints
        .iter()
        .map(|endpoints| format!("http://{}", endpoints.api))
        .collect();
    let mqtt = topology.mqtt.to_string();
    let value = serde_json::json!({ "peers": peers, "mqtt": mqtt, "folder": folder.path() });
    output.show(&value, || {
        format!(
            "{}\nfiles and logs: {}\nCtrl-C ends it",
            topology.to_text(),
            folder.path().display()
        )
    })?;
    shutdown.requested().await;
    topology.cluster.stop().await
}

async fn run(
    procedure: &Procedure,
    k: usize,
    mode: ModeName,
    folder: &Folder,
    output: Output,
) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen(false).context("cannot listen for signals")?;
    output.say(&format!("ITU-T Y.4464 clause {}: {}\n", procedure.clause, procedure.title))?;
    let steps = std::iter::once(TOPOLOGY).chain(procedure.steps.iter().copied());
    let mut recorder = Recorder::new(output, steps);
    let work = async {
        let start = async {
            let topology = Topology::start(k, mode, procedure.with_tokens, folder).await?;
            let evidence = topology.to_text();
            Ok((topology, evidence))
        };
        // What a failed step means is in the record.
        if let Ok(mut topology) = recorder.step(TOPOLOGY.id, start).await {
            let _ = (procedure.run)(&mut topology, &mut recorder).await;
            topology.cluster.stop().await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::select! {
        worked = work => worked?,
        _ = shutdown.requested() => return Err(failed("interrupted", "run it again")),
    }
    let report = recorder.finish();
    output.show(&report, || format!("\n{} passed, {} failed", report.passed, report.failed))?;
    if report.failed == 0 {
        return Ok(());
    }
    Err(failed(
        format!("{} of {} steps failed", report.failed, report.passed + report.failed),
        "run it again with --dir DIR and read the logs in there",
    ))
}
