//! The stage of the demo: the built command, the clip, a private runtime directory.

use super::cameras::{self, Board, Cameras};
use super::child::Running;
use crate::hello::{self, Hello};
use crate::process::Program;
use crate::{interrupt, workspace};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How often the stage is looked at.
pub const TOUR: Duration = Duration::from_millis(200);
const LANE: &str = "demo";
const PICTURE: &str = "examples/media/chelsea.jpg";
const FPS: &str = "30";
const SETTLE: Duration = Duration::from_secs(30);

/// Everything the processes need.
pub struct Stage {
    framelane: PathBuf,
    languages: Vec<Hello>,
    clip: PathBuf,
    snapshot: PathBuf,
    board: Board,
    /// Removed on drop, unless kept.
    directory: Directory,
}

enum Directory {
    Removed(TempDir),
    Kept(PathBuf),
}

impl Stage {
    /// Builds the command, renders the clip, makes the directory.
    pub fn build(keep: bool) -> Result<Stage> {
        println!("building the framelane command");
        Program::cargo(["build", "--locked", "--package", "framelane-cli"])
            .limit(Duration::from_secs(1200))
            .check()?;
        let framelane = workspace::target().join("debug/framelane");
        let languages = hello::build_for_demo()?;
        let folder = workspace::target().join("demo");
        std::fs::create_dir_all(&folder)?;
        let directory = tempfile::Builder::new().prefix("framelane-demo-").tempdir()?;
        println!("runtime directory: {}", directory.path().display());
        let directory = match keep {
            true => Directory::Kept(directory.keep()),
            false => Directory::Removed(directory),
        };
        let path = match &directory {
            Directory::Removed(directory) => directory.path(),
            Directory::Kept(path) => path,
        };
        let board = Board::build(path)?;
        let snapshot = folder.join("snapshot.png");
        let _ = std::fs::remove_file(&snapshot);
        let clip = folder.join("clip.y4m");
        let stage = Stage { framelane, languages, clip, snapshot, board, directory };
        stage.render()?;
        Ok(stage)
    }

    /// The board of the two cameras.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Where the snapshot goes.
    pub fn snapshot(&self) -> &Path {
        &self.snapshot
    }

    /// A clip of a real picture in motion.
    fn render(&self) -> Result<()> {
        Program::new(&self.framelane)
            .args(["render", PICTURE, "--fps", FPS])
            .args([&self.clip])
            .check()
            .context("rendering the clip")?;
        Ok(())
    }

    /// Starts the camera.
    pub fn camera(&self) -> Result<Running> {
        let source = format!("y4m:{}", self.clip.display());
        let mut command = self.command();
        command.args(["camera", LANE, "--source", &source, "--fps", FPS, "--strip"]);
        // So far back may a reader of every frame fall behind: a quarter of a second.
        command.args(["--history", "8", "--json"]);
        // 16 leases: a consumer may hold two frames, and eleven of them come and go.
        command.args(["--slots", "26"]);
        Running::start("camera", &mut command)
    }

    /// Starts a consumer that proves each frame.
    pub fn consumer(&self, name: &str, mode: &str) -> Result<Running> {
        let mut command = self.command();
        command.args(["watch", LANE, "--mode", mode, "--verify-strip", "--json"]);
        command.args(["--interval", "0.2", "--wait", "30"]);
        Running::start(name, &mut command)
    }

    /// Starts the consumer of examples/hello in each language.
    pub fn languages(&self) -> Result<Vec<Running>> {
        self.languages.iter().map(|hello| self.language(hello, &hello.language, LANE)).collect()
    }

    fn language(&self, hello: &Hello, name: &str, lane: &str) -> Result<Running> {
        let (program, words) = hello.consumer.command.split_first().context("no program")?;
        let mut command = Command::new(program);
        command.args(words).args([lane, "1000000"]).envs(&hello.consumer.env);
        command.env("FRAMELANE_DIR", self.path()).current_dir(workspace::root());
        command.env("FRAMELANE_HOBOT_DIR", self.board.folder());
        Running::start_with(name, &mut command, count)
    }

    /// Starts the two cameras, readers of their switches, and one reader in each language.
    pub fn cameras(&self) -> Result<Cameras> {
        let mut command = self.command();
        command.args(["camera", "--source", "hb_vio", "--json", "--config"]);
        let source = Running::start("cameras", command.arg(self.board.config()))?;
        let follow = |name: &&str| {
            let mut command = self.command();
            command.args(["watch", name, "--json", "--interval", "0.2", "--wait", "30"]);
            let short = name.trim_start_matches("pet_camera_").trim_end_matches("_zc");
            Running::start(short, &mut command)
        };
        let followers = cameras::SWITCHES.iter().map(follow).collect::<Result<_>>()?;
        // In Rust the pixels of such a frame are not a slice: examples/hello is for those that are.
        let others = self.languages.iter().filter(|hello| hello.language != "rust");
        let read =
            |hello: &Hello| self.language(hello, &format!("{} zc", hello.language), cameras::LANE);
        Ok(Cameras { source, followers, languages: others.map(read).collect::<Result<_>>()? })
    }

    /// Waits until each reader of a switch has seen so many turns of the cameras.
    pub fn wait_for_epochs(&self, cameras: &Cameras, epochs: u64) -> Result<()> {
        let start = Instant::now();
        for reader in &cameras.followers {
            while reader.figures()["epochs"].as_u64().unwrap_or(0) < epochs {
                interrupt::check()?;
                if reader.is_gone() || start.elapsed() > SETTLE {
                    bail!("{} sees no other camera", reader.name());
                }
                std::thread::sleep(TOUR);
            }
        }
        Ok(())
    }

    /// Writes the newest frame as a picture.
    pub fn take_snapshot(&self) -> Result<()> {
        Program::new(&self.framelane)
            .args(["snapshot".as_ref(), LANE.as_ref(), self.snapshot.as_os_str()])
            .env("FRAMELANE_DIR", self.path())
            .limit(SETTLE)
            .quiet()
            .check()?;
        Ok(())
    }

    /// Waits until each of these has read something, however slowly the machine starts programs.
    pub fn wait_for_frames<'a>(&self, readers: impl Iterator<Item = &'a Running>) -> Result<()> {
        let start = Instant::now();
        for reader in readers {
            while reader.figures()["received"].as_u64().unwrap_or(0) == 0 {
                interrupt::check()?;
                if reader.is_gone() {
                    bail!("{} has ended without having read a frame", reader.name());
                }
                if start.elapsed() > SETTLE {
                    bail!("{} has read no frame within {SETTLE:?}", reader.name());
                }
                std::thread::sleep(TOUR);
            }
        }
        Ok(())
    }

    /// What the lane says of itself once so many consumers are attached.
    pub fn wait_for_lane(&self, witness: &Running, attached: u64) -> Result<Value> {
        let start = Instant::now();
        loop {
            interrupt::check()?;
            let lane = witness.figures()["lane"].clone();
            if lane["consumers"].as_u64() == Some(attached) || start.elapsed() > SETTLE {
                return Ok(lane);
            }
            if witness.is_gone() {
                bail!("{} has ended by itself", witness.name());
            }
            std::thread::sleep(TOUR);
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.framelane);
        command.env("FRAMELANE_DIR", self.path());
        command.env("FRAMELANE_HOBOT_DIR", self.board.folder());
        command
    }

    fn path(&self) -> &Path {
        match &self.directory {
            Directory::Removed(directory) => directory.path(),
            Directory::Kept(path) => path,
        }
    }
}

/// Counts the frames that a consumer of examples/hello prints.
fn count(figures: &mut Value, text: &str) {
    let Some(line) = hello::line(text) else { return };
    let figure = |name: &str| figures[name].as_u64().unwrap_or(0);
    let (received, last) = (figure("received"), figure("last_sequence"));
    let missed = match received {
        0 => 0,
        _ => figure("missed") + line.sequence.saturating_sub(last + 1),
    };
    let out_of_order = figure("out_of_order") + u64::from(line.sequence <= last);
    *figures = json!({
        "received": received + 1, "missed": missed, "out_of_order": out_of_order,
        "last_sequence": line.sequence,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_frames_are_counted() {
        let mut figures = Value::Null;
        let texts = ["building", "frame 7 640x480 first byte 1", "frame 8 640x480 first byte 1"];
        texts.iter().for_each(|text| count(&mut figures, text));
        let counted = |figures: &Value| {
            ["received", "missed", "out_of_order"].map(|name| figures[name].as_u64().unwrap())
        };
        assert_eq!(counted(&figures), [2, 0, 0], "what came before it started is not missed");
        count(&mut figures, "frame 11 640x480 first byte 1");
        assert_eq!(counted(&figures), [3, 2, 0]);
        count(&mut figures, "frame 11 640x480 first byte 1");
        assert_eq!(counted(&figures), [4, 2, 1]);
    }
}
