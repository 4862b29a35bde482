//! What published advisories of CosmWasm warn of: `docs/security/cosmwasm-advisories.md`.

use super::*;

/// An address that can be written in two ways gets around a list that has one of them (CWA-2022-002).
#[test]
fn an_address_has_one_spelling() {
    let mut ledger = Ledger::new();
    let other = ledger.made("other", &[("execute", WRITES)]);
    let one = address(&other);
    let (method, id) = one.rsplit_once(':').unwrap();
    let spellings = [
        one.to_uppercase(),
        one.replace("did:", "DID:"),
        format!(" {one}"),
        format!("{one} "),
        format!("{one}/"),
        format!("{one}#key-1"),
        format!("{method}:1{id}"),
        format!("{method}:{}", id.to_lowercase()),
        format!("did:althing:tes\u{0442}:{id}"),
        format!("did:althing:other:{id}"),
        id.to_owned(),
        other.to_string(),
        String::new(),
    ];
    for (number, spelling) in spellings.iter().enumerate() {
        let says = saying(&calling(&other, "never").replace(&one, spelling));
        let first = ledger.made(&number.to_string(), &[("data", &says), ("execute", SAYS)]);
        assert_eq!(ledger.call(first).err(), Some(Refusal::OutOfBounds), "{spelling:?}");
        assert!(!ledger.written(&other), "{spelling:?}");
    }
    let says = saying(&calling(&other, "never"));
    let first = ledger.made("first", &[("data", &says), ("execute", SAYS)]);
    assert!(ledger.call(first).is_ok());
    assert!(ledger.written(&other));
}

/// What is deeper than a processor's stack would end a peer (CWA-2024-001).
#[test]
fn what_a_contract_says_is_not_followed_into_the_deep() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for depth in [200, 8_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let mut ledger = Ledger::new();
            let places = [("data", saying(&deep)), ("execute", SAYS.to_owned())];
            let places = places.each_ref().map(|(place, code)| (*place, code.as_str()));
            let answers = ledger.made("answers", &places);
            assert_eq!(ledger.call(answers).err(), Some(Refusal::ContractAnswer), "{depth} {open}");

            let within = saying(&format!(r#"{{"ok":{{"messages":[],"data":{deep}}}}}"#));
            let within = ledger.made("within", &[("data", &within), ("execute", SAYS)]);
            assert_eq!(ledger.call(within).err(), Some(Refusal::ContractAnswer), "{depth} {open}");

            // A question gets an answer that says so, and the contract goes on.
            let asks = "(drop (call $query_chain (i32.const 64)))";
            let asks = ledger.made("asks", &[("data", &saying(&deep)), ("execute", asks)]);
            assert!(ledger.call(asks).is_ok(), "{depth} {open}");
        }
    }
}
