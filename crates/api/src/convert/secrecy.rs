//! Confidential streams and erasure: their actions and events.

use althing_client::model::{Action, BatchHolders, Event, Hex, Placement, StreamPlacement};
use althing_peer::query;
use althing_types::{self as types, StreamEvent, StreamId};

use super::event::About;
use crate::service::Service;

impl Service {
    /// An action about the secrecy of a stream. Wrapped keys are left out: who looks for a share finds
    /// it with the stream.
    pub(super) fn stream_action(&self, action: &types::Action) -> Action {
        let readers = |shares: &[types::KeyShare]| {
            shares.iter().map(|share| self.did(&share.reader)).collect()
        };
        match action {
            types::Action::PlaceStream(types::StreamPlacement { stream, placement }) => {
                Action::PlaceStream(self.placed(stream, placement))
            }
            types::Action::SetAgreementKey { key } => {
                Action::SetAgreementKey { key: hex::encode(key.0) }
            }
            types::Action::RotateStreamKey { stream, number, cipher, shares } => {
                Action::RotateStreamKey {
                    stream: Hex(*stream),
                    number: *number,
                    cipher: cipher.name().to_owned(),
                    readers: readers(shares),
                }
            }
            types::Action::ShareStreamKey { stream, number, shares } => Action::ShareStreamKey {
                stream: Hex(*stream),
                number: *number,
                readers: readers(shares),
            },
            types::Action::EraseReadings { stream, first_seq, last_seq } => Action::EraseReadings {
                stream: Hex(*stream),
                first_seq: *first_seq,
                last_seq: *last_seq,
            },
            types::Action::ConfirmErasure { stream, erasure } => {
                Action::ConfirmErasure { stream: Hex(*stream), erasure: *erasure }
            }
            _ => unreachable!("no action about a stream: {:?}", action.kind()),
        }
    }

    fn placed(&self, stream: &StreamId, placement: &types::Placement) -> StreamPlacement {
        StreamPlacement { stream: Hex(*stream), placement: self.placement(placement) }
    }

    pub(crate) fn batch_holders(&self, batch: &query::BatchHolders) -> BatchHolders {
        BatchHolders {
            first_seq: batch.first_seq,
            last_seq: batch.last_seq,
            peers: batch.peers.iter().map(|peer| self.did(peer)).collect(),
            here: batch.here,
            erased: batch.erased,
            past_retention: batch.past_retention,
        }
    }

    /// Who keeps the payloads of a stream, as its owner said.
    pub(crate) fn placement(&self, placement: &types::Placement) -> Placement {
        Placement {
            organisations: placement.organisations.iter().map(|id| self.did(id)).collect(),
            copies: placement.copies,
            retention_days: placement.retention_days,
        }
    }

    pub(super) fn stream_event(&self, event: &StreamEvent) -> Event {
        match event {
            StreamEvent::Placed { stream, placement } => {
                Event::StreamPlaced(self.placed(stream, placement))
            }
            StreamEvent::AgreementKeySet { entity, key } => {
                Event::AgreementKeySet { entity: self.did(entity), key: hex::encode(key.0) }
            }
            StreamEvent::KeyRotated { stream, number, readers } => {
                Event::StreamKeyRotated { stream: Hex(*stream), number: *number, readers: *readers }
            }
            StreamEvent::KeyShared { stream, number, readers } => Event::StreamKeyShared {
                stream: Hex(*stream),
                number: *number,
                readers: readers.iter().map(|reader| self.did(reader)).collect(),
            },
            StreamEvent::Erased { stream, erasure, first_seq, last_seq } => Event::ReadingsErased {
                stream: Hex(*stream),
                erasure: *erasure,
                first_seq: *first_seq,
                last_seq: *last_seq,
            },
            StreamEvent::ErasureConfirmed { stream, erasure, holder } => Event::ErasureConfirmed {
                stream: Hex(*stream),
                erasure: *erasure,
                holder: self.did(holder),
            },
        }
    }
}

impl About {
    pub(super) fn of_stream(event: &StreamEvent) -> Self {
        let (stream, entities): (Option<StreamId>, Vec<types::EntityId>) = match event {
            StreamEvent::AgreementKeySet { entity, .. } => (None, vec![*entity]),
            StreamEvent::KeyRotated { stream, .. }
            | StreamEvent::Erased { stream, .. }
            | StreamEvent::Placed { stream, .. } => (Some(*stream), Vec::new()),
            StreamEvent::KeyShared { stream, readers, .. } => (Some(*stream), readers.clone()),
            StreamEvent::ErasureConfirmed { stream, holder, .. } => (Some(*stream), vec![*holder]),
        };
        Self { stream, entities, ..Self::default() }
    }
}
