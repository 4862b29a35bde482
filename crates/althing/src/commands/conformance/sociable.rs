//! Appendix II.4: a washing machine buys detergent by a contract that was set before, and nobody stands
//! between it and the shop.

use std::time::{Duration, Instant};

use althing_client::model::{Trigger as TriggerState, query};
use althing_proof::bundle::{VerifiedClaim, verify};
use althing_types::{
    Action, Amount, Cause, CodeId, ContractId, Effect, EntityId, Relation, StreamId, Terms,
    ThingId, Trigger, TriggerId,
};
use anyhow::{Context as _, ensure};
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    contract::{GAS, did, store},
    mqtt,
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::{
    output::short,
    session::{Explain as _, Session},
};

/// Appendix II.4.
pub(super) const PROCEDURE: Procedure = Procedure {
    clause: "II.4",
    title: "Using BoT to promote device sociability",
    steps: &[
        Step { id: "REQ-II.4", title: "Two shops open, each a contract of another organisation" },
        Step { id: "REQ-II.4", title: "The owner of a washing machine says once what it may buy" },
        Step { id: "REQ-II.4", title: "It runs low, picks the cheapest shop, pays, has a receipt" },
        Step { id: "REQ-II.4", title: "That shop has sold out: it buys from the other" },
        Step { id: "REQ-II.4", title: "What costs more than the owner said is not bought" },
    ],
    with_tokens: true,
    run,
};

const SHOP: &[u8] = include_bytes!("../../../../../contracts/artifacts/shop.wasm");
const BUYER: &[u8] = include_bytes!("../../../../../contracts/artifacts/buyer.wasm");
/// Letters of the entities that sell, with their prices, the dearer first; of the machine's owner.
const SHOPS: [(&str, u64); 2] = [("D", 35), ("B1", 30)];
const OWNER: &str = "F";
const MACHINE: &str = "washer-F";
const GOODS: &str = "detergent";
/// Smallest units of a token: what a piece may cost, a price that is more, and what the machine is given.
const AT_MOST: u64 = 40;
const TOO_DEAR: u64 = 41;
const GIVEN: u64 = 100;
/// Doses that are left: enough, and so few that the machine orders.
const FULL: &str = "9";
const LOW: &str = "2";
const BOUND: i64 = 3;
const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(30);

struct Home {
    shops: Vec<Shop>,
    buyer: ContractId,
    reorder: TriggerId,
    /// How many doses are left.
    doses: StreamId,
}

struct Shop {
    letter: &'static str,
    keeper: EntityId,
    contract: ContractId,
    price: u64,
}

fn run<'a>(topology: &'a mut Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let shops = recorder.step("REQ-II.4", open(topology)).await?;
        let home = recorder.step("REQ-II.4", preset(topology, shops)).await?;
        recorder.step("REQ-II.4", buy(topology, &home)).await?;
        recorder.step("REQ-II.4", sold_out(topology, &home)).await?;
        recorder.step("REQ-II.4", too_dear(topology, &home)).await
    })
}

/// Makes a contract of code that is there, for whoever's session it is.
async fn make(
    session: &Session,
    code: CodeId,
    name: &str,
    message: &Value,
    funds: Option<Amount>,
) -> anyhow::Result<(ContractId, u64)> {
    let instantiate = Action::Instantiate {
        code,
        name: name.to_owned(),
        terms: Terms { admin: Some(session.entity()), ..Terms::default() },
        message: message.to_string().into_bytes(),
        gas_limit: GAS,
        funds,
    };
    let height = session.perform(vec![instantiate]).await?.height;
    Ok((ContractId::derive(&session.entity(), name), height))
}

async fn tell(session: &Session, contract: ContractId, message: &Value) -> anyhow::Result<u64> {
    let message = message.to_string().into_bytes();
    let action = Action::Execute { contract, message, gas_limit: GAS, funds: None };
    Ok(session.perform(vec![action]).await?.height)
}

fn coin(topology: &Topology, amount: u64) -> anyhow::Result<Value> {
    let token = topology.cluster.founded.genesis.token.as_ref();
    let denom = &token.context("the ledger has no token")?.symbol;
    Ok(json!({ "denom": denom, "amount": amount.to_string() }))
}

fn offer(topology: &Topology, price: u64, stock: u32) -> anyhow::Result<Value> {
    let price = coin(topology, price)?;
    Ok(json!({ "offer": { "goods": GOODS, "price": price, "stock": stock } }))
}

/// One organisation stores the code, and each makes a shop of it and says what it sells.
async fn open(topology: &Topology) -> anyhow::Result<(Vec<Shop>, String)> {
    let first = topology.organisation(SHOPS[0].0).await?;
    let (code, stored) = store(&first, "shop", "shop", SHOP).await?;
    let mut shops = Vec::new();
    let mut evidence = format!("code {} in block {stored}", short(&code.to_string()));
    for (letter, price) in SHOPS {
        let session = topology.organisation(letter).await?;
        session.client.read_from(stored);
        let (contract, height) = make(&session, code, "shop", &json!({}), None).await?;
        // The cheapest has one piece only.
        let stock = if price == SHOPS[1].1 { 1 } else { 5 };
        tell(&session, contract, &offer(topology, price, stock)?).await?;
        evidence.push_str(&format!(
            "\nthe shop of {letter}, {}, opened in block {height}: {stock} for {price} each",
            short(&contract.to_string())
        ));
        shops.push(Shop { letter, keeper: session.entity(), contract, price });
    }
    Ok((shops, evidence))
}

/// Registers the machine, gives its contract tokens and orders, and sets what makes it act.
async fn preset(topology: &Topology, shops: Vec<Shop>) -> anyhow::Result<(Home, String)> {
    let owner = topology.organisation(OWNER).await?;
    let (code, _) = store(&owner, "buyer", "buyer", BUYER).await?;
    let machine = ThingId::derive(&owner.entity(), MACHINE);
    let form = json!([{ "href": "mqtt://gateway/" }]);
    let description = json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": MACHINE,
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": { "doses": { "type": "integer", "minimum": 0, "forms": form } },
    });
    let description = description.to_string().into_bytes();
    let gateway = topology.cluster.founded.gateway.inception.id();
    let joined = vec![
        Action::RegisterThing { name: MACHINE.to_owned(), description },
        Action::Bind { thing: machine, gateway, until_height: u64::MAX },
    ];
    owner.perform(joined).await?;
    let addresses: Vec<String> = shops.iter().map(|it| did(topology, it.contract.0)).collect();
    let at_most = coin(topology, AT_MOST)?;
    let orders = json!({ "goods": GOODS, "shops": addresses, "at_most": at_most, "pause_s": 0 });
    let (buyer, height) = make(&owner, code, "buyer", &orders, Some(Amount::from(GIVEN))).await?;
    let stream = StreamId::derive(&machine, "doses");
    let message = br#"{"reorder":{}}"#.to_vec();
    let trigger = Trigger {
        name: "reorder".to_owned(),
        cause: Cause::Reading { stream, relation: Relation::Below, bound: BOUND, for_ms: 0 },
        effect: Effect::Call { contract: buyer, message, gas_limit: GAS },
    };
    let set = owner.perform(vec![Action::SetTrigger(trigger)]).await?.height;
    let evidence = format!(
        "contract {} in block {height} has {GIVEN}, buys {GOODS} for {AT_MOST} at most; from block {set} on \
         it is called when fewer than {BOUND} doses are left",
        short(&buyer.to_string())
    );
    let reorder = TriggerId::derive(&owner.entity(), "reorder");
    Ok((Home { shops, buyer, reorder, doses: stream }, evidence))
}

/// Publishes how much is left, as the machine does.
async fn publish(topology: &Topology, doses: &str) -> anyhow::Result<()> {
    let topic = format!("althing/{MACHINE}/doses");
    let started = Instant::now();
    // The gateway hears of the machine from its peer.
    while mqtt::publish(topology.mqtt, &[], &topic, doses).await?.is_err() {
        ensure!(started.elapsed() < PATIENCE, "the gateway does not serve the machine");
        sleep(POLL).await;
    }
    Ok(())
}

/// Fills the machine, lets it run low, and waits for what it does then, for the `count`th time.
async fn run_low(topology: &Topology, home: &Home, count: u64) -> anyhow::Result<TriggerState> {
    let client = topology.client(OWNER)?;
    let measured = client.stream(&home.doses).await.explain()?.next_seq;
    publish(topology, FULL).await?;
    let started = Instant::now();
    // In one batch with what comes next it would not be seen that it was full in between.
    while client.stream(&home.doses).await.explain()?.next_seq == measured {
        ensure!(started.elapsed() < PATIENCE, "its readings are not final");
        sleep(POLL).await;
    }
    publish(topology, LOW).await?;
    loop {
        let trigger = client.trigger(&home.reorder).await.explain()?;
        if trigger.runs >= count {
            return Ok(trigger);
        }
        ensure!(started.elapsed() < PATIENCE, "it did not order within {PATIENCE:?}");
        sleep(POLL).await;
    }
}

async fn holds(topology: &Topology, who: &EntityId, height: u64) -> anyhow::Result<u64> {
    let client = topology.client(OWNER)?;
    client.read_from(height);
    let digits: String = client.holding(who).await.explain()?.balance;
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    digits.parse().context("a balance is a number")
}

/// Who sold what the machine bought last, and the receipt that the shop itself still has.
async fn last_receipt(topology: &Topology, home: &Home, count: usize) -> anyhow::Result<Value> {
    let client = topology.client(OWNER)?;
    let answer = |contract, message: String| async move {
        let answer = client.ask_contract(&contract, &message).await.explain()?;
        let text = answer.answer.context("the contract gives no answer")?;
        anyhow::Ok(serde_json::from_str::<Value>(&text)?)
    };
    let bought = answer(home.buyer, r#"{"bought":{}}"#.to_owned()).await?;
    let bought = bought.as_array().context("purchases are a list")?;
    ensure!(bought.len() == count, "{} purchases in place of {count}", bought.len());
    let last = bought.last().context("nothing was bought")?;
    let shop = home.shops.iter().find(|it| last["shop"] == did(topology, it.contract.0));
    let shop = shop.context("it bought from a shop that nobody named")?;
    let question = json!({ "receipt": { "number": last["receipt"]["number"] } });
    let kept = answer(shop.contract, question.to_string()).await?;
    ensure!(kept == last["receipt"], "the shop has another receipt: {kept}");
    let price = shop.price.to_string();
    ensure!(kept["paid"]["amount"] == price.as_str(), "it paid {}", kept["paid"]);
    Ok(json!({ "shop": shop.letter, "receipt": kept }))
}

/// What the machine did is proven to whoever was not there: its trigger's run, up to the genesis.
async fn proven(topology: &Topology, home: &Home, height: u64) -> anyhow::Result<usize> {
    let client = topology.client("A")?;
    client.read_from(height);
    let started = Instant::now();
    let bundle = loop {
        // A result is certified with a later block.
        match client.prove_run(&home.reorder, height).await {
            Ok(bundle) => break bundle,
            Err(error) if started.elapsed() > PATIENCE => return Err(error).explain(),
            Err(_) => sleep(POLL).await,
        }
    };
    let verified = verify(&bundle, &topology.cluster.founded.genesis)
        .map_err(|failure| anyhow::anyhow!("{failure}"))?;
    ensure!(matches!(verified.claim, VerifiedClaim::Run(_)), "it is a proof of something else");
    Ok(bundle.len())
}

async fn buy(topology: &Topology, home: &Home) -> anyhow::Result<((), String)> {
    let cheap = &home.shops[1];
    let before = holds(topology, &cheap.keeper, 0).await?;
    let ran = run_low(topology, home, 1).await?;
    ensure!(ran.last_code.is_none(), "it met {:?}", ran.last_code);
    let height = ran.last_height.context("it ran at no height")?;
    let sold = last_receipt(topology, home, 1).await?;
    ensure!(sold["shop"] == cheap.letter, "it did not take the cheapest: {sold}");
    let after = holds(topology, &cheap.keeper, height).await?;
    ensure!(after == before + cheap.price, "the shopkeeper has {after} after {before}");
    let bytes = proven(topology, home, height).await?;
    let evidence = format!(
        "{LOW} doses by MQTT; bought in block {height} from {}; {} has {} more\nreceipt {}\nproof of the run: \
         {bytes} bytes, checked offline",
        cheap.letter, cheap.letter, cheap.price, sold["receipt"]
    );
    Ok(((), evidence))
}

async fn sold_out(topology: &Topology, home: &Home) -> anyhow::Result<((), String)> {
    let ran = run_low(topology, home, 2).await?;
    ensure!(ran.last_code.is_none(), "it met {:?}", ran.last_code);
    let sold = last_receipt(topology, home, 2).await?;
    ensure!(sold["shop"] == home.shops[0].letter, "it bought from {}", sold["shop"]);
    Ok(((), format!("receipt {}", sold["receipt"])))
}

/// The other shop raises its price: the contract refuses, and the tokens stay where they are until the owner
/// takes them back.
async fn too_dear(topology: &Topology, home: &Home) -> anyhow::Result<((), String)> {
    let dear = &home.shops[0];
    let keeper = topology.organisation(dear.letter).await?;
    let height = tell(&keeper, dear.contract, &offer(topology, TOO_DEAR, 5)?).await?;
    topology.client(OWNER)?.read_from(height);
    let left = GIVEN - home.shops.iter().map(|shop| shop.price).sum::<u64>();
    let ran = run_low(topology, home, 3).await?;
    let code = ran.last_code.context("it bought for more than it may")?;
    let height = ran.last_height.context("it ran at no height")?;
    let has = holds(topology, &EntityId(home.buyer.0), height).await?;
    ensure!(has == left, "the contract has {has} in place of {left}");
    let owner = topology.organisation(OWNER).await?;
    let amount = coin(topology, left)?;
    let back = tell(&owner, home.buyer, &json!({ "withdraw": { "amount": amount } })).await?;
    let has = holds(topology, &EntityId(home.buyer.0), back).await?;
    ensure!(has == 0, "the contract kept {has}");
    let list = query::List { after: None, limit: None };
    let runs = owner.client.trigger_runs(&home.reorder, &list).await.explain()?.items.len();
    let evidence = format!(
        "for {TOO_DEAR} each: refused in block {height} ({code}), {left} stay and go back to the owner in \
         block {back}\nits history has {runs} entries"
    );
    Ok(((), evidence))
}
