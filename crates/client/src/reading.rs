use std::sync::{Mutex, PoisonError};

use althing_types::{EntityId, LedgerId, Reader, SigningKey, Wire as _};

use crate::{operating::ACT_MS_MAX, time::now_ms};

/// How long a token counts, milliseconds: well below what peers take, so that clocks may differ.
const TOKEN_MS: u64 = 300_000;
/// How long before its end a token is made anew, milliseconds.
const RENEWED_BEFORE_MS: u64 = 60_000;

/// How long a token of an act counts, milliseconds: below what peers take, so that clocks may differ.
const ACT_TOKEN_MS: u64 = ACT_MS_MAX - 15_000;

/// Who a client reads as, and what for.
#[derive(Debug, Clone)]
pub struct ReadingAs {
    /// Who reads.
    pub entity: EntityId,
    /// Its key.
    pub key: SigningKey,
    /// What for: the purpose of the grant that is read under; empty if no grant is needed.
    pub purpose: String,
}

/// Makes tokens for one peer, and keeps the last one.
#[derive(Debug)]
pub(crate) struct Tokens {
    who: ReadingAs,
    /// Ledger and voting key of the peer, once it has said them.
    peer: Mutex<Option<(LedgerId, [u8; 32])>>,
    last: Mutex<Option<(String, u64)>>,
    /// Until when the last token of an act counted: the next counts longer, and so is another one.
    last_act_ms: Mutex<u64>,
}

impl Tokens {
    pub(crate) const fn new(who: ReadingAs) -> Self {
        Self { who, peer: Mutex::new(None), last: Mutex::new(None), last_act_ms: Mutex::new(0) }
    }

    pub(crate) fn knows_peer(&self) -> bool {
        self.peer.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(crate) fn learn(&self, ledger: LedgerId, peer: [u8; 32]) {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner) = Some((ledger, peer));
    }

    /// The value of the header; none as long as the peer is not known.
    pub(crate) fn bearer(&self) -> Option<String> {
        let (ledger, peer) = (*self.peer.lock().unwrap_or_else(PoisonError::into_inner))?;
        let now = now_ms();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((bearer, until_ms)) = last.as_ref()
            && now.saturating_add(RENEWED_BEFORE_MS) < *until_ms
        {
            return Some(bearer.clone());
        }
        let until_ms = now.saturating_add(TOKEN_MS);
        let ReadingAs { entity, key, purpose } = &self.who;
        let reader = Reader { ledger, peer, entity: *entity, purpose: purpose.clone(), until_ms };
        let bearer = format!("Bearer {}", hex::encode(reader.sign(key).to_wire()));
        *last = Some((bearer.clone(), until_ms));
        Some(bearer)
    }

    /// A token for one act of an operator. No two of them are alike.
    pub(crate) fn once(&self, purpose: String) -> Option<String> {
        let (ledger, peer) = (*self.peer.lock().unwrap_or_else(PoisonError::into_inner))?;
        let mut last_ms = self.last_act_ms.lock().unwrap_or_else(PoisonError::into_inner);
        let until_ms = now_ms().saturating_add(ACT_TOKEN_MS).max(last_ms.saturating_add(1));
        *last_ms = until_ms;
        let ReadingAs { entity, key, .. } = &self.who;
        let reader = Reader { ledger, peer, entity: *entity, purpose, until_ms };
        Some(format!("Bearer {}", hex::encode(reader.sign(key).to_wire())))
    }
}
