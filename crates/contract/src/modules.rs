//! What a machine has compiled, in memory.

use std::collections::{BTreeMap, BTreeSet};

use althing_types::CodeId;

use crate::{Module, limits::MODULES_BYTES_MAX};

/// Most codes that are remembered not to compile; each is a few bytes.
const FAILED_MAX: usize = 1_000;

/// Modules by code, bounded; what was not used for longest goes first.
#[derive(Default)]
pub(crate) struct Modules {
    /// With the time of last use, counted in uses.
    by_code: BTreeMap<CodeId, (Module, u64)>,
    bytes: usize,
    uses: u64,
    /// Codes that passed inspection and do not compile: to find that out again takes as long as to
    /// compile them.
    failed: BTreeSet<CodeId>,
    /// Codes that some thread compiles.
    pub(crate) under_way: BTreeSet<CodeId>,
}

impl Modules {
    pub(crate) fn find(&mut self, code: &CodeId) -> Option<Module> {
        self.uses += 1;
        let (module, used) = self.by_code.get_mut(code)?;
        *used = self.uses;
        Some(module.clone())
    }

    pub(crate) fn has(&self, code: &CodeId) -> bool {
        self.by_code.contains_key(code) || self.failed.contains(code)
    }

    pub(crate) fn has_failed(&self, code: &CodeId) -> bool {
        self.failed.contains(code)
    }

    pub(crate) fn fail(&mut self, code: CodeId) {
        if self.failed.len() >= FAILED_MAX {
            self.failed.pop_first();
        }
        self.failed.insert(code);
    }

    pub(crate) fn keep(&mut self, code: CodeId, module: Module) {
        self.bytes += module.bytes();
        if let Some((before, _)) = self.by_code.insert(code, (module, self.uses)) {
            self.bytes -= before.bytes();
        }
        while self.bytes > MODULES_BYTES_MAX && self.by_code.len() > 1 {
            let oldest = self.by_code.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(code, _)| *code) else { break };
            if let Some((module, _)) = self.by_code.remove(&oldest) {
                self.bytes -= module.bytes();
            }
        }
    }

    /// How many modules there are, and how many bytes they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.by_code.len(), self.bytes)
    }
}
