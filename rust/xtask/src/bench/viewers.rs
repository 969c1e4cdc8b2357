//! `cargo xtask bench --viewers`: many viewers of one streaming server, and what the capture
//! notices of them: nothing. Latencies and drops are figures; what is asserted are the accounts.

use crate::asking::asked_by;
use crate::counts::Counts;
use crate::demo::kit;
use crate::http::figure;
use crate::running::{Ended, Running, until};
use crate::{attached, golang, http, workspace};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

const SERVER: &str = "examples/pet-camera/server";
const FRAMES: &str = "frames";
const STREAM: &str = "stream";
/// How many watch, each way in its turn.
const VIEWERS: u64 = 50;
/// Goroutines and descriptors that may come and go without anybody's viewing.
const SLACK: f64 = 8.0;
/// Pictures small enough that the encoder, built without optimising, keeps up.
const SIZE: &str = "320x240";

/// One way of watching, and what came of it.
struct Phase {
    name: &'static str,
    /// What the viewers told; null of the phase without any.
    told: Value,
    /// Of the server, before and after.
    dropped: f64,
    /// Readers and leases of the frame lane, readers of the stream, while all watched.
    readers: [u64; 3],
}

/// What held, or what stood against it.
type Verdict = (&'static str, Option<String>);

/// Prints the figures; whether the accounts were right.
pub fn run() -> Result<bool> {
    Ok(measure(Duration::from_secs(10), true)?.failed == 0)
}

/// The same as a test, shorter, with what the other tiers have built.
pub fn tier() -> Result<Counts> {
    measure(Duration::from_secs(3), false)
}

fn measure(span: Duration, optimised: bool) -> Result<Counts> {
    let stage = Stage::start(optimised)?;
    let before = stage.metrics()?;
    let mut phases = vec![stage.alone(span)?];
    for (name, kind) in [("WebRTC", "webrtc"), ("MP4", "mp4")] {
        phases.push(stage.watched(name, kind, span)?);
    }
    let mut verdicts = accounts(&phases);
    verdicts.push(("who leaves takes everything along", stage.settles(&before).err().map(text)));
    let (camera, encoder) = stage.stop()?;
    let starved = camera.figures["no_free_slot"].as_u64();
    let against = (starved != Some(0)).then(|| format!("{starved:?} times"));
    verdicts.push(("the capture never lacked a slot", against));
    println!("\n{} builds", if optimised { "release" } else { "development" });
    print(&phases, &camera, &encoder);
    let mut counts = Counts::default();
    for (claim, against) in verdicts {
        let Some(against) = against else {
            println!("ok     {claim}");
            counts += Counts::PASSED;
            continue;
        };
        println!("FAILED {claim}: {against}");
        counts += Counts::FAILED;
    }
    Ok(counts)
}

fn text(error: anyhow::Error) -> String {
    format!("{error:#}")
}

/// Holds what each phase saw against what it saw with no viewer.
fn accounts(phases: &[Phase]) -> Vec<Verdict> {
    let [alone, watched @ ..] = phases else { return Vec::new() };
    let against = |fails: &dyn Fn(&Phase) -> bool| {
        let failed: Vec<String> = watched
            .iter()
            .filter(|phase| fails(phase))
            .map(|phase| format!("{}: {:?}, {}", phase.name, phase.readers, phase.told))
            .collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    };
    vec![
        ("every viewer got pictures", against(&|phase| phase.told["least"].as_u64() < Some(1))),
        (
            "viewers take no lease of the capture",
            against(&|phase| phase.readers[..2] != alone.readers[..2]),
        ),
        ("one reader of the stream feeds them all", against(&|phase| phase.readers[2] != 1)),
    ]
}

fn print(phases: &[Phase], camera: &Ended, encoder: &Ended) {
    println!("watching   viewers  pictures  least  gaps  dropped      p50      p99      max");
    for Phase { name, told, dropped, .. } in phases {
        let count = |name: &str| told[name].as_u64().map_or("-".to_owned(), |n| n.to_string());
        let ms =
            |name: &str| told[name].as_f64().map_or("-".to_owned(), |ms| format!("{ms:.1} ms"));
        println!(
            "{name:<9}{:>9}{:>10}{:>7}{:>6}{dropped:>9}{:>9}{:>9}{:>9}",
            count("viewers"),
            count("pictures"),
            count("least"),
            count("gaps"),
            ms("p50_ms"),
            ms("p99_ms"),
            ms("max_ms"),
        );
    }
    let of = |ended: &Ended, name: &str| ended.figures[name].to_string();
    println!(
        "exposure to last byte at the viewer, {SIZE}; capture: {} published, {} late, {} without a \
         free slot; encoder: {} pictures, {} missed\n",
        of(camera, "published"),
        of(camera, "late"),
        of(camera, "no_free_slot"),
        of(encoder, "pictures"),
        of(encoder, "missed"),
    );
}

/// A camera, an encoder and a server in a runtime directory of their own.
struct Stage {
    framelane: PathBuf,
    viewers: PathBuf,
    address: String,
    // Ended in this order.
    server: Running,
    encoder: Running,
    camera: Running,
    lanes: tempfile::TempDir,
}

impl Stage {
    fn start(optimised: bool) -> Result<Self> {
        kit::build_command(optimised)?;
        let server = golang::build_program(SERVER, "server", optimised)?;
        let viewers = golang::build_package(SERVER, "./viewers", "viewers", optimised)?;
        let lanes = tempfile::Builder::new().prefix("framelane-viewers-").tempdir()?;
        let start = |name: &str, program: &PathBuf, arguments: &[&str]| {
            let mut command = attached::command(program)?;
            command.args(arguments).env("FRAMELANE_DIR", lanes.path());
            Running::start_with(name, &mut command, |figures, line| {
                // The server tells its address, the others objects.
                let plain = || Value::String(line.to_owned());
                *figures = serde_json::from_str(line).unwrap_or_else(|_| plain());
            })
        };
        let profile = if optimised { "release" } else { "debug" };
        let framelane = workspace::target().join(profile).join("framelane");
        let camera = ["camera", FRAMES, "--size", SIZE, "--fps", "30", "--json"];
        let encoder = ["encode", FRAMES, STREAM, "--gop", "30", "--encoder", "openh264", "--json"];
        let camera = start("camera", &framelane, &camera)?;
        let encoder = start("encoder", &framelane, &encoder)?;
        let server = start("server", &server, &["-stream", STREAM, "-frames", FRAMES])?;
        until("the server tells its address", || server.figures().is_string())?;
        let address = server.figures().as_str().unwrap_or_default().to_owned();
        let stage = Stage { framelane, viewers, address, server, encoder, camera, lanes };
        until("the stream is there", || stage.readers_of(STREAM).is_ok())?;
        Ok(stage)
    }

    /// What is so while nobody watches.
    fn alone(&self, span: Duration) -> Result<Phase> {
        thread::sleep(span);
        let readers = self.readers()?;
        Ok(Phase { name: "nobody", told: Value::Null, dropped: 0.0, readers })
    }

    /// The same while all watch.
    fn watched(&self, name: &'static str, kind: &str, span: Duration) -> Result<Phase> {
        let dropped = self.dropped(kind)?;
        let mut command = attached::command(&self.viewers)?;
        command.args(["-server", &self.address, "-kind", kind]);
        command.args(["-count", &VIEWERS.to_string(), "-for", &format!("{}ms", span.as_millis())]);
        let viewers = Running::start("viewers", &mut command)?;
        let all = format!("framelane_server_viewers{{kind=\"{kind}\"}}");
        until("all are there", || {
            viewers.is_gone()
                || self.metrics().is_ok_and(|now| figure(&now, &all) == VIEWERS as f64)
        })?;
        let readers = self.readers()?;
        until("they have seen enough", || viewers.is_gone())?;
        let told = viewers.stop()?.figures;
        ensure!(told["viewers"] == VIEWERS, "the viewers told {told}");
        Ok(Phase { name, told, dropped: self.dropped(kind)? - dropped, readers })
    }

    fn dropped(&self, kind: &str) -> Result<f64> {
        let name = format!("framelane_server_viewer_units_dropped_total{{kind=\"{kind}\"}}");
        Ok(figure(&self.metrics()?, &name))
    }

    fn readers(&self) -> Result<[u64; 3]> {
        let ([readers, leases], [of_stream, _]) =
            (self.readers_of(FRAMES)?, self.readers_of(STREAM)?);
        Ok([readers, leases, of_stream])
    }

    /// Consumers of a lane, and leases they have been granted.
    fn readers_of(&self, lane: &str) -> Result<[u64; 2]> {
        let who = asked_by(&self.framelane, self.lanes.path(), &["who", lane, "--json"])?;
        let consumers = who["consumers"].as_array().context("no consumers")?;
        Ok([consumers.len() as u64, who["leases_granted"].as_u64().context("no leases")?])
    }

    /// Waits until the server is as it was before anybody came.
    fn settles(&self, before: &str) -> Result<()> {
        until("the server leaves the stream", || {
            self.readers_of(STREAM).is_ok_and(|[readers, _]| readers == 0)
        })?;
        let mut grown = String::new();
        let settled = until("nothing is left", || {
            let Ok(now) = self.metrics() else { return false };
            let more = |name: &&str| figure(&now, name) > figure(before, name) + SLACK;
            let grow = ["go_goroutines", "process_open_fds"].into_iter().filter(more);
            grown = grow
                .map(|name| {
                    format!("{name} {} after {} ", figure(&now, name), figure(before, name))
                })
                .collect();
            grown.is_empty()
        });
        settled.with_context(|| grown)
    }

    fn metrics(&self) -> Result<String> {
        Ok(String::from_utf8(http::get(&self.address, "/metrics")?)?)
    }

    fn stop(self) -> Result<(Ended, Ended)> {
        self.server.stop()?;
        let encoder = self.encoder.stop()?;
        Ok((self.camera.stop()?, encoder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_who_costs_the_capture_a_lease_is_found() {
        let phase = |readers| Phase {
            name: "x",
            told: serde_json::json!({ "least": 5 }),
            dropped: 0.0,
            readers,
        };
        let failed = |phases: &[Phase]| {
            accounts(phases).iter().filter(|(_, against)| against.is_some()).count()
        };
        assert_eq!(failed(&[phase([1, 2, 0]), phase([1, 2, 1])]), 0);
        assert_eq!(failed(&[phase([1, 2, 0]), phase([51, 102, 1])]), 1);
        assert_eq!(failed(&[phase([1, 2, 0]), phase([1, 2, 50])]), 1);
    }
}
