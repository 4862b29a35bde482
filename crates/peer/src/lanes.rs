//! What waits to be admitted: one queue for each source, served in turn.
//!
//! Pure: no clock, no I/O. Whoever floods fills a queue of his own, and waits in it; the others are served
//! as if he were not there, but for the one turn that each has.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    ops::Bound,
};

use althing_ordering::PeerKey;

/// Where something to be admitted comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// A client of this process.
    Local,
    /// Clients at an address.
    Address(IpAddr),
    /// Another peer.
    Peer(PeerKey),
}

/// The queues.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    queues: BTreeMap<Lane, VecDeque<T>>,
    /// Whose turn was last.
    last: Option<Lane>,
    waiting: usize,
    waiting_max: usize,
    is_closed: bool,
}

impl<T> Lanes<T> {
    /// For at most so many items together.
    pub(crate) const fn new(waiting_max: usize) -> Self {
        Self { queues: BTreeMap::new(), last: None, waiting: 0, waiting_max, is_closed: false }
    }

    /// Puts an item into its lane; gives the one for which there is no room, which may be another. When
    /// all is full, the longest queue gives way to a shorter one.
    pub(crate) fn push(&mut self, lane: Lane, item: T) -> Option<T> {
        if self.is_closed {
            return Some(item);
        }
        let mut displaced = None;
        if self.waiting >= self.waiting_max {
            let own = self.queues.get(&lane).map_or(0, VecDeque::len);
            let longest = self.queues.iter().max_by_key(|(_, queue)| queue.len());
            match longest.map(|(lane, queue)| (*lane, queue.len())) {
                Some((longest, len)) if len > own + 1 => displaced = self.take_last(longest),
                _ => return Some(item),
            }
        }
        self.queues.entry(lane).or_default().push_back(item);
        self.waiting += 1;
        displaced
    }

    /// Drops all that waits, and takes nothing any more.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.queues.clear();
        self.waiting = 0;
    }

    /// Whether nothing is taken any more.
    pub(crate) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// The next item, of the source whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let behind = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let mut later = self.queues.range((behind, Bound::Unbounded));
        let lane = *later.next().or_else(|| self.queues.first_key_value())?.0;
        self.last = Some(lane);
        let item = self.queues.get_mut(&lane)?.pop_front();
        self.taken(lane, item)
    }

    fn take_last(&mut self, lane: Lane) -> Option<T> {
        let item = self.queues.get_mut(&lane)?.pop_back();
        self.taken(lane, item)
    }

    fn taken(&mut self, lane: Lane, item: Option<T>) -> Option<T> {
        self.waiting -= usize::from(item.is_some());
        if self.queues.get(&lane).is_some_and(VecDeque::is_empty) {
            self.queues.remove(&lane);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Lane {
        Lane::Address(IpAddr::from([10, 0, 0, number]))
    }

    const PEER: Lane = Lane::Peer([7; 32]);

    fn drained(lanes: &mut Lanes<(u8, u32)>) -> Vec<(u8, u32)> {
        std::iter::from_fn(|| lanes.pop()).collect()
    }

    #[test]
    fn sources_take_turns_and_each_keeps_its_order() {
        let mut lanes = Lanes::new(100);
        for number in 0..5 {
            assert_eq!(lanes.push(client(1), (1, number)), None);
        }
        assert_eq!(lanes.push(PEER, (7, 0)), None);
        assert_eq!(lanes.push(client(2), (2, 0)), None);
        assert_eq!(lanes.push(client(2), (2, 1)), None);
        assert_eq!(lanes.pop(), Some((1, 0)));
        // Who comes later waits for one item of each of the others at most.
        assert_eq!(lanes.push(Lane::Local, (0, 0)), None);
        let expected = [(2, 0), (7, 0), (0, 0), (1, 1), (2, 1), (1, 2), (1, 3), (1, 4)];
        assert_eq!(drained(&mut lanes), expected);
        assert_eq!((lanes.waiting, lanes.queues.len()), (0, 0));
    }

    #[test]
    fn a_flood_makes_room_for_the_others_and_not_for_itself() {
        let mut lanes = Lanes::new(4);
        for number in 0..4 {
            assert_eq!(lanes.push(client(1), (1, number)), None);
        }
        assert_eq!(lanes.push(client(1), (1, 4)), Some((1, 4)), "its own is full");
        assert_eq!(lanes.push(PEER, (7, 0)), Some((1, 3)), "the newest of the longest gives way");
        assert_eq!(lanes.push(client(2), (2, 0)), Some((1, 2)));
        // Two have one, one has two: nobody has more than his share.
        assert_eq!(lanes.push(PEER, (7, 1)), Some((7, 1)));
        assert_eq!(lanes.push(client(3), (3, 0)), Some((1, 1)));
        assert_eq!(lanes.push(client(4), (4, 0)), Some((4, 0)));
        assert_eq!(drained(&mut lanes), [(1, 0), (2, 0), (3, 0), (7, 0)]);
        assert_eq!(lanes.push(PEER, (7, 2)), None);
        lanes.close();
        assert_eq!((lanes.pop(), lanes.push(PEER, (7, 3))), (None, Some((7, 3))));
    }
}
