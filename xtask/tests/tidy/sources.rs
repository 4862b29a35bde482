//! Reads the project: its files, its crates, the parts of a source file that ship.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that hold no source of ours. `build` and `dist` are what the packages in TypeScript and
/// the dashboard are built into.
const SKIPPED: &[&str] =
    &[".git", "target", "node_modules", ".venv", "build", "dist", "demo-data", ".althing"];

/// A crate of the workspace.
pub(crate) struct Crate {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: toml::Table,
}

impl Crate {
    pub(crate) fn name(&self) -> &str {
        self.manifest["package"]["name"].as_str().expect("a crate has a name")
    }

    /// Names of all it depends on, for whatever purpose.
    pub(crate) fn dependencies(&self, kinds: &[&str]) -> Vec<String> {
        let tables = kinds.iter().filter_map(|kind| self.manifest.get(*kind)?.as_table());
        tables.flat_map(|table| table.keys().cloned()).collect()
    }

    /// Its source files.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        with_extension(&files_below(&self.folder.join("src")), "rs")
    }
}

/// All crates of the workspace, as its manifest lists them.
pub(crate) fn crates() -> Vec<Crate> {
    let root = xtask::root();
    let workspace: toml::Table = read(&root.join("Cargo.toml")).parse().expect("TOML");
    let members = workspace["workspace"]["members"].as_array().expect("a list of members");
    let mut folders: Vec<PathBuf> = members
        .iter()
        .filter_map(toml::Value::as_str)
        .flat_map(|member| match member.strip_suffix("/*") {
            Some(parent) => folders_in(&root.join(parent)),
            None => vec![root.join(member)],
        })
        .collect();
    folders.sort();
    folders
        .into_iter()
        .map(|folder| {
            let manifest = read(&folder.join("Cargo.toml")).parse().expect("a manifest is TOML");
            Crate { folder, manifest }
        })
        .collect()
}

fn folders_in(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).expect("the folder of the members");
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect()
}

/// All files of the project, tracked or not, without what was built.
pub(crate) fn files() -> Vec<PathBuf> {
    files_below(&xtask::root())
}

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() {
                if !SKIPPED.iter().any(|skipped| name == *skipped) {
                    open.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn with_extension(files: &[PathBuf], extension: &str) -> Vec<PathBuf> {
    let matches = |path: &&PathBuf| path.extension().is_some_and(|found| found == extension);
    files.iter().filter(matches).cloned().collect()
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path as people write it, from the project's root.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(xtask::root()).unwrap_or(path).display().to_string()
}

/// The lines of a file that ship, with their numbers: no comments, no test module.
pub(crate) fn shipped_lines(path: &Path) -> Vec<(usize, String)> {
    let is_test = path.components().any(|part| {
        ["tests.rs", "tests", "testing.rs", "testing"].iter().any(|name| part.as_os_str() == *name)
    });
    if is_test {
        return Vec::new();
    }
    let text = read(path);
    let lines: Vec<&str> = text.lines().collect();
    let end = lines
        .windows(2)
        .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod "))
        .unwrap_or(lines.len());
    lines[..end]
        .iter()
        .enumerate()
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or("").to_owned()))
        .collect()
}
