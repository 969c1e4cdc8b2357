//! A switch, its lanes and its readers in one process.

mod common;

use common::readers::By;
use common::switches::{SWITCH, is_readable, next, try_next};
use common::{DEADLINE, Place, assert_intact, fill, publish, task, until};
use framelane::{
    Consumer, ConsumerOptions, ErrorKind, Mode, Producer, Switch, SwitchChoice,
    SwitchControllerOptions, select,
};
use std::time::Duration;

const WAYS: [By; 3] = [By::Futex, By::Fd, By::Spin];
const MODES: [Mode; 2] = [Mode::Latest, Mode::Ordered];

/// A frame that says when it was captured.
fn publish_of(producer: &Producer, sequence: u64, capture_ns: u64) {
    let mut frame = producer.claim().unwrap();
    fill(&mut frame, producer.epoch(), sequence);
    frame.descriptor_mut().capture_ns = capture_ns;
    assert_eq!(frame.publish().unwrap(), sequence);
}

#[test]
fn a_switch_shows_on_the_very_next_frame() {
    for (by, mode) in WAYS.into_iter().flat_map(|by| MODES.map(|mode| (by, mode))) {
        let place = Place::new();
        let (day, night) = (place.lane("day"), place.lane("night"));
        let controller = place.controller(&["day", "night"]);
        let mut switch = place.switch(mode);
        publish(&day, 1);
        publish(&night, 1);
        let frame = next(&mut switch, by);
        assert_intact(&frame);
        assert_eq!((frame.lane_name(), frame.lane_index(), frame.switch_epoch()), ("day", 0, 1));
        assert!(!frame.switched() && !frame.new_epoch());
        drop(frame);
        assert_eq!(controller.select(1).unwrap(), 2);
        // Both come after the select; the one of the old lane is never seen.
        publish(&day, 2);
        publish(&night, 2);
        let frame = next(&mut switch, by);
        assert_intact(&frame);
        assert_eq!((frame.lane_name(), frame.lane_index(), frame.switch_epoch()), ("night", 1, 2));
        assert!(frame.switched() && !frame.new_epoch());
        publish(&night, 3);
        drop(frame);
        let mut frame = next(&mut switch, by);
        while frame.sequence() < 3 {
            assert_eq!(mode, Mode::Ordered);
            drop(frame);
            frame = next(&mut switch, by);
        }
        assert!(!frame.switched(), "told once");
        assert_eq!((switch.active(), switch.switches(), switch.missed()), (Some(1), 1, 0));
    }
}

#[test]
fn a_switch_reaches_a_blocked_reader_at_once() {
    for by in [By::Futex, By::Fd] {
        let place = Place::new();
        let (day, night) = (place.lane("day"), place.lane("night"));
        let controller = place.controller(&["day", "night"]);
        let mut switch = place.switch(Mode::Latest);
        publish(&day, 1);
        next(&mut switch, by);
        publish(&night, 1);
        let reader = task("the reader", move || next(&mut switch, by).lane_index());
        std::thread::sleep(Duration::from_millis(120)); // it sleeps, in its second or third slice
        controller.select_lane("night").unwrap();
        assert_eq!(reader.join(), 1, "without any further frame");
    }
}

#[test]
fn frames_captured_before_the_last_are_dropped() {
    for (by, mode) in [By::Futex, By::Fd].into_iter().flat_map(|by| MODES.map(|mode| (by, mode))) {
        let place = Place::new();
        let (day, night) = (place.lane("day"), place.lane("night"));
        let controller = place.controller(&["day", "night"]);
        let mut switch = place.switch(mode);
        publish_of(&day, 1, 2_000);
        next(&mut switch, by);
        publish_of(&night, 1, 1_000);
        publish_of(&night, 2, 1_999);
        controller.select(1).unwrap();
        assert!(switch.try_next().unwrap().is_none(), "time does not go back");
        assert!(switch.latest().unwrap().is_none());
        publish_of(&night, 3, 2_000); // the exposure that the other lane showed, too
        let frame = next(&mut switch, by);
        assert_eq!((frame.sequence(), frame.switched()), (3, true));
        drop(frame);
        publish_of(&night, 4, 1_500);
        let frame = next(&mut switch, by);
        assert_eq!(frame.sequence(), 4, "within a lane its producer is believed");
        let dropped = if mode == Mode::Ordered { 2 } else { 1 };
        assert_eq!((switch.dropped(), frame.switched()), (dropped, false));
    }
}

#[test]
fn absent_lanes_break_nothing() {
    for by in WAYS {
        let place = Place::new();
        let controller = place.controller(&["day", "night", "never"]);
        let mut switch = place.switch(Mode::Latest);
        assert!(switch.try_next().unwrap().is_none());
        assert!(switch.next(Duration::from_millis(20)).unwrap().is_none());
        let night = place.lane("night");
        let day = place.lane("day");
        until("the reader attaches to both", || {
            let _ = switch.try_next().unwrap();
            day.consumers() == 1 && night.consumers() == 1
        });
        publish(&day, 1);
        assert_eq!(next(&mut switch, by).lane_index(), 0);
        controller.select(2).unwrap();
        publish(&day, 2);
        assert!(switch.next(Duration::from_millis(60)).unwrap().is_none(), "nobody is there");
        controller.select(1).unwrap();
        publish(&night, 1);
        let frame = next(&mut switch, by);
        assert_eq!((frame.lane_index(), frame.switch_epoch(), frame.switched()), (1, 3, true));
        let attached: Vec<bool> = switch.status().lanes.iter().map(|lane| lane.attached).collect();
        assert_eq!(attached, [true, true, false]);
    }
}

#[test]
fn a_lane_that_comes_again_is_read_again() {
    for by in WAYS {
        let place = Place::new();
        let (mut day, night) = (place.lane("day"), place.lane("night"));
        let controller = place.controller(&["day", "night"]);
        let mut switch = place.switch(Mode::Latest);
        for round in 1..=3 {
            publish(&day, 1);
            let frame = next(&mut switch, by);
            assert_eq!(frame.new_epoch(), round > 1, "by {by:?} in round {round}");
            assert_intact(&frame);
            drop(day);
            day = place.lane("day");
        }
        // While another lane is active, too.
        controller.select(1).unwrap();
        publish(&night, 1);
        next(&mut switch, by);
        drop(day);
        let day = place.lane("day");
        until("the reader attaches to the lane that is not active", || {
            let _ = switch.try_next().unwrap();
            day.consumers() == 1
        });
        controller.select(0).unwrap();
        publish(&day, 1);
        let frame = next(&mut switch, by);
        assert!(frame.new_epoch() && frame.switched() && frame.epoch() == day.epoch());
    }
}

#[test]
fn a_dead_controller_is_carried_on_without() {
    for by in WAYS {
        let place = Place::new();
        let (day, night) = (place.lane("day"), place.lane("night"));
        let controller = place.controller(&["day", "night"]);
        let mut switch = place.switch(Mode::Latest);
        publish(&day, 1);
        next(&mut switch, by);
        controller.select(1).unwrap();
        drop(controller); // its last word counts
        publish(&night, 1);
        assert_eq!(next(&mut switch, by).lane_index(), 1);
        until("the reader says so", || {
            let _ = switch.try_next().unwrap();
            !switch.is_controlled()
        });
        for sequence in 2..6 {
            publish(&night, sequence);
            let frame = next(&mut switch, by);
            assert!(!frame.switched() && frame.switch_epoch() == 2);
        }
        // The next controller has other lanes; the one that is active stays.
        let dusk = place.lane("dusk");
        let options = SwitchControllerOptions::new().active(1);
        let controller = place.try_controller(&["dusk", "night"], options).unwrap();
        until("the reader attaches to the next controller", || {
            let _ = switch.try_next().unwrap();
            controller.readers() == 1 && dusk.consumers() == 1
        });
        publish(&night, 6);
        let frame = next(&mut switch, by);
        assert!(!frame.switched(), "the same lane as before");
        assert_eq!((frame.switch_epoch(), frame.lane_index()), (1, 1));
        until("a lane that no longer counts is let go", || day.consumers() == 0);
        controller.select(0).unwrap();
        publish(&dusk, 1);
        let frame = next(&mut switch, by);
        assert!(frame.switched() && frame.lane_name() == "dusk");
        assert!(switch.is_controlled() && switch.status().controller_epoch == controller.epoch());
    }
}

#[test]
fn a_reader_can_come_first() {
    let place = Place::new();
    let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
    let options = options.directory(place.directory());
    let reader = task("the reader", move || {
        let mut switch = Switch::open(SWITCH, options).unwrap();
        next(&mut switch, By::Futex).lane_index()
    });
    std::thread::sleep(Duration::from_millis(30));
    let _controller = place.controller(&["day"]);
    let day = place.lane("day");
    until("it attaches", || day.consumers() == 1);
    publish(&day, 1);
    assert_eq!(reader.join(), 0);
}

#[test]
fn a_choice_stands_against_a_policy() {
    let place = Place::new();
    let controller = place.controller(&["day", "night"]);
    assert!(controller.propose(1).unwrap() && controller.active() == 1);
    assert!(!controller.is_held());
    let at = |choice: SwitchChoice| {
        let time = DEADLINE;
        select(SWITCH, &choice, Some(place.path()), time)
    };
    assert_eq!(at(SwitchChoice::Lane("day".into())).unwrap(), (0, 3));
    assert!(controller.is_held());
    assert!(!controller.propose(1).unwrap(), "somebody has chosen");
    assert_eq!(controller.active(), 0);
    assert_eq!(at(SwitchChoice::Index(0)).unwrap(), (0, 3), "nothing changes");
    assert_eq!(at(SwitchChoice::Automatic).unwrap(), (0, 3));
    assert!(controller.propose(1).unwrap());
    assert_eq!(controller.switch_epoch(), 4);
    let report = framelane::query(SWITCH, Some(place.path()), DEADLINE).unwrap().switch_report;
    assert_eq!((report.selection, report.switches, report.member_count), (4 << 8 | 1, 3, 2));
    assert_eq!((&report.members[1].name[..6], report.held), (&b"night\0"[..], 0));

    let refused = |choice: SwitchChoice| {
        let error = at(choice).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        error.to_string()
    };
    assert!(refused(SwitchChoice::Index(2)).contains("whose lanes are 0 to 1"));
    let text = refused(SwitchChoice::Lane("dusk".into()));
    assert!(text.contains("\"dusk\" does not stand behind switch \"switch\"; day, night do"));
    assert_eq!(controller.select(9).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(controller.select_lane("x").unwrap_err().kind(), ErrorKind::InvalidArgument);
    let waited = controller.wait_switched(controller.switch_epoch(), Duration::from_millis(5));
    assert_eq!(waited.unwrap(), 4, "the time is over");
    let _day = place.lane("day");
    let error = select("day", &SwitchChoice::Index(0), Some(place.path()), DEADLINE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[test]
fn who_waits_for_a_switch_hears_of_it() {
    let place = Place::new();
    let controller = std::sync::Arc::new(place.controller(&["day", "night"]));
    let waiting = controller.clone();
    let waiter = task("the waiter", move || waiting.wait_switched(1, DEADLINE).unwrap());
    std::thread::sleep(Duration::from_millis(20));
    controller.set_automatic().unwrap(); // no switch
    let choice = SwitchChoice::Index(1);
    select(SWITCH, &choice, Some(place.path()), DEADLINE).unwrap();
    assert_eq!(waiter.join(), 2);
}

#[test]
fn an_end_reaches_who_waits_for_a_switch() {
    let place = Place::new();
    let controller = std::sync::Arc::new(place.controller(&["day", "night"]));
    let waiting = controller.clone();
    let waiter = task("the waiter", move || waiting.wait_switched(1, Duration::MAX).unwrap_err());
    std::thread::sleep(Duration::from_millis(20));
    controller.end();
    let _another = place.controller(&["day"]); // while the first still is
    assert_eq!(waiter.join().kind(), ErrorKind::Closed);
    controller.end();
    assert_eq!(controller.select(0).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn lanes_and_switches_are_not_taken_for_each_other() {
    let place = Place::new();
    let _lane = place.lane("day");
    let _controller = place.controller(&["day"]);
    let options = || ConsumerOptions::new(Mode::Latest).directory(place.directory());
    let open = |name: &str| Switch::open(name, options()).map(drop).unwrap_err();
    let error = Consumer::open(SWITCH, options()).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("is a switch: open it with a Switch"), "{error}");
    let error = open("day");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("is a frame lane"), "{error}");
    assert_eq!(open("nobody").kind(), ErrorKind::NotFound);
    assert_eq!(open("Bad").kind(), ErrorKind::InvalidName);
    let lossless = ConsumerOptions::new(Mode::Lossless).directory(place.directory());
    let error = Switch::open(SWITCH, lossless).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let greedy = Switch::open(SWITCH, options().leases(63)).map(drop).unwrap_err();
    assert_eq!(greedy.kind(), ErrorKind::NoLeases, "of the active lane: {greedy}");
    let error = place.try_controller(&["day"], SwitchControllerOptions::new()).map(drop);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_lane_of_tomorrow_does_not_make_the_others_old() {
    let place = Place::new();
    let (day, night) = (place.lane("day"), place.lane("night"));
    let controller = place.controller(&["day", "night"]);
    let mut switch = place.switch(Mode::Latest);
    publish_of(&day, 1, u64::MAX);
    next(&mut switch, By::Futex);
    controller.select(1).unwrap();
    publish_of(&night, 1, 1_000);
    assert_eq!(next(&mut switch, By::Futex).lane_index(), 1);
}

#[test]
fn a_refusing_lane_is_an_error_only_while_it_is_active() {
    let place = Place::new();
    let day = place.lane("day");
    let _itself = framelane::SwitchController::create(
        "odd",
        &["day"],
        SwitchControllerOptions::new().directory(place.directory()),
    )
    .unwrap();
    let controller = place.controller(&["day", "odd"]);
    let mut switch = place.switch(Mode::Latest);
    publish(&day, 1);
    next(&mut switch, By::Futex);
    let problem = switch.status().lanes[1].problem.clone().expect("a switch is no frame lane");
    assert_eq!(problem.kind(), ErrorKind::Unsupported);
    controller.select(1).unwrap();
    let error = try_next(&mut switch, By::Spin).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    controller.select(0).unwrap();
    publish(&day, 2);
    assert_eq!(next(&mut switch, By::Futex).sequence(), 2);
}

#[test]
fn a_close_reaches_a_sleeping_reader() {
    for by in [By::Futex, By::Fd] {
        let place = Place::new();
        let _controller = place.controller(&["day"]);
        for there in [false, true] {
            let _day = there.then(|| place.lane("day"));
            let mut switch = place.switch(Mode::Latest);
            let closer = switch.closer();
            let reader = task("the reader", move || {
                let error = try_next(&mut switch, by).map(drop).unwrap_err();
                assert_eq!(switch.try_next().map(drop).unwrap_err().kind(), error.kind());
                error.kind()
            });
            std::thread::sleep(Duration::from_millis(30));
            closer.close();
            assert_eq!(reader.join(), ErrorKind::Closed);
        }
    }
}

#[test]
fn an_inactive_lane_wakes_nobody() {
    let place = Place::new();
    let (day, night) = (place.lane("day"), place.lane("night"));
    let _controller = place.controller(&["day", "night"]);
    let mut switch = place.switch(Mode::Latest);
    is_readable(&mut switch, DEADLINE);
    until("it is drained", || {
        assert!(switch.try_next().unwrap().is_none());
        !is_readable(&mut switch, Duration::ZERO)
    });
    for sequence in 1..50 {
        publish(&night, sequence);
        assert!(!is_readable(&mut switch, Duration::ZERO));
    }
    publish(&day, 1);
    assert!(is_readable(&mut switch, DEADLINE));
    assert_eq!(next(&mut switch, By::Fd).lane_index(), 0);
}
