//! The records of the log on disk.

use althing_raft::{Malformed, Record};
use bytes::Bytes;
use commonware_codec::RangeCfg;
use commonware_runtime::{Metrics, ReadOptions, Storage, buffer::paged::CacheRef};
use commonware_storage::journal::{
    Error,
    segmented::variable::{Config, Journal},
};

use crate::archive::{REPLAY_BUFFER, WRITE_BUFFER};

/// Why the log cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiskError {
    #[error("the log on disk cannot be read or written")]
    Journal(#[from] Error),
    #[error("the log on disk holds what is no record: {0}")]
    Record(#[from] Malformed),
    #[error("the log failed before")]
    Failed,
}

/// The records, in files of which mostly one is in use.
///
/// When the log is cut, what remains is written to a new file, and the old one goes. The state is
/// written last, so that a file that was not finished shows: it has none, and does not count.
pub(super) struct Disk<E: Storage + Metrics> {
    /// None once a write has failed: nothing may be promised any more.
    journal: Option<Journal<E, Bytes>>,
    section: u64,
}

/// Opens the log; gives its records in order.
pub(super) async fn open<E: Storage + Metrics>(
    context: E,
    partition: String,
    cache: CacheRef,
    record_bytes_max: usize,
) -> Result<(Disk<E>, Vec<Record>), DiskError> {
    let config = Config {
        partition,
        compression: None,
        codec_config: RangeCfg::from(..=record_bytes_max),
        page_cache: cache,
        write_buffer: WRITE_BUFFER,
    };
    let journal = Journal::init(context, config).await?;
    let mut replay = journal.replay(0, 0, REPLAY_BUFFER, ReadOptions::default()).await?;
    let mut files: Vec<(u64, Vec<Record>)> = Vec::new();
    while let Some(item) = replay.next().await {
        let (section, _, _, bytes) = item?;
        let record = Record::decode(&bytes)?;
        match files.last_mut() {
            Some((last, records)) if *last == section => records.push(record),
            _ => files.push((section, vec![record])),
        }
    }
    let journal = replay.finish()?;
    let section = journal.newest_section().unwrap_or(0);
    let mut disk = Disk { journal: Some(journal), section };
    let first = files.first().map(|(section, _)| *section);
    let is_whole = |section: u64, records: &[Record]| {
        Some(section) == first
            || records.iter().any(|record| matches!(record, Record::State { .. }))
    };
    let is_clean = files.len() <= 1 && files.last().is_none_or(|(last, _)| *last == section);
    let whole = files.into_iter().filter(|(section, records)| is_whole(*section, records));
    // A later file says all that an earlier one does.
    let records = whole.last().map(|(_, records)| records).unwrap_or_default();
    if !is_clean {
        disk.rewrite(settled(records.clone())).await?;
    }
    Ok((disk, records))
}

/// The same records with a state at their end, as a file must have it.
fn settled(mut records: Vec<Record>) -> Vec<Record> {
    let state = records.iter().rev().find(|record| matches!(record, Record::State { .. })).cloned();
    records.push(state.unwrap_or(Record::State { term: 0, vote: 0, commit: 0 }));
    records
}

impl<E: Storage + Metrics> Disk<E> {
    /// Appends records, and waits until they are on disk if they must be.
    pub(super) async fn append(&mut self, records: &[Record], sync: bool) -> Result<(), DiskError> {
        let mut journal = self.journal.take().ok_or(DiskError::Failed)?;
        for record in records {
            (journal, _, _) = journal.append(self.section, &record.encode().into()).await?;
        }
        if sync {
            journal = journal.sync(&[self.section]).await?;
        }
        self.journal = Some(journal);
        Ok(())
    }

    /// Writes all there is to a new file, and removes what was before it.
    pub(super) async fn rewrite(&mut self, records: Vec<Record>) -> Result<(), DiskError> {
        self.section += 1;
        self.append(&settled(records), true).await?;
        let journal = self.journal.take().ok_or(DiskError::Failed)?;
        let (journal, _) = journal.prune(self.section).await?;
        self.journal = Some(journal);
        Ok(())
    }
}
