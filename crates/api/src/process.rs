//! What the process of a peer takes of its machine.

use std::fs;

use althing_peer::query::Figure;

/// Milliseconds of a tick of the counters that Linux shows programs: a hundred a second, whatever the
/// kernel's own clock (`USER_HZ`, proc(5)).
const TICK_MS: u64 = 10;
/// Places of the user's and the system's ticks behind the name of the program (proc_pid_stat(5)).
const USER_TICKS: usize = 11;

/// Time of processors and memory, as Linux tells them; none elsewhere. Nothing here is read from disk.
pub(crate) fn figures() -> Vec<Figure> {
    let read = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).ok();
    let cpu_ms = read("stat").and_then(|text| cpu_ms(&text));
    let memory = read("status").and_then(|text| resident_bytes(&text));
    let figure = |name, help, counts, value: Option<u64>| {
        value.map(|value| Figure { name, help, counts, value })
    };
    let cpu = figure("althing_cpu_ms_total", "Milliseconds of processor time.", true, cpu_ms);
    let memory = figure("althing_memory_bytes", "Bytes of resident memory.", false, memory);
    [cpu, memory].into_iter().flatten().collect()
}

fn cpu_ms(stat: &str) -> Option<u64> {
    // The name of a program may have blanks and brackets in it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut ticks = rest.split_whitespace().skip(USER_TICKS);
    let (user, system): (u64, u64) = (ticks.next()?.parse().ok()?, ticks.next()?.parse().ok()?);
    user.checked_add(system)?.checked_mul(TICK_MS)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_memory_are_read_as_linux_writes_them() {
        let stat = "42 (a (strange) name) S 1 42 42 0 -1 4194560 9 0 0 0 123 45 0 0 20 0 14 0";
        assert_eq!(cpu_ms(stat), Some(1_680));
        assert_eq!(
            resident_bytes("Name:\tx\nVmRSS:\t   44528 kB\nRssAnon:\t1 kB\n"),
            Some(45_596_672)
        );
        for broken in ["", "42 (x", "42 (x) S 1 2", "42 (x) S 1 42 42 0 -1 4194560 9 0 0 0 a 45"] {
            assert_eq!(cpu_ms(broken), None);
            assert_eq!(resident_bytes(broken), None);
        }
        assert_eq!(resident_bytes("VmRSS: 18446744073709551615 kB"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_some_of_both() {
        let names: Vec<_> = figures().into_iter().filter(|one| one.value > 0).collect();
        assert!(names.iter().any(|one| one.name == "althing_memory_bytes"), "{names:?}");
        assert_eq!(figures().len(), 2);
    }
}
