//! Uses of grants that this peer served, until they are on the ledger (Y.4464 10.7 steps 5 to 7).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use althing_types::{AccessUse, Action, GrantId, limits::ACCESS_USES_MAX};

use crate::{
    own::{Acted, Own},
    problem::{Answer, Failure},
    reader::now_ms,
    service::Shared,
};

/// Most grants with uses that are not on the ledger yet.
const GRANTS_MAX: usize = 4_096;
/// How often uses are recorded: so long a crash of this peer can hide what it served.
const RECORD_INTERVAL: Duration = Duration::from_secs(2);

/// Uses that were served, by grant.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    served: Mutex<BTreeMap<GrantId, AccessUse>>,
    /// Whether somebody records them.
    recorded: bool,
}

impl Uses {
    /// With somebody who records them, or not.
    pub(crate) fn new(recorded: bool) -> Self {
        Self { served: Mutex::default(), recorded }
    }

    /// Notes one use now. `left` are those that the ledger still allows.
    pub(crate) fn note(&self, grant: GrantId, left: Option<u32>) -> Answer<()> {
        if !self.recorded {
            return Err(Failure::NotRecorded.into());
        }
        let now = now_ms();
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if served.len() >= GRANTS_MAX && !served.contains_key(&grant) {
            return Err(Failure::Busy.into());
        }
        let fresh = AccessUse { grant, count: 0, first_ms: now, last_ms: now };
        let mut one = served.get(&grant).cloned().unwrap_or(fresh);
        if left.is_some_and(|left| one.count >= left) {
            return Err(althing_types::Refusal::GrantExhausted.into());
        }
        one.count = one.count.saturating_add(1);
        // A clock that was set back is no reason to refuse the record.
        one.last_ms = one.last_ms.max(now);
        served.insert(grant, one);
        Ok(())
    }

    /// What is to be recorded next, ascending by grant.
    fn next(&self) -> Vec<AccessUse> {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.values().take(ACCESS_USES_MAX).cloned().collect()
    }

    /// Forgets what is on the ledger now; what was served meanwhile stays.
    fn forget(&self, recorded: &[AccessUse]) {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        for one in recorded {
            let Some(present) = served.get_mut(&one.grant) else { continue };
            present.count = present.count.saturating_sub(one.count);
            present.first_ms = one.last_ms.min(present.last_ms);
            if present.count == 0 {
                served.remove(&one.grant);
            }
        }
    }
}

/// Records uses for as long as the peer serves, one transaction after the other.
pub(crate) async fn record(service: Shared, own: Arc<Own>) {
    loop {
        tokio::time::sleep(RECORD_INTERVAL).await;
        let uses = service.uses.next();
        if !uses.is_empty() && submit(&service, &own, &uses).await {
            service.uses.forget(&uses);
        }
    }
}

/// Whether the uses need not be looked at again.
async fn submit(service: &Shared, own: &Own, uses: &[AccessUse]) -> bool {
    match own.act(service, Action::RecordAccess { uses: uses.to_vec() }).await {
        Acted::Final(0) => true,
        Acted::Final(code) => {
            tracing::warn!(code, "uses of grants were refused");
            // The rest of them is served, and a peer that was revoked records nothing more.
            true
        }
        Acted::Refused(refusal) => {
            tracing::warn!(%refusal, "uses of grants could not be recorded");
            false
        }
        Acted::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_counted_within_what_is_left_until_they_are_recorded() {
        let (grant, other) = (GrantId([1; 32]), GrantId([2; 32]));
        assert!(Uses::new(false).note(grant, None).is_err());
        let uses = Uses::new(true);
        for _ in 0..3 {
            uses.note(grant, Some(3)).unwrap();
        }
        assert!(uses.note(grant, Some(3)).is_err());
        uses.note(other, None).unwrap();
        let next = uses.next();
        assert_eq!(next.iter().map(|one| one.count).collect::<Vec<_>>(), [3, 1]);
        uses.note(other, None).unwrap();
        uses.forget(&next);
        let rest = uses.next();
        assert_eq!(rest.iter().map(|one| (one.grant, one.count)).collect::<Vec<_>>(), [(other, 1)]);
        assert!(rest[0].first_ms <= rest[0].last_ms);
    }

    #[test]
    fn grants_that_are_noted_are_bounded() {
        let uses = Uses::new(true);
        let grant =
            |number: usize| GrantId(althing_types::hash("", &[&(number as u64).to_be_bytes()]));
        assert!((0..GRANTS_MAX).all(|number| uses.note(grant(number), None).is_ok()));
        assert!(uses.note(grant(GRANTS_MAX), None).is_err());
        assert!(uses.note(grant(0), None).is_ok());
        assert_eq!(uses.next().len(), ACCESS_USES_MAX);
    }
}
