use super::super::source::{ACTIVE, YOLO};
use super::*;
use serde_json::json;

fn ended(name: &str) -> Ended {
    let figures = json!({
        "received": 9, "pid": 1, "revoked": 0, "epochs": 3, "out_of_order": 0, "unaccounted": 0,
        "torn": 0,
        "stages": [
            { "stage": "capture_to_publish", "count": 9, "p50_ns": 1_500_000, "p99_ns": 2_500_000 },
            { "stage": "capture_to_received", "count": 9, "p50_ns": 1_600_000,
              "p99_ns": 9_000_000 },
        ],
    });
    let cpu = Duration::from_millis(50);
    Ended { name: name.into(), figures, cpu, ending: Ending::Exit(0) }
}

fn played(name: &'static str, pid: u32, figures: Value) -> Played {
    let cpu = Duration::from_millis(250);
    let (pids, endings) = (vec![pid], vec![Ending::Exit(0)]);
    Played { name, language: "Rust", figures, pids, endings, cpu }
}

fn books() -> Value {
    let mut books = Value::Null;
    let reader = |id: u32, pid: u32| {
        json!({ "consumer_id": id, "pid": pid, "received": 100, "missed": 1, "revoked": 0,
                "copied_bytes": 0 })
    };
    for (now, published) in [(0, 0), (10_000_000_000_u64, 300)] {
        let lane = |name: &str, kind: &str, format: &str, readers: Vec<Value>| {
            json!({ "name": name, "epoch": "e", "kind": kind, "format": format, "width": 640,
                    "height": 480, "published": published, "revoked": 0, "no_free_slot": 0,
                    "copied_bytes": 0, "consumers": readers })
        };
        let look = json!({ "now_ns": now, "lanes": [
            lane("pet_camera_active_zc_cam0", "frame", "nv12",
                 (2..8).map(|pid| reader(pid, pid)).collect()),
            lane("pet_camera_stream", "stream", "h264", vec![reader(1, 2)]),
        ]});
        books::take(&mut books, &look.to_string());
    }
    books
}

fn cameras() -> Cameras {
    let (active, yolo) = (ACTIVE.to_owned(), YOLO.to_owned());
    Cameras { active, yolo, switched: true, lease_ms: Some(30_000), copies: false }
}

/// A run in which all went well.
pub fn good() -> Evidence {
    let channel = || json!({ "published": 9, "copied_bytes": 0, "revoked": 0, "starved": 0 });
    let camera = json!({
        "cameras": [{ "channels": [channel(), channel()] }],
        "switches": [{ "switch": ACTIVE, "switched": 2 }, { "switch": YOLO, "switched": 3 }],
    });
    let encoder = json!({
        "elapsed_ns": 10_000_000_000_u64, "frame_copied_bytes": 0, "switches": 2,
        "written_bytes": 2_500_000, "copied_bytes": 2_500_000,
    });
    let mut meter = played(KILLED, 6, Value::Null);
    meter.pids.push(7);
    meter.endings.insert(0, Ending::Signal(9));
    let mut viewer = ended("viewer");
    viewer.figures = json!({ "pictures": 9, "p50_ms": 20.5, "p99_ms": 41.0 });
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.resize(400, 0);
    png.extend(b"IEND\xaeB`\x82");
    Evidence {
        cameras: Some(cameras()),
        strict: true,
        frames: true,
        struck: true,
        programs: vec![
            played("server", 2, Value::Null),
            played("monitor", 3, Value::Null),
            played("detector", 4, Value::Null),
            played("encoder", 5, encoder),
            meter,
            played("camera", 1, camera),
        ],
        followers: vec![ended("pet_camera_active_zc"), ended("pet_camera_yolo_zc")],
        clocks: vec![
            (Clock::Frames, ended("latency")),
            (Clock::Encoded, ended("latency")),
            (Clock::Viewed, viewer),
        ],
        seen: [5, 5],
        stages: json!({ "stages": [{ "id": "monitor", "p50_ms": 3.5, "p99_ms": 9.0 }] }),
        metrics: [1000, 4_609_000]
            .map(|n| [String::new(), format!("framelane_monitor_copied_bytes_total {n}\n")]),
        before: Value::Null,
        after: books(),
        top: Ended { figures: books(), ..ended("top") },
        snapshot: Some(png),
        lost: Some(0),
        left: Vec::new(),
        elapsed: Duration::from_secs(10),
    }
}

fn failed(evidence: &Evidence) -> Vec<String> {
    let failed = judge(evidence).into_iter().filter(|verdict| !verdict.against.is_empty());
    failed.map(|verdict| verdict.claim).collect()
}

fn program<'a>(evidence: &'a mut Evidence, name: &str) -> &'a mut Played {
    evidence.programs.iter_mut().find(|program| program.name == name).unwrap()
}

#[test]
fn a_good_run_is_found_good() {
    assert_eq!(failed(&good()), Vec::<String>::new());
}

#[test]
fn a_run_that_was_cut_short_promises_no_tour() {
    let mut short = good();
    (short.snapshot, short.struck) = (None, false);
    assert_eq!(failed(&short), ["every program ended as it should"], "killed by somebody else");
    program(&mut short, KILLED).endings = vec![Ending::Exit(0)];
    program(&mut short, "encoder").figures["switches"] = json!(0);
    assert_eq!(failed(&short), Vec::<String>::new());
    short.struck = true;
    assert_eq!(failed(&short), ["every program ended as it should"], "it was not killed");
    program(&mut short, KILLED).endings = vec![Ending::Signal(9)];
    assert_eq!(failed(&short), Vec::<String>::new(), "cut short before it came back");
    short.left.push("x.sock".into());
    assert_eq!(failed(&short), ["nothing was left behind"]);
}

#[test]
fn each_broken_promise_is_seen() {
    type Break = fn(&mut Evidence);
    fn channel(evidence: &mut Evidence, key: &str) {
        program(evidence, "camera").figures["cameras"][0]["channels"][1][key] = json!(1);
    }
    let breaks: &[(&str, Break)] = &[
        ("every program ended as it should", |e| {
            program(e, "server").endings = vec![Ending::Exit(1), Ending::Exit(0)];
        }),
        ("every program ended as it should", |e| e.followers[0].ending = Ending::Exit(1)),
        ("every program ended as it should", |e| e.top.ending = Ending::Signal(9)),
        ("nothing was left behind", |e| e.left.push("a.sock".into())),
        ("viewers saw the video and the page's pictures", |e| e.seen[1] = 0),
        ("viewers saw the video and the page's pictures", |e| {
            e.clocks[2].1.figures["pictures"] = json!(0);
        }),
        ("every program read", |e| program(e, "detector").pids = vec![99]),
        ("every frame in order, each missed one accounted for", |e| {
            e.followers[1].figures["unaccounted"] = json!(1);
        }),
        ("every frame in order, each missed one accounted for", |e| {
            e.followers[1].figures["torn"] = Value::Null;
        }),
        ("the snapshot is a picture", |e| e.snapshot.as_mut().unwrap().truncate(300)),
        ("the killed program came back and read on", |e| program(e, KILLED).pids.truncate(1)),
        ("no byte of a frame was copied but into the page's pictures", |e| {
            channel(e, "copied_bytes")
        }),
        ("no byte of a frame was copied but into the page's pictures", |e| {
            program(e, "encoder").figures["frame_copied_bytes"] = json!(1);
        }),
        ("no byte of a frame was copied but into the page's pictures", |e| {
            program(e, "encoder").figures["frame_copied_bytes"] = Value::Null
        }),
        ("every reader gave each frame back within its lease of 30000 ms", |e| {
            channel(e, "revoked")
        }),
        ("no camera frame was without a buffer", |e| channel(e, "starved")),
        ("no buffer of the cameras was lost", |e| e.lost = Some(1)),
        ("the cameras were switched at night and by day", |e| {
            program(e, "camera").figures["switches"][0]["switched"] = json!(1);
        }),
        ("who follows a switch saw both cameras", |e| e.followers[0].figures["epochs"] = json!(2)),
        ("the encoder followed with key pictures", |e| {
            program(e, "encoder").figures["switches"] = json!(1);
        }),
    ];
    for (claim, spoil) in breaks {
        let mut evidence = good();
        spoil(&mut evidence);
        assert_eq!(failed(&evidence), [*claim]);
    }
}

#[test]
fn on_a_board_of_ones_own_readers_may_be_late_but_not_deaf() {
    let mut late = good();
    (late.strict, late.lost) = (false, None);
    for key in ["revoked", "starved"] {
        program(&mut late, "camera").figures["cameras"][0]["channels"][1][key] = json!(1);
    }
    assert_eq!(failed(&late), Vec::<String>::new());
    late.followers[0].figures["pid"] = json!(5);
    let lanes = late.top.figures["lanes"].as_object_mut().unwrap();
    for lane in lanes.values_mut().filter(|lane| lane["kind"] == "frame") {
        lane["readers"]["5"]["revoked"] = json!(3);
    }
    assert_eq!(failed(&late), ["who follows is told of frames that are taken from it"]);
    late.followers[0].figures["revoked"] = json!(2);
    assert_eq!(failed(&late), Vec::<String>::new());
}
