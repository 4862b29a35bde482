use alloc::{collections::BTreeMap, format, string::ToString, vec, vec::Vec};

use althing_types::{
    Certificate, EntityId, EntityKind, Genesis, Header, Inception, Mechanism, Mode, Organisation,
    Parameters, PeerSeat, SigningKey, Suite, Validator, ValidatorSet,
};

use crate::{
    certificate::{Finalized, signed_bytes},
    testing::BEGIN_MS,
};

/// A genesis and the keys of its validators.
pub struct Network {
    /// The genesis: a consortium, one peer per organisation.
    pub genesis: Genesis,
    /// The validators now.
    pub validators: ValidatorSet,
    keys: BTreeMap<[u8; 32], SigningKey>,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap()
}

fn vote_key(key: &SigningKey) -> [u8; 32] {
    key.public_key().bytes.try_into().unwrap()
}

impl Network {
    /// A network of `count` organisations with a peer each.
    #[must_use]
    pub fn new(count: u8) -> Self {
        let inception = |kind, name: &str, seed: u8, index: u8| Inception {
            kind,
            name: format!("{name}-{index}"),
            key: key(seed + index).public_key(),
        };
        let mut organisations: Vec<Organisation> = (0..count)
            .map(|index| inception(EntityKind::Organisation, "organisation", 10, index))
            .map(|inception| Organisation { inception })
            .collect();
        organisations.sort_by_key(|organisation| organisation.inception.id());
        let mut peers: Vec<PeerSeat> = (0..count)
            .map(|index| PeerSeat {
                inception: inception(EntityKind::Peer, "peer", 30, index),
                organisation: organisations[usize::from(index)].inception.id(),
                key: vote_key(&key(50 + index)),
            })
            .collect();
        peers.sort_by_key(|peer| peer.key);
        let genesis = Genesis {
            version: 1,
            network: "tiny".to_string(),
            time_ms: BEGIN_MS,
            mode: Mode::Consortium,
            mechanism: Mechanism::Simplex,
            parameters: Parameters::standard(),
            organisations,
            peers,
            token: None,
        };
        let keys = (0..count).map(|index| (vote_key(&key(50 + index)), key(50 + index)));
        Self { validators: genesis.validators(), keys: keys.collect(), genesis }
    }

    /// The same peers, of one owner who trusts them all.
    #[must_use]
    pub fn of_raft(count: u8) -> Self {
        let mut network = Self::new(count);
        network.genesis.mode = Mode::Private;
        network.genesis.mechanism = Mechanism::Raft;
        network
    }

    /// New validators for the next epoch.
    pub fn next_validators(&mut self, count: u8) -> ValidatorSet {
        let epoch = self.validators.epoch + 1;
        let mut validators = vec![];
        for index in 0..count {
            let secret = [100 + index, epoch as u8].repeat(16).try_into().unwrap();
            let key = SigningKey::from_secret(Suite::Ed25519, secret).unwrap();
            validators.push(Validator {
                key: vote_key(&key),
                peer: EntityId([index; 32]),
                organisation: EntityId([index + 100; 32]),
            });
            self.keys.insert(vote_key(&key), key);
        }
        validators.sort();
        ValidatorSet { epoch, validators, mechanism: self.validators.mechanism }
    }

    /// The same validators in the next epoch, agreeing by a mechanism.
    #[must_use]
    pub fn next_agreement(&self, mechanism: Mechanism) -> ValidatorSet {
        let said = Some(mechanism).filter(|it| *it != self.genesis.mechanism);
        let epoch = self.validators.epoch + 1;
        ValidatorSet { epoch, mechanism: said, ..self.validators.clone() }
    }

    /// How the validators agree now.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.validators.agrees_by(self.genesis.mechanism)
    }

    /// Begins the next epoch.
    pub fn enter(&mut self, validators: ValidatorSet) {
        self.validators = validators;
    }

    /// The header with a certificate of the first quorum of validators.
    #[must_use]
    pub fn finalize(&self, header: Header) -> Finalized {
        let quorum = self.mechanism().quorum(self.validators.validators.len());
        self.finalize_by(header, &(0..quorum).collect::<Vec<_>>())
    }

    /// The header with a certificate of these validators, ascending, whether or not a quorum.
    #[must_use]
    pub fn finalize_by(&self, header: Header, signers: &[usize]) -> Finalized {
        let validators = &self.validators.validators;
        let Header { epoch, view, parent_view, .. } = header;
        let block = header.digest();
        let message =
            signed_bytes(self.mechanism(), &header.ledger, epoch, view, parent_view, &block);
        let mut bitmap = vec![0; validators.len().div_ceil(8)];
        let mut signatures = vec![];
        for signer in signers {
            bitmap[signer / 8] |= 0x80 >> (signer % 8);
            signatures.push(self.keys[&validators[*signer].key].sign(&message));
        }
        let certificate =
            Certificate { epoch, view, parent_view, block, signers: bitmap, signatures };
        Finalized::new(header, certificate)
    }
}
