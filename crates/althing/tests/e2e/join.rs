//! Organisations join with their peers: members let them in and take seats away, or they stake.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Network, Process, free_port, must, must_fail, run, text, until};

/// Blocks in each epoch: the fewest there may be.
const EPOCH_BLOCKS: &str = "32";

/// Lets members agree until the proposal takes effect: three of four, or four of five.
fn agree(network: &Network, propose: &[&str], voters: &[PathBuf]) -> Value {
    let proposed = network.ask(0, &[propose, &["--key", text(&network.organisation(0))]].concat());
    let id = proposed["proposal"].as_str().unwrap();
    for key in voters {
        network.ask(0, &["vote", "yes", id, "--key", text(key)]);
    }
    assert_eq!(network.ask(0, &["vote", "list"])["items"][0]["status"], "enacted", "{propose:?}");
    proposed["consequence"].clone()
}

fn height(url: &str) -> Option<u64> {
    let output = run(&["peer", "status", "--peer", url, "--json"]);
    let status: Value = serde_json::from_slice(&output.stdout).ok()?;
    status["status"]["height"].as_u64()
}

/// How many peers one is connected to.
fn connected(url: &str) -> Option<u64> {
    let output = run(&["peer", "status", "--peer", url, "--json"]);
    let status: Value = serde_json::from_slice(&output.stdout).ok()?;
    status["status"]["connected"].as_u64()
}

/// Makes blocks, one for each record, until a height is reached.
fn pass(network: &Network, to: u64) {
    let key = network.organisation(0);
    until(&format!("height {to}"), || {
        if height(&network.url(0))? > to {
            return Some(());
        }
        for turn in 0..8 {
            let note = format!("{turn}");
            network
                .ask(0, &["tx", "record", "--kind", "turn", "--data", &note, "--key", text(&key)]);
        }
        None
    });
}

/// The configuration of a peer that was not there when the network was founded: it knows of one other.
fn write_config(network: &Network, folder: &Path, port: u16, voting: &Path) -> PathBuf {
    let genesis = network.path("genesis.json");
    let url = network.url(1);
    let api: u16 = url.rsplit_once(':').unwrap().1.parse().unwrap();
    let seed = api + 1;
    let config = format!(
        "genesis = {:?}\n[peer]\nrole = \"follower\"\nvoting_key = {:?}\nkey = \"\"\n\
         [peer.p2p]\nlisten = \"127.0.0.1:{}\"\nseeds = [\"127.0.0.1:{seed}\"]\n\
         [peer.api]\nlisten = \"127.0.0.1:{port}\"\n",
        text(&genesis),
        text(voting),
        port + 1,
    );
    let path = folder.join("config.toml");
    std::fs::write(&path, config).unwrap();
    path
}

fn seats(network: &Network, which: &str) -> Vec<String> {
    let found = network.ask(0, &["org", "list"]);
    let seats = found[which].as_array().unwrap().iter();
    seats.map(|seat| seat["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_organisation_joins_with_its_peer_and_another_loses_its_seat() {
    let mut network = Network::found_with(&["--epoch-blocks", EPOCH_BLOCKS]);
    (0..4).for_each(|index| network.start_peer(index));
    network.wait_until_ready();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let voters: Vec<PathBuf> = (1..4).map(|index| network.organisation(index)).collect();

    // The members: one proposes, others agree.
    let (organisation, peer) = (file("organisation.json"), file("peer.json"));
    let add = ["org", "add", "--name", "newcomer", "--entity-key", text(&organisation)];
    agree(&network, &[&add[..], &["--insecure-keys"]].concat(), &voters[..2]);
    // The newcomer: it registers its peer, whose voting key it keeps to itself.
    let voting = file("voting.json");
    must(&["key", "new", text(&voting), "--insecure-keys"]);
    must(&["key", "new", text(&peer), "--insecure-keys"]);
    let register = ["entity", "register", "--kind", "peer", "--name", "peer-5"];
    let keys = ["--entity-key", text(&peer), "--key", text(&organisation)];
    network.ask(0, &[&register[..], &keys].concat());
    let shown: Value =
        serde_json::from_str(&must(&["key", "show", text(&voting), "--json"])).unwrap();
    let vote_key = shown["public"].as_str().unwrap();
    let port = free_port(2);
    let address = format!("127.0.0.1:{}", port + 1);
    let add = ["org", "add-peer", "peer-5", "--vote-key", vote_key, "--address", &address];
    let told = agree(&network, &add, &voters);
    let from = told["seats_from_height"].as_u64().unwrap();
    assert!(told["summary"].as_str().unwrap().contains(&format!("block {from}")), "{told}");
    assert!(seats(&network, "chosen_validators").contains(&"peer-5".to_owned()));
    assert!(!seats(&network, "validators").contains(&"peer-5".to_owned()));

    // The joiner starts with the genesis and its key, before anybody lets it connect.
    let config = write_config(&network, folder.path(), port, &voting);
    let joiner = Process::start("peer", &config);
    let url = format!("http://127.0.0.1:{port}");
    // An epoch more, in case the last vote came with the next.
    let from = from + 32;
    pass(&network, from);
    until("the newcomer among the validators", || {
        seats(&network, "validators").contains(&"peer-5".to_owned()).then_some(())
    });
    until("the newcomer as high as the others", || height(&url).filter(|height| *height >= from));
    // It is needed from now on: four of five sign, and one of the others goes.
    network.kill_peer(3);
    let now = height(&network.url(0)).unwrap();
    pass(&network, now + 4);
    until("blocks at the newcomer", || height(&url).filter(|height| *height > now + 4));
    let shown = network.ask(0, &["block", "show", &(now + 4).to_string()]);
    let signers = shown["signers"].as_array().unwrap();
    assert!(signers.iter().any(|key| key == vote_key), "it signed {shown}");
    let standing = network.ask(0, &["peer", "status"]);
    let mut peers = standing["peers"].as_array().unwrap().iter();
    let newcomer = peers.find(|peer| peer["name"] == "peer-5").expect("it is listed");
    assert_eq!(newcomer["role"], "validator", "{newcomer}");
    assert_eq!(newcomer["organisation_name"], "newcomer", "{newcomer}");
    network.start_peer(3);

    // Its seat is taken away again: then nobody lets it in any more.
    until("the newcomer connected to all", || connected(&url).filter(|count| *count == 4));
    let told = agree(&network, &["org", "remove-peer", "peer-5"], &voters);
    let until_height = told["seats_from_height"].as_u64().unwrap() + 32;
    pass(&network, until_height);
    until("validators without it", || {
        (!seats(&network, "validators").contains(&"peer-5".to_owned())).then_some(())
    });
    until("nobody connected to it", || connected(&url).filter(|count| *count == 0));
    until("the others connected", || connected(&network.url(0)).filter(|count| *count == 3));
    joiner.stop();
    let now = height(&network.url(0)).unwrap();
    pass(&network, now + 4);
    let gone = ["org", "remove-peer", "peer-5", "--peer", &network.url(0), "--key"];
    let refused = must_fail(&[&gone[..], &[text(&network.organisation(0))]].concat());
    assert!(refused.contains("no_seat"), "{refused}");
    network.stop();
}

/// Nobody lets it in: an organisation registers itself with the help of any other, stakes, and its peer gets
/// a seat; a founder leaves, and has its tokens back once its peer votes no more.
#[test]
fn a_newcomer_stakes_for_its_peer_and_a_founder_leaves() {
    let token =
        ["--token", "coin", "--token-decimals", "2", "--stake", "100", "--locked-epochs", "2"];
    let mode = ["--epoch-blocks", EPOCH_BLOCKS, "--mode", "public"];
    let mut network = Network::found_with(&[&mode[..], &token].concat());
    (0..4).for_each(|index| network.start_peer(index));
    network.wait_until_ready();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (organisation, peer, voting) =
        (file("organisation.json"), file("peer.json"), file("voting.json"));
    let somebody = network.organisation(2);
    for key in [&organisation, &peer, &voting] {
        must(&["key", "new", text(key), "--insecure-keys"]);
    }
    let register = |kind: &str, name: &str, entity: &Path, key: &Path| {
        let new = ["entity", "register", "--kind", kind, "--name", name];
        let keys = ["--entity-key", text(entity), "--key", text(key)];
        network.ask(0, &[&new[..], &keys].concat());
    };
    register("organisation", "newcomer", &organisation, &somebody);
    network.ask(0, &["wallet", "send", "newcomer", "500", "--key", text(&somebody)]);
    register("peer", "peer-5", &peer, &organisation);
    let port = free_port(2);
    let address = format!("127.0.0.1:{}", port + 1);
    let put =
        ["stake", "put", "peer-5", "250", "--voting-key", text(&voting), "--address", &address];
    network.ask(0, &[&put[..], &["--key", text(&organisation)]].concat());
    let line = network.ask(0, &["stake", "list"]);
    assert_eq!(
        (&line["items"][0]["name"], &line["items"][0]["amount"]),
        (&"peer-5".into(), &"25000".into())
    );
    assert!(seats(&network, "chosen_validators").contains(&"peer-5".to_owned()));

    // No member votes, and it has a seat all the same.
    let config = write_config(&network, folder.path(), port, &voting);
    let joiner = Process::start("peer", &config);
    let url = format!("http://127.0.0.1:{port}");
    pass(&network, 64);
    until("the newcomer among the validators", || {
        seats(&network, "validators").contains(&"peer-5".to_owned()).then_some(())
    });
    until("the newcomer as high as the others", || height(&url).filter(|height| *height >= 64));
    let members = network.ask(0, &["org", "list"])["members"].as_array().unwrap().len();
    assert_eq!(members, 5, "who has a seat is a member");

    // A founder leaves. Its tokens are locked while its peer votes.
    let founder = text(&network.organisation(3)).to_owned();
    network.ask(0, &["stake", "withdraw", "peer-4", "--all", "--key", &founder]);
    let collect = ["stake", "collect", "peer-4", "--peer", &network.url(0), "--key", &founder];
    let refused = must_fail(&collect);
    assert!(refused.contains("stake_locked"), "{refused}");
    let left = height(&network.url(0)).unwrap() / 32 * 32 + 64;
    pass(&network, left);
    until("validators without the founder's peer", || {
        (!seats(&network, "validators").contains(&"peer-4".to_owned())).then_some(())
    });
    until("nobody connected to it", || connected(&network.url(3)).filter(|count| *count == 0));
    must(&collect);
    // The others need the newcomer now: without one of them it makes the three of four that sign.
    network.kill_peer(2);
    let now = height(&network.url(0)).unwrap();
    pass(&network, now + 4);
    until("blocks at the newcomer", || height(&url).filter(|height| *height > now + 4));
    joiner.stop();
    network.stop();
}
