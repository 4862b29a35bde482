//! Marks of publishes of QoS 2 whose readings are in the queue and of which the store of sessions may
//! not know yet.
//!
//! Readings are durable before the sessions are: they are flushed one after the other. A client that is
//! cut off in between sends its publish again, and nothing but the queue can say that its readings were
//! taken. So a publish and its mark are one frame there, and the mark stays until the sessions'
//! store says itself that the publish was taken.

use std::collections::BTreeMap;

/// Names a publish of QoS 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its client's session, by the number that the broker gave that.
    pub session: u64,
    /// Its place among those of the session. On every connection they count on from the highest that
    /// the store of sessions knows: clients send again in the order of the first time
    /// (MQTT-4.6.0-1), so that one that comes again has the place it had, or an earlier one.
    pub number: u64,
    /// Its packet id.
    pub id: u16,
}

/// The marks that wait, by session: for each as many as its client may have under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks(BTreeMap<u64, BTreeMap<u64, u16>>);

impl Marks {
    /// Whether a publish of this session and packet id is here.
    pub(crate) fn has(&self, mark: &Mark) -> bool {
        let of = self.0.get(&mark.session);
        of.is_some_and(|of| of.values().any(|id| *id == mark.id))
    }

    /// Adds a mark; one of the same packet id has this place from now on.
    pub(crate) fn insert(&mut self, mark: Mark) {
        let of = self.0.entry(mark.session).or_default();
        of.retain(|_, id| *id != mark.id);
        of.insert(mark.number, mark.id);
    }

    /// Takes out the marks of a session up to a number; whether there were any.
    pub(crate) fn pass(&mut self, session: u64, number: u64) -> bool {
        let Some(of) = self.0.get_mut(&session) else { return false };
        let later = number.checked_add(1).map(|from| of.split_off(&from)).unwrap_or_default();
        let were_any = !of.is_empty();
        *of = later;
        if of.is_empty() {
            self.0.remove(&session);
        }
        were_any
    }

    /// Keeps those that are among others, too.
    pub(crate) fn keep(&mut self, others: &Self) {
        self.0.retain(|session, of| {
            let others = others.0.get(session);
            of.retain(|number, id| others.is_some_and(|others| others.get(number) == Some(id)));
            !of.is_empty()
        });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.keys().copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Mark> + '_ {
        self.0.iter().flat_map(|(session, of)| {
            of.iter().map(|(number, id)| Mark { session: *session, number: *number, id: *id })
        })
    }
}
