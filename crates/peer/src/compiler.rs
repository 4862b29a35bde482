//! Compiles code of contracts beside the blocks, one module after the other, so that no block waits
//! for a compiler. What is not compiled in time is compiled when it is first called.

use std::{collections::VecDeque, sync::Arc};

use althing_ledger::{Context, contract, index};
use althing_state::{Direction, Space, Store, prefix_end};
use althing_types::{CodeId, Event};
use commonware_runtime::{Metrics, Spawner};

use crate::core::{Core, Executed};

/// Most modules that wait to be compiled; those beyond are compiled when they are first called.
const WAITING_MAX: usize = 4096;

/// What waits to be compiled.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    codes: VecDeque<CodeId>,
    /// Whether somebody compiles.
    is_running: bool,
}

impl Waiting {
    /// Adds codes; says whether somebody must begin to compile.
    fn add(&mut self, codes: impl IntoIterator<Item = CodeId>) -> bool {
        let room = WAITING_MAX - self.codes.len();
        self.codes.extend(codes.into_iter().take(room));
        let begins = !self.is_running && !self.codes.is_empty();
        self.is_running |= begins;
        begins
    }

    /// The next one; without, whoever asks compiles no more.
    fn next(&mut self) -> Option<CodeId> {
        let next = self.codes.pop_front();
        self.is_running = next.is_some();
        next
    }
}

/// Begins to compile what a block has stored.
pub(crate) fn stored<E: Metrics + Spawner>(context: &E, core: &Arc<Core>, executed: &Executed) {
    let events = executed.receipts.iter().flat_map(|receipt| &receipt.events);
    let codes = events.filter_map(|event| match event {
        Event::CodeStored { code, .. } => Some(*code),
        _ => None,
    });
    let mut codes = codes.peekable();
    if codes.peek().is_some() {
        begin(context, core, codes);
    }
}

/// Begins to compile what is on the ledger and was not compiled before this peer started, or by
/// another version of it: first what is somebody's contract, since it may be called any time.
pub(crate) fn found<E: Metrics + Spawner>(context: &E, core: &Arc<Core>) {
    let (prefix, store) = (index::codes(), core.chain.state().store());
    let end = prefix_end(&prefix);
    let rows = store.scan(Space::Index, &prefix, end.as_deref(), Direction::Forward, WAITING_MAX);
    let Ok(rows) = rows.inspect_err(|error| tracing::warn!(%error, "cannot list the code")) else {
        return;
    };
    let codes = rows.iter().filter_map(|(key, _)| key.get(prefix.len()..)?.try_into().ok());
    let (used, others): (Vec<_>, Vec<_>) =
        codes.map(CodeId).partition(|code| is_used(store.as_ref(), code));
    begin(context, core, used.into_iter().chain(others));
}

fn is_used(store: &dyn Store, code: &CodeId) -> bool {
    let prefix = index::contracts_of(code);
    let end = prefix_end(&prefix);
    let rows = store.scan(Space::Index, &prefix, end.as_deref(), Direction::Forward, 1);
    rows.is_ok_and(|rows| !rows.is_empty())
}

fn begin<E: Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    codes: impl IntoIterator<Item = CodeId>,
) {
    if !core.to_compile.lock().add(codes) {
        return;
    }
    let core = Arc::clone(core);
    context.child("compiler").shared(true).spawn(move |_| async move {
        while let Some(code) = { core.to_compile.lock().next() } {
            prepare(&core, &code);
        }
    });
}

fn prepare(core: &Core, code: &CodeId) {
    let view = core.chain.view();
    let context = Context {
        ledger: core.ledger,
        height: view.height(),
        // Nothing about compiling depends on time or settings.
        time_ms: 0,
        parameters: &core.config.genesis.parameters,
    };
    if let Err(refusal) = contract::prepare(&view, &context, code) {
        tracing::debug!(%code, %refusal, "code is not compiled");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_compiles_at_a_time_and_what_waits_is_bounded() {
        let mut waiting = Waiting::default();
        let code = |number: u8| CodeId([number; 32]);
        assert!(!waiting.add([]));
        assert!(waiting.add([code(1)]), "somebody must begin");
        assert!(!waiting.add([code(2)]), "somebody is at it");
        assert_eq!(waiting.next(), Some(code(1)));
        assert!(!waiting.add([code(3)]));
        assert_eq!(
            [waiting.next(), waiting.next(), waiting.next()],
            [Some(code(2)), Some(code(3)), None]
        );
        assert!(waiting.add(vec![code(4); WAITING_MAX + 1]), "the one before has ended");
        assert_eq!(waiting.codes.len(), WAITING_MAX);
        assert!(!waiting.add([code(5)]));
        assert_eq!(waiting.codes.len(), WAITING_MAX);
    }
}
