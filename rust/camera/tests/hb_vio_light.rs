//! What the hb_vio source says of the light, with a clip before the stand-in's camera.

mod stage;

use framelane::layout::FrameFlag;
use framelane::{Consumer, ConsumerOptions, Frame, Mode};
use framelane_camera::hb_vio::Config;
use framelane_standin_ion::{Fault, Ion, Light, Scene};
use stage::common::{DEADLINE, board, entry};
use stage::{beside, until};
use std::path::Path;

/// Exposures in which it grows dark: in percent of the clip's light.
const DAY: [u32; 2] = [100, 20];
const SUNSET: [u32; 2] = [60, 100];
/// Luma all over the clip.
const LUMA: u32 = 120;

#[test]
fn child_entry() {
    entry(&[]);
}

/// Two cameras of one channel each behind the switch `main`.
fn config() -> Config {
    let camera = |host: u32| {
        format!(
            "[[camera]]\nhost = {host}\nsilence_ms = 60000\n\
             [camera.sensor]\nwidth = 320\nheight = 240\nfps = 50\n\
             [[camera.channel]]\nnumber = 0\nsize = [64, 48]\nlane = \"main-{host}\"\n\
             switch = \"main\"\nlease_ms = 10000\n"
        )
    };
    let switch = "[switch]\ndark = 40\nbright = 60\ndark_ms = 50\ndead_ms = 10000\n";
    Config::parse(&format!("{}{}{switch}", camera(0), camera(2))).unwrap()
}

/// One NV12 picture of the sensor's size before the first camera, and a sunset.
fn stage_a_sunset(ion: &Ion, folder: &Path) {
    let mut picture = vec![LUMA as u8; 320 * 240];
    picture.resize(320 * 240 * 3 / 2, 128);
    std::fs::write(folder.join("picture.nv12"), picture).unwrap();
    ion.show(0, Some(folder)).unwrap();
    let lights = SUNSET.into_iter().zip(DAY);
    let script = lights.map(|(exposure, brightness)| Light { exposure, brightness });
    ion.set_script(0, script.collect()).unwrap();
}

/// In percent, at an exposure.
fn light(exposure: u32) -> u32 {
    let since = exposure.clamp(SUNSET[0], SUNSET[1]) - SUNSET[0];
    DAY[0] - (DAY[0] - DAY[1]) * since / (SUNSET[1] - SUNSET[0])
}

/// A frame shows the light of its exposure, and tells of what was known of it then.
fn assert_lit(frame: &Frame) -> f32 {
    let d = frame.descriptor();
    let mut luma = vec![0; d.planes[0].size_bytes as usize];
    frame.copy_to(0, &mut luma).unwrap();
    let lit = (LUMA * light(d.capture_id as u32)).div_ceil(100);
    assert!(luma.iter().all(|value| u32::from(*value) == lit), "{} for {lit}", luma[0]);
    let told = d.brightness_avg;
    let [day, night] = DAY.map(|percent| (LUMA * percent / 100) as f32);
    assert!((night..=day).contains(&told), "{told}");
    assert_eq!(d.correction_applied, 0, "nothing was done to it");
    assert_eq!(d.flags & FrameFlag::CORRECTED, 0);
    told
}

/// The statistics may take their time: frames do not wait for them.
#[test]
fn an_answer_that_takes_long_keeps_no_frame_from_coming() {
    let board = board();
    let ion = board.place.ion();
    let stats = beside(&config(), |running| {
        let mut day = running.reader("main-0", 1);
        assert_eq!(stage::next(&mut day).descriptor().brightness_avg, 100.0);
        let slow = Fault::of("hbn_isp_get_ae_statistics", 0).delay_ms(3000);
        ion.plan(slow.times(2)).unwrap(); // one for each camera
        ion.set_scene(0, Scene { brightness: 70, frozen: false }).unwrap();
        let mut meanwhile = 0;
        until("the answer is there", || {
            let told = stage::next(&mut day).descriptor().brightness_avg;
            meanwhile += u32::from(told == 100.0);
            told == 70.0
        });
        assert!(meanwhile >= 20, "{meanwhile} frames in the three seconds it took");
    });
    ion.set_scene(0, Scene::default()).unwrap();
    assert_eq!(stats.cameras[0].restarts, 0);
}

#[test]
fn frames_tell_how_bright_the_picture_is_and_the_night_camera_follows_its_sunset() {
    let board = board();
    let folder = tempfile::tempdir().unwrap();
    stage_a_sunset(board.place.ion(), folder.path());
    let stats = beside(&config(), |running| {
        let mut main = running.switch("main");
        let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
        let lanes = Some(running.lanes.to_owned());
        let mut day = Consumer::open("main-0", options.directory(lanes)).unwrap();
        let mut before = f32::INFINITY;
        until("it is night", || {
            let told = assert_lit(&stage::next(&mut day));
            assert!(told <= before, "it only grows dark");
            before = told;
            told == (LUMA * DAY[1] / 100) as f32
        });
        until("the night camera is active", || {
            main.next(DEADLINE).unwrap().expect("a frame").lane_name() == "main-2"
        });
    });
    board.place.ion().set_script(0, Vec::new()).unwrap();
    board.place.ion().show(0, None).unwrap();
    assert_eq!(stats.switches[0].switched, 1);
}
