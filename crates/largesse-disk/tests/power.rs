//! What the simulated disk keeps and loses: synced bytes survive, and every outcome for the rest is reachable.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

use largesse_disk::io::{Act, Disk, DiskFile, Fault, OPERATIONS_KEPT_MAX, Outcome, SimulatedDisk};
use proptest::prelude::*;

/// How many power cuts are tried to reach every outcome.
const SEEDS: u64 = 500;
const PAGE_BYTES: usize = 4096;

/// A disk with the synced file `a`.
fn with_safe(bytes: &[u8]) -> (SimulatedDisk, Arc<dyn DiskFile>) {
    let disk = SimulatedDisk::new(1);
    let file = disk.create("a").expect("the name is free");
    file.write_at(bytes, 0).expect("the disk is well");
    file.sync().expect("the disk is well");
    disk.sync_names().expect("the disk is well");
    (disk, file)
}

/// Arms the next operation.
fn arm(disk: &SimulatedDisk, fault: Fault) {
    disk.fail_at(disk.operations(), fault);
}

/// The file's contents after each of many power cuts.
fn found(disk: &SimulatedDisk, name: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..SEEDS).map(|seed| disk.after_power_cut(seed).contents(name)).collect()
}

fn all_names(disk: &SimulatedDisk) -> BTreeSet<Vec<String>> {
    (0..SEEDS).map(|seed| disk.after_power_cut(seed).file_names()).collect()
}

fn texts(outcomes: &[&str]) -> BTreeSet<Option<Vec<u8>>> {
    outcomes.iter().map(|text| Some(text.as_bytes().to_vec())).collect()
}

fn lists(outcomes: &[&[&str]]) -> BTreeSet<Vec<String>> {
    outcomes.iter().map(|names| names.iter().map(|name| (*name).to_owned()).collect()).collect()
}

#[test]
fn synced_bytes_always_survive() {
    let (disk, file) = with_safe(b"one");
    file.write_at(b"two", 3).unwrap();
    file.sync().unwrap();
    assert_eq!(found(&disk, "a"), texts(&["onetwo"]));
}

#[test]
fn an_unsynced_write_may_be_whole_lost_torn_at_any_byte_or_only_its_length() {
    let (disk, file) = with_safe(b"one");
    file.write_at(b"two", 3).unwrap();
    let want = ["one", "onet", "onetw", "onetwo", "one\0\0\0"];
    assert_eq!(found(&disk, "a"), texts(&want));
}

#[test]
fn an_unsynced_overwrite_may_leave_a_mix_of_old_and_new() {
    let (disk, file) = with_safe(b"abc");
    file.write_at(b"XYZ", 0).unwrap();
    assert_eq!(found(&disk, "a"), texts(&["abc", "Xbc", "XYc", "XYZ"]));
}

#[test]
fn unsynced_writes_reach_the_disk_in_any_order() {
    let (disk, file) = with_safe(b"12");
    file.write_at(b"a", 0).unwrap();
    file.write_at(b"b", 1).unwrap();
    assert_eq!(found(&disk, "a"), texts(&["12", "a2", "1b", "ab"]));
}

#[test]
fn the_pages_of_one_write_reach_the_disk_in_any_order() {
    let (disk, file) = with_safe(&[0; 3 * PAGE_BYTES]);
    file.write_at(&[1; 3 * PAGE_BYTES], 0).unwrap();
    let pages = |bytes: Option<Vec<u8>>| -> Vec<u8> {
        bytes.unwrap().chunks(PAGE_BYTES).map(|page| page[PAGE_BYTES - 1]).collect()
    };
    let kept: BTreeSet<_> = found(&disk, "a").into_iter().map(pages).collect();
    assert_eq!(kept.len(), 8, "{kept:?}");
}

#[test]
fn any_sectors_of_an_overwrite_reach_the_disk_and_the_others_stay() {
    const SECTOR_BYTES: usize = 512;
    let (disk, file) = with_safe(&[7; 4 * SECTOR_BYTES]);
    file.write_at(&[1; 3 * SECTOR_BYTES], 0).unwrap();
    // The value of each sector, if it has only one: some cuts are finer.
    let value = |sector: &[u8]| sector.iter().all(|byte| *byte == sector[0]).then_some(sector[0]);
    let sectors = |seed| -> Option<Vec<u8>> {
        disk.after_power_cut(seed).contents("a")?.chunks(SECTOR_BYTES).map(value).collect()
    };
    let kept: BTreeSet<_> = (0..10 * SEEDS).filter_map(sectors).collect();
    assert_eq!(kept.len(), 8, "{kept:?}");
    assert!(kept.iter().all(|sectors| sectors[3] == 7), "{kept:?}");
}

#[test]
fn an_unsynced_truncation_may_be_lost_and_a_synced_one_is_not() {
    let (disk, file) = with_safe(b"onetwo");
    file.truncate(3).unwrap();
    assert_eq!(found(&disk, "a"), texts(&["onetwo", "one"]));
    file.sync().unwrap();
    assert_eq!(found(&disk, "a"), texts(&["one"]));
}

#[test]
fn all_or_none_of_many_unsynced_writes_may_survive() {
    let (disk, file) = with_safe(b"");
    for at in 0..100 {
        file.write_at(b"x", at).unwrap();
    }
    let found = found(&disk, "a");
    assert!(found.contains(&Some(vec![b'x'; 100])) && found.contains(&Some(Vec::new())));
}

#[test]
fn a_name_is_durable_only_after_the_names_are_synced() {
    let disk = SimulatedDisk::new(1);
    let file = disk.create("a").unwrap();
    file.write_at(b"safe", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(found(&disk, "a"), BTreeSet::from([None, Some(b"safe".to_vec())]));
    disk.sync_names().unwrap();
    assert_eq!(found(&disk, "a"), texts(&["safe"]));
}

#[test]
fn a_durable_name_may_be_that_of_a_file_without_its_bytes() {
    let disk = SimulatedDisk::new(1);
    disk.create("a").unwrap().write_at(b"x", 0).unwrap();
    disk.sync_names().unwrap();
    assert_eq!(found(&disk, "a"), texts(&["", "x", "\0"]));
}

#[test]
fn of_the_changes_of_names_the_first_few_survive() {
    let (disk, _) = with_safe(b"");
    disk.create("b.tmp").unwrap();
    disk.rename("b.tmp", "b").unwrap();
    disk.remove("a").unwrap();
    disk.create("c").unwrap();
    let want: [&[&str]; 5] = [&["a"], &["a", "b.tmp"], &["a", "b"], &["b"], &["b", "c"]];
    assert_eq!(all_names(&disk), lists(&want));
    disk.sync_names().unwrap();
    assert_eq!(all_names(&disk), lists(&[&["b", "c"]]));
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let (disk, _) = with_safe(b"old");
    let new = disk.create("new").unwrap();
    new.write_at(b"new", 0).unwrap();
    new.sync().unwrap();
    disk.rename("new", "a").unwrap();
    assert_eq!(found(&disk, "a"), texts(&["old", "new"]));
}

#[test]
fn writes_of_a_failed_sync_stay_in_doubt_after_later_syncs() {
    for fault in [Fault::Error, Fault::Full] {
        let (disk, file) = with_safe(b"1");
        file.write_at(b"2", 1).unwrap();
        arm(&disk, fault);
        assert_eq!(file.sync().unwrap_err().kind(), fault_kind(fault));
        file.sync().unwrap();
        file.write_at(b"3", 2).unwrap();
        file.sync().unwrap();
        assert_eq!(disk.contents("a").unwrap(), b"123", "it is read as if nothing were wrong");
        assert_eq!(found(&disk, "a"), texts(&["123", "1\x003"]), "{fault:?}");
    }
}

fn fault_kind(fault: Fault) -> ErrorKind {
    match fault {
        Fault::PowerCut => ErrorKind::Other,
        Fault::Error => std::io::Error::from_raw_os_error(5).kind(),
        Fault::Full => ErrorKind::StorageFull,
    }
}

#[test]
fn names_of_a_failed_sync_stay_in_doubt_and_later_ones_do_not() {
    let (disk, _) = with_safe(b"");
    disk.create("b").unwrap();
    arm(&disk, Fault::Error);
    disk.sync_names().unwrap_err();
    disk.create("c").unwrap();
    disk.sync_names().unwrap();
    assert_eq!(all_names(&disk), lists(&[&["a", "c"], &["a", "b", "c"]]));
}

#[test]
fn a_write_that_fails_is_done_in_part() {
    for fault in [Fault::Error, Fault::Full, Fault::PowerCut] {
        let outcome = |seed| {
            let disk = SimulatedDisk::new(seed);
            let file = disk.create("a").unwrap();
            arm(&disk, fault);
            assert_eq!(file.write_at(b"abc", 0).unwrap_err().kind(), fault_kind(fault));
            disk.contents("a")
        };
        let outcomes: BTreeSet<_> = (0..SEEDS).map(outcome).collect();
        assert_eq!(outcomes, texts(&["", "a", "ab", "abc"]), "{fault:?}");
    }
}

#[test]
fn a_failed_change_of_a_name_or_truncation_is_not_done_except_at_a_power_cut() {
    type Call = fn(&SimulatedDisk, &dyn DiskFile) -> std::io::Result<()>;
    let calls: [Call; 4] = [
        |disk, _| disk.create("b").map(drop),
        |disk, _| disk.rename("a", "b"),
        |disk, _| disk.remove("a"),
        |_, file| file.truncate(0),
    ];
    for (fault, want) in [(Fault::Error, 1), (Fault::Full, 1), (Fault::PowerCut, 2)] {
        for call in calls {
            let outcome = |seed| {
                let disk = SimulatedDisk::new(seed);
                let file = disk.create("a").unwrap();
                file.write_at(b"abc", 0).unwrap();
                arm(&disk, fault);
                call(&disk, &*file).unwrap_err();
                (disk.file_names(), disk.contents("a"))
            };
            let outcomes: BTreeSet<_> = (0..SEEDS).map(outcome).collect();
            assert_eq!(outcomes.len(), want, "{fault:?}: {outcomes:?}");
        }
    }
}

#[test]
fn without_power_everything_fails_and_nothing_is_counted() {
    let (disk, file) = with_safe(b"abc");
    arm(&disk, Fault::PowerCut);
    file.sync().unwrap_err();
    let (count, record) = (disk.operations(), disk.record());
    file.bytes().unwrap_err();
    file.read_at(&mut [0], 0).unwrap_err();
    file.read_at(&mut [], 0).unwrap_err();
    file.write_at(b"x", 0).unwrap_err();
    file.sync().unwrap_err();
    file.truncate(0).unwrap_err();
    assert!(disk.create("b").is_err() && disk.open("a").is_err() && disk.names().is_err());
    disk.rename("a", "b").unwrap_err();
    disk.remove("a").unwrap_err();
    disk.sync_names().unwrap_err();
    assert_eq!((disk.operations(), disk.record()), (count, record));
    assert_eq!(found(&disk, "a"), texts(&["abc"]));
}

#[test]
fn a_fault_happens_once_and_at_its_number() {
    let (disk, file) = with_safe(b"");
    let first = disk.operations();
    disk.fail_at(first + 1, Fault::Full);
    disk.fail_at(first + 3, Fault::Error);
    let outcomes = (0..6).map(|_| file.write_at(b"x", 0).map_err(|error| error.kind()));
    let want = [Ok(()), Err(fault_kind(Fault::Full)), Ok(()), Err(fault_kind(Fault::Error)), Ok(()), Ok(())];
    assert_eq!(outcomes.collect::<Vec<_>>(), want);
}

#[test]
fn a_full_disk_accepts_no_file_and_no_byte_until_there_is_room() {
    let (disk, file) = with_safe(b"abc");
    disk.set_full(true);
    let refused = disk.create("b").map(drop).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StorageFull);
    for _ in 0..3 {
        assert_eq!(file.write_at(b"x", 0).unwrap_err().kind(), ErrorKind::StorageFull);
    }
    file.truncate(0).unwrap();
    file.sync().unwrap();
    disk.set_full(false);
    file.write_at(b"y", 0).unwrap();
    disk.create("b").unwrap();
    assert_eq!(disk.contents("a").unwrap(), b"y");
}

#[test]
fn after_an_exit_everything_is_there_but_no_more_durable_than_before() {
    let (disk, file) = with_safe(b"1");
    file.write_at(b"2", 1).unwrap();
    disk.create("b").unwrap();
    let next = disk.after_exit();
    assert_eq!((next.file_names(), next.contents("a").unwrap()), (disk.file_names(), b"12".to_vec()));
    assert!(found(&next, "a").contains(&Some(b"1".to_vec())));
    next.open("a").unwrap().sync().unwrap();
    assert_eq!(found(&next, "a"), texts(&["12"]));
    assert!(found(&disk, "a").contains(&Some(b"1".to_vec())), "the original disk is separate");
}

#[test]
fn a_disk_after_a_power_cut_is_separate_from_the_one_before() {
    let (disk, file) = with_safe(b"abc");
    disk.set_full(true);
    arm(&disk, Fault::Error);
    let next = disk.after_power_cut(1);
    let again = next.open("a").unwrap();
    again.write_at(b"X", 0).unwrap();
    next.remove("a").unwrap();
    next.sync_names().unwrap();
    assert_eq!(next.operations(), 3);
    assert_eq!(disk.contents("a").unwrap(), b"abc");
    disk.set_full(false);
    file.sync().expect_err("the fault is still armed here");
    file.write_at(b"Y", 0).unwrap();
    let mut into = [0; 3];
    again.read_at(&mut into, 0).unwrap();
    assert_eq!(&into, b"Xbc");
}

#[test]
fn a_flipped_bit_is_flipped_in_every_layer() {
    let (disk, file) = with_safe(b"aa");
    file.write_at(b"aa", 2).unwrap();
    disk.flip_bit("a", 0, 1);
    disk.flip_bit("a", 3, 1);
    assert_eq!(disk.contents("a").unwrap(), b"caac");
    file.sync().unwrap();
    assert_eq!(found(&disk, "a"), texts(&["caac"]));
}

#[test]
fn the_record_has_the_operations_in_order_with_the_names_at_the_time() {
    let disk = SimulatedDisk::new(1);
    let file = disk.create("a").unwrap();
    disk.rename("a", "b").unwrap();
    file.write_at(b"xyz", 0).unwrap();
    arm(&disk, Fault::Error);
    file.sync().unwrap_err();
    file.truncate(1).unwrap();
    disk.remove("b").unwrap();
    file.sync().unwrap();
    disk.sync_names().unwrap();
    let b = || "b".to_owned();
    let want = [
        (Act::Create { name: "a".to_owned() }, Outcome::Done),
        (Act::Rename { from: "a".to_owned(), to: b() }, Outcome::Done),
        (Act::Write { name: b(), at: 0, bytes: 3 }, Outcome::Done),
        (Act::Sync { name: b() }, Outcome::Failed),
        (Act::Truncate { name: b(), bytes: 1 }, Outcome::Done),
        (Act::Remove { name: b() }, Outcome::Done),
        (Act::Sync { name: "a".to_owned() }, Outcome::Done),
        (Act::SyncNames, Outcome::Done),
    ];
    let record = disk.record();
    assert!(record.iter().map(|operation| operation.number).eq(0..8));
    let recorded: Vec<_> = record.into_iter().map(|operation| (operation.act, operation.outcome)).collect();
    assert_eq!(recorded, want);
}

#[test]
fn the_record_forgets_the_oldest() {
    let disk = SimulatedDisk::new(1);
    for _ in 0..=OPERATIONS_KEPT_MAX {
        disk.sync_names().unwrap();
    }
    let record = disk.record();
    assert_eq!((record.len(), record[0].number), (OPERATIONS_KEPT_MAX, 1));
}

/// One action on a file; offsets and lengths are modulo the file's length.
#[derive(Clone, Debug)]
enum FileAction {
    Write { at: usize, bytes: usize },
    Truncate { bytes: usize },
    Sync,
}

fn any_action() -> impl Strategy<Value = FileAction> {
    prop_oneof![
        4 => (any::<usize>(), 0..10_000_usize).prop_map(|(at, bytes)| FileAction::Write { at, bytes }),
        1 => any::<usize>().prop_map(|bytes| FileAction::Truncate { bytes }),
        1 => Just(FileAction::Sync),
    ]
}

/// What a file may be after a power cut: its lengths, and each byte's values, since its last sync. Values are below
/// 64, so a set of them is a bit mask.
struct May {
    now: Vec<u8>,
    bytes_min: usize,
    values: Vec<u64>,
}

impl May {
    fn sync(&mut self) {
        self.bytes_min = self.now.len();
        self.values = self.now.iter().map(|byte| 1 << byte).collect();
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        self.now.resize(end.max(self.now.len()), 0);
        self.now[at..end].copy_from_slice(bytes);
        let reach = end.max(self.values.len());
        self.values.resize(reach, 1);
        for (may, byte) in self.values[at..].iter_mut().zip(bytes) {
            *may |= 1 << byte;
        }
    }

    /// What was cut off may reappear, or be the zeros of a hole.
    fn truncate(&mut self, bytes: usize) {
        self.now.truncate(bytes);
        self.bytes_min = self.bytes_min.min(bytes);
        self.values[bytes..].iter_mut().for_each(|may| *may |= 1);
    }

    fn allows(&self, found: &[u8]) -> bool {
        (self.bytes_min..=self.values.len()).contains(&found.len())
            && found.iter().zip(&self.values).all(|(byte, may)| may & (1 << byte) != 0)
    }
}

proptest! {
    #[test]
    fn after_a_power_cut_each_byte_is_the_synced_one_or_one_written_since(
        actions in prop::collection::vec(any_action(), 1..30),
        seed: u64,
    ) {
        let (disk, file) = with_safe(b"");
        let mut may = May { now: Vec::new(), bytes_min: 0, values: Vec::new() };
        for (value, action) in (1..).zip(actions) {
            match action {
                FileAction::Write { at, bytes } => {
                    let (at, bytes) = (at % (may.now.len() + 1), vec![value; bytes]);
                    file.write_at(&bytes, at as u64).unwrap();
                    may.write(at, &bytes);
                }
                FileAction::Truncate { bytes } => {
                    let bytes = bytes % (may.now.len() + 1);
                    file.truncate(bytes as u64).unwrap();
                    may.truncate(bytes);
                }
                FileAction::Sync => {
                    file.sync().unwrap();
                    may.sync();
                }
            }
            prop_assert_eq!(disk.contents("a"), Some(may.now.clone()));
            let found = disk.after_power_cut(seed).contents("a").expect("the name is synced");
            prop_assert!(may.allows(&found));
            prop_assert_eq!(disk.after_power_cut(seed).contents("a"), Some(found), "the same seed, the same disk");
        }
    }
}
