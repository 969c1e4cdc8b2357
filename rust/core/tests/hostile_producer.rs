//! A producer that lies while a consumer attaches: an error each time, in time, and never a crash.

mod common;
mod raw;

use common::{DEADLINE, Place};
use framelane::layout::{Bye, ErrorKind, FdKind, Hello, MessageType, Ready};
use framelane::{ConsumerOptions, Error, Mode};
use raw::impostor::{Goods, Impostor, LANE_BYTES, Memory, fds_message, memfd};
use raw::refused;
use raw::wire::{Line, bytes, header};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags};
use std::time::Duration;
use zerocopy::FromZeros;

fn options() -> ConsumerOptions {
    ConsumerOptions::new(Mode::Latest).reattach(false)
}

/// The error a consumer has with an impostor that plays this.
fn outcome(play: impl FnOnce(Line) + Send) -> Error {
    let place = Place::new();
    let (opened, ()) = Impostor::attach(&place, options(), play);
    refused(opened)
}

#[track_caller]
fn expect(kind: ErrorKind, words: &str, play: impl FnOnce(Line) + Send) {
    let error = outcome(play);
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn believable_goods_are_taken_and_read() {
    let place = Place::new();
    let (opened, (goods, _line)) = Impostor::attach(&place, options(), |line| {
        let mut goods = Goods::default();
        goods.serve(&line);
        (goods, line)
    });
    let mut consumer = opened.unwrap();
    goods.publish(1, 0);
    let frame = consumer.next(DEADLINE).unwrap().expect("the impostor's frame");
    assert_eq!((frame.sequence(), frame.plane_count()), (1, 0));
}

/// Descriptors that are no lane memory and no page, with their names.
fn strange_descriptors() -> Vec<(&'static str, OwnedFd)> {
    let size = SealFlags::SHRINK | SealFlags::GROW;
    let sealed = |bytes, seals| {
        let fd = memfd(bytes, MemfdFlags::empty());
        rustix::fs::fcntl_add_seals(&fd, seals).unwrap();
        fd
    };
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let file = tempfile::tempfile().unwrap();
    file.set_len(LANE_BYTES).unwrap();
    vec![
        ("a file", file.into()),
        ("a pipe's end", reader),
        ("a pipe's other end", writer),
        ("a socket", raw::wire::socket()),
        ("a directory", std::fs::File::open("/").unwrap().into()),
        ("/dev/null", std::fs::File::open("/dev/null").unwrap().into()),
        ("/dev/zero", std::fs::File::open("/dev/zero").unwrap().into()),
        ("its own memory", std::fs::File::open("/proc/self/mem").unwrap().into()),
        ("an unsealed memfd", memfd(LANE_BYTES, MemfdFlags::empty())),
        ("a memfd sealed against growing only", sealed(LANE_BYTES, SealFlags::GROW)),
        ("an empty memfd", sealed(0, size)),
        ("a memfd of one byte", sealed(1, size)),
        ("a memfd a byte short of a page", sealed(1023, size)),
        ("a memfd without memory", sealed(LANE_BYTES, size | SealFlags::FUTURE_WRITE)),
        ("an enormous memfd", sealed(1 << 50, size | SealFlags::FUTURE_WRITE)),
        ("a memfd that its maker can still punch holes in", reserved(LANE_BYTES)),
        ("huge pages that nobody reserved", huge_pages()),
    ]
}

fn reserved(bytes: u64) -> OwnedFd {
    Memory::new(bytes, SealFlags::SHRINK | SealFlags::GROW).fd
}

fn huge_pages() -> OwnedFd {
    let fd = memfd(2 << 20, MemfdFlags::HUGETLB);
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW).unwrap();
    fd
}

#[test]
fn strange_descriptors_are_refused_in_the_place_of_lane_and_page() {
    for (what, fd) in strange_descriptors() {
        for place in 0..2 {
            let error = outcome(|line| {
                let mut goods = Goods::default();
                goods.pack();
                let mut fds = goods.fds();
                fds[place] = fd.as_fd();
                goods.serve_fds(&line, &fds);
            });
            // A page that may not be written cannot even be mapped.
            let kinds = [ErrorKind::Protocol, ErrorKind::PermissionDenied];
            assert!(kinds.contains(&error.kind()), "{what} in place {place}: {error}");
        }
    }
}

#[test]
fn lane_memory_is_all_there_and_stays_there() {
    let size = SealFlags::SHRINK | SealFlags::GROW;
    type Spoil = fn(SealFlags) -> Memory;
    let spoilt: [(&str, Spoil); 2] = [
        ("can still be cut or punched", |size| Memory::new(LANE_BYTES, size)),
        ("are reserved", |size| Memory::sparse(LANE_BYTES, size | SealFlags::FUTURE_WRITE)),
    ];
    for (words, lane) in spoilt {
        expect(ErrorKind::Protocol, words, |line| {
            Goods { lane: lane(size), ..Goods::default() }.serve(&line);
        });
    }
}

#[test]
fn strange_descriptors_in_the_place_of_the_bell_do_no_harm() {
    for (what, fd) in strange_descriptors() {
        let place = Place::new();
        let (opened, (_line, goods)) = Impostor::attach(&place, options(), |line| {
            let mut goods = Goods::default();
            goods.pack();
            let mut fds = goods.fds();
            fds[2] = fd.as_fd();
            goods.serve_fds(&line, &fds);
            (line, goods)
        });
        let Ok(mut consumer) = opened else { continue };
        consumer.fd();
        assert!(consumer.try_next().unwrap().is_none(), "{what}");
        goods.publish(1, 0);
        assert!(consumer.next(DEADLINE).unwrap().is_some(), "{what}");
    }
}

#[test]
fn descriptors_in_wrong_numbers_are_refused() {
    let lane = FdKind::Lane.number();
    let cases: Vec<(&str, Vec<u8>, usize)> = vec![
        ("none", vec![], 0),
        ("fewer than said", vec![1, 2, 3], 2),
        ("more than said", vec![1, 2], 3),
        ("none but said", vec![1, 2, 3], 0),
        ("two lanes", vec![lane, lane, FdKind::Eventfd.number()], 3),
        ("no page", vec![lane, FdKind::Eventfd.number()], 2),
        ("no bell", vec![lane, FdKind::Page.number()], 2),
        ("an unknown kind", vec![lane, FdKind::Page.number(), 99], 3),
        ("the other bell", vec![lane, FdKind::Page.number(), FdKind::BellPage.number()], 3),
        ("buffers nobody announced", vec![FdKind::DeviceMemfd.number(); 200], 200),
        ("a count beyond the message", vec![1; 257], 3),
    ];
    for (what, kinds, count) in cases {
        let error = outcome(|line| {
            let mut goods = Goods { kinds, ..Goods::default() };
            goods.pack();
            let fds: Vec<BorrowedFd<'_>> = goods.fds().into_iter().cycle().take(count).collect();
            goods.serve_fds(&line, &fds);
        });
        assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error}");
    }
}

#[test]
fn a_lying_welcome_is_refused() {
    type Lie = fn(&mut Goods);
    let lies: [(&str, Lie); 13] = [
        ("magic", |g| g.welcome.header.magic ^= 1),
        ("type", |g| g.welcome.header.message_type = MessageType::Report.number()),
        ("length", |g| g.welcome.header.length_bytes = 0),
        ("other leases", |g| g.welcome.leases = 2),
        ("all leases", |g| g.welcome.leases = u32::MAX),
        ("no messages", |g| g.welcome.fd_messages = 0),
        ("endless messages", |g| g.welcome.fd_messages = u32::MAX),
        ("buffers that never come", |g| g.welcome.device_buffers = 1),
        ("endless buffers", |g| g.welcome.device_buffers = u32::MAX),
        ("no bell", |g| g.welcome.bell = 77),
        ("another epoch", |g| g.welcome.epoch = 8),
        ("another consumer", |g| g.welcome.consumer_id = 6),
        ("a page of another mode", |g| g.page.mode = Mode::Ordered.number()),
    ];
    for (what, lie) in lies {
        let error = outcome(|line| {
            let mut goods = Goods::default();
            lie(&mut goods);
            goods.pack();
            line.message::<Hello>();
            line.send(bytes(&goods.welcome)).unwrap();
            let _ = line.send_fds(bytes(&fds_message(&goods.kinds)), &goods.fds());
            line.hear(); // its Ready or its hang-up
        });
        assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error}");
    }
}

#[test]
fn nonsense_instead_of_a_welcome_is_refused() {
    let mut hello = Hello::new_zeroed();
    hello.header = header(MessageType::Hello, size_of::<Hello>());
    let packets: [&[u8]; 5] = [b"nonsense", &[0; 128], &[0xff; 1024], &[0; 30_000], bytes(&hello)];
    for packet in packets {
        expect(ErrorKind::Protocol, "", |line| {
            line.message::<Hello>();
            line.send(packet).unwrap();
        });
    }
}

#[test]
fn a_hang_up_at_any_point_is_no_producer() {
    let points: [fn(&Line); 5] = [
        |_| {},
        |line| drop(line.message::<Hello>()),
        |line| {
            line.message::<Hello>();
            line.send(bytes(&Goods::default().welcome)).unwrap();
        },
        |line| {
            line.message::<Hello>();
            line.send(bytes(&Goods::default().welcome)).unwrap();
            line.message::<Ready>();
        },
        |line| {
            line.message::<Hello>();
            let mut bye = Bye::new_zeroed();
            bye.header = header(MessageType::Bye, size_of::<Bye>());
            bye.kind = ErrorKind::Closed.number(); // it ends the lane, not this consumer
            line.send(bytes(&bye)).unwrap();
        },
    ];
    for (point, play) in points.into_iter().enumerate() {
        let error = outcome(|line| play(&line));
        assert_eq!(error.kind(), ErrorKind::NotFound, "point {point}: {error}");
    }
}

#[test]
fn silence_and_endless_chatter_are_ended_by_the_clock() {
    let silent: fn(&Line) = |line| drop(line.message::<Hello>());
    let half: fn(&Line) = |line| {
        line.message::<Hello>();
        line.send(bytes(&Goods::default().welcome)).unwrap();
        line.message::<Ready>();
    };
    // Rings say nothing before the handshake is over, however many come.
    let chatter: fn(&Line) =
        |line| while !matches!(line.send(&[1]), Err(rustix::io::Errno::PIPE)) {};
    // Each answer comes just in time, one after the other.
    let dawdler: fn(&Line) = |line| {
        line.message::<Hello>();
        let mut welcome = Goods::default().welcome;
        (welcome.fd_messages, welcome.device_buffers) = (8, 256);
        line.send(bytes(&welcome)).unwrap();
        line.message::<Ready>();
        let goods = Goods::default();
        for _ in 0..8 {
            std::thread::sleep(Duration::from_millis(1500));
            if line.send_fds(bytes(&fds_message(&[])), &[]).is_err() {
                return drop(goods);
            }
        }
        panic!("the consumer waits for ever");
    };
    std::thread::scope(|scope| {
        for play in [silent, half, chatter, dawdler] {
            scope.spawn(move || {
                let place = Place::new();
                let (opened, line) = Impostor::attach(&place, options(), |line| {
                    play(&line);
                    line
                });
                let error = refused(opened);
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
                drop(line);
            });
        }
    });
}
