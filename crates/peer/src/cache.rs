//! Payloads that other peers keep and this one fetched for somebody who asked: in memory, the oldest go
//! first.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

/// Most bytes of them.
pub(crate) const CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Fetched payloads by digest.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    payloads: BTreeMap<[u8; 32], Bytes>,
    /// In the order in which they came; also those that were removed since.
    order: VecDeque<[u8; 32]>,
    bytes: usize,
}

impl Cache {
    pub(crate) fn get(&self, digest: &[u8; 32]) -> Option<Bytes> {
        self.payloads.get(digest).cloned()
    }

    pub(crate) fn keep(&mut self, digest: [u8; 32], payload: Bytes) {
        let len = payload.len();
        if len > CACHE_BYTES_MAX || self.payloads.insert(digest, payload).is_some() {
            return;
        }
        self.bytes += len;
        self.order.push_back(digest);
        while self.bytes > CACHE_BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else { return };
            self.forget(&oldest);
        }
    }

    pub(crate) fn remove(&mut self, digest: &[u8; 32]) {
        if self.payloads.contains_key(digest) {
            self.forget(digest);
            self.order.retain(|other| other != digest);
        }
    }

    fn forget(&mut self, digest: &[u8; 32]) {
        if let Some(payload) = self.payloads.remove(digest) {
            self.bytes -= payload.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetched_payloads_are_bounded_and_the_oldest_go_first() {
        let mut cache = Cache::default();
        let part = Bytes::from(vec![0; CACHE_BYTES_MAX / 4]);
        for number in 0..5 {
            cache.keep([number; 32], part.clone());
            cache.keep([number; 32], part.clone());
        }
        assert!(cache.get(&[0; 32]).is_none() && cache.get(&[4; 32]).is_some());
        assert_eq!(cache.bytes, CACHE_BYTES_MAX);
        cache.remove(&[2; 32]);
        cache.remove(&[2; 32]);
        assert!(cache.get(&[2; 32]).is_none());
        assert_eq!((cache.bytes, cache.order.len()), (CACHE_BYTES_MAX / 4 * 3, 3));
        cache.keep([9; 32], Bytes::from(vec![0; CACHE_BYTES_MAX + 1]));
        assert!(cache.get(&[9; 32]).is_none());
    }
}
