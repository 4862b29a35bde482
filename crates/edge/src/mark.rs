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

/// The marks of sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks(BTreeMap<u64, OfSession>);

#[derive(Debug, Clone, Default)]
struct OfSession {
    /// Packet ids by place: as many as the client may have under way.
    waiting: BTreeMap<u64, u16>,
    /// The last place that needs no mark any more, as far as this run was told.
    passed: u64,
}

impl Marks {
    /// Whether a publish of this session and packet id is here.
    pub(crate) fn has(&self, mark: &Mark) -> bool {
        let of = self.0.get(&mark.session);
        of.is_some_and(|of| of.waiting.values().any(|id| *id == mark.id))
    }

    /// Whether what came of a later publish of the session is in the store already: then this one was
    /// on its way when its client came back, and what the client sent again was taken.
    pub(crate) fn is_late(&self, mark: &Mark) -> bool {
        self.0.get(&mark.session).is_some_and(|of| mark.number <= of.passed)
    }

    /// Adds a mark; one of the same packet id has this place from now on.
    pub(crate) fn insert(&mut self, mark: Mark) {
        let waiting = &mut self.0.entry(mark.session).or_default().waiting;
        waiting.retain(|_, id| *id != mark.id);
        waiting.insert(mark.number, mark.id);
    }

    /// Takes out the marks of a session up to a number, [`u64::MAX`] if it ended; whether there were any.
    pub(crate) fn pass(&mut self, session: u64, number: u64) -> bool {
        let Some(next) = number.checked_add(1) else {
            return self.0.remove(&session).is_some_and(|of| !of.waiting.is_empty());
        };
        let of = self.0.entry(session).or_default();
        of.passed = of.passed.max(number);
        let later = of.waiting.split_off(&next);
        !std::mem::replace(&mut of.waiting, later).is_empty()
    }

    /// Keeps those that are among others, too.
    pub(crate) fn keep(&mut self, others: &Self) {
        for (session, of) in &mut self.0 {
            let others = others.0.get(session);
            of.passed = others.map_or(0, |others| others.passed);
            let known = |number: &u64| others.and_then(|others| others.waiting.get(number));
            of.waiting.retain(|number, id| known(number) == Some(id));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Sessions with marks that wait.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = u64> + '_ {
        let waits =
            |(session, of): (&u64, &OfSession)| (!of.waiting.is_empty()).then_some(*session);
        self.0.iter().filter_map(waits)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Mark> + '_ {
        self.0.iter().flat_map(|(session, of)| {
            of.waiting.iter().map(|(number, id)| Mark {
                session: *session,
                number: *number,
                id: *id,
            })
        })
    }
}
