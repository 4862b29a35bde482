use althing_types::{
    Action, Change, Demands, EntityId, Placement, Proposal, Refusal, StreamPlacement,
};

use super::*;
use crate::testing::{World, batch, description, registration_of};

const PROPERTY: &str = r#""power": {"type": "integer", "forms": [{"href": "p"}]}"#;

fn regulation(id: &str, thing_type: Option<&str>, demands: Demands) -> Regulation {
    Regulation {
        id: id.into(),
        text: "As the law says.".into(),
        reference: "Article 1".into(),
        jurisdiction: "EU".into(),
        thing_type: thing_type.map(Into::into),
        demands,
    }
}

impl World {
    fn put_to_vote(&mut self, change: Change) -> Result<(), Refusal> {
        let (a, b) = (self.a, self.b);
        let proposal = Action::Propose(Proposal { change, reason: String::new() });
        let proposal = self.act(a, proposal)?.transaction;
        self.must(b, Action::Vote { proposal, accept: true });
        Ok(())
    }

    fn regulate(&mut self, id: &str, thing_type: Option<&str>, demands: Demands) {
        let said = regulation(id, thing_type, demands);
        self.put_to_vote(Change::SetRegulation(said)).unwrap();
    }

    /// A thing of organisation A with one stream.
    fn metered(&mut self, name: &str) -> StreamId {
        self.must(self.a, registration_of(name, &description(PROPERTY)));
        StreamId::derive(&ThingId::derive(&self.a, name), "power")
    }

    fn submits(&mut self, stream: StreamId, first_seq: u64) -> Result<(), Refusal> {
        self.act(self.a, Action::SubmitBatch(batch(stream, first_seq, 1))).map(|_| ())
    }

    fn places(
        &mut self,
        stream: StreamId,
        days: Option<u32>,
        of: &[EntityId],
    ) -> Result<(), Refusal> {
        let placement =
            Placement { organisations: of.to_vec(), copies: None, retention_days: days };
        let said = StreamPlacement { stream, placement };
        self.act(self.a, Action::PlaceStream(said)).map(|_| ())
    }

    fn broken_by(&mut self, action: Action) -> Option<String> {
        let (height, time_ms) = (self.height, self.next_time_ms());
        let transaction = self.signed(&[self.a], vec![action]);
        let now = Context { ledger: self.ledger, height, time_ms, parameters: &self.parameters };
        broken(&self.state, &now, &transaction).unwrap().map(|regulation| regulation.id)
    }
}

#[test]
fn what_breaks_a_regulation_is_refused_and_named_until_it_is_mended_or_ended() {
    let mut world = World::new();
    let stream = world.metered("meter");
    world.submits(stream, 0).unwrap();
    let demands = Demands {
        retention_days_min: Some(10),
        retention_days_max: Some(30),
        ..Demands::default()
    };
    world.regulate("gdpr-5", Some("Sensor"), demands);
    // It holds for streams that were there before, from the next reading on.
    let next = Action::SubmitBatch(batch(stream, 1, 1));
    assert_eq!(world.broken_by(next).as_deref(), Some("gdpr-5"));
    assert_eq!(world.submits(stream, 1), Err(Refusal::RegulationBroken));
    for days in [None, Some(9), Some(31)] {
        let said = Placement { retention_days: days, copies: Some(1), ..Placement::default() };
        let place = Action::PlaceStream(StreamPlacement { stream, placement: said });
        assert_eq!(world.broken_by(place.clone()).as_deref(), Some("gdpr-5"), "{days:?}");
        assert_eq!(world.act(world.a, place).map(|_| ()), Err(Refusal::RegulationBroken));
    }
    world.places(stream, Some(30), &[]).unwrap();
    world.submits(stream, 1).unwrap();
    // What must be kept is not erased.
    let erase = Action::EraseReadings { stream, first_seq: 0, last_seq: 0 };
    assert_eq!(world.broken_by(erase.clone()).as_deref(), Some("gdpr-5"));
    assert_eq!(world.act(world.a, erase.clone()).map(|_| ()), Err(Refusal::RegulationBroken));
    world.put_to_vote(Change::EndRegulation { id: "gdpr-5".into() }).unwrap();
    assert_eq!(in_force(&world.state).unwrap(), []);
    world.must(world.a, erase);
    world.places(stream, None, &[]).unwrap();
    world.submits(stream, 2).unwrap();
}

#[test]
fn a_regulation_is_about_its_type_of_things_and_says_who_keeps_and_what_is_secret() {
    let mut world = World::new();
    let stream = world.metered("meter");
    let (a, b) = (world.a, world.b);
    world.regulate("others", Some("Lamp"), Demands { confidential: true, ..Demands::default() });
    world.submits(stream, 0).unwrap();
    world.regulate("at-home", None, Demands { holders: vec![a], ..Demands::default() });
    assert_eq!(world.submits(stream, 1), Err(Refusal::RegulationBroken));
    assert_eq!(world.places(stream, None, &[b]), Err(Refusal::RegulationBroken));
    world.places(stream, None, &[a]).unwrap();
    world.submits(stream, 1).unwrap();
    world.regulate("secret", None, Demands { confidential: true, ..Demands::default() });
    assert_eq!(world.submits(stream, 2), Err(Refusal::RegulationBroken));
    let now = Context {
        ledger: world.ledger,
        height: world.height,
        time_ms: world.next_time_ms(),
        parameters: &world.parameters,
    };
    let told = about(&world.state, &now, &stream).unwrap();
    let told: Vec<(&str, bool)> = told.iter().map(|(one, holds)| (&*one.id, *holds)).collect();
    assert_eq!(told, [("at-home", true), ("secret", false)]);
}

#[test]
fn regulations_are_bounded_and_changed_by_vote_alone() {
    let mut world = World::new();
    let keep = |days| Demands { retention_days_min: Some(days), ..Demands::default() };
    let set = |id: &str, days| Change::SetRegulation(regulation(id, None, keep(days)));
    world.put_to_vote(set("r", 1)).unwrap();
    assert_eq!(world.put_to_vote(set("r", 1)), Err(Refusal::ChangesNothing));
    world.put_to_vote(set("r", 2)).unwrap();
    assert_eq!(in_force(&world.state).unwrap(), [regulation("r", None, keep(2))]);
    let stranger = Demands { holders: vec![EntityId([9; 32])], ..Demands::default() };
    let foreign = Change::SetRegulation(regulation("s", None, stranger));
    assert_eq!(world.put_to_vote(foreign), Err(Refusal::NotAMember));
    let unknown = Change::EndRegulation { id: "s".into() };
    assert_eq!(world.put_to_vote(unknown), Err(Refusal::UnknownRegulation));
    for number in 1..REGULATIONS_MAX {
        world.put_to_vote(set(&format!("n{number:02}"), 1)).unwrap();
    }
    assert_eq!(world.put_to_vote(set("one-more", 1)), Err(Refusal::TooManyRegulations));
    let all = in_force(&world.state).unwrap();
    assert!(all.len() == REGULATIONS_MAX && all.is_sorted_by(|one, next| one.id < next.id));
}
