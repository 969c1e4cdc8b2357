//! Floods of connections from other processes: frames flow on, and whoever comes honestly gets in.

mod raw;

use framelane::layout::ErrorKind;
use framelane::layout::limit::PER_PROCESS;
use framelane::{Access, ConsumerOptions, Mode, ProducerOptions};
use raw::child::{Part, need_root, tell, told, wait_to_be_told};
use raw::impostor::Impostor;
use raw::wire::{bytes, hello};
use raw::{LANE, Line, Place, SOON, Traffic};
use std::path::PathBuf;
use std::time::Duration;

const PLACE: &str = "FRAMELANE_TEST_PLACE";

#[test]
#[ignore = "a part of other tests, played in a process of its own"]
fn role() {
    let Some(role) = raw::child::role() else { return };
    let place = PathBuf::from(std::env::var_os(PLACE).unwrap());
    match role.as_str() {
        "mute" => {
            let mut lines = Vec::new();
            while let Some(count) = told().and_then(|line| line.parse::<u32>().ok()) {
                lines.extend((0..count).map(|_| Line::connect(&place, LANE)));
                tell("connected");
            }
            let (kind, words) = Line::connect(&place, LANE).goodbye();
            tell(format_args!("{kind} {words}"));
            wait_to_be_told();
        }
        "flood" => {
            tell("flooding");
            std::thread::spawn(|| {
                wait_to_be_told();
                std::process::exit(0);
            });
            flood(&place);
        }
        other => panic!("no role {other}"),
    }
}

/// Connects as fast as it can: to hang up, to talk nonsense, to say nothing, to go half way.
fn flood(place: &std::path::Path) -> ! {
    let mut kept = std::collections::VecDeque::new();
    for round in 0usize.. {
        let Ok(line) = Line::try_connect(place, LANE) else { continue };
        match round % 8 {
            0 => continue,
            1 => drop(line.send(&[7; 50])),
            2 => drop(line.send(bytes(&hello(LANE)))),
            _ => {}
        }
        kept.push_back(line);
        if kept.len() > 100 {
            kept.pop_front();
        }
    }
    unreachable!("the rounds do not end");
}

#[test]
fn eight_unfinished_handshakes_are_the_limit_and_one_of_the_greediest_makes_way() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new());
    let start = |_| Part::new("mute").env(PLACE, place.path()).start();
    let mut mute: Vec<_> = (0..2).map(start).collect();
    for child in &mut mute {
        child.tell(&(PER_PROCESS / 2).to_string());
        assert_eq!(child.says(), "connected");
    }
    mute[0].tell("and one more");
    let refusal = mute[0].says();
    assert!(refusal.starts_with(&ErrorKind::TooMany.number().to_string()), "{refusal}");
    assert!(refusal.contains("8 handshakes are unfinished"), "{refusal}");
    let mut consumer = place.latest(); // one of theirs makes way at once
    assert!(consumer.next(SOON).unwrap().is_some());
    traffic.stop();
}

#[test]
fn a_flood_of_connections_neither_stops_frames_nor_keeps_a_consumer_out() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new());
    let mut child = Part::new("flood").env(PLACE, place.path()).start();
    assert_eq!(child.says(), "flooding");
    for _ in 0..3 {
        let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(SOON);
        let mut consumer = place.consumer(options);
        assert!(consumer.next(SOON).unwrap().is_some());
    }
    traffic.still_flows();
    child.kill();
    traffic.stop();
}

#[test]
fn a_flood_by_another_user_keeps_nobody_else_out() {
    need_root();
    let place = Place::for_everyone();
    let traffic = Traffic::start(&place, ProducerOptions::new().access(Access::Everyone));
    let flooding = |_| {
        let part = Part::of_user("flood", 65534, 65534, place.path());
        let child = part.env(PLACE, place.path()).start();
        assert_eq!(child.says(), "flooding");
        child
    };
    let children: Vec<_> = (0..2).map(flooding).collect();
    for _ in 0..3 {
        let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(SOON);
        let mut consumer = place.consumer(options);
        assert!(consumer.next(SOON).unwrap().is_some());
    }
    traffic.still_flows();
    drop(children);
    traffic.stop();
}

#[test]
fn a_full_queue_of_connections_is_waited_for_and_named() {
    let place = Place::new();
    let _nobody_accepts = Impostor::with_queue(&place, 0);
    let mut waiting = Vec::new();
    while let Ok(line) = Line::try_connect(place.path(), LANE) {
        waiting.push(line);
        assert!(waiting.len() < 100, "the queue fills");
    }
    let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(Duration::from_millis(250));
    let error = raw::refused(place.try_consumer(options));
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains("queue of connections"), "{error}");
    let at_once = raw::refused(framelane::query(LANE, Some(place.path()), Duration::from_millis(50)));
    assert_eq!(at_once.kind(), ErrorKind::TimedOut, "{at_once}");
}
