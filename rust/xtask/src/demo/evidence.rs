//! What the demo saw, and whether that is what it promises.

use super::act::KILLED;
use super::books::{self, LaneBook};
use super::child::{Ended, Ending};
use super::keeper::Played;
use serde_json::Value;
use std::time::Duration;

/// What a latency is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Frames, in a reader in Rust.
    Frames,
    /// Encoded pictures.
    Encoded,
    /// Detections.
    Detected,
    /// What the meter measured.
    Metered,
}

/// Everything that was seen.
pub struct Evidence {
    /// Two cameras behind switches.
    pub dual: bool,
    /// There were frames, not a stream only.
    pub frames: bool,
    /// The system's programs.
    pub programs: Vec<Played>,
    /// Those who prove what they read: `framelane watch`.
    pub followers: Vec<Ended>,
    /// Those who measured: `framelane latency`.
    pub clocks: Vec<(Clock, Ended)>,
    /// Pictures that a viewer saw of the server's video, and of the page's.
    pub seen: [u64; 2],
    /// What the page said of the stages.
    pub stages: Value,
    /// Metrics of the server.
    pub metrics: String,
    /// Metrics of the page, when all were at work and in the end.
    pub page_metrics: [String; 2],
    /// The books of the lanes when all were at work.
    pub before: Value,
    /// The books of the lanes.
    pub top: Ended,
    /// A picture by the server; there is one when the tour was made.
    pub snapshot: Option<Vec<u8>>,
    /// Buffers of the board that nobody gave back.
    pub lost: usize,
    /// Sockets that were left behind.
    pub left: Vec<String>,
    /// From when all were at work to the end.
    pub elapsed: Duration,
}

/// One thing that had to hold.
pub struct Verdict {
    /// What had to hold.
    pub claim: &'static str,
    /// What stood against it; empty if it held.
    pub against: Vec<String>,
}

impl Evidence {
    /// A program of the system.
    pub fn program(&self, name: &str) -> Option<&Played> {
        self.programs.iter().find(|program| program.name == name)
    }

    /// The lanes' books.
    pub fn lanes(&self) -> Vec<LaneBook> {
        books::lanes(&self.top.figures)
    }

    /// A figure of the channels of all cameras, added up; None where one does not say.
    pub fn camera_sum(&self, key: &str) -> Option<u64> {
        let cameras = self.program("camera")?.figures["cameras"].as_array()?;
        let channels = cameras.iter().map(|camera| camera["channels"].as_array());
        let channels = channels.collect::<Option<Vec<_>>>()?;
        channels.into_iter().flatten().map(|channel| channel[key].as_u64()).sum()
    }

    /// Bytes of frames that were copied on the way to whoever reads them; None where somebody does
    /// not say.
    pub fn frame_copies(&self) -> Option<u64> {
        let lanes = self.lanes().into_iter().filter(|lane| lane.frame_bytes > 0);
        let lanes: u64 = lanes.map(|lane| lane.copied_bytes).sum();
        Some(lanes.max(self.camera_sum("copied_bytes")?) + self.encoder_copies()?)
    }

    /// Bytes of frames that were copied for the encoder.
    pub fn encoder_copies(&self) -> Option<u64> {
        self.program("encoder")?.figures["frame_copied_bytes"].as_u64()
    }
}

/// Holds the evidence against everything the demo promises.
pub fn judge(evidence: &Evidence) -> Vec<Verdict> {
    let mut verdicts = vec![ended_well(evidence), nothing_left(evidence), seen(evidence)];
    if evidence.frames {
        verdicts.extend(of_frames(evidence));
    }
    if evidence.dual {
        verdicts.extend(of_cameras(evidence));
    }
    verdicts
}

fn ended_well(evidence: &Evidence) -> Verdict {
    let wrong = |program: &&Played| {
        let killed = evidence.snapshot.is_some() && program.name == KILLED;
        let wanted: &[Ending] = match killed {
            true => &[Ending::Signal(9), Ending::Exit(0)],
            false => &[Ending::Exit(0)],
        };
        program.endings != wanted
    };
    let programs = evidence.programs.iter().filter(wrong);
    let programs = programs.map(|p| format!("{}: {:?}", p.name, p.endings));
    let clocks = evidence.clocks.iter().map(|(_, clock)| clock);
    let observers = evidence.followers.iter().chain(clocks).chain([&evidence.top]);
    let observers = observers.filter(|ended| ended.ending != Ending::Exit(0));
    let observers = observers.map(|ended| format!("{}: {:?}", ended.name, ended.ending));
    Verdict {
        claim: "every program ended as it should",
        against: programs.chain(observers).collect(),
    }
}

fn nothing_left(evidence: &Evidence) -> Verdict {
    Verdict { claim: "nothing was left behind", against: evidence.left.clone() }
}

fn seen(evidence: &Evidence) -> Verdict {
    let [video, page] = evidence.seen;
    let mut against = Vec::new();
    if video == 0 {
        against.push("no fragment of the video".to_owned());
    }
    if page == 0 && evidence.frames {
        against.push("no picture of the page".to_owned());
    }
    Verdict { claim: "viewers saw the video and the page's pictures", against }
}

fn of_frames(evidence: &Evidence) -> Vec<Verdict> {
    let read = |program: &&Played| {
        let read = books::readings(&evidence.top.figures, &program.pids);
        program.name == "camera" || read.iter().any(|reading| reading.received > 0)
    };
    let silent = evidence.programs.iter().filter(|program| !read(program));
    let books = ["out_of_order", "unaccounted", "torn"];
    let wrong = |reader: &&Ended| books.iter().any(|key| number(reader, key) != Some(0));
    let disordered = evidence.followers.iter().filter(wrong);
    let mut verdicts = vec![
        verdict("every program read", silent.map(|program| program.name.to_owned()).collect()),
        verdict(
            "every frame in order, each missed one accounted for",
            disordered.map(|reader| reader.name.clone()).collect(),
        ),
        expect("no frame was taken from a reader", &evidence.lanes(), |lane| lane.revoked),
    ];
    if let Some(picture) = &evidence.snapshot {
        let size = format!("{} bytes", picture.len());
        let against = if is_picture(picture) { vec![] } else { vec![size] };
        verdicts.push(verdict("the snapshot is a picture", against));
        let back = evidence.program(KILLED).is_some_and(|killed| killed.pids.len() == 2);
        let against = if back { vec![] } else { vec![KILLED.to_owned()] };
        verdicts.push(verdict("the killed program came back and read on", against));
    }
    verdicts
}

fn of_cameras(evidence: &Evidence) -> Vec<Verdict> {
    let nothing = |claim, found: Option<u64>| match found {
        Some(0) => verdict(claim, vec![]),
        Some(count) => verdict(claim, vec![count.to_string()]),
        None => verdict(claim, vec!["somebody does not say".to_owned()]),
    };
    let mut verdicts = vec![
        nothing("no byte of a frame was copied", evidence.frame_copies()),
        nothing("no reader missed the cameras' deadline", evidence.camera_sum("revoked")),
        nothing("no camera frame was without a buffer", evidence.camera_sum("starved")),
        nothing("no buffer of the cameras was lost", Some(evidence.lost as u64)),
    ];
    if evidence.snapshot.is_some() {
        let camera = evidence.program("camera").map(|camera| &camera.figures["switches"]);
        let switches = camera.and_then(Value::as_array).cloned().unwrap_or_default();
        let told: Vec<_> = switches.iter().filter_map(|s| s["switched"].as_u64()).collect();
        let both = told.len() == 2 && told.iter().all(|times| *times >= 2);
        let against = if both { vec![] } else { vec![format!("{told:?} times")] };
        verdicts.push(verdict("the cameras were switched at night and by day", against));
        let blind = evidence.followers.iter().filter(|f| number(f, "epochs") < Some(3));
        let blind = blind.map(|follower| follower.name.clone());
        verdicts.push(verdict("who follows a switch saw both cameras", blind.collect()));
        let encoder = evidence.program("encoder").and_then(|e| e.figures["switches"].as_u64());
        let against = if encoder >= Some(2) { vec![] } else { vec![format!("{encoder:?}")] };
        verdicts.push(verdict("the encoder followed with key pictures", against));
    }
    verdicts
}

fn verdict(claim: &'static str, against: Vec<String>) -> Verdict {
    Verdict { claim, against }
}

fn expect(claim: &'static str, lanes: &[LaneBook], of: fn(&LaneBook) -> u64) -> Verdict {
    let wrong = lanes.iter().filter(|lane| of(lane) != 0);
    verdict(claim, wrong.map(|lane| format!("{}: {}", lane.name, of(lane))).collect())
}

fn number(ended: &Ended, key: &str) -> Option<u64> {
    ended.figures[key].as_u64()
}

fn is_picture(png: &[u8]) -> bool {
    png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 256 && png.ends_with(b"IEND\xaeB`\x82")
}

#[cfg(test)]
pub mod tests;
