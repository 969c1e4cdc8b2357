//! Everything the demo needs: built programs, a directory, ports, and how each program is started.

use super::board::{self, Board};
use super::cameras::Cameras;
use super::keeper::{Make, Spec};
use super::source::{STREAM, Source};
use super::turn::Turn;
use crate::interrupt::{self, Will};
use crate::process::Program;
use crate::running::{self, Running, Take, last_object};
use crate::{attached, golang, pet_camera, python, tools, workspace};
use anyhow::{Context, Result, ensure};
use std::cell::Cell;
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

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where pictures come from.
    pub source: Source,
    /// Programs for figures.
    pub optimised: bool,
    /// The directory stays.
    pub keep: bool,
    /// Milliseconds for which the stand-in's frames are their readers'; None: as long as it takes.
    pub lease_ms: Option<u64>,
    /// Where a board's libraries are; None: where `FRAMELANE_HOBOT_DIR` says, or the loader.
    pub libraries: Option<PathBuf>,
}

impl Default for Wanted {
    fn default() -> Self {
        let source = Source::HbVio;
        Wanted { source, optimised: false, keep: false, lease_ms: None, libraries: None }
    }
}

impl Wanted {
    /// What the cameras are told, and what that means for who reads them.
    fn cameras(&self) -> Result<(String, Cameras)> {
        let stands_in = self.source.is_stand_in();
        ensure!(self.lease_ms.is_none() || stands_in, "--lease-ms is for hb_vio on the stand-in");
        match &self.source {
            Source::HbVio => {
                let lease_ms = self.lease_ms.unwrap_or(board::LEASE_MS);
                let config = board::config("zero-copy", false, lease_ms);
                let cameras = Cameras::read(&config)?;
                Ok((config, cameras))
            }
            Source::Board(file) => {
                let of = || format!("the cameras of {}", file.display());
                let config = std::fs::read_to_string(file).with_context(of)?;
                let cameras = Cameras::read(&config).with_context(of)?;
                Ok((config, cameras))
            }
            _ => Ok((String::new(), Cameras::one())),
        }
    }
}

/// Built programs, and a place to run them in.
pub struct Kit {
    /// What it was made for.
    pub wanted: Wanted,
    /// Who reads what.
    pub cameras: Cameras,
    framelane: PathBuf,
    server: PathBuf,
    viewers: PathBuf,
    python: PathBuf,
    native: Vec<(String, PathBuf)>,
    search_path: OsString,
    board: Option<Board>,
    clip: PathBuf,
    /// Addresses of the server and of the page.
    ports: [u16; 2],
    folder: Folder,
    /// Until nobody is started for the first time any more.
    turn: Cell<Option<Turn>>,
}

/// The runtime directory: removed on drop, and by a second Ctrl-C, unless it is kept.
struct Folder {
    path: PathBuf,
    _removed: Option<TempDir>,
    /// Forgotten last, after the directory is gone.
    _will: Will,
}

impl Folder {
    fn make(keep: bool) -> Result<Self> {
        let made = tempfile::Builder::new().prefix("framelane-demo-").tempdir()?;
        let path = made.path().to_owned();
        let left = (!keep).then(|| path.clone());
        let will = interrupt::will(move || {
            running::end_all();
            if let Some(left) = left {
                let _ = std::fs::remove_dir_all(left);
            }
        })?;
        let removed = if keep {
            drop(made.keep());
            None
        } else {
            Some(made)
        };
        Ok(Folder { path, _removed: removed, _will: will })
    }
}

impl Kit {
    /// Builds and installs all.
    pub fn build(wanted: &Wanted) -> Result<Kit> {
        let (optimised, standing_in) = (wanted.optimised, wanted.source.is_stand_in());
        let (config, cameras) = wanted.cameras()?;
        let turn = Turn::wait()?;
        println!("building the pet camera");
        build_command(false)?;
        if standing_in {
            build_stand_ins()?;
        }
        if optimised {
            build_command(true)?;
        }
        let profile = if optimised { "release" } else { "debug" };
        let framelane = workspace::target().join(profile).join("framelane");
        let server = golang::build_program(&format!("{FOLDER}/server"), "server", optimised)?;
        let viewers =
            golang::build_package(&format!("{FOLDER}/server"), "./viewers", "viewers", optimised)?;
        let native = pet_camera::build(optimised)?.into_iter().map(|launch| {
            let program = launch.command.first().context("a recipe has words")?;
            Ok((launch.language, PathBuf::from(program)))
        });
        let native = native.collect::<Result<_>>()?;
        tools::python_with(&[pet_camera::DETECTOR, pet_camera::MONITOR].concat())?;
        let python = python::with_package(optimised)?;
        let folder = Folder::make(wanted.keep)?;
        let board = standing_in.then(|| Board::new(&folder.path, &config)).transpose()?;
        let kit = Kit {
            wanted: wanted.clone(),
            cameras,
            framelane,
            server,
            viewers,
            python,
            native,
            search_path: tools::search_path_with("ffmpeg")?,
            board,
            clip: workspace::target().join("demo/clip.y4m"),
            ports: free_ports()?,
            folder,
            turn: Cell::new(Some(turn)),
        };
        kit.furnish()?;
        Ok(kit)
    }

    fn furnish(&self) -> Result<()> {
        // What the watchdog feeds in the place of a device.
        std::fs::write(self.dog(), "")?;
        let wanted = self.board.is_some() || self.wanted.source == Source::Clip(None);
        if wanted && !self.clip.is_file() {
            std::fs::create_dir_all(workspace::target().join("demo"))?;
            let render = Program::new(&self.framelane).args(["render", PICTURE, "--fps", "30"]);
            render.args([&self.clip]).quiet().check().context("rendering the clip")?;
        }
        self.board.as_ref().map_or(Ok(()), |board| board.show(&self.clip))
    }

    /// All are started and built: another demo may begin.
    pub fn is_up(&self) {
        self.turn.take();
    }

    /// The board, where the source is one.
    pub fn board(&self) -> Option<&Board> {
        self.board.as_ref()
    }

    /// The private runtime directory.
    pub fn directory(&self) -> &Path {
        &self.folder.path
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
        let (active, yolo) = (&*self.cameras.active, &*self.cameras.yolo);
        let listen = |index: usize| format!("127.0.0.1:{}", self.ports[index]);
        let mut server = vec!["-stream".to_owned(), STREAM.into(), "-frames".into(), active.into()];
        server.extend(["-listen".into(), listen(0), "-allow-origin".into(), origin]);
        let mut monitor = self.script("monitor/monitor.py", &["--frames", active]);
        monitor.extend(["--yolo", yolo, "--stream", STREAM].map(str::to_owned));
        monitor.extend(["--detections".into(), DETECTIONS.into(), "--listen".into(), listen(1)]);
        monitor.extend(["--server".into(), self.server_url()]);
        let mut all = vec![
            self.spec("server", "Go", &self.server, server),
            self.spec("monitor", "Python", &self.python, monitor),
        ];
        if !self.wanted.source.has_frames() {
            return all;
        }
        let detect = self.script("detector/detect.py", &[yolo, DETECTIONS]);
        all.push(self.spec("detector", "Python", &self.python, detect));
        let encode = ["encode", active, STREAM, "--gop", "30", "--bitrate", "2M", "--json"];
        all.push(self.spec("encoder", "Rust", &self.framelane, strings(&encode)));
        let dog = self.dog().to_string_lossy().into_owned();
        for (name, program) in &self.native {
            let (name, language, words) = match name.as_str() {
                "meter" => ("meter", "C++", strings(&[active, METER])),
                "watchdog" => ("watchdog", "C", strings(&[active, &dog, "60000"])),
                _ => continue,
            };
            all.push(self.spec(name, language, program, words));
        }
        all
    }

    /// The program that has the camera.
    pub fn camera(&self) -> Spec {
        let config = match (&self.board, &self.wanted.source) {
            (Some(board), _) => Some(board.config()),
            (None, Source::Board(file)) => Some(file.as_path()),
            _ => None,
        };
        let config = config.map(|config| std::path::absolute(config).unwrap_or(config.to_owned()));
        let config = config.unwrap_or_default().to_string_lossy().into_owned();
        let clip = self.clip.to_string_lossy();
        let mut words = strings(&["camera", "--json"]);
        words.extend(self.wanted.source.arguments(&clip, &config));
        self.spec("camera", "Rust", &self.framelane, words)
    }

    /// A command of ours that looks on, and prints an object a line.
    pub fn observer(&self, name: &str, words: &[&str], take: Take) -> Result<Running> {
        let mut command = attached::command(&self.framelane)?;
        command.args(words).envs(self.environment());
        Running::start_with(name, &mut command, take)
    }

    /// A viewer of the video by WebRTC, who measures; it watches until it is ended.
    pub fn viewer(&self) -> Result<Running> {
        let mut command = attached::command(&self.viewers)?;
        let words = ["-kind", "webrtc", "-count", "1", "-for", "8760h", "-server"];
        command.args(words).arg(self.server_url()).envs(self.environment());
        Running::start("viewer", &mut command)
    }

    /// Selects a lane behind the switch of the cameras, by its place.
    pub fn select(&self, choice: &str) -> Result<()> {
        let words = ["switch", "select", &self.cameras.active, choice];
        let mut select = Program::new(&self.framelane).args(words).quiet();
        for (name, value) in self.environment() {
            select = select.env(name, value);
        }
        select.check().map(drop)
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
            ("FRAMELANE_DIR", self.folder.path.clone().into_os_string()),
            // Who reads every frame of a camera is told that it may miss some; it counts them.
            ("FRAMELANE_LOG", "warn,framelane::consumer=error".into()),
            ("PATH", self.search_path.clone()),
            // One thread each is enough for pictures of this size.
            ("OPENCV_FOR_THREADS_NUM", "1".into()),
        ];
        let ours = self.board.as_ref().map(Board::libraries);
        if let Some(libraries) = ours.or(self.wanted.libraries.as_deref()) {
            all.push(("FRAMELANE_HOBOT_DIR", libraries.into()));
        }
        all
    }

    fn dog(&self) -> PathBuf {
        self.folder.path.join("watchdog")
    }
}

/// Builds the `framelane` command.
pub fn build_command(optimised: bool) -> Result<()> {
    Program::build(&["framelane-cli"], optimised).limit(BUILD_LIMIT).check().map(drop)
}

/// Builds what plays the vendor's libraries.
pub fn build_stand_ins() -> Result<()> {
    let all = ["framelane-standin-hbmem", "framelane-standin-vio", "framelane-standin-multimedia"];
    Program::build(&all, false).limit(BUILD_LIMIT).check().map(drop)
}

/// Ports that nobody has now; taken at once, so that they differ.
fn free_ports() -> Result<[u16; 2]> {
    let (one, other) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
