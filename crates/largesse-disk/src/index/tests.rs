//! Both forms of the index against a plain model, and the file against corruption.

use std::{collections::BTreeMap, sync::Arc, thread};

use largesse_log::{Position, UnixMs};
use proptest::prelude::*;

use super::{
    Entry, Growing, IndexOf, OutOfOrder, SEEK_POINT_GAP_BYTES, Sealed, SeekPoint, SegmentIndex, Span,
    StreamEpoch, Totals, write_sealed,
};
use counting_disk::CountingDisk;

mod broken;
mod counting_disk;
mod layout;

const OF: IndexOf = IndexOf { segment: 7, salt: 0x0123_4567_89ab_cdef };

/// What is in the segment, as plain lists.
#[derive(Default)]
struct Model {
    lives: BTreeMap<u64, Vec<Entry>>,
    seek_points: Vec<SeekPoint>,
}

/// One append of a single event, and its distance from the previous one.
#[derive(Clone, Copy, Debug)]
struct IndexedAppend {
    life: u64,
    gap: u64,
    bytes: u32,
    wait: u64,
}

fn growing(appends: impl IntoIterator<Item = IndexedAppend>) -> (Growing, Model) {
    let (mut index, mut model) = (Growing::new(), Model::default());
    let (mut position, mut at, mut time) = (0, 64, 1_000);
    for append in appends {
        position += append.gap;
        time += append.wait;
        let seek_point = SeekPoint { position: Position(position), at, time: UnixMs(time) };
        index.push_seek_point(seek_point).unwrap();
        if model.seek_points.last().is_none_or(|last| at >= last.at + SEEK_POINT_GAP_BYTES) {
            model.seek_points.push(seek_point);
        }
        let (bytes, counted_bytes) = (append.bytes, append.bytes + 117);
        let entry =
            Entry { position: seek_point.position, at: at + 40, bytes, counted_bytes, time: UnixMs(time) };
        index.push(StreamEpoch(Position(append.life)), entry).unwrap();
        model.lives.entry(append.life).or_default().push(entry);
        at += 40 + u64::from(bytes);
    }
    (index, model)
}

fn sealed(index: &Growing) -> Sealed {
    write_sealed(&CountingDisk::default(), "index", index, OF).unwrap()
}

/// Makes every lookup in both forms, at about `samples` positions each.
#[track_caller]
fn check(appends: impl IntoIterator<Item = IndexedAppend>, samples: usize) {
    let (index, model) = growing(appends);
    let file = sealed(&index);
    file.verify().unwrap();
    for form in [&index as &dyn SegmentIndex, &file] {
        check_totals(form, &model);
        check_all_postings(form, &model, samples);
        check_seek_points(form, &model, samples);
    }
    check_postings_of_another_form(&index, &file);
}

fn check_totals(index: &dyn SegmentIndex, model: &Model) {
    let mut all: Vec<Entry> = model.lives.values().flatten().copied().collect();
    all.sort_by_key(|entry| entry.position);
    let span = all.first().zip(all.last()).map(|(first, last)| Span {
        first: first.position,
        last: last.position,
        first_time: first.time,
        last_time: last.time,
    });
    let want = Totals {
        lives: model.lives.len() as u32,
        events: all.len() as u32,
        counted_bytes: all.iter().map(|entry| u64::from(entry.counted_bytes)).sum(),
        span,
    };
    assert_eq!(index.totals(), want);
}

fn check_all_postings(index: &dyn SegmentIndex, model: &Model, samples: usize) {
    let listed = |from: u64| -> Vec<u64> {
        index.all_postings(StreamEpoch(Position(from))).map(|postings| postings.unwrap().life.0.0).collect()
    };
    assert!(listed(0).iter().eq(model.lives.keys()));
    let lives: Vec<u64> = model.lives.keys().copied().collect();
    for life in sampled(&lives, samples) {
        for from in [life.saturating_sub(1), life, life + 1] {
            let of_model = model.lives.range(from..).map(|(life, _)| life);
            assert!(listed(from).iter().eq(of_model), "from {from}");
            check_postings(index, from, model.lives.get(&from), samples);
        }
    }
}

fn check_postings(index: &dyn SegmentIndex, life: u64, want: Option<&Vec<Entry>>, samples: usize) {
    let postings = index.postings(StreamEpoch(Position(life))).unwrap();
    let (Some(postings), Some(want)) = (postings, want) else {
        assert!(postings.is_none() && want.is_none(), "life {life}: {postings:?}, {want:?}");
        return;
    };
    assert_eq!(postings.life, StreamEpoch(Position(life)));
    assert_eq!(postings.count as usize, want.len());
    assert_eq!(postings.counted_bytes, want.iter().map(|entry| u64::from(entry.counted_bytes)).sum::<u64>());
    assert_eq!((postings.first, postings.last), (want[0].position, want[want.len() - 1].position));
    for entry in sampled(want, samples) {
        for position in [entry.position.0 - 1, entry.position.0, entry.position.0 + 1].map(Position) {
            let upto = want.partition_point(|entry| entry.position <= position);
            assert_eq!(index.upto(&postings, position).unwrap() as usize, upto, "{position:?}");
        }
    }
    for from in sampled(&(0..=want.len() + 1).collect::<Vec<_>>(), samples) {
        for entries_max in [0, 1, 127, 128, 300, usize::MAX] {
            let left = want.get(from..).unwrap_or_default();
            let read = index.entries(&postings, from as u32, entries_max).unwrap();
            assert_eq!(read, left[..left.len().min(entries_max)], "{entries_max} from {from}");
        }
    }
}

fn check_seek_points(index: &dyn SegmentIndex, model: &Model, samples: usize) {
    assert_eq!(index.seek_point_count() as usize, model.seek_points.len());
    let numbers: Vec<usize> = (0..=model.seek_points.len()).collect();
    for number in sampled(&numbers, samples) {
        let want = model.seek_points.get(number).copied();
        assert_eq!(index.seek_point(number as u32).unwrap(), want);
        let Some(seek_point) = want else { continue };
        for near in
            [seek_point.position.0 - 1, seek_point.position.0, seek_point.position.0 + 1].map(Position)
        {
            let want = model.seek_points.iter().rfind(|seek_point| seek_point.position <= near).copied();
            assert_eq!(index.seek_point_upto(near).unwrap(), want, "{near:?}");
        }
        for near in [seek_point.time.0 - 1, seek_point.time.0, seek_point.time.0 + 1].map(UnixMs) {
            let want = model.seek_points.iter().rfind(|seek_point| seek_point.time < near).copied();
            assert_eq!(index.seek_point_before_time(near).unwrap(), want, "{near:?}");
        }
    }
}

/// A reader may have got its posting list before the segment was sealed.
fn check_postings_of_another_form(index: &Growing, file: &Sealed) {
    let all = StreamEpoch(Position::ZERO);
    let Some(one) = file.all_postings(all).last().map(Result::unwrap) else { return };
    let other = index.postings(one.life).unwrap().unwrap();
    let middle = Position(one.first.0.midpoint(one.last.0));
    for form in [index as &dyn SegmentIndex, file] {
        assert_eq!(form.upto(&one, middle).unwrap(), form.upto(&other, middle).unwrap());
        assert_eq!(form.entries(&one, 0, 3).unwrap(), form.entries(&other, 0, 3).unwrap());
    }
}

/// The first, the last, and about `samples` between.
fn sampled<T: Copy>(all: &[T], samples: usize) -> Vec<T> {
    let stride = (all.len() / samples).max(1);
    all.iter().copied().step_by(stride).chain(all.last().copied()).collect()
}

fn one(life: u64) -> IndexedAppend {
    IndexedAppend { life, gap: 1, bytes: 20, wait: 1 }
}

fn appends() -> impl Strategy<Value = Vec<IndexedAppend>> {
    (1_u64..400).prop_flat_map(|lives| {
        let append = (1..=lives, 1_u64..4, 11_u32..2_000, 0_u64..3);
        let append =
            append.prop_map(|(life, gap, bytes, wait)| IndexedAppend { life: life * 5, gap, bytes, wait });
        prop::collection::vec(append, 0..900)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn both_forms_answer_like_a_plain_model(appends in appends()) {
        check(appends, 12);
    }
}

#[test]
fn a_segment_without_events_has_an_index() {
    check([], 1);
    assert_eq!(sealed(&Growing::new()).totals(), Totals::default());
}

#[test]
fn a_life_may_have_100_000_events() {
    check((0..100_000).map(|_| one(1)), 25);
}

#[test]
fn ten_thousand_lives_may_have_one_event_each() {
    check((1..=10_000).map(one), 25);
}

#[test]
fn the_last_page_of_each_kind_may_be_exactly_full_or_have_one_row() {
    for lives in [1, 101, 102, 103, 204, 102 * 511, 102 * 511 + 1] {
        check((1..=lives).map(one), 7);
    }
    for events in [126, 127, 128, 254, 255] {
        check((0..events).map(|event| one(event % 2 + 1)), 7);
    }
    for seek_points in [1, 169, 170, 171, 340, 341] {
        let far = IndexedAppend { bytes: SEEK_POINT_GAP_BYTES as u32, ..one(3) };
        check((0..seek_points).map(|_| far), 400);
    }
}

#[test]
fn numbers_may_be_as_large_as_possible() {
    let high = u64::MAX - 10;
    check([IndexedAppend { life: high, gap: high, bytes: 1 << 30, wait: high - 1_000 }, one(high)], 9);
}

#[test]
fn an_entry_out_of_order_is_rejected_and_changes_nothing() {
    let (mut index, _) = growing([IndexedAppend { gap: 10, ..one(1) }, one(1)]);
    let before = index.totals();
    let entry = Entry { position: Position(12), at: 500, bytes: 20, counted_bytes: 137, time: UnixMs(1_002) };
    let early = Entry { time: UnixMs(1_001), ..entry };
    for wrong in [Entry { position: Position(11), ..entry }, early] {
        let want = OutOfOrder { position: wrong.position, last: Position(11) };
        assert_eq!(index.push(StreamEpoch(Position(2)), wrong), Err(want));
    }
    assert_eq!(index.totals(), before);
    assert_eq!(index.push(StreamEpoch(Position(2)), entry), Ok(()));

    let seek_point = SeekPoint { position: Position(12), at: 90_000, time: UnixMs(1_002) };
    let place = SeekPoint { position: Position(13), at: 64, time: UnixMs(1_002) };
    let early = SeekPoint { position: Position(13), at: 95_000, time: UnixMs(1_001) };
    index.push_seek_point(seek_point).unwrap();
    for wrong in [seek_point, place, early] {
        let want = OutOfOrder { position: wrong.position, last: Position(12) };
        assert_eq!(index.push_seek_point(wrong), Err(want));
    }
    assert_eq!(index.seek_point_count(), 2);
}

#[test]
fn a_posting_list_shows_its_life_as_of_the_lookup() {
    let (mut index, _) = growing([one(1), one(1)]);
    let postings = index.postings(StreamEpoch(Position(1))).unwrap().unwrap();
    let entry = Entry { position: Position(9), at: 500, bytes: 20, counted_bytes: 137, time: UnixMs(2_000) };
    index.push(StreamEpoch(Position(1)), entry).unwrap();
    let file = sealed(&index);
    for form in [&index as &dyn SegmentIndex, &file] {
        assert_eq!(form.upto(&postings, Position(9)).unwrap(), 2);
        assert_eq!(form.entries(&postings, 0, usize::MAX).unwrap().len(), 2);
        assert_eq!(form.postings(StreamEpoch(Position(1))).unwrap().unwrap().count, 3);
    }
}

#[test]
fn a_full_index_is_read_while_it_is_written_out() {
    let (index, model) = growing((0..3_000).map(|event| one(event % 50 + 1)));
    let index = Arc::new(index);
    thread::scope(|threads| {
        let writing = threads.spawn(|| sealed(&index));
        for _ in 0..2 {
            threads.spawn(|| check_all_postings(&*index, &model, 5));
        }
        check_all_postings(&writing.join().unwrap(), &model, 5);
    });
}
