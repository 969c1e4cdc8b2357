//! Nothing of a hostile peer stays: no descriptor, no mapping, on neither side. Alone in its file,
//! because it counts what the whole process has open.

mod common;
mod raw;

use common::os::{descriptors, mappings};
use common::{LANE, Place, until};
use framelane::layout::{FdKind, Hello, LAYOUT_HASH, Welcome};
use framelane::{ConsumerOptions, Mode, ProducerOptions};
use raw::impostor::{Goods, Impostor};
use raw::wire::{bytes, hello, query};
use raw::{Attached, Line, refused};
use rustix::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// Every way of this file to mistreat a producer, once.
fn attack_producer(place: &Path) {
    let pipe = rustix::pipe::pipe().unwrap();
    let gifts = [pipe.0.as_fd(), pipe.1.as_fd()];
    let connect = || Line::connect(place, LANE);
    drop(connect());
    let _ = connect().send(&[7; 300]);
    let _ = connect().send_fds(&[7; 300], &gifts);
    let _ = connect().send(bytes(&query(LANE)));
    let mut foreign = hello(LANE);
    foreign.header.layout_hash = !LAYOUT_HASH;
    let line = connect();
    line.send(bytes(&foreign)).unwrap();
    line.goodbye();
    let half = connect();
    half.send_fds(bytes(&hello(LANE)), &gifts).unwrap();
    half.message::<Welcome>();
    drop(half);
    let peer = Attached::new(place, LANE, 1);
    let _ = peer.line.send_fds(&[1; 2], &gifts);
    peer.line.goodbye();
}

/// Every way of this file to mistreat a consumer, once.
fn attack_consumer(place: &Place) {
    let bad: [fn(&mut Goods); 4] = [
        |goods| goods.header.slot_count = 99,
        |goods| goods.page.leases = 7,
        |goods| goods.welcome.bell = 9,
        |goods| goods.kinds = vec![FdKind::DeviceMemfd.number(); 200],
    ];
    for spoil in bad {
        attach(place, |line| {
            let mut goods = Goods::default();
            spoil(&mut goods);
            goods.pack();
            let count = goods.kinds.len();
            let fds: Vec<BorrowedFd<'_>> = goods.fds().into_iter().cycle().take(count).collect();
            goods.serve_fds(&line, &fds);
        });
    }
    attach(place, |line| {
        line.message::<Hello>();
        let goods = Goods::default();
        line.send_fds(bytes(&goods.welcome), &goods.fds()).unwrap();
    });
}

fn attach(place: &Place, play: impl FnOnce(Line) + Send) {
    let options = ConsumerOptions::new(Mode::Latest).reattach(false);
    let (opened, ()) = Impostor::attach(place, options, play);
    assert!(!refused(opened).to_string().is_empty());
}

#[test]
fn attacks_leave_nothing_open() {
    let place = Place::new();
    let lonely = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut before = None;
    for round in 0..12 {
        attack_producer(place.path());
        attack_consumer(&lonely);
        until("nobody is left", || producer.consumers() == 0);
        // The first round brings in what stays for good.
        if round == 1 {
            until("the connections are closed", || settled(descriptors));
            before = Some((descriptors(), mappings("memfd:")));
        }
    }
    until("all is as it was", || Some((descriptors(), mappings("memfd:"))) == before);
}

/// Whether a number stays the same for a while.
fn settled(count: fn() -> usize) -> bool {
    let before = count();
    std::thread::sleep(std::time::Duration::from_millis(30));
    count() == before
}
