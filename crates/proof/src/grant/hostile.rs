//! What is shown to a service outside the ledger to be let in, whole and spoiled.

use alloc::vec::Vec;

use althing_types::{EntityKind, LedgerId, Reader, SigningKey, Suite};

use super::*;
use crate::{
    bundle::{Claim, verify},
    record::Given,
    testing::{Network, TinyLedger},
};

const SERVICE: EntityId = EntityId([0x5e; 32]);
const PURPOSE: &str = "forecast";
const AGE_MAX_MS: u64 = 60_000;

/// A ledger on which an entity holds a grant to call the service.
struct Scene {
    ledger: TinyLedger,
    access: Access,
}

/// All that decides.
#[derive(Clone)]
struct Shown {
    genesis: Genesis,
    owner: EntityId,
    now_ms: u64,
    reader: Reader,
    key: SigningKey,
    identity: Vec<u8>,
    grant: Vec<u8>,
}

fn given() -> Given {
    Given {
        by: SERVICE,
        since_height: 0,
        until_height: 1_000,
        count_max: 2,
        used: 1,
        used_ms: 0,
        revoked: None,
    }
}

impl Scene {
    fn new() -> Self {
        let ledger = TinyLedger::new(EntityKind::Service, Suite::Ed25519);
        let access = Access {
            owner: ledger.network.genesis.organisations[0].inception.id(),
            grantee: ledger.gateway,
            resource: Resource::Service(SERVICE),
            right: Right::Call,
            purpose: PURPOSE.into(),
        };
        let mut scene = Self { ledger, access };
        scene.grant(Some(given()));
        scene
    }

    fn grant(&mut self, given: Option<Given>) {
        let record = GrantRecord { access: self.access.clone(), given, asked: None };
        self.ledger.state.set(key::grant(&self.access.id()), record.to_wire());
    }

    fn revoke_entity(&mut self) {
        let key = key::entity(&self.ledger.gateway);
        let mut record = EntityRecord::from_wire(self.ledger.state.get(&key).unwrap()).unwrap();
        record.revoked = Some(1);
        self.ledger.state.set(key, record.to_wire());
    }

    /// A proof of what the state has at a key now, and the time of the block that states it.
    fn prove(&mut self, key: Vec<u8>) -> (Vec<u8>, u64) {
        let bundle = self.ledger.bundle(|ledger| Claim::state(ledger, key).unwrap());
        let bytes = bundle.to_bytes().unwrap();
        let time_ms = verify(&bytes, &self.ledger.network.genesis).unwrap().block.time_ms;
        (bytes, time_ms)
    }

    fn show(&mut self) -> Shown {
        let (identity, _) = self.prove(key::entity(&self.ledger.gateway));
        let (grant, now_ms) = self.prove(key::grant(&self.access.id()));
        let genesis = self.ledger.network.genesis.clone();
        let reader = Reader {
            ledger: genesis.ledger(),
            peer: SERVICE.0,
            entity: self.ledger.gateway,
            purpose: PURPOSE.into(),
            until_ms: now_ms + 30_000,
        };
        let (owner, key) = (self.access.owner, self.ledger.gateway_key.clone());
        Shown { genesis, owner, now_ms, reader, key, identity, grant }
    }
}

impl Shown {
    fn verdict(&self) -> Result<Access, NotAdmitted> {
        let token = self.reader.clone().sign(&self.key);
        self.verdict_on(&token)
    }

    fn verdict_on(&self, token: &ReaderToken) -> Result<Access, NotAdmitted> {
        let door = Door {
            genesis: &self.genesis,
            service: SERVICE,
            owner: self.owner,
            now_ms: self.now_ms,
            age_max_ms: AGE_MAX_MS,
        };
        admit(&door, &Presented { token, identity: &self.identity, grant: &self.grant })
    }
}

#[test]
fn who_shows_all_of_it_is_let_in_and_nobody_else() {
    use NotAdmitted as N;
    let mut scene = Scene::new();
    let good = scene.show();
    assert_eq!(good.verdict(), Ok(scene.access.clone()));
    let stranger = SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap();
    let other = scene.prove(key::grant(&althing_types::GrantId([9; 32]))).0;
    type Row<'a> = (&'a str, N, &'a dyn Fn(&mut Shown));
    let rows: &[Row<'_>] = &[
        ("a token that is over", N::Token, &|it| it.reader.until_ms = it.now_ms - 1),
        ("a token for too long", N::Token, &|it| it.reader.until_ms = it.now_ms + AGE_MAX_MS + 1),
        ("a token for another service", N::Token, &|it| it.reader.peer = [1; 32]),
        ("a token for another ledger", N::Token, &|it| it.reader.ledger = LedgerId([1; 32])),
        ("another purpose", N::Grant(NotInForce::OtherQuestion), &|it| {
            it.reader.purpose = "spying".into();
        }),
        ("no purpose", N::Grant(NotInForce::OtherQuestion), &|it| it.reader.purpose.clear()),
        ("another holder, as itself", N::Identity, &|it| it.reader.entity = EntityId([1; 32])),
        ("another holder, as this one", N::Signature, &|it| it.key = stranger.clone()),
        ("a service of another owner", N::Grant(NotInForce::OtherQuestion), &|it| {
            it.owner = EntityId([1; 32]);
        }),
        ("the grant in place of the identity", N::Identity, &|it| it.identity = it.grant.clone()),
        ("the identity in place of the grant", N::Grant(NotInForce::OtherQuestion), &|it| {
            it.grant = it.identity.clone();
        }),
        ("a proof of no grant", N::Grant(NotInForce::OtherQuestion), &|it| {
            it.grant = other.clone();
        }),
        ("what is too old", N::Stale, &|it| {
            it.now_ms += 2 * AGE_MAX_MS;
            it.reader.until_ms += 2 * AGE_MAX_MS;
        }),
    ];
    for (what, expected, spoil) in rows {
        let mut shown = good.clone();
        spoil(&mut shown);
        assert_eq!(shown.verdict().as_ref(), Err(expected), "{what}");
    }
    // Peers of another network, also one of the same organisations.
    let mut foreign = good.clone();
    foreign.genesis = Network::new(5).genesis;
    foreign.reader.ledger = foreign.genesis.ledger();
    assert!(matches!(foreign.verdict(), Err(N::Bundle(_))), "another set of peers");
}

#[test]
fn a_grant_counts_as_a_certified_state_has_it() {
    for (what, given, expected) in [
        ("used up", Some(Given { used: 2, ..given() }), NotInForce::UsedUp),
        ("over", Some(Given { until_height: 0, ..given() }), NotInForce::Over),
        ("not begun", Some(Given { since_height: 900, ..given() }), NotInForce::Over),
        ("revoked", Some(Given { revoked: Some(0), ..given() }), NotInForce::Over),
        ("asked for", None, NotInForce::NotGiven),
    ] {
        let mut scene = Scene::new();
        scene.grant(given);
        assert_eq!(scene.show().verdict(), Err(NotAdmitted::Grant(expected)), "{what}");
    }
    let mut scene = Scene::new();
    scene.ledger.state.remove(&key::grant(&scene.access.id()));
    assert_eq!(scene.show().verdict(), Err(NotAdmitted::Grant(NotInForce::None)));
}

/// What was revoked later is not in an older proof: that is what bounds its age.
#[test]
fn a_revocation_counts_once_it_is_shown_and_at_the_latest_when_the_proof_is_old() {
    type Change<'a> = (&'a str, NotAdmitted, &'a dyn Fn(&mut Scene));
    let rows: &[Change<'_>] = &[
        ("the grant", NotAdmitted::Grant(NotInForce::Over), &|scene| {
            scene.grant(Some(Given { revoked: Some(1), ..given() }));
        }),
        ("the entity", NotAdmitted::Identity, &|scene| scene.revoke_entity()),
        ("the key", NotAdmitted::Signature, &|scene| scene.ledger.rotate_key(Suite::P256, 78)),
    ];
    for (what, expected, revoke) in rows {
        let mut scene = Scene::new();
        let before = scene.show();
        revoke(&mut scene);
        let mut after = scene.show();
        after.key = before.key.clone();
        assert_eq!(after.verdict().as_ref(), Err(expected), "{what}");
        let mut old = Shown { now_ms: after.now_ms, ..before };
        assert!(old.verdict().is_ok(), "{what} was not revoked yet in what is shown");
        old.now_ms += 2 * AGE_MAX_MS;
        old.reader.until_ms = old.now_ms + 1;
        assert_eq!(old.verdict(), Err(NotAdmitted::Stale), "{what}");
    }
}

#[test]
fn no_altered_byte_lets_anybody_in() {
    let good = Scene::new().show();
    let token = good.reader.clone().sign(&good.key);
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let mut tried = 0;
    for at in (0..good.grant.len()).step_by(3) {
        let shown = Shown { grant: flipped(&good.grant, at), ..good.clone() };
        assert!(shown.verdict_on(&token).is_err(), "byte {at} of the grant");
        tried += 1;
    }
    for at in (0..good.identity.len()).step_by(3) {
        let shown = Shown { identity: flipped(&good.identity, at), ..good.clone() };
        assert!(shown.verdict_on(&token).is_err(), "byte {at} of the identity");
        tried += 1;
    }
    let wire = token.to_wire();
    for at in 0..wire.len() {
        let Ok(token) = ReaderToken::from_wire(&flipped(&wire, at)) else { continue };
        assert!(good.verdict_on(&token).is_err(), "byte {at} of the token");
        tried += 1;
    }
    assert!(tried > 500, "{tried}");
}

/// Nothing is remembered here: a service that serves once for a token must remember it.
#[test]
fn a_token_shown_again_says_the_same() {
    let good = Scene::new().show();
    let token = good.reader.clone().sign(&good.key);
    assert_eq!(good.verdict_on(&token), good.verdict_on(&token));
    assert!(good.verdict_on(&token).is_ok());
}
