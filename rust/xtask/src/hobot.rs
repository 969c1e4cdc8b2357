//! Frames in hb_mem with a consumer of every language, on cameras that the stand-in plays.

use crate::counts::Counts;
use crate::process::Program;
use crate::recipes::{Background, CONFORMANCE, Kitchen};
use crate::{interrupt, workspace};
use anyhow::{Context, Result, ensure};
use framelane_conformance::{Launch, Patience, Process, Recipe};
use framelane_standin_ion::{Place, luma};
use std::time::Duration;

/// How long a reader may take for an answer.
const PATIENCE: Patience = Patience { time: Duration::from_secs(60), check: interrupt::check };

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
    let packages = ["framelane-cli", "framelane-standin-hbmem", "framelane-standin-vio"];
    Program::build(&packages, false).limit(Duration::from_secs(900)).check()?;
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
        let mut launch = kitchen.launch(recipe, "run")?;
        launch.env.insert("FRAMELANE_HOBOT_DIR".to_owned(), board.clone());
        let agent = Process::start(&launch, workspace::root(), lanes.path(), PATIENCE);
        let what = format!("{} reads hb_mem", recipe.language);
        counts += Counts::told(&what, agent.and_then(read));
    }
    Ok(counts)
}

/// Opens the lane and reads some frames, each of which must show the exposure that it says.
fn read(mut agent: Process) -> Result<()> {
    let mut ask = |command: &str| agent.ask(command, PATIENCE);
    ask("open lane=camera mode=latest wait_ms=30000")?;
    for _ in 0..FRAMES {
        ask("next timeout_ms=30000")?;
        let told = ask("describe")?;
        let value = |key: &str| told.get(key).with_context(|| format!("no {key}: {told:?}"));
        ensure!(value("d.memory_kind")? == "3", "it is in other memory: {told:?}");
        ensure!(value("d.planes.0.share_id")?.parse::<i32>()? > 0, "no share id: {told:?}");
        ensure!(value("d.planes.1.physical_address")? != "0", "no address: {told:?}");
        ensure!(value("d.planes.0.stride_bytes")? == "640", "another stride: {told:?}");
        ensure!(value("d.vendor_bytes")? == "160", "no vendor's description: {told:?}");
        let shown = luma(2, 1, value("d.capture_id")?.parse()?);
        let found = ask("read")?;
        for (plane, rows) in [(0, 360), (1, 180)] {
            let wanted = vec![shown + plane as u8; 640 * rows];
            let wanted = format!("{:08x}", crc32fast::hash(&wanted));
            let crc = found.get(&format!("crc{plane}"));
            ensure!(crc == Some(&wanted), "plane {plane} is not {shown} all over: {found:?}");
        }
        ensure!(ask("check")?.get("intact").is_some_and(|intact| intact == "1"));
        ask("release")?;
    }
    ask("close")?;
    agent.quit(PATIENCE)
}
