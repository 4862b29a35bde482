//! `althing org` and `althing vote`: what the member organisations decide together.

mod regulation;
mod token;

pub(crate) use regulation::{PolicyCommand, RegulationCommand};

use std::path::PathBuf;

use althing_client::{
    Signer,
    model::{self, DidText, KeyHex, Page, Proposal, ProposalStatus, TxHex, query},
};
use althing_types::{
    Action, Change, EntityKind, MechanismFrom, Parameters, Proposal as Proposed, Seat, SigningKey,
    Suite, VotingRule,
};
use clap::{Args, Subcommand};
use rand::rngs::OsRng;
use serde_json::json;

use super::{
    PageArgs, SuiteName, final_at,
    network::{self, DeployName, MechanismName, TransactName},
    with_more,
};
use crate::{
    lookup,
    output::{Output, Table, fields},
    program,
    report::failed,
    secrets::{self, ProtectionArgs},
    session::{Explain as _, Remote, Session, SignArgs, block_on},
};
use althing_client::key_file::{self, StoredKey};

/// Shows members; proposes changes of members and of their peers' seats.
#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Lists members and validators.
    List(Look),
    /// Proposes that an organisation becomes a member.
    Add(AddOrganisation),
    /// Proposes that an organisation ends, with all that it owns.
    Remove(OfEntity),
    /// Proposes that a peer, registered by its organisation, gets a seat among the validators.
    AddPeer(AddPeer),
    /// Proposes that a peer loses its seat.
    RemovePeer(OfEntity),
    /// Proposes that a peer votes with another key.
    RekeyPeer(RekeyPeer),
}

/// Shows proposals; votes on them.
#[derive(Debug, Subcommand)]
pub(crate) enum VoteCommand {
    /// Lists proposals, newest first.
    List(List),
    /// Shows an open proposal, and what it would lead to.
    Show(Show),
    /// Votes for a proposal.
    Yes(Decide),
    /// Votes against a proposal.
    No(Decide),
    /// Carries out an accepted proposal whose timelock is over.
    Enact(Decide),
    /// Withdraws a proposal of one's own.
    Withdraw(Decide),
    /// Proposes another rule of voting.
    Rule(SetRule),
    /// Proposes another setting of the ledger.
    Parameters(SetParameters),
    /// Proposes that peers agree in another way.
    ///
    /// It begins with an epoch: the first that begins at or after the height and is not settled yet, which
    /// is the one after the next at the earliest. What was decided about it before, and has not begun, is
    /// void then.
    Agreement(SetMechanism),
    /// Proposes other fees of transactions.
    Fees(token::SetFees),
    /// Proposes to make tokens for an account.
    Mint(token::Mint),
    /// Proposes that an account can spend nothing but fees.
    FreezeAccount(token::OfAccount),
    /// Proposes that a frozen account can spend again.
    ThawAccount(token::OfAccount),
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    remote: Remote,
}

/// What all proposals take.
#[derive(Debug, Args)]
struct ProposeArgs {
    /// Why, for those who vote.
    #[arg(long, default_value = "")]
    reason: String,
    /// Only tell what it would lead to.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AddOrganisation {
    /// Its name among people.
    #[arg(long)]
    name: String,
    /// Key file of the new organisation; made if there is none. It signs that it holds the key.
    #[arg(long, value_name = "FILE")]
    entity_key: PathBuf,
    /// Algorithm of a key that is made.
    #[arg(long, value_enum, default_value = "ed25519")]
    suite: SuiteName,
    /// Do not encrypt a key file that is made: only for networks that are thrown away.
    #[arg(long)]
    insecure_keys: bool,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OfEntity {
    /// Which: its DID, hex id or name.
    entity: String,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AddPeer {
    /// The peer as an entity: its DID, hex id or name.
    #[arg(value_name = "PEER")]
    entity: String,
    /// Its voting key, 64 hex digits: `althing key show` prints that of a key file.
    #[arg(long, value_name = "HEX")]
    vote_key: KeyHex,
    /// Where other peers reach it, host:port.
    #[arg(long)]
    address: String,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RekeyPeer {
    /// Which: its DID, hex id or name.
    #[arg(value_name = "PEER")]
    entity: String,
    /// The new voting key, 64 hex digits.
    #[arg(long, value_name = "HEX")]
    vote_key: KeyHex,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SetRule {
    /// How many of the members must agree, as a fraction such as 2/3: more than a half.
    #[arg(long, value_parser = fraction)]
    needed: Option<(u8, u8)>,
    /// Blocks within which the votes must come.
    #[arg(long)]
    patience_blocks: Option<u32>,
    /// Blocks between acceptance and effect.
    #[arg(long)]
    timelock_blocks: Option<u32>,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SetMechanism {
    /// How they agree from then on; raft is for private ledgers, and each member must vote for it.
    #[arg(value_enum)]
    agreement: MechanismName,
    /// Not before this height; otherwise as soon as can be.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    from_height: u64,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SetParameters {
    /// How far a claimed time may lie ahead of ledger time, milliseconds.
    #[arg(long)]
    claim_ahead_max_ms: Option<u64>,
    /// How far a batch may skip ahead of its stream's next sequence number, readings.
    #[arg(long)]
    sequence_window: Option<u64>,
    /// Who may send transactions.
    #[arg(long, value_enum)]
    transact: Option<TransactName>,
    /// Who may bring code and make contracts.
    #[arg(long, value_enum)]
    deploy: Option<DeployName>,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, 64 hex digits.
    id: TxHex,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// Its id, 64 hex digits.
    id: TxHex,
    #[command(flatten)]
    sign: SignArgs,
}

fn fraction(text: &str) -> Result<(u8, u8), String> {
    let parts = text.split_once('/');
    let read = parts.and_then(|(above, below)| Some((above.parse().ok()?, below.parse().ok()?)));
    read.ok_or_else(|| format!("`{text}` is no fraction: write it like 2/3"))
}

impl OrgCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::List(look) => look.run(output).await,
                Self::Add(add) => add.run(output).await,
                Self::Remove(of) => {
                    let session = of.propose.sign.session().await?;
                    let organisation = lookup::entity(&session.client, &of.entity).await?;
                    let change = Change::RemoveOrganisation { organisation };
                    of.propose.run(output, &session, change).await
                }
                Self::AddPeer(add) => add.run(output).await,
                Self::RemovePeer(of) => {
                    let session = of.propose.sign.session().await?;
                    let peer = lookup::entity(&session.client, &of.entity).await?;
                    of.propose.run(output, &session, Change::RemovePeer { peer }).await
                }
                Self::RekeyPeer(rekey) => {
                    let session = rekey.propose.sign.session().await?;
                    let peer = lookup::entity(&session.client, &rekey.entity).await?;
                    let change = Change::RotateVotingKey { peer, key: rekey.vote_key.0.0 };
                    rekey.propose.run(output, &session, change).await
                }
            }
        })
    }
}

impl VoteCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::List(list) => list.run(output).await,
                Self::Show(show) => show.run(output).await,
                Self::Yes(decide) => {
                    let action = Action::Vote { proposal: decide.id.0, accept: true };
                    decide.run(output, action).await
                }
                Self::No(decide) => {
                    let action = Action::Vote { proposal: decide.id.0, accept: false };
                    decide.run(output, action).await
                }
                Self::Enact(decide) => {
                    let action = Action::Enact { proposal: decide.id.0 };
                    decide.run(output, action).await
                }
                Self::Withdraw(decide) => {
                    let action = Action::WithdrawProposal { proposal: decide.id.0 };
                    decide.run(output, action).await
                }
                Self::Rule(set) => set.run(output).await,
                Self::Parameters(set) => set.run(output).await,
                Self::Agreement(set) => {
                    let session = set.propose.sign.session().await?;
                    let (mechanism, from_height) = (set.agreement.into(), set.from_height);
                    let change = Change::SetMechanism(MechanismFrom { mechanism, from_height });
                    set.propose.run(output, &session, change).await
                }
                Self::Fees(set) => set.run(output).await,
                Self::Mint(mint) => mint.run(output).await,
                Self::FreezeAccount(account) => account.run(output, true).await,
                Self::ThawAccount(account) => account.run(output, false).await,
            }
        })
    }
}

impl Look {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let found = self.remote.client()?.governance().await.explain()?;
        output.show(&found, || {
            let mut members = Table::new(&["member", "id"]);
            for member in &found.members {
                members.row([member.name.clone(), member.id.to_string()]);
            }
            format!(
                "{}\n{}{}{}\n{} of {} members must agree to a change; {} proposals are open, {} regulations in \
                 force\n{}",
                members.to_text(),
                seats(&found).to_text(),
                epochs(&found),
                agreement(&found),
                found.votes_needed,
                found.members.len(),
                found.proposals.len(),
                found.regulations.len(),
                network::participation(&found.parameters),
            )
        })
    }
}

/// Every seat that there is or will be: one row for each voting key.
fn seats(found: &model::Governance) -> Table {
    let sets = [&found.validators, &found.next_validators, &found.chosen_validators];
    let mut table = Table::new(&["validator", "organisation", "now", "next", "then", "key"]);
    let mut shown = Vec::new();
    for seat in sets.iter().copied().flatten() {
        if shown.contains(&seat.vote_key) {
            continue;
        }
        shown.push(seat.vote_key);
        let [now, next, then] = sets.map(|set| {
            let votes = set.iter().any(|other| other.vote_key == seat.vote_key);
            if votes { "votes" } else { "-" }.to_owned()
        });
        let (name, organisation) = (seat.name.clone(), seat.organisation.to_string());
        table.row([name, organisation, now, next, then, seat.vote_key.to_string()]);
    }
    table
}

/// What the columns of [`seats`] stand for.
fn epochs(found: &model::Governance) -> String {
    match found.epoch_end_height {
        Some(end) => format!(
            "now is epoch {}, which ends with block {end}; what members decide by then holds from \
             epoch {} on\n",
            found.epoch,
            found.epoch + 2
        ),
        None => "the founders validate for ever: the genesis sets no length of epochs\n".to_owned(),
    }
}

/// How peers agree, and from when on otherwise.
fn agreement(found: &model::Governance) -> String {
    let now = &found.mechanism;
    let epoch = found.epoch;
    let later = match &found.planned_mechanism {
        Some(plan) => format!(", by {} from block {} on", plan.mechanism, plan.from_height),
        None if found.next_mechanism != *now => {
            format!(", by {} from epoch {} on", found.next_mechanism, epoch + 1)
        }
        None if found.chosen_mechanism != *now => {
            format!(", by {} from epoch {} on", found.chosen_mechanism, epoch + 2)
        }
        None => String::new(),
    };
    format!("peers agree by {now}{later}\n")
}

impl ProposeArgs {
    async fn run(&self, output: Output, session: &Session, change: Change) -> anyhow::Result<()> {
        let told = session.client.consequence(&change).await.explain()?;
        if self.dry_run {
            return output.show(&told, || told.summary.clone());
        }
        if let Some(code) = &told.refusal {
            return Err(failed(
                format!("it cannot be proposed ({code}): {}", told.summary),
                "--dry-run tells what a change would lead to",
            ));
        }
        let proposal = Proposed { change, reason: self.reason.clone() };
        let outcome = session.perform(vec![Action::Propose(proposal)]).await?;
        let id = outcome.receipt.transaction;
        let value = json!({ "proposal": id, "consequence": told, "outcome": outcome });
        output.show(&value, || {
            let ends = outcome
                .receipt
                .events
                .iter()
                .any(|event| matches!(event, model::Event::ProposalEnacted { .. }));
            let next = if ends {
                "it took effect: this vote was enough".to_owned()
            } else {
                format!("next: other members run `{} vote yes {id}`", program())
            };
            format!("proposed {id}\n{}\n{}\n{next}", told.summary, final_at(&outcome))
        })
    }
}

impl AddOrganisation {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.propose.sign.session().await?;
        let key = self.key()?;
        let (entity, action) =
            Signer::registration(&session.ledger(), EntityKind::Organisation, &self.name, &key);
        let Action::RegisterEntity { inception, possession } = action else {
            unreachable!("a registration registers");
        };
        if !self.entity_key.exists() && !self.propose.dry_run {
            let protection =
                ProtectionArgs::new(self.propose.sign.passphrase_file(), self.insecure_keys)
                    .choose()?;
            let entity = Some(DidText::entity(&session.network, &entity));
            key_file::write(
                &self.entity_key,
                &StoredKey { entity, key },
                protection.as_protection(),
            )?;
        }
        let change = Change::AddOrganisation { inception, possession };
        self.propose.run(output, &session, change).await
    }

    fn key(&self) -> anyhow::Result<SigningKey> {
        if self.entity_key.exists() {
            let passphrase = self.propose.sign.passphrase_file();
            return Ok(secrets::open(&self.entity_key, passphrase)?.key);
        }
        Ok(SigningKey::generate(Suite::from(self.suite), &mut OsRng))
    }
}

impl AddPeer {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.propose.sign.session().await?;
        let peer = lookup::entity(&session.client, &self.entity).await?;
        let seat = Seat { peer, key: self.vote_key.0.0, address: self.address.clone() };
        self.propose.run(output, &session, Change::AddPeer(seat)).await
    }
}

impl SetRule {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.propose.sign.session().await?;
        let now = session.client.governance().await.explain()?.rule;
        let (numerator, denominator) = self.needed.unwrap_or((now.numerator, now.denominator));
        let rule = VotingRule {
            numerator,
            denominator,
            patience_blocks: self.patience_blocks.unwrap_or(now.patience_blocks),
            timelock_blocks: self.timelock_blocks.unwrap_or(now.timelock_blocks),
        };
        if !rule.is_valid() {
            return Err(failed(
                "the rule is out of bounds".to_owned(),
                "--needed is more than 1/2 and at most 1/1, --patience-blocks at least 1",
            ));
        }
        self.propose.run(output, &session, Change::SetVotingRule(rule)).await
    }
}

impl SetParameters {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.propose.sign.session().await?;
        let now = session.client.governance().await.explain()?.parameters;
        let mut parameters = Parameters::from(&now);
        if let Some(value) = self.claim_ahead_max_ms {
            parameters.claim_ahead_max_ms = value;
        }
        if let Some(value) = self.sequence_window {
            parameters.sequence_window = value;
        }
        let before = parameters.participation;
        parameters.participation = network::joined(before, self.transact, self.deploy)?;
        self.propose.run(output, &session, Change::SetParameters(parameters)).await
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = self.remote.client()?.proposals(&query).await.explain()?;
        output.show(&page, || table(&page))
    }
}

fn table(page: &Page<Proposal>) -> String {
    let mut table = Table::new(&["id", "change", "status", "yes", "no", "waits for", "reason"]);
    for proposal in &page.items {
        table.row([
            proposal.id.to_string(),
            name_of(&proposal.change).to_owned(),
            status(proposal),
            proposal.accepts.len().to_string(),
            proposal.rejects.len().to_string(),
            proposal.awaits.len().to_string(),
            proposal.reason.clone(),
        ]);
    }
    with_more(table.or("nothing was proposed"), page.next.as_deref())
}

fn status(proposal: &Proposal) -> String {
    match (proposal.status, proposal.ended_height, &proposal.refusal) {
        (ProposalStatus::Open, ..) => "open".to_owned(),
        (ProposalStatus::Accepted, ..) => {
            format!("accepted, due at block {}", proposal.due_height.unwrap_or_default())
        }
        (ProposalStatus::Enacted, height, _) => {
            format!("took effect in block {}", height.unwrap_or_default())
        }
        (ProposalStatus::Ended, _, refusal) => {
            format!("ended: {}", refusal.as_deref().unwrap_or("without effect"))
        }
    }
}

const fn name_of(change: &model::Change) -> &'static str {
    match change {
        model::Change::AddOrganisation { .. } => "add organisation",
        model::Change::RemoveOrganisation { .. } => "remove organisation",
        model::Change::AddPeer { .. } => "add peer",
        model::Change::RemovePeer { .. } => "remove peer",
        model::Change::RotateVotingKey { .. } => "rotate voting key",
        model::Change::SetParameters { .. } => "set parameters",
        model::Change::SetVotingRule { .. } => "set voting rule",
        model::Change::SetMechanism(_) => "set agreement",
        model::Change::MintTokens { .. } => "mint tokens",
        model::Change::FreezeAccount { frozen: true, .. } => "freeze account",
        model::Change::FreezeAccount { frozen: false, .. } => "thaw account",
        model::Change::SetRegulation { .. } => "set regulation",
        model::Change::EndRegulation { .. } => "end regulation",
    }
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let proposal = client.proposal(&self.id.0).await.explain()?;
        let names = |ids: &[DidText]| {
            let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
            if texts.is_empty() { "nobody".to_owned() } else { texts.join("\n  ") }
        };
        output.show(&proposal, || {
            let change = serde_json::to_string_pretty(&proposal.change).unwrap_or_default();
            fields(&[
                ("id", proposal.id.to_string()),
                ("change", change),
                ("reason", proposal.reason.clone()),
                ("status", status(&proposal)),
                ("proposed by", proposal.proposer.to_string()),
                ("votes until", format!("block {}", proposal.until_height.unwrap_or_default())),
                ("for it", names(&proposal.accepts)),
                ("against it", names(&proposal.rejects)),
                ("votes needed", proposal.votes_needed.unwrap_or_default().to_string()),
                ("waits for", names(&proposal.awaits)),
            ])
        })
    }
}

impl Decide {
    async fn run(self, output: Output, action: Action) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || {
            let told = outcome.receipt.events.iter().find_map(|event| match event {
                model::Event::ProposalEnacted { .. } => Some("it took effect".to_owned()),
                model::Event::ProposalEnded { code, .. } => Some(format!("it ended: {code}")),
                model::Event::ProposalAccepted { due_height, .. } => {
                    Some(format!("it is accepted and can take effect from block {due_height} on"))
                }
                _ => None,
            });
            let voted = outcome.receipt.events.iter().find_map(|event| match event {
                model::Event::Voted { votes, needed, .. } => {
                    Some(format!("{votes} of {needed} votes"))
                }
                _ => None,
            });
            let last = told.or(voted).unwrap_or_default();
            format!("{last}\n{}", final_at(&outcome))
        })
    }
}
