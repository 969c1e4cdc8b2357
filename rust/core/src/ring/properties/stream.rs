//! Streams against a reference that keeps every record for ever: what a reader gets is the record
//! it asked for, whole and in order, and what it does not get is counted.

use super::cases;
use crate::layout::stream_limit::NO_KEY;
use crate::layout::{ConfigFlag, RecordFlag, RecordInfo, StreamConfig};
use crate::ring::heap::Words;
use crate::ring::stream::heap::Heap;
use crate::ring::stream::reader::{self, Found};
use crate::ring::stream::track::{AfterLap, Step, Track};
use crate::ring::stream::writer::{Ring, cursor};
use crate::ring::stream::{ALIGN, Shape};
use crate::ring::words::{PageWords, StreamWords};
use proptest::prelude::*;
use std::sync::atomic::Ordering::Relaxed;

#[derive(Clone, Debug)]
enum Do {
    /// Begins with so much room more than it uses.
    Write {
        size: u64,
        spare: u64,
        key: bool,
    },
    /// The largest that is allowed.
    WriteHalf,
    /// A size that divides the ring.
    WritePart(u32),
    Abandon {
        room: u64,
    },
    Config {
        dependent: bool,
    },
    Read {
        reader: usize,
        times: usize,
    },
    Seek {
        reader: usize,
        kind: u8,
    },
}

fn what() -> impl Strategy<Value = Do> {
    let size = prop_oneof![Just(0_u64), 1..9_u64, 1..400_u64];
    prop_oneof![
        8 => (size, 0..64_u64, any::<bool>())
            .prop_map(|(size, spare, key)| Do::Write { size, spare, key }),
        1 => Just(Do::WriteHalf),
        2 => (1..5_u32).prop_map(Do::WritePart),
        1 => (0..400_u64).prop_map(|room| Do::Abandon { room }),
        1 => any::<bool>().prop_map(|dependent| Do::Config { dependent }),
        6 => (0..2_usize, 1..6_usize).prop_map(|(reader, times)| Do::Read { reader, times }),
        1 => (0..2_usize, any::<u8>()).prop_map(|(reader, kind)| Do::Seek { reader, kind }),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    (1..130_u64, 0..6_u32, 1..9_u64).prop_map(|(words, bits, configs)| {
        let data_bytes = words * 2 * ALIGN;
        Shape { data_bytes, record_limit: data_bytes / 2, index_capacity: 1 << bits, configs }
    })
}

/// A record as it was written.
struct Written {
    bytes: Vec<u8>,
    key: bool,
    config_id: u32,
    publish_ns: u64,
}

struct Stage {
    shape: Shape,
    lane: Heap,
    ring: Ring,
    written: Vec<Written>,
    dependent: bool,
    now: u64,
    tracks: [Track; 2],
    /// Records delivered to each reader or told to it as missed.
    accounted: [u64; 2],
}

impl Stage {
    fn new(shape: Shape, used: u64) -> Self {
        let lane = Heap::new(&shape);
        let ring = Ring::new(shape, &lane, StreamConfig::ZERO).starting_at(used);
        let track = |after_lap| Track::new(1, false, after_lap);
        Stage {
            tracks: [track(AfterLap::NewestKey), track(AfterLap::OldestKey)],
            shape,
            lane,
            ring,
            written: Vec::new(),
            dependent: false,
            now: 0,
            accounted: [0; 2],
        }
    }

    fn write(&mut self, size: u64, room: u64, key: bool) {
        let place = self.ring.begin(&self.lane, room);
        let sequence = self.ring.newest() + 1;
        let at = self.shape.data_at(place.offset);
        assert!(at as u64 + room <= self.shape.data_bytes, "in one piece");
        assert_eq!(place.offset % ALIGN, 0);
        // Everything that was asked for may be written to, used or not.
        self.lane.store_data(at, &vec![0xee; room as usize]);
        let bytes: Vec<u8> = (0..size).map(|n| (sequence * 31 + n) as u8).collect();
        self.lane.store_data(at, &bytes);
        self.now += sequence % 3;
        let flags = if key { RecordFlag::KEY } else { 0 };
        let mut entry = RecordInfo { flags, publish_ns: self.now, ..RecordInfo::ZERO };
        assert_eq!(self.ring.commit(&self.lane, &place, size, &mut entry), sequence);
        let (key, config_id) = (key || !self.dependent, self.ring.config_id());
        self.written.push(Written { bytes, key, config_id, publish_ns: self.now });
    }

    fn take(&mut self, what: &Do) {
        let limit = self.shape.record_limit;
        match *what {
            Do::Write { size, spare, key } => {
                let size = size.min(limit);
                self.write(size, (size + spare).min(limit), key);
            }
            Do::WriteHalf => self.write(limit, limit, false),
            Do::WritePart(part) => {
                let size = (self.shape.data_bytes >> part).min(limit);
                self.write(size, size, part == 1);
            }
            Do::Abandon { room } => {
                let place = self.ring.begin(&self.lane, room.min(limit));
                let at = self.shape.data_at(place.offset);
                self.lane.store_data(at, &vec![0xdd; place.room as usize]);
                self.ring.abandon();
            }
            Do::Config { dependent } => {
                let flags = if dependent { ConfigFlag::DEPENDENT } else { 0 };
                self.dependent = dependent;
                self.ring.set_config(&self.lane, StreamConfig { flags, ..StreamConfig::ZERO });
            }
            Do::Read { reader, times } => (0..times).for_each(|_| self.read(reader)),
            Do::Seek { reader, kind } => self.seek(reader, kind),
        }
    }

    /// A record that is there is what was written under its number.
    fn check(&self, sequence: u64, entry: &RecordInfo) {
        let written = &self.written[sequence as usize - 1];
        assert_eq!(entry.sequence, sequence);
        assert_eq!(entry.config_id, written.config_id);
        assert_eq!(entry.flags & RecordFlag::KEY != 0, written.key);
        assert_eq!(entry.publish_ns, written.publish_ns);
        let mut bytes = vec![0; entry.size_bytes as usize];
        assert!(reader::copy(&self.lane, &self.shape, entry, &mut bytes));
        assert_eq!(bytes, written.bytes, "record {sequence}");
        let config = reader::config(&self.lane, &self.shape, entry).expect("there as its record");
        assert_eq!(config.id, written.config_id);
    }

    fn read(&mut self, number: usize) {
        let before = self.tracks[number].next;
        let passed = self.tracks[number].passed;
        match self.tracks[number].step(&self.lane, &self.shape) {
            Step::Record(entry) => {
                assert!(entry.sequence >= before, "never back");
                self.check(entry.sequence, &entry);
                let missed = self.tracks[number].taken();
                self.accounted[number] += missed + 1;
            }
            Step::Nothing => {
                let skipped = self.tracks[number].passed - passed;
                assert_eq!(before + skipped, self.ring.newest() + 1);
            }
            Step::Lapped(missed) => {
                assert!(missed > 0 && before < self.ring.oldest(), "not told for nothing");
                self.accounted[number] += missed;
                let next = self.tracks[number].next;
                let key = |n: u64| self.written[n as usize - 1].key;
                assert!(next > self.ring.newest() || key(next), "goes on at a key record");
            }
            Step::Impossible(sequence) => panic!("entry {sequence} is said to be impossible"),
        }
        let told = self.accounted[number] + self.tracks[number].passed;
        assert_eq!(told + 1, self.tracks[number].next, "each record is accounted for");
    }

    /// What is there: from the oldest on, everything; before, nothing.
    fn check_all(&self) {
        let (oldest, newest) = (self.ring.oldest(), self.ring.newest());
        assert_eq!(reader::newest(&self.lane), newest);
        assert_eq!(self.lane.oldest().load(Relaxed), oldest);
        for sequence in 1..=newest {
            match reader::entry(&self.lane, &self.shape, sequence) {
                Found::Entry(entry) => {
                    assert!(sequence >= oldest);
                    self.check(sequence, &entry);
                }
                Found::Lapped => assert!(sequence < oldest),
                Found::Impossible => panic!("entry {sequence} is said to be impossible"),
            }
        }
        let keys: Vec<u64> =
            (oldest..=newest).filter(|&n| self.written[n as usize - 1].key).collect();
        assert_eq!(reader::newest_key(&self.lane, &self.shape), keys.last().copied());
        assert_eq!(reader::oldest_key(&self.lane, &self.shape), keys.first().copied());
        assert_eq!(self.ring.has_key(), !keys.is_empty());
        for before in [0, self.now / 2, self.now] {
            let early =
                keys.iter().rev().find(|&&n| self.written[n as usize - 1].publish_ns <= before);
            let expected = early.or(keys.first()).copied();
            assert_eq!(reader::key_before(&self.lane, &self.shape, before), expected);
        }
    }

    fn seek(&mut self, number: usize, kind: u8) {
        let found = match kind % 4 {
            0 => reader::newest_key(&self.lane, &self.shape),
            1 => reader::oldest_key(&self.lane, &self.shape),
            2 => reader::key_before(&self.lane, &self.shape, self.now / 2),
            _ => Some(self.ring.newest() + 1),
        };
        if let Some(next) = found {
            let track = &mut self.tracks[number];
            (track.next, track.awaits_key, track.passed) = (next, false, 0);
            self.accounted[number] = next - 1;
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn readers_get_what_was_written_or_are_told(
        shape in shape(),
        turns in prop_oneof![Just(0_u64), Just(1 << 32), Just((1 << 40) - 3)],
        steps in prop::collection::vec(what(), 1..80),
    ) {
        // Positions beyond 2^32 bytes, at any place of the ring.
        let used = turns * ALIGN + turns / 7 % shape.data_bytes / ALIGN * ALIGN;
        let mut stage = Stage::new(shape, used);
        for step in &steps {
            stage.take(step);
        }
        stage.check_all();
    }

    /// As long as the writer asks the cursor first, a lossless reader gets everything, and the
    /// writer waits only where it would overwrite what the reader still needs.
    #[test]
    fn a_lossless_reader_loses_nothing(
        shape in shape(),
        steps in prop::collection::vec((0..200_u64, any::<bool>()), 1..120),
    ) {
        let mut stage = Stage::new(shape, 0);
        let page = Words::new();
        page.cursor().store(1, Relaxed);
        let mut next = 1;
        for (size, write) in steps {
            let size = size.min(shape.record_limit);
            if write && stage.ring.oldest_for(size) <= cursor(&page) {
                stage.write(size, size, true);
            } else if next <= stage.ring.newest() {
                let Found::Entry(entry) = reader::entry(&stage.lane, &shape, next) else {
                    return Err(TestCaseError::fail(format!("record {next} is lost")));
                };
                stage.check(next, &entry);
                next += 1;
                reader::advance(&page, next);
            } else {
                let free = stage.ring.oldest_for(shape.record_limit) <= cursor(&page);
                prop_assert!(free, "nothing is held, so any record has room");
            }
        }
    }

    /// Lane memory as nobody honest writes it: every walk ends, and nothing leads out of the ring.
    #[test]
    fn a_lying_stream_is_found_out_or_harmless(
        shape in shape(),
        words in prop::collection::vec(lying_entry(), 64),
        head in prop_oneof![0..80_u64, any::<u64>()],
        oldest in prop_oneof![0..80_u64, any::<u64>()],
        next in 0..80_u64,
    ) {
        let lane = Heap::new(&shape);
        crate::ring::words::LaneWords::head(&lane).store(head, Relaxed);
        lane.oldest().store(oldest, Relaxed);
        for (at, entry) in words.iter().enumerate().take(shape.index_capacity as usize) {
            lane.store_entry(at, entry);
        }
        for after_lap in [AfterLap::NewestKey, AfterLap::OldestKey] {
            let mut track = Track::new(next, false, after_lap);
            for _ in 0..100 {
                let before = track.next;
                match track.step(&lane, &shape) {
                    Step::Record(entry) => {
                        let mut bytes = vec![0; entry.size_bytes as usize];
                        prop_assert!(bytes.len() as u64 <= shape.record_limit);
                        reader::copy(&lane, &shape, &entry, &mut bytes);
                        reader::config(&lane, &shape, &entry);
                        track.taken();
                    }
                    Step::Nothing => break,
                    Step::Lapped(missed) => prop_assert!(missed > 0),
                    Step::Impossible(_) => {}
                }
                prop_assert!(track.next > before || before == u64::MAX, "never back");
            }
        }
        for key in [
            reader::newest_key(&lane, &shape),
            reader::oldest_key(&lane, &shape),
            reader::key_before(&lane, &shape, head),
        ].into_iter().flatten() {
            prop_assert!(key <= head && key >= oldest);
        }
    }
}

fn lying_entry() -> impl Strategy<Value = RecordInfo> {
    let sane =
        (0..80_u64, 0..300_u64, 0..200_u32, 0..3_u32, prop_oneof![0..9_u32, Just(NO_KEY as u32)]);
    let lie = (any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>(), any::<u32>());
    prop_oneof![sane, lie].prop_map(|(sequence, offset_bytes, size_bytes, flags, key_distance)| {
        RecordInfo { sequence, offset_bytes, size_bytes, flags, key_distance, ..RecordInfo::ZERO }
    })
}
