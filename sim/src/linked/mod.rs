//! Two ledgers that know each other by proof, in one run, and a relay between them that nobody trusts.
//!
//! Each is a small network with faults of its own. One asks what a service of the other answers, and pays for
//! it; owners close their links and rely on them again; validators change. While that goes on, [`Witness`]
//! holds at every block what one ledger says of the other against what the other did; at the end all
//! calls must have ended, and one more must be answered and paid.
//!
//! Start reading at [`run_linked`].

mod forge;
mod parties;
mod plan;
mod relay;
mod side;
mod witness;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use althing_types::TxId;
use commonware_runtime::{
    Clock as _, Runner as _, Spawner as _, Supervisor as _,
    deterministic::{self, Context, Runner},
};
use futures::future::join;

pub use plan::{Drawn, LinkedPlan};
pub(crate) use side::End;
pub use witness::Calls;
pub(crate) use witness::Witness;

use self::{
    parties::LAST_MS,
    relay::Relay,
    side::{Side, Two},
};
use crate::{
    Bug, Founding, STUCK, Summary,
    peers::within,
    plan::Dice,
    world::{Parts, World},
};

/// Names of the networks: the one that asks, and the one that is asked.
const NAMES: [&str; 2] = ["shop", "maker"];
/// How long what goes wrong, and all calls meanwhile, may take in simulated time.
const ACTING: Duration = Duration::from_secs(600);
/// What the last answer costs.
const LAST_PRICE: u64 = 7;
/// How often it is tried to ask for it.
const LAST_TRIES: usize = 60;

/// Runs the two networks of a plan.
///
/// # Errors
/// What was found wrong, in words.
pub fn run_linked(plan: &LinkedPlan, bug: Option<Bug>) -> Result<Summary, String> {
    let parts = parts(plan, bug);
    let books = parts.each_ref().map(|parts| Arc::clone(&parts.book));
    let config = deterministic::Config::new().with_seed(plan.seed).with_timeout(Some(STUCK));
    let plan = plan.clone();
    let summary = Runner::new(config).start(|context| async move {
        let auditor = context.auditor().clone();
        let run = Run::start(&context, plan, parts, bug).await;
        within(&run.context, ACTING, run.trouble()).await.ok_or_else(|| run.open("calls asked"))?;
        run.heal().await?;
        run.ends_well().await?;
        Ok(run.summary(&auditor.state()))
    });
    // What was noticed first is the cause of whatever came later.
    match books.iter().find_map(|book| book.complaint()) {
        Some(complaint) => Err(complaint),
        None => summary,
    }
}

fn parts(plan: &LinkedPlan, bug: Option<Bug>) -> [Parts; 2] {
    let [asks, asked] = [0, 1].map(|end| {
        let plan = Arc::new(plan.ends[end].clone());
        let founding = Founding::named(&plan, NAMES[end]);
        Parts::founded(plan, founding, bug)
    });
    let books = [&asks, &asked].map(|parts| Arc::clone(&parts.book));
    let witness = Arc::new(Witness::new(books));
    [(asks, End::Asks), (asked, End::Asked)]
        .map(|(parts, end)| Parts { witness: Some((Arc::clone(&witness), end)), ..parts })
}

struct Run {
    context: Context,
    plan: LinkedPlan,
    worlds: [World; 2],
    witness: Arc<Witness>,
    two: Arc<Two>,
    has_keys: bool,
    lies_refused: Arc<AtomicU64>,
}

impl Run {
    async fn start(
        context: &Context,
        plan: LinkedPlan,
        [asks, asked]: [Parts; 2],
        bug: Option<Bug>,
    ) -> Self {
        let witness = asks.witness.as_ref().map(|(witness, _)| Arc::clone(witness));
        let witness = witness.unwrap_or_else(|| unreachable!());
        let worlds = [
            World::start(context.child("asks"), asks).await,
            World::start(context.child("asked"), asked).await,
        ];
        let [asks, asked] = worlds
            .each_ref()
            .map(|world| Side::new(Arc::clone(&world.parts.founding), Arc::clone(&world.peers)));
        let two = Arc::new(Two { asks, asked, calm: AtomicBool::new(false) });
        let context = context.child("between");
        let has_keys = bug == Some(Bug::KeysStolen);
        Self { context, plan, worlds, witness, two, has_keys, lies_refused: Arc::default() }
    }

    /// Dice of each of those who act, so that what one does changes nothing for the others.
    fn dice(&self, of: u64) -> Dice {
        Dice::new(self.plan.seed.wrapping_mul(16).wrapping_add(of))
    }

    /// Lets the faults of both happen, while calls are asked, carried and answered.
    async fn trouble(&self) {
        let [asks, asked] = &self.worlds;
        let (first, second) = (&self.plan.ends[0].faults, &self.plan.ends[1].faults);
        let faults = join(asks.trouble(first), asked.trouble(second));
        join(faults, self.act()).await;
    }

    async fn act(&self) {
        let Two { asks, asked, .. } = &*self.two;
        join(asks.found(&self.context, asked), asked.found(&self.context, asks)).await;
        asked.publish(&self.context).await;
        let (two, dice) = (|| Arc::clone(&self.two), |of| self.dice(of));
        let child = |label| self.context.child(label);
        let relay = Relay {
            two: two(),
            book: Arc::clone(&self.worlds[0].parts.book),
            dice: dice(0),
            ahead_ms: self.plan.relay_clock_ms,
            has_keys: self.has_keys,
            refused: Arc::clone(&self.lies_refused),
            held: Vec::new(),
        };
        child("relay").spawn(move |context| relay.run(context));
        let (provider, of) = (two(), dice(1));
        child("provider").spawn(move |context| parties::answer_all(context, provider, of));
        for (end, of) in [(End::Asks, dice(2)), (End::Asked, dice(3))] {
            let owner = two();
            let context = child("owner").with_attribute("end", end as usize);
            context.spawn(move |context| parties::own(context, owner, end, of));
        }
        let caller = parties::ask_all(child("caller"), two(), dice(4), self.plan.calls);
        caller.await;
    }

    /// What did not happen, and what of the calls has not ended.
    fn open(&self, what: &str) -> String {
        format!("no {what} in time: {}", self.witness.open())
    }

    /// Ends all that goes wrong; then both must go on.
    async fn heal(&self) -> Result<(), String> {
        for world in &self.worlds {
            world.recover().await?;
        }
        self.two.calm.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Everybody does what they should: one more call is answered and paid, and all before it have ended.
    async fn ends_well(&self) -> Result<(), String> {
        let world = &self.worlds[0];
        let last = self.last_call().await?;
        world
            .within(&format!("end of the last call {last}"), || self.witness.has_ended(&last))
            .await?;
        if !self.witness.is_settled(&last) {
            return Err(format!("the last call {last} was in time and not answered"));
        }
        let ended = world.within("end of all calls", || self.witness.is_content()).await;
        ended.map_err(|error| format!("{error}\n  {}", self.witness.open()))
    }

    /// Asks it, as soon as the owner of the link relies on it again.
    async fn last_call(&self) -> Result<TxId, String> {
        for _ in 0..LAST_TRIES {
            if let Some(call) = parties::ask(&self.context, &self.two, LAST_MS, LAST_PRICE).await {
                return Ok(call);
            }
            self.context.sleep(Duration::from_millis(500)).await;
        }
        Err(self.open("last call"))
    }

    fn summary(&self, auditor: &str) -> Summary {
        let books = self.worlds.each_ref().map(|world| &world.parts.book);
        let heights = self.worlds.iter().flat_map(|world| world.peers.all());
        let traces = books.map(|book| hex::encode(book.trace()));
        Summary {
            height: heights.map(|peer| peer.height()).min().unwrap_or(0),
            faults: self.plan.ends.iter().map(|plan| plan.faults.len()).sum(),
            seat_changes: self
                .worlds
                .iter()
                .map(|world| world.parts.decided.changes.load(Ordering::Relaxed))
                .sum(),
            payments: books.iter().map(|book| book.payments()).sum(),
            longest_gap_ms: books.iter().map(|book| book.longest_gap_ms()).max().unwrap_or(0),
            views_lost: books.iter().map(|book| book.views_lost()).max().unwrap_or(0),
            calls: self.witness.calls(),
            lies_refused: self.lies_refused.load(Ordering::Relaxed),
            trace: format!("{auditor} {}", traces.concat()),
            ..Summary::default()
        }
    }
}
