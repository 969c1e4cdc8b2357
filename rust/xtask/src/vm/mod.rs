//! `cargo xtask vm`: our own programs on a stock kernel, with real cameras of the kernel's.
//!
//! qemu emulates the machine: no rights, no /dev/kvm and nothing of the host's kernel are needed.
//! Kernel and qemu come as packages of Debian that are unpacked and not installed.

mod agents;
mod cpio;
mod debs;
mod kernel;
mod libcamera;
mod machine;
mod payload;

use crate::counts::Counts;
use anyhow::Result;
use kernel::{Kernel, Series};
use machine::{Job, Outcome, Output, Time};
use payload::Wanted;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Options {
    /// Also the older kernel, which lacks udmabuf and dma-heaps, and a machine in real time
    #[arg(long)]
    all: bool,
    /// Run the tests on the kernel of Debian 12, which lacks udmabuf and dma-heaps
    #[arg(long)]
    old_kernel: bool,
    /// Let the machine's clock go as ours, not by its instructions
    #[arg(long)]
    real_time: bool,
    /// Print only the table of copies between a driver and a program, measured
    #[arg(long, conflicts_with_all = ["all", "filter", "command"])]
    copies: bool,
    /// Run only the test that takes its frames through libcamera, whose packages are fetched
    #[arg(long, conflicts_with_all = ["all", "filter", "command", "copies"])]
    libcamera: bool,
    /// Run only tests of ours whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run this shell command in the machine instead of the tests
    #[arg(last = true)]
    command: Vec<String>,
}

/// Tests that need nothing but a kernel: of memory that readers cannot write, of two processes, of
/// owners of buffers.
const CORE: &[Wanted] = &[
    Wanted { name: "lane", source: "rust/core/tests/lane.rs" },
    Wanted { name: "device", source: "rust/core/tests/device.rs" },
];
/// Tests with cameras, which they use one after the other.
const CAMERA: &[Wanted] = &[
    Wanted { name: "vivid", source: "rust/camera/tests/vivid.rs" },
    Wanted { name: "uvc", source: "rust/camera/tests/uvc.rs" },
];
const PROGRAMS: &[Wanted] = &[Wanted { name: "framelane", source: "rust/cli/src/main.rs" }];

/// Loaded before the job: four cameras, with one plane a buffer, with more, one whose memory is
/// contiguous, and one that takes the signal of an HDMI connector; the driver for USB cameras, and
/// ports that tests can plug one into.
const CAMERAS: &[&str] = &[
    "vivid n_devs=4 multiplanar=1,2,1,1 allocators=0,0,1,0 \
     node_types=0x1,0x1,0x1,0x1 input_types=0,0,0,3 num_inputs=1,1,1,1",
    "vhci_hcd",
    "uvcvideo",
];

/// The test that asks for all frames of a second, which a host that is busy cannot promise.
const PUNCTUAL: &str = "thirty_frames_a_second_arrive";
/// The test that prints the table of copies.
const COPIES: &str = "copies_from_the_driver_to_a_program";
/// The test that needs programs of every language.
const LANGUAGES: &str = "languages::every_language_reads_the_drivers_buffers_in_place";

/// For booting and all of the tests, on a machine that is busy with other things too.
const LIMIT: Duration = Duration::from_secs(600);

/// One way to run the tests.
struct Round {
    name: &'static str,
    series: Series,
    time: Time,
}

const USUAL: Round = Round { name: "6.12", series: Series::New, time: Time::Virtual };
const OLD: Round = Round { name: "6.1", series: Series::Old, time: Time::Virtual };
const REAL: Round = Round { name: "6.12 in real time", series: Series::New, time: Time::Real };

pub fn run(options: &Options) -> Result<bool> {
    let time = if options.real_time { Time::Real } else { Time::Virtual };
    let series = if options.old_kernel { Series::Old } else { Series::New };
    let one = [Round { name: "chosen", series, time }];
    if !options.command.is_empty() {
        let script = Script { text: options.command.join(" ") + "\n", ..Script::default() };
        let outcome = round(&one[0], &script, Output::Shown)?;
        return Ok(outcome.status == 0);
    }
    if options.copies {
        return copies(&one[0]);
    }
    let rounds: &[Round] = if options.all { &[USUAL, OLD, REAL] } else { &one };
    let mut counts = Counts::default();
    for round in rounds {
        let script = match options.libcamera {
            true => Script::of_libcamera()?,
            false => Script::of(options.filter.as_deref().unwrap_or_default(), round.time),
        };
        counts += tests(round, &script)?;
    }
    if options.all {
        counts += tests(&USUAL, &Script::of_libcamera()?)?;
    }
    println!("{counts}");
    Ok(counts.failed == 0)
}

/// Prints the table that a test prints, and else only what goes wrong.
fn copies(way: &Round) -> Result<bool> {
    let outcome = round(way, &Script::of(COPIES, way.time), Output::Kept)?;
    let table = outcome.text.lines().filter(|line| line.starts_with('|'));
    table.for_each(|line| println!("{line}"));
    let well = outcome.status == 0 && Counts::read(&outcome.text).passed == 1;
    if !well {
        println!("{}\nthe job ended with {}", outcome.text, outcome.status);
    }
    Ok(well)
}

/// The tests, on the newer kernel.
pub fn tier() -> Result<Counts> {
    tests(&USUAL, &Script::of("", USUAL.time))
}

/// The tests, on the older kernel and in real time; and one with libcamera.
pub fn long_tier() -> Result<Counts> {
    let mut counts = tests(&OLD, &Script::of("", OLD.time))?;
    counts += tests(&REAL, &Script::of("", REAL.time))?;
    counts += tests(&USUAL, &Script::of_libcamera()?)?;
    Ok(counts)
}

fn tests(way: &Round, script: &Script) -> Result<Counts> {
    let outcome = round(way, script, Output::Shown)?;
    let mut counts = Counts::read(&outcome.text);
    anyhow::ensure!(counts != Counts::default(), "no test has such a name");
    if outcome.status != 0 && counts.failed == 0 {
        println!("the job ended with {}", outcome.status);
        counts.failed += 1;
    }
    Ok(counts)
}

/// What a machine does, and what it needs for that beside the usual.
#[derive(Default)]
struct Script {
    text: String,
    /// Agents of all languages, which are built only for those who ask for them.
    agents: bool,
    /// Packages of libcamera.
    libcamera: bool,
}

impl Script {
    /// Tests whose names contain this; the status says whether all went well.
    fn of(filter: &str, time: Time) -> Self {
        let agents = LANGUAGES.contains(filter);
        let mut text = String::from(RUN);
        text.push_str("run ./framelane doctor\n");
        if agents {
            text.push_str(&format!("export FRAMELANE_AGENTS={}\n", agents::LIST));
        }
        for Wanted { name, .. } in CORE {
            text.push_str(&format!("run ./{name} {filter}\n"));
        }
        for Wanted { name, .. } in CAMERA {
            let mut more = format!("--test-threads=1 --show-output --skip libcamera {filter}");
            if time == Time::Real {
                more.push_str(&format!(" --skip {PUNCTUAL}"));
            }
            text.push_str(&format!("run ./{name} {more}\n"));
        }
        text.push_str("exit $failed\n");
        Script { text, agents, libcamera: false }
    }

    /// The test with libcamera.
    fn of_libcamera() -> Result<Self> {
        let prepare = libcamera::prepare()?;
        let text = format!("{RUN}{prepare}\nrun ./uvc --show-output libcamera\nexit $failed\n");
        Ok(Script { text, agents: false, libcamera: true })
    }
}

/// Begins each script of tests.
const RUN: &str = "failed=0\n\
    run() { echo \"== $*\"; \"$@\" || { echo \"$1 ended with $?\"; failed=1; }; }\n";

fn round(way: &Round, script: &Script, output: Output) -> Result<Outcome> {
    println!("kernel {}", way.name);
    let kernel = Kernel::fetch(way.series)?;
    let scratch = tempfile::tempdir()?;
    let place = scratch.path();
    let mut programs = payload::tests(CORE, place)?;
    programs.extend(payload::tests(CAMERA, place)?);
    programs.extend(payload::binaries(PROGRAMS, place)?);
    let tree = place.join("tree");
    std::fs::create_dir(&tree)?;
    if script.agents {
        agents::stage(&tree)?;
    }
    if script.libcamera {
        libcamera::stage(&tree)?;
    }
    machine::run(
        &kernel,
        &Job {
            script: &script.text,
            output,
            programs: &programs,
            tree: &tree,
            modules: CAMERAS,
            time: way.time,
            // With the older kernel a second processor does not come up in virtual time.
            processors: if way.series == Series::Old { 1 } else { 2 },
            limit: LIMIT,
        },
    )
}
