//! What operators do: alarms, configuration, the log of operations, the end of a peer.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
};

use althing_client::{
    Client, ReadingAs, file,
    model::{Alarm, Difference, LogEntry, OPERATE_PURPOSE, Takes, query},
    operating::{self, MACHINE_ENTITY},
};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    config::{Config, PeerConfig},
    output::{Output, Table, fields},
    report::NextStep as _,
    secrets::{self, PassphraseArgs},
    session::{Explain as _, PeerUrl, block_on, client},
};

/// Longest configuration that is read, bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Who operates which peer: whoever can read the data folder, on the peer's machine; elsewhere an
/// operator that the peer's configuration names.
#[derive(Debug, Args)]
pub(crate) struct Operator {
    /// The peer's configuration, on its machine.
    #[arg(long, value_name = "FILE", default_value = "config.toml", conflicts_with = "key")]
    config: PathBuf,
    /// Key file of an operator or auditor of the peer, to work from anywhere.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The peer, with --key.
    #[command(flatten)]
    peer: PeerUrl,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl Operator {
    /// A client that signs what it asks as this operator.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        match &self.key {
            Some(path) => Ok(self.peer.client()?.reading_as(self.named(path, OPERATE_PURPOSE)?)),
            None => self.on_machine(),
        }
    }

    /// A client that reads the ledger as this operator, or as anybody where it has no name.
    pub(crate) fn reader(&self, purpose: Option<&str>) -> anyhow::Result<Client> {
        match &self.key {
            Some(path) => {
                let reads = self.named(path, purpose.unwrap_or_default())?;
                Ok(self.peer.client()?.reading_as(reads))
            }
            None => client(&url_of(&Config::load(&self.config)?.peer()?)),
        }
    }

    fn named(&self, path: &Path, purpose: &str) -> anyhow::Result<ReadingAs> {
        let passphrase_file = self.passphrase.passphrase_file.as_deref();
        let (entity, key) = secrets::open_entity(path, passphrase_file, secrets::KEY_OF_ENTITY)?;
        Ok(ReadingAs { entity, key, purpose: purpose.to_owned() })
    }

    fn on_machine(&self) -> anyhow::Result<Client> {
        let settings = Config::load(&self.config)?.peer()?;
        let folder = settings.data.display();
        let key = operating::machine_key(&settings.data)
            .with_context(|| format!("cannot read the key in the data folder {folder}"))
            .next_step(|| {
                "run it as the account of the peer, which must run; elsewhere: --key FILE --peer URL"
                    .to_owned()
            })?;
        let purpose = OPERATE_PURPOSE.to_owned();
        let machine = ReadingAs { entity: MACHINE_ENTITY, key, purpose };
        Ok(client(&url_of(&settings))?.reading_as(machine))
    }
}

/// Where a peer on this machine answers.
fn url_of(settings: &PeerConfig) -> String {
    let mut address = settings.api_listen;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    operator: Operator,
}

impl Stop {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            self.operator.client()?.stop_peer().await.explain()?;
            output.show(&json!({ "stopping": true }), || {
                "the peer settles what it took from its clients, and ends".to_owned()
            })
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Alarms {
    #[command(flatten)]
    peer: PeerUrl,
    /// Those that ended, too.
    #[arg(long)]
    all: bool,
}

impl Alarms {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let mut alarms = self.peer.client()?.alarms().await.explain()?;
            alarms.items.retain(|alarm| self.all || alarm.ended.is_none());
            output.show(&alarms, || alarms_text(&alarms.items))
        })
    }
}

fn alarms_text(alarms: &[Alarm]) -> String {
    if alarms.is_empty() {
        return "nothing needs doing".to_owned();
    }
    let text = |alarm: &Alarm| {
        let kind = match (alarm.ended, alarm.grave) {
            (Some(_), _) => "ended",
            (None, true) => "GRAVE",
            (None, false) => "lasts",
        };
        let ended = alarm.ended.map(|time| format!(" until {time}")).unwrap_or_default();
        let seen = alarm.acknowledged.as_ref().map(|seen| {
            let note =
                if seen.note.is_empty() { String::new() } else { format!(": {}", seen.note) };
            format!("\n      acknowledged by {} at {}{note}", seen.by, seen.at)
        });
        format!(
            "{:>4}  {kind}  {} since {}{ended}{}\n      {}\n      {}{}",
            alarm.id,
            alarm.code,
            alarm.since,
            if alarm.times > 1 {
                format!(", for the {}. time", alarm.times)
            } else {
                String::new()
            },
            alarm.detail,
            alarm.advice,
            seen.unwrap_or_default(),
        )
    };
    alarms.iter().map(text).collect::<Vec<_>>().join("\n")
}

#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    /// Number of the alarm.
    id: u64,
    /// What others should know, such as who sees to it.
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    operator: Operator,
}

impl Acknowledge {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let client = self.operator.client()?;
            let alarm = client.acknowledge(self.id, &self.note).await.explain()?;
            output.show(&alarm, || alarms_text(std::slice::from_ref(&alarm)))
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    /// What became of alarms, instead of what was done to the peer.
    #[arg(long)]
    alarms: bool,
    /// Go on behind the entry of this number.
    #[arg(long)]
    after: Option<u64>,
    /// At most so many.
    #[arg(long)]
    limit: Option<u32>,
    #[command(flatten)]
    operator: Operator,
}

impl Log {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let client = self.operator.client()?;
            let asked =
                query::List { after: self.after.map(|at| at.to_string()), limit: self.limit };
            let part = match self.alarms {
                true => client.alarm_log(&asked).await.explain()?,
                false => client.operation_log(&asked).await.explain()?,
            };
            output.show(&part, || log_text(&part.items))
        })
    }
}

fn log_text(entries: &[LogEntry]) -> String {
    let mut table = Table::new(&["number", "time", "by", "what", "in particular"]);
    for entry in entries {
        table.row([
            entry.number.to_string(),
            entry.at.to_string(),
            entry.by.clone(),
            entry.act.clone(),
            entry.detail.clone(),
        ]);
    }
    table.or("nothing was done yet")
}

/// Shows, checks and applies the configuration of a peer that runs.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigurationCommand {
    /// Shows every key that the peer reads, and what waits for a restart.
    Show(Show),
    /// Says what a configuration would change, and what of that needs a restart.
    Check(Change),
    /// Puts a configuration in the place of the present one, at once as far as that can be.
    Apply(Apply),
    /// Lists the versions of the configuration: since when, and who brought them.
    History(History),
}

impl ConfigurationCommand {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Show(show) => show.run(output).await,
                Self::Check(change) => change.check(output).await,
                Self::Apply(apply) => apply.run(output).await,
                Self::History(history) => history.run(output).await,
            }
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    operator: Operator,
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let found = self.operator.client()?.configuration().await.explain()?;
        output.show(&found, || {
            let head = fields(&[
                ("# version", format!("{} of {}", found.version.number, found.version.at)),
                ("# brought by", found.version.by.clone()),
            ]);
            let waiting = match found.waiting.as_slice() {
                [] => String::new(),
                some => format!("\n# waits for a restart:\n{}", commented(&differences(some))),
            };
            format!("{head}\n{}{waiting}", found.text)
        })
    }
}

/// As comments of TOML, so that what is shown is a configuration.
fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// The configuration as it is to be, with all keys that differ from their defaults.
    file: PathBuf,
    #[command(flatten)]
    operator: Operator,
}

impl Change {
    fn text(&self) -> anyhow::Result<String> {
        let name = self.file.display().to_string();
        file::read_text(&self.file, FILE_BYTES_MAX)
            .with_context(|| format!("cannot read {name}"))
            .next_step(|| format!("althing peer config show > {name}, then change it"))
    }

    async fn check(self, output: Output) -> anyhow::Result<()> {
        let client = self.operator.client()?;
        let found = client.check_configuration(&self.text()?).await.explain()?;
        output.show(&found, || differences(&found.items))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    change: Change,
    /// Change nothing; only say what would be.
    #[arg(long)]
    dry_run: bool,
}

impl Apply {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        if self.dry_run {
            return self.change.check(output).await;
        }
        let client = self.change.operator.client()?;
        let found = client.apply_configuration(&self.change.text()?).await.explain()?;
        output.show(&found, || differences(&found.items))
    }
}

fn differences(found: &[Difference]) -> String {
    let mut table = Table::new(&["key", "before", "then", "counts"]);
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    for one in found {
        let counts = match one.takes {
            Takes::Now => "at once",
            Takes::Restart => "after a restart",
            Takes::Machine => "after a restart; changed on the peer's machine only",
        };
        table.row([one.key.clone(), value(&one.from), value(&one.to), counts.to_owned()]);
    }
    table.or("nothing differs")
}

#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    operator: Operator,
}

impl History {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let found = self.operator.client()?.configurations().await.explain()?;
        output.show(&found, || {
            let mut table = Table::new(&["version", "since", "by", "changed", "digest"]);
            for one in &found.items {
                let keys: Vec<&str> = one.changed.iter().map(|one| one.key.as_str()).collect();
                table.row([
                    one.number.to_string(),
                    one.at.to_string(),
                    one.by.clone(),
                    if keys.is_empty() {
                        "as found at a start".to_owned()
                    } else {
                        keys.join(", ")
                    },
                    crate::output::short(&one.digest.to_string()).to_owned(),
                ]);
            }
            table.to_text()
        })
    }
}
