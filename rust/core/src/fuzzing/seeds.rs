//! Bytes that each target believes, to start from.

use super::*;
use crate::layout::layout::{LANE_MAGIC, PAGE_MAGIC, VERSION};
use crate::layout::{
    ConsumerPage, ErrorKind, FdKind, Fds, Hello, LAYOUT_HASH, LaneKind, MemoryKind, Mode,
    RecordInfo, StreamConfig, StreamHeader, Welcome, layout_table,
};
use crate::ring::token::token;

/// Every target by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("wire", wire),
    ("lane_header", lane_header),
    ("consumer_page", consumer_page),
    ("descriptor", descriptor),
    ("borrow", borrow),
    ("stream", stream),
    ("layout_diff", layout_diff),
];

/// The seeds of a target, each with a name.
pub fn seeds(target: &str) -> Vec<(&'static str, Vec<u8>)> {
    match target {
        "wire" => packets(),
        "lane_header" => {
            vec![("small", header(2, 4096, 4096)), ("camera", header(12, 1 << 23, 64))]
        }
        "consumer_page" => vec![("idle", pages(&[])), ("busy", pages(&[1, 2, 3]))],
        "descriptor" => descriptors(),
        "borrow" => vec![("history", lane(5, 2)), ("wrapped", lane(130, 7))],
        "stream" => vec![("short", stream_lane(3, 1)), ("wrapped", stream_lane(21, 14))],
        "layout_diff" => tables(),
        other => panic!("there is no target {other}"),
    }
}

fn packets() -> Vec<(&'static str, Vec<u8>)> {
    let mut hello: Hello = message::new();
    message::put_text(&mut hello.lane, producer::LANE);
    (hello.leases, hello.memory_kinds) = (2, 7);
    hello.mode = Mode::Ordered.number();
    let mut welcome: Welcome = message::new();
    (welcome.leases, welcome.fd_messages, welcome.consumer_id) = (2, 1, 7);
    let mut fds: Fds = message::new();
    let kinds = [FdKind::Lane, FdKind::Page, FdKind::Eventfd];
    fds.count = kinds.len() as u32;
    for (number, kind) in fds.kinds.iter_mut().zip(kinds) {
        *number = kind.number();
    }
    let mut refused: Refused = message::new();
    refused.kind = ErrorKind::NoLeases.number();
    message::put_text(&mut refused.text, "no leases left");
    let mut bye: Bye = message::new();
    bye.kind = ErrorKind::Closed.number();
    let mut query: Query = message::new();
    message::put_text(&mut query.lane, producer::LANE);
    let mut report: Report = message::new();
    report.consumer_count = 3;
    vec![
        ("hello", hello.as_bytes().to_vec()),
        ("welcome", welcome.as_bytes().to_vec()),
        ("ready", message::new::<Ready>().as_bytes().to_vec()),
        ("fds", fds.as_bytes().to_vec()),
        ("refused", refused.as_bytes().to_vec()),
        ("bye", bye.as_bytes().to_vec()),
        ("query", query.as_bytes().to_vec()),
        ("report", report.as_bytes().to_vec()),
    ]
}

fn header(slots: u32, payload: u64, stride_align: u64) -> Vec<u8> {
    let mut header = LaneHeader::new_zeroed();
    header.magic = LANE_MAGIC;
    (header.layout_hash, header.layout_version) = (LAYOUT_HASH, VERSION as u32);
    header.lane_kind = LaneKind::Frame.number();
    header.memory_kind = MemoryKind::Inline.number();
    (header.slot_count, header.history, header.epoch) = (slots, 1, 1);
    header.slots_offset = size_of::<LaneHeader>().next_multiple_of(64) as u64;
    let slots_end = header.slots_offset + crate::mem::view::SLOTS_BYTES as u64;
    header.payload_offset = slots_end.next_multiple_of(4096);
    header.payload_bytes = payload;
    header.payload_stride = payload.next_multiple_of(stride_align);
    header.total_bytes = header.payload_offset + u64::from(slots) * header.payload_stride;
    message::put_text(&mut header.name, producer::LANE);
    let mut seed = header.total_bytes.to_le_bytes().to_vec();
    seed.extend_from_slice(header.as_mut_bytes());
    seed
}

/// Two pages in turn, with a published frame after each.
fn pages(held: &[u64]) -> Vec<u8> {
    let mut seed = Vec::new();
    for turn in 0..4_u64 {
        let mut page = ConsumerPage::new_zeroed();
        (page.magic, page.leases, page.consumer_id) = (PAGE_MAGIC, 3, 1);
        page.cursor = (turn + 1).into();
        page.arm_ticket = (turn as u32).into();
        page.waiting = u32::from(held.len() > 2).into();
        for (cell, &slot) in page.cells.iter().zip(held) {
            cell.store(token(turn, slot as usize), Relaxed);
        }
        seed.extend_from_slice(page.as_mut_bytes());
        seed.extend_from_slice(&[0, 1, 0, 0, 3, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    }
    seed
}

fn descriptors() -> Vec<(&'static str, Vec<u8>)> {
    let seed = |room: u32, layout: &FrameLayout| {
        let mut descriptor = FrameDescriptor::new_zeroed();
        layout.apply(&mut descriptor);
        let mut seed = room.to_le_bytes().to_vec();
        seed.extend_from_slice(descriptor.as_bytes());
        seed
    };
    let nv12 = FrameLayout::new(PixelFormat::Nv12, 640, 480).expect("a usual size");
    let grey = FrameLayout::new(PixelFormat::Grey, 32, 32).expect("a small size");
    vec![("nv12", seed(460_800, &nv12)), ("grey", seed(4096, &grey))]
}

/// Lane memory up to frame `newest`, to be read with so much history.
fn lane(newest: u64, history: u64) -> Vec<u8> {
    let slot_of = |sequence: u64| (sequence % 60) as usize;
    let mut words = vec![0; 2 + Words::COUNT];
    (words[0], words[1]) = ((newest - history) << 6, history);
    words[2] = token(newest, slot_of(newest));
    for sequence in (1..=newest).rev().take(60) {
        words[3 + sequence as usize % 64] = token(sequence, slot_of(sequence));
        let reachable = sequence + history >= newest;
        let phase = if reachable { SlotPhase::Ready } else { SlotPhase::Retired };
        words[3 + 64 + slot_of(sequence)] = state(sequence, phase);
    }
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// Headers and index of a stream whose records are from `oldest` to `newest`, every third a key.
fn stream_lane(newest: u64, oldest: u64) -> Vec<u8> {
    const CAPACITY: u64 = 8;
    let mut header = LaneHeader::new_zeroed();
    header.magic = LANE_MAGIC;
    (header.layout_hash, header.layout_version) = (LAYOUT_HASH, VERSION as u32);
    (header.lane_kind, header.epoch) = (LaneKind::Stream.number(), 1);
    header.head = newest.into();
    message::put_text(&mut header.name, producer::LANE);
    let mut stream = StreamHeader::new_zeroed();
    stream.index_offset = (size_of::<LaneHeader>() + size_of::<StreamHeader>()) as u64;
    stream.configs_offset = stream.index_offset + CAPACITY * size_of::<RecordInfo>() as u64;
    stream.data_offset = stream.configs_offset + 8 * size_of::<StreamConfig>() as u64;
    (stream.data_bytes, stream.record_limit_bytes) = (4096, 2048);
    (stream.index_capacity, stream.config_capacity) = (CAPACITY as u32, 8);
    stream.oldest = oldest.into();
    header.total_bytes = stream.data_offset + stream.data_bytes;
    let mut index = vec![RecordInfo::ZERO; CAPACITY as usize];
    for sequence in oldest..=newest {
        let key_distance = (sequence % 3) as u32;
        let flags = u32::from(key_distance == 0);
        let offset_bytes = sequence * 512;
        index[(sequence % CAPACITY) as usize] =
            RecordInfo { sequence, offset_bytes, flags, key_distance, ..RecordInfo::new() };
    }
    let mut seed = header.total_bytes.to_le_bytes().to_vec();
    seed.extend_from_slice(header.as_mut_bytes());
    seed.extend_from_slice(stream.as_mut_bytes());
    seed.extend_from_slice(&oldest.to_le_bytes());
    index.iter().for_each(|entry| seed.extend_from_slice(entry.as_bytes()));
    seed
}

fn tables() -> Vec<(&'static str, Vec<u8>)> {
    let ours = layout_table();
    let moved = ours.replacen("[\"width\",\"u32\",68]", "[\"width\",\"u32\",72]", 1);
    vec![("same", ours.into()), ("moved", moved.into()), ("empty", b"{\"structs\":{}}".into())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    #[test]
    fn the_first_seed_of_each_target_is_believed() {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            assert!(target(&seeds[0].1), "{name}: {}", seeds[0].0);
            for (_, seed) in &seeds {
                target(seed);
            }
        }
        for (name, packet) in packets() {
            assert!(wire(&packet), "{name}");
        }
    }

    /// The files that the fuzzer starts from. With FRAMELANE_WRITE_SEEDS in the environment they
    /// are written anew.
    #[test]
    fn the_files_hold_the_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        let write = std::env::var_os("FRAMELANE_WRITE_SEEDS").is_some();
        for (target, _) in TARGETS {
            for (name, bytes) in seeds(target) {
                let file = root.join(target).join(name).with_extension("seed");
                if write {
                    std::fs::create_dir_all(root.join(target)).unwrap();
                    std::fs::write(&file, &bytes).unwrap();
                }
                let found = std::fs::read(&file).unwrap_or_default();
                assert!(found == bytes, "{} is stale: FRAMELANE_WRITE_SEEDS=1", file.display());
            }
        }
    }

    proptest! {
        /// What the fuzzer does for long, done for a moment wherever the tests run.
        #[test]
        fn no_target_fails_on_a_seed_with_a_few_bytes_changed(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            for (name, target) in TARGETS {
                for (_, mut seed) in seeds(name) {
                    for (at, byte) in &changes {
                        *at.get_mut(&mut seed) = *byte;
                    }
                    target(&seed);
                    target(&seed[..cut.index(seed.len())]);
                }
            }
        }
    }
}
