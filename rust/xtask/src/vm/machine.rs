//! One machine: booted, given a job, and asked what came of it.

use super::cpio::Archive;
use super::kernel::{Kernel, Module};
use super::{debs, payload};
use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the guest's only process stands.
const INIT: &str = "conformance/vm/init";

/// How its clock goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// By the instructions of the guest: idle time passes at once, and a busy host changes nothing.
    Virtual,
    /// As ours.
    Real,
}

/// What is to be run, and in what.
pub struct Job<'a> {
    /// A shell script, run in the folder of the programs.
    pub script: &'a str,
    /// What becomes of its output.
    pub output: Output,
    /// Programs and files, beside the script.
    pub programs: &'a [PathBuf],
    /// More files, at the paths they have below this folder.
    pub tree: &'a Path,
    /// Modules to load, with parameters.
    pub modules: &'a [&'a str],
    /// The clock.
    pub time: Time,
    /// Number of processors.
    pub processors: u32,
    /// Longest time of ours.
    pub limit: Duration,
}

/// What becomes of a job's output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Shown as it comes, and kept.
    Shown,
    /// Only kept.
    Kept,
}

/// What came of a job.
pub struct Outcome {
    /// All it printed.
    pub text: String,
    /// Its exit status.
    pub status: i32,
}

/// qemu, and what it needs around it.
struct Qemu {
    program: PathBuf,
    libraries: Option<OsString>,
    firmware: Vec<PathBuf>,
}

/// Boots the kernel and runs the job; an error when the machine did not come to its end.
pub fn run(kernel: &Kernel, job: &Job<'_>) -> Result<Outcome> {
    let qemu = qemu()?;
    let place = workspace::target().join("vm/run");
    fs::create_dir_all(&place)?;
    let place = tempfile::Builder::new().prefix("machine-").tempdir_in(&place)?;
    let file = |name: &str| place.path().join(name);
    fs::write(file("initrd"), first_files(kernel, job)?)?;
    fs::write(file("status"), "")?;
    let mut machine = command(&qemu, kernel, job, place.path()).limit(job.limit);
    if job.output == Output::Kept {
        machine = machine.quiet();
    }
    let output = machine.run()?;
    let status = fs::read_to_string(file("status")).unwrap_or_default();
    if let Some(status) = status.trim().strip_prefix("exit ") {
        return Ok(Outcome { text: output.text, status: status.parse()? });
    }
    // The kernel's own words are all there is to go by.
    let console = fs::read(file("console")).unwrap_or_default();
    let console = String::from_utf8_lossy(&console).into_owned();
    let tail: Vec<&str> = console.lines().rev().take(30).collect();
    let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
    match output.status {
        None => bail!("{tail}\nthe machine did not end within {:?}", job.limit),
        Some(status) => bail!("{tail}\nthe machine stopped without a word, qemu with {status}"),
    }
}

fn qemu() -> Result<Qemu> {
    if std::env::consts::ARCH != "x86_64" {
        bail!("the machine is one of x86-64, on a host of the same kind");
    }
    let name = "qemu-system-x86_64";
    if let Some(program) = tools::on_path(name) {
        return Ok(Qemu { program, libraries: None, firmware: Vec::new() });
    }
    let folder =
        debs::unpacked("qemu", |options| debs::with_dependencies(options, "qemu-system-x86"));
    let folder = folder.with_context(|| {
        format!("{name} is missing, and cannot be fetched: `apt install qemu-system-x86`")
    })?;
    let library = format!("{}-linux-gnu", std::env::consts::ARCH);
    Ok(Qemu {
        program: folder.join("usr/bin").join(name),
        libraries: Some(std::env::join_paths(
            ["usr/lib", "lib"].map(|place| folder.join(place).join(&library)),
        )?),
        firmware: ["qemu", "seabios"].map(|name| folder.join("usr/share").join(name)).into(),
    })
}

/// Init, busybox, modules and the job.
fn first_files(kernel: &Kernel, job: &Job<'_>) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    archive.add_file("init", &workspace::root().join(INIT))?;
    archive.add_file("bin/busybox", &kernel.busybox()?)?;
    // The channels that results come back by, where they are not built in.
    let wanted = [&["virtio_pci", "virtio_console"], job.modules].concat();
    let mut list = String::new();
    for Module { name, parameters, file } in kernel.modules(&wanted)? {
        archive.add_file(&format!("modules/{name}.ko"), &file)?;
        list.push_str(&format!("{name} {parameters}\n"));
    }
    archive.add("modules/list", list.as_bytes());
    archive.add("job", job.script.as_bytes());
    payload::add(&mut archive, job.programs)?;
    payload::add_tree(&mut archive, job.tree)?;
    Ok(archive.finish())
}

fn command(qemu: &Qemu, kernel: &Kernel, job: &Job<'_>, place: &Path) -> Program {
    let file = |id: &str, name: &str| format!("file,id={id},path={}", place.join(name).display());
    // A /dev/kvm need not be able to run a stock kernel: always emulate.
    let clock: &[&str] = match job.time {
        Time::Real => &["-accel", "tcg,thread=multi"],
        Time::Virtual => &[
            "-accel",
            "tcg,thread=single",
            "-icount",
            "shift=1,sleep=off",
            "-rtc",
            "base=2026-01-01,clock=vm",
        ],
    };
    let mut program = Program::new(&qemu.program)
        .args(["-M", "q35", "-cpu", "max", "-m", "768", "-smp"])
        .args([job.processors.to_string()])
        .args(clock)
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-kernel"])
        .args([&kernel.image])
        .args(["-initrd"])
        .args([place.join("initrd")])
        .args([
            "-append",
            "console=ttyS0 quiet panic=-1 oops=panic rdinit=/init mitigations=off audit=0",
        ])
        .args(["-chardev", &file("console", "console"), "-serial", "chardev:console"])
        .args(["-device", "virtio-serial-pci"])
        .args(["-chardev", "file,id=out,path=/dev/stdout"])
        .args(["-device", "virtserialport,chardev=out,name=vm.out"])
        .args(["-chardev", &file("status", "status")])
        .args(["-device", "virtserialport,chardev=status,name=vm.status"]);
    for folder in &qemu.firmware {
        program = program.args(["-L".as_ref(), folder.as_os_str()]);
    }
    match &qemu.libraries {
        Some(folder) => program.env("LD_LIBRARY_PATH", folder),
        None => program,
    }
}
