//! Prints the description of the interface: `cargo xtask api --bless` writes it to
//! `docs/reference/openapi.json`.

fn main() -> Result<(), serde_json::Error> {
    println!("{}", althing_api::openapi().to_pretty_json()?);
    Ok(())
}
