//! What gateways say of themselves: kept in memory, since it is out of date after a restart anyway.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use althing_client::model::{GatewayPresence, GatewayReport};
use althing_types::EntityId;

use crate::problem::{Answer, Failure};

/// Most gateways that are remembered.
const GATEWAYS_MAX: usize = 1_024;
/// Most gateways of one owner among them: nobody keeps out the others'.
const PER_OWNER_MAX: usize = 256;
/// How long after its last report a gateway counts as silent: three of
/// [`GATEWAY_REPORT_INTERVAL`](althing_client::model::GATEWAY_REPORT_INTERVAL) are missing.
const SILENT_AFTER: Duration = Duration::from_secs(35);

/// A gateway that reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) name: String,
    pub(crate) owner: Option<EntityId>,
    /// When, milliseconds since 1970.
    pub(crate) at_ms: u64,
    pub(crate) report: GatewayReport,
}

impl Reported {
    pub(crate) fn presence(&self, now_ms: u64) -> GatewayPresence {
        if self.report.stopping {
            GatewayPresence::Stopped
        } else if Duration::from_millis(now_ms.saturating_sub(self.at_ms)) > SILENT_AFTER {
            GatewayPresence::Silent
        } else {
            GatewayPresence::Present
        }
    }
}

/// The last report of each gateway.
#[derive(Debug, Default)]
pub(crate) struct Gateways(Mutex<BTreeMap<EntityId, Reported>>);

impl Gateways {
    /// Remembers a report. Where there is no room, it takes the place of a gateway that is not there
    /// any more, the one that reported longest ago; `busy` if all are.
    pub(crate) fn note(&self, gateway: EntityId, reported: Reported) -> Answer<()> {
        let mut known = self.lock();
        if !known.contains_key(&gateway) {
            let owner = reported.owner;
            let is_of_owner = |one: &Reported| one.owner == owner;
            let of_owner = known.values().filter(|one| is_of_owner(one)).count();
            if of_owner >= PER_OWNER_MAX {
                make_room(&mut known, reported.at_ms, is_of_owner)?;
            } else if known.len() >= GATEWAYS_MAX {
                make_room(&mut known, reported.at_ms, |_| true)?;
            }
        }
        known.insert(gateway, reported);
        Ok(())
    }

    /// All of them, ascending by id.
    pub(crate) fn all(&self) -> Vec<(EntityId, Reported)> {
        self.lock().iter().map(|(id, reported)| (*id, reported.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EntityId, Reported>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(
    known: &mut BTreeMap<EntityId, Reported>,
    now_ms: u64,
    may_go: impl Fn(&Reported) -> bool,
) -> Answer<()> {
    let gone = known
        .iter()
        .filter(|(_, one)| may_go(one) && one.presence(now_ms) != GatewayPresence::Present)
        .min_by_key(|(_, one)| one.at_ms);
    let gone = gone.map(|(id, _)| *id).ok_or(Failure::Busy)?;
    known.remove(&gone);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> EntityId {
        EntityId(althing_types::hash("", &[&(number as u64).to_be_bytes()]))
    }

    fn said(owner: usize, at_ms: u64, stopping: bool) -> Reported {
        let report = GatewayReport { stopping, ..<_>::default() };
        Reported { name: String::new(), owner: Some(id(owner)), at_ms, report }
    }

    #[test]
    fn a_gateway_is_present_until_three_reports_are_missing_or_it_says_that_it_goes() {
        let silent_ms = u64::try_from(SILENT_AFTER.as_millis()).unwrap();
        for (stopping, later_ms, expected) in [
            (false, 0, GatewayPresence::Present),
            (false, silent_ms, GatewayPresence::Present),
            (false, silent_ms + 1, GatewayPresence::Silent),
            (true, 0, GatewayPresence::Stopped),
            (true, silent_ms + 1, GatewayPresence::Stopped),
        ] {
            let reported = said(0, 1_000, stopping);
            assert_eq!(reported.presence(1_000 + later_ms), expected, "{stopping} {later_ms}");
        }
        // A clock that was set back makes nobody silent.
        assert_eq!(said(0, 1_000, false).presence(0), GatewayPresence::Present);
    }

    #[test]
    fn gateways_are_bounded_and_those_that_are_gone_make_room() {
        let gateways = Gateways::default();
        for number in 0..GATEWAYS_MAX {
            gateways.note(id(number), said(number / PER_OWNER_MAX, 1_000, number == 7)).unwrap();
        }
        // A fifth owner's takes the place of the only one that said that it goes.
        gateways.note(id(5_000), said(4, 1_000, false)).unwrap();
        assert!(gateways.all().iter().all(|(known, _)| *known != id(7)));
        assert_eq!(gateways.all().len(), GATEWAYS_MAX);
        assert!(gateways.note(id(5_001), said(4, 1_000, false)).is_err());
        // Who is known may always report, and an owner may not push out the others'.
        gateways.note(id(8), said(0, 200_000, false)).unwrap();
        let present = |one: &(EntityId, Reported)| one.1.at_ms == 200_000;
        assert!(gateways.all().iter().any(present));
        gateways.note(id(5_002), said(1, 200_000, false)).unwrap();
        let of_first = |one: &&(EntityId, Reported)| one.1.owner == Some(id(0));
        let all = gateways.all();
        assert_eq!(all.iter().filter(of_first).count(), PER_OWNER_MAX - 1);
        assert_eq!(all.len(), GATEWAYS_MAX);
    }
}
