//! What a configuration may say.

use super::*;
use framelane::ErrorKind;

const TWO: &str = r#"
[[camera]]
host = 0
[[camera.channel]]
number = 0
size = [640, 480]
[[camera.channel]]
number = 1
size = [640, 360]
transport = "zero-copy"

[[camera]]
host = 2
[camera.sensor]
fps = 15
[[camera.channel]]
number = 3
size = [640, 640]
crop = [160, 440, 640, 640]
buffers = 4
lease_ms = 200
copy_lane = "copies"
"#;

#[test]
fn lanes_have_the_names_of_the_system_before() {
    let config = Config::parse(TWO).unwrap();
    let names = |camera: usize| -> Vec<String> {
        let channels = config.cameras[camera].channels.iter();
        channels.map(|channel| config.lane_of(camera, channel)).collect()
    };
    assert_eq!(names(0), ["pet_camera_active_zc", "pet_camera_yolo_zc"]);
    assert_eq!(names(1), ["pet_camera_roi_zc_0_cam1"]);
    let channel = &config.cameras[0].channels[0];
    assert_eq!((channel.lease_ms, channel.buffers, channel.transport), (66, 3, Transport::Auto));
}

#[test]
fn what_is_wrong_is_named() {
    let change = |from: &str, to: &str| {
        assert!(TWO.contains(from), "{from}");
        let error = Config::parse(&TWO.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    };
    for (from, to, words) in [
        ("host = 2", "host = 0", "two cameras at host 0"),
        ("number = 1", "number = 0", "channel 0 is there twice"),
        ("[640, 640]", "[800, 640]", "channel 3: it only scales down"),
        ("lease_ms = 200", "lease_ms = 100", "shorter than two frames, 132 ms"),
        ("\"copies\"", "\"pet_camera_yolo_zc\"", "two channels publish to lane"),
        ("buffers = 4", "bufers = 4", "unknown field `bufers`"),
        ("\"zero-copy\"", "\"fast\"", "unknown variant `fast`"),
        ("buffers = 4", "buffers = 4\nleases = 0", "0 leases"),
        ("host = 2", "host = 2\nsilence_ms = 199", "silence_ms = 199 is less than 200"),
        ("fps = 15", "fps = 15\nlanes = 3", "3 MIPI lanes"),
    ] {
        let text = change(from, to);
        assert!(text.contains(words), "{text}");
    }
    assert!(Config::parse("camera = []").unwrap_err().to_string().contains("no [[camera]]"));
}

/// Two cameras of two channels each behind switches.
fn switched(more: &str) -> Result<Config> {
    let camera = |host: u32| {
        let channel = |n: u32| format!("[[camera.channel]]\nnumber = {n}\nsize = [640, 360]\n");
        format!("[[camera]]\nhost = {host}\n{}{}", channel(0), channel(1))
    };
    Config::parse(&format!("{}{}{more}", camera(0), camera(2)))
}

#[test]
fn a_switch_has_the_usual_name_and_the_lanes_behind_it_their_cameras() {
    let config = switched("[switch]\ninactive = \"asleep\"").unwrap();
    let names: Vec<(String, Vec<String>)> =
        config.switches().into_iter().map(|named| (named.name, named.lanes)).collect();
    let lanes = |name: &str| vec![format!("{name}_cam0"), format!("{name}_cam1")];
    let wanted = ["pet_camera_active_zc", "pet_camera_yolo_zc"];
    assert_eq!(names, wanted.map(|name| (name.to_owned(), lanes(name))));
    let switch = config.switch.unwrap();
    assert_eq!((switch.dark, switch.bright, switch.warm_up_frames), (50, 60, 15));
    assert_eq!((switch.policy, switch.inactive), (Policy::Brightness, Inactive::Asleep));
    assert!(switched("").unwrap().switches().is_empty());
}

#[test]
fn a_switch_that_cannot_work_is_refused() {
    for (more, words) in [
        ("switch = \"main\"", "there is no [switch]"),
        ("lane = \"pet_camera_yolo_zc\"\n[switch]", "a switch and a lane"),
        ("[switch]\nactive = 2", "0 or 1"),
        ("[switch]\ndark = 61", "overlap"),
        ("[switch]\npolicy = \"moon\"", "unknown variant `moon`"),
        ("[readers]\neveryone = true\ngroup = 44", "not both"),
    ] {
        let text = switched(more).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    }
    let one = TWO.replace("number = 3", "number = 3\nswitch = \"main\"");
    assert!(
        Config::parse(&format!("{one}[switch]")).unwrap_err().to_string().contains("no channel")
    );
}

/// Keys that a section may have, as the parser tells them to whoever uses another.
fn keys_of(section: &str) -> Vec<String> {
    let camera = "[[camera]]\nhost = 0\n";
    let channel = "[[camera.channel]]\nnumber = 0\nsize = [64, 48]\n";
    let text = match section {
        "camera" => format!("{camera}other = 1\n{channel}"),
        "channel" => format!("{camera}{channel}other = 1\n"),
        "sensor" => format!("{camera}[camera.sensor]\nother = 1\n{channel}"),
        _ => format!("{camera}{channel}[{section}]\nother = 1\n"),
    };
    let told = Config::parse(&text).unwrap_err().to_string();
    let (_, expected) = told.split_once("expected one of").expect(&told);
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_example_of_the_guide_is_good_and_has_every_key() {
    let text = include_str!("../../../../../docs/board/cameras.toml");
    let config = Config::parse(text).unwrap();
    let names: Vec<String> = config.switches().into_iter().map(|named| named.name).collect();
    assert_eq!(names, ["pet_camera_active_zc", "pet_camera_yolo_zc"]);
    assert_eq!(config.cameras[0].sensor, Sensor::default(), "what holds without it");
    assert_eq!(config.switch, Some(Switching::default()));
    let all_commented_in = text.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
    let lines: Vec<&str> = all_commented_in.collect();
    for section in ["camera", "sensor", "channel", "switch", "readers"] {
        let keys = keys_of(section);
        assert!(keys.len() > 3, "{section}: {keys:?}");
        for key in keys {
            let there = ["{} = ", "[{}]", "[[{}]]", "[camera.{}]", "[[camera.{}]]"]
                .map(|shape| shape.replace("{}", &key));
            let is = |line: &&str| there.iter().any(|start| line.starts_with(start.as_str()));
            assert!(lines.iter().any(is), "{section}: {key}");
        }
    }
}
