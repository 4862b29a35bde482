//! Whether a module may run, told before it is compiled.

use std::collections::BTreeSet;

use althing_types::limits::CODE_BYTES_MAX;
use wasmparser::{
    CompositeInnerType, ExternalKind, FuncType, Operator, Parser, Payload, TypeRef, ValType,
    ValidPayload, Validator, WasmFeatures,
};

use crate::{
    imports,
    limits::{
        EXPORTS_MAX, FUNCTION_BYTES_MAX, FUNCTIONS_MAX, GLOBALS_MAX, IMPORTS_MAX, JUMP_TARGETS_MAX,
        LOCALS_MAX, MEMORY_PAGES_MAX, PARAMETERS_MAX, SEGMENTS_MAX, TABLE_ENTRIES_MAX, TYPES_MAX,
    },
};

/// Capabilities that contracts may demand by an export `requires_...`. Nothing can be staked here; but
/// contracts that pass on the messages of others, such as cw1, demand `staking` for their form alone,
/// and a message that stakes is refused like any that is not offered.
pub(crate) const CAPABILITIES: &[&str] = &[
    "althing",
    "cosmwasm_1_1",
    "cosmwasm_1_2",
    "cosmwasm_1_3",
    "cosmwasm_1_4",
    "cosmwasm_2_0",
    "cosmwasm_2_1",
    "cosmwasm_2_2",
    "cosmwasm_3_0",
    "iterator",
    "staking",
];

/// Why a module may not run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Too long.
    #[error(
        "the module has {0} bytes, at most {CODE_BYTES_MAX} are allowed; build for size and strip it"
    )]
    TooLong(usize),
    /// Not WebAssembly of the features that run here.
    #[error("not a module that runs here, at byte {offset}: {what}")]
    Invalid {
        /// Where.
        offset: usize,
        /// What the validator says.
        what: String,
    },
    /// More of something than allowed.
    #[error("it has {found} {what}, at most {max} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        found: u64,
        /// How many are allowed.
        max: u64,
    },
    /// A part that no contract may have.
    #[error("it has {0}, which contracts may not have")]
    Forbidden(&'static str),
    /// An import that no host offers, or of another form.
    #[error("it imports `{0}`, which this host does not offer in that form")]
    Import(String),
    /// An export that a contract must have is not there, or has another form.
    #[error("it does not export `{0}` as CosmWasm contracts do")]
    Export(&'static str),
    /// Made for another version of the interface.
    #[error("it exports `{0}`; contracts here are of interface_version_8 (CosmWasm 1.0 and later)")]
    Version(String),
    /// Demands what this ledger does not offer.
    #[error("it requires the capability `{0}`, which this ledger does not offer")]
    Capability(String),
}

/// What inspection finds in a module that may run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Its entry points, ascending: of instantiate, execute, migrate, query, reply, sudo.
    pub entries: Vec<&'static str>,
    /// Capabilities it requires, ascending.
    pub capabilities: Vec<String>,
    /// Whether its `migrate` takes the third argument of CosmWasm 2.2.
    pub migrate_has_info: bool,
    /// Memory that it begins with, pages of 64 KiB.
    pub memory_pages: u64,
    /// How many functions it has, imports included.
    pub functions: usize,
}

impl Outline {
    /// Whether it has an entry point.
    #[must_use]
    pub fn has(&self, entry: &str) -> bool {
        self.entries.contains(&entry)
    }
}

/// WebAssembly 1.0 with what compilers emit by themselves today; floating point is allowed since
/// every NaN has one form here. No vectors, threads, exceptions, tail calls, 64-bit memory.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::FLOATS);

/// Says whether a module may run.
///
/// # Errors
/// The first [`Reason`] found why not.
pub fn inspect(module: &[u8]) -> Result<Outline, Reason> {
    Ok(survey(module)?.0)
}

/// The outline, and for each defined function its weight on the stack.
pub(crate) fn survey(module: &[u8]) -> Result<(Outline, Vec<u32>), Reason> {
    if module.len() > CODE_BYTES_MAX {
        return Err(Reason::TooLong(module.len()));
    }
    let mut survey = Survey::default();
    let mut validator = Validator::new_with_features(FEATURES);
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(invalid)?;
        survey.section(&payload)?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload).map_err(invalid)? {
            let mut validator = function.into_validator(allocations);
            survey.function(&mut validator, &body)?;
            allocations = validator.into_allocations();
        }
    }
    survey.finish()
}

fn invalid(error: wasmparser::BinaryReaderError) -> Reason {
    // Some messages go on with the bytes, one a line.
    let what = error.message().lines().next().unwrap_or_default();
    let what = what.split(" - expected=").next().unwrap_or(what).to_owned();
    Reason::Invalid { offset: error.offset(), what }
}

fn at_most(what: &'static str, found: u64, max: u64) -> Result<(), Reason> {
    if found <= max { Ok(()) } else { Err(Reason::TooMany { what, found, max }) }
}

#[derive(Debug, Default)]
struct Survey {
    types: Vec<FuncType>,
    /// The type of each function, imports first.
    functions: Vec<u32>,
    imported: usize,
    exports: Vec<(String, ExternalKind, u32)>,
    memories: Vec<u64>,
    segments: usize,
    jump_targets: u32,
    weights: Vec<u32>,
}

impl Survey {
    fn section(&mut self, payload: &Payload<'_>) -> Result<(), Reason> {
        match payload {
            Payload::TypeSection(section) => self.types(section.clone()),
            Payload::ImportSection(section) => self.imports(section.clone()),
            Payload::FunctionSection(section) => {
                for ty in section.clone() {
                    self.functions.push(ty.map_err(invalid)?);
                }
                at_most("functions", self.functions.len() as u64, FUNCTIONS_MAX as u64)
            }
            Payload::TableSection(section) => {
                at_most("tables", u64::from(section.count()), 1)?;
                for table in section.clone() {
                    let table = table.map_err(invalid)?.ty;
                    let most = table.maximum.unwrap_or(table.initial).max(table.initial);
                    at_most("entries in its table", most, TABLE_ENTRIES_MAX)?;
                }
                Ok(())
            }
            Payload::MemorySection(section) => {
                at_most("memories", u64::from(section.count()), 1)?;
                for memory in section.clone() {
                    let pages = memory.map_err(invalid)?.initial;
                    at_most("pages of memory to begin with", pages, MEMORY_PAGES_MAX)?;
                    self.memories.push(pages);
                }
                Ok(())
            }
            Payload::GlobalSection(section) => {
                at_most("globals", u64::from(section.count()), GLOBALS_MAX as u64)
            }
            Payload::ExportSection(section) => {
                at_most("exports", u64::from(section.count()), EXPORTS_MAX as u64)?;
                for export in section.clone() {
                    let export = export.map_err(invalid)?;
                    self.exports.push((export.name.to_owned(), export.kind, export.index));
                }
                Ok(())
            }
            Payload::StartSection { .. } => Err(Reason::Forbidden("a start function")),
            Payload::TagSection(_) => Err(Reason::Forbidden("exceptions")),
            Payload::ElementSection(section) => self.segments(section.count()),
            Payload::DataSection(section) => self.segments(section.count()),
            _ => Ok(()),
        }
    }

    fn segments(&mut self, more: u32) -> Result<(), Reason> {
        self.segments += more as usize;
        at_most("segments", self.segments as u64, SEGMENTS_MAX as u64)
    }

    fn types(&mut self, section: wasmparser::TypeSectionReader<'_>) -> Result<(), Reason> {
        for group in section {
            for ty in group.map_err(invalid)?.into_types() {
                let CompositeInnerType::Func(function) = ty.composite_type.inner else {
                    return Err(Reason::Forbidden("types other than of functions"));
                };
                let parameters = function.params().len();
                at_most("parameters of a function", parameters as u64, PARAMETERS_MAX as u64)?;
                at_most("results of a function", function.results().len() as u64, 1)?;
                self.types.push(function);
                at_most("function types", self.types.len() as u64, TYPES_MAX as u64)?;
            }
        }
        Ok(())
    }

    fn imports(&mut self, section: wasmparser::ImportSectionReader<'_>) -> Result<(), Reason> {
        for import in section.into_imports() {
            let import = import.map_err(invalid)?;
            let name = || format!("{}.{}", import.module, import.name).chars().take(100).collect();
            let TypeRef::Func(ty) = import.ty else { return Err(Reason::Import(name())) };
            let form = self.types.get(ty as usize).ok_or_else(|| Reason::Import(name()))?;
            if import.module != "env" || !imports::offers(import.name, form) {
                return Err(Reason::Import(name()));
            }
            self.functions.push(ty);
            self.imported += 1;
            at_most("imports", self.imported as u64, IMPORTS_MAX as u64)?;
        }
        Ok(())
    }

    /// Validates a function and weighs it.
    fn function(
        &mut self,
        validator: &mut wasmparser::FuncValidator<wasmparser::ValidatorResources>,
        body: &wasmparser::FunctionBody<'_>,
    ) -> Result<(), Reason> {
        at_most("bytes in a function", body.as_bytes().len() as u64, FUNCTION_BYTES_MAX as u64)?;
        let mut locals = body.get_binary_reader();
        validator.read_locals(&mut locals).map_err(invalid)?;
        at_most("locals of a function", u64::from(validator.len_locals()), u64::from(LOCALS_MAX))?;
        let mut operators = body.get_operators_reader().map_err(invalid)?;
        let mut deepest = 0;
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset().map_err(invalid)?;
            if let Operator::BrTable { targets } = &operator {
                self.jump_targets = self.jump_targets.saturating_add(targets.len());
                let found = u64::from(self.jump_targets);
                at_most("targets of jump tables", found, u64::from(JUMP_TARGETS_MAX))?;
            }
            validator.op(offset, &operator).map_err(invalid)?;
            deepest = deepest.max(validator.operand_stack_height());
        }
        operators.finish().map_err(invalid)?;
        self.weights.push(8 + validator.len_locals() + deepest);
        Ok(())
    }

    fn finish(self) -> Result<(Outline, Vec<u32>), Reason> {
        let mut outline = Outline { functions: self.functions.len(), ..Outline::default() };
        let [pages] = self.memories[..] else { return Err(Reason::Export("memory")) };
        outline.memory_pages = pages;
        let is_memory = |(name, kind, _): &(String, ExternalKind, u32)| {
            name == "memory" && *kind == ExternalKind::Memory
        };
        if !self.exports.iter().any(is_memory) {
            return Err(Reason::Export("memory"));
        }
        self.version()?;
        self.exported("allocate", &[1], 1)?.ok_or(Reason::Export("allocate"))?;
        self.exported("deallocate", &[1], 0)?.ok_or(Reason::Export("deallocate"))?;
        for (entry, parameters) in [
            ("execute", [3].as_slice()),
            ("instantiate", &[3]),
            ("migrate", &[2, 3]),
            ("query", &[2]),
            ("reply", &[2]),
            ("sudo", &[2]),
        ] {
            if let Some(found) = self.exported(entry, parameters, 1)? {
                outline.entries.push(entry);
                outline.migrate_has_info |= entry == "migrate" && found == 3;
            }
        }
        if !outline.has("instantiate") {
            return Err(Reason::Export("instantiate"));
        }
        outline.capabilities = self.capabilities()?;
        Ok((outline, self.weights))
    }

    fn version(&self) -> Result<(), Reason> {
        let versions: Vec<&str> = self
            .exports
            .iter()
            .map(|(name, ..)| name.as_str())
            .filter(|name| name.starts_with("interface_version_"))
            .collect();
        match versions[..] {
            ["interface_version_8"] => Ok(()),
            [] => Err(Reason::Export("interface_version_8")),
            [other, ..] => Err(Reason::Version(other.chars().take(64).collect())),
        }
    }

    fn capabilities(&self) -> Result<Vec<String>, Reason> {
        let required: BTreeSet<String> = self
            .exports
            .iter()
            .filter_map(|(name, ..)| name.strip_prefix("requires_").map(str::to_owned))
            .collect();
        match required.iter().find(|name| !CAPABILITIES.contains(&name.as_str())) {
            Some(other) => Err(Reason::Capability(other.chars().take(64).collect())),
            None => Ok(required.into_iter().collect()),
        }
    }

    /// The number of parameters of an exported function, if there is one of that name; it must have
    /// one of the forms given, all of 32-bit integers.
    fn exported(
        &self,
        name: &'static str,
        parameters: &[usize],
        results: usize,
    ) -> Result<Option<usize>, Reason> {
        let Some((_, kind, index)) = self.exports.iter().find(|(found, ..)| found == name) else {
            return Ok(None);
        };
        let form = self.functions.get(*index as usize);
        let form = form.and_then(|ty| self.types.get(*ty as usize));
        let Some(form) = form.filter(|_| *kind == ExternalKind::Func) else {
            return Err(Reason::Export(name));
        };
        let whole = form.params().iter().chain(form.results()).all(|ty| *ty == ValType::I32);
        let fits = parameters.contains(&form.params().len()) && form.results().len() == results;
        if whole && fits { Ok(Some(form.params().len())) } else { Err(Reason::Export(name)) }
    }
}
