//! Sample texts, and this process itself.

use super::*;

const STATUS: &str = "Name:\tVmRSS: x
State:\tR (running)
VmPeak:\t    3060 kB
VmHWM:\t    2760 kB
VmRSS:\t    1760 kB
RssAnon:\t     112 kB
RssFile:\t    1640 kB
RssShmem:\t       8 kB
VmPTE:\t      48 kB
VmSwap:\t       0 kB
Threads:\t3\n";

const ROLLUP: &str =
    "55a070b4c000-7ffc0c684000 ---p 00000000 00:00 0                          [rollup]
Rss:                1728 kB
Pss:                 406 kB
Pss_Dirty:           116 kB
Pss_Anon:            116 kB
Pss_File:            288 kB
Pss_Shmem:             2 kB
Shared_Clean:       1564 kB
Private_Clean:        48 kB
Private_Dirty:       116 kB\n";

fn status(text: &str) -> Result<Resident, MemoryError> {
    parse_resident(Table { file: &"/proc/self/status".into(), text })
}

fn rollup(text: &str) -> Result<Pss, MemoryError> {
    parse_pss(Table { file: &"/proc/self/smaps_rollup".into(), text })
}

const fn kib(kib: u64) -> Bytes {
    Bytes::new(kib << 10)
}

#[test]
fn status_is_read() {
    let expected = Resident {
        total: kib(1760),
        anon: kib(112),
        file: kib(1640),
        shmem: kib(8),
        high_water: kib(2760),
        page_tables: kib(48),
        threads: 3,
    };
    assert_eq!(status(STATUS).unwrap(), expected);
    assert!(kernel_share(&expected) >= kib(48 + 3 * 16));
}

#[test]
fn a_line_that_is_missing_or_garbled_is_an_error_and_no_zero() {
    for field in ["VmHWM", "VmRSS", "RssAnon", "RssFile", "RssShmem", "VmPTE", "Threads"] {
        let without: String =
            STATUS.split_inclusive('\n').filter(|l| !l.starts_with(field)).collect();
        assert!(
            matches!(status(&without), Err(MemoryError::Missing { field: f, .. }) if f == field)
        );
        for wrong in
            ["", "x kB", "-1 kB", "12", "12 MB", "99999999999999999999 kB", "0", "\u{fffd}"]
        {
            if (wrong == "12") == (field == "Threads") {
                continue;
            }
            let garbled = without.clone() + &format!("{field}:\t{wrong}\n");
            let found = status(&garbled);
            assert!(
                matches!(&found, Err(MemoryError::Garbled { text, .. }) if text == wrong),
                "{field} {wrong}: {found:?}"
            );
        }
    }
    assert!(matches!(status("\0\u{1}garbage"), Err(MemoryError::Missing { .. })));
}

#[test]
fn the_error_names_the_file_and_the_line() {
    let shown = status("").unwrap_err().to_string();
    assert_eq!(
        shown,
        "/proc/self/status has no `VmRSS`: this kernel is too old, or is built without it"
    );
}

#[test]
fn rollup_is_read() {
    let expected = Pss {
        rss: kib(1728),
        pss: kib(406),
        pss_anon: kib(116),
        pss_file: kib(288),
        pss_shmem: kib(2),
        private: kib(164),
        private_dirty: kib(116),
    };
    assert_eq!(rollup(ROLLUP).unwrap(), expected);
    // Linux 4.14 to 5.3 do not split it.
    let old = ROLLUP.replace("Pss_Anon", "Pss_Other");
    assert!(matches!(rollup(&old), Err(MemoryError::Missing { field: "Pss_Anon", .. })));
}

#[test]
fn the_counters_bound_follows_the_kernels_batch() {
    let pages = |cpus| counter_error(cpus).get() / page_size().get();
    assert_eq!(pages(1), 3 * 31);
    assert_eq!(pages(2), 3 * 2 * 31);
    assert_eq!(pages(64), 3 * 64 * 127);
}

#[test]
fn an_ended_process_is_ended() {
    assert!(matches!(resident_of(Process::Id(u32::MAX)), Err(MemoryError::Ended(_))));
    assert!(matches!(proportional(Process::Id(u32::MAX)), Err(MemoryError::Ended(_))));
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let process = Process::Id(child.id());
    std::thread::sleep(std::time::Duration::from_millis(300));
    let left_over = resident_of(process);
    let rollup = proportional(process);
    child.wait().unwrap();
    assert!(matches!(left_over, Err(MemoryError::Ended(_))), "{left_over:?}");
    println!("what an ended process has in smaps_rollup: {rollup:?}");
    assert!(matches!(rollup, Err(MemoryError::Ended(_))), "{rollup:?}");
}

#[test]
fn this_process_is_read_live() {
    let now = resident().unwrap();
    let exact = proportional(Process::This).unwrap();
    println!("{now:?}\n{exact:?}\nkernel {:.3}", kernel_share(&now));
    assert_eq!(now.total, now.anon + now.file + now.shmem);
    assert!(exact.pss <= exact.rss && exact.private <= exact.rss);
    let thread = thread_cpu();
    assert!(thread <= process_cpu());
}

#[test]
fn a_peak_that_has_passed_is_known_within_the_bound() {
    let cpus = fs::read_to_string("/proc/stat").unwrap().matches("\ncpu").count();
    let error = counter_error(u32::try_from(cpus).unwrap());
    reset_high_water().unwrap();
    let before = resident().unwrap();
    let held = vec![1_u8; 64 << 20];
    let peak = resident().unwrap();
    assert!(held.iter().all(|b| *b == 1));
    drop(held);
    let after = resident().unwrap();
    println!(
        "on {cpus} CPUs the passed peak reads {} KiB, at the time it was {} KiB; bound {} KiB",
        after.high_water.get() >> 10,
        peak.total.get() >> 10,
        error.get() >> 10
    );
    // Other tests share this process and may only add.
    assert!(peak.anon + error >= before.anon + Bytes::mib(50));
    assert!(after.high_water + error >= peak.total);
}
