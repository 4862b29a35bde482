//! Tags: words by which an owner's things are found, beside what their descriptions say.

use althing_state::Read;
use althing_types::{Event, Refusal, ThingTags, Wire, WireError, limits::THING_TAGS_MAX};
use minicbor::{Decode, Encode};

use crate::{
    index, key as own_key, thing,
    transition::{Actor, Stop, Transition},
};

/// The tags of a thing, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Tags(#[n(0)] pub Vec<String>);

impl Wire for Tags {
    const BYTES_MAX: usize = THING_TAGS_MAX * 66 + 2;

    fn validate(&self) -> Result<(), WireError> {
        if (1..=THING_TAGS_MAX).contains(&self.0.len()) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("tags"))
        }
    }
}

/// Says by which tags a thing is found; by its owner. They stay when it passes on to another.
pub(crate) fn set<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    said: &ThingTags,
) -> Result<(), Stop> {
    let ThingTags { thing: id, tags } = said;
    thing::owned(state, actor, id)?;
    let key = own_key::tags(id);
    let Tags(before) = state.get(&key)?.unwrap_or_default();
    if before == *tags {
        return Err(Refusal::ChangesNothing.into());
    }
    for tag in before.iter().filter(|tag| !tags.contains(tag)) {
        index::thing_tagged(state, tag, id, false);
    }
    for tag in tags {
        index::thing_tagged(state, tag, id, true);
    }
    if tags.is_empty() {
        state.remove(key);
    } else {
        state.put(key, &Tags(tags.clone()));
    }
    state.emit(Event::ThingTagged(said.clone()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use althing_types::{Action, ThingId};

    use super::*;
    use crate::testing::World;

    fn tags(world: &World, thing: &ThingId) -> Vec<String> {
        let found = world.state.get(&own_key::tags(thing));
        found.map(|bytes| minicbor::decode::<Tags>(bytes).unwrap().0).unwrap_or_default()
    }

    #[test]
    fn an_owner_says_by_which_words_its_things_are_found() {
        let mut world = World::new();
        let thing = world.thing("machine");
        let (a, b) = (world.a, world.b);
        let say = |words: &[&str]| {
            let tags = words.iter().map(|word| (*word).to_owned()).collect();
            Action::TagThing(ThingTags { thing, tags })
        };
        let unknown =
            Action::TagThing(ThingTags { thing: ThingId([9; 32]), tags: vec!["x".into()] });
        for (sender, action, expected) in [
            (a, unknown, Err(Refusal::UnknownThing)),
            (b, say(&["hall 3"]), Err(Refusal::NotPermitted)),
            (a, say(&[]), Err(Refusal::ChangesNothing)),
            (a, say(&["cold", "hall 3"]), Ok(vec!["cold", "hall 3"])),
            (a, say(&["cold", "hall 3"]), Err(Refusal::ChangesNothing)),
            (a, say(&["hall 3", "warm"]), Ok(vec!["hall 3", "warm"])),
            (a, say(&[]), Ok(vec![])),
        ] {
            let was = tags(&world, &thing);
            let done = world.act(sender, action.clone()).map(|receipt| receipt.events);
            match expected {
                Ok(expected) => {
                    let Action::TagThing(said) = action else { panic!() };
                    assert_eq!(done, Ok(vec![Event::ThingTagged(said)]));
                    assert_eq!(tags(&world, &thing), expected);
                }
                Err(refusal) => {
                    assert_eq!(done, Err(refusal), "{action:?}");
                    assert_eq!(tags(&world, &thing), was);
                }
            }
        }
    }
}
