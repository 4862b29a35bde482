//! Give pages of the program that only the start needed back to the system.
//!
//! Starting touches a function here and there in all of the program, and Linux maps the sixteen pages around
//! each. They are pages of a file, and a page that is needed again is mapped again, from memory as long as the
//! system has it there (docs/decisions/0050-pages-of-the-start.md).

use std::{fs, ops::Range, path::Path, sync::Once, thread, time::Duration};

/// By then a start is over.
const SETTLED: Duration = Duration::from_secs(8);
/// How often what passing work touched is given back.
const AGAIN: Duration = Duration::from_secs(600);

/// Gives pages back once this process has started, and now and then after that. Once for each process, by a
/// thread of its own: to read what is mapped takes the longer the more that is.
pub(crate) fn keep_few() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let work = || {
            thread::sleep(SETTLED);
            loop {
                give_back();
                thread::sleep(AGAIN);
            }
        };
        if let Err(error) = thread::Builder::new().name("pages".to_owned()).spawn(work) {
            tracing::debug!(%error, "the pages of the start stay");
        }
    });
}

/// Where Linux does not tell what is mapped, nothing is given back, and nothing is worse.
fn give_back() {
    let program = fs::read_link("/proc/self/exe");
    let Some((program, maps)) = program.ok().zip(fs::read_to_string("/proc/self/smaps").ok())
    else {
        return;
    };
    unwritten(&program, &maps).into_iter().for_each(forget);
}

/// Where the code of `program` is mapped, and the constants before it: of its file, and never written. What
/// comes behind the code may only be read by now, too, but the linker has written to it. Not of libraries: one that
/// is unloaded leaves its place to something else, and the program itself never is. `maps` is what
/// `/proc/self/smaps` says (proc(5)): lines `start-end rwxp offset device inode path`, and below each what there is
/// of it, such as `Rss: 4 kB`.
fn unwritten(program: &Path, maps: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut is_behind_code, mut is_found) = (false, false);
    for line in maps.lines() {
        if let Some((range, access, path)) = mapping(line) {
            let is_before = !is_behind_code && Path::new(path) == program;
            is_found = is_before && matches!(access, "r--p" | "r-xp");
            is_behind_code |= is_found && access == "r-xp";
            found.extend(is_found.then_some(range));
        } else if is_found && is_of_written_pages(line) {
            found.pop();
            is_found = false;
        }
    }
    found
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

/// Whether a line says that some pages of a mapping differ from its file, in memory or swapped out. Dirty pages
/// need not: those of a program that was built just now are not on disk yet, and are the file's all the same.
fn is_of_written_pages(line: &str) -> bool {
    let fields = ["Anonymous:", "Swap:"];
    let value = fields.iter().find_map(|field| line.strip_prefix(field));
    value.is_some_and(|value| value.trim() != "0 kB")
}

/// Unmaps pages; whoever needs one has it mapped again, as it is in the file.
#[cfg(target_os = "linux")]
fn forget(pages: Range<usize>) {
    use rustix::mm::{Advice, madvise};
    let start = std::ptr::with_exposed_provenance_mut(pages.start);
    // SAFETY: this advice discards what was written to private pages. Nothing was to these: they are code and
    // constants of this program's file, mapped without leave to write as long as it runs, and the system says
    // that none differs from the file. A page that is used after it is read from there again.
    #[expect(unsafe_code, reason = "no safe call gives pages of the program back")]
    let given = unsafe { madvise(start, pages.len(), Advice::LinuxDontNeed) };
    if let Err(error) = given {
        tracing::debug!(%error, "the pages of the start stay");
    }
}

#[cfg(not(target_os = "linux"))]
fn forget(_pages: Range<usize>) {}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0c0000000-55d0c1600000 r--p 00000000 fd:01 131090                     /opt/a peer/althing
Rss:                6932 kB
Private_Dirty:      1480 kB
Anonymous:             0 kB
Swap:                  0 kB
SwapPss:               0 kB
VmFlags: rd mr mw me sd
55d0c1600000-55d0c4c00000 r-xp 01600000 fd:01 131090                     /opt/a peer/althing
Rss:               35000 kB
Private_Dirty:      1680 kB
Anonymous:             0 kB
Swap:                  0 kB
55d0c4c00000-55d0c4d00000 r--p 04c00000 fd:01 131090                     /opt/a peer/althing
Anonymous:             0 kB
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
        let (constants, code) =
            (0x55d0_c000_0000..0x55d0_c160_0000, 0x55d0_c160_0000..0x55d0_c4c0_0000);
        // What the linker wrote to is behind the code, though it may only be read now, and be swapped out.
        assert_eq!(unwritten(program, MAPS), [constants.clone(), code]);
        for field in ["Anonymous:", "Swap:"] {
            let (before, behind) = MAPS.split_once("r-xp").unwrap();
            let none = format!("{field:<15}        0 kB");
            assert!(behind.contains(&none), "{field}");
            let written = behind.replacen(&none, &format!("{field:<15}        4 kB"), 1);
            let found = unwritten(program, &format!("{before}r-xp{written}"));
            assert_eq!(found.first(), Some(&constants), "{field}");
            assert_eq!(found.len(), 1, "{field}");
        }
        assert!(unwritten(Path::new("/opt/althing"), MAPS).is_empty());
    }

    /// Pages of this program that are mapped and can be given back, bytes.
    #[cfg(target_os = "linux")]
    fn resident() -> usize {
        let program = fs::read_link("/proc/self/exe").unwrap();
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
        let given = unwritten(&program, &smaps);
        assert!(!given.is_empty(), "{smaps}");
        let (mut is_given, mut kilobytes) = (false, 0);
        for line in smaps.lines() {
            if let Some((range, _, _)) = mapping(line) {
                is_given = given.contains(&range);
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
