//! Readers on kernels that have no futex_waitv.

use super::waiting::NO_WAITV;
use super::{Switch, SwitchController, SwitchControllerOptions};
use crate::consumer::ConsumerOptions;
use crate::format::FrameLayout;
use crate::layout::{Mode, PixelFormat};
use crate::producer::{Producer, ProducerOptions};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn without_waitv_a_reader_sleeps_on_its_descriptors() {
    NO_WAITV.store(true, Relaxed);
    let dir = tempfile::tempdir().unwrap();
    let place = || Some(dir.path().to_owned());
    let layout = FrameLayout::new(PixelFormat::Grey, 64, 1).unwrap();
    let lane = |name| {
        let options = ProducerOptions::new().layout(layout).directory(place());
        Producer::create(name, options).unwrap()
    };
    let lanes = [lane("day"), lane("night")];
    let options = SwitchControllerOptions::new().directory(place());
    let controller = SwitchController::create("switch", &["day", "night"], options).unwrap();
    let options = ConsumerOptions::new(Mode::Latest).directory(place());
    let mut switch = Switch::open("switch", options).unwrap();
    assert!(switch.next(Duration::from_millis(5)).unwrap().is_none());
    for round in 0..20 {
        std::thread::scope(|scope| {
            let switch = &mut switch;
            let reader = scope.spawn(move || switch.next(DEADLINE).unwrap().expect("a frame"));
            std::thread::sleep(Duration::from_millis(if round % 2 == 0 { 0 } else { 3 }));
            lanes[round % 2].claim().unwrap().publish().unwrap();
            controller.select(round % 2).unwrap();
            assert_eq!(reader.join().unwrap().lane_index(), round % 2);
        });
    }
}
