//! Frames that libcamera takes: its program `cam` writes them to a pipe, the source `command` puts
//! them into a lane. The camera is found by libcamera itself.

use crate::alongside::alongside;
use crate::descriptors::SIZE;
use crate::shown::Shown;
use crate::{DEADLINE, LANE, next, plug, reader};
use framelane::{FrameLayout, PixelFormat, Producer, ProducerOptions};
use framelane_camera::command::{self, CommandOptions};
use std::sync::Arc;
use std::time::Duration;

/// Nobody else writes the records of udev, without which libcamera does not see a device.
fn tell_udev_of_everything() {
    for folder in ["/sys/class/video4linux", "/sys/bus/media/devices"] {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if let Ok(numbers) = std::fs::read_to_string(entry.path().join("dev")) {
                std::fs::write(format!("/run/udev/data/c{}", numbers.trim()), "I:1\n").unwrap();
            }
        }
    }
}

#[test]
fn frames_of_libcamera_enter_a_lane() {
    let shown = Arc::new(Shown::default());
    let (_camera, _) = plug(&shown);
    tell_udev_of_everything();
    let place = tempfile::tempdir().unwrap();
    let (width, height) = SIZE;
    let layout = FrameLayout::new(PixelFormat::Nv12, width.into(), height.into()).unwrap();
    let options = ProducerOptions::new().layout(layout).directory(Some(place.path().to_owned()));
    let producer = Producer::create(LANE, options).unwrap();
    let options = CommandOptions {
        command: format!(
            "exec cam --camera 1 --capture --stream \
             width={width},height={height},pixelformat=NV12 --file=/dev/fd/3 3>&1 >&2"
        ),
        codec: None,
        rate: None,
        camera_id: 0,
        silence: DEADLINE,
        pictures: Some(60),
    };
    let filling = |stop: &dyn Fn() -> bool| command::run_raw(&producer, &layout, &options, stop);
    let stats = alongside(filling, || {
        let mut consumer = reader(&place);
        let mut last = None;
        for _ in 0..10 {
            let (_frame, number) = next(&mut consumer);
            assert!(last.is_none_or(|last| number > last), "in order");
            last = Some(number);
        }
    });
    assert!(stats.pictures >= 10 && stats.starts == 1, "{stats:?}");
    std::thread::sleep(Duration::from_millis(100)); // its device is closed before the plug goes
}
