//! Writes the table of the files below `dashboard/dist`, which the crate includes.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let crate_folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let dist = crate_folder.join("../../dashboard/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");
    if !dist.join("index.html").is_file() {
        return Err(
            "dashboard/dist has no index.html; build it: cd dashboard && npm run all".into()
        );
    }
    let mut files = Vec::new();
    collect(&dist, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    let is_gzip = |file: &PathBuf| file.extension().is_some_and(|end| end == "gz");
    for file in files.iter().filter(|file| !is_gzip(file)) {
        let name = file.strip_prefix(&dist)?.to_str().ok_or("a file's name is not UTF-8")?;
        let tag = tag(&fs::read(file)?);
        let gzip = match files.iter().find(|other| **other == beside(file)) {
            Some(gzip) => format!("Some(include_bytes!({:?}))", gzip.canonicalize()?),
            None => "None".to_owned(),
        };
        let path = file.canonicalize()?;
        writeln!(
            table,
            "File {{ path: {:?}, tag: \"W/\\\"{tag:016x}\\\"\", bytes: include_bytes!({path:?}), gzip: {gzip} }},",
            format!("/{}", name.replace('\\', "/")),
        )?;
    }
    table.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("files.rs"), table)?;
    Ok(())
}

/// Where the same file would be as gzip.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".gz");
    PathBuf::from(name)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// FNV-1a: enough to tell a cache whether a file is still the same, and nothing that anybody trusts.
fn tag(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}
