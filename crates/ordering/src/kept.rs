//! What was heard of other peers' addresses, on disk, for when this peer starts again.

use bytes::Bytes;
use commonware_codec::RangeCfg;
use commonware_storage::{
    Context,
    metadata::{Config, Metadata},
};
use commonware_utils::sequence::U64;

use althing_types::{PeerAddresses, Wire as _};

/// The messages by which it would be told to others. Losing them costs a while of seeking and nothing else, so
/// a disk that fails is told of and does not end the peer.
pub(crate) struct Kept<E: Context>(Option<Metadata<E, U64, Vec<u8>>>);

impl<E: Context> Kept<E> {
    /// Opens what earlier runs kept.
    pub(crate) async fn open(context: E, partition: String) -> Self {
        let range = RangeCfg::from(..=PeerAddresses::BYTES_MAX);
        let config = Config { partition, codec_config: (range, ()) };
        let opened = Metadata::init(context, config).await;
        Self(opened.map_err(|error| tracing::warn!(%error, "known addresses cannot be read")).ok())
    }

    /// What is kept. Nobody vouches for it but those who signed it.
    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        let kept = self.0.iter().flat_map(|kept| kept.keys().filter_map(|key| kept.get(key)));
        kept.cloned().collect()
    }

    /// Keeps these messages instead.
    pub(crate) async fn keep(&mut self, messages: Vec<Bytes>) {
        let Some(mut kept) = self.0.take() else { return };
        kept.clear();
        for (number, message) in (0..).zip(messages) {
            kept.put(U64::new(number), message.to_vec());
        }
        match kept.sync().await {
            Ok(kept) => self.0 = Some(kept),
            Err(error) => tracing::warn!(%error, "known addresses cannot be kept"),
        }
    }
}
