//! Streams: a record that counts is whole, whatever was overwritten while it was copied.

use super::{Page, explore};
use crate::layout::{RecordFlag, RecordInfo, StreamConfig};
use crate::ring::consumer;
use crate::ring::producer::want_release;
use crate::ring::stream::Shape;
use crate::ring::stream::reader::{self, Found, advance, config, copy, entry, newest};
use crate::ring::stream::writer::{Ring, cursor};
use crate::ring::waiting::{announce, sleep_on, wanted, withdraw};
use crate::ring::words::{AtomicU32, AtomicU64, LaneWords, StreamWords};
use loom::cell::Cell;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Lane memory in which each entry and config, and each eight bytes, is one word.
struct Stream {
    head: AtomicU64,
    wake: AtomicU32,
    closed: AtomicU32,
    release_wanted: AtomicU32,
    oldest: AtomicU64,
    entries: Vec<AtomicU64>,
    configs: Vec<AtomicU64>,
    data: Vec<AtomicU64>,
    /// What a lossless reader reads in place; loom checks that nothing races.
    plain: Vec<Cell<u64>>,
}

impl Stream {
    fn new(shape: &Shape) -> Self {
        let words = |count: u64| (0..count).map(|_| AtomicU64::new(0)).collect();
        Stream {
            head: AtomicU64::new(0),
            wake: AtomicU32::new(0),
            closed: AtomicU32::new(0),
            release_wanted: AtomicU32::new(0),
            oldest: AtomicU64::new(0),
            entries: words(shape.index_capacity),
            configs: words(shape.configs),
            data: words(shape.data_bytes / 8),
            plain: (0..shape.data_bytes / 8).map(|_| Cell::new(0)).collect(),
        }
    }
}

impl LaneWords for Stream {
    fn head(&self) -> &AtomicU64 {
        &self.head
    }
    fn wake(&self) -> &AtomicU32 {
        &self.wake
    }
    fn closed(&self) -> &AtomicU32 {
        &self.closed
    }
    fn release_wanted(&self) -> &AtomicU32 {
        &self.release_wanted
    }
}

impl StreamWords for Stream {
    fn oldest(&self) -> &AtomicU64 {
        &self.oldest
    }
    fn load_entry(&self, at: usize) -> RecordInfo {
        let word = self.entries[at].load(Relaxed);
        let (sequence, offset) = (word >> 48, word >> 32 & 0xffff);
        let (size, id) = (word >> 16 & 0xffff, word & 0xffff);
        RecordInfo {
            sequence,
            offset_bytes: offset,
            size_bytes: size as u32,
            config_id: id as u32,
            flags: RecordFlag::KEY,
            ..RecordInfo::ZERO
        }
    }
    fn store_entry(&self, at: usize, entry: &RecordInfo) {
        let (size, id) = (u64::from(entry.size_bytes), u64::from(entry.config_id));
        let word = entry.sequence << 48 | entry.offset_bytes << 32 | size << 16 | id;
        self.entries[at].store(word, Relaxed);
    }
    fn load_config(&self, at: usize) -> StreamConfig {
        StreamConfig { id: self.configs[at].load(Relaxed) as u32, ..StreamConfig::ZERO }
    }
    fn store_config(&self, at: usize, config: &StreamConfig) {
        self.configs[at].store(config.id.into(), Relaxed);
    }
    fn load_data(&self, at: usize, into: &mut [u8]) {
        for (index, bytes) in into.chunks_mut(8).enumerate() {
            bytes.copy_from_slice(&self.data[at / 8 + index].load(Relaxed).to_ne_bytes());
        }
    }
    fn store_data(&self, at: usize, from: &[u8]) {
        for (index, bytes) in from.chunks(8).enumerate() {
            let word = u64::from_ne_bytes(bytes.try_into().unwrap());
            self.data[at / 8 + index].store(word, Relaxed);
        }
    }
}

/// Room for two records of one word, entries and configs as a model needs them.
fn shape(records: u64, index_capacity: u64, configs: u64) -> Shape {
    let data_bytes = records * 8;
    Shape { data_bytes, record_limit: data_bytes / 2, index_capacity, configs }
}

struct Writer {
    ring: Ring,
    lane: Arc<Stream>,
    shape: Shape,
}

fn stage(shape: Shape) -> (Writer, Arc<Stream>) {
    let lane = Arc::new(Stream::new(&shape));
    let ring = Ring::new(shape, &*lane, StreamConfig::ZERO);
    (Writer { ring, lane: lane.clone(), shape }, lane)
}

impl Writer {
    /// Writes a record whose bytes are its sequence.
    fn write(&mut self) -> u64 {
        let place = self.ring.begin(&*self.lane, 8);
        let sequence = self.ring.newest() + 1;
        Ring::append(&*self.lane, &self.shape, &place, 0, &sequence.to_ne_bytes());
        self.ring.commit(&*self.lane, &place, 8, &mut RecordInfo::ZERO.clone())
    }
}

/// Reads record `sequence` if it is there; it is then whole.
fn read(lane: &Stream, shape: &Shape, sequence: u64) {
    if newest(lane) < sequence {
        return;
    }
    match entry(lane, shape, sequence) {
        Found::Lapped => {}
        Found::Impossible => panic!("the entry of another record"),
        Found::Entry(record) => {
            let mut bytes = [0; 8];
            if copy(lane, shape, &record, &mut bytes) {
                assert_eq!(u64::from_ne_bytes(bytes), sequence, "a torn record");
            }
        }
    }
}

/// The bytes of the first record are overwritten by the third.
#[test]
fn overwritten_bytes_are_never_taken_for_a_record() {
    explore(Some(4), || {
        let shape = shape(2, 8, 2);
        let (mut writer, lane) = stage(shape);
        writer.write();
        thread::spawn(move || read(&lane, &shape, 1));
        writer.write();
        writer.write();
    });
}

/// The same, where one thread begins the record and another fills and commits it.
#[test]
fn a_record_may_be_filled_by_another_thread_than_began_it() {
    explore(Some(3), || {
        let shape = shape(2, 8, 2);
        let (mut writer, lane) = stage(shape);
        writer.write();
        writer.write();
        thread::spawn(move || read(&lane, &shape, 1));
        let place = writer.ring.begin(&*writer.lane, 8);
        thread::spawn(move || {
            Ring::append(&*writer.lane, &shape, &place, 0, &3_u64.to_ne_bytes());
            writer.ring.commit(&*writer.lane, &place, 8, &mut RecordInfo::ZERO.clone());
        });
    });
}

/// A reader that comes to a record as soon as it is there.
#[test]
fn a_record_is_there_with_its_head() {
    explore(None, || {
        let shape = shape(4, 4, 2);
        let (mut writer, lane) = stage(shape);
        thread::spawn(move || read(&lane, &shape, 1));
        writer.write();
    });
}

/// Its entry is overwritten, its bytes are not.
#[test]
fn an_overwritten_entry_is_never_taken_for_another() {
    explore(None, || {
        let shape = shape(8, 1, 2);
        let (mut writer, lane) = stage(shape);
        writer.write();
        thread::spawn(move || read(&lane, &shape, 1));
        writer.write();
    });
}

/// Its config is overwritten, its entry and bytes are not.
#[test]
fn an_overwritten_config_is_never_taken_for_another() {
    explore(None, || {
        let shape = shape(8, 4, 1);
        let (mut writer, lane) = stage(shape);
        writer.write();
        thread::spawn(move || {
            let Found::Entry(record) = entry(&*lane, &shape, 1) else { return };
            if let Some(config) = config(&*lane, &shape, &record) {
                assert_eq!(config.id, record.config_id, "another record's config");
            }
        });
        writer.ring.set_config(&*writer.lane, StreamConfig::ZERO);
    });
}

/// A lossless reader reads in place, and its cursor keeps the writer away until it has.
#[test]
fn what_a_lossless_reader_holds_stays() {
    explore(None, || {
        let shape = shape(2, 8, 2);
        let (mut writer, lane) = stage(shape);
        let page = Arc::new(Page::new(0));
        let own = page.clone();
        let write = |writer: &mut Writer| {
            if writer.ring.oldest_for(8) > cursor(&*page) {
                return; // the reader is not so far
            }
            let place = writer.ring.begin(&*writer.lane, 8);
            let sequence = writer.ring.newest() + 1;
            writer.lane.plain[shape.data_at(place.offset) / 8].set(sequence);
            writer.ring.commit(&*writer.lane, &place, 8, &mut RecordInfo::ZERO.clone());
        };
        write(&mut writer);
        write(&mut writer);
        thread::spawn(move || {
            for sequence in 1..3 {
                let Found::Entry(record) = entry(&*lane, &shape, sequence) else {
                    panic!("record {sequence} is lost")
                };
                let bytes = lane.plain[shape.data_at(record.offset_bytes) / 8].get();
                assert_eq!(bytes, sequence, "another record's bytes");
                advance(&*own, sequence + 1);
            }
        });
        write(&mut writer);
        write(&mut writer);
    });
}

/// The writer waits for a lossless reader, who rings when it has moved.
#[test]
fn a_release_rings_the_writer_that_waits_for_it() {
    explore(None, || {
        let shape = shape(2, 8, 2);
        let (mut writer, lane) = stage(shape);
        let page = Arc::new(Page::new(0));
        writer.write();
        writer.write();
        let own = page.clone();
        let bell = Arc::new((Mutex::new(false), Condvar::new()));
        let socket = bell.clone();
        thread::spawn(move || {
            advance(&*own, 2);
            if consumer::release_wanted(&*lane) {
                *socket.0.lock().unwrap() = true;
                socket.1.notify_all();
            }
        });
        want_release(&*writer.lane);
        while writer.ring.oldest_for(8) > cursor(&*page) {
            let mut rung = bell.0.lock().unwrap();
            while !*rung {
                rung = bell.1.wait(rung).unwrap();
            }
            *rung = false;
        }
        writer.write();
    });
}

/// As for frames: either the reader sees the record or the writer sees the sleeper.
#[test]
fn a_sleeper_is_woken_by_a_commit() {
    explore(None, || {
        let shape = shape(4, 4, 2);
        let (mut writer, lane) = stage(shape);
        let page = Arc::new(Page::new(0));
        let own = page.clone();
        let bed = Arc::new((Mutex::new(0), Condvar::new()));
        let asleep = bed.clone();
        thread::spawn(move || {
            while newest(&*lane) == 0 {
                let value = sleep_on(lane.wake());
                announce(&*own);
                if newest(&*lane) == 0 {
                    let mut woken = asleep.0.lock().unwrap();
                    if lane.wake().load(Relaxed) == value {
                        let before = *woken;
                        while *woken == before {
                            woken = asleep.1.wait(woken).unwrap();
                        }
                    }
                }
                withdraw(&*own);
            }
            read(&lane, &shape, 1);
        });
        writer.write();
        if wanted(&*page, 0).sleepers != 0 {
            *bed.0.lock().unwrap() += 1;
            bed.1.notify_all();
        }
    });
}

/// A reader that starts at the newest key record while it is overtaken finds a whole one or none.
#[test]
fn a_key_record_found_under_the_writer_is_one() {
    explore(Some(3), || {
        let shape = shape(2, 2, 2);
        let (mut writer, lane) = stage(shape);
        writer.write();
        thread::spawn(move || {
            if let Some(key) = reader::newest_key(&*lane, &shape) {
                assert!((1..=3).contains(&key));
                read(&lane, &shape, key);
            }
        });
        writer.write();
        writer.write();
    });
}
