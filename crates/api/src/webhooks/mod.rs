//! Webhooks: this peer calls a URL with each event that somebody wants to hear of. They are a setting of
//! this peer and no part of the ledger; who made one may list, pause, resume and delete it here.

mod call;
pub(crate) mod guard;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use althing_client::{
    Signer,
    model::{Cursor, Webhook, query},
};
use althing_types::EntityId;
use serde::{Deserialize, Serialize};
use tokio::{task::AbortHandle, time::Instant};

use crate::{
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    routes::{events::Follow, filter::Filter},
    service::{Service, Shared},
};
use call::Caller;

/// Most webhooks of one peer, and of one entity there.
const WEBHOOKS_MAX: usize = 128;
const WEBHOOKS_OF_ENTITY_MAX: usize = 8;
/// Longest file of webhooks that is read, bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Name of the file in the folder of the peer's data.
const FILE: &str = "webhooks.json";
/// How long to wait after a failure, and how long at most: each failure in a row doubles it.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(300);
/// How often what was delivered is written to disk at most: so much is delivered again after a crash.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// After so many failures in a row, about three hours, a webhook is paused; its maker resumes it.
const FAILURES_MAX: u32 = 40;

/// A webhook as it is kept on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    shown: Webhook,
    /// Purpose of the grant that is read under; empty if none is needed.
    purpose: String,
    asked: query::Events,
}

/// The webhooks of a peer.
#[derive(Debug)]
pub(crate) struct Webhooks {
    file: Option<PathBuf>,
    signer: Option<Arc<Signer>>,
    private: bool,
    kept: Mutex<BTreeMap<String, (Kept, Option<AbortHandle>)>>,
    saving: Mutex<()>,
}

impl Webhooks {
    pub(crate) fn new(data: Option<&PathBuf>, signer: Option<Arc<Signer>>, private: bool) -> Self {
        let file = data.map(|folder| folder.join(FILE));
        Self { file, signer, private, kept: Mutex::default(), saving: Mutex::default() }
    }

    /// Id and last failure of those that were given up, until their makers let them go on.
    pub(crate) fn given_up(&self) -> Vec<(String, String)> {
        let kept = self.lock();
        let hooks = kept.values().map(|(kept, _)| &kept.shown);
        let given_up = hooks.filter(|hook| hook.paused && hook.failures >= FAILURES_MAX);
        given_up
            .map(|hook| (hook.id.clone(), hook.last_error.clone().unwrap_or_default()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (Kept, Option<AbortHandle>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of an entity, oldest first.
    pub(crate) fn of(&self, entity: &EntityId) -> Vec<Webhook> {
        let kept = self.lock();
        let own = kept.values().map(|(kept, _)| &kept.shown);
        let mut own: Vec<Webhook> =
            own.filter(|hook| hook.entity.entity_id() == *entity).cloned().collect();
        own.sort_by_key(|hook| hook.cursor);
        own
    }

    /// Writes all of them, so that a restart finds them. Old ones stay if that fails.
    fn save(&self) {
        let Some(file) = &self.file else { return };
        // Two at once would write into the same new file.
        let _alone = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<Kept> = self.lock().values().map(|(kept, _)| kept.clone()).collect();
        if let Err(error) = replace(file, &all) {
            tracing::warn!(%error, "webhooks could not be saved");
        }
    }

    /// Notes what came of calls; false if there is no such webhook any more.
    fn update(&self, id: &str, change: impl FnOnce(&mut Webhook)) -> bool {
        self.lock().get_mut(id).map(|(kept, _)| change(&mut kept.shown)).is_some()
    }
}

/// Writes something to a file, in place of what it has; a loss of power leaves the one or the other.
pub(crate) fn replace<T: Serialize>(file: &Path, all: &[T]) -> io::Result<()> {
    let beside = file.with_extension("json.new");
    let mut new = File::create(&beside)?;
    new.write_all(&serde_json::to_vec_pretty(all)?)?;
    new.sync_all()?;
    fs::rename(&beside, file)
}

/// Saves beside what is served: a disk may be slow.
async fn saved(service: &Shared) {
    let service = Arc::clone(service);
    let _ = tokio::task::spawn_blocking(move || service.webhooks.save()).await;
}

/// Goes on with the webhooks that an earlier run kept.
pub(crate) fn resume_all(service: &Shared) {
    let Some(file) = &service.webhooks.file else { return };
    let Ok(text) = althing_client::file::read(file, FILE_BYTES_MAX) else { return };
    let all: Vec<Kept> = match serde_json::from_slice(&text) {
        Ok(all) => all,
        Err(error) => return tracing::warn!(%error, "the file of webhooks is damaged"),
    };
    for kept in all.into_iter().take(WEBHOOKS_MAX) {
        let id = kept.shown.id.clone();
        service.webhooks.lock().insert(id.clone(), (kept, None));
        start(service, &id);
    }
}

/// Makes a webhook and begins with what happens next.
pub(crate) fn create(
    service: &Shared,
    reader: &Reader,
    url: &str,
    purpose: String,
    mut asked: query::Events,
) -> Answer<Webhook> {
    let (entity, hooks) = (maker(reader)?, &service.webhooks);
    if hooks.signer.is_none() {
        return Err(Failure::NotRecorded.into());
    }
    let wrong = |reason: guard::Forbidden| {
        ApiError::from(Failure::InvalidBody).about("url").because(&reason.to_string())
    };
    let url = guard::read(url, hooks.private).map_err(wrong)?;
    // Whatever it says is looked at now, so that a wrong one is refused and not kept.
    Filter::new(service, &Reader { entity: Some(entity), purpose: purpose.clone() }, &asked)?;
    let cursor = asked.after.take().unwrap_or(Cursor::after_block(service.query.height()));
    let mut id = [0; 16];
    rand::RngCore::fill_bytes(&mut rand::rngs::OsRng, &mut id);
    let shown = Webhook {
        id: hex::encode(id),
        entity: service.did(&entity),
        url: url.to_string(),
        paused: false,
        cursor,
        delivered: 0,
        failures: 0,
        last_error: None,
    };
    {
        let mut kept = hooks.lock();
        let own = kept.values().filter(|(kept, _)| kept.shown.entity == shown.entity).count();
        if kept.len() >= WEBHOOKS_MAX || own >= WEBHOOKS_OF_ENTITY_MAX {
            return Err(Failure::Busy.into());
        }
        kept.insert(shown.id.clone(), (Kept { shown: shown.clone(), purpose, asked }, None));
    }
    hooks.save();
    start(service, &shown.id);
    Ok(shown)
}

/// Who makes and handles webhooks: a token says so with a purpose of its own, so that no token that was
/// made to read with leaves something behind that goes on reading.
fn maker(reader: &Reader) -> Answer<EntityId> {
    match reader.entity {
        Some(entity) if reader.purpose == althing_client::model::WEBHOOK_PURPOSE => Ok(entity),
        _ => Err(Failure::BadToken.into()),
    }
}

/// Shows the webhooks of who asks.
pub(crate) fn list(service: &Service, reader: &Reader) -> Answer<Vec<Webhook>> {
    Ok(service.webhooks.of(&maker(reader)?))
}

/// Pauses a webhook of who asks, or lets it go on behind the last event that was delivered.
pub(crate) fn pause(service: &Shared, reader: &Reader, id: &str, paused: bool) -> Answer<Webhook> {
    let entity = maker(reader)?;
    let shown = {
        let mut kept = service.webhooks.lock();
        let (kept, task) = own(&mut kept, id, &entity)?;
        if let Some(task) = task.take() {
            task.abort();
        }
        kept.shown.paused = paused;
        if !paused {
            (kept.shown.failures, kept.shown.last_error) = (0, None);
        }
        kept.shown.clone()
    };
    service.webhooks.save();
    start(service, id);
    Ok(shown)
}

/// Deletes a webhook of who asks.
pub(crate) fn delete(service: &Service, reader: &Reader, id: &str) -> Answer<()> {
    let entity = maker(reader)?;
    {
        let mut kept = service.webhooks.lock();
        if let Some(task) = own(&mut kept, id, &entity)?.1.take() {
            task.abort();
        }
        kept.remove(id);
    }
    service.webhooks.save();
    Ok(())
}

fn own<'a>(
    kept: &'a mut BTreeMap<String, (Kept, Option<AbortHandle>)>,
    id: &str,
    entity: &EntityId,
) -> Answer<&'a mut (Kept, Option<AbortHandle>)> {
    // Somebody else's is as good as none.
    let found = kept.get_mut(id).filter(|(kept, _)| kept.shown.entity.entity_id() == *entity);
    found.ok_or_else(|| Failure::UnknownWebhook.into())
}

/// Starts the task that calls, unless the webhook is paused.
fn start(service: &Shared, id: &str) {
    let mut kept = service.webhooks.lock();
    let Some((hook, task)) = kept.get_mut(id).filter(|(hook, _)| !hook.shown.paused) else {
        return;
    };
    let carried = tokio::spawn(carry(Arc::clone(service), hook.clone()));
    *task = Some(carried.abort_handle());
}

/// Delivers events in order, each until it is taken, as long as the webhook lasts.
async fn carry(service: Shared, hook: Kept) {
    let (id, url) = (hook.shown.id.clone(), hook.shown.url.clone());
    let Some(signer) = service.webhooks.signer.clone() else { return };
    let caller = Caller::new(service.did(&signer.entity), signer, service.webhooks.private);
    let reader =
        Reader { entity: Some(hook.shown.entity.entity_id()), purpose: hook.purpose.clone() };
    let (mut cursor, mut failures) = (hook.shown.cursor, hook.shown.failures);
    let mut saved_at = Instant::now();
    loop {
        let mut asked = hook.asked.clone();
        asked.after = Some(cursor);
        let began = Follow::begin(&service, reader.clone(), &asked, None).await;
        let mut why = "its maker may not follow this, or the peer has no place".to_owned();
        if let Ok(mut follow) = began {
            while let Some((records, next)) = follow.step().await {
                follow = next;
                for record in records {
                    while let Err(error) = caller.call(&url, &id, &record).await {
                        failures = failures.saturating_add(1);
                        let paused = failures >= FAILURES_MAX;
                        let said = error.clone();
                        let known = service.webhooks.update(&id, |hook| {
                            (hook.failures, hook.paused) = (failures, paused);
                            hook.last_error = Some(said);
                        });
                        saved(&service).await;
                        if paused || !known {
                            return;
                        }
                        tokio::time::sleep(pause_after(failures)).await;
                    }
                    (cursor, failures) = (record.cursor, 0);
                    let taken = |hook: &mut Webhook| {
                        hook.cursor = cursor;
                        hook.delivered = hook.delivered.saturating_add(1);
                        (hook.failures, hook.last_error) = (0, None);
                    };
                    if !service.webhooks.update(&id, taken) {
                        return;
                    }
                    if saved_at.elapsed() >= SAVE_INTERVAL {
                        saved(&service).await;
                        saved_at = Instant::now();
                    }
                }
            }
            why = "the events ended: the peer stops, or their owner lets its maker no more".into();
        }
        failures = failures.saturating_add(1);
        let paused = failures >= FAILURES_MAX;
        let known = service.webhooks.update(&id, |hook| {
            (hook.failures, hook.paused, hook.last_error) = (failures, paused, Some(why));
        });
        saved(&service).await;
        if paused || !known {
            return;
        }
        tokio::time::sleep(pause_after(failures)).await;
    }
}

fn pause_after(failures: u32) -> Duration {
    RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_bounded() {
        let seconds = |failures| pause_after(failures).as_secs();
        assert_eq!([1, 2, 3, 4].map(seconds), [1, 2, 4, 8]);
        assert_eq!([9, 10, 40, u32::MAX].map(seconds), [256, 300, 300, 300]);
    }
}
