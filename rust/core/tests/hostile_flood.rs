//! Floods of connections from other processes: frames flow on, and whoever comes honestly gets in.

mod common;
mod raw;

use common::child::{entry, hear, say};
use common::{Child, DEADLINE, LANE, Place};
use framelane::layout::ErrorKind;
use framelane::layout::limit::PER_PROCESS;
use framelane::{Access, ConsumerOptions, Mode, ProducerOptions};
use raw::impostor::Impostor;
use raw::users::{NOBODY, child_of, need_root, open_place};
use raw::wire::{bytes, hello};
use raw::{Line, Traffic, latest};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("mute", mute), ("flood", flood)]);
}

fn place() -> std::path::PathBuf {
    std::env::var_os("FRAMELANE_DIR").expect("set for children").into()
}

/// Connects as often as it is told and says nothing; then once more, to be refused.
fn mute(_: &[&str]) {
    let mut lines = Vec::new();
    while let Ok(count) = hear().parse::<u32>() {
        lines.extend((0..count).map(|_| Line::connect(&place(), LANE)));
        say("connected");
    }
    let (kind, words) = Line::connect(&place(), LANE).goodbye();
    say(format_args!("{kind} {words}"));
    hear();
}

/// Connects as fast as it can: to hang up, to talk nonsense, to say nothing, to go half way.
fn flood(_: &[&str]) {
    let place = place();
    say("flooding");
    let mut kept = std::collections::VecDeque::new();
    for round in 0usize.. {
        let Ok(line) = Line::try_connect(&place, LANE) else { continue };
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
}

#[test]
fn eight_unfinished_handshakes_are_the_limit_and_one_of_the_greediest_makes_way() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new());
    let mut mute = [(); 2].map(|()| Child::start(&place, "mute"));
    for child in &mut mute {
        child.say(&(PER_PROCESS / 2).to_string());
        child.expect("connected");
    }
    mute[0].say("and one more");
    let refusal = mute[0].line();
    assert!(refusal.starts_with(&ErrorKind::TooMany.number().to_string()), "{refusal}");
    assert!(refusal.contains("8 handshakes are unfinished"), "{refusal}");
    let mut consumer = latest(&place); // one of theirs makes way at once
    assert!(consumer.next(DEADLINE).unwrap().is_some());
    traffic.stop();
}

#[test]
fn a_flood_of_connections_neither_stops_frames_nor_keeps_a_consumer_out() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new());
    let mut child = Child::start(&place, "flood");
    child.expect("flooding");
    for _ in 0..3 {
        let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
        let mut consumer = place.consumer(options);
        assert!(consumer.next(DEADLINE).unwrap().is_some());
    }
    traffic.still_flows();
    child.kill();
    traffic.stop();
}

#[test]
fn a_flood_by_another_user_keeps_nobody_else_out() {
    need_root();
    let place = open_place();
    let traffic = Traffic::start(&place, ProducerOptions::new().access(Access::Everyone));
    let flooding = |_| {
        let mut child = child_of(&place, "flood", NOBODY);
        child.expect("flooding");
        child
    };
    let children: Vec<_> = (0..2).map(flooding).collect();
    for _ in 0..3 {
        let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
        let mut consumer = place.consumer(options);
        assert!(consumer.next(DEADLINE).unwrap().is_some());
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
    let at_once =
        raw::refused(framelane::query(LANE, Some(place.path()), Duration::from_millis(50)));
    assert_eq!(at_once.kind(), ErrorKind::TimedOut, "{at_once}");
}
