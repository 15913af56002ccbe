use std::collections::BTreeSet;

use super::*;
use crate::model::Capacity;
use crate::report::json::planted;

fn need(concurrency: u32, need: Bytes, has: Bytes) -> String {
    reason(&Reason::RamNeed { concurrency, need, has })
}

fn holds(low: u32, typical: u32) -> String {
    reason(&Reason::RamHolds(Capacity { low, typical, high: typical + 1 }))
}

#[test]
fn codes_are_the_contracts() {
    let warnings = planted::warnings();
    let codes: Vec<&str> = warnings.iter().map(|w| warning(w).0).collect();
    assert_eq!(
        codes,
        [
            "synthetic_weights",
            "partial_measurement",
            "process_killed",
            "topology_killed",
            "not_a_line",
            "not_flat",
            "not_checked",
            "extrapolated",
            "disturbed",
            "no_room",
            "assumed_shape",
            "other_cpu",
            "largest_image",
            "more_cpus",
            "threads_above_cpus",
        ]
    );
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
}

#[test]
fn everything_is_in_whole_sentences() {
    let warnings = planted::warnings().into_iter().map(|w| warning(&w).1);
    let reasons = planted::reasons().into_iter().map(|r| reason(&r));
    for text in warnings.chain(reasons) {
        assert!(text.ends_with('.'), "{text}");
        assert!(!text.starts_with(|c: char| c.is_lowercase()), "{text}");
        assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
    }
}

#[test]
fn synthetic_weights_say_what_they_change_and_what_they_do_not() {
    let (_, text) = warning(&Warning::SyntheticWeights);
    for word in ["RAM", "CPU", "shapes", "operators", "types", "denormal", "meaning", "--model"] {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn a_need_is_told_against_what_there_is() {
    let has = Bytes::mib(512);
    assert_eq!(
        need(10, Bytes::mib(417), has),
        "10 requests in flight need up to 417 MiB of the box's 512 MiB (81 %)."
    );
    assert_eq!(
        need(1, Bytes::mib(600), has),
        "1 request in flight needs up to 600 MiB, more than the 512 MiB of the box."
    );
}

#[test]
fn sizes_that_differ_are_not_printed_alike() {
    let has = Bytes::mib(512);
    let just_more = need(2, Bytes::new(has.get() + 200_000), has);
    assert!(just_more.contains("512.2 MiB, more than the 512.0 MiB"), "{just_more}");
    let by_a_byte = need(2, Bytes::new(has.get() + 1), has);
    assert!(by_a_byte.contains("536870913 bytes, more than the 536870912 bytes"), "{by_a_byte}");
    assert!(need(2, has, has).contains("512 MiB of the box's 512 MiB (100 %)"));
}

#[test]
fn few_requests_are_told_in_words() {
    assert_eq!(holds(0, 0), "RAM holds not even one request in flight.");
    assert_eq!(holds(0, 2), "At the high end of cost RAM holds no request in flight, typically 2.");
    assert_eq!(holds(1, 1), "RAM holds 1 request in flight.");
    assert_eq!(holds(7, 9), "RAM holds 7 requests in flight at the high end of cost, typically 9.");
}

#[test]
fn an_upgrade_names_its_flag() {
    let (least, comfortable) = (Bytes::mib(512), Bytes::GIB);
    assert_eq!(
        upgrade(&Upgrade { comfortable, least, concurrency: 10 }),
        "For 10 requests in flight, 512 MiB of RAM is just enough and 1.00 GiB leaves room: --ram 1G."
    );
    assert_eq!(
        upgrade(&Upgrade { comfortable: least, least, concurrency: 1 }),
        "For 1 request in flight, a box with 512 MiB of RAM is enough: --ram 512M."
    );
}

#[test]
fn where_a_line_begins_is_said_where_it_does_not_at_0() {
    let says = |text: &str| from_the_knee_on(text.parse().unwrap());
    for one_line in ["shared", "serial", "pool:1", "workers:1"] {
        assert_eq!(says(one_line), None);
    }
    assert!(says("pool:4").unwrap().starts_with("The line is of 4 requests and more"));
    assert!(says("workers:2/serial").unwrap().contains("of all 2 processes together"));
}

#[test]
fn warming_up_names_its_flag_where_it_saves() {
    assert!(warm_up(Bytes::mib(12), 16).contains("saves 12 MiB at 16 requests in flight"));
    assert!(warm_up(Bytes::mib(12), 16).contains("--warmed"));
    assert!(warm_up(Bytes::ZERO, 16).contains("saves no RAM"));
}

#[test]
fn a_kill_is_told_by_where_it_happened() {
    let text = |concurrency, signal| warning(&Warning::Killed { concurrency, signal }).1;
    assert!(text(0, 9).contains("while it loaded the models (signal 9, as the kernel does"));
    assert!(text(24, 11).contains("with 24 requests in flight (signal 11)"));
}
