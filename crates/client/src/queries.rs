//! The reads of the interface, one method each.

use althing_types::{
    Body, Change, CodeId, ContractId, EntityId, Genesis, GrantId, ServiceId, StreamId, ThingId,
    TriggerId, TxId, Version, VoucherId, Wire as _,
};
use bytes::Bytes;

use crate::{
    Client, Error, Events,
    client::read_json,
    model::{
        AccessPolicy, Account, Aggregates, AgreementKey, Block, BlockSummary, Code, Command,
        Consequence, Contract, ContractAnswer, Decision, DidDocument, Entity, Erasures,
        EventRecord, Gaps, Governance, Grant, KeyVersion, Network, NewWebhook, Page, Past,
        PastEvents, Peers, PendingApproval, Policies, PoliciesAt, Property, Proposal, Readings,
        Service, ServiceVersion, Status, Stream, StreamKeyShares, StreamRegulations,
        TaggedReadings, Thing, Transaction, Trial, Trigger, TriggerTrial, Voucher, Webhook,
        Webhooks, query,
    },
};

pub(crate) const NONE: &[(); 0] = &[];

impl Client {
    /// Code that is stored, ascending by id.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn codes(&self, query: &query::List) -> Result<Page<Code>, Error> {
        self.get("v1/codes", query).await
    }

    /// Code of contracts.
    ///
    /// # Errors
    /// `unknown_code` if it is not stored.
    pub async fn code(&self, code: &CodeId) -> Result<Code, Error> {
        self.get(&format!("v1/codes/{code}"), NONE).await
    }

    /// The module of code. Compare its SHA-256 with the id, unless you trust the peer.
    ///
    /// # Errors
    /// `unknown_code` if it is not stored.
    pub async fn module(&self, code: &CodeId) -> Result<Bytes, Error> {
        self.get_bytes(&format!("v1/codes/{code}/module"), NONE).await
    }

    /// Contracts, in a stable order.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn contracts(&self, query: &query::Contracts) -> Result<Page<Contract>, Error> {
        self.get("v1/contracts", query).await
    }

    /// A contract.
    ///
    /// # Errors
    /// `unknown_contract` if there is none.
    pub async fn contract(&self, contract: &ContractId) -> Result<Contract, Error> {
        self.get(&format!("v1/contracts/{contract}"), NONE).await
    }

    /// Transactions that called or changed a contract, newest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn contract_history(
        &self,
        contract: &ContractId,
        query: &query::List,
    ) -> Result<Page<PastEvents>, Error> {
        self.get(&format!("v1/contracts/{contract}/transactions"), query).await
    }

    /// Asks a contract; `message` is JSON.
    ///
    /// # Errors
    /// `contract_refused` and others if it does not answer.
    pub async fn ask_contract(
        &self,
        contract: &ContractId,
        message: &str,
    ) -> Result<ContractAnswer, Error> {
        let query = query::ContractQuestion { message: message.to_owned() };
        self.get(&format!("v1/contracts/{contract}/answer"), &query).await
    }

    /// What would come of actions in the next block. Nothing is signed and nothing changes.
    ///
    /// # Errors
    /// [`Error`] if the request failed; that the actions would be refused is an answer.
    pub async fn try_out(&self, body: &Body) -> Result<Trial, Error> {
        self.post_cbor("v1/trials", althing_types::Wire::to_wire(body)).await
    }

    /// Services that this reader is shown.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn services(&self, query: &query::Services) -> Result<Page<Service>, Error> {
        self.get("v1/services", query).await
    }

    /// A service.
    ///
    /// # Errors
    /// `unknown_service` if there is none, or this reader is not shown it.
    pub async fn service(&self, id: &ServiceId) -> Result<Service, Error> {
        self.get(&format!("v1/services/{id}"), NONE).await
    }

    /// One version of a service, with its schema; also one that was withdrawn.
    ///
    /// # Errors
    /// `unknown_service` if there is none, or this reader is not shown it.
    pub async fn service_version(
        &self,
        id: &ServiceId,
        version: Version,
    ) -> Result<ServiceVersion, Error> {
        self.get(&format!("v1/services/{id}/versions/{version}"), NONE).await
    }

    /// The transactions that changed a service, newest first.
    ///
    /// # Errors
    /// `unknown_service` if there is none, or this reader is not shown it.
    pub async fn service_history(
        &self,
        id: &ServiceId,
        query: &query::List,
    ) -> Result<Page<PastEvents>, Error> {
        self.get(&format!("v1/services/{id}/transactions"), query).await
    }

    /// Triggers by name.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn triggers(&self, query: &query::Triggers) -> Result<Page<Trigger>, Error> {
        self.get("v1/triggers", query).await
    }

    /// A trigger.
    ///
    /// # Errors
    /// `unknown_trigger` if there is none.
    pub async fn trigger(&self, id: &TriggerId) -> Result<Trigger, Error> {
        self.get(&format!("v1/triggers/{id}"), NONE).await
    }

    /// What a trigger did and the transactions that changed it, newest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn trigger_runs(
        &self,
        id: &TriggerId,
        query: &query::List,
    ) -> Result<Page<PastEvents>, Error> {
        self.get(&format!("v1/triggers/{id}/runs"), query).await
    }

    /// What a trigger would have done by recorded readings, and what it would do now. Nothing is
    /// signed and nothing changes.
    ///
    /// # Errors
    /// [`Error`] if the request failed; that its effect would be refused is an answer.
    pub async fn try_trigger(
        &self,
        trigger: &althing_types::Trigger,
        query: &query::TriggerTrial,
    ) -> Result<TriggerTrial, Error> {
        self.post_cbor_with("v1/triggers/trial", query, trigger.to_wire()).await
    }

    /// What the peer is doing.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn status(&self) -> Result<Status, Error> {
        self.get("v1/status", NONE).await
    }

    /// The peers of the network as this one sees them.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn peers(&self) -> Result<Peers, Error> {
        self.get("v1/peers", NONE).await
    }

    /// The network this peer belongs to.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn network(&self) -> Result<Network, Error> {
        self.get("v1/network", NONE).await
    }

    /// The genesis the peer was started with. Trust it no more than the peer.
    ///
    /// # Errors
    /// [`Error`] if the request failed or the genesis is not sound.
    pub async fn genesis(&self) -> Result<Genesis, Error> {
        let network = self.network().await?;
        network.genesis.to_genesis().map_err(|error| Error::Form {
            url: self.at("v1/network").to_string(),
            what: error.to_string(),
        })
    }

    /// Figures in Prometheus text format.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn metrics(&self) -> Result<String, Error> {
        let bytes = self.get_bytes("metrics", NONE).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Who decides on the ledger, and what is proposed.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn governance(&self) -> Result<Governance, Error> {
        self.get("v1/governance", NONE).await
    }

    /// What the members had decided by a height.
    ///
    /// # Errors
    /// `unknown_block` if the peer is not as far, `history_not_here` if it lacks what was before.
    pub async fn policies_at(&self, height: u64) -> Result<PoliciesAt, Error> {
        self.get(&format!("v1/governance/at/{height}"), NONE).await
    }

    /// The regulations about a stream, and whether it complies.
    ///
    /// # Errors
    /// `unknown_stream` if there is none.
    pub async fn stream_regulations(&self, stream: &StreamId) -> Result<StreamRegulations, Error> {
        self.get(&format!("v1/streams/{stream}/regulations"), NONE).await
    }

    /// All proposals, newest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn proposals(&self, query: &query::List) -> Result<Page<Proposal>, Error> {
        self.get("v1/governance/proposals", query).await
    }

    /// One proposal that is open.
    ///
    /// # Errors
    /// `unknown_proposal` if none is open with this id.
    pub async fn proposal(&self, id: &TxId) -> Result<Proposal, Error> {
        self.get(&format!("v1/governance/proposals/{id}"), NONE).await
    }

    /// What a change would lead to in the present state.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn consequence(&self, change: &Change) -> Result<Consequence, Error> {
        self.ask("v1/governance/consequence", change.to_wire()).await
    }

    /// What a sender needs to know before it signs.
    ///
    /// # Errors
    /// `unknown_entity` if it is not registered.
    pub async fn account(&self, entity: &EntityId) -> Result<Account, Error> {
        self.get(&format!("v1/accounts/{entity}"), NONE).await
    }

    /// An entity.
    ///
    /// # Errors
    /// `unknown_entity` if it is not registered.
    pub async fn entity(&self, entity: &EntityId) -> Result<Entity, Error> {
        self.get(&format!("v1/entities/{entity}"), NONE).await
    }

    /// Entities, ascending by id.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn entities(&self, query: &query::Entities) -> Result<Page<Entity>, Error> {
        self.get("v1/entities", query).await
    }

    /// Every key an entity has had, oldest first.
    ///
    /// # Errors
    /// `unknown_entity` if it is not registered.
    pub async fn keys(
        &self,
        entity: &EntityId,
        query: &query::List,
    ) -> Result<Page<KeyVersion>, Error> {
        self.get(&format!("v1/entities/{entity}/keys"), query).await
    }

    /// Transactions that an entity sent or that changed it, newest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn history(
        &self,
        entity: &EntityId,
        query: &query::List,
    ) -> Result<Page<Past>, Error> {
        self.get(&format!("v1/entities/{entity}/transactions"), query).await
    }

    /// Records that notified an entity, newest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn notifications(
        &self,
        entity: &EntityId,
        query: &query::List,
    ) -> Result<Page<Past>, Error> {
        self.get(&format!("v1/entities/{entity}/notifications"), query).await
    }

    /// Transactions that wait for an entity's approval, or that it sent and that wait.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn pending(
        &self,
        entity: &EntityId,
        query: &query::List,
    ) -> Result<Page<PendingApproval>, Error> {
        self.get(&format!("v1/entities/{entity}/pending"), query).await
    }

    /// Who must sign for which actions of an organisation.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn policies(&self, entity: &EntityId) -> Result<Policies, Error> {
        self.get(&format!("v1/entities/{entity}/policies"), NONE).await
    }

    /// A command, and how far it is.
    ///
    /// # Errors
    /// `unknown_command` if no thing was ever asked for it.
    pub async fn command(&self, id: &TxId) -> Result<Command, Error> {
        self.get(&format!("v1/commands/{id}"), NONE).await
    }

    /// Commands of a thing, oldest first.
    ///
    /// # Errors
    /// `unknown_thing` if it is not registered.
    pub async fn commands(
        &self,
        thing: &ThingId,
        query: &query::Commands,
    ) -> Result<Page<Command>, Error> {
        self.get(&format!("v1/things/{thing}/commands"), query).await
    }

    /// A maker's voucher.
    ///
    /// # Errors
    /// `unknown_voucher` if no maker issued it.
    pub async fn voucher(&self, id: &VoucherId) -> Result<Voucher, Error> {
        self.get(&format!("v1/vouchers/{id}"), NONE).await
    }

    /// The DID document of an entity or thing.
    ///
    /// # Errors
    /// `unknown_did` if neither is registered.
    pub async fn resolve(&self, did: &str) -> Result<DidDocument, Error> {
        self.get(&format!("v1/dids/{did}"), NONE).await
    }

    /// A thing.
    ///
    /// # Errors
    /// `unknown_thing` if it is not registered.
    pub async fn thing(&self, thing: &ThingId) -> Result<Thing, Error> {
        self.get(&format!("v1/things/{thing}"), NONE).await
    }

    /// Things, ascending by id.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn things(&self, query: &query::Things) -> Result<Page<Thing>, Error> {
        self.get("v1/things", query).await
    }

    /// The Thing Description of a thing, byte for byte as its owner registered it.
    ///
    /// # Errors
    /// `unknown_thing` if it is not registered, `unknown_version` if it has no such version.
    pub async fn description(&self, thing: &ThingId, version: Option<u32>) -> Result<Bytes, Error> {
        let query = query::Description { version };
        self.get_bytes(&format!("v1/things/{thing}/description"), &query).await
    }

    /// A property of a thing: its stream and its latest reading.
    ///
    /// # Errors
    /// `unknown_stream` if the thing has no such property.
    pub async fn property(&self, thing: &ThingId, name: &str) -> Result<Property, Error> {
        let mut url = self.at(&format!("v1/things/{thing}/properties"));
        if let Ok(mut segments) = url.path_segments_mut() {
            // Pushed apart, since a name may hold a slash.
            segments.push(name);
        }
        self.get_at(url, NONE).await
    }

    /// A stream.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it.
    pub async fn stream(&self, stream: &StreamId) -> Result<Stream, Error> {
        self.get(&format!("v1/streams/{stream}"), NONE).await
    }

    /// A key of a confidential stream, wrapped to its readers.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it.
    pub async fn stream_key(
        &self,
        stream: &StreamId,
        number: u32,
    ) -> Result<StreamKeyShares, Error> {
        self.get(&format!("v1/streams/{stream}/keys/{number}"), NONE).await
    }

    /// What was erased of a stream, and who has confirmed it.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it.
    pub async fn erasures(&self, stream: &StreamId) -> Result<Erasures, Error> {
        self.get(&format!("v1/streams/{stream}/erasures"), NONE).await
    }

    /// Makes a webhook at this peer. This client must read as its maker, for [`WEBHOOK_PURPOSE`].
    ///
    /// # Errors
    /// [`Error`] if it is refused.
    pub async fn create_webhook(&self, new: &NewWebhook) -> Result<Webhook, Error> {
        let answer = self.post_json("v1/webhooks", new).await?;
        read_json(answer, &self.at("v1/webhooks")).await
    }

    /// The webhooks of whom this client reads as.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn webhooks(&self) -> Result<Webhooks, Error> {
        self.get("v1/webhooks", NONE).await
    }

    /// Pauses a webhook, or lets it go on.
    ///
    /// # Errors
    /// `unknown_webhook` if whom this client reads as has none of this id.
    pub async fn pause_webhook(&self, id: &str, paused: bool) -> Result<Webhook, Error> {
        let path = format!("v1/webhooks/{id}/{}", if paused { "pause" } else { "resume" });
        let answer = self.post_json(&path, &()).await?;
        read_json(answer, &self.at(&path)).await
    }

    /// Deletes a webhook.
    ///
    /// # Errors
    /// As [`pause_webhook`](Self::pause_webhook).
    pub async fn delete_webhook(&self, id: &str) -> Result<(), Error> {
        self.post_json(&format!("v1/webhooks/{id}/delete"), &()).await.map(|_| ())
    }

    /// To which key streams' keys are wrapped for an entity.
    ///
    /// # Errors
    /// `unknown_entity` if it is not registered.
    pub async fn agreement(&self, entity: &EntityId) -> Result<AgreementKey, Error> {
        self.get(&format!("v1/entities/{entity}/agreement"), NONE).await
    }

    /// Readings of a stream, ascending by sequence number.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it.
    pub async fn readings(
        &self,
        stream: &StreamId,
        query: &query::Readings,
    ) -> Result<Readings, Error> {
        self.get(&format!("v1/streams/{stream}/readings"), query).await
    }

    /// The latest readings of a stream by sequence number, the newest last.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it.
    pub async fn latest(&self, stream: &StreamId, limit: u32) -> Result<Readings, Error> {
        let query = query::Latest { limit: Some(limit) };
        self.get(&format!("v1/streams/{stream}/latest"), &query).await
    }

    /// A stream in buckets of claimed time.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it.
    pub async fn aggregates(
        &self,
        stream: &StreamId,
        query: &query::Aggregates,
    ) -> Result<Aggregates, Error> {
        self.get(&format!("v1/streams/{stream}/aggregates"), query).await
    }

    /// A property of the things that have a tag: the newest value of each, and what all come to.
    ///
    /// # Errors
    /// `invalid_query` if no property is named.
    pub async fn tagged_readings(
        &self,
        tag: &str,
        query: &query::Tagged,
    ) -> Result<TaggedReadings, Error> {
        let mut url = self.at("v1/tags");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend([tag, "readings"]);
        }
        self.get_at(url, query).await
    }

    /// Sequence numbers of a stream that did not come.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it.
    pub async fn gaps(&self, stream: &StreamId, query: &query::List) -> Result<Gaps, Error> {
        self.get(&format!("v1/streams/{stream}/gaps"), query).await
    }

    /// A transaction that the peer knows, waiting or final.
    ///
    /// # Errors
    /// `unknown_transaction` if it does not know it.
    pub async fn transaction(&self, id: &TxId) -> Result<Transaction, Error> {
        self.get(&format!("v1/transactions/{id}"), NONE).await
    }

    /// Final blocks, newest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn blocks(&self, query: &query::Blocks) -> Result<Page<BlockSummary>, Error> {
        self.get("v1/blocks", query).await
    }

    /// A final block.
    ///
    /// # Errors
    /// `unknown_block` if there is none at this height yet.
    pub async fn block(&self, height: u64, query: &query::List) -> Result<Block, Error> {
        self.get(&format!("v1/blocks/{height}"), query).await
    }

    /// The proof bundle of one reading.
    ///
    /// # Errors
    /// `unknown_reading` if there is none with this number; `proof_not_ready` if no later block
    /// commits to it yet.
    pub async fn prove_reading(&self, stream: &StreamId, seq: u64) -> Result<Bytes, Error> {
        self.get_bytes(&format!("v1/proofs/readings/{stream}/{seq}"), NONE).await
    }

    /// The proof bundle of all readings of a range, with completeness: nothing was left out.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it; `range_too_large` if it must be split.
    pub async fn prove_range(
        &self,
        stream: &StreamId,
        query: &query::Range,
    ) -> Result<Bytes, Error> {
        self.get_bytes(&format!("v1/proofs/ranges/{stream}"), query).await
    }

    /// The proof bundle of an aggregate over a range, with completeness.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it; `range_too_large` if it must be split.
    pub async fn prove_aggregate(
        &self,
        stream: &StreamId,
        query: &query::Range,
    ) -> Result<Bytes, Error> {
        self.get_bytes(&format!("v1/proofs/aggregates/{stream}"), query).await
    }

    /// The proof bundle of what the state holds under a raw key, or that it holds nothing there.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn prove_state(&self, key: &[u8]) -> Result<Bytes, Error> {
        self.get_bytes(&format!("v1/proofs/state/{}", hex::encode(key)), NONE).await
    }

    /// The proof bundle of a transaction's receipt.
    ///
    /// # Errors
    /// `unknown_transaction` if it is not final here; `proof_not_ready` if no later block commits
    /// to it yet.
    pub async fn prove_receipt(&self, id: &TxId) -> Result<Bytes, Error> {
        self.get_bytes(&format!("v1/proofs/receipts/{id}"), NONE).await
    }

    /// The proof bundle of a run of a trigger in the block at a height.
    ///
    /// # Errors
    /// `unknown_run` if it did not run there; `proof_not_ready` if no later block commits to it yet.
    pub async fn prove_run(&self, trigger: &TriggerId, height: u64) -> Result<Bytes, Error> {
        self.get_bytes(&format!("v1/proofs/runs/{trigger}/{height}"), NONE).await
    }

    /// Events from a cursor on, past ones first, without end.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn events(&self, query: &query::Events) -> Result<Events, Error> {
        let answer = self.open("v1/events", query).await?;
        Ok(Events::new(answer, query.after, self.config().event_silence_max))
    }

    /// The access policies of an owner.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn access_policies(
        &self,
        owner: &EntityId,
        query: &query::List,
    ) -> Result<Page<AccessPolicy>, Error> {
        self.get(&format!("v1/access/policies/{owner}"), query).await
    }

    /// The requests and grants that an entity has a part in.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn grants(&self, query: &query::Grants) -> Result<Page<Grant>, Error> {
        self.get("v1/access/grants", query).await
    }

    /// A request or grant.
    ///
    /// # Errors
    /// `unknown_grant` if there is none, any more or yet.
    pub async fn grant(&self, id: &GrantId) -> Result<Grant, Error> {
        self.get(&format!("v1/access/grants/{id}"), NONE).await
    }

    /// What became of access to what an owner has, the newest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn access_feed(&self, query: &query::Feed) -> Result<Page<EventRecord>, Error> {
        self.get("v1/access/feed", query).await
    }

    /// Whether an entity may do something, and why.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn explain_access(&self, query: &query::Explain) -> Result<Decision, Error> {
        self.get("v1/access/explain", query).await
    }
}
