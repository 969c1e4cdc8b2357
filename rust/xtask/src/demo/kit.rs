//! Everything the demo needs: built programs, a directory, ports, and how each program is started.

use super::board::{self, Board};
use super::child::{Running, Take};
use super::keeper::{Make, Spec};
use super::source::{ACTIVE, STREAM, Source};
use crate::process::Program;
use crate::{attached, golang, pet_camera, python, tools, workspace};
use anyhow::{Context, Result};
use serde_json::Value;
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Stream lanes of results.
pub const DETECTIONS: &str = "pet_camera_detections";
/// Of the meter.
pub const METER: &str = "pet_camera_meter";
const FOLDER: &str = "examples/pet-camera";
const PICTURE: &str = "examples/media/chelsea.jpg";
const BUILD_LIMIT: Duration = Duration::from_secs(1800);

/// Built programs, and a place to run them in.
pub struct Kit {
    /// Where pictures come from.
    pub source: Source,
    framelane: PathBuf,
    server: PathBuf,
    python: PathBuf,
    native: Vec<(String, PathBuf)>,
    search_path: OsString,
    board: Option<Board>,
    clip: PathBuf,
    /// Addresses of the server and of the page.
    ports: [u16; 2],
    /// Removed on drop, unless kept.
    directory: PathBuf,
    _removed: Option<TempDir>,
}

impl Kit {
    /// Builds and installs all.
    pub fn build(source: &Source, optimised: bool, keep: bool) -> Result<Kit> {
        println!("building the pet camera");
        let stand_ins =
            ["hbmem", "vio", "multimedia"].map(|name| format!("framelane-standin-{name}"));
        let mut packages = vec!["framelane-cli".to_owned()];
        packages.extend(stand_ins.into_iter().filter(|_| source.is_dual()));
        cargo_build(&packages, false)?;
        if optimised {
            cargo_build(&packages[..1], true)?;
        }
        let profile = if optimised { "release" } else { "debug" };
        let framelane = workspace::target().join(profile).join("framelane");
        let server = golang::build_program(&format!("{FOLDER}/server"), "server", optimised)?;
        let native = pet_camera::build(optimised)?.into_iter().map(|launch| {
            let program = launch.command.first().context("a recipe has words")?;
            Ok((launch.language, PathBuf::from(program)))
        });
        let native = native.collect::<Result<_>>()?;
        tools::python_with(&[pet_camera::DETECTOR, pet_camera::MONITOR].concat())?;
        let python = python::with_package(optimised)?;
        let removed = tempfile::Builder::new().prefix("framelane-demo-").tempdir()?;
        let directory = removed.path().to_owned();
        let removed = if keep {
            drop(removed.keep());
            None
        } else {
            Some(removed)
        };
        let cameras = board::config("zero-copy", false);
        let board = source.is_dual().then(|| Board::new(&directory, &cameras)).transpose()?;
        let kit = Kit {
            source: source.clone(),
            framelane,
            server,
            python,
            native,
            search_path: tools::search_path_with("ffmpeg")?,
            board,
            clip: workspace::target().join("demo/clip.y4m"),
            ports: free_ports()?,
            directory,
            _removed: removed,
        };
        kit.furnish()?;
        Ok(kit)
    }

    fn furnish(&self) -> Result<()> {
        // What the watchdog feeds in the place of a device.
        std::fs::write(self.dog(), "")?;
        let wanted = self.board.is_some() || self.source == Source::Clip(None);
        if wanted && !self.clip.is_file() {
            std::fs::create_dir_all(workspace::target().join("demo"))?;
            let render = Program::new(&self.framelane).args(["render", PICTURE, "--fps", "30"]);
            render.args([&self.clip]).quiet().check().context("rendering the clip")?;
        }
        self.board.as_ref().map_or(Ok(()), |board| board.show(&self.clip))
    }

    /// The board, where the source is one.
    pub fn board(&self) -> Option<&Board> {
        self.board.as_ref()
    }

    /// The private runtime directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Address of the streaming server.
    pub fn server_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// Address of the page.
    pub fn page_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[1])
    }

    /// Programs that read, before the one they read from: the order of starting must not matter.
    pub fn readers(&self) -> Vec<Spec> {
        let origin = self.page_url();
        let listen = |index: usize| format!("127.0.0.1:{}", self.ports[index]);
        let mut server = vec!["-stream".to_owned(), STREAM.into(), "-frames".into(), ACTIVE.into()];
        server.extend(["-listen".into(), listen(0), "-allow-origin".into(), origin]);
        let mut monitor = self.script("monitor/monitor.py", &["--frames", ACTIVE]);
        monitor.extend(["--yolo", self.source.yolo(), "--stream", STREAM].map(str::to_owned));
        monitor.extend(["--detections".into(), DETECTIONS.into(), "--listen".into(), listen(1)]);
        monitor.extend(["--server".into(), self.server_url()]);
        let mut all = vec![
            self.spec("server", "Go", &self.server, server),
            self.spec("monitor", "Python", &self.python, monitor),
        ];
        if !self.source.has_frames() {
            return all;
        }
        let detect = self.script("detector/detect.py", &[self.source.yolo(), DETECTIONS]);
        all.push(self.spec("detector", "Python", &self.python, detect));
        let encode = ["encode", ACTIVE, STREAM, "--gop", "30", "--bitrate", "2M", "--json"];
        all.push(self.spec("encoder", "Rust", &self.framelane, strings(&encode)));
        let dog = self.dog().to_string_lossy().into_owned();
        for (name, program) in &self.native {
            let (name, language, words) = match name.as_str() {
                "meter" => ("meter", "C++", strings(&[ACTIVE, METER])),
                "watchdog" => ("watchdog", "C", strings(&[ACTIVE, &dog, "60000"])),
                _ => continue,
            };
            all.push(self.spec(name, language, program, words));
        }
        all
    }

    /// The program that has the camera.
    pub fn camera(&self) -> Spec {
        let config = self.board.as_ref().map(|board| board.config().to_string_lossy().into_owned());
        let clip = self.clip.to_string_lossy();
        let mut words = strings(&["camera", "--json"]);
        words.extend(self.source.arguments(&clip, &config.unwrap_or_default()));
        self.spec("camera", "Rust", &self.framelane, words)
    }

    /// A command of ours that looks on, and prints an object a line.
    pub fn observer(&self, name: &str, words: &[&str], take: Take) -> Result<Running> {
        let mut command = attached::command(&self.framelane)?;
        command.args(words).envs(self.environment());
        Running::start_with(name, &mut command, take)
    }

    fn script(&self, path: &str, words: &[&str]) -> Vec<String> {
        let path = workspace::root().join(FOLDER).join(path);
        let mut all = strings(&["-B", &path.to_string_lossy()]);
        all.extend(strings(words));
        all
    }

    fn spec(
        &self,
        name: &'static str,
        language: &'static str,
        program: &Path,
        words: Vec<String>,
    ) -> Spec {
        let (program, environment) = (program.to_owned(), self.environment());
        let make: Make = Box::new(move || {
            let mut command = attached::command(&program)?;
            command.args(&words).envs(environment.clone()).current_dir(workspace::root());
            Ok(command)
        });
        Spec { name, language, make, take: last_object }
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut all = vec![
            ("FRAMELANE_DIR", self.directory.clone().into_os_string()),
            // Who reads every frame of a camera is told that it may miss some; it counts them.
            ("FRAMELANE_LOG", "warn,framelane::consumer=error".into()),
            ("PATH", self.search_path.clone()),
            // One thread each is enough for pictures of this size.
            ("OPENCV_FOR_THREADS_NUM", "1".into()),
        ];
        if let Some(board) = &self.board {
            all.push(("FRAMELANE_HOBOT_DIR", board.libraries().into()));
        }
        all
    }

    fn dog(&self) -> PathBuf {
        self.directory.join("watchdog")
    }
}

/// Keeps the newest object that is printed.
pub fn last_object(figures: &mut Value, line: &str) {
    if let Ok(object) = serde_json::from_str(line) {
        *figures = object;
    }
}

/// Keeps one object that is printed on many lines.
pub fn whole_object(figures: &mut Value, line: &str) {
    let text = figures.as_str().unwrap_or_default().to_owned() + line;
    *figures = serde_json::from_str(&text).unwrap_or(Value::String(text));
}

/// Builds packages of ours.
pub fn cargo_build(packages: &[String], optimised: bool) -> Result<()> {
    let words = packages.iter().flat_map(|package| ["--package", package]);
    Program::cargo(["build", "--locked"])
        .args(optimised.then_some("--release"))
        .args(words)
        .limit(BUILD_LIMIT)
        .check()
        .map(drop)
}

/// Ports that nobody has now; taken at once, so that they differ.
fn free_ports() -> Result<[u16; 2]> {
    let (one, other) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
