//! The codec of an RDK X5 on the stand-in's camera: frames are read where they are, and what comes
//! out shows the exposures it says.

#[path = "../../hobot/tests/common/mod.rs"]
mod common;
#[path = "../../hobot/tests/common/codec.rs"]
mod pictures;

use common::{Board, DEADLINE, board};
use framelane::{Codec, Consumer, ConsumerOptions, ErrorKind, Frame, FrameDescriptor, Mode};
use framelane::{FrameLayout, MemoryKind, PixelFormat, Producer, ProducerOptions};
use framelane_camera::encode::{Encoder, EncoderOptions, Profile, Stamp, hobot};
use framelane_camera::hb_vio::{Cameras, Config, Places};
use framelane_hobot::{Format, GraphicBuf, Memory, Picture, describe_picture, usage};
use framelane_standin_ion::{Fault, luma};
use pictures::decoded;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use zerocopy::FromBytes;

const SIZE: usize = 160 * 120 * 3 / 2;
const INVALID_BUFFER: i32 = -268_435_445;
const CODING_FAILED: i32 = -268_435_439;

const CONFIG: &str = "[[camera]]\nhost = 0\nsilence_ms = 10000\n\
    [camera.sensor]\nwidth = 320\nheight = 240\nfps = 50\n\
    [[camera.channel]]\nnumber = 0\nsize = [160, 120]\nlane = \"main\"\nlease_ms = 10000\n";

/// Runs the camera beside a test, which gets a reader of its lane.
fn beside(_: &Board, test: impl FnOnce(&mut Consumer)) {
    // The encoder finds the library by its name once it is loaded.
    framelane_hobot::codec::Codec::open(Some(&common::folder())).unwrap();
    framelane_hobot::register();
    let lanes = tempfile::tempdir().unwrap();
    let directory = Some(lanes.path().to_owned());
    let places = Places { libraries: Some(common::folder()), lanes: directory.clone() };
    let config = Config::parse(CONFIG).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asked = || stop.load(Ordering::Acquire);
        let cameras = scope.spawn(move || Cameras::open(&config, &places)?.run(&asked));
        let stopping = Stopping(&stop);
        let options = ConsumerOptions::new(Mode::Latest).leases(4).wait_for_lane(DEADLINE);
        let mut reader = Consumer::open("main", options.directory(directory)).unwrap();
        test(&mut reader);
        drop((reader, stopping));
        cameras.join().unwrap().unwrap();
    });
}

struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Units of a stream, one after the other.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    stamps: Vec<Stamp>,
    keys: Vec<bool>,
}

impl Stream {
    /// Encodes so many frames more.
    fn encode(&mut self, encoder: &mut dyn Encoder, reader: &mut Consumer, count: usize) {
        for _ in 0..count {
            let frame = reader.next(DEADLINE).unwrap().expect("a frame in time");
            encoder.submit(frame).unwrap();
            assert!(self.take(encoder), "a unit in time");
        }
    }

    fn take(&mut self, encoder: &mut dyn Encoder) -> bool {
        encoder
            .receive(DEADLINE, &mut |unit| {
                assert_eq!(unit.dts_ns, Some(unit.stamp.pts_ns));
                assert_eq!(unit.carries_parameters, unit.key);
                self.bytes.extend(unit.bytes());
                self.stamps.push(unit.stamp);
                self.keys.push(unit.key);
                Ok(())
            })
            .unwrap()
    }

    /// All of it decodes, each picture to the exposure that it says it is of.
    fn assert_shows_the_exposures(&self, format: &str) {
        let pictures = decoded(format, &self.bytes);
        assert_eq!(pictures.len(), self.stamps.len() * SIZE, "one for each");
        for (picture, stamp) in pictures.chunks(SIZE).zip(&self.stamps) {
            let wanted = luma(0, 0, stamp.capture_id as u32);
            let shown = picture[..160 * 120].iter().all(|&luma| luma.abs_diff(wanted) <= 3);
            assert!(shown, "{} for {wanted}, capture {}", picture[0], stamp.capture_id);
        }
        assert!(self.stamps.windows(2).all(|two| two[0].pts_ns < two[1].pts_ns));
    }
}

fn options(codec: Codec) -> EncoderOptions {
    EncoderOptions { codec, gop: Some(1000), ..EncoderOptions::default() }
}

/// An encoder for the frames of this reader.
fn open(reader: &mut Consumer, options: &EncoderOptions) -> framelane::Result<Box<dyn Encoder>> {
    let first = reader.next(DEADLINE).unwrap().expect("a frame in time");
    hobot(&first, options)
}

#[test]
fn frames_are_encoded_where_they_are_and_show_the_exposures_they_say() {
    let board = board();
    for (codec, format) in [(Codec::H264, "h264"), (Codec::H265, "hevc")] {
        beside(&board, |reader| {
            let mut encoder = open(reader, &options(codec)).unwrap();
            let mut stream = Stream::default();
            stream.encode(&mut *encoder, reader, 8);
            encoder.request_key_frame();
            stream.encode(&mut *encoder, reader, 4);
            let keys: Vec<_> = (0..12).filter(|&index| stream.keys[index]).collect();
            assert_eq!(keys, [0, 8], "{format}");
            stream.assert_shows_the_exposures(format);
            assert_eq!(encoder.copied_bytes(), 0, "none of it was copied");
            encoder.finish().unwrap();
            assert!(!encoder.receive(DEADLINE, &mut |_| Ok(())).unwrap(), "nothing is left");
        });
    }
}

#[test]
fn frames_that_the_codec_does_not_read_in_place_are_copied_and_counted() {
    let board = board();
    beside(&board, |reader| {
        let mut encoder = open(reader, &options(Codec::H264)).unwrap();
        let mut stream = Stream::default();
        stream.encode(&mut *encoder, reader, 2);
        assert_eq!(encoder.copied_bytes(), 0);
        let refused = Fault::of("hb_mm_mc_queue_input_buffer", INVALID_BUFFER);
        board.place.ion().plan(refused).unwrap();
        stream.encode(&mut *encoder, reader, 3);
        // Out of camera memory, and into the codec's.
        assert_eq!(encoder.copied_bytes(), 3 * 2 * SIZE as u64);
        assert_eq!(stream.keys, [true, false, true, false, false]);
        stream.assert_shows_the_exposures("h264");
    });
}

#[test]
fn a_codec_that_takes_no_memory_of_others_is_used_all_the_same() {
    let board = board();
    beside(&board, |reader| {
        let refused = Fault::of("hb_mm_mc_configure", INVALID_BUFFER);
        board.place.ion().plan(refused).unwrap();
        let mut encoder = open(reader, &options(Codec::H264)).unwrap();
        let mut stream = Stream::default();
        stream.encode(&mut *encoder, reader, 2);
        assert_eq!(encoder.copied_bytes(), 2 * 2 * SIZE as u64);
        stream.assert_shows_the_exposures("h264");
    });
}

#[test]
fn a_picture_that_fails_is_lost_and_said_and_many_in_a_row_are_the_end() {
    let board = board();
    beside(&board, |reader| {
        let mut encoder = open(reader, &options(Codec::H264)).unwrap();
        let mut stream = Stream::default();
        stream.encode(&mut *encoder, reader, 1);
        board.place.ion().plan(Fault::of("coding", CODING_FAILED)).unwrap();
        encoder.submit(reader.next(DEADLINE).unwrap().unwrap()).unwrap();
        assert!(!stream.take(&mut *encoder), "it is lost");
        stream.encode(&mut *encoder, reader, 2);
        assert_eq!(stream.keys, [true, true, false], "decoding can begin again");
        assert!(stream.stamps[1].gap);
        stream.assert_shows_the_exposures("h264");
        board.place.ion().plan(Fault::of("coding", CODING_FAILED).times(100)).unwrap();
        let failed = (0..20).find_map(|_| {
            let frame = reader.next(DEADLINE).unwrap().unwrap();
            encoder.submit(frame).and_then(|()| encoder.receive(DEADLINE, &mut |_| Ok(()))).err()
        });
        let failed = failed.expect("it does not go on for ever");
        assert!(failed.to_string().contains("CODING_FAILED"), "{failed}");
        board.place.ion().change(|state| state.faults.clear()).unwrap();
    });
}

#[test]
fn a_codec_that_hangs_is_an_error_and_lets_go_of_its_frames() {
    let board = board();
    beside(&board, |reader| {
        let mut encoder = open(reader, &options(Codec::H264)).unwrap();
        board.place.ion().plan(Fault::of("coding", 0).delay_ms(3_600_000)).unwrap();
        let begun = Instant::now();
        let failed = loop {
            let frame = reader.next(DEADLINE).unwrap().unwrap();
            let submitted = encoder.submit(frame);
            assert!(!encoder.receive(Duration::ZERO, &mut |_| Ok(())).unwrap());
            match submitted {
                Err(error) if error.kind() != ErrorKind::NoFreeSlot => break error,
                _ => assert!(begun.elapsed() < DEADLINE, "it is not found out"),
            }
        };
        assert_eq!(failed.kind(), ErrorKind::System);
        assert!(failed.to_string().contains("has finished no picture for"), "{failed}");
        drop(encoder);
        let mut all = Vec::new();
        for _ in 0..4 {
            // Each lease that the reader may have.
            all.push(reader.next(DEADLINE).unwrap().unwrap());
        }
    });
}

#[test]
fn frames_in_ordinary_memory_are_copied_once() {
    let _board = board();
    framelane_hobot::codec::Codec::open(Some(&common::folder())).unwrap();
    let lanes = tempfile::tempdir().unwrap();
    let directory = Some(lanes.path().to_owned());
    let layout = |format| FrameLayout::new(format, 160, 120).unwrap();
    for format in [PixelFormat::I420, PixelFormat::Nv12, PixelFormat::Grey] {
        let options = ProducerOptions::new().layout(layout(format)).directory(directory.clone());
        let producer = Producer::create("plain", options).unwrap();
        let options = ConsumerOptions::new(Mode::Latest).directory(directory.clone());
        let mut reader = Consumer::open("plain", options).unwrap();
        let mut show = |value: u8| {
            let mut frame = producer.claim().unwrap();
            for plane in 0..layout(format).planes.len() {
                let value = if plane == 0 { value } else { 128 };
                if let Ok(bytes) = frame.plane_mut(plane) {
                    bytes.fill(value);
                }
            }
            frame.publish().unwrap();
            reader.next(DEADLINE).unwrap().unwrap()
        };
        let started = hobot(&show(50), &self::options(Codec::H264));
        if format == PixelFormat::Grey {
            let error = started.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("nv12 and i420"), "{error}");
            continue;
        }
        let mut encoder = started.unwrap();
        let mut stream = Stream::default();
        for value in [60, 90, 120] {
            encoder.submit(show(value)).unwrap();
            assert!(stream.take(&mut *encoder));
        }
        assert_eq!(encoder.copied_bytes(), 3 * SIZE as u64);
        let pictures = decoded("h264", &stream.bytes);
        let shown: Vec<u8> = pictures.chunks(SIZE).map(|picture| picture[500]).collect();
        assert!(shown.iter().zip([60u8, 90, 120]).all(|(a, b)| a.abs_diff(b) <= 3), "{shown:?}");
    }
}

#[test]
fn what_it_cannot_do_is_said_before_it_starts() {
    let board = board();
    beside(&board, |reader| {
        let usual = options(Codec::H265);
        for (wrong, words) in [
            (EncoderOptions { codec: Codec::Jpeg, ..usual }, "hobot makes h264 and h265, not"),
            (EncoderOptions { profile: Some(Profile::High), ..usual }, "profile main only"),
            (EncoderOptions { gop: Some(5000), ..usual }, "at most 2047"),
        ] {
            let error = open(reader, &wrong).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(words), "{error}");
        }
    });
}

/// A producer in camera memory that says of its frames what it likes.
fn lied_to(test: impl FnOnce(&dyn Fn(&FrameDescriptor) -> Frame, FrameDescriptor)) {
    framelane_hobot::codec::Codec::open(Some(&common::folder())).unwrap();
    framelane_hobot::register();
    let lanes = tempfile::tempdir().unwrap();
    let directory = Some(lanes.path().to_owned());
    let memory = Memory::open(Some(&common::folder())).unwrap();
    let flags = usage::CPU_READ_OFTEN | usage::CPU_WRITE_OFTEN | usage::GRAPHIC_CONTIGUOUS;
    let format = Format::NV12;
    let picture = Picture { width: 160, height: 120, format, flags, stride: 0, vstride: 0 };
    let buffer = memory.alloc_graphic(&picture).unwrap();
    let options = ProducerOptions::new().memory(MemoryKind::HbMem).history(0).lease(DEADLINE);
    let producer = Producer::create("liar", options.directory(directory.clone())).unwrap();
    let options = ConsumerOptions::new(Mode::Latest).leases(2).directory(directory);
    let reader = std::cell::RefCell::new(Consumer::open("liar", options).unwrap());
    let show = |descriptor: &FrameDescriptor| {
        producer.publish_external(descriptor, Box::new(|_| ())).unwrap();
        reader.borrow_mut().next(DEADLINE).unwrap().expect("a frame in time")
    };
    test(&show, describe_picture(buffer.raw()).unwrap());
}

/// The same with a lie in both of its descriptions, so that they agree.
fn lying(good: &FrameDescriptor, lie: impl FnOnce(&mut GraphicBuf)) -> FrameDescriptor {
    let size = good.vendor_bytes as usize;
    let mut buffer = GraphicBuf::read_from_bytes(&good.vendor_data[..size]).unwrap();
    lie(&mut buffer);
    describe_picture(&buffer).unwrap()
}

#[test]
fn the_codec_is_given_no_address_that_a_producer_made_up() {
    let _board = board();
    lied_to(|show, good| {
        let mut encoder = hobot(&show(&good), &options(Codec::H264)).unwrap();
        let mut stride = good;
        stride.planes[0].stride_bytes = 4096;
        let error = encoder.submit(show(&stride)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        // These the library refuses itself, or we do.
        for wrong in [
            lying(&good, |buffer| buffer.phys_addr[1] = 0x1000),
            lying(&good, |buffer| buffer.phys_addr[0] += 4096),
            lying(&good, |buffer| buffer.stride = 4096),
        ] {
            let error = encoder.submit(show(&wrong)).unwrap_err();
            let kinds = [ErrorKind::Protocol, ErrorKind::InvalidArgument];
            assert!(kinds.contains(&error.kind()), "{error}");
        }
        let mut stream = Stream::default();
        encoder.submit(show(&good)).unwrap();
        assert!(stream.take(&mut *encoder), "none of them is in the codec");
        assert_eq!(encoder.copied_bytes(), 0);
    });
}

#[test]
fn a_plane_that_is_said_to_be_huge_reserves_no_memory() {
    let board = board();
    lied_to(|show, good| {
        let refused = Fault::of("hb_mm_mc_configure", INVALID_BUFFER);
        board.place.ion().plan(refused).unwrap();
        let mut encoder = hobot(&show(&good), &options(Codec::H264)).unwrap();
        let huge = lying(&good, |buffer| buffer.size[0] = 1 << 60);
        let error = encoder.submit(show(&huge)).unwrap_err();
        let kinds = [ErrorKind::Protocol, ErrorKind::InvalidArgument];
        assert!(kinds.contains(&error.kind()), "{error}");
        let mut stream = Stream::default();
        encoder.submit(show(&good)).unwrap();
        assert!(stream.take(&mut *encoder));
        assert_eq!(encoder.copied_bytes(), 2 * SIZE as u64);
    });
}
