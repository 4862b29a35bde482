//! Records: data that entities write for themselves or each other to find (Y.4464 10.1).

use althing_state::Read;
use althing_types::{Event, Record, Refusal};

use crate::{
    index,
    transition::{Actor, Stop, Transition},
};

/// Writes a record and notifies those it names.
///
/// It changes no key of the state: the record is in its block for ever, its receipt tells of it,
/// and a state that kept every record would grow without end. For the same reason the state cannot
/// say whether a linked transaction exists; peers look that up in their index at admission
/// ([`links`](crate::links)), and a link that leads nowhere misleads nobody but who follows it.
pub(crate) fn write<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    record: &Record,
) -> Result<(), Stop> {
    for recipient in &record.notify {
        state.entity(recipient)?.ok_or(Refusal::UnknownEntity)?;
    }
    index::recorded(state, actor, record);
    state.emit(Event::Recorded {
        sender: actor.id,
        kind: record.kind.clone(),
        notify: record.notify.clone(),
        link: record.link,
    });
    Ok(())
}

#[cfg(test)]
mod tests;
