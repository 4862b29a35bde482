//! Give pages of the program that only the start needed back to the system.
//!
//! Starting touches a function here and there in all of the program, and Linux maps the sixteen pages around
//! each. They are pages of a file, and a page that is needed again is mapped again, from memory as long as the
//! system has it there (docs/decisions/0050-pages-of-the-start.md).

use std::{fs, ops::Range, path::Path, sync::Once, time::Duration};

/// By then a start is over.
const SETTLED: Duration = Duration::from_secs(8);
/// How often what passing work touched is given back. It costs less than a millisecond.
const AGAIN: Duration = Duration::from_secs(600);

/// Gives pages back once this process has started, and now and then after that, as long as the runtime it is
/// called in lives. Once for each process.
pub(crate) fn keep_few() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tokio::spawn(async {
            tokio::time::sleep(SETTLED).await;
            loop {
                give_back();
                tokio::time::sleep(AGAIN).await;
            }
        });
    });
}

/// Where Linux does not tell what is mapped, nothing is given back, and nothing is worse.
fn give_back() {
    let program = fs::read_link("/proc/self/exe");
    let Some((program, maps)) = program.ok().zip(fs::read_to_string("/proc/self/smaps").ok())
    else {
        return;
    };
    unwritten(&program, &maps).into_iter().for_each(|(_, pages)| forget(pages));
}

/// Where code is mapped, the program's and its libraries', and the constants before that of `program`: of their
/// files, and never written. What comes behind the code may only be read by now, too, but the linker has written to
/// it. `maps` is what `/proc/self/smaps` says (proc(5)): lines `start-end rwxp offset device inode path`, and below
/// each what there is of it, such as `Rss: 4 kB`.
fn unwritten(program: &Path, maps: &str) -> Vec<(Kind, Range<usize>)> {
    let mut found: Vec<(Kind, Range<usize>)> = Vec::new();
    let mut is_behind_code = false;
    let mut is_ours = false;
    for line in maps.lines() {
        if let Some((range, access, path)) = mapping(line) {
            let is_program = Path::new(path) == program;
            let kind = match access {
                "r--p" if is_program && !is_behind_code => Some(Kind::Constants),
                "r-xp" if path.starts_with('/') => Some(Kind::Code),
                _ => None,
            };
            is_ours = kind.is_some();
            is_behind_code |= is_program && kind == Some(Kind::Code);
            found.extend(kind.map(|kind| (kind, range)));
        } else if is_ours && is_of_written_pages(line) {
            found.pop();
            is_ours = false;
        }
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Constants,
    Code,
}

/// Where something is mapped, how it may be accessed, and its path.
fn mapping(line: &str) -> Option<(Range<usize>, &str, &str)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    let (access, rest) = rest.split_once(' ')?;
    let path = rest.splitn(4, ' ').nth(3).unwrap_or_default();
    Some((address(start)?..address(end)?, access, path.trim_start()))
}

/// Whether a line says that some pages of a mapping differ from its file, in memory or swapped out.
fn is_of_written_pages(line: &str) -> bool {
    let fields = ["Private_Dirty:", "Shared_Dirty:", "Anonymous:", "Swap:"];
    let value = fields.iter().find_map(|field| line.strip_prefix(field));
    value.is_some_and(|value| value.trim() != "0 kB")
}

/// Unmaps pages; whoever needs one has it mapped again, as it is in the file.
#[cfg(target_os = "linux")]
fn forget(code: Range<usize>) {
    use rustix::mm::{Advice, madvise};
    let start = std::ptr::with_exposed_provenance_mut(code.start);
    // SAFETY: this advice discards what was written to private pages. Nothing was to these: they are code and
    // constants of files, mapped without leave to write, and the system says that none differs from its file.
    // A page that is used after it is read from there again.
    #[expect(unsafe_code, reason = "no safe call gives pages of the program back")]
    let given = unsafe { madvise(start, code.len(), Advice::LinuxDontNeed) };
    if let Err(error) = given {
        tracing::debug!(%error, "the pages of the start stay");
    }
}

#[cfg(not(target_os = "linux"))]
fn forget(_code: Range<usize>) {}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0c0000000-55d0c1600000 r--p 00000000 fd:01 131090                     /opt/a peer/althing
Rss:                6932 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  0 kB
SwapPss:               0 kB
VmFlags: rd mr mw me sd
55d0c1600000-55d0c4c00000 r-xp 01600000 fd:01 131090                     /opt/a peer/althing
Rss:               35000 kB
Private_Dirty:         0 kB
Swap:                  0 kB
55d0c4c00000-55d0c4d00000 r--p 04c00000 fd:01 131090                     /opt/a peer/althing
Private_Dirty:         0 kB
Swap:                  0 kB
55d0c4d00000-55d0c4e00000 rw-p 04d00000 fd:01 131090                     /opt/a peer/althing
7f0000000000-7f0000021000 rw-p 00000000 00:00 0 
7f3000000000-7f3000155000 r-xp 00026000 fd:01 4660                       /usr/lib/libc.so.6
7f4000000000-7f4000001000 r-xp 00000000 00:00 0                          [vdso]
7f5000000000-7f5000001000 r-xp 00000000 00:00 0 
nonsense
";

    #[test]
    fn only_what_nobody_wrote_to_is_given_back() {
        let program = Path::new("/opt/a peer/althing");
        let constants = (Kind::Constants, 0x55d0_c000_0000..0x55d0_c160_0000);
        let code = (Kind::Code, 0x55d0_c160_0000..0x55d0_c4c0_0000);
        // What the linker wrote to is behind the code, though it may only be read now, and be swapped out.
        let library = (Kind::Code, 0x7f30_0000_0000..0x7f30_0015_5000);
        assert_eq!(unwritten(program, MAPS), [constants.clone(), code, library.clone()]);
        let one = |field: &str| {
            let (before, behind) = MAPS.split_once("r-xp").unwrap();
            let none = format!("{field:<15}        0 kB");
            assert!(behind.contains(&none), "{field}");
            format!(
                "{before}r-xp{}",
                behind.replacen(&none, &format!("{field:<15}        4 kB"), 1)
            )
        };
        for field in ["Private_Dirty:", "Swap:"] {
            assert_eq!(
                unwritten(program, &one(field)),
                [constants.clone(), library.clone()],
                "{field}"
            );
        }
    }

    /// Pages of this program that are mapped and can be given back, bytes.
    #[cfg(target_os = "linux")]
    fn resident() -> usize {
        let program = fs::read_link("/proc/self/exe").unwrap();
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
        let given = unwritten(&program, &smaps);
        assert!(given.iter().any(|(kind, _)| *kind == Kind::Code), "{smaps}");
        let (mut is_given, mut kilobytes) = (false, 0);
        for line in smaps.lines() {
            if let Some((range, _, _)) = mapping(line) {
                is_given = given.iter().any(|(_, pages)| *pages == range);
            } else if let Some(size) = line.strip_prefix("Rss:").filter(|_| is_given) {
                kilobytes += size.trim().trim_end_matches(" kB").parse::<usize>().unwrap();
            }
        }
        kilobytes * 1024
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_program_runs_on_with_fewer_pages() {
        let before = resident();
        give_back();
        let after = resident();
        assert!(after < before, "{before} bytes before, {after} after");
        assert!(serde_json::from_str::<serde_json::Value>("[1, 2.5, {\"a\": null}]").is_ok());
    }
}
