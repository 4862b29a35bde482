//! Where final blocks and their certificates are kept.

use std::{
    num::{NonZeroU16, NonZeroU64, NonZeroUsize},
    sync::Arc,
};

use commonware_codec::CodecShared;
use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::{certificate::Verifier as _, sha256};
use commonware_runtime::{Spawner, buffer::paged::CacheRef};
use commonware_storage::archive::{Archive as _, Identifier, immutable};
use commonware_utils::{NZU16, NZU64, NZUsize};

use crate::{
    block::{Limits, Sealed, engine_digest},
    config::Config,
    error::StartError,
    scheme::Scheme,
};

/// Size of a page of the cache that all stores of a ledger share, bytes.
const PAGE_BYTES: NonZeroU16 = NZU16!(4096);
/// Pages in that cache: 1 MiB, since what is read again soon is mostly the newest block.
const PAGES: NonZeroUsize = NZUsize!(256);
/// Bytes collected before a write; a block is flushed as soon as it is final anyway.
pub(crate) const WRITE_BUFFER: NonZeroUsize = NZUsize!(64 * 1024);
/// Bytes read at a time when a journal is replayed at start.
pub(crate) const REPLAY_BUFFER: NonZeroUsize = NZUsize!(256 * 1024);
/// Slots that a new archive's key table has; it doubles as it fills.
const TABLE_SLOTS: u32 = 4096;
/// Keys a slot takes before the table grows.
const TABLE_RESIZE_FREQUENCY: u8 = 4;
/// Slots moved per write while the table grows.
const TABLE_RESIZE_CHUNK: u32 = 1024;
/// Size at which a file of values is closed and the next one begun, bytes.
const VALUES_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// Heights per file of the height index. All files stay open, so at a block a second this is one more
/// every 18 hours; a file half full costs a flush 8 KiB. Part of the format on disk: never change it.
const HEIGHTS_PER_FILE: NonZeroU64 = NZU64!(65_536);

pub(crate) type Blocks<E> = immutable::Archive<E, sha256::Digest, Arc<Sealed>>;
pub(crate) type Finalizations<E> =
    immutable::Archive<E, sha256::Digest, Finalization<Scheme, sha256::Digest>>;

pub(crate) fn page_cache() -> CacheRef {
    CacheRef::new(PAGE_BYTES, PAGES)
}

fn config<C>(
    partition: &str,
    name: &str,
    cache: &CacheRef,
    codec_config: C,
) -> immutable::Config<C> {
    let part = |suffix: &str| format!("{partition}-{name}-{suffix}");
    immutable::Config {
        metadata_partition: part("metadata"),
        freezer_table_partition: part("table"),
        freezer_table_initial_size: TABLE_SLOTS,
        freezer_table_resize_frequency: TABLE_RESIZE_FREQUENCY,
        freezer_table_resize_chunk_size: TABLE_RESIZE_CHUNK,
        freezer_key_partition: part("keys"),
        freezer_key_page_cache: cache.clone(),
        freezer_value_partition: part("values"),
        freezer_value_target_size: VALUES_FILE_BYTES,
        freezer_value_compression: None,
        ordinal_partition: part("heights"),
        items_per_section: HEIGHTS_PER_FILE,
        freezer_key_write_buffer: WRITE_BUFFER,
        freezer_value_write_buffer: WRITE_BUFFER,
        ordinal_write_buffer: WRITE_BUFFER,
        replay_buffer: REPLAY_BUFFER,
        codec_config,
    }
}

async fn open<E, V>(
    context: E,
    partition: &str,
    name: &'static str,
    cache: &CacheRef,
    codec_config: V::Cfg,
) -> Result<immutable::Archive<E, sha256::Digest, V>, StartError>
where
    E: commonware_storage::Context + Spawner,
    V: CodecShared,
{
    let config = config(partition, name, cache, codec_config);
    immutable::Archive::init(context, config).await.map_err(|source| StartError::Archive {
        name,
        partition: partition.to_owned(),
        source: Box::new(source),
    })
}

/// Opens both stores, and makes sure that what is there belongs to this ledger.
pub(crate) async fn open_both<E>(
    context: &E,
    config: &Config,
    limits: Limits,
    cache: &CacheRef,
) -> Result<(Finalizations<E>, Blocks<E>), StartError>
where
    E: commonware_storage::Context + Spawner,
{
    let partition = &config.partition;
    let finalizations = open(
        context.child("finalizations"),
        partition,
        "finalizations",
        cache,
        // Of epochs with different numbers of validators, and checked before they were written.
        Scheme::certificate_codec_config_unbounded(),
    )
    .await?;
    let blocks: Blocks<E> =
        open(context.child("blocks"), partition, "blocks", cache, limits).await?;
    let stored = blocks.get(Identifier::Index(0)).await.map_err(|source| StartError::Archive {
        name: "blocks",
        partition: partition.clone(),
        source: Box::new(source),
    })?;
    let genesis = engine_digest(&config.genesis.digest());
    match stored {
        Some(stored) if engine_digest(&stored.block().digest()) != genesis => {
            Err(StartError::OtherLedger { partition: partition.clone() })
        }
        _ => Ok((finalizations, blocks)),
    }
}
