//! `althing audit`: a file for an auditor or regulator, and its check without a network.

use std::path::PathBuf;

use althing_client::{
    Client, Error, file,
    genesis_file::GenesisFile,
    model::{Hex, LedgerHex, LogEntry, LogPart, Time, TxHex, query},
};
use althing_proof::{
    bundle::{BUNDLE_BYTES_MAX, VerifiedClaim, verify},
    key,
};
use althing_types::{Genesis, GrantId, TxId};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{peer::operate::Operator, write_new};
use crate::{
    lookup,
    output::{Output, fields, thousands},
    report::{NextStep as _, failed},
    session::{Explain as _, block_on, read_genesis},
};

/// What the file says it is.
const FORM: &str = "althing audit 1";
/// Most blocks and most transactions of one file.
const BLOCKS_MAX: u64 = 200_000;
const TRANSACTIONS_MAX: usize = 10_000;
/// Most entries of each log in one file.
const ENTRIES_MAX: usize = 50_000;
/// Longest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Entries of a log, blocks and ids that are asked for together.
const PAGE: u32 = 500;
const BLOCKS_PAGE: u32 = 100;
/// Blocks that a proof may lag behind the newest: a later block commits to each.
const LAG_BLOCKS: u64 = 3;

/// Makes files for auditors and regulators, and checks them.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Collects what happened to named things, entities and grants between two blocks, each transaction
    /// with its receipt and proof, and what was done to the peer. What its maker may not read is left
    /// out and named.
    Export(Box<Export>),
    /// Checks such a file without network or peer.
    Verify(Verify),
}

impl AuditCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Export(export) => export.run(output),
            Self::Verify(verify) => verify.run(output),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// File to write.
    file: PathBuf,
    /// First block.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Last block; the newest with proofs if it is not said.
    #[arg(long)]
    to: Option<u64>,
    /// A thing: name, DID or hex id. May be given again.
    #[arg(long)]
    thing: Vec<String>,
    /// An entity: name, DID or hex id. May be given again.
    #[arg(long)]
    entity: Vec<String>,
    /// A grant: its 64 hex digits. May be given again.
    #[arg(long)]
    grant: Vec<Hex<GrantId>>,
    /// What it is read for: the purpose of the grant, where an owner wants one.
    #[arg(long = "for", value_name = "PURPOSE")]
    purpose: Option<String>,
    #[command(flatten)]
    operator: Operator,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collected {
    form: String,
    ledger: LedgerHex,
    /// For reading; what it is checked against comes from elsewhere.
    genesis: GenesisFile,
    /// Voting key of the peer that was asked.
    peer: String,
    from: u64,
    to: u64,
    made: Time,
    /// What it is about.
    about: Vec<Subject>,
    /// Ascending by block.
    transactions: Vec<Proven>,
    /// What was not shown to who made it.
    withheld: Vec<Withheld>,
    /// The peer's log of operations, and of alarms; none where it was not shown.
    operations: Vec<LogEntry>,
    alarms: Vec<LogEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    /// Raw key in the state, hex, with the proof of what is there, hex.
    key: String,
    proof: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proven {
    id: TxHex,
    height: u64,
    proof: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Withheld {
    what: String,
    code: String,
}

/// What transactions are searched for: how each subject is written in them.
struct Wanted {
    name: String,
    texts: Vec<String>,
    key: Vec<u8>,
}

impl Export {
    fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let (operator, reader) =
                (self.operator.client()?, self.operator.reader(self.purpose.as_deref())?);
            let status = reader.status().await.explain()?;
            let newest = status.height.saturating_sub(LAG_BLOCKS);
            let to = self.to.unwrap_or(newest);
            if self.from > to || to > newest || to - self.from >= BLOCKS_MAX {
                return Err(failed(
                    format!(
                        "blocks {} to {to} cannot be collected: there are proofs up to {newest}, and a file has at most {BLOCKS_MAX} blocks",
                        self.from
                    ),
                    "give --from and --to; several files make a longer time",
                ));
            }
            let wanted = self.wanted(&reader).await?;
            let mut collected = Collected {
                form: FORM.to_owned(),
                ledger: status.ledger,
                genesis: reader.network().await.explain()?.genesis,
                peer: status.key.to_string(),
                from: self.from,
                to,
                made: status.time,
                about: Vec::new(),
                transactions: Vec::new(),
                withheld: Vec::new(),
                operations: Vec::new(),
                alarms: Vec::new(),
            };
            collected.collect(&reader, &wanted).await?;
            collected.operations = logged(&operator, false).await?;
            collected.alarms = logged(&operator, true).await?;
            write_new(&self.file, serde_json::to_string_pretty(&collected)?.as_bytes())?;
            let name = self.file.display().to_string();
            output.show(&json!({ "file": name, "transactions": collected.transactions.len(), "withheld": collected.withheld.len() }), || {
                format!("{}next: althing audit verify {name} --genesis genesis.json", collected.summary())
            })
        })
    }

    async fn wanted(&self, client: &Client) -> anyhow::Result<Vec<Wanted>> {
        let mut wanted = Vec::new();
        for name in &self.thing {
            let thing = lookup::thing(client, name).await?;
            let mut texts = vec![thing.id.to_string(), thing.hex.to_string()];
            texts.extend(thing.properties.iter().map(|property| property.stream.to_string()));
            wanted.push(Wanted {
                name: format!("thing {}", thing.name),
                texts,
                key: key::thing(&thing.hex.0),
            });
        }
        for name in &self.entity {
            let id = lookup::entity(client, name).await?;
            let entity = client.entity(&id).await.explain()?;
            let texts = vec![entity.id.to_string(), entity.hex.to_string()];
            wanted.push(Wanted {
                name: format!("entity {}", entity.name),
                texts,
                key: key::entity(&id),
            });
        }
        for id in &self.grant {
            let texts = vec![id.to_string()];
            wanted.push(Wanted { name: format!("grant {id}"), texts, key: key::grant(&id.0) });
        }
        Ok(wanted)
    }
}

impl Collected {
    async fn collect(&mut self, client: &Client, wanted: &[Wanted]) -> anyhow::Result<()> {
        for one in wanted {
            match client.prove_state(&one.key).await {
                Ok(proof) => self.about.push(Subject {
                    name: one.name.clone(),
                    key: hex::encode(&one.key),
                    proof: hex::encode(proof),
                }),
                Err(error) => self.withhold(&one.name, error)?,
            }
        }
        let texts: Vec<&String> = wanted.iter().flat_map(|one| &one.texts).collect();
        let mut before = self.to + 1;
        while before > self.from && !texts.is_empty() {
            let asked = query::Blocks { before: Some(before), limit: Some(BLOCKS_PAGE) };
            let page = client.blocks(&asked).await.explain()?;
            let Some(lowest) = page.items.last().map(|block| block.height) else { break };
            let from = self.from;
            let within = page.items.iter().filter(|block| block.height >= from);
            for block in within.filter(|block| block.transactions > 0) {
                for id in ids(client, block.height).await? {
                    self.take(client, block.height, id, &texts).await?;
                }
            }
            before = lowest;
        }
        self.transactions.sort_by_key(|one| one.height);
        Ok(())
    }

    /// Takes a transaction in if it has to do with what is wanted.
    async fn take(
        &mut self,
        client: &Client,
        height: u64,
        id: TxId,
        texts: &[&String],
    ) -> anyhow::Result<()> {
        let shown = match client.transaction(&id).await {
            Ok(transaction) => serde_json::to_string(&transaction)?,
            Err(error) => {
                return self.withhold(&format!("transaction {id} of block {height}"), error);
            }
        };
        if !texts.iter().any(|text| shown.contains(text.as_str())) {
            return Ok(());
        }
        if self.transactions.len() >= TRANSACTIONS_MAX {
            return Err(failed(
                format!("more than {TRANSACTIONS_MAX} transactions have to do with it"),
                "give --from and --to closer to each other; several files make a longer time",
            ));
        }
        match client.prove_receipt(&id).await {
            Ok(proof) => {
                self.transactions.push(Proven { id: Hex(id), height, proof: hex::encode(proof) });
                Ok(())
            }
            Err(error) => self.withhold(&format!("transaction {id} of block {height}"), error),
        }
    }

    /// Names what a refusal kept back; any other error ends the collecting.
    fn withhold(&mut self, what: &str, error: Error) -> anyhow::Result<()> {
        match error.code().map(str::to_owned) {
            Some(code) if !error.is_temporary() => {
                self.withheld.push(Withheld { what: what.to_owned(), code });
                Ok(())
            }
            _ => Err(error).explain(),
        }
    }

    fn summary(&self) -> String {
        let names: Vec<&str> = self.about.iter().map(|one| one.name.as_str()).collect();
        fields(&[
            ("blocks", format!("{} to {}", self.from, self.to)),
            (
                "about",
                if names.is_empty() { "the peer alone".to_owned() } else { names.join(", ") },
            ),
            ("transactions", thousands(self.transactions.len() as u64)),
            ("withheld", thousands(self.withheld.len() as u64)),
            ("operations", format!("{} entries", thousands(self.operations.len() as u64))),
            ("alarms", format!("{} entries", thousands(self.alarms.len() as u64))),
        ])
    }
}

async fn ids(client: &Client, height: u64) -> anyhow::Result<Vec<TxId>> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let asked = query::List { after, limit: Some(PAGE) };
        let block = client.block(height, &asked).await.explain()?;
        ids.extend(block.transaction_ids.iter().map(|id| id.0));
        after = block.next;
        if after.is_none() {
            return Ok(ids);
        }
    }
}

async fn logged(client: &Client, alarms: bool) -> anyhow::Result<Vec<LogEntry>> {
    let (mut entries, mut after) = (Vec::new(), 0_u64);
    while entries.len() < ENTRIES_MAX {
        let asked = query::List { after: Some(after.to_string()), limit: Some(PAGE) };
        let part = if alarms {
            client.alarm_log(&asked).await
        } else {
            client.operation_log(&asked).await
        };
        let LogPart { items, .. } = part.explain()?;
        let Some(last) = items.last() else { break };
        after = last.number;
        entries.extend(items);
    }
    Ok(entries)
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The file.
    file: PathBuf,
    /// The genesis of the ledger it is about: what everything is checked against.
    #[arg(
        long,
        env = "ALTHING_GENESIS",
        hide_env_values = true,
        value_name = "FILE",
        default_value = "genesis.json"
    )]
    genesis: PathBuf,
}

impl Verify {
    fn run(self, output: Output) -> anyhow::Result<()> {
        let genesis = read_genesis(&self.genesis)?;
        let name = self.file.display().to_string();
        let text = file::read_text(&self.file, FILE_BYTES_MAX)
            .with_context(|| format!("cannot read {name}"))
            .next_step(|| "althing audit export FILE makes one".to_owned())?;
        let wrong = |why: String| {
            failed(
                format!("{name} does NOT hold: {why}"),
                "do not rely on it; have it made again, from another peer, and check that the genesis is the right one",
            )
        };
        let collected: Collected = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("it is no such file: {error}")))?;
        collected.check(&genesis).map_err(wrong)?;
        output.show(&json!({ "ok": true, "transactions": collected.transactions.len() }), || {
            format!(
                "{}every transaction is in its block with the receipt shown; both logs are whole.\n\
                 The logs are the peer's own word: they show that nothing was changed since, not that it wrote down all.",
                collected.summary()
            )
        })
    }
}

impl Collected {
    fn check(&self, genesis: &Genesis) -> Result<(), String> {
        if self.form != FORM {
            return Err(format!("it is of the form `{}`, and not `{FORM}`", self.form));
        }
        if self.ledger.0 != genesis.ledger() {
            return Err(format!(
                "it is about ledger {}, and not {}",
                self.ledger,
                genesis.ledger()
            ));
        }
        for subject in &self.about {
            let claim = proven(&subject.proof, genesis)
                .map_err(|why| format!("{}: {why}", subject.name))?
                .0;
            let holds = matches!(&claim, VerifiedClaim::State { key, .. } if hex::encode(key) == subject.key);
            if !holds {
                return Err(format!("{}: the proof is of something else", subject.name));
            }
        }
        let mut before = 0;
        for one in &self.transactions {
            let (claim, height) = proven(&one.proof, genesis)
                .map_err(|why| format!("transaction {}: {why}", one.id))?;
            let is_it = matches!(&claim, VerifiedClaim::Transaction(found) if found.id == one.id.0 && found.receipt.is_some());
            let within =
                (self.from.max(before)..=self.to).contains(&one.height) && one.height <= height;
            if !is_it || !within {
                return Err(format!("transaction {}: the proof is of something else", one.id));
            }
            before = one.height;
        }
        for (log, entries) in [("operations", &self.operations), ("alarms", &self.alarms)] {
            let mut before: Option<&LogEntry> = None;
            for entry in entries {
                if !entry.follows(before.replace(entry)) {
                    return Err(format!(
                        "entry {} of the log of {log} does not follow",
                        entry.number
                    ));
                }
            }
        }
        Ok(())
    }
}

/// What a proof in hex shows, and the height of the block that commits to it.
fn proven(proof: &str, genesis: &Genesis) -> Result<(VerifiedClaim, u64), String> {
    if proof.len() > 2 * BUNDLE_BYTES_MAX {
        return Err("the proof is too long".to_owned());
    }
    let bytes = hex::decode(proof).map_err(|_| "the proof is not hex".to_owned())?;
    let verified = verify(&bytes, genesis)
        .map_err(|failure| format!("step `{}` failed: {}", failure.step, failure.why))?;
    Ok((verified.claim, verified.block.height))
}
