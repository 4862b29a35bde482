use super::*;
use crate::rejection::Rejection;

const T0: i64 = 1_000_000;

fn endpoint() -> Endpoint {
    Endpoint::new(EndpointConfig { secret: [7; 32], body_bytes_max: 4096 })
}

fn peer(host: u8, is_secure: bool) -> Peer {
    Peer { address: SocketAddr::from(([10, 0, 0, host], 5683)), is_secure }
}

fn request(code: Code, id: u16, path: &str) -> Message {
    let token = vec![1, 2];
    let options = path.split('/').map(|level| (option::URI_PATH, level.as_bytes().to_vec()));
    let (options, payload) = (options.collect(), Vec::new());
    Message { kind: Kind::Confirmable, code, id, token, options, payload }
}

fn post(id: u16, payload: &[u8]) -> Message {
    Message { payload: payload.to_vec(), ..request(Code::POST, id, "althing/pump/t") }
}

fn sent(outputs: &[EndpointOutput]) -> Vec<Message> {
    let message = |output: &EndpointOutput| match output {
        EndpointOutput::Send { bytes, .. } => Message::decode(bytes).ok(),
        _ => None,
    };
    outputs.iter().filter_map(message).collect()
}

fn ticket(outputs: &[EndpointOutput]) -> Option<Ticket> {
    outputs.iter().find_map(|output| match output {
        EndpointOutput::Publish { ticket, .. }
        | EndpointOutput::Direct { ticket, .. }
        | EndpointOutput::Read { ticket, .. } => Some(*ticket),
        EndpointOutput::Send { .. } => None,
    })
}

fn text(body: &[u8]) -> Content {
    Content { format: FORMAT_TEXT, body: body.to_vec() }
}

#[test]
fn a_reading_is_confirmed_only_once_it_is_durable_and_taken_once() {
    let (mut endpoint, who) = (endpoint(), peer(1, false));
    let wire = post(5, b"21.5").encode();
    let outputs = endpoint.datagram(T0, who, &wire);
    let ticket = ticket(&outputs).unwrap();
    let expected = EndpointOutput::Publish {
        ticket,
        peer: who,
        topic: "althing/pump/t".into(),
        payload: b"21.5".to_vec(),
    };
    assert_eq!(outputs, [expected]);
    assert_eq!(endpoint.datagram(T0 + 10, who, &wire), [], "repeated while it is under way");
    let answered = endpoint.published(T0 + 20, ticket, Some(Ok(())));
    let [answer] = &sent(&answered)[..] else { panic!("{answered:?}") };
    assert_eq!((answer.kind, answer.code, answer.id), (Kind::Acknowledgement, Code::CHANGED, 5));
    assert_eq!(answer.token, [1, 2]);
    assert_eq!(endpoint.datagram(T0 + 30, who, &wire), answered, "the same answer again");
    assert_ne!(endpoint.datagram(T0 + 300_000, who, &wire), answered, "long after, a new one");
}

#[test]
fn an_answer_that_takes_long_comes_separately_and_is_repeated_until_acknowledged() {
    let (mut endpoint, who) = (endpoint(), peer(1, false));
    let ticket = ticket(&endpoint.datagram(T0, who, &post(5, b"1").encode())).unwrap();
    assert_eq!(endpoint.deadline(), Some(T0 + 1000));
    let early = sent(&endpoint.tick(T0 + 1000));
    assert_eq!((early[0].kind, early[0].code), (Kind::Acknowledgement, Code::EMPTY));
    let answered = sent(&endpoint.published(T0 + 2000, ticket, Some(Ok(()))));
    assert_eq!((answered[0].kind, answered[0].code), (Kind::Confirmable, Code::CHANGED));
    let mut repeated = 0;
    while let Some(due) = endpoint.deadline() {
        repeated += sent(&endpoint.tick(due)).len();
    }
    assert_eq!(repeated, 4, "then the peer is given up");
}

#[test]
fn refusals_come_with_their_codes() {
    for (rejection, code) in [
        (Rejection::UnknownThing { thing: "x".into() }, Code::NOT_FOUND),
        (Rejection::QueueFull { what: "bytes" }, Code::UNAVAILABLE),
        (Rejection::TooLarge { len: 9, max: 8 }, Code::TOO_LARGE),
        (Rejection::Unsigned { thing: "x".into() }, Code::FORBIDDEN),
        (Rejection::Sequence { first_seq: 0, next_seq: 3 }, Code::CONFLICT),
        (Rejection::Malformed { topic: "t".into(), detail: "x".into() }, Code::BAD_REQUEST),
    ] {
        let (mut endpoint, who) = (endpoint(), peer(1, true));
        let ticket = ticket(&endpoint.datagram(T0, who, &post(5, b"1").encode())).unwrap();
        let answer = sent(&endpoint.published(T0, ticket, Some(Err(rejection.clone()))));
        assert_eq!(answer[0].code, code, "{rejection}");
        assert!(answer[0].payload.starts_with(rejection.code().as_bytes()));
    }
}

/// Threat 18: nobody can use the gateway to send somebody else much.
#[test]
fn an_unproven_address_gets_no_more_than_three_times_what_it_sent() {
    let mut endpoint = endpoint();
    let wire = request(Code::GET, 5, "althing/pump/t").encode();
    for (who, body, expected) in [
        (peer(1, false), 20, Code::CONTENT),
        (peer(2, false), 1000, Code::UNAUTHORIZED),
        (peer(3, true), 1000, Code::CONTENT),
    ] {
        let ticket = ticket(&endpoint.datagram(T0, who, &wire)).unwrap();
        let outputs = endpoint.read(T0, ticket, Some(text(&vec![b'x'; body])));
        let answer = &sent(&outputs)[0];
        assert_eq!(answer.code, expected, "{who:?}");
        assert!(who.is_secure || answer.encode().len() <= 3 * wire.len());
    }
    // With the echo, the address is proven.
    let who = peer(2, false);
    let again = endpoint.datagram(T0 + 1, who, &wire);
    let echo = sent(&again)[0].option(option::ECHO).unwrap().to_vec();
    let proven = request(Code::GET, 6, "althing/pump/t").with(option::ECHO, echo.clone());
    let ticket_of = |outputs: &[EndpointOutput]| ticket(outputs).unwrap();
    let ticket = ticket_of(&endpoint.datagram(T0 + 2, who, &proven.encode()));
    let body = text(&vec![b'x'; 1000]);
    let answer = sent(&endpoint.read(T0 + 2, ticket, Some(body.clone())));
    assert_eq!((answer[0].code, answer[0].payload.len()), (Code::CONTENT, 1000));
    // It is of no use to another address, nor for long.
    for (who, now) in [(peer(4, false), T0 + 2), (who, T0 + 70_000)] {
        let stolen = request(Code::GET, 7, "althing/pump/t").with(option::ECHO, echo.clone());
        let ticket = ticket_of(&endpoint.datagram(now, who, &stolen.encode()));
        assert_eq!(
            sent(&endpoint.read(now, ticket, Some(body.clone())))[0].code,
            Code::UNAUTHORIZED
        );
    }
}

#[test]
fn bodies_come_in_blocks_in_order_or_not_at_all() {
    let (mut endpoint, who) = (endpoint(), peer(1, true));
    let body: Vec<u8> = (0..200_u8).collect();
    let block = |number: u32, more: bool| Block { number, more, exponent: 2 };
    let mut id = 0;
    let mut send = |endpoint: &mut Endpoint, number: u32| {
        id += 1;
        let part = block(number, true).of(&body).unwrap();
        let option = block(number, part.1).encode();
        let message = post(id, part.0).with_number(option::BLOCK1, option);
        endpoint.datagram(T0, who, &message.encode())
    };
    for number in 0..3 {
        let answer = sent(&send(&mut endpoint, number));
        assert_eq!(answer[0].code, Code::CONTINUE);
        assert_eq!(answer[0].number(option::BLOCK1), Some(block(number, true).encode()));
    }
    let last = send(&mut endpoint, 3);
    assert!(matches!(&last[0], EndpointOutput::Publish { payload, .. } if *payload == body));
    send(&mut endpoint, 0);
    assert_eq!(sent(&send(&mut endpoint, 2))[0].code, Code::INCOMPLETE, "one was left out");
    assert_eq!(sent(&send(&mut endpoint, 1))[0].code, Code::INCOMPLETE, "and so it was given up");
}

/// Threat 19: first blocks that nobody finishes.
#[test]
fn a_flood_of_first_blocks_takes_no_memory() {
    let mut endpoint = endpoint();
    let block = Block { number: 0, more: true, exponent: 6 };
    for flood in 0..10_000_u32 {
        let [_, a, b, _] = flood.to_be_bytes();
        let address = SocketAddr::from(([10, 1, a, b], 5683));
        let id = u16::try_from(flood % 60_000).unwrap();
        let message = post(id, &[0; 1024]).with_number(option::BLOCK1, block.encode());
        let tag = flood.to_be_bytes().to_vec();
        let wire = message.with(option::REQUEST_TAG, tag).encode();
        let unproven = endpoint.datagram(T0, Peer { address, is_secure: false }, &wire);
        assert_eq!(sent(&unproven)[0].code, Code::UNAUTHORIZED, "state only for the proven");
        let _ = endpoint.datagram(T0, Peer { address, is_secure: true }, &wire);
    }
    let (exchanges, bytes, asked) = endpoint.held();
    assert!(exchanges <= 4096 && bytes <= 256 * 2048 && asked == 0, "{exchanges} {bytes} {asked}");
}

#[test]
fn long_representations_go_out_in_blocks() {
    let (mut endpoint, who) = (endpoint(), peer(1, true));
    let body: Vec<u8> = (0..=255).cycle().take(2500).collect();
    let (mut got, mut number) = (Vec::new(), 0);
    loop {
        let option = Block { number, more: false, exponent: 6 }.encode();
        let id = u16::try_from(number).unwrap();
        let wire = request(Code::GET, id, "a").with_number(option::BLOCK2, option).encode();
        let ticket = ticket(&endpoint.datagram(T0, who, &wire)).unwrap();
        let answer = &sent(&endpoint.read(T0, ticket, Some(text(&body))))[0];
        assert!(answer.option(option::ETAG).is_some());
        got.extend_from_slice(&answer.payload);
        if !Block::decode(answer.option(option::BLOCK2).unwrap()).unwrap().more {
            break;
        }
        number += 1;
    }
    assert_eq!(got, body);
}

/// A direct request counts once, so the rest of a long answer is fetched without asking again.
#[test]
fn a_direct_request_is_handed_in_once_and_its_answer_comes_in_blocks() {
    let (mut endpoint, who) = (endpoint(), peer(1, true));
    let path = crate::direct::PATH;
    let ask = |id, number| {
        let size = Block { number, more: false, exponent: 2 }.encode();
        let message = request(Code::POST, id, path).with_number(option::BLOCK2, size);
        message.with_number(option::CONTENT_FORMAT, FORMAT_JSON.into())
    };
    let first = Message { payload: b"{}".to_vec(), ..ask(1, 0) };
    let outputs = endpoint.datagram(T0, who, &first.encode());
    let ticket = ticket(&outputs).unwrap();
    assert_eq!(outputs, [EndpointOutput::Direct { ticket, body: b"{}".to_vec() }]);
    let body: Vec<u8> = (0..150).collect();
    let content = Content { format: FORMAT_JSON, body: body.clone() };
    let mut answers = sent(&endpoint.served(T0, ticket, Ok(content)));
    for number in 1..3 {
        let id = u16::try_from(number).unwrap() + 1;
        answers.extend(sent(&endpoint.datagram(T0 + 50_000, who, &ask(id, number).encode())));
    }
    let got: Vec<u8> = answers.iter().flat_map(|answer| answer.payload.clone()).collect();
    assert_eq!((answers.len(), got), (3, body));
    assert!(answers.iter().all(|answer| answer.code == Code::CHANGED));
    // It is nobody else's, and not kept for ever.
    for (who, now, id) in [(peer(2, true), T0, 9), (who, T0 + 200_000, 10)] {
        let late = sent(&endpoint.datagram(now, who, &ask(id, 1).encode()));
        assert_eq!(late[0].code, Code::INCOMPLETE);
    }
    // Before an address is proven nothing is handed in.
    let flood = endpoint.datagram(T0, peer(3, false), &first.encode());
    assert_eq!(sent(&flood)[0].code, Code::UNAUTHORIZED);
    assert_eq!(endpoint.held().2, 0);
}

#[test]
fn why_a_direct_request_is_not_served_comes_with_its_code() {
    use crate::direct::NotServed;
    for (why, code) in [
        (NotServed::Malformed, Code::BAD_REQUEST),
        (NotServed::NoProofs, Code::UNAUTHORIZED),
        (NotServed::Signature, Code::FORBIDDEN),
        (NotServed::Off, Code::NOT_FOUND),
        (NotServed::Repeated, Code::CONFLICT),
        (NotServed::Time, Code::UNPROCESSABLE),
        (NotServed::Busy, Code::UNAVAILABLE),
    ] {
        let (mut endpoint, who) = (endpoint(), peer(1, true));
        let message = request(Code::POST, 1, crate::direct::PATH);
        let ticket = ticket(&endpoint.datagram(T0, who, &message.encode())).unwrap();
        let answer = &sent(&endpoint.served(T0, ticket, Err(why.clone())))[0];
        assert_eq!(answer.code, code, "{why}");
        assert!(answer.payload.starts_with(why.code().as_bytes()));
        assert_eq!(answer.option(option::MAX_AGE).is_some(), code == Code::UNAVAILABLE);
    }
}

#[test]
fn observers_are_told_one_by_one_and_forgotten_when_they_do_not_answer() {
    let (mut endpoint, who) = (endpoint(), peer(1, true));
    let observe = request(Code::GET, 1, "althing/pump/commands").with(option::OBSERVE, vec![]);
    let ticket = ticket(&endpoint.datagram(T0, who, &observe.encode())).unwrap();
    let first = sent(&endpoint.read(T0, ticket, Some(text(b""))));
    assert!(first[0].option(option::OBSERVE).is_some());
    assert_eq!(endpoint.observers(), 1);
    assert_eq!(endpoint.notify(T0, "althing/pump/other", &text(b"x")), []);
    let on = sent(&endpoint.notify(T0, "althing/pump/commands", &text(b"on")));
    assert_eq!((on[0].kind, &on[0].payload[..]), (Kind::Confirmable, &b"on"[..]));
    assert_eq!(endpoint.notify(T0, "althing/pump/commands", &text(b"off")), [], "one at a time");
    let acknowledged = Message { kind: Kind::Acknowledgement, ..empty(on[0].id) };
    let off = sent(&endpoint.datagram(T0 + 5, who, &acknowledged.encode()));
    assert_eq!(off[0].payload, b"off");
    let number = |message: &Message| message.number(option::OBSERVE);
    assert!(number(&off[0]) > number(&on[0]));
    let reset = Message { kind: Kind::Reset, ..empty(off[0].id) };
    assert_eq!(endpoint.datagram(T0 + 6, who, &reset.encode()), []);
    assert_eq!(endpoint.observers(), 0, "a client that does not know it wants no more");
}

#[test]
fn an_observer_who_is_gone_or_slow_is_forgotten() {
    for is_slow in [false, true] {
        let (mut endpoint, who) = (endpoint(), peer(1, true));
        let observe = request(Code::GET, 1, "a").with(option::OBSERVE, vec![]);
        let ticket = ticket(&endpoint.datagram(T0, who, &observe.encode())).unwrap();
        let _ = endpoint.read(T0, ticket, Some(text(b"")));
        let messages = if is_slow { 20 } else { 1 };
        for _ in 0..messages {
            let _ = endpoint.notify(T0, "a", &text(b"x"));
        }
        while let Some(due) = endpoint.deadline() {
            let _ = endpoint.tick(due);
        }
        assert_eq!(endpoint.observers(), 0);
    }
}

fn empty(id: u16) -> Message {
    let (token, options, payload) = (Vec::new(), Vec::new(), Vec::new());
    Message { kind: Kind::Confirmable, code: Code::EMPTY, id, token, options, payload }
}

#[test]
fn strange_requests_are_answered_and_change_nothing() {
    let (mut endpoint, who) = (endpoint(), peer(1, true));
    let ping = sent(&endpoint.datagram(T0, who, &empty(3).encode()));
    assert_eq!(ping[0].kind, Kind::Reset);
    let deep = vec!["a"; 33].join("/");
    let rows = [
        ("PUT", request(Code(3), 10, "a"), Code::METHOD_NOT_ALLOWED),
        ("no path", Message { options: vec![], ..post(11, b"1") }, Code::BAD_REQUEST),
        ("a wildcard", request(Code::POST, 12, "a/#"), Code::BAD_REQUEST),
        ("too deep", Message { ..request(Code::POST, 13, &deep) }, Code::BAD_REQUEST),
        ("a proxy", post(14, b"1").with(35, b"coap://x".to_vec()), Code::BAD_OPTION),
        (
            "a format",
            post(15, b"1").with_number(option::CONTENT_FORMAT, 41),
            Code::UNSUPPORTED_FORMAT,
        ),
        ("a block", post(16, b"1").with(option::BLOCK1, vec![7]), Code::BAD_OPTION),
    ];
    for (what, message, code) in rows {
        let outputs = endpoint.datagram(T0, who, &message.encode());
        if message.options.len() > 32 {
            continue; // refused as no message at all
        }
        assert_eq!(sent(&outputs)[0].code, code, "{what}");
    }
    assert_eq!(endpoint.held().2, 0);
}
