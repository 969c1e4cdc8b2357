//! What a producer refuses, each with its kind and the number it hit.

mod common;
mod raw;

use common::child::{entry, hear, say};
use common::{Child, LANE, Place, until};
use framelane::layout::limit::{CONSUMERS, PER_PROCESS, PER_UID};
use framelane::layout::{
    ErrorKind, FdKind, Fds, LAYOUT_HASH, MemoryKind, Refused, Welcome, layout_table,
};
use framelane::{
    Access, Consumer, ConsumerOptions, DeviceBuffer, Error, Mode, Producer, ProducerOptions,
};
use raw::impostor::{Memory, memfd};
use raw::users::{NOBODY, child_of, need_root, open_place};
use raw::wire::{bytes, hello, ready, text};
use raw::{Attached, Heard, Line, refused};
use rustix::fd::OwnedFd;
use rustix::fs::{MemfdFlags, SealFlags};

#[test]
fn child_entry() {
    entry(&[("attacher", attacher)]);
}

/// Attaches as often as it is told each time; says how often, and why not more often.
fn attacher(_: &[&str]) {
    let mut consumers: Vec<Consumer> = Vec::new();
    loop {
        let wanted: u32 = hear().parse().unwrap();
        let mut answer = format!("attached {wanted}");
        for made in 0..wanted {
            match Consumer::open(LANE, ConsumerOptions::new(Mode::Latest)) {
                Ok(consumer) => consumers.push(consumer),
                Err(error) => {
                    answer = format!("attached {made}: {:?}: {error}", error.kind());
                    break;
                }
            }
        }
        say(answer);
    }
}

fn refusal(place: &Place, options: ConsumerOptions) -> Error {
    refused(place.try_consumer(options))
}

fn latest() -> ConsumerOptions {
    ConsumerOptions::new(Mode::Latest)
}

#[track_caller]
fn expect(error: &Error, kind: ErrorKind, words: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn another_layout_is_refused_with_the_whole_table() {
    let place = Place::new();
    let _producer = place.producer(ProducerOptions::new());
    let line = Line::connect(place.path(), LANE);
    let mut other = hello(LANE);
    other.header.layout_hash = !LAYOUT_HASH;
    line.send(bytes(&other)).unwrap();
    let (refused, _) = line.message::<Refused>();
    assert_eq!(refused.kind, ErrorKind::LayoutMismatch.number());
    assert_eq!(refused.header.layout_hash, LAYOUT_HASH, "in the bytes that never change");
    assert!(text(&refused.text).contains("was built for another"), "{}", text(&refused.text));
    assert_eq!(refused.table_bytes as usize, layout_table().len());
    let Heard::Packet(table, _) = line.hear() else { panic!("no table") };
    assert_eq!(table, layout_table().as_bytes());
    assert!(matches!(line.hear(), Heard::HungUp));
}

#[test]
fn leases_beyond_the_budget_are_refused_with_the_sum() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().lease_budget(5).claims(2).history(3));
    let _three = place.try_consumer(latest().leases(3)).unwrap();
    let error = refusal(&place, latest().leases(3));
    expect(&error, ErrorKind::NoLeases, "3 leases asked for");
    expect(
        &error,
        ErrorKind::NoLeases,
        "2 of 5 left (11 slots = 5 leases + 2 claims + 1 + 3 history)",
    );
    let _two = place.try_consumer(latest().leases(2)).unwrap();
    assert_eq!(producer.report().leases_granted, 5);
    for leases in [0, 64, u32::MAX] {
        expect(&refusal(&place, latest().leases(leases)), ErrorKind::InvalidArgument, "1 to 63");
    }
}

#[test]
fn modes_and_memory_that_do_not_fit_are_refused() {
    let place = Place::new();
    let _producer = place.producer(ProducerOptions::new());
    let error = refusal(&place, ConsumerOptions::new(Mode::Lossless));
    expect(&error, ErrorKind::Unsupported, "does not admit lossless consumers");
    for kind in [MemoryKind::Memfd, MemoryKind::HbMem] {
        let place = Place::new();
        let _producer = device_lane(&place, kind, Vec::new()).unwrap();
        let line = Line::connect(place.path(), LANE);
        let mut blind = hello(LANE);
        blind.memory_kinds = !(1 << kind.number());
        line.send(bytes(&blind)).unwrap();
        let (number, words) = line.goodbye();
        assert_eq!(number, ErrorKind::Unsupported.number());
        assert!(words.contains(&format!("are in {} memory", kind.name())), "{words}");
    }
    let place = Place::new();
    let _producer = device_lane(&place, MemoryKind::HbMem, Vec::new()).unwrap();
    expect(&refusal(&place, latest()), ErrorKind::Unsupported, "hb_mem memory");
}

fn device_lane(
    place: &Place,
    kind: MemoryKind,
    buffers: Vec<OwnedFd>,
) -> framelane::Result<Producer> {
    let kinds = if kind == MemoryKind::HbMem { MemoryKind::Memfd } else { kind };
    let buffers = buffers.into_iter().map(|fd| DeviceBuffer { fd, kind: kinds }).collect();
    let options = ProducerOptions::new().memory(kind).device_buffers(buffers);
    Producer::create(LANE, options.directory(place.directory()))
}

#[test]
fn buffers_that_readers_could_write_go_only_to_whoever_asks() {
    let place = Place::new();
    let size = SealFlags::SHRINK | SealFlags::GROW;
    let buffers = vec![Memory::lane(8192).fd, Memory::new(4096, size).fd];
    let _producer = device_lane(&place, MemoryKind::Memfd, buffers).unwrap();
    let error = refusal(&place, latest());
    expect(&error, ErrorKind::Unsupported, "could be written by their readers");
    drop(place.try_consumer(latest().wants_writable(true)).unwrap());
    let mut willing = hello(LANE);
    willing.wants_writable = 1;
    let peer = Attached::with(place.path(), LANE, &willing);
    assert_eq!(peer.devices.len(), 2);
    assert_eq!(peer.welcome.device_buffers, 2);
}

#[test]
fn buffers_that_could_shrink_are_refused_at_create() {
    let open = memfd(4096, MemfdFlags::empty());
    let file = tempfile::tempfile().unwrap().into();
    let sealed = Memory::lane(4096).fd;
    for (kind, fd, words) in [
        (MemoryKind::Memfd, open, "device buffer 0 is not sealed against shrinking"),
        (MemoryKind::Memfd, file, "device buffer 0 is not a memfd"),
        (MemoryKind::Dmabuf, sealed, "device buffer 0 is not a dma-buf"),
    ] {
        let error = refused(device_lane(&Place::new(), kind, vec![fd]));
        expect(&error, ErrorKind::Protocol, words);
    }
    let error = refused(device_lane(&Place::new(), MemoryKind::HbMem, vec![Memory::lane(1).fd]));
    expect(&error, ErrorKind::InvalidArgument, "by share id");
}

#[test]
fn many_buffers_come_in_several_messages_each_full() {
    let place = Place::new();
    let buffers = (1..=256).map(|pages| Memory::lane(pages * 16).fd).collect();
    let _producer = device_lane(&place, MemoryKind::Memfd, buffers).unwrap();
    let line = Line::connect(place.path(), LANE);
    line.send(bytes(&hello(LANE))).unwrap();
    let (welcome, _) = line.message::<Welcome>();
    assert_eq!((welcome.fd_messages, welcome.device_buffers), (2, 256));
    line.send(bytes(&ready(welcome.consumer_id))).unwrap();
    let (first, fds) = line.message::<Fds>();
    assert_eq!((first.count, first.first_device, fds.len()), (253, 0, 253));
    let (second, rest) = line.message::<Fds>();
    assert_eq!((second.count, second.first_device, rest.len()), (6, 250, 6));
    assert!(second.kinds[..6].iter().all(|&kind| kind == FdKind::DeviceMemfd.number()));
    let size = |fd: &OwnedFd| rustix::fs::fstat(fd).unwrap().st_size;
    let sizes: Vec<_> = fds[3..].iter().chain(&rest).map(size).collect();
    assert!(sizes.iter().enumerate().all(|(i, &size)| size == (i as i64 + 1) * 16), "in order");
    drop(place.try_consumer(latest()).unwrap());
}

#[test]
fn a_process_gets_eight_attachments() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().lease_budget(20));
    let mut own: Vec<_> = (0..PER_PROCESS).map(|_| place.try_consumer(latest()).unwrap()).collect();
    let error = refusal(&place, latest());
    let words = format!("process {} has its 8 attachments", std::process::id());
    expect(&error, ErrorKind::TooMany, &words);
    let mut other = Child::start(&place, "attacher");
    other.say("9");
    let answer = other.line();
    assert!(answer.starts_with("attached 8: TooMany"), "{answer}");
    own.pop();
    drop(place.consumer(latest())); // as soon as there is room
    other.kill();
    until("all of a killed process come back", || producer.consumers() as u64 == PER_PROCESS - 1);
}

#[test]
fn a_user_gets_32_attachments_and_a_lane_has_61() {
    need_root();
    let place = open_place();
    let options = ProducerOptions::new().lease_budget(62).history(0).access(Access::Everyone);
    let producer = place.producer(options);
    let start = |uid| {
        let start = |_| {
            if uid == 0 {
                Child::start(&place, "attacher")
            } else {
                child_of(&place, "attacher", uid)
            }
        };
        (0..5).map(start).collect::<Vec<_>>()
    };
    let attach = |children: &mut [Child], each: u64, last: &str| {
        let (end, all) = children.split_last_mut().unwrap();
        for child in all {
            child.say(&each.to_string());
            child.expect(&format!("attached {each}"));
        }
        end.say("8");
        let answer = end.line();
        assert!(answer.starts_with(last), "{answer}");
    };
    let mut own = start(0);
    let per_child = PER_UID / 4;
    attach(
        &mut own,
        per_child,
        "attached 0: TooMany: attaching to lane \"lane\": user 0 has its 32",
    );
    let mut others = start(NOBODY);
    let left = CONSUMERS - PER_UID; // 29 = 4 * 7 + 1
    attach(
        &mut others,
        left / 4,
        "attached 1: TooMany: attaching to lane \"lane\": lane \"lane\" has its 61",
    );
    assert_eq!(producer.consumers() as u64, CONSUMERS);
    drop((own, others));
    until("everybody is gone", || producer.consumers() == 0);
}
