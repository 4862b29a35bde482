//! Clients come and go; sessions begin, last and end.

use crate::Principal;

use super::filter::Asked;
use super::session::{Session, SessionNo, after_s};
use super::{Broker, ConnectionId, Dismissal, Hello, Parting, Unwelcome, Welcome, Will, row};

impl Broker {
    /// Ends sessions and publishes wills whose time has come.
    pub fn tick(&mut self, now: i64) {
        while let Some((at, no)) = self.timers.first().copied() {
            if at > now {
                return;
            }
            self.timers.remove(&(at, no));
            let Some(session) = self.sessions.get_mut(&no) else { continue };
            session.timer_ms = None;
            if session.will_ms.is_some_and(|at| at <= now) {
                self.publish_will(no, now);
            }
            let ends = |session: &Session| session.ends_ms.is_some_and(|at| at <= now);
            if self.sessions.get(&no).is_some_and(ends) {
                self.end(no, now);
            } else {
                self.set_timer(no);
            }
        }
    }

    /// Lets a client in.
    ///
    /// # Errors
    /// [`Unwelcome`].
    pub fn connect(&mut self, now: i64, hello: Hello) -> Result<Welcome, Unwelcome> {
        let may_leave =
            |will: &Will| self.rights.may_publish(&hello.principal, &will.message.topic);
        if self.rights.is_shut_out(&hello.principal) {
            return Err(Unwelcome::ShutOut);
        }
        if !hello.will.as_ref().is_none_or(may_leave) {
            return Err(Unwelcome::Will);
        }
        let known = self.names.get(&hello.client).copied();
        if let Some(session) = known.and_then(|no| self.sessions.get(&no)) {
            if session.principal != hello.principal {
                return Err(Unwelcome::NotYours);
            }
        } else if self.sessions.len() >= self.limits.sessions_max {
            return Err(Unwelcome::Full);
        }
        if let Some(no) = known {
            self.take_over(no, now, hello.is_clean);
        }
        Ok(self.enter(hello))
    }

    /// Ends what an earlier connection of the client left, as far as it does not go on.
    fn take_over(&mut self, no: SessionNo, now: i64, is_clean: bool) {
        let connection = self.sessions.get(&no).and_then(|session| session.connection);
        if let Some(connection) = connection {
            self.effects.dismissed.push((connection, Dismissal::TakenOver));
            self.close(now, connection, Parting::Broken);
        }
        // A session without expiry has ended by now.
        if is_clean && self.sessions.contains_key(&no) {
            self.end(no, now);
        }
    }

    fn enter(&mut self, hello: Hello) -> Welcome {
        let connection = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let known = self.names.get(&hello.client).copied();
        let no = known.unwrap_or_else(|| {
            let no = SessionNo(self.next_session);
            self.next_session += 1;
            self.names.insert(hello.client.clone(), no);
            self.sessions.insert(no, Session::new(hello.client.clone(), hello.principal.clone()));
            no
        });
        let expiry_s = hello.expiry_s.min(self.limits.session_expiry_s_max);
        let in_flight_max = hello.in_flight_max.min(self.limits.inflight_max).max(1);
        if let Some(session) = self.sessions.get_mut(&no) {
            session.expiry_s = expiry_s;
            (session.connection, session.in_flight_max) = (Some(connection), in_flight_max);
            session.ends_ms = None;
            session.marked = session.passed;
            self.bytes -= session.bytes;
            session.send_again();
            self.bytes += session.bytes;
            if !session.unsent.is_empty() {
                self.effects.wake.insert(connection);
            }
        }
        self.connections.insert(connection, no);
        self.replace_will(no, hello.will);
        self.set_timer(no);
        self.write_session(no);
        Welcome { connection, is_present: known.is_some(), expiry_s }
    }

    /// Ends the connections of a principal, such as one whose key counts no more. What they left to be
    /// said is not said; their sessions wait for somebody who may go on with them.
    pub fn dismiss(&mut self, now: i64, principal: &Principal, why: Dismissal) {
        let of_principal = |no: &SessionNo| {
            self.sessions.get(no).is_some_and(|session| session.principal == *principal)
        };
        let connections: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, no)| of_principal(no))
            .map(|(connection, _)| *connection)
            .collect();
        for connection in connections {
            self.effects.dismissed.push((connection, why));
            self.close(now, connection, Parting::Clean(None));
        }
    }

    /// Who is connected; once for each connection.
    pub fn present(&self) -> impl Iterator<Item = &Principal> {
        let sessions = self.connections.values().filter_map(|no| self.sessions.get(no));
        sessions.map(|session| &session.principal)
    }

    /// A connection ended. Ending it again, or after a dismissal, changes nothing.
    pub fn close(&mut self, now: i64, connection: ConnectionId, parting: Parting) {
        let Some(no) = self.connections.remove(&connection) else { return };
        let expiry_max = self.limits.session_expiry_s_max;
        let Some(session) = self.sessions.get_mut(&no) else { return };
        session.connection = None;
        if let Parting::Clean(Some(expiry_s)) | Parting::WithWill(Some(expiry_s)) = parting
            // MQTT-3.14.2.2.2: a session that was to end with its connection cannot be kept.
            && session.expiry_s > 0
        {
            session.expiry_s = expiry_s.min(expiry_max);
        }
        if matches!(parting, Parting::Clean(_) | Parting::Stopping) {
            session.will = None;
        }
        session.ends_ms = session.end_after(now);
        session.will_ms = session.will.as_ref().map(|will| after_s(now, will.delay_s));
        if session.will_ms.is_some_and(|at| at <= now) {
            self.publish_will(no, now);
        }
        if self.sessions.get(&no).is_some_and(|session| session.expiry_s == 0) {
            return self.end(no, now);
        }
        self.set_timer(no);
        self.write_session(no);
    }

    /// Ends a session; its will does not wait any longer (MQTT-3.1.3-9).
    pub(super) fn end(&mut self, no: SessionNo, now: i64) {
        self.publish_will(no, now);
        self.write_will(no);
        let Some(session) = self.sessions.remove(&no) else { return };
        self.names.remove(&session.client);
        if let Some(at) = session.timer_ms {
            self.timers.remove(&(at, no));
        }
        for filter in session.subscriptions.keys() {
            if let Some(asked) = Asked::parse(filter) {
                self.tree.remove(asked, no);
            }
        }
        self.bytes -= session.bytes;
        let writes = &mut self.effects.writes;
        if session.is_stored {
            writes.push(row::remove_session(no));
            writes.extend(session.waiting.keys().map(|number| row::remove_waiting(no, *number)));
            writes.extend(session.unreleased.iter().map(|id| row::remove_unreleased(no, *id)));
            writes.push(row::remove_passed(no));
            // Nobody sends its messages again.
            self.effects.passed.push((no.0, u64::MAX));
        }
    }

    pub(super) fn set_timer(&mut self, no: SessionNo) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        let wake = session.wake_ms();
        if let Some(old) = std::mem::replace(&mut session.timer_ms, wake) {
            self.timers.remove(&(old, no));
        }
        if let Some(new) = wake {
            self.timers.insert((new, no));
        }
    }

    /// Writes a session that outlives its connection; removes one that does no more.
    pub(super) fn write_session(&mut self, no: SessionNo) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        match (session.is_durable(), session.is_stored) {
            (true, _) => {
                if !session.is_stored {
                    let waiting = session.waiting.iter();
                    let waiting = waiting.map(|(number, w)| row::put_waiting(no, *number, w));
                    self.effects.writes.extend(waiting);
                }
                session.is_stored = true;
                self.effects.writes.push(row::put_session(no, session));
            }
            (false, true) => {
                session.is_stored = false;
                let writes = &mut self.effects.writes;
                writes.push(row::remove_session(no));
                writes.extend(session.waiting.keys().map(|n| row::remove_waiting(no, *n)));
                writes.extend(session.unreleased.iter().map(|id| row::remove_unreleased(no, *id)));
                writes.push(row::remove_passed(no));
                self.effects.passed.push((no.0, u64::MAX));
            }
            (false, false) => {}
        }
        self.write_will(no);
    }
}
