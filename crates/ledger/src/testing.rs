//! A small ledger for tests: two organisations, a peer each, and blocks as they come.

use std::collections::BTreeMap;

use althing_proof::{
    bundle::StateProof,
    certificate::{Finalized, signed_bytes},
    link::{Advance, Shown},
    testing::Trie,
};
use althing_types::{
    Action, Allocation, Amount, BatchHeader, Body, Certificate, Digest, EntityId, EntityKind,
    ExecutionResult, Fees, Genesis, Header, Inception, LedgerId, Mechanism, Mode, Organisation,
    Parameters, Payload, PeerSeat, Reading, Receipt, Record, Refusal, SigningKey, StakeRules,
    StreamId, Suite, ThingId, Token, Transaction, TxId, Validator, ValidatorSet, Value,
    possession_bytes,
};

use crate::{BlockInput, Context, Outcome, check, execute, genesis, token};

pub(crate) type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// Time of block 0, milliseconds since 1970.
pub(crate) const BEGIN_MS: u64 = 1_700_000_000_000;

pub(crate) struct World {
    pub(crate) ledger: LedgerId,
    pub(crate) parameters: Parameters,
    pub(crate) state: State,
    pub(crate) height: u64,
    /// Time of the newest block, milliseconds since 1970.
    now_ms: u64,
    /// Who proposes the blocks to come.
    pub(crate) proposer: [u8; 32],
    /// Time from block to block, milliseconds.
    pub(crate) pace_ms: u64,
    keys: BTreeMap<EntityId, SigningKey>,
    nonces: BTreeMap<EntityId, u64>,
    /// Two organisations.
    pub(crate) a: EntityId,
    pub(crate) b: EntityId,
}

pub(crate) fn signing_key(seed: u8) -> SigningKey {
    let suite = if seed.is_multiple_of(2) { Suite::P256 } else { Suite::Ed25519 };
    SigningKey::from_secret(suite, [seed; 32]).unwrap()
}

pub(crate) fn inception(kind: EntityKind, seed: u8) -> Inception {
    Inception { kind, name: format!("{} {seed}", kind.name()), key: signing_key(seed).public_key() }
}

pub(crate) fn genesis() -> Genesis {
    let mut organisations: Vec<Organisation> = [1, 2]
        .map(|seed| Organisation { inception: inception(EntityKind::Organisation, seed) })
        .to_vec();
    organisations.sort_by_key(|organisation| organisation.inception.id());
    let mut peers: Vec<PeerSeat> = [11_u8, 13]
        .into_iter()
        .zip(&organisations)
        .map(|(seed, organisation)| PeerSeat {
            inception: inception(EntityKind::Peer, seed),
            organisation: organisation.inception.id(),
            key: signing_key(seed).public_key().bytes.try_into().unwrap(),
        })
        .collect();
    peers.sort_by_key(|peer| peer.key);
    let genesis = Genesis {
        version: 1,
        network: "test".into(),
        time_ms: BEGIN_MS,
        mode: Mode::Private,
        mechanism: Mechanism::Simplex,
        parameters: Parameters::standard(),
        organisations,
        peers,
        token: None,
    };
    genesis.check().unwrap();
    genesis
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(genesis())
    }

    /// A ledger with epochs of 32 blocks, whose peers agree by a mechanism.
    pub(crate) fn agreeing_by(mechanism: Mechanism) -> Self {
        let mut genesis = genesis();
        genesis.mechanism = mechanism;
        genesis.parameters.epoch_blocks = Some(32);
        genesis.check().unwrap();
        Self::of(genesis)
    }

    /// A ledger with tokens, of which organisation A begins with 1,000 and B with 500.
    pub(crate) fn with_tokens(fees: Fees) -> Self {
        Self::of(Self::token_genesis(fees))
    }

    /// The same, where seats follow from stakes.
    pub(crate) fn with_stake(rules: StakeRules) -> Self {
        Self::of(Self::stake_genesis(rules))
    }

    pub(crate) fn stake_genesis(rules: StakeRules) -> Genesis {
        let mut genesis = Self::token_genesis(Fees::default());
        genesis.mode = Mode::Public;
        genesis.parameters.stake = Some(rules);
        genesis.check().unwrap();
        genesis
    }

    /// The same as [`with_tokens`](Self::with_tokens), on a network of another name.
    pub(crate) fn beside(network: &str) -> Self {
        Self::of(Genesis { network: network.into(), ..Self::token_genesis(Fees::default()) })
    }

    pub(crate) fn genesis(network: &str) -> Genesis {
        Genesis { network: network.into(), ..Self::token_genesis(Fees::default()) }
    }

    /// What the state holds at a key, with a final block that commits to it.
    pub(crate) fn shown(&self, raw_key: &[u8]) -> Shown {
        let mut trie = Trie::default();
        for (key, value) in &self.state {
            trie.set(key.clone(), value.clone());
        }
        let mut header = self.header();
        let validators = crate::validators(&self.state).unwrap();
        header.validators = validators.digest();
        header.result.state_root = trie.root();
        let block = self.finalize(header, &validators);
        let (value, path) = (trie.get(raw_key).map(<[u8]>::to_vec), trie.path(raw_key));
        let row = StateProof { key: raw_key.to_vec(), value, path };
        Shown { advance: Advance { links: Vec::new(), block }, row }
    }

    fn finalize(&self, header: Header, validators: &ValidatorSet) -> Finalized {
        let Header { epoch, view, parent_view, .. } = header;
        let block = header.digest();
        let message =
            signed_bytes(Mechanism::Simplex, &self.ledger, epoch, view, parent_view, &block);
        let sign = |validator: &Validator| {
            let keys = [11, 13].map(signing_key);
            let own = |key: &&SigningKey| key.public_key().bytes == validator.key;
            keys.iter().find(own).unwrap().sign(&message)
        };
        let signatures = validators.validators.iter().map(sign).collect();
        let signers = vec![0b1100_0000];
        let certificate = Certificate { epoch, view, parent_view, block, signers, signatures };
        Finalized::new(header, certificate)
    }

    fn token_genesis(fees: Fees) -> Genesis {
        let mut genesis = genesis();
        let amounts = [(1, 1000), (2, 500)].map(|(seed, units)| Allocation {
            account: inception(EntityKind::Organisation, seed).id(),
            amount: Amount::from(units),
        });
        let mut initial = amounts.to_vec();
        initial.sort_by_key(|each| each.account);
        let (name, symbol) = ("Watt".into(), "watt".into());
        genesis.token = Some(Token { name, symbol, decimals: 2, initial });
        genesis.parameters.fees = Some(fees);
        genesis.parameters.epoch_blocks = Some(32);
        genesis.check().unwrap();
        genesis
    }

    fn of(genesis: Genesis) -> Self {
        let state = genesis::found(&genesis)
            .into_iter()
            .filter_map(|(key, value)| value.map(|value| (key, value)))
            .collect();
        let keys = [(EntityKind::Organisation, [1, 2]), (EntityKind::Peer, [11, 13])]
            .into_iter()
            .flat_map(|(kind, seeds)| {
                seeds.map(|seed| (inception(kind, seed).id(), signing_key(seed)))
            })
            .collect();
        Self {
            ledger: genesis.ledger(),
            parameters: genesis.parameters,
            state,
            height: 0,
            now_ms: BEGIN_MS,
            proposer: [0; 32],
            pace_ms: 1000,
            keys,
            nonces: BTreeMap::new(),
            a: inception(EntityKind::Organisation, 1).id(),
            b: inception(EntityKind::Organisation, 2).id(),
        }
    }

    pub(crate) fn time_ms(&self) -> u64 {
        self.now_ms
    }

    /// Time of the block to come.
    pub(crate) fn next_time_ms(&self) -> u64 {
        self.now_ms + self.pace_ms
    }

    /// A transaction with the sender's next nonce; further signers after it.
    pub(crate) fn signed(&mut self, signers: &[EntityId], actions: Vec<Action>) -> Transaction {
        let nonce = self.nonces.entry(signers[0]).or_default();
        *nonce += 1;
        let body = Body::new(&self.ledger, signers[0], *nonce - 1, self.height + 1000, actions);
        self.sign(signers, body)
    }

    pub(crate) fn sign(&self, signers: &[EntityId], body: Body) -> Transaction {
        let others: Vec<_> = signers[1..].iter().map(|id| (*id, &self.keys[id])).collect();
        Transaction::sign(&self.ledger, body, &self.keys[&signers[0]], &others)
    }

    pub(crate) fn body(&self, sender: EntityId, nonce: u64, actions: Vec<Action>) -> Body {
        Body::new(&self.ledger, sender, nonce, self.height + 1000, actions)
    }

    pub(crate) fn header(&self) -> Header {
        Header {
            version: 1,
            ledger: self.ledger,
            height: self.height + 1,
            parent: Digest::default(),
            time_ms: self.next_time_ms(),
            proposer: self.proposer,
            epoch: 0,
            view: self.height + 1,
            parent_view: self.height,
            validators: Digest::default(),
            next_validators: None,
            transactions: Digest::default(),
            count: 0,
            result: ExecutionResult {
                height: self.height,
                state_root: Digest::default(),
                receipts_root: Digest::default(),
            },
        }
    }

    /// Executes the next block.
    pub(crate) fn block(&mut self, transactions: &[Transaction]) -> Outcome {
        let header = self.header();
        let transactions: Vec<&Transaction> = transactions.iter().collect();
        let block = BlockInput { header: &header, transactions: &transactions };
        let outcome = execute(&self.state, &block).unwrap();
        self.height += 1;
        self.now_ms = header.time_ms;
        for (key, value) in &outcome.writes {
            match value {
                Some(value) => self.state.insert(key.clone(), value.clone()),
                None => self.state.remove(key),
            };
        }
        let audit = token::audit(&self.state).unwrap();
        assert!(audit.holds(), "tokens came from nowhere or are lost: {audit:?}");
        outcome
    }

    pub(crate) fn check(&self, transaction: &Transaction) -> Result<(), Refusal> {
        let now = Context {
            ledger: self.ledger,
            height: self.height,
            time_ms: self.next_time_ms(),
            parameters: &self.parameters,
        };
        check(&self.state, &now, transaction)
    }

    /// Executes one transaction in a block of its own. Admission must agree with the receipt, but for
    /// what contracts say when they run.
    pub(crate) fn run(&mut self, transaction: Transaction) -> Receipt {
        let checked = self.check(&transaction);
        let calls = |action: &Action| {
            use Action as A;
            // The last may be the approval of one of the others.
            matches!(
                action,
                A::Execute { .. }
                    | A::Instantiate { .. }
                    | A::Migrate { .. }
                    | A::AcceptContract { .. }
                    | A::Approve { .. }
            )
        };
        let calls = transaction.body().actions.iter().any(calls);
        let receipt = self.block(&[transaction]).receipts.remove(0);
        let waits = receipt.code == Refusal::AwaitingApproval.number();
        let executed = match Refusal::from_number(receipt.code) {
            Some(refusal) if !waits => Err(refusal),
            _ => Ok(()),
        };
        if checked.is_err() || !calls {
            assert_eq!(checked, executed, "admission and execution differ");
        }
        receipt
    }

    /// What becomes of one action.
    pub(crate) fn act(&mut self, sender: EntityId, action: Action) -> Result<Receipt, Refusal> {
        let transaction = self.signed(&[sender], vec![action]);
        let receipt = self.run(transaction);
        match Refusal::from_number(receipt.code) {
            Some(refusal) => Err(refusal),
            None => Ok(receipt),
        }
    }

    /// Does an action that must succeed.
    pub(crate) fn must(&mut self, sender: EntityId, action: Action) -> Receipt {
        self.act(sender, action).unwrap()
    }

    pub(crate) fn registration(&self, kind: EntityKind, seed: u8) -> Action {
        let inception = inception(kind, seed);
        let message = possession_bytes(&self.ledger, &inception.id(), &inception.key);
        Action::RegisterEntity { inception, possession: signing_key(seed).sign(&message) }
    }

    /// An entity of organisation A.
    pub(crate) fn member(&mut self, kind: EntityKind, seed: u8) -> EntityId {
        self.member_of(self.a, kind, seed)
    }

    /// An entity of an organisation.
    pub(crate) fn member_of(&mut self, owner: EntityId, kind: EntityKind, seed: u8) -> EntityId {
        let registration = self.registration(kind, seed);
        self.must(owner, registration);
        let id = inception(kind, seed).id();
        self.keys.insert(id, signing_key(seed));
        id
    }

    pub(crate) fn rotation(&self, entity: EntityId, seed: u8) -> Action {
        let key = signing_key(seed).public_key();
        let message = possession_bytes(&self.ledger, &entity, &key);
        Action::RotateKey { entity, key, possession: signing_key(seed).sign(&message) }
    }

    /// From now on transactions of the entity are signed with this key.
    pub(crate) fn use_key(&mut self, entity: EntityId, seed: u8) {
        self.keys.insert(entity, signing_key(seed));
    }

    /// A thing of organisation A with the properties of [`description`].
    pub(crate) fn thing(&mut self, name: &str) -> ThingId {
        self.must(self.a, registration_of(name, &description(PROPERTIES)));
        ThingId::derive(&self.a, name)
    }
}

/// One property of each kind of stream, and one that is none.
pub(crate) const PROPERTIES: &str = r#"
    "temperature": {"type": "number", "multipleOf": 0.1, "unit": "degC", "minimum": -40, "maximum": 85, "forms": [{"href": "t"}]},
    "count": {"type": "integer", "forms": [{"href": "c"}]},
    "open": {"type": "boolean", "forms": [{"href": "o"}]},
    "label": {"type": "string", "forms": [{"href": "l"}]},
    "image": {"type": "string", "contentEncoding": "base64", "forms": [{"href": "i"}]},
    "status": {"type": "object", "forms": [{"href": "s"}]}"#;

pub(crate) fn description(properties: &str) -> String {
    format!(
        r#"{{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "Sensor", "title": "A sensor",
        "securityDefinitions": {{"none": {{"scheme": "nosec"}}}}, "security": "none",
        "properties": {{{properties}}}}}"#
    )
}

pub(crate) fn registration_of(name: &str, description: &str) -> Action {
    Action::RegisterThing { name: name.into(), description: description.as_bytes().to_vec() }
}

pub(crate) fn note(data: &[u8]) -> Action {
    Action::Record(Record {
        kind: "note".into(),
        data: data.to_vec(),
        notify: Vec::new(),
        link: None,
    })
}

/// A batch of `count` readings of 21.5 at scale 1.
pub(crate) fn batch(stream: StreamId, first_seq: u64, count: usize) -> BatchHeader {
    numbers(stream, first_seq, &vec![215; count])
}

pub(crate) fn numbers(stream: StreamId, first_seq: u64, mantissas: &[i64]) -> BatchHeader {
    let values = mantissas.iter().map(|mantissa| Value::Number(*mantissa)).collect();
    of_values(stream, first_seq, values)
}

pub(crate) fn of_values(stream: StreamId, first_seq: u64, values: Vec<Value>) -> BatchHeader {
    let claimed_ms = BEGIN_MS as i64;
    let readings = values
        .into_iter()
        .map(|value| Reading { claimed_ms, received_ms: claimed_ms, value })
        .collect();
    Payload { readings }.header(stream, first_seq)
}

pub(crate) fn id_of(receipt: &Receipt) -> TxId {
    receipt.transaction
}
