//! The cameras of the demo: two of an RDK X5, on the stand-in, behind switches. It grows dark and
//! bright again, and readers in several languages see the frames where the hardware put them.

use super::child::{Ended, Ending, Running};
use super::report::{Verdict, number};
use crate::process::Program;
use anyhow::Result;
use framelane_standin_ion::{Place, Scene};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The switches, through which programs read that know switches.
pub const SWITCHES: [&str; 2] = ["pet_camera_active_zc", "pet_camera_yolo_zc"];

/// The lane that others read.
pub const LANE: &str = "pet_camera_yolo_zc_cam0";

/// The camera of the day, whose view decides.
const DAY: u32 = 0;

/// A long lease: on the board 66 ms are enough, here twenty processes share what cores there are.
const CONFIG: &str = r#"
[switch]
dark_ms = 200
bright_ms = 400
warm_up_frames = 5
[[camera]]
host = 0
[[camera.channel]]
number = 0
size = [640, 480]
buffers = 6
lease_ms = 5000
[[camera.channel]]
number = 1
size = [640, 360]
buffers = 8
lease_ms = 5000
leases = 16
[[camera]]
host = 2
[[camera.channel]]
number = 0
size = [640, 480]
buffers = 6
lease_ms = 5000
[[camera.channel]]
number = 1
size = [640, 360]
buffers = 8
lease_ms = 5000
leases = 16
"#;

/// A board with its cameras.
pub struct Board {
    place: Place,
    config: PathBuf,
}

impl Board {
    /// Builds the stand-ins and furnishes a board in `folder`.
    pub fn build(folder: &Path) -> Result<Self> {
        Program::cargo(["build", "--locked", "--package", "framelane-standin-hbmem"])
            .args(["--package", "framelane-standin-vio"])
            .limit(Duration::from_secs(900))
            .check()?;
        let place = Place::new(&folder.join("board"))?;
        let config = folder.join("cameras.toml");
        std::fs::write(&config, CONFIG)?;
        Ok(Board { place, config })
    }

    /// Where the libraries are that play the vendor's.
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// What the cameras are told.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// How bright it is from now on.
    pub fn light(&self, brightness: u32) -> Result<()> {
        let scene = Scene { brightness, ..Scene::default() };
        Ok(self.place.ion().set_scene(DAY, scene)?)
    }

    fn buffers(&self) -> Result<usize> {
        Ok(self.place.ion().look(|state| state.buffers.len())?)
    }
}

/// The cameras' processes.
pub struct Cameras {
    /// Who has the cameras.
    pub source: Running,
    /// Through the switches.
    pub followers: Vec<Running>,
    /// Of the lane, one in each language.
    pub languages: Vec<Running>,
}

/// What they came to.
pub struct CameraEvidence {
    /// The process that had the cameras.
    pub source: Ended,
    /// Readers of the switches.
    pub followers: Vec<Ended>,
    /// Readers of a lane, ended by SIGTERM.
    pub languages: Vec<Ended>,
    /// Buffers of the board that nobody gave back.
    pub lost: usize,
}

impl Cameras {
    /// All processes.
    pub fn all(&self) -> impl Iterator<Item = &Running> {
        self.readers().chain([&self.source])
    }

    /// Those that read.
    pub fn readers(&self) -> impl Iterator<Item = &Running> {
        self.followers.iter().chain(&self.languages)
    }

    /// Ends all, readers first.
    pub fn stop(self, board: &Board) -> Result<CameraEvidence> {
        let stop = |all: Vec<Running>| all.into_iter().map(Running::stop).collect::<Result<_>>();
        let (followers, languages) = (stop(self.followers)?, stop(self.languages)?);
        let source = self.source.stop()?;
        Ok(CameraEvidence { source, followers, languages, lost: board.buffers()? })
    }
}

impl CameraEvidence {
    /// A figure of the channels of all cameras, added up; None where one does not say.
    fn sum(&self, key: &str) -> Option<u64> {
        let cameras = self.source.figures["cameras"].as_array()?;
        let channels = cameras.iter().map(|camera| camera["channels"].as_array());
        let mut sum = 0;
        for channel in channels.collect::<Option<Vec<_>>>()?.into_iter().flatten() {
            sum += channel[key].as_u64()?;
        }
        Some(sum)
    }

    /// Frames that the cameras published.
    pub fn published(&self) -> u64 {
        self.sum("published").unwrap_or(0)
    }

    /// Bytes of their frames that were copied.
    pub fn copied_bytes(&self) -> Option<u64> {
        self.sum("copied_bytes")
    }
}

/// Holds the evidence against what the cameras promise.
pub fn judge(evidence: &CameraEvidence) -> Vec<Verdict> {
    let CameraEvidence { source, followers, languages, lost } = evidence;
    let switches = source.figures["switches"].as_array().cloned().unwrap_or_default();
    let told: Vec<u64> = switches.iter().filter_map(|s| s["switched"].as_u64()).collect();
    let twice = told.len() == SWITCHES.len() && told.iter().all(|times| *times == 2);
    // A lane is an epoch to its reader: day, night, and day again.
    let unswitched = followers.iter().filter(|reader| number(&reader.figures, "epochs") < 3);
    let silent = followers.iter().chain(languages);
    let silent = silent.filter(|reader| number(&reader.figures, "received") == 0);
    let books = ["out_of_order", "unaccounted"];
    let wrong = |reader: &&Ended| books.iter().any(|key| number(&reader.figures, key) != 0);
    let unordered = followers.iter().chain(languages).filter(wrong);
    let ended = |process: &Ended, wanted: Ending| process.ending == wanted;
    let unwell = followers.iter().chain([source]).filter(|p| !ended(p, Ending::Exit(0)));
    let unwell = unwell.chain(languages.iter().filter(|p| !ended(p, Ending::Signal(15))));
    let names = |all: &mut dyn Iterator<Item = &Ended>| -> Vec<String> {
        all.map(|process| process.name.clone()).collect()
    };
    let nothing = |key: &str| match evidence.sum(key) {
        Some(0) => vec![],
        other => vec![format!("{other:?}")],
    };
    let verdict = |claim, against| Verdict { claim, against };
    vec![
        verdict("the cameras' frames were not copied", nothing("copied_bytes")),
        verdict("no reader missed the cameras' deadline", nothing("revoked")),
        verdict("no camera frame was without a reader's buffer", nothing("starved")),
        verdict("no buffer of the cameras was lost", lost_text(*lost)),
        verdict(
            "the cameras switched by night and by day",
            if twice { vec![] } else { vec![format!("{told:?} times")] },
        ),
        verdict("readers of a switch saw both cameras", names(&mut { unswitched })),
        verdict("every reader of the cameras received frames", names(&mut { silent })),
        verdict("every reader of the cameras read in order", names(&mut { unordered })),
        verdict("every process of the cameras ended well", names(&mut { unwell })),
    ]
}

fn lost_text(lost: usize) -> Vec<String> {
    if lost == 0 { vec![] } else { vec![format!("{lost} buffers")] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ended(name: &str, ending: Ending) -> Ended {
        let channel = || json!({ "published": 9, "copied_bytes": 0, "revoked": 0, "starved": 0 });
        let figures = json!({
            "cameras": [{ "channels": [channel(), channel()] }],
            "switches": [{ "switched": 2 }, { "switched": 2 }],
            "received": 9, "epochs": 3, "out_of_order": 0, "unaccounted": 0,
        });
        Ended { name: name.into(), figures, cpu: Duration::from_millis(50), ending }
    }

    fn good() -> CameraEvidence {
        CameraEvidence {
            source: ended("cameras", Ending::Exit(0)),
            followers: vec![ended("active", Ending::Exit(0))],
            languages: vec![ended("go", Ending::Signal(15))],
            lost: 0,
        }
    }

    #[test]
    fn a_good_run_is_found_good() {
        assert!(judge(&good()).iter().all(|verdict| verdict.against.is_empty()));
        assert_eq!((good().published(), good().copied_bytes()), (18, Some(0)));
    }

    #[test]
    fn each_broken_promise_of_the_cameras_is_seen() {
        type Break = fn(&mut CameraEvidence);
        let channel = |key: &'static str| {
            move |e: &mut CameraEvidence, value: u64| {
                e.source.figures["cameras"][0]["channels"][1][key] = json!(value);
            }
        };
        for key in ["copied_bytes", "revoked", "starved"] {
            let mut evidence = good();
            channel(key)(&mut evidence, 1);
            assert_eq!(judge(&evidence).iter().filter(|v| !v.against.is_empty()).count(), 1);
        }
        let breaks: &[Break] = &[
            |e| e.lost = 1,
            |e| e.source.figures["switches"][1]["switched"] = json!(1),
            |e| e.followers[0].figures["epochs"] = json!(2),
            |e| e.languages[0].figures["received"] = json!(0),
            |e| e.languages[0].figures["out_of_order"] = json!(1),
            |e| e.languages[0].ending = Ending::Exit(1),
            |e| e.source.ending = Ending::Exit(1),
        ];
        for spoil in breaks {
            let mut evidence = good();
            spoil(&mut evidence);
            assert_eq!(judge(&evidence).iter().filter(|v| !v.against.is_empty()).count(), 1);
        }
    }
}
