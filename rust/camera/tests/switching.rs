//! A switch that follows the brightness of its day camera.

use framelane::{
    FrameLayout, PixelFormat, Producer, ProducerOptions, SwitchChoice, SwitchController,
    SwitchControllerOptions, select,
};
use framelane_camera::switching::{Brightness, Thresholds, follow, sample};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_lane_says_how_bright_it_is() {
    let place = tempfile::tempdir().unwrap();
    let at = Some(place.path());
    assert!(sample("day", at).is_err());
    let layout = FrameLayout::new(PixelFormat::Grey, 64, 16).unwrap();
    let options = ProducerOptions::new().layout(layout).directory(at.map(Into::into));
    let day = Producer::create("day", options).unwrap();
    assert_eq!(sample("day", at).unwrap(), None);
    let mut frame = day.claim().unwrap();
    frame.descriptor_mut().brightness_avg = 42.0;
    frame.publish().unwrap();
    let found = sample("day", at).unwrap().unwrap();
    assert_eq!((found.brightness, found.sequence, found.epoch), (42.0, 1, day.epoch()));
}

#[test]
fn a_switch_follows_the_day_camera_until_somebody_chooses() {
    let place = tempfile::tempdir().unwrap();
    let directory = || Some(place.path().to_owned());
    let layout = FrameLayout::new(PixelFormat::Grey, 64, 16).unwrap();
    let options = ProducerOptions::new().layout(layout).directory(directory());
    let day = Producer::create("day", options).unwrap();
    let options = SwitchControllerOptions::new().directory(directory());
    let controller = SwitchController::create("switch", &["day", "night"], options).unwrap();
    let thresholds = Thresholds {
        dark_for: Duration::from_millis(150),
        bright_for: Duration::from_millis(150),
        ..Thresholds::default()
    };
    let policy = Brightness::new(thresholds, 0, 1).unwrap();
    let (over, brightness) = (AtomicBool::new(false), AtomicU32::new(20));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                let mut frame = day.claim().unwrap();
                frame.descriptor_mut().brightness_avg = brightness.load(Relaxed) as f32;
                frame.publish().unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let stop = || over.load(Relaxed);
        let (controller, at) = (&controller, Some(place.path()));
        let following = scope.spawn(move || follow(controller, policy, at, &stop));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until("it is dark", || controller.active() == 1);
            brightness.store(200, Relaxed);
            until("it is bright", || controller.active() == 0);
            let night = SwitchChoice::Lane("night".into());
            select("switch", &night, at, DEADLINE).unwrap();
            std::thread::sleep(Duration::from_millis(500));
            assert_eq!(controller.active(), 1, "the choice stands");
            controller.set_automatic().unwrap();
            until("the policy chooses again", || controller.active() == 0);
        }));
        over.store(true, Relaxed);
        following.join().unwrap().unwrap();
        outcome.unwrap();
    });
}
