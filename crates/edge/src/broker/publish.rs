//! From a publish to the queues of those who subscribed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::filter::Asked;
use super::message::{Delivery, Published as Sent};
use super::session::{Session, SessionNo};
use super::tree::Match;
use super::{
    Broker, ConnectionId, Message, NotGranted, Options, Publisher, Qos, Reached, Subscription,
    WantsRetained, row,
};
use crate::Principal;

impl Broker {
    pub(super) fn session_mut(
        &mut self,
        connection: ConnectionId,
    ) -> Option<(SessionNo, &mut Session)> {
        let no = *self.connections.get(&connection)?;
        Some((no, self.sessions.get_mut(&no)?))
    }

    /// Subscribes, and hands over what is retained; the quality granted.
    ///
    /// # Errors
    /// [`NotGranted`].
    pub fn subscribe(
        &mut self,
        now: i64,
        connection: ConnectionId,
        new: &Subscription,
    ) -> Result<Qos, NotGranted> {
        let asked = Asked::parse(&new.filter).ok_or(NotGranted::Invalid)?;
        let no = *self.connections.get(&connection).ok_or(NotGranted::Gone)?;
        let session = self.sessions.get_mut(&no).ok_or(NotGranted::Gone)?;
        if !self.rights.may_subscribe(&session.principal, asked.filter) {
            return Err(NotGranted::NotAllowed);
        }
        let is_new = !session.subscriptions.contains_key(&new.filter);
        if is_new && session.subscriptions.len() >= self.limits.subscriptions_max {
            return Err(NotGranted::Full);
        }
        session.subscriptions.insert(new.filter.clone(), new.options);
        self.tree.insert(asked, no, new.options);
        self.write_session(no);
        let wants = match new.retained {
            WantsRetained::Always => true,
            WantsRetained::IfNew => is_new,
            WantsRetained::Never => false,
        };
        // MQTT 5 §4.8.2: a shared subscription gets nothing that is retained.
        if wants && asked.group.is_none() {
            self.deliver_retained(now, no, asked.filter, new.options);
        }
        Ok(new.options.qos)
    }

    fn deliver_retained(&mut self, now: i64, no: SessionNo, filter: &str, options: Options) {
        let due = self.retained.matching(filter, now, self.rights.as_ref());
        for topic in due.void {
            self.effects.writes.push(row::remove_retained(&topic));
        }
        for published in due.messages {
            let qos = published.message.qos.min(options.qos);
            let subscription_ids = options.id.into_iter().collect();
            self.hand(no, Delivery { published, qos, retain: true, subscription_ids });
        }
    }

    /// Unsubscribes; whether there was such a subscription.
    pub fn unsubscribe(&mut self, connection: ConnectionId, filter: &str) -> bool {
        let Some((no, session)) = self.session_mut(connection) else { return false };
        if session.subscriptions.remove(filter).is_none() {
            return false;
        }
        if let Some(asked) = Asked::parse(filter) {
            self.tree.remove(asked, no);
        }
        self.write_session(no);
        true
    }

    /// Delivers a message to whoever subscribed, and retains it if it says so. Whether its
    /// publisher may publish it must have been [asked](Self::objection) before.
    pub fn publish(&mut self, now: i64, from: Publisher<'_>, message: Message) -> Reached {
        let (own, by) = self.publisher(from);
        let published = Arc::new(Sent { message, by });
        if published.message.retain {
            self.retain(now, &published);
        }
        let mut reached = Reached::default();
        for (no, delivery) in self.deliveries(&published, own) {
            let is_connected =
                self.sessions.get(&no).is_some_and(|session| session.connection.is_some());
            if self.hand(no, delivery) {
                *(if is_connected { &mut reached.now } else { &mut reached.queued }) += 1;
            }
        }
        reached
    }

    /// The publisher's own session, and who it is.
    fn publisher(&self, from: Publisher<'_>) -> (Option<SessionNo>, Option<Principal>) {
        match from {
            Publisher::Client(connection, principal) => {
                (self.connections.get(&connection).copied(), Some(principal.clone()))
            }
            Publisher::Will(will) => {
                (self.names.get(&will.client).copied(), Some(will.principal.clone()))
            }
            Publisher::Gateway => (None, None),
        }
    }

    fn retain(&mut self, now: i64, published: &Arc<Sent>) {
        let topic = &published.message.topic;
        let was_held = self.retained.remove(topic);
        let wants = !published.message.payload.is_empty();
        if wants && !self.retained.has_room(published, &self.limits) {
            let swept = self.retained.sweep(now);
            self.effects.writes.extend(swept.iter().map(|topic| row::remove_retained(topic)));
        }
        if wants && self.retained.has_room(published, &self.limits) {
            self.retained.insert(published.clone());
            self.effects.writes.push(row::put_retained(published));
            return;
        }
        self.counters.not_retained += u64::from(wants);
        if was_held {
            self.effects.writes.push(row::remove_retained(topic));
        }
    }

    /// The one delivery to each session: overlapping subscriptions give the highest quality and all
    /// their ids (MQTT 5 §3.3.4). A message for a group goes to one member of it.
    fn deliveries(
        &mut self,
        published: &Arc<Sent>,
        own: Option<SessionNo>,
    ) -> BTreeMap<SessionNo, Delivery> {
        let topic = &published.message.topic;
        let (sessions, rights) = (&self.sessions, &self.rights);
        let may = |no: &SessionNo| {
            let session = sessions.get(no)?;
            rights.may_receive(&session.principal, topic).then_some(session)
        };
        let mut found = BTreeMap::new();
        let mut add = |no: SessionNo, options: Options| {
            let qos = published.message.qos.min(options.qos);
            let retain = published.message.retain && options.retain_as_published;
            let delivery = found.entry(no).or_insert_with(|| Delivery {
                published: published.clone(),
                qos,
                retain,
                subscription_ids: Vec::new(),
            });
            delivery.qos = delivery.qos.max(qos);
            delivery.retain |= retain;
            delivery.subscription_ids.extend(options.id);
        };
        self.tree.for_each_match(topic, &mut |hit| match hit {
            Match::Member(no, options) => {
                if !(options.no_local && own == Some(no)) && may(&no).is_some() {
                    add(no, options);
                }
            }
            Match::Group(group) => {
                let mut members: Vec<_> = group
                    .in_turn()
                    .filter_map(|(no, options)| Some((no, options, may(&no)?.connection.is_some())))
                    .collect();
                // Who is there goes before who is away; the sort keeps the turns.
                members.sort_by_key(|(.., is_connected)| !is_connected);
                if let Some((no, options, _)) = members.first() {
                    group.last = Some(*no);
                    add(*no, *options);
                }
            }
        });
        found
    }

    /// Puts a delivery into a session's queue; whether there was room.
    fn hand(&mut self, no: SessionNo, delivery: Delivery) -> bool {
        let Some(session) = self.sessions.get_mut(&no) else { return false };
        let is_kept = session.connection.is_some()
            || (session.is_durable() && delivery.qos != Qos::AtMostOnce);
        if !is_kept {
            return false;
        }
        let cost = delivery.published.message.cost();
        let (own_max, all_max) = (self.limits.queue_bytes_max, self.limits.queues_bytes_max);
        while session.bytes.saturating_add(cost) > own_max && delivery.qos != Qos::AtMostOnce {
            let Some(oldest) = session.oldest_unsent() else { break };
            let before = session.bytes;
            session.forget(oldest);
            session.unsent.retain(|number| *number != oldest);
            self.bytes -= before - session.bytes;
            self.counters.dropped += 1;
            if session.is_stored {
                self.effects.writes.push(row::remove_waiting(no, oldest));
            }
        }
        if session.bytes.saturating_add(cost) > own_max || self.bytes.saturating_add(cost) > all_max
        {
            self.counters.dropped += 1;
            return false;
        }
        self.bytes += cost;
        let qos = delivery.qos;
        let number = session.push(delivery);
        if session.is_stored
            && qos != Qos::AtMostOnce
            && let Some(waiting) = session.waiting.get(&number)
        {
            self.effects.writes.push(row::put_waiting(no, number, waiting));
        }
        self.effects.wake.extend(session.connection);
        true
    }
}
