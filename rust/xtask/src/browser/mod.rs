//! The pet camera in a real browser: the tests of `examples/pet-camera/browser-tests`.

mod chromium;
mod node;

use crate::counts::Counts;
use crate::process::Program;
use crate::{golang, pet_camera, python, tools, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::time::Duration;

const PROGRAMS: &str = "examples/pet-camera";
const FOLDER: &str = "examples/pet-camera/browser-tests";
const BUILD_LIMIT: Duration = Duration::from_secs(900);
const LIMIT: Duration = Duration::from_secs(600);

/// The cases that fit every change.
pub fn tier() -> Result<Counts> {
    tests("tests")
}

/// Those that take their time.
pub fn long_tier() -> Result<Counts> {
    tests("long")
}

fn tests(folder: &str) -> Result<Counts> {
    let chromium = chromium::path()?;
    let node = node::with_packages(FOLDER)?;
    Program::build(&["framelane-cli"], false).limit(BUILD_LIMIT).check()?;
    let server = golang::build_program(&format!("{PROGRAMS}/server"), "server", false)?;
    tools::python_with(&[pet_camera::DETECTOR, pet_camera::MONITOR].concat())?;
    let python = python::with_package(false)?;
    let artefacts = workspace::target().join("browser/artefacts");
    let folder = workspace::root().join(FOLDER).join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .with_context(|| format!("{}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    let counts = Program::new(node)
        .args(["--test", "--test-concurrency=1", "--test-timeout=180000"])
        .args(["--test-reporter=spec"])
        .args(files)
        .env("FRAMELANE", workspace::target().join("debug/framelane"))
        .env("PET_CAMERA_SERVER", server)
        .env("PET_CAMERA", workspace::root().join(PROGRAMS))
        .env("PET_CAMERA_PYTHON", python)
        .env("CHROMIUM", chromium)
        .env("ARTEFACTS", &artefacts)
        .limit(LIMIT)
        .counted()?;
    println!("pictures of the pages: {}", artefacts.display());
    Ok(counts)
}
