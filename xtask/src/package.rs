//! Packages: an archive, and a Debian package, of the program with its units and configuration.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};

use crate::{root, shell};

/// Where packages are made.
const FOLDER: &str = "target/package";
/// What a package brings: from the repository, into the system, mode.
const FILES: &[(&str, &str, u32)] = &[
    (
        "packaging/systemd/althing-peer.service",
        "usr/lib/systemd/system/althing-peer.service",
        0o644,
    ),
    (
        "packaging/systemd/althing-gateway.service",
        "usr/lib/systemd/system/althing-gateway.service",
        0o644,
    ),
    ("packaging/systemd/althing.sysusers", "usr/lib/sysusers.d/althing.conf", 0o644),
    ("packaging/config.toml", "etc/althing/config.toml", 0o640),
    ("docs/reference/config.toml", "usr/share/doc/althing/config.toml", 0o644),
    ("LICENSE", "usr/share/doc/althing/copyright", 0o644),
    ("NOTICE", "usr/share/doc/althing/NOTICE", 0o644),
    ("CHANGELOG.md", "usr/share/doc/althing/CHANGELOG.md", 0o644),
];

/// Builds the program, for another target if one is named, and packs it.
///
/// # Errors
/// If it cannot be built, or a file cannot be read or written.
pub fn package(target: Option<&str>) -> Result<()> {
    let triple = target.map_or_else(host, |target| Ok(target.to_owned()))?;
    let at = target.map(|target| format!(" --target {target}")).unwrap_or_default();
    let build = format!("cargo build --release --locked --package althing{at}");
    ensure!(shell::run(&build).ended_well, "`{build}` failed");
    let built =
        target.map_or_else(|| "target/release".to_owned(), |t| format!("target/{t}/release"));
    pack(&root().join(built).join("althing"), &triple, &root().join(FOLDER))
}

/// Packs a program that was built.
fn pack(program: &Path, triple: &str, folder: &Path) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("althing-{version}-{triple}");
    // Whatever an earlier run left must not get in.
    let stage = folder.join("stage");
    let _ = fs::remove_dir_all(&stage);
    let tree = stage.join(&name);
    install(program, &tree.join("usr/bin/althing"), 0o755)?;
    for (from, to, mode) in FILES {
        install(&root().join(from), &tree.join(to), *mode)?;
    }
    let archive = folder.join(format!("{name}.tar.gz"));
    tar(&stage, &name, &archive)?;
    println!("{}", archive.display());
    if let Some(architecture) = debian_architecture(triple) {
        let deb = folder.join(format!("althing_{version}_{architecture}.deb"));
        debian(&stage, &tree, version, architecture, &deb)?;
        println!("{}", deb.display());
    }
    fs::remove_dir_all(&stage).context("remove what was staged")
}

fn install(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let parent = to.parent().context("a file lies in a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    fs::copy(from, to).with_context(|| format!("copy {}", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// An archive of one name below a folder: the same bytes for the same files.
fn tar(folder: &Path, name: &str, out: &Path) -> Result<()> {
    let status = Command::new("tar")
        .args(["--create", "--gzip", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
        .args(["--mtime=@0", "--format=gnu", "--file"])
        .arg(out)
        .arg("--directory")
        .arg(folder)
        .arg(name)
        .status()
        .context("run tar; apt install tar")?;
    ensure!(status.success(), "tar could not write {}", out.display());
    Ok(())
}

/// A Debian package (deb(5)): an `ar` archive of a version and two archives.
fn debian(stage: &Path, tree: &Path, version: &str, architecture: &str, out: &Path) -> Result<()> {
    let control = stage.join("control");
    fs::create_dir_all(&control)?;
    let bytes: u64 = fs::metadata(tree.join("usr/bin/althing"))?.len();
    let text = format!(
        "Package: althing\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Althing <althing@localhost>\n\
         Installed-Size: {}\nDepends: libc6, libgcc-s1\nRecommends: systemd\nSection: net\nPriority: optional\n\
         Description: Blockchain of things after ITU-T Y.4464\n \
         A peer, a gateway and the command line of a ledger on which things and organisations\n \
         agree on what happened, and anyone can check it.\n",
        bytes.div_ceil(1024)
    );
    fs::write(control.join("control"), text)?;
    fs::write(control.join("conffiles"), "/etc/althing/config.toml\n")?;
    for script in ["postinst", "prerm"] {
        install(&root().join("packaging/debian").join(script), &control.join(script), 0o755)?;
    }
    let (inner, outer) = (stage.join("control.tar.gz"), stage.join("data.tar.gz"));
    tar(&control, ".", &inner)?;
    tar(tree, ".", &outer)?;
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", fs::read(inner)?),
        ("data.tar.gz", fs::read(outer)?),
    ];
    fs::write(out, ar(&members)).with_context(|| format!("write {}", out.display()))
}

/// An `ar` archive (deb(5) says which of its forms).
fn ar(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        archive.extend(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", bytes.len())
                .bytes(),
        );
        archive.extend(bytes);
        if bytes.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}

fn host() -> Result<String> {
    let told = Command::new("rustc").arg("-vV").output().context("run rustc")?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.context("rustc does not say for what it builds")
}

fn debian_architecture(triple: &str) -> Option<&'static str> {
    match triple.split('-').next()? {
        "x86_64" => Some("amd64"),
        "aarch64" => Some("arm64"),
        _ => None,
    }
    .filter(|_| triple.ends_with("linux-gnu"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn listed(program: &str, arguments: &[&str], file: &Path) -> String {
        let told = Command::new(program).args(arguments).arg(file).output().expect("it runs");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8_lossy(&told.stdout).into_owned()
    }

    fn made(folder: &Path) -> PathBuf {
        let program = folder.join("program");
        fs::create_dir_all(folder).expect("a folder");
        fs::write(&program, "#!/bin/sh\n").expect("a file");
        pack(&program, "x86_64-unknown-linux-gnu", folder).expect("packages");
        folder
            .join(format!("althing-{}-x86_64-unknown-linux-gnu.tar.gz", env!("CARGO_PKG_VERSION")))
    }

    /// What is packed is the program, its units and its configuration, alike each time.
    #[test]
    fn packages_hold_what_runs_a_peer_and_are_the_same_each_time() {
        let folder = root().join("target/package-test");
        let _ = fs::remove_dir_all(&folder);
        let (first, second) = (made(&folder.join("a")), made(&folder.join("b")));
        assert_eq!(fs::read(&first).expect("one"), fs::read(second).expect("another"));
        let list = listed("tar", &["--list", "--gzip", "--file"], &first);
        for file in FILES.iter().map(|(_, to, _)| *to).chain(["usr/bin/althing"]) {
            assert!(list.lines().any(|line| line.ends_with(&format!("/{file}"))), "{file}: {list}");
        }
        let deb = folder.join("a").join(format!("althing_{}_amd64.deb", env!("CARGO_PKG_VERSION")));
        let bytes = fs::read(&deb).expect("a package");
        assert!(bytes.starts_with(b"!<arch>\ndebian-binary   "));
        // Where Debian's own program is there, it reads it.
        if Command::new("dpkg-deb").arg("--version").output().is_ok() {
            assert!(listed("dpkg-deb", &["--contents"], &deb).contains("./usr/bin/althing"));
            assert!(listed("dpkg-deb", &["--field"], &deb).contains("Architecture: amd64"));
        }
        fs::remove_dir_all(folder).expect("it goes");
    }
}
