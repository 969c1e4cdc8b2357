//! `framelane camera --source command:…`: what a program writes becomes a stream.

mod common;

use common::coded::{decoded, ffmpeg, joined, next, reader, signal, start, take};
use common::{Scene, finish, until};
use framelane::layout::RecordFlag;
use framelane::{Codec, Record};
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;

const MAKE: &str = "ffmpeg -v error -f lavfi -i testsrc=size=128x96:rate=25 -pix_fmt yuv420p";
const X264: &str = "-c:v libx264 -preset ultrafast -tune zerolatency -g 5 -f h264 -";
const X265: &str =
    "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=5:bframes=0 -f hevc -";
const MJPEG: &str = "-c:v mjpeg -strict unofficial -f mjpeg -";

fn program(pictures: u32, how: &str) -> String {
    format!("command:{MAKE} -frames:v {pictures} {how}")
}

fn camera<'a>(source: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["camera", "video", "--json", "--source", source][..], more].concat()
}

fn object(out: &[u8]) -> Value {
    serde_json::from_slice(out).unwrap()
}

fn flag(record: &Record, flag: u32) -> bool {
    record.info().flags & flag != 0
}

#[test]
fn every_codec_is_recognised_and_decodes() {
    let kinds = [
        (Codec::H264, "h264", X264, "h264"),
        (Codec::H265, "hevc", X265, "h265"),
        (Codec::Jpeg, "mjpeg", MJPEG, "mjpeg"),
    ];
    for (codec, format, how, name) in kinds {
        for given in [&[][..], &["--codec", name]] {
            let scene = Scene::new();
            let source = program(20, how);
            let more = [&["--frames", "20", "--fps", "50"][..], given].concat();
            let args = camera(&source, &more);
            let running = start(&scene, &args);
            let mut reader = reader(&scene, "video");
            let records = take(&mut reader, 20);
            let ran = finish(running);
            assert_eq!(ran.code, 0, "{}", ran.err);
            assert_eq!(decoded(format, &joined(&records), 128, 96).len(), 20, "{codec:?}");
            let config = records[0].config();
            assert_eq!(config.known_codec(), Some(codec));
            assert_eq!((config.width, config.height), (128, 96));
            assert_eq!((config.fps_numerator, config.fps_denominator), (50, 1));
            assert_eq!(config.parameter_sets().is_empty(), codec == Codec::Jpeg);
            let pts: Vec<_> = records.iter().map(|record| record.info().pts().unwrap()).collect();
            assert!(pts.windows(2).all(|pair| pair[1] - pair[0] == 20_000_000), "{pts:?}");
            let summary = object(&ran.out);
            assert_eq!((&summary["pictures"], &summary["damaged"]), (&20.into(), &0.into()));
            assert_eq!(summary["codec"], codec.name());
        }
    }
}

#[test]
fn a_program_that_dies_is_started_again_and_readers_stay() {
    let scene = Scene::new();
    let source = program(10, X264);
    let running = start(&scene, &camera(&source, &[]));
    let mut reader = reader(&scene, "video");
    let records = take(&mut reader, 25);
    signal(&running, Signal::TERM);
    let ran = finish(running);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let gaps: Vec<_> = records.iter().map(|r| flag(r, RecordFlag::DISCONTINUITY)).collect();
    assert_eq!(gaps, (0..25).map(|n| n == 10 || n == 20).collect::<Vec<_>>());
    assert!(records[10].is_key() && records[20].is_key());
    assert!(records.iter().all(|record| record.epoch() == records[0].epoch()));
    let pts: Vec<_> = records.iter().map(|record| record.info().pts()).collect();
    assert!(pts.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!(decoded("h264", &joined(&records), 128, 96).len(), 25);
    assert!(ran.err.contains("it is started again in 250 ms"), "{}", ran.err);
}

#[test]
fn a_change_of_codec_is_seen_before_the_record_that_needs_it_under_load() {
    let scene = Scene::new();
    let turn = scene.path().join("turn");
    // Each run takes the other codec.
    let (turn, h264, h265) = (
        turn.display(),
        format!("{MAKE} -frames:v 12 {X264}"),
        format!("{MAKE} -frames:v 9 {X265}"),
    );
    let source =
        format!("command:if rm '{turn}' 2>/dev/null; then {h265}; else touch '{turn}'; {h264}; fi");
    let running = start(&scene, &camera(&source, &["--ring-mib", "1"]));
    let mut readers: Vec<_> = (0..3).map(|_| reader(&scene, "video")).collect();
    let streams: Vec<Vec<Record>> = std::thread::scope(|scope| {
        let read = |reader| scope.spawn(move || take(reader, 40));
        let reading: Vec<_> = readers.iter_mut().map(read).collect();
        reading.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    signal(&running, Signal::TERM);
    let ran = finish(running);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for records in &streams {
        let codecs: Vec<_> = records.iter().map(|r| r.config().known_codec().unwrap()).collect();
        let expected = [(Codec::H264, 12), (Codec::H265, 9), (Codec::H264, 12), (Codec::H265, 7)];
        let expected: Vec<_> =
            expected.iter().flat_map(|&(codec, count)| std::iter::repeat_n(codec, count)).collect();
        assert_eq!(codecs, expected);
        let first: Vec<_> = records.iter().map(|record| record.new_config()).collect();
        let starts = [0, 12, 21, 33];
        assert_eq!(first, (0..40).map(|n| starts.contains(&n)).collect::<Vec<_>>());
        for (part, format) in [(0..12, "h264"), (12..21, "hevc"), (21..33, "h264")] {
            assert!(records[part.start].is_key());
            let count = part.len();
            assert_eq!(decoded(format, &joined(&records[part]), 128, 96).len(), count);
        }
    }
}

#[test]
fn a_program_that_cannot_work_is_an_error_that_says_why() {
    let cases = [
        ("command:no-such-program-here -o -", &[][..], "no-such-program-here"),
        ("command:/etc/passwd", &[], "exit status: 126"),
        ("command:echo no camera today >&2; exit 3", &[], "exit status: 3, after saying"),
        ("command:true", &[], "3 times, and not one picture came"),
        ("command:sleep 1000", &["--silence", "0.2"], "no picture for 0.2 s"),
        ("command:yes no video", &["--silence", "0.5"], "no picture for 0.5 s"),
        ("command:exec >&-; sleep 1000", &[], "not one picture came"),
        ("command:head -c 3000000 /dev/urandom", &[], "not one picture came"),
    ];
    for (source, more, says) in cases {
        let scene = Scene::new();
        let ran = finish(start(&scene, &camera(source, more)));
        assert_eq!(ran.code, 1, "{source}: {}", ran.err);
        let last = ran.err.lines().rfind(|line| line.starts_with("framelane:"));
        assert!(last.unwrap_or("").contains(says), "{source}: {}", ran.err);
    }
    let scene = Scene::new();
    for (args, says) in [
        (&["--source", "command:"][..], "needs a program"),
        (&["--source", "command:true", "--size", "64x48"], "--size is for pixels"),
    ] {
        let ran = scene.run(&[&["camera", "video"], args].concat());
        assert!(ran.code == 2 && ran.err.contains(says), "{}", ran.err);
    }
}

#[test]
fn a_program_that_hangs_after_pictures_is_started_again() {
    let scene = Scene::new();
    let source = format!("command:{MAKE} -frames:v 6 {X264}; sleep 1000");
    let running = start(&scene, &camera(&source, &["--silence", "0.5"]));
    let mut reader = reader(&scene, "video");
    // The sixth is known to be whole when the program is given up.
    let records = take(&mut reader, 13);
    assert!(flag(&records[6], RecordFlag::DISCONTINUITY) && records[6].is_key());
    signal(&running, Signal::TERM);
    let ran = finish(running);
    assert!(ran.err.contains("no picture for 0.5 s"), "{}", ran.err);
}

#[test]
fn half_a_picture_is_never_passed_on() {
    let scene = Scene::new();
    let clip = scene.path().join("clip.h264");
    let made = ffmpeg(&made(8), &[]);
    // Without the end of its last picture, which alone would show that the seventh is whole.
    std::fs::write(&clip, &made[..made.len() - 5]).unwrap();
    let source = format!("command:cat '{}'; exit 1", clip.display());
    let running = start(&scene, &camera(&source, &[]));
    let mut failing = reader(&scene, "video");
    let records = take(&mut failing, 18);
    signal(&running, Signal::TERM);
    let ran = finish(running);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let gaps: Vec<_> = records.iter().map(|r| flag(r, RecordFlag::DISCONTINUITY)).collect();
    assert_eq!(gaps, (0..18).map(|n| n == 6 || n == 12).collect::<Vec<_>>());
    assert_eq!(decoded("h264", &joined(&records), 128, 96).len(), 18);
    // Nor when it is we who end it.
    let source = format!("command:cat '{}'; sleep 1000", clip.display());
    let running = start(&scene, &camera(&source, &["--silence", "0"]));
    take(&mut reader(&scene, "video"), 6);
    signal(&running, Signal::TERM);
    assert_eq!(object(&finish(running).out)["pictures"], 6);
}

#[test]
fn garbage_between_pictures_costs_itself() {
    let scene = Scene::new();
    let clip = scene.path().join("clip.h264");
    std::fs::write(&clip, ffmpeg(&made(8), &[])).unwrap();
    let clip = clip.display();
    let noise = "head -c 400000 /dev/zero | tr '\\0' U";
    let source =
        format!("command:{noise}; cat '{clip}'; printf '\\0\\0\\1\\377\\377'; cat '{clip}'");
    let running = start(&scene, &camera(&source, &["--frames", "16"]));
    let mut reader = reader(&scene, "video");
    let records = take(&mut reader, 16);
    let ran = finish(running);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(decoded("h264", &joined(&records), 128, 96).len(), 16);
    assert_eq!(object(&ran.out)["starts"], 1, "{}", ran.err);
    assert!(ran.err.contains("cannot begin with [ff, ff]"), "{}", ran.err);
}

fn made(pictures: u32) -> Vec<&'static str> {
    let made: Vec<_> = MAKE.split(' ').skip(3).chain(X264.split(' ')).collect();
    let count: &'static str = if pictures == 8 { "8" } else { "100000" };
    let (input, output) = made.split_at(4);
    [input, &["-frames:v", count], output].concat()
}

/// Whether a process runs; one that nobody waits for has ended all the same.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'))
}

#[test]
fn everything_it_started_ends_with_it_whatever_happens() {
    for how in [Signal::TERM, Signal::KILL] {
        let scene = Scene::new();
        let pids = scene.path().join("pids");
        let (place, make) = (pids.display(), MAKE.replace("-f lavfi", "-re -f lavfi"));
        let source = format!(
            "command:trap '' TERM; sleep 1000 & echo $! $$ > '{place}'; {make} {X264}; wait"
        );
        let mut running = start(&scene, &camera(&source, &[]));
        let mut reader = reader(&scene, "video");
        next(&mut reader);
        let pids = std::fs::read_to_string(&pids).unwrap();
        let pids: Vec<_> = pids.split_whitespace().collect();
        assert!(pids.len() == 2 && pids.iter().all(|pid| runs(pid)), "{pids:?}");
        signal(&running, how);
        until("the camera ends", || running.try_wait().unwrap().is_some());
        until("what it started ends", || pids.iter().all(|pid| !runs(pid)));
    }
}

#[test]
fn a_stopped_reader_holds_nobody_up() {
    let scene = Scene::new();
    let source = format!("command:{MAKE} -frames:v 400 {X264}");
    let running = start(&scene, &camera(&source, &["--frames", "400", "--ring-records", "16"]));
    // It reads nothing until all is over.
    let mut slow = reader(&scene, "video");
    let ran = finish(running);
    assert_eq!((ran.code, &object(&ran.out)["pictures"]), (0, &400.into()), "{}", ran.err);
    let error = slow.try_next().map(drop).unwrap_err();
    assert_eq!(error.kind(), framelane::ErrorKind::Lapped);
}
