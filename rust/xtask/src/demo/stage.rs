//! The stage of the demo: the built command, the clip, a private runtime directory.

use super::child::Running;
use crate::process::Program;
use crate::{interrupt, workspace};
use anyhow::{Context, Result, bail};
use serde_json::Value;
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
    clip: PathBuf,
    snapshot: PathBuf,
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
        Program::cargo(["build", "--locked", "--release", "--package", "framelane-cli"])
            .limit(Duration::from_secs(1200))
            .check()?;
        let framelane = workspace::target().join("release/framelane");
        let folder = workspace::target().join("demo");
        std::fs::create_dir_all(&folder)?;
        let directory = tempfile::Builder::new().prefix("framelane-demo-").tempdir()?;
        println!("runtime directory: {}", directory.path().display());
        let directory = match keep {
            true => Directory::Kept(directory.keep()),
            false => Directory::Removed(directory),
        };
        let snapshot = folder.join("snapshot.png");
        let _ = std::fs::remove_file(&snapshot);
        let stage = Stage { framelane, clip: folder.join("clip.y4m"), snapshot, directory };
        stage.render()?;
        Ok(stage)
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
        Running::start("camera", &mut command)
    }

    /// Starts a consumer that proves each frame.
    pub fn consumer(&self, name: &str, mode: &str) -> Result<Running> {
        let mut command = self.command();
        command.args(["watch", LANE, "--mode", mode, "--verify-strip", "--json"]);
        command.args(["--interval", "0.2", "--wait", "30"]);
        Running::start(name, &mut command)
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
        command
    }

    fn path(&self) -> &Path {
        match &self.directory {
            Directory::Removed(directory) => directory.path(),
            Directory::Kept(path) => path,
        }
    }
}
