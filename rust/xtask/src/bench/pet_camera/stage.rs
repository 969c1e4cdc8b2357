//! One way, once: cameras, readers and encoder for some seconds, and what they came to.

use super::Way;
use super::look::Look;
use crate::demo::board::{self, Board};
use crate::demo::source::{ACTIVE, STREAM, YOLO};
use crate::running::{Ended, Ending, Running, Take, last_object, whole_object};
use crate::{attached, interrupt, workspace};
use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const MJPEG: &str = "pet_camera_mjpeg_zc";
/// Time to settle when all are at work, which is not measured, and time to get there.
const WARM_UP: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(120);
/// The reader whose latency is told.
pub const WATCHED: &str = "yolo";

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
    framelane: PathBuf,
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
    let mut cameras = board::config(transport, true, board::LEASE_MS);
    if way == Way::Uncached {
        cameras = cameras.replace("[[camera.channel]]", "[[camera.channel]]\ncached = false");
    }
    let board = Board::new(scratch.path(), &cameras)?;
    let mut stage = Stage {
        tools,
        framelane: workspace::target().join("release/framelane"),
        board: &board,
        lanes: scratch.path(),
        running: Vec::new(),
        scripts: Vec::new(),
    };
    let config = board.config().to_string_lossy().into_owned();
    let words = ["camera", "--source", "hb_vio", "--config", &config, "--json"];
    stage.ours("camera", &words, last_object)?;
    match way {
        Way::Sockets => stage.sockets()?,
        Way::Copy | Way::ZeroCopy | Way::Uncached => stage.readers()?,
    }
    stage.wait_for_frames()?;
    stage.pass(WARM_UP)?;
    if way != Way::Sockets {
        let words = ["latency", STREAM, "--of", ACTIVE, "--json"];
        stage.ours("latency", &words, whole_object)?;
    }
    let mut run = stage.watch(span)?;
    // Readers first, the camera last.
    for running in stage.running.into_iter().rev() {
        enter(&mut run, &running.stop()?)?;
    }
    Ok(run)
}

impl Stage<'_> {
    /// Measures what all do for some seconds.
    fn watch(&self, span: Duration) -> Result<Run> {
        for script in self.scripts() {
            kill_process(pid_of(script)?, Signal::USR1)?;
        }
        let look = || Look::now(&self.framelane, self.lanes);
        let before = look()?;
        let used: Vec<_> = self.running.iter().map(Running::cpu).collect::<Result<_>>()?;
        let start = Instant::now();
        self.pass(span)?;
        let seconds = start.elapsed().as_secs_f64();
        let mut run = Run::new();
        for (running, used) in self.running.iter().zip(used) {
            let spent = running.cpu()?.saturating_sub(used).as_secs_f64();
            *run.entry(format!("cpu {}", family(running.name()))).or_default() +=
                100.0 * spent / seconds;
        }
        look()?.enter_since(&before, &mut run)?;
        Ok(run)
    }

    fn scripts(&self) -> impl Iterator<Item = &Running> {
        self.running.iter().filter(|running| self.scripts.contains(&running.id()))
    }

    fn readers(&mut self) -> Result<()> {
        for (name, lane) in [("active", ACTIVE), (WATCHED, YOLO), ("mjpeg", MJPEG)] {
            self.script(name, &["read", lane])?;
        }
        let words = ["encode", ACTIVE, STREAM, "--encoder", "hobot", "--json"];
        self.ours("encoder", &words, last_object)
    }

    /// Who sends to whom: the encoder's input is a copy of its own.
    fn sockets(&mut self) -> Result<()> {
        let socket = |name: &str| self.lanes.join(name).to_string_lossy().into_owned();
        let all = ["active", "encoder", WATCHED, "mjpeg"].map(|name| (name, socket(name)));
        for (name, path) in &all {
            self.script(&format!("receiver {name}"), &["receive", path])?;
        }
        let [active, encoder, yolo, mjpeg] = all.map(|(_, path)| path);
        self.script("sender active", &["send", ACTIVE, &active, &encoder])?;
        self.script("sender yolo", &["send", YOLO, &yolo])?;
        self.script("sender mjpeg", &["send", MJPEG, &mjpeg])
    }

    fn script(&mut self, name: &str, words: &[&str]) -> Result<()> {
        let mut command = attached::command(&self.tools.python)?;
        command.arg("-B").arg(workspace::root().join("bench/pet-camera/frames.py")).args(words);
        let id = self.start(name, command, last_object)?;
        self.scripts.push(id);
        Ok(())
    }

    fn ours(&mut self, name: &str, words: &[&str], take: Take) -> Result<()> {
        let mut command = attached::command(&self.framelane)?;
        command.args(words);
        self.start(name, command, take).map(drop)
    }

    /// The number of its process.
    fn start(&mut self, name: &str, mut command: Command, take: Take) -> Result<u32> {
        let running = Running::start_with(name, command.envs(self.environment()), take)?;
        let id = running.id();
        self.running.push(running);
        Ok(id)
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
        for script in self.scripts() {
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

fn pid_of(running: &Running) -> Result<Pid> {
    let number = i32::try_from(running.id())?;
    Pid::from_raw(number).context("no number of a process")
}

/// Programs that are told together.
fn family(name: &str) -> &str {
    match name {
        "camera" | "latency" => name,
        "encoder" | "receiver encoder" => "encoder",
        name if name.starts_with("sender") => "senders",
        _ => "readers",
    }
}

/// What a program said at its end.
fn enter(run: &mut Run, ended: &Ended) -> Result<()> {
    let (name, told) = (ended.name.as_str(), &ended.figures);
    let (role, path) = name.split_once(' ').unwrap_or(("", name));
    // Python that has ended by itself, as its sender had, may be struck while it clears up.
    let told_all = role == "receiver" && told.get("frames").is_some();
    ensure!(ended.ending == Ending::Exit(0) || told_all, "{name} ended: {:?}", ended.ending);
    match name {
        "camera" => return Ok(()),
        "latency" => {
            let stages = told["stages"].as_array().into_iter().flatten();
            for stage in stages.filter(|stage| stage["stage"] == "capture_to_publish") {
                latency(run, "encoded", stage);
            }
            return Ok(());
        }
        // Of its whole life; all pictures are of one size.
        "encoder" => {
            let each = number(told, "frame_copied_bytes")? / number(told, "pictures")?.max(1.0);
            let rate = run.get("pictures").copied().unwrap_or_default();
            run.insert("bytes encoder input".to_owned(), each * rate);
            return Ok(());
        }
        _ => {}
    }
    ensure!(number(told, "frames")? > 0.0, "{name} has counted no frame: {told}");
    let bytes = number(told, "copied_bytes")? / (number(told, "elapsed_ns")? / 1e9);
    let mut add = |path: &str, bytes: f64| {
        *run.entry(format!("bytes {path}")).or_default() += bytes;
    };
    match name {
        // Half of it is the encoder's.
        "sender active" => {
            ["active", "encoder input"].iter().for_each(|path| add(path, bytes / 2.0))
        }
        "receiver encoder" => add("encoder input", bytes),
        _ => add(path, bytes),
    }
    if path == WATCHED {
        latency(run, "python", told);
    }
    Ok(())
}

fn number(told: &Value, name: &str) -> Result<f64> {
    told[name].as_f64().with_context(|| format!("no {name} in {told}"))
}

fn latency(run: &mut Run, what: &str, told: &Value) {
    for quantile in ["p50", "p99"] {
        if let Some(ns) = told[format!("{quantile}_ns")].as_f64() {
            run.insert(format!("{what} {quantile}"), ns / 1e6);
        }
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
        let mut run = Run::from([("pictures".to_owned(), 30.0)]);
        let second = 1_000_000_000_u64;
        let script = |name: &str, seconds: u64, bytes: u64| {
            let told = json!({ "frames": 9, "elapsed_ns": seconds * second, "copied_bytes": bytes,
                               "p50_ns": 2e6, "p99_ns": 3e6 });
            ended(name, told)
        };
        enter(&mut run, &script("sender active", 1, 20)).unwrap();
        enter(&mut run, &script("receiver active", 2, 14)).unwrap();
        enter(&mut run, &script("receiver encoder", 1, 3)).unwrap();
        enter(&mut run, &script("sender yolo", 1, 5)).unwrap();
        enter(&mut run, &script("receiver yolo", 2, 20)).unwrap();
        let found = |run: &Run, key: &str| run.get(key).copied();
        assert_eq!(found(&run, "bytes active"), Some(17.0));
        assert_eq!(found(&run, "bytes encoder input"), Some(13.0));
        assert_eq!(found(&run, "bytes yolo"), Some(15.0));
        assert_eq!((found(&run, "python p50"), found(&run, "python p99")), (Some(2.0), Some(3.0)));
        let encoder = json!({ "pictures": 100, "frame_copied_bytes": 400 });
        enter(&mut run, &ended("encoder", encoder)).unwrap();
        assert_eq!(found(&run, "bytes encoder input"), Some(120.0));
    }

    #[test]
    fn only_who_receives_may_be_struck_at_its_end() {
        let told = json!({ "frames": 9, "elapsed_ns": 1, "copied_bytes": 1, "pictures": 1,
                           "frame_copied_bytes": 1 });
        let enters = |name: &str, told: &Value| {
            let struck = Ended { ending: Ending::Signal(15), ..ended(name, told.clone()) };
            enter(&mut Run::new(), &struck).is_ok()
        };
        assert!(enters("receiver yolo", &told));
        assert!(!enters("receiver yolo", &Value::Null));
        for other in ["encoder", "camera", "latency", "yolo", "sender yolo"] {
            assert!(!enters(other, &told), "{other}");
        }
        let idle = json!({ "frames": 0, "elapsed_ns": 0, "copied_bytes": 0 });
        assert!(enter(&mut Run::new(), &ended("yolo", idle)).is_err());
    }
}
