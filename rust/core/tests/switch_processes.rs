//! A switch whose cameras, controller and readers are processes of their own.

mod common;

use common::child::{entry, hear, say};
use common::forks::{expect_good, fork};
use common::readers::By;
use common::steps::{self, Role};
use common::switches::{SWITCH, next};
use common::{Child, DEADLINE, Place, layout, publish, task, until};
use framelane::{
    ErrorKind, Frame, Mode, Producer, ProducerOptions, Switch, SwitchController,
    SwitchControllerOptions,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("cameras", cameras), ("controller", controller), ("selector", selector)]);
}

const LANES: [&str; 2] = ["day", "night"];

/// Two cameras that publish without pause, and their controller, who switches when it is told.
/// Each frame says which switches were over before it was published.
fn cameras(_args: &[&str]) {
    let lane = |name: &str| {
        let options = ProducerOptions::new().layout(layout()).history(3).lease_budget(16);
        Producer::create(name, options).unwrap()
    };
    let producers = LANES.map(lane);
    let controller =
        SwitchController::create(SWITCH, &LANES, SwitchControllerOptions::new()).unwrap();
    let over = Arc::new(AtomicU64::new(1));
    for producer in producers {
        let over = over.clone();
        std::thread::spawn(move || {
            loop {
                let mut frame = producer.claim().unwrap();
                let known = over.load(SeqCst);
                frame.descriptor_mut().user_data[..8].copy_from_slice(&known.to_ne_bytes());
                frame.publish().unwrap();
                std::thread::sleep(Duration::from_micros(200));
            }
        });
    }
    say("ready");
    while let line = hear()
        && line != "end"
    {
        let epoch = controller.select(line.parse().unwrap()).unwrap();
        over.store(epoch, SeqCst);
        say(epoch);
    }
}

fn known(frame: &Frame) -> u64 {
    let known = frame.descriptor().user_data[..8].try_into().unwrap();
    u64::from_ne_bytes(known)
}

/// No frame is of a lane that was switched away from before it was published.
fn assert_of_its_time(frame: &Frame) {
    let epoch = frame.switch_epoch();
    // The first lane has the odd epochs.
    assert_eq!(frame.lane_index() as u64, (epoch + 1) % 2, "epoch {epoch}");
    assert_eq!(frame.lane_name(), LANES[frame.lane_index()]);
    let known = known(frame);
    assert!(known <= epoch, "published after switch {known}, read under {epoch}");
}

#[test]
fn a_thousand_switches_and_no_frame_of_the_wrong_camera() {
    let place = Place::new();
    let mut child = Child::start(&place, "cameras");
    child.expect("ready");
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = [
        (Mode::Ordered, By::Futex),
        (Mode::Latest, By::Fd),
        (Mode::Ordered, By::Fd),
        (Mode::Latest, By::Spin),
    ]
    .map(|(mode, by)| {
        let (mut switch, over) = (place.switch(mode), over.clone());
        task(&format!("the {mode:?} reader by {by:?}"), move || {
            let mut last = 0;
            while !over.load(SeqCst) {
                let frame = next(&mut switch, by);
                assert_of_its_time(&frame);
                let epoch = frame.switch_epoch();
                assert!(epoch >= last, "epochs go up");
                assert_eq!(frame.switched(), last != 0 && epoch != last, "and are announced");
                last = epoch;
            }
            switch.switches()
        })
    })
    .into();
    let mut switch = place.switch(Mode::Latest);
    assert_of_its_time(&next(&mut switch, By::Futex));
    for epoch in 2..=1001u64 {
        child.say(&((epoch + 1) % 2).to_string());
        assert_eq!(child.line(), epoch.to_string());
        // The very next frame after the select, whatever was published meanwhile.
        let frame = next(&mut switch, By::Futex);
        assert_of_its_time(&frame);
        assert_eq!((frame.switch_epoch(), frame.switched()), (epoch, true));
    }
    assert_eq!(switch.switches(), 1000);
    over.store(true, SeqCst);
    for reader in readers {
        assert!(reader.join() > 0);
    }
    child.say("end");
    child.expect_success();
}

/// Owns a switch with the lane that it is told active, until it is killed.
fn controller(args: &[&str]) {
    let options = SwitchControllerOptions::new().active(args[0].parse().unwrap());
    let controller = SwitchController::create(SWITCH, &LANES, options).unwrap();
    say(controller.epoch());
    hear();
    controller.close();
}

#[test]
fn killed_controllers_are_replaced_under_readers() {
    let place = Place::new();
    let producers = LANES.map(|lane| place.lane(lane));
    let mut child = Child::start(&place, "controller 0");
    child.line();
    for by in [By::Futex, By::Fd] {
        let mut switch = place.switch(Mode::Latest);
        let first = switch.active().unwrap();
        let mut sequences = LANES.map(|lane| {
            let found = framelane::query(lane, Some(place.path()), DEADLINE).unwrap();
            found.published
        });
        let mut read = |switch: &mut Switch, lane: usize| {
            sequences[lane] += 1;
            publish(&producers[lane], sequences[lane]);
            let frame = next(switch, by);
            assert_eq!((frame.lane_index(), frame.sequence()), (lane, sequences[lane]));
            frame.switched()
        };
        read(&mut switch, first);
        for round in 0..6 {
            let active = (first + round) % 2;
            child.kill();
            until("the reader knows", || {
                let _ = switch.try_next().unwrap();
                !switch.is_controlled()
            });
            assert!(!read(&mut switch, active), "the lane that was active stays so");
            let other = (active + 1) % 2;
            child = Child::start(&place, &format!("controller {other}"));
            let epoch: u64 = child.line().parse().unwrap();
            until("the reader follows", || {
                let _ = switch.try_next().unwrap();
                switch.status().controller_epoch == epoch
            });
            assert!(read(&mut switch, other), "the new controller says otherwise");
        }
    }
}

/// Selects the second lane when it is told to, if it comes so far.
fn selector(_args: &[&str]) {
    let options = SwitchControllerOptions::new();
    let controller = SwitchController::create(SWITCH, &LANES, options).unwrap();
    say("ready");
    hear();
    controller.select(1).unwrap();
    say("selected");
    hear();
}

#[test]
fn a_controller_that_dies_or_stops_at_any_step_has_selected() {
    for (step, action) in
        steps::of(Role::Controller).iter().flat_map(|step| ["kill", "stop"].map(|a| (step, a)))
    {
        let place = Place::new();
        let [day, night] = LANES.map(|lane| place.lane(lane));
        let mut child = Child::failing(&place, "selector", &format!("{step}:{action}"));
        child.expect("ready");
        let mut switch = place.switch(Mode::Latest);
        publish(&day, 1);
        assert_eq!(next(&mut switch, By::Futex).lane_index(), 0);
        publish(&night, 1);
        // Nobody rings it any more, and it finds the selection within a slice all the same.
        let reader = task("the reader", move || next(&mut switch, By::Futex).lane_index());
        child.say("select");
        match action {
            "kill" => child.expect_killed(),
            _ => child.expect_stopped(),
        }
        assert_eq!(reader.join(), 1, "{action} at {step}");
    }
}

#[test]
fn a_forked_child_has_neither_switch_nor_controller() {
    let place = Place::new();
    let day = place.lane("day");
    let controller = place.controller(&["day", "night"]);
    let mut switch = place.switch(Mode::Latest);
    switch.fd();
    publish(&day, 1);
    drop(next(&mut switch, By::Fd));
    let (mut switch, mut controller) = (Some(switch), Some(controller));
    for drops in [false, true] {
        let child = fork(|| {
            let (mut switch, controller) = (switch.take().unwrap(), controller.take().unwrap());
            let kinds = [
                switch.try_next().map(drop).unwrap_err().kind(),
                switch.next(Duration::ZERO).map(drop).unwrap_err().kind(),
                switch.latest().map(drop).unwrap_err().kind(),
                switch.wait(Duration::ZERO).map(drop).unwrap_err().kind(),
                switch.ready().map(drop).unwrap_err().kind(),
                controller.select(1).map(drop).unwrap_err().kind(),
                controller.propose(1).map(drop).unwrap_err().kind(),
                controller.set_automatic().unwrap_err().kind(),
                controller.wait_switched(1, DEADLINE).map(drop).unwrap_err().kind(),
            ];
            assert_eq!(kinds, [ErrorKind::Forked; 9]);
            switch.closer().close();
            assert_eq!((controller.readers(), controller.switch_epoch()), (0, 0));
            assert_eq!(controller.report().switch_report.member_count, 2);
            if drops {
                drop((switch, controller));
            } else {
                std::mem::forget((switch, controller));
            }
        });
        expect_good(child);
        let (switch, controller) = (switch.as_mut().unwrap(), controller.as_ref().unwrap());
        assert_eq!(controller.readers(), 1);
        controller.select(0).unwrap();
        let sequence = if drops { 3 } else { 2 };
        publish(&day, sequence);
        assert_eq!(next(switch, By::Fd).sequence(), sequence);
    }
}
