//! What the tests with cameras share.

pub use crate::alongside::{alongside, beside};
use framelane::{Consumer, ConsumerOptions, Frame, Mode as Reading};
use framelane_camera::v4l2::{Buffers, Config, Device};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest time for anything; the machine's clock skips what is idle.
pub const DEADLINE: Duration = Duration::from_secs(60);
pub const LANE: &str = "cam";
pub const SIZE: (u32, u32) = (640, 480);

/// What the children's module expects of whoever uses it.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

pub fn reader(leases: u32) -> Consumer {
    let options = ConsumerOptions::new(Reading::Latest).leases(leases).wait_for_lane(DEADLINE);
    Consumer::open(LANE, options).unwrap()
}

/// A sum over every byte that a reader sees of a frame, in place.
pub fn sum(frame: &Frame) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for index in 0..frame.plane_count() {
        let mut bytes = vec![0; frame.descriptor().planes[index].size_bytes as usize];
        frame.copy_to(index, &mut bytes).unwrap();
        for word in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..word.len()].copy_from_slice(word);
            sum = (sum ^ u64::from_le_bytes(eight)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    sum
}

/// Which file a plane is in, as the kernel numbers files.
pub fn file(frame: &Frame, plane: usize) -> u64 {
    rustix::fs::fstat(frame.plane_fd(plane).unwrap()).unwrap().st_ino
}

/// The camera under test: another one where its user says so.
pub fn node(number: u32) -> PathBuf {
    match std::env::var_os("FRAMELANE_CAMERA") {
        Some(path) => path.into(),
        None => format!("/dev/video{number}").into(),
    }
}

pub fn config(place: &Place, number: u32, buffers: Buffers) -> Config {
    Config {
        size: Some(SIZE),
        rate: Some("30".parse().unwrap()),
        buffers,
        directory: Some(place.path().to_owned()),
        ..Config::new(LANE, node(number))
    }
}

pub fn here(place: &Place, leases: u32) -> Consumer {
    let options = ConsumerOptions::new(Reading::Latest).leases(leases).wait_for_lane(DEADLINE);
    Consumer::open(LANE, options.directory(Some(place.path().to_owned()))).unwrap()
}

pub fn next(consumer: &mut Consumer) -> Frame {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match consumer.next(DEADLINE) {
            Ok(Some(frame)) => return frame,
            Ok(None) => panic!("no frame in time"),
            // Frames of old epochs may still be held while the lane is made anew.
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Presses a button or sets a control of the driver, as another program would.
pub fn control(number: u32, name: &str, value: i64) {
    Device::open(&node(number)).unwrap().set_control(name, value).unwrap();
}

pub fn has_import() -> bool {
    Path::new("/dev/udmabuf").exists() || Path::new("/dev/dma_heap/system").exists()
}

pub fn old_kernel() -> bool {
    rustix::system::uname().release().to_string_lossy().starts_with("6.1.")
}
