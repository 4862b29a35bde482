//! A limit on the stack that is the same on every processor.
//!
//! How many bytes a function takes on the stack depends on the processor, so a contract that
//! recurses could break off on one machine and not on another. Each function is therefore rewritten
//! to count what it declares (parameters, locals, deepest operand stack, and eight) in a global of its
//! own, and to break off beyond [`STACK_UNITS_MAX`]:
//! ```text
//! depth += weight;  if depth > max { unreachable }
//! block  ...the function, in which `return` leaves the block...  end
//! depth -= weight
//! ```

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, GlobalSection, GlobalType, Instruction, Module, SectionId,
    ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{FuncType, Operator, Parser};

use crate::limits::STACK_UNITS_MAX;

/// The module with the count in it; none if that fails, which it does not for one that
/// [`survey`](crate::inspect::survey) accepts.
pub(crate) fn metered(module: &[u8], weights: &[u32]) -> Option<Vec<u8>> {
    let mut meter = Meter { weights, ..Meter::default() };
    let mut out = Module::new();
    meter.parse_core_module(&mut out, Parser::new(0), module).ok()?;
    (meter.next == weights.len()).then(|| out.finish())
}

#[derive(Debug, Default)]
struct Meter<'a> {
    weights: &'a [u32],
    types: Vec<FuncType>,
    /// The type of each function that is defined.
    functions: Vec<u32>,
    /// The function that comes next.
    next: usize,
    /// Index of the global that counts.
    depth: Option<u32>,
}

type Failed = Error<std::convert::Infallible>;

impl Meter<'_> {
    fn add_global(&mut self, globals: &mut GlobalSection) {
        self.depth = Some(globals.len());
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(0));
    }
}

impl Reencode for Meter<'_> {
    type Error = std::convert::Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut wasm_encoder::TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Failed> {
        for ty in section.clone().into_iter_err_on_gc_types() {
            self.types.push(ty?);
        }
        utils::parse_type_section(self, types, section)
    }

    fn parse_function_section(
        &mut self,
        functions: &mut wasm_encoder::FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Failed> {
        for ty in section.clone() {
            self.functions.push(ty?);
        }
        utils::parse_function_section(self, functions, section)
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Failed> {
        utils::parse_global_section(self, globals, section)?;
        self.add_global(globals);
        Ok(())
    }

    /// A module without globals gets a section of its own; all that come later have exports.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Failed> {
        if self.depth.is_none() && matches!(before, Some(SectionId::Export)) {
            let mut globals = GlobalSection::new();
            self.add_global(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    /// Names and other notes are of no use to a contract that runs.
    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Failed> {
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Failed> {
        let weight = self.weights.get(self.next).copied();
        let ty = self.functions.get(self.next).and_then(|ty| self.types.get(*ty as usize));
        let (Some(weight), Some(ty), Some(depth)) = (weight, ty, self.depth) else {
            return Err(Error::InvalidCodeSectionSize);
        };
        let weight = weight as i32;
        let block = match ty.results() {
            [] => BlockType::Empty,
            [result, ..] => BlockType::Result(self.val_type(*result)?),
        };
        self.next += 1;
        let mut function = self.new_function_with_parsed_locals(&body)?;
        for instruction in [
            Instruction::GlobalGet(depth),
            Instruction::I32Const(weight),
            Instruction::I32Add,
            Instruction::GlobalSet(depth),
            Instruction::GlobalGet(depth),
            Instruction::I32Const(STACK_UNITS_MAX as i32),
            Instruction::I32GtU,
            Instruction::If(BlockType::Empty),
            Instruction::Unreachable,
            Instruction::End,
            Instruction::Block(block),
        ] {
            function.instruction(&instruction);
        }
        let mut nesting = 0_u32;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    nesting += 1;
                }
                // The last one closes the block around the function.
                Operator::End => nesting = nesting.saturating_sub(1),
                Operator::Return => {
                    function.instruction(&Instruction::Br(nesting));
                    continue;
                }
                _ => {}
            }
            function.instruction(&self.instruction(operator)?);
        }
        for instruction in [
            Instruction::GlobalGet(depth),
            Instruction::I32Const(weight),
            Instruction::I32Sub,
            Instruction::GlobalSet(depth),
            Instruction::End,
        ] {
            function.instruction(&instruction);
        }
        code.function(&function);
        Ok(())
    }
}
