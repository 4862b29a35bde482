//! Prints the description of the events: `cargo xtask api --bless` writes it to
//! `docs/reference/asyncapi.json`.

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&althing_api::asyncapi())?);
    Ok(())
}
