//! One way, once: cameras, readers and encoder for some seconds, and what they came to.

use super::Way;
use crate::demo::board::{self, Board};
use crate::demo::child::{Ended, Ending, Running};
use crate::demo::kit::{last_object, whole_object};
use crate::demo::source::{ACTIVE, STREAM, YOLO};
use crate::{attached, interrupt, workspace};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MJPEG: &str = "pet_camera_mjpeg_zc";
/// Time to settle when all are at work, which is not measured, and time to get there.
const WARM_UP: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(120);
/// The reader whose latency is told.
const WATCHED: &str = "yolo";

/// What is needed beside cargo's.
pub struct Tools {
    /// With our package.
    pub python: PathBuf,
    /// With ffmpeg.
    pub search_path: OsString,
}

/// Figures by name: bytes copied a second by path, CPU in percent by program, latencies in ms.
pub type Run = BTreeMap<String, f64>;

struct Stage<'a> {
    tools: &'a Tools,
    board: &'a Board,
    lanes: &'a Path,
    running: Vec<Running>,
    /// Numbers of those that say when they have their first frame.
    scripts: Vec<u32>,
}

/// Runs one way.
pub fn measure(tools: &Tools, way: Way, span: Duration) -> Result<Run> {
    let scratch = tempfile::Builder::new().prefix("framelane-bench-").tempdir()?;
    let transport = if way == Way::Copy { "copy" } else { "zero-copy" };
    let board = Board::new(scratch.path(), &board::config(transport, true, board::LEASE_MS))?;
    let mut stage = Stage {
        tools,
        board: &board,
        lanes: scratch.path(),
        running: Vec::new(),
        scripts: Vec::new(),
    };
    let config = board.config().to_string_lossy().into_owned();
    stage.ours("camera", &["camera", "--source", "hb_vio", "--config", &config, "--json"])?;
    match way {
        Way::Sockets => stage.sockets()?,
        Way::Copy | Way::ZeroCopy => stage.readers()?,
    }
    stage.wait_for_frames()?;
    stage.pass(WARM_UP)?;
    if way != Way::Sockets {
        let words = ["latency", STREAM, "--of", ACTIVE, "--json"];
        stage.observe(&words)?;
    }
    let before: Vec<_> = stage.running.iter().map(Running::cpu).collect::<Result<_>>()?;
    let start = Instant::now();
    stage.pass(span)?;
    let seconds = start.elapsed().as_secs_f64();
    let mut run = Run::new();
    for (running, before) in stage.running.iter().zip(before) {
        let spent = running.cpu()?.saturating_sub(before).as_secs_f64();
        *run.entry(format!("cpu {}", family(running.name()))).or_default() +=
            100.0 * spent / seconds;
    }
    // Readers first, the camera last.
    for running in stage.running.into_iter().rev() {
        enter(&mut run, &running.stop()?)?;
    }
    Ok(run)
}

impl Stage<'_> {
    fn readers(&mut self) -> Result<()> {
        for (name, lane) in [("active", ACTIVE), (WATCHED, YOLO), ("mjpeg", MJPEG)] {
            self.script(name, &["read", lane])?;
        }
        self.ours("encoder", &["encode", ACTIVE, STREAM, "--encoder", "hobot", "--json"])
    }

    /// Who sends to whom: the encoder's input is a copy of its own.
    fn sockets(&mut self) -> Result<()> {
        let socket = |name: &str| self.lanes.join(name).to_string_lossy().into_owned();
        let all = ["active", "encoder", WATCHED, "mjpeg"].map(|name| (name, socket(name)));
        for (name, path) in &all {
            self.script(name, &["receive", path])?;
        }
        let [active, encoder, yolo, mjpeg] = all.map(|(_, path)| path);
        self.script("sender active", &["send", ACTIVE, &active, &encoder])?;
        self.script("sender yolo", &["send", YOLO, &yolo])?;
        self.script("sender mjpeg", &["send", MJPEG, &mjpeg])
    }

    fn script(&mut self, name: &str, words: &[&str]) -> Result<()> {
        let mut command = attached::command(&self.tools.python)?;
        let script = workspace::root().join("bench/pet-camera/frames.py");
        command.arg("-B").arg(script).args(words).envs(self.environment());
        let running = Running::start_with(name, &mut command, last_object)?;
        self.scripts.push(running.id());
        self.running.push(running);
        Ok(())
    }

    fn ours(&mut self, name: &str, words: &[&str]) -> Result<()> {
        let mut command = attached::command(&workspace::target().join("release/framelane"))?;
        command.args(words).envs(self.environment());
        self.running.push(Running::start_with(name, &mut command, last_object)?);
        Ok(())
    }

    fn observe(&mut self, words: &[&str]) -> Result<()> {
        let mut command = attached::command(&workspace::target().join("release/framelane"))?;
        command.args(words).envs(self.environment());
        self.running.push(Running::start_with("latency", &mut command, whole_object)?);
        Ok(())
    }

    fn environment(&self) -> [(&'static str, OsString); 4] {
        [
            ("FRAMELANE_DIR", self.lanes.into()),
            ("FRAMELANE_LOG", "error".into()),
            ("FRAMELANE_HOBOT_DIR", self.board.libraries().into()),
            ("PATH", self.tools.search_path.clone()),
        ]
    }

    /// Until each script has its first frame.
    fn wait_for_frames(&self) -> Result<()> {
        let start = Instant::now();
        for script in self.running.iter().filter(|running| self.scripts.contains(&running.id())) {
            while script.figures()["ready"] != true {
                self.pass(Duration::from_millis(100))?;
                ensure!(start.elapsed() < PATIENCE, "{} has read no frame", script.name());
            }
        }
        Ok(())
    }

    /// Lets time pass; fails where somebody is gone.
    fn pass(&self, span: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < span {
            interrupt::check()?;
            for running in &self.running {
                ensure!(!running.is_gone(), "{} has ended by itself", running.name());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Programs that are told together.
fn family(name: &str) -> &str {
    match name {
        "camera" | "latency" => name,
        "encoder" => "encoder",
        name if name.starts_with("sender") => "senders",
        _ => "readers",
    }
}

/// What a program said at its end.
fn enter(run: &mut Run, ended: &Ended) -> Result<()> {
    let told = &ended.figures;
    // Python that has ended by itself, as its sender had, may be struck while it clears up.
    let well = ended.ending == Ending::Exit(0) || told.get("frames").is_some();
    ensure!(well, "{} ended: {:?}", ended.name, ended.ending);
    let seconds = told["elapsed_ns"].as_f64().unwrap_or(0.0) / 1e9;
    let mut add = |path: &str, bytes: &Value| {
        let bytes = bytes.as_f64().unwrap_or(0.0) / seconds.max(0.01);
        *run.entry(format!("bytes {path}")).or_default() += bytes;
    };
    match ended.name.as_str() {
        "camera" => {
            let cameras = told["cameras"].as_array().into_iter().flatten();
            for channel in cameras.filter_map(|camera| camera["channels"].as_array()).flatten() {
                let lane = channel["lane"].as_str().unwrap_or_default();
                add(path_of(lane), &channel["copied_bytes"]);
            }
        }
        "encoder" if told.get("frame_copied_bytes").is_some() => {
            add("encoder input", &told["frame_copied_bytes"]);
            add("encoder output", &told["copied_bytes"]);
        }
        "encoder" => add("encoder input", &told["copied_bytes"]),
        "latency" => {
            let stages = told["stages"].as_array().into_iter().flatten();
            for stage in stages.filter(|stage| stage["stage"] == "capture_to_publish") {
                latency(run, "encoded", stage);
            }
        }
        "sender active" => {
            // Half of it is the encoder's.
            let half = told["copied_bytes"].as_f64().unwrap_or(0.0) / 2.0;
            add("active", &half.into());
            add("encoder input", &half.into());
        }
        name => add(name.trim_start_matches("sender "), &told["copied_bytes"]),
    }
    if ended.name == WATCHED {
        latency(run, "python", told);
    }
    Ok(())
}

fn latency(run: &mut Run, what: &str, told: &Value) {
    for quantile in ["p50", "p99"] {
        if let Some(ns) = told[format!("{quantile}_ns")].as_f64() {
            run.insert(format!("{what} {quantile}"), ns / 1e6);
        }
    }
}

fn path_of(lane: &str) -> &'static str {
    match lane {
        lane if lane.contains("yolo") => WATCHED,
        lane if lane.contains("mjpeg") => "mjpeg",
        _ => "active",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ended(name: &str, figures: Value) -> Ended {
        Ended { name: name.into(), figures, cpu: Duration::ZERO, ending: Ending::Exit(0) }
    }

    #[test]
    fn what_each_program_says_is_put_to_its_path() {
        let mut run = Run::new();
        let second = 1_000_000_000_u64;
        let camera = json!({ "elapsed_ns": second, "cameras": [{ "channels": [
            { "lane": "pet_camera_yolo_zc_cam0", "copied_bytes": 5 },
            { "lane": "pet_camera_active_zc_cam0", "copied_bytes": 7 },
        ] }] });
        enter(&mut run, &ended("camera", camera)).unwrap();
        let sent = json!({ "elapsed_ns": second, "copied_bytes": 20 });
        enter(&mut run, &ended("sender active", sent)).unwrap();
        let read =
            json!({ "elapsed_ns": 2 * second, "copied_bytes": 20, "p50_ns": 2e6, "p99_ns": 3e6 });
        enter(&mut run, &ended("yolo", read)).unwrap();
        let found = |key: &str| run.get(key).copied();
        assert_eq!(found("bytes active"), Some(17.0));
        assert_eq!(found("bytes yolo"), Some(15.0));
        assert_eq!(found("bytes encoder input"), Some(10.0));
        assert_eq!((found("python p50"), found("python p99")), (Some(2.0), Some(3.0)));
        let failed = Ended { ending: Ending::Exit(1), ..ended("yolo", Value::Null) };
        assert!(enter(&mut run, &failed).is_err());
    }
}
