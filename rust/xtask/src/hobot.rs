//! Frames in hb_mem with a consumer of every language, on cameras that the stand-in plays.

use crate::counts::Counts;
use crate::process::Program;
use crate::recipes::{Background, CONFORMANCE, Kitchen};
use crate::{interrupt, workspace};
use anyhow::{Context, Result, bail, ensure};
use framelane_conformance::{Launch, Recipe};
use framelane_standin_ion::{Place, luma};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a reader may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Frames that each language reads.
const FRAMES: usize = 5;

const CONFIG: &str = r#"
[[camera]]
host = 2
[[camera.channel]]
number = 1
size = [640, 360]
lane = "camera"
lease_ms = 60000
leases = 16
"#;

/// Plain Python without our core reads no vendor's memory.
const NOT_OURS: &str = "reference";

/// Every language reads frames where the camera has put them.
pub fn tier() -> Result<Counts> {
    let folder = workspace::root().join("conformance/agents");
    let recipes = Recipe::all(&folder, "agent.toml", &["run"])?;
    let ours = || recipes.iter().filter(|recipe| recipe.language != NOT_OURS);
    let kitchen = Kitchen::new(CONFORMANCE, None);
    kitchen.build(ours())?;
    Program::cargo(["build", "--locked", "--package", "framelane-cli"])
        .args(["--package", "framelane-standin-hbmem", "--package", "framelane-standin-vio"])
        .limit(Duration::from_secs(900))
        .check()?;
    let lanes = tempfile::tempdir()?;
    let place = Place::new(&lanes.path().join("board"))?;
    let config = lanes.path().join("cameras.toml");
    std::fs::write(&config, CONFIG)?;
    let board = place.folder().to_string_lossy().into_owned();
    let camera = workspace::target().join("debug/framelane").to_string_lossy().into_owned();
    let words = [&camera, "camera", "--source", "hb_vio", "--config", &config.to_string_lossy()];
    let launch = Launch {
        language: "camera".into(),
        command: words.map(str::to_owned).to_vec(),
        env: [("FRAMELANE_HOBOT_DIR".to_owned(), board.clone())].into_iter().collect(),
    };
    let _camera = Background::start(&launch, lanes.path(), &[])?;
    let mut counts = Counts::default();
    for recipe in ours() {
        interrupt::check()?;
        let launch = kitchen.launch(recipe, "run")?;
        counts += match Reader::start(&launch, lanes.path(), &board).and_then(read) {
            Ok(()) => {
                println!("ok     {} reads hb_mem", recipe.language);
                Counts::PASSED
            }
            Err(error) => {
                println!("FAILED {} reads hb_mem: {error:#}", recipe.language);
                Counts::FAILED
            }
        };
    }
    Ok(counts)
}

/// Opens the lane and reads some frames, each of which must show the exposure that it says.
fn read(mut reader: Reader) -> Result<()> {
    reader.ask("open lane=camera mode=latest wait_ms=30000")?;
    for _ in 0..FRAMES {
        reader.ask("next timeout_ms=30000")?;
        let told = reader.ask("describe")?;
        let value = |key: &str| told.get(key).with_context(|| format!("no {key}: {told:?}"));
        ensure!(value("d.memory_kind")? == "3", "it is in other memory: {told:?}");
        ensure!(value("d.planes.0.share_id")?.parse::<i32>()? > 0, "no share id: {told:?}");
        ensure!(value("d.planes.1.physical_address")? != "0", "no address: {told:?}");
        ensure!(value("d.planes.0.stride_bytes")? == "640", "another stride: {told:?}");
        ensure!(value("d.vendor_bytes")? == "160", "no vendor's description: {told:?}");
        let shown = luma(2, 1, value("d.capture_id")?.parse()?);
        let found = reader.ask("read")?;
        for (plane, rows) in [(0, 360), (1, 180)] {
            let wanted = vec![shown + plane as u8; 640 * rows];
            let wanted = format!("{:08x}", crc32fast::hash(&wanted));
            let crc = found.get(&format!("crc{plane}"));
            ensure!(crc == Some(&wanted), "plane {plane} is not {shown} all over: {found:?}");
        }
        ensure!(reader.ask("check")?.get("intact").is_some_and(|intact| intact == "1"));
        reader.ask("release")?;
    }
    reader.ask("close").map(drop)
}

/// An agent in the consumer's role.
struct Reader {
    child: Child,
    lines: Receiver<String>,
}

impl Reader {
    fn start(launch: &Launch, lanes: &Path, board: &str) -> Result<Self> {
        let (program, rest) = launch.command.split_first().context("no program")?;
        let mut child = Command::new(program)
            .args(rest)
            .envs(&launch.env)
            .env("FRAMELANE_DIR", lanes)
            .env("FRAMELANE_HOBOT_DIR", board)
            .current_dir(workspace::root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let output = BufReader::new(child.stdout.take().context("piped")?);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let reader = Reader { child, lines };
        let ready = reader.line()?;
        ensure!(ready.starts_with("ready "), "it begins with {ready:?}");
        Ok(reader)
    }

    fn line(&self) -> Result<String> {
        self.lines.recv_timeout(PATIENCE).context("it says nothing")
    }

    /// Sends a line; what the answer, which must be a good one, names.
    fn ask(&mut self, order: &str) -> Result<HashMap<String, String>> {
        writeln!(self.child.stdin.as_mut().context("piped")?, "{order}")?;
        let answer = self.line()?;
        let Some(rest) = answer.strip_prefix("ok") else { bail!("{order:?}: {answer}") };
        let pairs = rest.split_whitespace().filter_map(|word| word.split_once('='));
        Ok(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
