use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
};

use althing_types::CodeId;
use wasmtime::{Config, Engine, ExternType, Linker, OperatorCost, OptLevel};

use crate::{
    Entry, Shelf, imports,
    inspect::{Reason, survey},
    limits::STACK_BYTES_MAX,
    meter::metered,
    modules::Modules,
    price,
    run::Guest,
    shelf::{opened, sealed},
};

/// Number of what is made of a module before it is compiled: raised with every change of `meter`, of
/// the weights that inspection finds, or of the engine's settings, so that no machine code of before is
/// used. A test says when.
const REVISION: u32 = 2;

/// A module that can be called.
#[derive(Clone)]
pub struct Module {
    pub(crate) instance: wasmtime::InstancePre<Guest>,
    entries: Arc<[Entry]>,
    /// Whether its `migrate` takes the third argument of CosmWasm 2.2.
    migrate_has_info: bool,
    /// Machine code and data, bytes.
    bytes: usize,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl Module {
    /// Whether it has an entry point.
    #[must_use]
    pub fn has(&self, entry: Entry) -> bool {
        self.entries.contains(&entry)
    }

    /// Whether its `migrate` takes the third argument of CosmWasm 2.2.
    #[must_use]
    pub const fn migrate_has_info(&self) -> bool {
        self.migrate_has_info
    }

    /// Memory it takes, bytes of machine code and data.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The engine with the modules it has compiled: a memory of what would be compiled again, nothing
/// more, so that no outcome depends on what is in it.
#[derive(Default)]
pub struct Machine {
    /// Made when it is first needed: a peer without contracts has none.
    engine: OnceLock<(Engine, Linker<Guest>)>,
    shelf: OnceLock<(Arc<dyn Shelf>, [u8; 32])>,
    modules: Mutex<Modules>,
    /// Some module has been compiled, or could not be.
    compiled: Condvar,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

impl Machine {
    /// A machine that has compiled nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The one of this process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Machine> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// From now on keeps what it compiles on a shelf too, under a secret key: machine code that does
    /// not bear the key's seal is not used. The first shelf stays.
    pub fn keep_on(&self, shelf: Arc<dyn Shelf>, key: [u8; 32]) {
        let _ = self.shelf.set((shelf, key));
    }

    fn engine(&self) -> &(Engine, Linker<Guest>) {
        self.engine.get_or_init(|| {
            let engine = match Engine::new(&config()) {
                Ok(engine) => engine,
                Err(error) => panic!("the engine of contracts does not run here: {error}"),
            };
            let linker = imports::linker(&engine);
            (engine, linker)
        })
    }

    /// Inspects and compiles a module.
    ///
    /// # Errors
    /// Why it may not run.
    ///
    /// # Panics
    /// If the engine does not know this processor: no contract could run on it.
    pub fn compile(&self, code: &[u8]) -> Result<Module, Reason> {
        let (_, weights) = survey(code)?;
        let metered = metered(code, &weights)
            .ok_or_else(|| refused("it cannot be rewritten to count its stack"))?;
        let module = wasmtime::Module::new(&self.engine().0, metered)
            .map_err(|error| refused(&format!("{error:#}")))?;
        self.linked(&module).map_err(|error| refused(&format!("{error:#}")))
    }

    fn linked(&self, module: &wasmtime::Module) -> wasmtime::Result<Module> {
        let image = module.image_range();
        let bytes = (image.end as usize).saturating_sub(image.start as usize);
        let parameters = |entry: Entry| match module.get_export(entry.name()) {
            Some(ExternType::Func(function)) => Some(function.params().len()),
            _ => None,
        };
        let entries = Entry::ALL.iter().copied().filter(|entry| parameters(*entry).is_some());
        Ok(Module {
            entries: entries.collect(),
            migrate_has_info: parameters(Entry::Migrate) == Some(3),
            instance: self.engine().1.instantiate_pre(module)?,
            bytes,
        })
    }

    /// The module of a code id: as compiled before, or from the bytes that `load` gives. Waits if
    /// another thread compiles it already.
    ///
    /// # Errors
    /// The error of `load`, or that of `refused` if the module may not run.
    pub fn module<E>(
        &self,
        code: &CodeId,
        load: impl FnOnce() -> Result<Vec<u8>, E>,
        refused: impl FnOnce(Reason) -> E,
    ) -> Result<Module, E> {
        let mut modules = self.modules();
        loop {
            if let Some(module) = modules.find(code) {
                return Ok(module);
            }
            if modules.has_failed(code) {
                return Err(refused(self::refused("it does not compile")));
            }
            if modules.under_way.insert(*code) {
                break;
            }
            modules = self.compiled.wait(modules).unwrap_or_else(PoisonError::into_inner);
        }
        drop(modules);
        let _under_way = UnderWay { machine: self, code };
        if let Some(module) = self.take_down(code) {
            self.modules().keep(*code, module.clone());
            return Ok(module);
        }
        match self.compile(&load()?) {
            Ok(module) => {
                self.put_up(code, &module);
                self.modules().keep(*code, module.clone());
                Ok(module)
            }
            Err(reason) => {
                self.modules().fail(*code);
                Err(refused(reason))
            }
        }
    }

    /// Whether the module of a code id is compiled already, in memory or on the shelf.
    #[must_use]
    pub fn has(&self, code: &CodeId) -> bool {
        let is_on_shelf = || match self.shelf.get() {
            Some((shelf, _)) => shelf.has(&self.name(code)),
            None => false,
        };
        self.modules().has(code) || is_on_shelf()
    }

    /// How many modules are kept in memory, and how many bytes they take.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        self.modules().size()
    }

    /// The name of a module's machine code: another engine, or another way to prepare modules, gives
    /// another one.
    fn name(&self, code: &CodeId) -> String {
        let mut hasher = DefaultHasher::new();
        REVISION.hash(&mut hasher);
        self.engine().0.precompile_compatibility_hash().hash(&mut hasher);
        format!("{code}-{:016x}", hasher.finish())
    }

    fn take_down(&self, code: &CodeId) -> Option<Module> {
        let (shelf, key) = self.shelf.get()?;
        let name = self.name(code);
        let sealed = shelf.get(&name)?;
        let module = opened(key, &name, &sealed).and_then(|compiled| self.revived(compiled));
        if module.is_none() {
            tracing::warn!(%code, "machine code on disk is damaged or foreign; compiling it again");
        }
        module
    }

    /// What was compiled before, by bytes that bear the seal of this machine.
    #[expect(
        unsafe_code,
        reason = "the engine cannot check machine code; the seal says whose it is"
    )]
    fn revived(&self, compiled: &[u8]) -> Option<Module> {
        // SAFETY: the bytes are what `serialize` gave, unaltered: `opened` has checked the seal, whose
        // key only this peer has, and only `put_up` seals. An engine of another version refuses them.
        let module = unsafe { wasmtime::Module::deserialize(&self.engine().0, compiled) };
        self.linked(&module.ok()?).ok()
    }

    fn put_up(&self, code: &CodeId, module: &Module) {
        let Some((shelf, key)) = self.shelf.get() else { return };
        if let Ok(compiled) = module.instance.module().serialize() {
            let name = self.name(code);
            shelf.put(&name, &sealed(key, &name, &compiled));
        }
    }

    fn modules(&self) -> MutexGuard<'_, Modules> {
        // What a panic elsewhere left is whole: each change is one insertion or removal.
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A module that this thread compiles; the others go on once it is dropped, whatever came of it.
struct UnderWay<'a> {
    machine: &'a Machine,
    code: &'a CodeId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.machine.modules().under_way.remove(self.code);
        self.machine.compiled.notify_all();
    }
}

fn refused(what: &str) -> Reason {
    Reason::Invalid { offset: 0, what: what.to_owned() }
}

fn config() -> Config {
    let mut costs = OperatorCost::new();
    let division = [
        &mut costs.I32DivS,
        &mut costs.I32DivU,
        &mut costs.I32RemS,
        &mut costs.I32RemU,
        &mut costs.I64DivS,
        &mut costs.I64DivU,
        &mut costs.I64RemS,
        &mut costs.I64RemU,
    ];
    division.into_iter().for_each(|cost| *cost = price::DIVIDE);
    let float = [
        &mut costs.F32Add,
        &mut costs.F32Sub,
        &mut costs.F32Mul,
        &mut costs.F32Min,
        &mut costs.F32Max,
        &mut costs.F32Ceil,
        &mut costs.F32Floor,
        &mut costs.F32Trunc,
        &mut costs.F32Nearest,
        &mut costs.F64Add,
        &mut costs.F64Sub,
        &mut costs.F64Mul,
        &mut costs.F64Min,
        &mut costs.F64Max,
        &mut costs.F64Ceil,
        &mut costs.F64Floor,
        &mut costs.F64Trunc,
        &mut costs.F64Nearest,
        &mut costs.F32DemoteF64,
        &mut costs.F64PromoteF32,
    ];
    float.into_iter().for_each(|cost| *cost = price::FLOAT);
    let slow = [&mut costs.F32Div, &mut costs.F64Div, &mut costs.F32Sqrt, &mut costs.F64Sqrt];
    slow.into_iter().for_each(|cost| *cost = price::FLOAT_SLOW);
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

#[cfg(test)]
mod tests;
