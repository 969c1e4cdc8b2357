//! Playing files into stream lanes and recording lanes into files, held against ffmpeg.

mod common;

use common::video::{Clip, decode, ffmpeg, first_frame_is_key, units};
use common::{DEADLINE, Scene, finish, until};
use framelane::layout::RecordFlag;
use framelane::{Codec, RecordInfo, StreamConfig, StreamWriter, StreamWriterOptions};
use framelane_camera::mp4::Unit;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};

/// Plays a clip into a lane while it is recorded, neither leaving anything out.
fn round(scene: &Scene, clip: &Clip, recorded: &str, more: &[&str]) -> Value {
    let play = scene.command(&["play", clip.text(), "v", "--lossless"]).spawn().unwrap();
    let mut args = vec!["record", "v", recorded, "--lossless", "--until-end", "--json"];
    args.extend(more);
    let ran = scene.run(&args);
    let played = finish(play);
    assert_eq!((ran.code, played.code), (0, 0), "{} {}", ran.err, played.err);
    serde_json::from_slice(&ran.out).unwrap()
}

#[test]
fn what_was_played_is_recorded_unit_by_unit() {
    for codec in ["libx264", "libx265"] {
        let scene = Scene::new();
        let plain = Clip::new(&scene, codec, &[]);
        let parts = Clip::new(&scene, codec, &["-movflags", "frag_keyframe+empty_moov"]);
        for (number, clip) in [plain, parts].iter().enumerate() {
            let path = scene.path().join(format!("{codec}-{number}.mp4"));
            let summary = round(&scene, clip, path.to_str().unwrap(), &[]);
            assert_eq!(summary["records"], 60, "{summary}");
            assert_eq!((&summary["missed"], &summary["error"]), (&json!(0), &json!(null)));
            let (before, after) = (units(&clip.path), units(&path));
            assert_eq!(before.len(), 60);
            let shift = before[0].dts_ns - after[0].dts_ns;
            for (before, after) in before.iter().zip(&after) {
                assert_eq!((&before.bytes, before.key), (&after.bytes, after.key));
                let off = |a: i64, b: i64| (a - b - shift).abs();
                assert!(off(before.pts_ns, after.pts_ns) < 2000, "{before:?} {after:?}");
                assert!(off(before.dts_ns, after.dts_ns) < 2000, "{before:?} {after:?}");
            }
            assert_eq!(decode(&clip.path), decode(&path));
            assert!(first_frame_is_key(&path));
        }
    }
}

#[test]
fn a_new_file_begins_at_a_key_record_when_one_is_long_enough() {
    let scene = Scene::new();
    let clip = Clip::new(&scene, "libx264", &[]);
    let path = scene.path().join("part.mp4");
    std::fs::write(scene.path().join("part-0002.mp4"), "of an earlier run").unwrap();
    let summary = round(&scene, &clip, path.to_str().unwrap(), &["--rotate", "500ms"]);
    let files = summary["files"].as_array().unwrap();
    assert_eq!(files.len(), 4, "{summary}");
    let mut all = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let path = file["file"].as_str().unwrap();
        let name = ["part.mp4", "part-0003.mp4", "part-0004.mp4", "part-0005.mp4"][number];
        assert!(path.ends_with(name), "{path}");
        assert_eq!(file["records"], 15);
        assert!(first_frame_is_key(path.as_ref()));
        decode(path.as_ref());
        all.extend(units(path.as_ref()).into_iter().map(|unit| unit.bytes));
    }
    let whole: Vec<_> = units(&clip.path).into_iter().map(|unit| unit.bytes).collect();
    assert!(all == whole);
    let path = scene.path().join("other.mp4");
    let ran = scene.run(&["record", "v", path.to_str().unwrap(), "--wait", "0s"]);
    assert_eq!(ran.code, 3, "there is no lane any more: {}", ran.err);
}

#[test]
fn a_file_that_is_there_is_not_touched_without_force() {
    let scene = Scene::new();
    let clip = Clip::new(&scene, "libx264", &[]);
    let path = scene.path().join("there.mp4");
    let record = |more: &[&str]| {
        let play = scene.command(&["play", clip.text(), "v", "--loop"]).spawn().unwrap();
        let args = ["record", "v", path.to_str().unwrap(), "--frames", "3"];
        let ran = scene.run(&[&args[..], more].concat());
        stop(play);
        ran
    };
    std::fs::write(&path, "precious").unwrap();
    let ran = record(&[]);
    assert!(ran.code == 1 && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    let ran = record(&["--force"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(units(&path).len(), 3);
}

/// Ends a command as a service manager does.
fn stop(child: Child) {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ran = finish(child);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_file_that_may_not_grow_any_more_plays_as_far_as_it_came() {
    let scene = Scene::new();
    let clip = Clip::new(&scene, "libx264", &[]);
    let path = scene.path().join("full.mp4");
    let play = scene.command(&["play", clip.text(), "v", "--loop"]).spawn().unwrap();
    let program = env!("CARGO_BIN_EXE_framelane");
    // Blocks of 512 bytes.
    let script = format!("ulimit -f 150; exec {program} record v {} --json", path.display());
    let mut limited = Command::new("sh");
    limited.args(["-c", &script]).env("FRAMELANE_DIR", scene.path()).env("NO_COLOR", "1");
    limited.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = finish(limited.spawn().unwrap());
    stop(play);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("too large") && ran.err.contains("play"), "{}", ran.err);
    let summary: Value = serde_json::from_slice(&ran.out).unwrap();
    assert!(summary["error"].as_str().unwrap().contains("too large"), "{summary}");
    let written = units(&path).len();
    assert!(written > 0 && summary["records"] == json!(written), "{written} {summary}");
    decode(&path);
}

#[test]
fn a_killed_recorder_leaves_a_file_that_plays() {
    let scene = Scene::new();
    let clip = Clip::new(&scene, "libx265", &[]);
    let path = scene.path().join("killed.mp4");
    let play = scene.command(&["play", clip.text(), "v", "--loop"]).spawn().unwrap();
    let mut record = scene.command(&["record", "v", path.to_str().unwrap()]).spawn().unwrap();
    let long = || std::fs::metadata(&path).is_ok_and(|found| found.len() > 40_000);
    until("nothing is recorded", long);
    record.kill().unwrap();
    record.wait().unwrap();
    stop(play);
    assert!(units(&path).len() > 10);
    decode(&path);
    assert!(first_frame_is_key(&path));
}

#[test]
fn raw_frames_are_recorded_and_played() {
    let scene = Scene::new();
    let (first, second) = (scene.path().join("first.y4m"), scene.path().join("second.y4m"));
    let camera = ["camera", "raw", "--size", "64x48", "--fps", "100", "--lossless"];
    let camera = scene.command(&camera).spawn().unwrap();
    let record = |lane: &str, file: &std::path::Path, more: &[&str]| {
        let args = ["record", lane, file.to_str().unwrap(), "--lossless", "--json"];
        let ran = scene.run(&[&args[..], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_slice::<Value>(&ran.out).unwrap()
    };
    let summary = record("raw", &first, &["--frames", "20"]);
    assert_eq!((&summary["records"], &summary["missed"]), (&json!(20), &json!(0)), "{summary}");
    stop(camera);
    let play = ["play", first.to_str().unwrap(), "again", "--lossless"];
    let play = scene.command(&play).spawn().unwrap();
    assert_eq!(record("again", &second, &["--until-end"])["records"], 20);
    assert_eq!(finish(play).code, 0);
    let frames = |path| {
        let bytes = std::fs::read(path).unwrap();
        let header = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        bytes[header..].to_vec()
    };
    assert!(frames(&first) == frames(&second));
    assert_eq!(decode(&first), decode(&second));
    let ran = scene.run(&["record", "x", "x.y4m", "--pre", "1s"]);
    assert!(ran.code == 2 && ran.err.contains("no past"), "{}", ran.err);
}

#[test]
fn a_new_file_begins_where_the_codec_changes() {
    let scene = Scene::new();
    let (old, new) = (Clip::new(&scene, "libx264", &[]), Clip::new(&scene, "libx265", &[]));
    let path = scene.path().join("switch.mp4");
    let config = |codec| StreamConfig::video(codec, 320, 240);
    let options = StreamWriterOptions::new(config(Codec::H264)).lossless(true);
    let writer = StreamWriter::create("v", options.directory(scene.directory())).unwrap();
    let args = ["record", "v", path.to_str().unwrap(), "--lossless", "--until-end", "--json"];
    let child = scene.command(&args).spawn().unwrap();
    until("nobody reads", || writer.readers() == 1);
    let write = |units: &[Unit]| {
        for unit in units {
            let flags = if unit.key { RecordFlag::KEY } else { 0 };
            let (pts_ns, dts_ns) = (unit.pts_ns, unit.dts_ns);
            let info = RecordInfo { flags, pts_ns, dts_ns, ..RecordInfo::new() };
            writer.write_within(&info, &[&unit.bytes], DEADLINE).unwrap();
        }
    };
    write(&units(&old.path));
    writer.set_config_within(&config(Codec::H265), DEADLINE).unwrap();
    let units_265 = units(&new.path);
    // Without a key record first nothing of it can be decoded.
    write(&units_265[3..5]);
    write(&units_265);
    writer.set_config_within(&StreamConfig::new(Codec::Json), DEADLINE).unwrap();
    writer.write_within(&RecordInfo::new(), &[b"{}"], DEADLINE).unwrap();
    let taken = || {
        let report = writer.report();
        report.consumers[0].cursor > report.head
    };
    until("not all is read", taken);
    drop(writer);
    let ran = finish(child);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let summary: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!((&summary["before_key"], &summary["other_codec"]), (&json!(2), &json!(1)));
    let files = summary["files"].as_array().unwrap();
    assert_eq!((&files[0]["codec"], &files[0]["records"]), (&json!("h264"), &json!(60)));
    assert_eq!((&files[1]["codec"], &files[1]["records"]), (&json!("h265"), &json!(60)));
    decode(&path);
    assert_eq!(decode(files[1]["file"].as_str().unwrap().as_ref()), decode(&new.path));
}

#[test]
fn the_next_writer_goes_on_in_the_same_file() {
    let scene = Scene::new();
    let clip = Clip::new(&scene, "libx264", &[]);
    let path = scene.path().join("restart.mp4");
    let args = ["record", "v", path.to_str().unwrap(), "--frames", "100", "--json"];
    let child = scene.command(&args).spawn().unwrap();
    for _ in 0..2 {
        let play = ["play", clip.text(), "v", "--readers", "1", "--loop", "--frames", "70"];
        let ran = scene.run(&[&play[..], &["--speed", "4"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let ran = finish(child);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let summary: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!((&summary["restarts"], &summary["records"]), (&json!(1), &json!(100)));
    assert_eq!(summary["files"].as_array().unwrap().len(), 1, "{summary}");
    assert_eq!(units(&path).len(), 100);
    decode(&path);
}

#[test]
fn bare_video_is_played() {
    // In the order in which they are shown, as cameras encode: a bare file has no times.
    let ordered = ["-x265-params", "log-level=error:keyint=15:bframes=0"];
    for (codec, ending, how) in [("libx264", "h264", &["-bf", "0"]), ("libx265", "h265", &ordered)]
    {
        let scene = Scene::new();
        let clip = Clip::new(&scene, codec, how);
        let bare = scene.path().join(format!("bare.{ending}"));
        let path = scene.path().join("bare.mp4");
        ffmpeg(&["-v", "error", "-i", clip.text(), "-c", "copy", bare.to_str().unwrap()]);
        let clip = Clip { path: bare };
        let summary = round(&scene, &clip, path.to_str().unwrap(), &[]);
        assert_eq!(summary["records"], 60, "{summary}");
        assert_eq!(decode(&clip.path), decode(&path));
    }
}

#[test]
fn files_that_cannot_be_played_are_named() {
    let scene = Scene::new();
    let path = scene.path().join("bad.mp4");
    for bytes in [&b""[..], b"garbage that goes on for a while", &[0; 4096]] {
        std::fs::write(&path, bytes).unwrap();
        let ran = scene.run(&["play", path.to_str().unwrap(), "v"]);
        assert!(ran.code == 1 && ran.err.contains("bad.mp4"), "{}", ran.err);
    }
    let clip = Clip::new(&scene, "mpeg4", &[]);
    let ran = scene.run(&["play", clip.text(), "v"]);
    assert!(ran.code == 1 && ran.err.contains("H.264 and H.265"), "{}", ran.err);
}
