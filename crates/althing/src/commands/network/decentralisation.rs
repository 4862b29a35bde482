//! `althing network decentralisation`: how many organisations do what, and how few could stop or divide
//! the ledger (Y.4464 Appendix III).

use std::collections::BTreeMap;

use althing_client::{
    Client,
    model::{Governance, query},
};
use clap::Args;
use serde::Serialize;

use crate::{
    output::{Output, Table},
    session::{Explain as _, Remote, block_on},
};

/// Most things, and most entities of a kind, that are looked at.
const LOOKED_AT_MAX: usize = 10_000;
/// How many are asked for at once.
const PAGE: u32 = 100;

#[derive(Debug, Args)]
pub(crate) struct Decentralisation {
    #[command(flatten)]
    remote: Remote,
}

/// How many of something each organisation has.
type Shares = BTreeMap<String, usize>;

/// How many organisations do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Function {
    /// What they do.
    function: &'static str,
    /// How many do it.
    organisations: usize,
    /// How much of it the largest does, hundredths, rounded down.
    largest_percent: usize,
}

impl Function {
    fn of(function: &'static str, shares: &Shares) -> Self {
        let (all, largest) = (shares.values().sum::<usize>(), shares.values().max());
        let largest_percent = largest.map_or(0, |largest| largest * 100 / all.max(1));
        Self { function, organisations: shares.len(), largest_percent }
    }
}

/// The least numbers of organisations that could do harm together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Least {
    /// Whose peers, if they fell silent, would leave too few to agree.
    stop: usize,
    /// Whose peers, if they lied, could make two blocks of one height final.
    divide: usize,
    /// Whose votes could keep any change from being accepted.
    block_a_vote: usize,
    /// Whose votes are enough for any change.
    win_a_vote: usize,
}

/// Of validators that agree by a mechanism, and members that vote.
fn least(seats: &Shares, quorum: usize, lies_count: bool, members: usize, needed: usize) -> Least {
    let count: usize = seats.values().sum();
    // Two quorums of which each honest validator is in one at most.
    let divide = if lies_count { (2 * quorum).saturating_sub(count) } else { 1 };
    Least {
        stop: fewest(seats, count.saturating_sub(quorum) + 1),
        divide: fewest(seats, divide),
        block_a_vote: members.saturating_sub(needed) + 1,
        win_a_vote: needed,
    }
}

/// How few organisations have so many seats together: the largest first.
fn fewest(seats: &Shares, wanted: usize) -> usize {
    let mut sizes: Vec<usize> = seats.values().copied().collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let mut have = 0;
    sizes
        .iter()
        .take_while(|size| {
            let more = have < wanted;
            have += **size;
            more
        })
        .count()
}

fn seats(governance: &Governance) -> Shares {
    let mut shares = Shares::new();
    for seat in &governance.validators {
        *shares.entry(seat.organisation.to_string()).or_default() += 1;
    }
    shares
}

impl Decentralisation {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let client = self.remote.client()?;
            let governance = client.governance().await.explain()?;
            let (peers, gateways) =
                (owners(&client, "peer").await?, owners(&client, "gateway").await?);
            let things = owners_of_things(&client).await?;
            let seats = seats(&governance);
            let members =
                governance.members.iter().map(|member| (member.id.to_string(), 1)).collect();
            let quorum = client.status().await.explain()?.quorum as usize;
            let functions = [
                Function::of("agree on blocks", &seats),
                Function::of("keep the ledger", &peers),
                Function::of("bring readings in", &gateways),
                Function::of("own things", &things),
                Function::of("decide by vote", &members),
            ];
            let lies_count = governance.mechanism != "raft";
            let (count, needed) = (governance.members.len(), governance.votes_needed as usize);
            let least = least(&seats, quorum, lies_count, count, needed);
            let value = serde_json::json!({ "functions": functions, "least": least });
            output.show(&value, || told(&functions, &least))
        })
    }
}

fn told(functions: &[Function], least: &Least) -> String {
    let mut table = Table::new(&["what", "organisations", "the largest does"]);
    for one in functions {
        let share = format!("{} %", one.largest_percent);
        table.row([one.function.to_owned(), one.organisations.to_string(), share]);
    }
    format!(
        "{}\nso many organisations together could\n  stop agreement: {}\n  divide the ledger: {}\n  \
         keep changes from being accepted: {}\n  accept any change: {}\n",
        table.to_text(),
        least.stop,
        least.divide,
        least.block_a_vote,
        least.win_a_vote,
    )
}

/// Whose entities of a kind there are that count.
async fn owners(client: &Client, kind: &str) -> anyhow::Result<Shares> {
    let (mut shares, mut after, mut seen) = (Shares::new(), None, 0);
    loop {
        let asked = query::Entities {
            kind: Some(kind.to_owned()),
            after,
            limit: Some(PAGE),
            ..query::Entities::default()
        };
        let page = client.entities(&asked).await.explain()?;
        seen += page.items.len();
        for entity in page.items.into_iter().filter(|entity| entity.active) {
            if let Some(owner) = entity.owner {
                *shares.entry(owner.to_string()).or_default() += 1;
            }
        }
        after = page.next;
        if after.is_none() || seen >= LOOKED_AT_MAX {
            return Ok(shares);
        }
    }
}

async fn owners_of_things(client: &Client) -> anyhow::Result<Shares> {
    let (mut shares, mut after, mut seen) = (Shares::new(), None, 0);
    loop {
        let asked = query::Things { after, limit: Some(PAGE), ..query::Things::default() };
        let page = client.things(&asked).await.explain()?;
        seen += page.items.len();
        for thing in page.items.into_iter().filter(|thing| thing.active) {
            *shares.entry(thing.owner.to_string()).or_default() += 1;
        }
        after = page.next;
        if after.is_none() || seen >= LOOKED_AT_MAX {
            return Ok(shares);
        }
    }
}

#[cfg(test)]
mod tests {
    use althing_types::Mechanism;

    use super::*;

    fn shares(sizes: &[usize]) -> Shares {
        (0..).zip(sizes).map(|(number, size): (u8, _)| (format!("o{number}"), *size)).collect()
    }

    #[test]
    fn the_fewest_that_could_stop_or_divide_are_counted() {
        for (sizes, mechanism, stop, divide) in [
            (&[1, 1, 1, 1][..], Mechanism::Simplex, 2, 2),
            (&[1, 1, 1, 1, 1, 1, 1], Mechanism::Simplex, 3, 3),
            // One of them has two of five seats: it stops alone, and divides with nobody more.
            (&[2, 1, 1, 1], Mechanism::Simplex, 1, 2),
            (&[4], Mechanism::Simplex, 1, 1),
            (&[3, 2, 2, 2, 1], Mechanism::Simplex, 2, 2),
            (&[1, 1, 1], Mechanism::Raft, 2, 1),
            (&[1, 1, 1, 1, 1], Mechanism::Raft, 3, 1),
            (&[3], Mechanism::Raft, 1, 1),
        ] {
            let seats = shares(sizes);
            let quorum = mechanism.quorum(seats.values().sum());
            let found = least(&seats, quorum, mechanism == Mechanism::Simplex, 4, 3);
            assert_eq!((found.stop, found.divide), (stop, divide), "{sizes:?} {mechanism:?}");
            assert_eq!((found.block_a_vote, found.win_a_vote), (2, 3));
        }
        let none = least(&Shares::new(), 0, true, 1, 1);
        assert_eq!((none.stop, none.divide), (0, 0));
    }

    #[test]
    fn the_share_of_the_largest_is_told() {
        for (sizes, organisations, percent) in
            [(&[1, 1, 1][..], 3, 33), (&[5, 1], 2, 83), (&[7], 1, 100), (&[], 0, 0)]
        {
            let found = Function::of("x", &shares(sizes));
            assert_eq!((found.organisations, found.largest_percent), (organisations, percent));
        }
    }
}
