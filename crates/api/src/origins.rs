//! How many connections may come from one place.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts connections by where they come from, so that nobody alone can take them all.
#[derive(Debug)]
pub(crate) struct Origins {
    each_max: usize,
    kept_max: usize,
    open: BTreeMap<IpAddr, Origin>,
}

#[derive(Debug)]
struct Origin {
    room: Arc<Semaphore>,
    told: bool,
}

impl Origins {
    /// At most `each_max` from each; `kept_max` is a bound on all of them together.
    pub(crate) const fn new(each_max: usize, kept_max: usize) -> Self {
        Self { each_max, kept_max, open: BTreeMap::new() }
    }

    /// A place for one more connection, until it is dropped; none if there are as many as may be.
    pub(crate) fn admit(&mut self, address: IpAddr) -> Option<OwnedSemaphorePermit> {
        if self.open.len() > self.kept_max {
            let each_max = self.each_max;
            self.open.retain(|_, origin| origin.room.available_permits() < each_max);
        }
        let new = || Origin { room: Arc::new(Semaphore::new(self.each_max)), told: false };
        let origin = self.open.entry(origin_of(address)).or_insert_with(new);
        let place = Arc::clone(&origin.room).try_acquire_owned().ok();
        // Once is enough: whoever floods connections should not flood the log too.
        if place.is_none() && !std::mem::replace(&mut origin.told, true) {
            tracing::warn!(
                %address,
                max = self.each_max,
                "a connection was closed: its address has as many as may be; if it is that of a \
                 reverse proxy, raise connections_per_address_max"
            );
        }
        place
    }
}

/// The places of a connection: among all, and among those of its address. What outlives its requests, as
/// a WebSocket does, keeps them.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    _places: Arc<(Option<OwnedSemaphorePermit>, OwnedSemaphorePermit)>,
}

impl Held {
    /// Holds both until the last clone is dropped.
    pub(crate) fn new(among_all: Option<OwnedSemaphorePermit>, own: OwnedSemaphorePermit) -> Self {
        Self { _places: Arc::new((among_all, own)) }
    }
}

/// Who sent a request, as far as its connection tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote(pub(crate) IpAddr);

/// Whoever has one IPv6 address has the 64 bits below it.
pub(crate) fn origin_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_of_one_holder_count_as_one() {
        for (one, other, same) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("2001:db8::1", "2001:db8::ffff:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            let found = origin_of(address(one)) == origin_of(address(other));
            assert_eq!(found, same, "{one} and {other}");
        }
    }

    #[test]
    fn each_has_its_own_room_and_gets_it_back() {
        let mut origins = Origins::new(2, 3);
        let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
        let first = origins.admit(one);
        let second = origins.admit(one);
        assert!(first.is_some() && second.is_some());
        assert!(origins.admit(one).is_none());
        assert!(origins.admit(other).is_some());
        drop(first);
        assert!(origins.admit(one).is_some());
        // Those without a connection are forgotten, and only those.
        for last in 0..100_u8 {
            origins.admit(IpAddr::from([10, 0, 1, last]));
            assert!(origins.open.len() <= 5);
        }
        assert!(origins.open.contains_key(&one));
        drop(second);
    }
}
