//! Confidential streams: nothing leaves the gateway unsealed.

use althing_types::{BatchHeader, Cipher, Payload, StreamKey, Wire as _};

use super::*;

fn key(number: u32) -> StreamKey {
    StreamKey::new(Cipher::ChaCha20Poly1305, number, [number as u8; 32])
}

/// A machine whose questions are answered as a ledger would whose stream is sealed so.
struct Gateway {
    machine: Machine,
    at: TimeMs,
    next_seq: u64,
    sealing: Sealing,
    heads: usize,
    submitted: Vec<(AttemptId, BatchHeader, Vec<u8>)>,
    held: Vec<Refusal>,
}

impl Gateway {
    fn new(records: Vec<Record>, next_seq: u64, sealing: Sealing) -> Self {
        let machine = Machine::recover(config(), records).unwrap();
        let (heads, submitted, held) = (0, vec![], vec![]);
        let mut gateway = Self { machine, at: T0, next_seq, sealing, heads, submitted, held };
        gateway.take(Input::Things(vec![pump()]));
        gateway
    }

    fn take(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.machine.handle(self.at, input) {
                match output {
                    Output::Persist { id, .. } => {
                        inputs.push_back(Input::Persisted { through: id });
                    }
                    Output::AskAccount { attempt } => inputs.push_back(account(attempt.0)),
                    Output::AskHead { attempt, .. } => {
                        self.heads += 1;
                        let (next_seq, sealing) = (self.next_seq, self.sealing.clone());
                        inputs.push_back(Input::Head { attempt, next_seq, sealing });
                    }
                    Output::Locate { attempt, .. } => {
                        let next_seq = self.next_seq;
                        inputs.push_back(Input::Located { attempt, batch: None, next_seq });
                    }
                    Output::Sign { attempt, body } => inputs.push_back(signed(attempt, body)),
                    Output::Submit { attempt, transaction, payload } => {
                        let header = transaction.batches().next().unwrap().clone();
                        self.submitted.push((attempt, header, payload));
                    }
                    Output::Held { refusal, .. } => self.held.push(refusal),
                    _ => {}
                }
            }
        }
    }

    fn publish_two(&mut self) {
        self.take(publish(1, "1"));
        self.take(publish(2, "2"));
    }

    /// Time passes until nothing is due.
    fn wait(&mut self) {
        while let Some(due) = self.machine.deadline().filter(|_| self.submitted.is_empty()) {
            self.at = self.at.max(due);
            self.take(Input::Tick);
            if !self.held.is_empty() {
                return;
            }
        }
    }
}

#[test]
fn what_is_confidential_is_sealed_under_the_present_key() {
    let mut gateway = Gateway::new(vec![], 40, Sealing::Under(key(1)));
    gateway.publish_two();
    let (_, header, payload) = gateway.submitted.pop().unwrap();
    assert!(header.hides_values());
    assert!(Payload::from_wire(&payload).is_err());
    let (_, opened) = key(1).open(&header, &payload).unwrap();
    assert_eq!((header.first_seq, opened.readings.len()), (40, 2));
}

/// The key was rotated while a batch was under way: the same readings are sealed anew.
#[test]
fn a_stale_key_is_replaced_and_the_readings_sealed_anew() {
    for refusal in [Refusal::StaleStreamKey, Refusal::UnknownStreamKey, Refusal::NotSealed] {
        let mut gateway = Gateway::new(vec![], 40, Sealing::Under(key(1)));
        gateway.publish_two();
        let (attempt, before, _) = gateway.submitted.pop().unwrap();
        gateway.sealing = Sealing::Under(key(2));
        gateway.take(outcome(attempt.0, Outcome::Refused(refusal)));
        gateway.wait();
        let (_, header, payload) = gateway.submitted.pop().unwrap();
        assert!(key(2).open(&header, &payload).is_ok(), "{refusal}");
        assert_eq!((header.first_seq, header.count), (before.first_seq, before.count));
    }
}

/// A stream may become confidential as long as it is empty: what was heard before there was anything
/// to be sealed does not count.
#[test]
fn an_empty_stream_is_asked_about_again_before_its_first_reading() {
    let mut gateway = Gateway::new(vec![], 0, Sealing::Open);
    assert_eq!(gateway.heads, 1);
    gateway.sealing = Sealing::Under(key(1));
    gateway.publish_two();
    let (_, header, _) = gateway.submitted.pop().unwrap();
    assert!(header.hides_values() && gateway.heads == 2);
}

/// What an earlier run left is asked about too.
#[test]
fn nothing_of_the_queue_goes_out_before_the_stream_is_known() {
    let records = vec![head(40), record(40, T0, 10), record(41, T0, 20)];
    let mut gateway = Gateway::new(records, 40, Sealing::Under(key(3)));
    gateway.wait();
    let (_, header, payload) = gateway.submitted.pop().unwrap();
    assert!(key(3).open(&header, &payload).is_ok());
}

#[test]
fn a_gateway_without_the_key_keeps_what_it_has_until_it_gets_it() {
    let mut gateway = Gateway::new(vec![], 40, Sealing::Locked);
    gateway.publish_two();
    assert_eq!((gateway.submitted.len(), gateway.held.len()), (0, 1));
    assert_eq!(gateway.held.pop(), Some(Refusal::NotSealed));
    gateway.sealing = Sealing::Under(key(1));
    gateway.wait();
    assert!(gateway.submitted.pop().unwrap().1.hides_values());
}
