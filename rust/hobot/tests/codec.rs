//! The codec through the binding, on the stand-in: pictures are read in place and given back when
//! they are consumed, what goes wrong is an error in words, and nothing is left behind.
#![allow(unsafe_code, reason = "a process that is forked")]

mod common;
#[path = "common/codec.rs"]
mod pictures;

use common::{Board, DEADLINE, board, entry, hear, say};
use framelane::ErrorKind;
use framelane_hobot::GraphicBuffer;
use framelane_hobot::codec::{
    Codec, Encoder, EncoderSetup, Input, Placed, Profile, Refused, Unit, VideoCodec,
};
use framelane_standin_ion::Fault;
use pictures::{decoded, ffmpeg_is_there, grey, picture_of, shown};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(10);
const WAIT_TIMEOUT: i32 = -268_435_443;
const CODING_FAILED: i32 = -268_435_439;

fn setup(codec: VideoCodec) -> EncoderSetup {
    EncoderSetup { codec, width: 64, height: 48, pictures: 2, ..EncoderSetup::default() }
}

fn codec() -> Arc<Codec> {
    ffmpeg_is_there();
    Codec::open(Some(&common::folder())).unwrap()
}

fn start(codec: &Arc<Codec>, setup: &EncoderSetup) -> Encoder<u32> {
    Encoder::start(codec, setup).unwrap()
}

/// Where a buffer of ours is.
fn placed(picture: &GraphicBuffer) -> Placed {
    let raw = picture.raw();
    let (stride, mapped) = (raw.stride as u32, raw.virt_addr[0] as usize);
    Placed { physical: raw.phys_addr, mapped, stride }
}

fn feed(encoder: &Encoder<u32>, picture: GraphicBuffer, tag: u32) {
    let fed = encoder.feed(&placed(&picture), tag, Box::new(picture), DEADLINE);
    assert!(fed.is_ok(), "{}", fed.err().unwrap().error);
}

fn take(encoder: &Encoder<u32>) -> Unit<u32> {
    encoder.take(DEADLINE).unwrap().expect("a unit in time")
}

/// Says when it is dropped.
struct Told {
    gone: Arc<AtomicBool>,
    _picture: GraphicBuffer,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
    }
}

#[test]
fn child_entry() {
    entry(&[("encodes", encodes), ("starts", starts)]);
}

/// Encodes one picture and then does nothing, with its encoder running.
fn encodes() {
    let codec = codec();
    let encoder = start(&codec, &setup(VideoCodec::H264));
    feed(&encoder, grey(codec.memory(), 64, 48, 64, 100), 1);
    take(&encoder);
    say("encoded");
    hear();
}

/// Says how the start of an encoder fails.
fn starts() {
    let codec = Codec::open(Some(&common::folder())).unwrap();
    let error = Encoder::<u32>::start(&codec, &setup(VideoCodec::H264)).err().unwrap();
    say(error);
    hear();
}

#[test]
fn a_missing_library_is_named_with_the_reason() {
    let nowhere = tempfile::tempdir().unwrap();
    let board = board();
    let hbmem = board.place.folder().join("libhbmem.so.1");
    std::os::unix::fs::symlink(hbmem, nowhere.path().join("libhbmem.so.1")).unwrap();
    let error = Codec::open(Some(nowhere.path())).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("libmultimedia.so.1 cannot be loaded: "), "{error}");
}

#[test]
fn pictures_in_place_become_units_with_what_they_were_fed_with() {
    let _board = board();
    let codec = codec();
    for (kind, name) in [(VideoCodec::H264, "h264"), (VideoCodec::H265, "hevc")] {
        let encoder = start(&codec, &setup(kind));
        let mut stream = Vec::new();
        for number in 0..6 {
            // With a stride of its own, which another buffer of the ring need not have.
            let stride = 64 + 32 * (number as i32 % 2);
            feed(&encoder, grey(codec.memory(), 64, 48, stride, 50 + 20 * number as u8), number);
            let unit = take(&encoder);
            if number == 3 {
                encoder.request_key_frame().unwrap();
            }
            assert_eq!((*unit.tag(), encoder.held(), encoder.pending()), (number, 0, 0));
            assert_eq!(unit.is_key(), [0, 4].contains(&number), "{name} {number}");
            stream.extend_from_slice(unit.bytes());
        }
        assert_eq!(decoded(name, &stream).len(), 6 * 64 * 48 * 3 / 2);
        assert!(shown(name, &stream, 64, 48, 150));
    }
}

#[test]
fn a_picture_is_held_until_it_is_consumed_and_no_longer() {
    let board = board();
    let codec = codec();
    let encoder = start(&codec, &setup(VideoCodec::H264));
    board.place.ion().plan(Fault::of("coding", 0).delay_ms(1500)).unwrap();
    let gone = Arc::new(AtomicBool::new(false));
    let picture = grey(codec.memory(), 64, 48, 64, 100);
    let place = placed(&picture);
    let owner = Box::new(Told { gone: gone.clone(), _picture: picture });
    assert!(encoder.feed(&place, 1, owner, DEADLINE).is_ok());
    assert!(!gone.load(Ordering::SeqCst) && encoder.held() == 1, "the hardware is not there yet");
    let unit = take(&encoder);
    assert!(gone.load(Ordering::SeqCst), "no longer than that");
    assert!(shown("h264", unit.bytes(), 64, 48, 100));
}

#[test]
fn a_refused_picture_comes_back_with_its_owner_and_can_be_copied() {
    let _board = board();
    let codec = codec();
    let usual = setup(VideoCodec::H264);
    let encoder = start(&codec, &usual);
    for _ in 0..5 {
        // More often than there are places: none is lost.
        let picture = grey(codec.memory(), 64, 48, 96, 77);
        let elsewhere = Placed { physical: [0x1000, 0x2000, 0], ..placed(&picture) };
        let refused = encoder.feed(&elsewhere, 1, Box::new(picture), DEADLINE).err().unwrap();
        assert!(refused.is_about_its_memory() && !refused.error.is_transient());
        assert_eq!(
            refused.error.to_string(),
            "hb_mm_mc_queue_input_buffer: INVALID_BUFFER (-268435445)"
        );
    }
    assert_eq!((encoder.held(), encoder.pending()), (0, 0));
    feed(&encoder, grey(codec.memory(), 64, 48, 96, 77), 2);
    let in_place = take(&encoder).bytes().to_vec();
    let copying = start(&codec, &EncoderSetup { input: Input::Copied, ..usual });
    let (luma, chroma) = (vec![77; 96 * 48], vec![128; 96 * 24]);
    let short = copying.feed_copy(&[(&luma, 96), (&luma[..5], 96)], 3, DEADLINE).unwrap_err();
    assert_eq!(short.kind(), ErrorKind::InvalidArgument);
    let copied = copying.feed_copy(&[(&luma, 96), (&chroma, 96)], 3, DEADLINE).unwrap();
    assert_eq!(copied, 64 * 48 * 3 / 2);
    assert_eq!(take(&copying).bytes(), in_place, "it is the same picture");
    let other_kind = encoder.feed_copy(&[(&luma, 96), (&chroma, 96)], 3, DEADLINE).unwrap_err();
    assert_eq!(other_kind.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_full_codec_says_so_for_a_moment_and_a_failed_picture_is_only_that_one() {
    let board = board();
    let codec = codec();
    let encoder = start(&codec, &EncoderSetup { units: 1, ..setup(VideoCodec::H264) });
    assert!(encoder.take(SHORT).unwrap().is_none());
    let failing = Fault::of("coding", CODING_FAILED).delay_ms(1500);
    board.place.ion().plan(failing).unwrap();
    feed(&encoder, grey(codec.memory(), 64, 48, 64, 100), 1);
    feed(&encoder, grey(codec.memory(), 64, 48, 64, 120), 2);
    let picture = grey(codec.memory(), 64, 48, 64, 140);
    let Refused { error, owner } =
        encoder.feed(&placed(&picture), 3, Box::new(picture), SHORT).err().unwrap();
    assert_eq!((error.code(), error.is_transient()), (Some(WAIT_TIMEOUT), true));
    drop(owner);
    let error = encoder.take(DEADLINE).err().unwrap();
    assert_eq!((error.code(), error.is_transient()), (Some(CODING_FAILED), false));
    let unit = take(&encoder);
    assert_eq!((*unit.tag(), unit.is_key(), encoder.held()), (2, true, 0));
    assert!(shown("h264", unit.bytes(), 64, 48, 120));
}

#[test]
fn units_and_pictures_may_outlive_their_encoder() {
    let board = board();
    let codec = codec();
    let encoder = start(&codec, &setup(VideoCodec::H264));
    feed(&encoder, grey(codec.memory(), 64, 48, 64, 100), 1);
    let unit = take(&encoder);
    drop(encoder);
    assert!(shown("h264", unit.bytes(), 64, 48, 100));
    drop(unit);
    assert!(board.ids().is_empty(), "the codec has ended with its last unit");
    let encoder = start(&codec, &setup(VideoCodec::H264));
    board.place.ion().plan(Fault::of("coding", 0).delay_ms(1500)).unwrap();
    let gone = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
    for told in &gone {
        let picture = grey(codec.memory(), 64, 48, 64, 100);
        let place = placed(&picture);
        assert!(
            encoder
                .feed(&place, 1, Box::new(Told { gone: told.clone(), _picture: picture }), DEADLINE)
                .is_ok()
        );
    }
    drop(encoder);
    assert!(gone.iter().all(|gone| gone.load(Ordering::SeqCst)), "none is kept for ever");
}

#[test]
fn whatever_fails_on_the_way_up_leaves_nothing_behind() {
    let board = board();
    let codec = codec();
    for function in [
        "hb_mm_mc_get_default_context",
        "hb_mm_mc_get_rate_control_config",
        "hb_mm_mc_initialize",
        "hb_mm_mc_set_input_buffer_listener",
        "hb_mm_mc_configure",
        "hb_mm_mc_start",
    ] {
        for _ in 0..10 {
            // So often that instances would run out.
            board.place.ion().plan(Fault::of(function, -268_435_449)).unwrap();
            let error = Encoder::<u32>::start(&codec, &setup(VideoCodec::H265)).err().unwrap();
            assert_eq!(error.to_string(), format!("{function}: INSUFFICIENT_RES (-268435449)"));
            assert!(board.ids().is_empty(), "{function}");
        }
    }
    let odd = EncoderSetup { width: 63, ..setup(VideoCodec::H264) };
    board.place.ion().plan(Fault::of("hb_mm_mc_get_default_context", CODING_FAILED)).unwrap();
    let error = Encoder::<u32>::start(&codec, &odd).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "before anything is opened");
    assert!(Encoder::<u32>::start(&codec, &setup(VideoCodec::H264)).is_err(), "the fault waited");
    start(&codec, &setup(VideoCodec::H264));
}

#[test]
fn options_show_in_the_stream() {
    let _board = board();
    let codec = codec();
    let noise = |seed: usize| {
        picture_of(codec.memory(), 64, 48, 64, move |x, y| ((x * 37) ^ (y * 101) ^ seed) as u8)
    };
    let profile = |profile| {
        let encoder = start(&codec, &EncoderSetup { profile, ..setup(VideoCodec::H264) });
        feed(&encoder, noise(1), 1);
        take(&encoder).bytes()[5] // profile_idc, behind start code and kind
    };
    let asked = [Some(Profile::Baseline), Some(Profile::Main), Some(Profile::High)].map(profile);
    assert_eq!(asked, [66, 77, 100]);
    let encoder = start(&codec, &EncoderSetup { gop: 2, ..setup(VideoCodec::H265) });
    let keys: Vec<bool> = (0..5)
        .map(|tag| {
            feed(&encoder, noise(tag as usize), tag);
            take(&encoder).is_key()
        })
        .collect();
    assert_eq!(keys, [true, false, true, false, true]);
    let encoder = start(&codec, &EncoderSetup { bitrate_kbps: 4000, ..setup(VideoCodec::H264) });
    feed(&encoder, noise(1), 1);
    let large = take(&encoder).bytes().len();
    encoder.set_bitrate(100).unwrap();
    feed(&encoder, noise(1), 2);
    assert!(take(&encoder).bytes().len() < large);
    let error = encoder.set_bitrate(700_001).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn each_jpeg_is_a_key_picture() {
    let _board = board();
    let codec = codec();
    let encoder = start(&codec, &setup(VideoCodec::Mjpeg));
    for tag in 0..3 {
        feed(&encoder, grey(codec.memory(), 64, 48, 64, 100), tag);
        let unit = take(&encoder);
        assert_eq!(
            (*unit.tag(), unit.is_key(), &unit.bytes()[..2]),
            (tag, true, &[0xff, 0xd8][..])
        );
    }
    assert_eq!(encoder.set_bitrate(100).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn without_ffmpeg_the_stand_in_fails_as_a_codec_that_does_not_open() {
    let board = board();
    let nothing = [("PATH", "/nonexistent".to_owned())];
    let mut command = board.command("starts", &nothing);
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let (said, told) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("hb_mm_mc_start: OPEN_FAIL (-268435453)"), "{said} {told}");
    assert!(told.contains("no ffmpeg on the search path: `apt install ffmpeg`"), "{told}");
}

#[test]
fn a_process_that_is_killed_leaves_no_encoder_behind() {
    let board = board();
    let mut role = board.start("encodes");
    assert_eq!(role.line(), "encoded");
    let children = children_of(role.pid());
    assert_eq!(children.len(), 1, "its ffmpeg");
    assert!(runs(children[0]));
    role.kill();
    let deadline = Instant::now() + DEADLINE;
    while runs(children[0]) {
        assert!(Instant::now() < deadline, "it goes on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn children_of(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let children = tasks.flat_map(|task| {
        let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        listed.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>()
    });
    children.collect()
}

/// Whether there is such a process, and it is no zombie.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

#[test]
fn a_forked_child_gets_nothing_of_the_codec() {
    let _board: Board = board();
    let codec = codec();
    let encoder = start(&codec, &setup(VideoCodec::H264));
    feed(&encoder, grey(codec.memory(), 64, 48, 64, 100), 1);
    let unit = take(&encoder);
    let picture = grey(codec.memory(), 64, 48, 64, 120);
    // SAFETY: the child calls what refuses it and ends without running anything of ours.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let forked = |error: framelane_hobot::Error| error.kind() == ErrorKind::Forked;
        let place = placed(&picture);
        let refused = encoder.feed(&place, 2, Box::new(()), SHORT).err();
        let all = refused.is_some_and(|refused| forked(refused.error))
            && encoder.take(SHORT).err().is_some_and(forked)
            && encoder.request_key_frame().err().is_some_and(forked)
            && encoder.set_bitrate(5).err().is_some_and(forked)
            && Encoder::<u32>::start(&codec, encoder.setup()).err().is_some_and(forked)
            && (encoder.held(), encoder.pending()) == (0, 0);
        drop((unit, encoder, picture));
        // SAFETY: ends the child.
        unsafe { libc::_exit(if all { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: a place for the answer that lives during the call.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child was refused everything");
    drop(unit);
    feed(&encoder, picture, 2);
    assert_eq!(*take(&encoder).tag(), 2, "the parent goes on");
}
