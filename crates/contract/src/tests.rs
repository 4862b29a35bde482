//! Hostile and harmless modules, written by hand.

use std::collections::BTreeMap;

use crate::{
    Broken, Call, Done, Entry, Failure, Host, Machine, Module, Order, Reason, Row, inspect, limits,
    run, testing,
};

const BASE: &str = include_str!("../../../testdata/contracts/base.wat");

/// A contract with some places of the base replaced.
fn contract(places: &[(&str, &str)]) -> Vec<u8> {
    let mut text = BASE.to_owned();
    for (place, code) in places {
        let place = format!("(;{place};)");
        assert!(text.contains(&place), "no place {place}");
        text = text.replace(&place, code);
    }
    wat::parse_str(&text).unwrap()
}

fn executing(code: &str) -> Module {
    Machine::shared().compile(&contract(&[("execute", code)])).unwrap()
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct World {
    storage: BTreeMap<Vec<u8>, Vec<u8>>,
    said: Vec<String>,
}

impl Host for World {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        Ok(self.storage.get(key).cloned())
    }

    fn set(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Broken> {
        testing::set(&mut self.storage, key, value);
        Ok(())
    }

    fn range(
        &mut self,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<(Vec<Row>, usize), Broken> {
        Ok(testing::range(&self.storage, from, to, order, limit))
    }

    fn address(&self, text: &str) -> Option<[u8; 32]> {
        (text == "value").then_some([7; 32])
    }

    fn address_text(&self, _address: &[u8; 32]) -> String {
        "value".into()
    }

    fn query(&mut self, request: &[u8], gas_limit: u64) -> Result<(Option<Vec<u8>>, u64), Broken> {
        const PRICE: u64 = 5_000;
        Ok(if gas_limit < PRICE { (None, gas_limit) } else { (Some(request.to_vec()), PRICE) })
    }

    fn debug(&mut self, text: &str) {
        self.said.push(text.to_owned());
    }
}

const GAS: u64 = 50_000_000;

fn call(module: &Module, world: &mut World, entry: Entry, gas_limit: u64) -> Done {
    let arguments: &[&[u8]] = match entry {
        Entry::Instantiate | Entry::Execute => &[b"{}", b"{}", b"{}"],
        _ => &[b"{}", b"{}"],
    };
    run(module, world, &Call { entry, arguments, gas_limit })
}

fn execute(module: &Module, world: &mut World) -> Done {
    call(module, world, Entry::Execute, GAS)
}

/// What becomes of a contract that executes this.
fn outcome(code: &str) -> Result<(), Failure> {
    execute(&executing(code), &mut World::default()).answer.map(|_| ())
}

const WORK: &str = "
    (call $db_write (i32.const 32) (i32.const 48))
    (drop (call $db_read (i32.const 32)))
    (drop (call $db_next (call $db_scan (i32.const 0) (i32.const 0) (i32.const 1))))
    (drop (call $addr_validate (i32.const 48)))
    (local.set $i (i32.const 1000))
    (loop $again
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $again (local.get $i)))
    (drop (call $query_chain (i32.const 48)))
    (drop (call $helper (i32.const 3)))";

#[test]
fn a_contract_reads_writes_and_answers() {
    let mut world = World::default();
    let done = execute(&executing(WORK), &mut world);
    assert_eq!(done.answer.as_deref(), Ok(br#"{"ok":{"messages":[]}}"#.as_slice()));
    assert_eq!(world.storage, BTreeMap::from([(b"key".to_vec(), b"value".to_vec())]));
}

/// Gas decides what a block can hold, so it must be the same on a machine that has just compiled the
/// module, on one that compiled it before, and on any thread.
#[test]
fn gas_is_the_same_cold_and_warm_and_on_every_thread() {
    let code = contract(&[("execute", WORK)]);
    let run_in = |machine: &Machine| {
        let module = machine.compile(&code).unwrap();
        (0..3).map(|_| execute(&module, &mut World::default())).collect::<Vec<_>>()
    };
    let first = run_in(&Machine::new());
    assert!(first.iter().all(|done| *done == first[0]), "{first:?}");
    let others = std::thread::scope(|scope| {
        let threads = [0, 1].map(|_| scope.spawn(|| run_in(Machine::shared())));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(others, [first.clone(), first]);
}

/// Aptos stood still for hours since what a transaction used was not the same when gas ran out.
#[test]
fn gas_can_run_out_at_any_point() {
    let module = executing(WORK);
    let needed = execute(&module, &mut World::default()).gas_used;
    // Every limit near the points where host calls charge would be 10^6 runs; this step has no
    // common factor with the prices, so it lands everywhere.
    for limit in (0..needed).step_by(997).chain([needed - 1]) {
        let mut worlds = [World::default(), World::default()];
        let [first, second] =
            worlds.each_mut().map(|world| call(&module, world, Entry::Execute, limit));
        assert_eq!(first, Done { gas_used: limit, answer: Err(Failure::OutOfGas) });
        assert_eq!(first, second);
        assert_eq!(worlds[0], worlds[1]);
    }
    let enough = call(&module, &mut World::default(), Entry::Execute, needed);
    assert!(enough.answer.is_ok() && enough.gas_used == needed);
}

#[test]
fn what_contracts_do_wrong_has_one_outcome() {
    let bomb = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (if (i32.ne (memory.size) (i32.const 512)) (then unreachable))";
    for (name, code, expected) in [
        ("an endless loop", "(loop $again (br $again))", Err(Failure::OutOfGas)),
        ("all memory there is", bomb, Ok(())),
        ("a panic", "(call $abort (i32.const 48))", Err(Failure::Trapped)),
        ("unreachable", "unreachable", Err(Failure::Trapped)),
        (
            "a division by zero",
            "(drop (i32.div_u (i32.const 1) (local.get $i)))",
            Err(Failure::Trapped),
        ),
        ("memory out of bounds", "(drop (i32.load (i32.const -4)))", Err(Failure::Trapped)),
        (
            "filling beyond memory",
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const -1))",
            Err(Failure::OutOfGas),
        ),
        ("a region at the end", "(drop (call $db_read (i32.const -1)))", Err(Failure::Misused)),
        ("a region of nothing", "(drop (call $db_read (i32.const 0)))", Err(Failure::Misused)),
        ("an iterator that is none", "(drop (call $db_next (i32.const 1)))", Err(Failure::Misused)),
        (
            "an order that is none",
            "(drop (call $db_scan (i32.const 0) (i32.const 0) (i32.const 3)))",
            Err(Failure::Misused),
        ),
        (
            "too many iterators",
            "(loop $again (drop (call $db_scan (i32.const 0) (i32.const 0) (i32.const 2))) (br $again))",
            Err(Failure::Misused),
        ),
        (
            "a key too long",
            "(i32.store (i32.const 36) (i32.const 300)) (i32.store (i32.const 40) (i32.const 300))
             (drop (call $db_read (i32.const 32)))",
            Err(Failure::Misused),
        ),
    ] {
        assert_eq!(outcome(code), expected, "{name}");
    }
}

/// The engine tells of a growth that it does not do in the same way as of a machine that has no memory
/// left, after which a peer must stop; no contract may bring that about.
#[test]
fn growing_beyond_what_is_declared_is_answered_and_breaks_nothing() {
    let refused = |grow: &str| format!("(if (i32.ne ({grow}) (i32.const -1)) (then unreachable))");
    let grown = |pages: i64| refused(&format!("memory.grow (i32.const {pages})"));
    let table = "(table $t 1 2 funcref)";
    let more = refused("table.grow $t (ref.null func) (i32.const 2)");
    let most = refused("table.grow $t (ref.null func) (i32.const -1)");
    for (memory, code) in [
        ("17", grown(512)),
        ("17", grown(65_519)),
        ("17", grown(65_520)),
        ("17", grown(65_536)),
        ("17", grown(-1)),
        ("17 18", grown(2)),
        ("17", more),
        ("17", most),
    ] {
        let text = BASE
            .replace("(export \"memory\") 17", &format!("(export \"memory\") {memory}"))
            .replace("(;execute;)", &code)
            .replace("(;more;)", table);
        let module = Machine::shared().compile(&wat::parse_str(&text).unwrap()).unwrap();
        let done = call(&module, &mut World::default(), Entry::Execute, 10_000_000_000_000);
        assert!(done.answer.is_ok(), "{memory}, {code}: {done:?}");
    }
}

/// Otherwise import and allocator call each other on the processor's stack, uncounted.
#[test]
fn an_allocator_that_calls_imports_is_stopped() {
    let code = contract(&[
        ("allocate", "(drop (call $query_chain (i32.const 48)))"),
        ("execute", "(drop (call $query_chain (i32.const 48)))"),
    ]);
    let module = Machine::shared().compile(&code).unwrap();
    assert_eq!(execute(&module, &mut World::default()).answer, Err(Failure::Misused));
    // The allocator is an import itself.
    let text = BASE
        .replace("(export \"allocate\")", "")
        .replace("(;more;)", "(export \"allocate\" (func $query_chain))");
    let module = Machine::shared().compile(&wat::parse_str(&text).unwrap()).unwrap();
    assert_eq!(execute(&module, &mut World::default()).answer, Err(Failure::Misused));
}

#[test]
fn a_question_changes_nothing() {
    let code = "(call $db_write (i32.const 32) (i32.const 48))";
    let module = Machine::shared().compile(&contract(&[("query", code)])).unwrap();
    let mut world = World::default();
    let done = call(&module, &mut world, Entry::Query, GAS);
    assert_eq!((done.answer, world), (Err(Failure::Misused), World::default()));
    let done = call(&module, &mut World::default(), Entry::Sudo, GAS);
    assert_eq!(done.answer, Err(Failure::NoEntry));
}

#[test]
fn what_a_contract_says_reaches_who_tries_it_out() {
    let module = executing("(call $debug (i32.const 32)) (call $abort (i32.const 48))");
    let mut world = World::default();
    assert_eq!(execute(&module, &mut world).answer, Err(Failure::Trapped));
    assert_eq!(world.said, ["key", "value"]);
}

#[test]
fn iterators_go_both_ways() {
    let mut world = World::default();
    for key in 0..100_u8 {
        world.storage.insert(vec![key], vec![key]);
    }
    // Copies the 40th key of an iteration under "key".
    let nth = |order: u8| {
        format!(
            "(local.set $j (call $db_scan (i32.const 0) (i32.const 0) (i32.const {order})))
             (local.set $i (i32.const 39))
             (loop $again
               (drop (call $db_next (local.get $j)))
               (local.set $i (i32.sub (local.get $i) (i32.const 1)))
               (br_if $again (local.get $i)))
             (call $db_write (i32.const 32) (call $db_next_key (local.get $j)))"
        )
    };
    for (order, expected) in [(1, 39_u8), (2, 60)] {
        let mut world = world.clone();
        assert!(execute(&executing(&nth(order)), &mut world).answer.is_ok());
        assert_eq!(world.storage[b"key".as_slice()], [expected], "order {order}");
    }
}

/// How deep a contract can recurse must not depend on how many bytes of stack a processor takes: it
/// breaks off by count, long before the processor's stack ends, whatever the functions look like.
#[test]
fn recursion_ends_by_count_and_not_by_the_processors_stack() {
    let locals = (0..300).map(|n| format!("(local $l{n} i64)")).collect::<String>();
    // All of them live across the call.
    let set = (0..300)
        .map(|n| format!("(local.set $l{n} (i64.load (i32.const {})))", 8 * n))
        .collect::<String>();
    let sum = (0..300).map(|n| format!("(local.get $l{n}) i64.add ")).collect::<String>();
    let heavy = format!(
        "(func $heavy (param $depth i32) (result i64) {locals} {set}
           (global.set $deepest (local.get $depth))
           (call $heavy (i32.add (local.get $depth) (i32.const 1))) {sum})
         (global $deepest (mut i32) (i32.const 0))"
    );
    let light = "(func $heavy (param $depth i32) (result i64)
           (global.set $deepest (local.get $depth))
           (call $heavy (i32.add (local.get $depth) (i32.const 1))))
         (global $deepest (mut i32) (i32.const 0))";
    for (more, weight) in [(heavy.as_str(), 300), (light, 9)] {
        let code = contract(&[
            ("more", more),
            ("execute", "(drop (call $heavy (i32.const 0)))"),
            ("query", "(drop (call $heavy (i32.const 0)))"),
        ]);
        let module = Machine::shared().compile(&code).unwrap();
        let done = execute(&module, &mut World::default());
        assert_eq!(done.answer, Err(Failure::Trapped));
        // Had the processor's stack ended first, much less gas would have been used.
        let frames = u64::from(limits::STACK_UNITS_MAX) / (weight + 15);
        assert!(done.gas_used > frames, "{done:?}");
    }
}

#[test]
fn functions_may_return_early_and_branch_after_the_count_is_added() {
    let helper = "
        (if (i32.eqz (local.get $x)) (then (return (i32.const 7))))
        (block $out (loop $in (br_if $out (i32.const 1)) (br $in)))
        (block (block (return (i32.const 9))))";
    let code = contract(&[
        ("helper", helper),
        (
            "execute",
            "(if (i32.ne (call $helper (i32.const 0)) (i32.const 7)) (then unreachable))
             (if (i32.ne (call $helper (i32.const 1)) (i32.const 9)) (then unreachable))
             (local.set $i (i32.const 100000))
             (loop $again
               (drop (call $helper (local.get $i)))
               (local.set $i (i32.sub (local.get $i) (i32.const 1)))
               (br_if $again (local.get $i)))",
        ),
    ]);
    let module = Machine::shared().compile(&code).unwrap();
    // 100,000 calls one after the other are not deep.
    assert!(execute(&module, &mut World::default()).answer.is_ok());
}

#[test]
fn every_nan_has_one_form() {
    let store = |nan: &str| {
        format!(
            "(i32.store (i32.const 768) (i32.reinterpret_f32 {nan}))
             (call $db_write (i32.const 32) (i32.const 48))"
        )
    };
    let zero = "(f32.convert_i32_s (local.get $i))";
    let infinity = format!("(f32.div (f32.const 1) {zero})");
    for nan in [
        format!("(f32.div {zero} {zero})"),
        format!("(f32.sub {infinity} {infinity})"),
        format!("(f32.sqrt (f32.sub {zero} (f32.const 1)))"),
        "(f32.add (f32.reinterpret_i32 (i32.const 0xffc12345)) (f32.const 1))".to_owned(),
    ] {
        let mut world = World::default();
        assert!(execute(&executing(&store(&nan)), &mut world).answer.is_ok());
        assert_eq!(world.storage[b"key".as_slice()][..4], 0x7fc0_0000_u32.to_le_bytes(), "{nan}");
    }
}

#[test]
fn copying_is_paid_by_length() {
    let fill = |bytes: u32| {
        let code = format!("(memory.fill (i32.const 70000) (i32.const 0) (i32.const {bytes}))");
        execute(&executing(&code), &mut World::default()).gas_used
    };
    assert!(fill(1_000_000) - fill(1_000) >= 999_000 / 4);
}

#[test]
fn modules_that_may_not_run_are_told_why() {
    let module = |text: &str| inspect(&wat::parse_str(text).unwrap());
    let changed = |from: &str, to: &str| {
        assert!(BASE.contains(from), "{from}");
        inspect(&wat::parse_str(BASE.replace(from, to)).unwrap())
    };
    let more = |text: &str| changed("(;more;)", text);
    let parameters = "i64 ".repeat(101);
    let many_locals = "i32 ".repeat(2_001);
    let long = "(drop (i32.const 1))".repeat(50_000);
    assert!(more("").is_ok());
    assert!(matches!(module("(module)"), Err(Reason::Export("memory"))));
    assert_eq!(
        changed("interface_version_8", "interface_version_7"),
        Err(Reason::Version("interface_version_7".into()))
    );
    assert_eq!(changed("\"allocate\"", "\"other\""), Err(Reason::Export("allocate")));
    assert_eq!(changed("\"instantiate\"", "\"other\""), Err(Reason::Export("instantiate")));
    assert_eq!(
        changed("(export \"query\") (param $env i32)", "(export \"query\") (param $env i64)"),
        Err(Reason::Export("query"))
    );
    assert_eq!(
        changed(
            "\"db_next_key\" (func $db_next_key (param i32) (result i32))",
            "\"clock\" (func $db_next_key (param i32) (result i32))"
        ),
        Err(Reason::Import("env.clock".into()))
    );
    assert_eq!(
        changed(
            "\"db_remove\" (func $db_remove (param i32))",
            "\"db_remove\" (func $db_remove (param i64))"
        ),
        Err(Reason::Import("env.db_remove".into()))
    );
    assert!(matches!(
        changed("(memory (export \"memory\") 17)", "(memory (export \"memory\") 513)"),
        Err(Reason::TooMany { what: "pages of memory to begin with", found: 513, .. })
    ));
    for (text, what) in [
        ("(table 10001 funcref)", "entries in its table"),
        (&*format!("(func (param {parameters}))"), "parameters of a function"),
        (&format!("(func (local {many_locals}))"), "locals of a function"),
        (&format!("(func {long})"), "bytes in a function"),
        ("(func (result i32 i32) (i32.const 1) (i32.const 1))", "results of a function"),
        ("(table 1 funcref) (table 1 funcref)", "tables"),
    ] {
        let found = more(text);
        assert!(matches!(found, Err(Reason::TooMany { what: w, .. }) if w == what), "{found:?}");
    }
    assert!(matches!(
        changed("(;more;)", "(func $start) (start $start)"),
        Err(Reason::Forbidden("a start function"))
    ));
    assert_eq!(
        more("(func (export \"requires_stargate\"))"),
        Err(Reason::Capability("stargate".into()))
    );
    assert!(more("(func (export \"requires_iterator\"))").is_ok());
    for invalid in ["(func (result v128) (v128.const i64x2 0 0))", "(tag)", "(memory i64 1)"] {
        assert!(more(invalid).is_err(), "{invalid}");
    }
    assert!(matches!(inspect(b"\0asm\x01\0\0"), Err(Reason::Invalid { .. })));
    assert_eq!(inspect(&vec![0; 2 << 20]), Err(Reason::TooLong(2 << 20)));
}
