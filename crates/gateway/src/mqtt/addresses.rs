//! How many connections come from one address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Most addresses known at a time; beyond, new ones are turned away.
const ADDRESSES_MAX: usize = 65_536;
/// What new connections are counted in.
const WINDOW: Duration = Duration::from_secs(1);

/// Counts connections by address, or IPv6 /64.
#[derive(Debug)]
pub(crate) struct Addresses {
    open_max: usize,
    new_per_second_max: usize,
    known: Mutex<BTreeMap<IpAddr, Count>>,
}

#[derive(Debug)]
struct Count {
    open: usize,
    since: Instant,
    new: usize,
}

/// A connection counted; dropping it takes it back.
#[derive(Debug)]
pub(crate) struct Entered {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    pub(crate) fn new(open_max: usize, new_per_second_max: usize) -> Self {
        Self { open_max, new_per_second_max, known: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Count>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a new connection; none if there are too many of its address.
    pub(crate) fn enter(self: Arc<Self>, address: IpAddr) -> Option<Entered> {
        self.enter_at(address, Instant::now())
    }

    fn enter_at(self: Arc<Self>, address: IpAddr, now: Instant) -> Option<Entered> {
        let address = network(address);
        let mut known = self.lock();
        if known.len() >= ADDRESSES_MAX {
            known.retain(|_, count| count.open > 0 || now.duration_since(count.since) < WINDOW);
        }
        if known.len() >= ADDRESSES_MAX && !known.contains_key(&address) {
            return None;
        }
        let count = known.entry(address).or_insert(Count { open: 0, since: now, new: 0 });
        if now.duration_since(count.since) >= WINDOW {
            (count.since, count.new) = (now, 0);
        }
        count.new += 1;
        if count.open >= self.open_max || count.new > self.new_per_second_max {
            return None;
        }
        count.open += 1;
        drop(known);
        Some(Entered { addresses: self, address })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(count) = self.addresses.lock().get_mut(&self.address) {
            count.open -= 1;
        }
    }
}

/// Whoever has one address of a /64 has all of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_new_ones_in_a_second() {
        let addresses = Arc::new(Addresses::new(2, 3));
        let begin = Instant::now();
        let later =
            |text: &str, after| addresses.clone().enter_at(text.parse().unwrap(), begin + after);
        let enter = |text: &str| later(text, Duration::ZERO);
        let (first, second) = (enter("10.0.0.1"), enter("::ffff:10.0.0.1"));
        assert!(first.is_some() && second.is_some());
        assert!(enter("10.0.0.1").is_none(), "a third");
        assert!(enter("10.0.0.2").is_some(), "somebody else");
        drop(first);
        assert!(enter("10.0.0.1").is_none(), "the fourth within a second");
        assert!(later("10.0.0.1", WINDOW).is_some());
        let v6 = [enter("2001:db8::1"), enter("2001:db8::2")];
        assert!(v6.iter().all(Option::is_some));
        assert!(enter("2001:db8::3").is_none() && enter("2001:db8:0:1::3").is_some());
    }
}
