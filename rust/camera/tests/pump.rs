//! Sources pumped through a real lane to consumers that prove every picture.

use framelane::layout::FrameFlag;
use framelane::{
    Consumer, ConsumerOptions, Error, ErrorKind, FrameDescriptor, Mode, Producer, ProducerOptions,
    Result,
};
use framelane_camera::pace::Monotonic;
use framelane_camera::pump::{self, PumpOptions, PumpStats};
use framelane_camera::{Filled, FrameSource, Rate, SourceInfo, SourceOptions, SourceSpec, strip};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }
    fn producer(&self, source: &dyn FrameSource, options: ProducerOptions) -> Producer {
        let directory = Some(self.0.path().to_owned());
        let options = options.layout(source.info().layout).directory(directory);
        Producer::create("camera", options).unwrap()
    }
    fn consumer(&self, mode: Mode) -> Consumer {
        let options = ConsumerOptions::new(mode).directory(Some(self.0.path().to_owned()));
        Consumer::open("camera", options.reattach(false)).unwrap()
    }
}

fn options(pictures: u64, lossless: bool) -> PumpOptions {
    let rate = Rate::new(500, 1).unwrap();
    PumpOptions { rate, camera_id: 3, pictures: Some(pictures), lossless }
}

/// Stops a pump that does not stop by itself, so that a failing test ends.
fn until_soon() -> impl Fn() -> bool {
    let start = Instant::now();
    move || start.elapsed() > SOON
}

fn pattern() -> Box<dyn FrameSource> {
    let options = SourceOptions { size: Some((160, 120)), ..Default::default() };
    SourceSpec::Pattern.open(&options).unwrap()
}

/// Reads to the end of the lane and proves each frame; the capture ids seen.
fn prove(mut consumer: Consumer) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let frame = match consumer.next(SOON) {
            Ok(Some(frame)) => frame,
            Ok(None) => panic!("no frame within the deadline, {} so far", seen.len()),
            Err(error) if error.kind() == ErrorKind::Disconnected => return seen,
            Err(error) => panic!("{error}"),
        };
        let mark = strip::verify_frame(&frame).unwrap().mark;
        assert_eq!(mark.camera, 3);
        assert!(seen.last().is_none_or(|&last| mark.number > last), "out of order");
        let skipped = seen.last().is_some_and(|&last| mark.number != last + 1);
        let flagged = frame.descriptor().flags & FrameFlag::DISCONTINUITY != 0;
        assert!(
            !skipped || flagged || frame.missed() > 0,
            "a gap before {} that nobody tells of",
            mark.number
        );
        seen.push(mark.number);
    }
}

#[test]
fn lossless_readers_get_every_picture_whole_and_in_order() {
    let place = Place::new();
    let mut source = pattern();
    let producer = place.producer(&source, ProducerOptions::new().lossless(true));
    let readers: Vec<_> = [Mode::Lossless, Mode::Lossless, Mode::Latest]
        .into_iter()
        .map(|mode| place.consumer(mode))
        .map(|consumer| std::thread::spawn(move || prove(consumer)))
        .collect();
    let stats =
        pump::run(&mut source, &producer, &options(300, true), Monotonic, &until_soon()).unwrap();
    assert_eq!((stats.published, stats.last_sequence, stats.no_free_slot), (300, 300, 0));
    assert!(stats.fill_ns >= stats.fill_max_ns && stats.fill_max_ns > 0);
    assert_eq!(producer.report().copied_bytes, 0, "pictures are made in their slots");
    // The last frames are taken before the lane ends.
    let all_taken = || {
        let report = producer.report();
        let consumers = &report.consumers[..report.consumer_count as usize];
        consumers.iter().filter(|c| c.mode == Mode::Lossless.number()).all(|c| c.cursor == 301)
    };
    let stop = until_soon();
    while !all_taken() && !stop() {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(producer);
    let seen: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    let every: Vec<u64> = (1..=300).collect();
    assert_eq!(seen[0], every);
    assert_eq!(seen[1], every);
    assert!(!seen[2].is_empty());
}

#[test]
fn a_live_lane_leaves_out_what_nobody_has_time_for() {
    let place = Place::new();
    let mut source = Slow { inner: pattern() };
    let producer = place.producer(&source, ProducerOptions::new());
    let consumer = place.consumer(Mode::Ordered);
    let reader = std::thread::spawn(move || prove(consumer));
    let stats =
        pump::run(&mut source, &producer, &options(40, false), Monotonic, &until_soon()).unwrap();
    let last = producer.report().newest.capture_id;
    drop(producer);
    assert_eq!(stats.published, 40);
    assert!(stats.late >= 3, "{stats:?}: some pictures took longer than two periods");
    assert_eq!(last, 40 + stats.late, "numbers count exposures, also the ones left out");
    assert!(!reader.join().unwrap().is_empty());
}

/// Every eighth picture takes a few periods.
struct Slow {
    inner: Box<dyn FrameSource>,
}

impl FrameSource for Slow {
    fn info(&self) -> &SourceInfo {
        self.inner.info()
    }
    fn fill(&mut self, index: u64, d: &mut FrameDescriptor, payload: &mut [u8]) -> Result<Filled> {
        if index % 8 == 5 {
            std::thread::sleep(Duration::from_millis(7));
        }
        self.inner.fill(index, d, payload)
    }
}

#[test]
fn a_stop_ends_the_pump_also_while_it_waits_for_a_reader() {
    let place = Place::new();
    let mut source = pattern();
    let producer = place.producer(&source, ProducerOptions::new().lossless(true));
    let stuck = place.consumer(Mode::Lossless);
    let stop = AtomicBool::new(false);
    let asked = || stop.load(Relaxed);
    let stats = std::thread::scope(|scope| {
        let pump = scope.spawn(|| {
            let endless = PumpOptions { pictures: None, ..options(0, true) };
            let mut source = pattern();
            pump::run(&mut source, &producer, &endless, Monotonic, &asked)
        });
        let wait = until_soon();
        while producer.report().published < 2 && !wait() {
            std::thread::sleep(Duration::from_millis(1));
        }
        stop.store(true, Relaxed);
        pump.join().unwrap().unwrap()
    });
    assert_eq!(stats, PumpStats { published: 2, last_sequence: 2, ..stats }, "one plus history");
    drop(stuck);
    let more = pump::run(&mut source, &producer, &options(5, true), Monotonic, &until_soon());
    assert_eq!(more.unwrap().last_sequence, 7, "the lane goes on");
}

/// Ends, or fails, at a picture.
struct Ending {
    inner: Box<dyn FrameSource>,
    at: u64,
    fails: bool,
}

impl FrameSource for Ending {
    fn info(&self) -> &SourceInfo {
        self.inner.info()
    }
    fn fill(&mut self, index: u64, d: &mut FrameDescriptor, payload: &mut [u8]) -> Result<Filled> {
        match index == self.at {
            true if self.fails => Err(Error::new(ErrorKind::System, "the device fell off")),
            true => Ok(Filled::End),
            false => self.inner.fill(index, d, payload),
        }
    }
}

#[test]
fn an_ending_and_a_failing_source_leave_no_half_picture() {
    for fails in [false, true] {
        let place = Place::new();
        let mut source = Ending { inner: pattern(), at: 4, fails };
        let producer = place.producer(&source, ProducerOptions::new().lossless(true));
        let result = pump::run(&mut source, &producer, &options(9, true), Monotonic, &until_soon());
        match result {
            Ok(stats) => assert_eq!((fails, stats.published), (false, 4)),
            Err(error) => assert!(fails && error.to_string() == "the device fell off"),
        }
        let report = producer.report();
        assert_eq!((report.published, report.abandoned, report.claimed_slots), (4, 1, 0));
    }
}
