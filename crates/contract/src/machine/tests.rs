//! What is compiled is remembered, and nothing that was not compiled here is run.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use althing_types::{CodeId, blake3_digest};

use super::*;

/// A shelf of a test, which can be looked at and damaged.
#[derive(Debug, Default)]
struct Board(Mutex<BTreeMap<String, Vec<u8>>>);

impl Shelf for Board {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(name).cloned()
    }

    fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap().contains_key(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        self.0.lock().unwrap().insert(name.to_owned(), bytes.to_vec());
    }
}

fn base() -> Vec<u8> {
    wat::parse_str(include_str!("../../../../testdata/contracts/base.wat")).unwrap()
}

fn machine(board: &Arc<Board>, key: u8) -> Machine {
    let machine = Machine::new();
    machine.keep_on(Arc::clone(board) as _, [key; 32]);
    machine
}

/// Gets the module, and says whether it had to be compiled for that.
fn compiles(machine: &Machine, code: &[u8]) -> bool {
    let mut asked = false;
    let load = || {
        asked = true;
        Ok::<_, Reason>(code.to_vec())
    };
    let module = machine.module(&CodeId::of(code), load, |reason| reason).unwrap();
    assert!(module.has(Entry::Execute) && module.has(Entry::Migrate) && !module.has(Entry::Sudo));
    assert!(!module.migrate_has_info());
    asked
}

#[test]
fn what_was_compiled_before_a_restart_is_not_compiled_again() {
    let (board, code) = (Arc::new(Board::default()), base());
    let first = machine(&board, 1);
    assert!(!first.has(&CodeId::of(&code)));
    assert!(compiles(&first, &code) && !compiles(&first, &code));
    let restarted = machine(&board, 1);
    assert!(restarted.has(&CodeId::of(&code)));
    assert!(!compiles(&restarted, &code));
}

#[test]
fn machine_code_that_is_damaged_or_anothers_is_compiled_again() {
    let (board, code) = (Arc::new(Board::default()), base());
    assert!(compiles(&machine(&board, 1), &code));
    let good = board.0.lock().unwrap().clone();
    let (name, bytes) = good.iter().next().unwrap();
    let damaged = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let places = [0, 31, 32, 100, bytes.len() / 2, bytes.len() - 1];
    let mut wrong: Vec<Vec<u8>> = places.map(damaged).to_vec();
    wrong.extend([Vec::new(), bytes[..40].to_vec(), bytes[32..].to_vec()]);
    for bytes in wrong {
        board.put(name, &bytes);
        assert!(compiles(&machine(&board, 1), &code));
        assert_eq!(*board.0.lock().unwrap(), good, "what is compiled again takes its place");
    }
    assert!(compiles(&machine(&board, 2), &code), "another peer's");
    // Sound, and of another module: it lies under a name that is not its own.
    let other = CodeId::of(b"other");
    let machine = machine(&board, 2);
    let name = machine.name(&other);
    let sound = board.0.lock().unwrap().values().next().unwrap().clone();
    board.put(&name, &sound);
    assert!(machine.take_down(&other).is_none());
}

#[test]
fn a_module_is_compiled_once_however_many_wait_for_it() {
    let (machine, code) = (Machine::new(), base());
    let loads = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let load = || {
                    loads.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Reason>(code.clone())
                };
                machine.module(&CodeId::of(&code), load, |reason| reason).unwrap();
            });
        }
    });
    assert_eq!(loads.into_inner(), 1);
    assert_eq!(machine.kept().0, 1);
}

#[test]
fn a_code_that_cannot_be_loaded_is_asked_for_again() {
    let (machine, code) = (Machine::new(), base());
    let id = CodeId::of(&code);
    assert_eq!(machine.module(&id, || Err("gone"), |_| "bad").unwrap_err(), "gone");
    assert!(machine.module(&id, || Ok(code), |_| "bad").is_ok());
    let bad = CodeId::of(b"bad");
    assert_eq!(machine.module(&bad, || Ok(b"bad".to_vec()), |_| "bad").unwrap_err(), "bad");
    let unread = || unreachable!("that it does not compile is remembered");
    assert_eq!(machine.module(&bad, unread, |_| "bad").unwrap_err(), "bad");
}

#[test]
fn a_machine_without_contracts_has_no_engine() {
    let machine = machine(&Arc::new(Board::default()), 1);
    assert!(machine.engine.get().is_none());
}

/// Machine code on disk was made of modules as they were prepared then. Whoever changes how they are
/// prepared raises [`REVISION`] and puts the new digest here.
#[test]
fn another_way_to_prepare_modules_has_another_revision() {
    let code = base();
    let (_, weights) = survey(&code).unwrap();
    let prepared = metered(&code, &weights).unwrap();
    let digest: String =
        blake3_digest(&prepared)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((REVISION, digest.as_str()), (2, "924f3f097798d89c"));
}
