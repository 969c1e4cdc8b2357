//! The driver's own buffers, read in place by a program of every language.

use crate::common::*;
use framelane::Consumer;
use framelane_camera::v4l2::{Buffers, Config, Mode, read_buffer};
use framelane_conformance::{Launch, Patience, Process};
use rustix::fd::OwnedFd;
use std::collections::BTreeMap;
use std::path::Path;

/// The agents of the conformance runs: `cargo xtask vm` puts a list of them into the machine.
const AGENTS: &str = "FRAMELANE_AGENTS";
const LANGUAGES: [&str; 6] = ["c", "cpp", "go", "python", "reference", "rust"];
const FRAMES: usize = 3;
const PATIENCE: Patience = Patience { time: DEADLINE, check: || Ok(()) };
/// Small, for checksums are slow in the machine.
const SMALL: (u32, u32) = (320, 180);

#[test]
fn every_language_reads_the_drivers_buffers_in_place() {
    let agents = agents();
    let place = Place::new();
    // Two dma-bufs a frame.
    let usual = config(&place, 1, Buffers::Only(Mode::Export));
    let stats = beside(Config { size: Some(SMALL), ..usual }, || {
        let buffers = buffers(&mut here(&place, 1));
        for language in LANGUAGES {
            let launch = agents.get(language).unwrap_or_else(|| panic!("no agent of {language}"));
            let mut agent = Process::start(launch, Path::new("/"), place.path(), PATIENCE).unwrap();
            agent.ask("open lane=cam mode=latest wait_ms=60000", PATIENCE).unwrap();
            let moved = read(&mut agent, &buffers);
            println!("{language}: {moved} bytes a frame moved by system calls");
            agent.quit(PATIENCE).unwrap();
        }
    });
    assert_eq!((stats.copied_bytes, stats.restarts), (0, 0), "{stats:?}");
}

/// How each agent is started: a line each, of its language and words with tabs between them.
fn agents() -> BTreeMap<String, Launch> {
    let list = std::env::var(AGENTS).expect("FRAMELANE_AGENTS names the list of agents");
    let text = std::fs::read_to_string(list).unwrap();
    let launch = |line: &str| {
        let mut words = line.split('\t').map(str::to_owned);
        let language = words.next().unwrap();
        let command = words.collect();
        (language.clone(), Launch { language, command, env: BTreeMap::new() })
    };
    text.lines().map(launch).collect()
}

/// Descriptors of all of the driver's buffers, by the numbers of their files.
fn buffers(consumer: &mut Consumer) -> BTreeMap<u64, OwnedFd> {
    let (mut found, mut known) = (BTreeMap::new(), 0);
    while known < 24 {
        let frame = next(consumer);
        known += 1;
        for plane in 0..frame.plane_count() {
            if found.insert(file(&frame, plane), frame.plane_fd(plane).unwrap()).is_none() {
                known = 0;
            }
        }
    }
    found
}

/// The agent reads frames: what it tells must be in the driver's buffers, by descriptors of ours.
/// The bytes that it moved by system calls, a frame.
fn read(agent: &mut Process, buffers: &BTreeMap<u64, OwnedFd>) -> u64 {
    let (mut before, mut pictures, mut frame_bytes) = (0, Vec::new(), 0);
    for frame in 0..=FRAMES {
        if frame == 1 {
            before = moved(agent.id()); // what the first frame takes to get going is not counted
        }
        agent.ask("next timeout_ms=60000", PATIENCE).unwrap();
        let told = agent.ask("describe", PATIENCE).unwrap();
        let seen = agent.ask("in_place", PATIENCE).unwrap();
        assert_eq!(told["d.memory_kind"], "2", "a dma-buf: {told:?}");
        frame_bytes = 0;
        for plane in 0..2 {
            let of = |what: &str| told[&format!("d.planes.{plane}.{what}")].parse().unwrap();
            let number: u64 = seen[&format!("file{plane}")].parse().unwrap();
            let buffer = buffers.get(&number).expect("one of the driver's buffers");
            let bytes = read_buffer(buffer, of("offset_bytes"), of("size_bytes")).unwrap();
            let crc = format!("{:08x}", crc32fast::hash(&bytes));
            assert_eq!(seen[&format!("crc{plane}")], crc, "{}, plane {plane}", agent.language);
            assert!(maps(agent.id(), number), "{} maps the buffer itself", agent.language);
            frame_bytes += bytes.len() as u64;
        }
        pictures.push(seen["crc0"].clone());
        assert_eq!(agent.ask("check", PATIENCE).unwrap()["intact"], "1");
        agent.ask("release", PATIENCE).unwrap();
    }
    pictures.dedup();
    assert_eq!(pictures.len(), FRAMES + 1, "every picture is another");
    let moved = (moved(agent.id()) - before) / FRAMES as u64;
    assert!(moved < frame_bytes / 8, "{}: {moved} bytes a frame", agent.language);
    moved
}

/// Bytes that a process has read and written by system calls.
fn moved(process: u32) -> u64 {
    let (read, written) = crate::copies::moved(&process.to_string());
    read + written
}

/// Whether a process has a file of this number mapped.
fn maps(process: u32, number: u64) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut numbers = text.lines().filter_map(|line| line.split_whitespace().nth(4));
    numbers.any(|word| word == number.to_string())
}
