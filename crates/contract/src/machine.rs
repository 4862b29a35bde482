use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use althing_types::CodeId;
use wasmtime::{Config, Engine, Linker, OperatorCost, OptLevel};

use crate::{
    imports,
    inspect::{Outline, Reason, survey},
    limits::{MODULES_BYTES_MAX, STACK_BYTES_MAX},
    meter::metered,
    run::Guest,
};

/// A module that can be called.
#[derive(Clone)]
pub struct Module {
    pub(crate) outline: Arc<Outline>,
    pub(crate) instance: wasmtime::InstancePre<Guest>,
    /// Machine code and data, bytes.
    bytes: usize,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("outline", &self.outline).finish_non_exhaustive()
    }
}

impl Module {
    /// What inspection found in it.
    #[must_use]
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// Memory it takes, bytes of machine code and data.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The engine with the modules it has compiled: a memory of what would be compiled again, nothing
/// more, so that no outcome depends on what is in it.
pub struct Machine {
    engine: Engine,
    linker: Linker<Guest>,
    modules: Mutex<Modules>,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Modules {
    /// With the time of last use, counted in uses.
    by_code: BTreeMap<CodeId, (Module, u64)>,
    bytes: usize,
    uses: u64,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// A machine that has compiled nothing.
    ///
    /// # Panics
    /// If the engine does not know this processor: no contract could run on it.
    #[must_use]
    pub fn new() -> Self {
        let engine = match Engine::new(&config()) {
            Ok(engine) => engine,
            Err(error) => panic!("the engine of contracts does not run here: {error}"),
        };
        let linker = imports::linker(&engine);
        Self { engine, linker, modules: Mutex::default() }
    }

    /// The one of this process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Machine> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// Inspects and compiles a module.
    ///
    /// # Errors
    /// Why it may not run.
    pub fn compile(&self, code: &[u8]) -> Result<Module, Reason> {
        let (outline, weights) = survey(code)?;
        let refused = |what: String| Reason::Invalid { offset: 0, what };
        let metered = metered(code, &weights)
            .ok_or_else(|| refused("it cannot be rewritten to count its stack".to_owned()))?;
        let module = wasmtime::Module::new(&self.engine, metered)
            .map_err(|error| refused(format!("{error:#}")))?;
        let image = module.image_range();
        let bytes = (image.end as usize).saturating_sub(image.start as usize);
        let instance =
            self.linker.instantiate_pre(&module).map_err(|error| refused(format!("{error:#}")))?;
        Ok(Module { outline: Arc::new(outline), instance, bytes })
    }

    /// The module of a code id: as compiled before, or from the bytes that `load` gives.
    ///
    /// # Errors
    /// The error of `load`, or that of `refused` if the module may not run.
    pub fn module<E>(
        &self,
        code: &CodeId,
        load: impl FnOnce() -> Result<Vec<u8>, E>,
        refused: impl FnOnce(Reason) -> E,
    ) -> Result<Module, E> {
        if let Some(module) = self.modules().find(code) {
            return Ok(module);
        }
        // Compiled without the lock: two threads may both, which wastes time and nothing else.
        let module = self.compile(&load()?).map_err(refused)?;
        self.modules().keep(*code, module.clone());
        Ok(module)
    }

    /// How many modules are kept, and how many bytes they take.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        let modules = self.modules();
        (modules.by_code.len(), modules.bytes)
    }

    fn modules(&self) -> std::sync::MutexGuard<'_, Modules> {
        // What a panic elsewhere left is whole: each change is one insertion or removal.
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Modules {
    fn find(&mut self, code: &CodeId) -> Option<Module> {
        self.uses += 1;
        let (module, used) = self.by_code.get_mut(code)?;
        *used = self.uses;
        Some(module.clone())
    }

    fn keep(&mut self, code: CodeId, module: Module) {
        self.bytes += module.bytes;
        if let Some((before, _)) = self.by_code.insert(code, (module, self.uses)) {
            self.bytes -= before.bytes;
        }
        while self.bytes > MODULES_BYTES_MAX && self.by_code.len() > 1 {
            let oldest = self.by_code.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(code, _)| *code) else { break };
            if let Some((module, _)) = self.by_code.remove(&oldest) {
                self.bytes -= module.bytes;
            }
        }
    }
}

fn config() -> Config {
    let mut costs = OperatorCost::new();
    // A page is cleared when it is first touched, and given back at the end.
    costs.variable.memory_grow_per_page = u8::MAX;
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .operator_cost(costs)
        .cranelift_nan_canonicalization(true)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(STACK_BYTES_MAX)
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_extended_const(false)
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false);
    config
}
