use std::sync::{Arc, Mutex};

use althing_client::{
    Config,
    model::{
        Admission, Admissions, Effect, HEIGHT_HEADER, Hex, Problem, Receipt, Time,
        TransactionStatus,
    },
};
use althing_types::{Action, Body, LedgerId, Record, SigningKey, Suite};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

fn transaction() -> Transaction {
    let key = SigningKey::from_secret(Suite::Ed25519, [7; 32]).unwrap();
    let record = Record { kind: "a".into(), data: vec![], notify: vec![], link: None };
    let ledger = LedgerId([1; 32]);
    let body = Body::new(&ledger, EntityId([2; 32]), 0, 9, vec![Action::Record(record)]);
    Transaction::sign(&ledger, body, &key, &[])
}

/// What a peer that has executed `height` answers to the transaction.
fn answer(told: Result<u64, Refusal>, height: u64) -> String {
    let id = Hex(transaction().id());
    let effect = Effect::Applied;
    let receipt = Receipt { transaction: id, effect, refusal: None, events: Vec::new() };
    let outcome = |height| althing_client::model::Outcome {
        height,
        index: 0,
        time: Time(0),
        receipt: receipt.clone(),
    };
    let admission = match told {
        Ok(height) => Admission {
            id,
            status: TransactionStatus::Finalized,
            outcome: Some(outcome(height)),
            problem: None,
        },
        Err(refusal) => Admission {
            id,
            status: TransactionStatus::Refused,
            outcome: None,
            problem: Some(Problem::new(422, "", refusal.code(), &refusal.to_string())),
        },
    };
    let body = serde_json::to_string(&Admissions { transactions: vec![admission] }).unwrap();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
         {HEIGHT_HEADER}: {height}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What a peer was asked, head and body.
type Requests = Arc<Mutex<Vec<String>>>;

/// A peer that says the same to everything.
async fn peer(answer: String) -> (Client, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Requests::default();
    let asked = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let mut len = 0;
            while !whole(&request[..len]) {
                len += stream.read(&mut request[len..]).await.unwrap();
            }
            asked.lock().unwrap().push(String::from_utf8_lossy(&request[..len]).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (Client::new(Config::new(&url)).unwrap(), requests)
}

/// Whether a request is there with its body.
fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some(end) = request.windows(4).position(|part| part == b"\r\n\r\n") else {
        return false;
    };
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| request.len() >= end + 4 + length.parse::<usize>().unwrap())
}

/// A peer that takes requests and never answers.
async fn hung_peer() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    Client::new(Config::new(&url)).unwrap()
}

async fn check(told: &[(Result<u64, Refusal>, u64)], expected: Outcome, preferred: usize) {
    let mut clients = Vec::new();
    for (told, height) in told {
        clients.push(peer(answer(*told, *height)).await.0);
    }
    let any = AnyPeer::new(&clients, EntityId([2; 32]), Duration::from_secs(5));
    assert_eq!(any.submit(transaction(), vec![1]).await.unwrap(), expected, "{told:?}");
    assert_eq!(any.preferred.load(Ordering::Relaxed), preferred, "{told:?}");
}

#[tokio::test]
async fn a_peer_that_is_behind_does_not_decide_for_the_others() {
    let (unknown, used) = (Refusal::UnknownStream, Refusal::NonceReused);
    check(&[(Ok(5), 5), (Err(unknown), 3)], Outcome::Finalized { height: 5 }, 0).await;
    check(&[(Err(unknown), 3), (Ok(6), 6)], Outcome::Finalized { height: 6 }, 1).await;
    let refused = Outcome::Refused(used);
    check(&[(Err(unknown), 3), (Err(used), 8), (Err(unknown), 4)], refused, 1).await;
}

#[tokio::test]
async fn what_one_peer_said_the_next_must_know() {
    let unknown = Err(Refusal::UnknownStream);
    let (further, _) = peer(answer(unknown, 8)).await;
    let (behind, requests) = peer(answer(unknown, 3)).await;
    let any = AnyPeer::new(&[further, behind], EntityId([2; 32]), Duration::from_secs(5));
    any.submit(transaction(), Vec::new()).await.unwrap();
    any.submit(transaction(), Vec::new()).await.unwrap();
    let last = requests.lock().unwrap().last().cloned().unwrap();
    assert!(last.contains("althing-min-height: 8"), "{last}");
}

#[tokio::test]
async fn without_an_answer_nothing_is_known() {
    let nobody = Client::new(Config::new("http://127.0.0.1:9")).unwrap();
    let any = AnyPeer::new(&[nobody], EntityId([2; 32]), Duration::from_secs(5));
    assert!(any.submit(transaction(), Vec::new()).await.is_err());
    let none = AnyPeer::new(&[], EntityId([2; 32]), Duration::from_secs(5));
    assert!(none.account().await.is_err());
}

/// The time for the whole question once went to the first peer: the second was never offered
/// anything, and the first stayed preferred.
#[tokio::test]
async fn a_hung_peer_costs_its_share_of_the_time_and_its_preference() {
    let clients = [hung_peer().await, peer(answer(Ok(5), 5)).await.0];
    let any = AnyPeer::new(&clients, EntityId([2; 32]), Duration::from_secs(2));
    let outcome = any.submit(transaction(), vec![1]).await.unwrap();
    assert_eq!(outcome, Outcome::Finalized { height: 5 });
    assert_eq!(any.preferred.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_question_that_is_given_up_is_asked_of_the_next_peer() {
    let clients = [hung_peer().await, hung_peer().await];
    let any = AnyPeer::new(&clients, EntityId([2; 32]), Duration::from_secs(60));
    for expected in [1, 0] {
        let submitting = any.submit(transaction(), vec![1]);
        assert!(timeout(Duration::from_millis(50), submitting).await.is_err());
        assert_eq!(any.preferred.load(Ordering::Relaxed), expected);
    }
}
