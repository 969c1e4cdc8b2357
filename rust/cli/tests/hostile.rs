//! Lanes that lie: every command ends with an answer or an error, never with a panic.

mod common;

use common::{Scene, layout};
use framelane::layout::{
    FrameDescriptor, LAYOUT_HASH, MessageHeader, MessageType, Report, layout::WIRE_MAGIC,
};
use framelane::{PixelFormat, ProducerOptions};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use zerocopy::{FromBytes, IntoBytes};

/// Numbers from a seed, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.roll() as u8).collect()
    }
}

/// A report of arbitrary content behind a header that is right.
fn report(content: &[u8]) -> Vec<u8> {
    let (mut report, _) = Report::read_from_prefix(content).unwrap();
    report.header = MessageHeader {
        magic: WIRE_MAGIC,
        message_version: 1,
        message_type: MessageType::Report.number(),
        length_bytes: size_of::<Report>() as u32,
        reserved: 0,
        layout_hash: LAYOUT_HASH,
    };
    // More would be refused by the library; this is about what passes it.
    report.consumer_count %= 62;
    report.as_bytes().to_vec()
}

/// Answers whatever is asked with each of the packets in turn.
fn liar(scene: &Scene, lane: &str, packets: Vec<Vec<u8>>) {
    let listener = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .unwrap();
    let path = scene.path().join(format!("{lane}.sock"));
    rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&listener, 64).unwrap();
    std::thread::spawn(move || {
        for packet in packets.iter().cycle() {
            let caller = rustix::net::accept(&listener).unwrap();
            let _ = rustix::net::recv(&caller, &mut [0; 1024], RecvFlags::empty());
            let _ = rustix::net::send(&caller, packet, SendFlags::NOSIGNAL);
        }
    });
}

const COMMANDS: &[&[&str]] = &[
    &["ls"],
    &["ls", "--json"],
    &["info", "lane"],
    &["info", "lane", "--json"],
    &["who", "lane"],
    &["who", "lane", "--json"],
    &["hz", "lane", "--duration", "0.05"],
    &["snapshot", "lane", "-o", "-", "--timeout", "0.05"],
    &["watch", "lane", "--frames", "1", "--wait", "0.05", "--json"],
    &["schema", "--lane", "lane"],
    &["doctor"],
];

/// Runs every command `rounds` times; an exit code is 0 or 1, and `finish` sees to panics.
fn run_all(scene: &Scene, rounds: usize) {
    for _ in 0..rounds {
        for command in COMMANDS {
            let ran = scene.run(command);
            assert!((0..=1).contains(&ran.code), "{command:?}: {} {}", ran.code, ran.err);
            assert!(!ran.err.contains('\x1b') && !ran.out.contains(&0x1b), "{command:?}");
        }
    }
}

#[test]
fn impossible_reports_are_shown_or_refused() {
    let scene = Scene::new();
    let mut dice = Dice(0x5eed);
    let mut packets = vec![
        report(&[0xff; size_of::<Report>()]),
        report(&[0x80; size_of::<Report>()]),
        report(&[0x1b; size_of::<Report>()]),
        report(&[0x00; size_of::<Report>()]),
    ];
    packets.extend((0..4).map(|_| report(&dice.bytes(size_of::<Report>()))));
    let kinds = packets.len();
    liar(&scene, "lane", packets);
    run_all(&scene, kinds);
}

#[test]
fn garbage_is_no_report() {
    let scene = Scene::new();
    let mut dice = Dice(0xbad);
    let whole = report(&dice.bytes(size_of::<Report>()));
    let mut packets = vec![whole[..31].to_vec(), whole[..40].to_vec(), vec![0; 1], vec![]];
    packets.push(dice.bytes(512));
    let kinds = packets.len();
    liar(&scene, "lane", packets);
    for _ in 0..kinds {
        for command in COMMANDS.iter().filter(|command| command.len() > 1) {
            let ran = scene.run(command);
            // Who hangs up on everybody counts as not there.
            assert!([0, 1, 3].contains(&ran.code), "{command:?}: {} {}", ran.code, ran.err);
        }
    }
    let listing = scene.json(&["ls", "--no-rate"]);
    let state = listing["lanes"][0]["state"].as_str().unwrap();
    assert!(["broken", "silent"].contains(&state), "{listing}");
}

#[test]
fn a_silent_producer_delays_nobody_for_long() {
    let scene = Scene::new();
    // Bound and listening, and nobody ever accepts.
    let listener = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .unwrap();
    let path = SocketAddrUnix::new(scene.path().join("mute.sock")).unwrap();
    rustix::net::bind(&listener, &path).unwrap();
    rustix::net::listen(&listener, 8).unwrap();
    let _live = scene.grey("live");
    let listing = scene.json(&["ls", "--no-rate"]);
    assert_eq!(listing["lanes"][0]["state"], "live", "{listing}");
    assert_eq!(listing["lanes"][1]["state"], "silent", "{listing}");
    assert_eq!(scene.run(&["info", "mute"]).code, 1);
}

/// Publishes a frame whose descriptor is whatever `spoil` makes of a right one.
fn spoiled(scene: &Scene, spoil: impl FnOnce(&mut FrameDescriptor)) -> framelane::Producer {
    let layout = layout(PixelFormat::Nv12, 32, 16);
    let producer = scene.producer("lane", ProducerOptions::new().layout(layout));
    let mut frame = producer.claim().unwrap();
    spoil(frame.descriptor_mut());
    frame.publish().unwrap();
    producer
}

#[test]
fn impossible_descriptors_make_no_picture() {
    type Spoil = fn(&mut FrameDescriptor);
    let spoils: &[(&str, Spoil)] = &[
        ("no pixels", |d| d.width = 0),
        ("no rows", |d| d.height = 0),
        ("wider than its rows", |d| d.width = 34),
        ("higher than its planes", |d| d.height = 18),
        ("huge", |d| (d.width, d.height) = (u32::MAX, u32::MAX)),
        ("very wide", |d| (d.width, d.height) = (u32::MAX - 1, 1)),
        ("very high", |d| (d.width, d.height) = (1, u32::MAX)),
        ("a plane too many", |d| d.plane_count = 3),
        ("planes without end", |d| d.plane_count = 255),
        ("no plane", |d| d.plane_count = 0),
        ("no stride", |d| d.planes[0].stride_bytes = 0),
        ("a stride too large", |d| d.planes[1].stride_bytes = u32::MAX),
        ("a plane outside", |d| d.planes[0].offset_bytes = u64::MAX),
        ("a plane too large", |d| d.planes[0].size_bytes = u64::MAX),
        ("no format", |d| d.fourcc = 0),
        ("a foreign format", |d| d.fourcc = u32::from_le_bytes(*b"P010")),
        ("a format with escapes", |d| d.fourcc = u32::from_le_bytes(*b"\x1b[2J")),
        ("tiled", |d| d.modifier = 1),
        ("packed, with a plane too many", |d| d.fourcc = PixelFormat::Yuyv.number()),
    ];
    for (what, spoil) in spoils {
        let scene = Scene::new();
        let _producer = spoiled(&scene, spoil);
        let ran = scene.run(&["snapshot", "lane", "-o", "-"]);
        assert_eq!(ran.code, 1, "{what}: {}", ran.err);
        assert!(ran.out.is_empty() && !ran.err.contains('\x1b'), "{what}: {}", ran.err);
        for command in
            [&["ls"][..], &["info", "lane"], &["info", "lane", "--json"], &["who", "lane"]]
        {
            let ran = scene.run(command);
            assert_eq!(ran.code, 0, "{what}: {command:?}: {}", ran.err);
            assert!(!ran.out.contains(&0x1b), "{what}: {command:?}");
        }
    }
}

#[test]
fn random_descriptors_do_not_break_it() {
    let mut dice = Dice(0xd1ce);
    for _ in 0..12 {
        let scene = Scene::new();
        let content = dice.bytes(size_of::<FrameDescriptor>());
        let _producer = spoiled(&scene, |descriptor| {
            let (mut random, _) = FrameDescriptor::read_from_prefix(&content).unwrap();
            // Formats and planes that get further than the first check.
            random.fourcc = PixelFormat::ALL[content[0] as usize % PixelFormat::ALL.len()].number();
            random.plane_count = content[1] % 4;
            random.modifier = 0;
            (random.width, random.height) = (random.width % 64, random.height % 64);
            *descriptor = random;
        });
        run_all(&scene, 1);
    }
}
