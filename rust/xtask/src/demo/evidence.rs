//! What the demo saw, and whether that is what it promises.

use super::act::KILLED;
use super::books::{self, LaneBook};
use super::cameras::Cameras;
use super::keeper::Played;
use crate::running::{Ended, Ending};
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
    /// Pictures at a viewer by WebRTC.
    Viewed,
}

/// Everything that was seen.
pub struct Evidence {
    /// The cameras of a board, of either kind.
    pub cameras: Option<Cameras>,
    /// The board and its file are ours: whoever reads has time and buffers enough.
    pub strict: bool,
    /// There were frames, not a stream only.
    pub frames: bool,
    /// The program that is to be killed was.
    pub struck: bool,
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
    /// Metrics of the server and of the page, when all were at work and in the end.
    pub metrics: [[String; 2]; 2],
    /// The books of the lanes when all were at work.
    pub before: Value,
    /// The same when `elapsed` had passed.
    pub after: Value,
    /// The books of the lanes, up to the last word of everybody.
    pub top: Ended,
    /// A picture by the server; there is one when the tour was made.
    pub snapshot: Option<Vec<u8>>,
    /// Buffers of the stand-in that nobody gave back.
    pub lost: Option<usize>,
    /// Sockets that were left behind.
    pub left: Vec<String>,
    /// From when all were at work to the end.
    pub elapsed: Duration,
}

/// One thing that had to hold.
pub struct Verdict {
    /// What had to hold.
    pub claim: String,
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
    if let Some(cameras) = &evidence.cameras {
        verdicts.extend(of_cameras(evidence, cameras));
        verdicts.extend(of_leases(evidence, cameras));
        if evidence.snapshot.is_some() && cameras.switched {
            verdicts.extend(of_switches(evidence, cameras));
        }
    }
    verdicts
}

fn ended_well(evidence: &Evidence) -> Verdict {
    let wrong = |program: &&Played| {
        let killed = evidence.struck && program.name == KILLED;
        let again = program.endings == [Ending::Signal(9), Ending::Exit(0)];
        // Who interrupts may do so before it is started again.
        let cut = evidence.snapshot.is_none() && program.endings == [Ending::Signal(9)];
        let well = if killed { again || cut } else { program.endings == [Ending::Exit(0)] };
        !well
    };
    let programs = evidence.programs.iter().filter(wrong);
    let programs = programs.map(|p| format!("{}: {:?}", p.name, p.endings));
    let clocks = evidence.clocks.iter().map(|(_, clock)| clock);
    let observers = evidence.followers.iter().chain(clocks).chain([&evidence.top]);
    let observers = observers.filter(|ended| ended.ending != Ending::Exit(0));
    let observers = observers.map(|ended| format!("{}: {:?}", ended.name, ended.ending));
    verdict("every program ended as it should", programs.chain(observers).collect())
}

fn nothing_left(evidence: &Evidence) -> Verdict {
    verdict("nothing was left behind", evidence.left.clone())
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
    let blind = |(clock, viewer): &&(Clock, Ended)| {
        *clock == Clock::Viewed && number(viewer, "pictures").unwrap_or(0) == 0
    };
    if evidence.clocks.iter().any(|clock| blind(&clock)) {
        against.push("no picture by WebRTC".to_owned());
    }
    verdict("viewers saw the video and the page's pictures", against)
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

fn of_cameras(evidence: &Evidence, cameras: &Cameras) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if !cameras.copies {
        let claim = "no byte of a frame was copied but into the page's pictures";
        verdicts.push(nothing(claim, evidence.frame_copies()));
    }
    if evidence.strict {
        let starved = evidence.camera_sum("starved");
        verdicts.push(nothing("no camera frame was without a buffer", starved));
    }
    if let Some(lost) = evidence.lost {
        verdicts.push(nothing("no buffer of the cameras was lost", Some(lost as u64)));
    }
    verdicts
}

/// Where readers have all the time they need nothing may be taken from them; where they do not,
/// they have to hear of it.
fn of_leases(evidence: &Evidence, cameras: &Cameras) -> Vec<Verdict> {
    let lease = cameras.lease_ms.unwrap_or(0);
    if evidence.strict {
        let claim = format!("every reader gave each frame back within its lease of {lease} ms");
        return vec![nothing(&claim, evidence.camera_sum("revoked"))];
    }
    let kept = |reader: &Ended| number(reader, "pid").and_then(|pid| u32::try_from(pid).ok());
    let deaf = evidence.followers.iter().filter(|reader| {
        let pids: Vec<u32> = kept(reader).into_iter().collect();
        let read = books::readings(&evidence.top.figures, &pids);
        let taken: u64 = read.iter().map(|reading| reading.revoked).sum();
        taken > 0 && number(reader, "revoked").unwrap_or(0) == 0
    });
    vec![verdict(
        "who follows is told of frames that are taken from it",
        deaf.map(|reader| reader.name.clone()).collect(),
    )]
}

fn of_switches(evidence: &Evidence, cameras: &Cameras) -> Vec<Verdict> {
    let told = evidence.program("camera").map(|camera| &camera.figures["switches"]);
    let switches = told.and_then(Value::as_array).cloned().unwrap_or_default();
    let read = [&cameras.active, &cameras.yolo];
    let ours = switches.iter().filter(|s| read.iter().any(|name| s["switch"] == **name));
    let told: Vec<_> = ours.filter_map(|s| s["switched"].as_u64()).collect();
    let all = !told.is_empty() && told.iter().all(|times| *times >= 2);
    let against = if all { vec![] } else { vec![format!("{told:?} times")] };
    let claim = match evidence.lost {
        Some(_) => "the cameras were switched at night and by day",
        None => "the cameras were switched as selected",
    };
    let blind = evidence.followers.iter().filter(|f| number(f, "epochs") < Some(3));
    let blind = blind.map(|follower| follower.name.clone());
    let encoder = evidence.program("encoder").and_then(|e| e.figures["switches"].as_u64());
    let deaf = if encoder >= Some(2) { vec![] } else { vec![format!("{encoder:?}")] };
    vec![
        verdict(claim, against),
        verdict("who follows a switch saw both cameras", blind.collect()),
        verdict("the encoder followed with key pictures", deaf),
    ]
}

fn nothing(claim: &str, found: Option<u64>) -> Verdict {
    match found {
        Some(0) => verdict(claim, vec![]),
        Some(count) => verdict(claim, vec![count.to_string()]),
        None => verdict(claim, vec!["somebody does not say".to_owned()]),
    }
}

fn verdict(claim: &str, against: Vec<String>) -> Verdict {
    Verdict { claim: claim.to_owned(), against }
}

fn number(ended: &Ended, key: &str) -> Option<u64> {
    ended.figures[key].as_u64()
}

fn is_picture(png: &[u8]) -> bool {
    png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 256 && png.ends_with(b"IEND\xaeB`\x82")
}

#[cfg(test)]
pub mod tests;
