//! `althing network`: found a network.

mod decentralisation;
mod participation;
mod show;
mod token;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use althing_types::{
    Mechanism, Mode, Reads,
    limits::{EPOCH_BLOCKS_STANDARD, VALIDATORS_MAX},
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

pub(crate) use self::{
    participation::{DeployName, TransactName, joined, participation},
    token::TokenArgs,
};
use crate::{
    founding::{Endpoints, Founded, Layout, Plan, found, gateway_config},
    output::Output,
    program,
    report::failed,
    secrets::{NewProtection, ProtectionArgs},
};

/// Founds networks, and shows what they are.
#[derive(Debug, Subcommand)]
pub(crate) enum NetworkCommand {
    /// Makes keys, the genesis, and a folder for each peer and a gateway.
    New(Box<New>),
    /// Shows what a network was founded as, and who takes part in it now.
    Show(show::Show),
    /// Counts how many organisations do what, and how few could stop or divide the ledger.
    Decentralisation(decentralisation::Decentralisation),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Folder for the network's files; must be empty or new.
    pub(super) folder: PathBuf,

    /// Name of the network, part of every DID: 1 to 32 of a-z, 0-9 and -.
    #[arg(long)]
    pub(super) name: String,

    /// How many peers; with four or more, one in four may fail or lie.
    #[arg(long, default_value_t = 4)]
    pub(super) peers: usize,

    /// Names of the organisations, separated by commas; by default one for each peer.
    #[arg(long, value_delimiter = ',')]
    pub(super) organisations: Vec<String>,

    /// Who may take part.
    #[arg(long, value_enum, default_value = "consortium")]
    pub(super) mode: ModeName,

    /// How the peers agree; raft needs --mode private.
    #[arg(long, value_enum, default_value = "simplex")]
    pub(super) agreement: MechanismName,

    /// Who may read a thing without a policy.
    #[arg(long, value_enum, default_value = "open")]
    pub(super) reads: ReadsName,

    /// Who may send transactions; with --deploy. Left out, whoever is registered may.
    #[arg(long, value_enum, requires = "deploy")]
    pub(super) transact: Option<TransactName>,

    /// Who may bring code and make contracts; with --transact.
    #[arg(long, value_enum, requires = "transact")]
    pub(super) deploy: Option<DeployName>,

    /// Address that the peers listen on. Their ports follow from --port.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(super) host: IpAddr,

    /// Port of the first peer's interface; the port after it is for other peers, and each further
    /// peer begins ten higher.
    #[arg(long, default_value_t = 4464)]
    pub(super) port: u16,

    /// Port of the gateway's MQTT listener.
    #[arg(long, default_value_t = 1883)]
    pub(super) mqtt_port: u16,

    /// Blocks in each epoch. What members decide about seats holds from the epoch after the next on:
    /// fewer blocks let a new peer in sooner.
    #[arg(long, default_value_t = EPOCH_BLOCKS_STANDARD)]
    pub(super) epoch_blocks: u32,

    #[command(flatten)]
    pub(super) token: TokenArgs,

    #[command(flatten)]
    pub(super) protection: ProtectionArgs,
}

/// Mechanisms on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MechanismName {
    /// Of four peers one may fail or lie.
    Simplex,
    /// Of three peers one may fail; none may lie. Private ledgers only.
    Raft,
}

impl From<MechanismName> for Mechanism {
    fn from(name: MechanismName) -> Self {
        match name {
            MechanismName::Simplex => Self::Simplex,
            MechanismName::Raft => Self::Raft,
        }
    }
}

/// Who may read what has no policy, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReadsName {
    /// Anybody.
    Open,
    /// Its owner.
    Policy,
}

impl From<ReadsName> for Reads {
    fn from(name: ReadsName) -> Self {
        match name {
            ReadsName::Open => Self::Open,
            ReadsName::Policy => Self::Policy,
        }
    }
}

/// Modes on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeName {
    /// Anybody may take part; with --stake, the highest stakes get the seats.
    Public,
    /// Members decide who may join.
    Consortium,
    /// Closed; one organisation may hold all votes.
    Private,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Public => Self::Public,
            ModeName::Consortium => Self::Consortium,
            ModeName::Private => Self::Private,
        }
    }
}

impl NetworkCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::New(new) => new.run(output),
            Self::Show(show) => show.run(output),
            Self::Decentralisation(count) => count.run(output),
        }
    }
}

impl New {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        refuse_used(&self.folder)?;
        let plan = self.plan()?;
        let endpoints = self.endpoints()?;
        let mut founded = found(&plan)?;
        founded.genesis = self.token.add(founded.genesis)?;
        let protection = self.protection.choose()?;
        let mqtt = SocketAddr::new(self.host, self.mqtt_port);
        let gateway = gateway_config(&self.name, mqtt, &endpoints, &[], "");
        let layout = Layout::new(&self.folder);
        let mut keys = Keys::new(&founded, &protection);
        layout.write(&founded, &endpoints, &gateway, &protection, || keys.next())?;
        self.tell(output, &layout, &founded, &endpoints)
    }

    pub(super) fn plan(&self) -> anyhow::Result<Plan> {
        if !(1..=VALIDATORS_MAX).contains(&self.peers) {
            return Err(failed(
                format!("a network has 1 to {VALIDATORS_MAX} peers, not {}", self.peers),
                "--peers 4",
            ));
        }
        let organisations = if self.organisations.is_empty() {
            (1..=self.peers).map(|index| format!("organisation-{index}")).collect()
        } else {
            self.organisations.clone()
        };
        let plan = Plan::even(self.name.clone(), self.mode.into(), organisations, self.peers);
        let reads = self.reads.into();
        let mechanism = self.agreement.into();
        let participation = joined(None, self.transact, self.deploy)?;
        Ok(Plan { epoch_blocks: self.epoch_blocks, mechanism, reads, participation, ..plan })
    }

    fn endpoints(&self) -> anyhow::Result<Vec<Endpoints>> {
        let endpoints = |index: usize| {
            let api = u16::try_from(index * 10).ok().and_then(|up| self.port.checked_add(up))?;
            let at = |port| SocketAddr::new(self.host, port);
            Some(Endpoints { api: at(api), p2p: at(api.checked_add(1)?) })
        };
        (0..self.peers).map(endpoints).collect::<Option<_>>().ok_or_else(|| {
            failed("there are not as many ports above --port", "choose a lower --port")
        })
    }

    fn tell(
        &self,
        output: Output,
        layout: &Layout,
        founded: &Founded,
        endpoints: &[Endpoints],
    ) -> anyhow::Result<()> {
        let ledger = founded.genesis.ledger().to_string();
        let configs: Vec<String> = founded
            .peers
            .iter()
            .map(|peer| layout.config(&peer.member.inception.name).display().to_string())
            .collect();
        let value = json!({
            "network": self.name,
            "ledger": ledger,
            "genesis": layout.genesis(),
            "peers": configs,
            "apis": endpoints.iter().map(|e| format!("http://{}", e.api)).collect::<Vec<_>>(),
            "gateway": layout.config(&founded.gateway.inception.name),
        });
        output.show(&value, || {
            let program = program();
            let mut text = format!(
                "founded network {} (ledger {ledger})\n\nstart each peer in a terminal of its own:\n",
                self.name
            );
            for config in &configs {
                text.push_str(&format!("  {program} peer run --config {config}\n"));
            }
            let key = layout.organisation_key(0);
            let gateway = layout.member(&founded.gateway.inception.name);
            let gateway_key = gateway.join("keys").join("gateway.json");
            text.push_str(&format!(
                "then let the gateway in, and start it:\n  \
                 {program} entity register --kind gateway --name gateway --entity-key {} --key {}\n  \
                 {program} gateway run --config {}\n",
                gateway_key.display(),
                key.display(),
                layout.config(&founded.gateway.inception.name).display()
            ));
            text
        })
    }
}

fn refuse_used(folder: &std::path::Path) -> anyhow::Result<()> {
    let used = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if used {
        return Err(failed(
            format!("{} is not empty", folder.display()),
            "give a new folder; keys are never overwritten",
        ));
    }
    Ok(())
}

/// Says how far the writing of key files is, where that takes a noticeable time.
struct Keys {
    done: usize,
    total: usize,
    shown: bool,
}

impl Keys {
    fn new(founded: &Founded, protection: &NewProtection) -> Self {
        let total = founded.organisations.len() + 2 * founded.peers.len() + 1;
        Self { done: 0, total, shown: protection.is_slow() }
    }

    fn next(&mut self) {
        self.done += 1;
        if self.shown {
            let end = if self.done == self.total { "\n" } else { "\r" };
            eprint!("encrypting key {} of {} {end}", self.done, self.total);
        }
    }
}
