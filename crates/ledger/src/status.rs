//! The status of a thing: whether it is online, its firmware, where it is.

use althing_state::Read;
use althing_types::{
    EntityId, Event, Place, Refusal, Status, ThingId, Wire,
    limits::{NAME_BYTES_MAX, STATUS_REPORTS_MAX, STATUS_WINDOW_MS},
};
use minicbor::{Decode, Encode};

use crate::{
    binding, index, key as own_key, thing,
    transition::{Actor, Stop, Transition},
};

/// What was last said of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StatusRecord {
    /// Ledger time of the last report, milliseconds since 1970.
    #[n(0)]
    pub reported_ms: u64,
    /// Who made it.
    #[n(1)]
    pub reporter: EntityId,
    /// Ledger time at which reports began to be counted, milliseconds since 1970.
    #[n(2)]
    pub window_ms: u64,
    /// Reports since then.
    #[n(3)]
    pub window_reports: u32,
    /// Ledger time since which it has been online, or not, milliseconds since 1970.
    #[n(4)]
    pub online_since_ms: u64,
    /// Whether it can be reached, if anybody said.
    #[n(5)]
    pub online: Option<bool>,
    /// Version of its firmware, if anybody said.
    #[n(6)]
    pub firmware: Option<String>,
    /// Where it is, if anybody said.
    #[n(7)]
    pub place: Option<Place>,
}

impl Wire for StatusRecord {
    const BYTES_MAX: usize = NAME_BYTES_MAX + 128;
}

/// Takes what the owner, the device or a bound gateway says.
pub(crate) fn report<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    status: &Status,
) -> Result<(), Stop> {
    let thing = thing::present(state, id)?;
    binding::may_speak(state, id, &thing, &actor.id)?;
    let (key, now_ms) = (own_key::status(id), state.now.time_ms);
    let before: StatusRecord = state.get(&key)?.unwrap_or_default();
    let mut record = before.clone();
    count(&mut record, now_ms)?;
    if status.online.is_some() && status.online != before.online {
        record.online = status.online;
        record.online_since_ms = now_ms;
    }
    if status.firmware.is_some() {
        record.firmware.clone_from(&status.firmware);
    }
    if status.place.is_some() {
        record.place = status.place;
    }
    record.reported_ms = now_ms;
    record.reporter = actor.id;
    if before.place != record.place {
        index::thing_placed(state, id, before.place, record.place);
    }
    state.put(key, &record);
    state.emit(Event::StatusReported { thing: *id, reporter: actor.id, status: status.clone() });
    Ok(())
}

/// Counts a report in the present window, or begins the next.
fn count(record: &mut StatusRecord, now_ms: u64) -> Result<(), Refusal> {
    if now_ms.saturating_sub(record.window_ms) >= STATUS_WINDOW_MS {
        record.window_ms = now_ms;
        record.window_reports = 0;
    }
    if record.window_reports >= STATUS_REPORTS_MAX {
        return Err(Refusal::StatusTooOften);
    }
    record.window_reports += 1;
    Ok(())
}

#[cfg(test)]
mod tests;
