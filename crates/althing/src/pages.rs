//! Give pages of the program that only the start needed back to the system.
//!
//! Starting touches a function here and there in all of the program, and the kernel maps the sixteen pages
//! around each: of 35 MB of code that a peer then holds it uses a fifth. They are pages of a file, and a page
//! that is needed again is mapped again, from memory as long as the system has it there
//! (docs/decisions/0050-pages-of-the-start.md).

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
    let Some((program, maps)) = program.ok().zip(fs::read_to_string("/proc/self/maps").ok()) else {
        return;
    };
    code_of(&program, &maps).for_each(forget);
}

/// Where the code of `program` is mapped: of its file, executable and never written. `maps` is what
/// `/proc/self/maps` says, whose lines are `start-end rwxp offset device inode path` (proc(5)).
fn code_of<'a>(program: &'a Path, maps: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    maps.lines().filter_map(move |line| {
        let (range, rest) = line.split_once(' ')?;
        let (access, rest) = rest.split_once(' ')?;
        let path = rest.splitn(4, ' ').nth(3)?.trim_start();
        let (start, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        let is_code = access == "r-xp" && Path::new(path) == program;
        is_code.then_some(address(start)?..address(end)?)
    })
}

/// Unmaps pages; whoever needs one has it mapped again, as it is in the file.
#[cfg(target_os = "linux")]
fn forget(code: Range<usize>) {
    use rustix::mm::{Advice, madvise};
    let start = std::ptr::with_exposed_provenance_mut(code.start);
    // SAFETY: this advice discards what was written to private pages. These cannot be written to: they are code
    // of this program's file, mapped without leave to write, and nothing here changes what is mapped. A page
    // that is used after it is read from the file again, which the system keeps from changes while it runs.
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
55d0c1600000-55d0c4c00000 r-xp 01600000 fd:01 131090                     /opt/a peer/althing
55d0c4c00000-55d0c4d00000 r--p 04c00000 fd:01 131090                     /opt/a peer/althing
55d0c4d00000-55d0c4e00000 rw-p 04d00000 fd:01 131090                     /opt/a peer/althing
7f0000000000-7f0000021000 rw-p 00000000 00:00 0 
7f3000000000-7f3000155000 r-xp 00026000 fd:01 4660                       /usr/lib/libc.so.6
7f4000000000-7f4000001000 r-xp 00000000 00:00 0                          [vdso]
7f5000000000-7f5000001000 r-xp 00000000 00:00 0 
nonsense
";

    #[test]
    fn only_code_of_the_program_is_given_back() {
        let program = Path::new("/opt/a peer/althing");
        let mut found = code_of(program, MAPS);
        assert_eq!(found.next(), Some(0x55d0_c160_0000..0x55d0_c4c0_0000));
        // What the linker wrote to is not, though it may only be read now.
        assert_eq!(found.next(), None);
        assert_eq!(code_of(Path::new("/opt/althing"), MAPS).count(), 0);
    }

    /// Pages of this program's code that are mapped, bytes.
    #[cfg(target_os = "linux")]
    fn resident() -> usize {
        let program = fs::read_link("/proc/self/exe").unwrap();
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
        let (mut is_code, mut kilobytes) = (false, 0);
        for line in smaps.lines() {
            if let Some(size) = line.strip_prefix("Rss:").filter(|_| is_code) {
                kilobytes += size.trim().trim_end_matches(" kB").parse::<usize>().unwrap();
            } else if line.split(' ').next().is_some_and(|word| word.contains('-')) {
                is_code = code_of(&program, line).count() == 1;
            }
        }
        kilobytes * 1024
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_program_runs_on_with_fewer_pages() {
        // Read through, so that there is something to give back.
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        assert!(serde_json::from_str::<serde_json::Value>("[1, 2.5, {\"a\": null}]").is_ok());
        let before = resident();
        give_back();
        let after = resident();
        assert!(after < before, "{before} bytes before, {after} after");
        assert!(maps.lines().count() > 3);
    }
}
