//! The Python package: its wheel, built by maturin and installed into the Python of
//! `target/tools`, and its tests.

use crate::counts::Counts;
use crate::process::Program;
use crate::{readme, tools, workspace};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

const BUILD_LIMIT: Duration = Duration::from_secs(900);
const LIMIT: Duration = Duration::from_secs(300);
/// What is checked for types beside the package, each where its modules find each other.
const TYPED: &[&str] = &[
    "python/tests",
    "conformance/agents/python",
    "examples/hello/python",
    "bench/python",
    "bench/pet-camera",
    "examples/pet-camera/conftest.py",
];

/// A Python that has the package, built from here, and NumPy. Built once in a run.
pub fn with_package(optimised: bool) -> Result<PathBuf> {
    static INSTALLED: Mutex<Option<bool>> = Mutex::new(None);
    let python = tools::python_with(&["maturin", "numpy"])?;
    let mut installed = INSTALLED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if *installed != Some(optimised) {
        install(&python, &wheel(&python, optimised)?)?;
        *installed = Some(optimised);
    }
    Ok(python)
}

/// Builds the wheel in a folder where it is the only one.
fn wheel(python: &Path, optimised: bool) -> Result<PathBuf> {
    let out = workspace::target().join("python/wheels");
    if out.exists() {
        fs::remove_dir_all(&out).with_context(|| format!("emptying {}", out.display()))?;
    }
    println!("building the Python package");
    let profile = if optimised { "release" } else { "dev" };
    Program::new(python)
        .args(["-m", "maturin", "build", "--locked", "--manifest-path", "python/Cargo.toml"])
        .args(["--profile", profile, "--interpreter"])
        .args([python.as_os_str(), "--out".as_ref(), out.as_os_str()])
        .env("CARGO_TARGET_DIR", workspace::target())
        .limit(BUILD_LIMIT)
        .quiet()
        .check()?;
    let mut built = fs::read_dir(&out)?.map(|entry| Ok(entry?.path()));
    built.next().unwrap_or_else(|| Err(anyhow::anyhow!("maturin built no wheel")))
}

fn install(python: &Path, wheel: &Path) -> Result<()> {
    Program::new(tools::python()?)
        .args(["-m", "pip", "--python"])
        .args([python])
        .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"])
        .args(["--force-reinstall".as_ref(), wheel.as_os_str()])
        .limit(LIMIT)
        .quiet()
        .check()?;
    Ok(())
}

/// The wheel, its tests, its types, and what the README shows.
pub fn tier() -> Result<Counts> {
    let python = with_package(false)?;
    tools::python_with(&["pytest", "mypy"])?;
    let mut counts = Program::new(&python)
        .args(["-B", "-m", "pytest", "-q", "-c", "python/pyproject.toml", "python/tests"])
        .args(["-p", "no:cacheprovider"])
        .limit(LIMIT)
        .counted()?;
    counts += Counts::told("types of the package, its tests and its users", types(&python));
    let lane = readme::block("A lane in Python", "python");
    counts += Counts::told(
        "README: a lane in Python",
        pasted(&python, lane, "frame 1 begins with 128\n"),
    );
    for &(page, section, prints) in readme::SHOWN {
        let program = readme::shown(page, section, "python");
        counts += Counts::told(&format!("{page}, Python"), pasted(&python, program, prints));
    }
    Ok(counts)
}

/// Tests and types of a program in Python that uses the package and these others.
pub fn program_tests(folder: &str, packages: &[&str]) -> Result<Counts> {
    tests_in(folder, packages, None)
}

/// Tests in Python of a built program, which they find in `FRAMELANE_PROGRAM`.
pub fn tests_of(program: &str, folder: &str) -> Result<Counts> {
    tests_in(folder, &[], Some(program))
}

fn tests_in(folder: &str, packages: &[&str], program: Option<&str>) -> Result<Counts> {
    let python = with_package(false)?;
    tools::python_with(&[packages, &["pytest", "mypy"]].concat())?;
    let mut counts = Program::new(&python)
        .args(["-B", "-m", "pytest", "-q", "-c", "python/pyproject.toml"])
        .args(["-p", "no:cacheprovider", &format!("{folder}/tests")])
        .env("PYTHONPATH", workspace::root().join(folder))
        .env("FRAMELANE_PROGRAM", program.unwrap_or_default())
        .limit(LIMIT)
        .counted()?;
    counts += Counts::told("types", typed(&python, &[folder]));
    Ok(counts)
}

/// Prints what taking a frame costs beside the usual ways.
pub fn peers() -> Result<bool> {
    let python = with_package(true)?;
    tools::python_with(&["iceoryx2"])?;
    Program::new(python).args(["-B", "python/bench/peers.py"]).limit(LIMIT).check()?;
    Ok(true)
}

/// mypy, strict; once for each folder, whose modules may have names that others have too. The
/// package is seen as it is installed.
fn types(python: &Path) -> Result<()> {
    typed(python, &["--package", "framelane"])?;
    TYPED.iter().try_for_each(|folder| typed(python, &[folder]))
}

fn typed(python: &Path, what: &[&str]) -> Result<()> {
    let cache = workspace::target().join("python/mypy");
    Program::new(python)
        .args(["-m", "mypy", "--config-file", "python/pyproject.toml", "--cache-dir"])
        .args([&cache])
        .args(what)
        .limit(LIMIT)
        .quiet()
        .check()
        .map(drop)
}

/// The block is pasted into a fresh folder and runs.
fn pasted(python: &Path, block: Result<String>, prints: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("lane.py");
    fs::write(&program, block?)?;
    let output = Program::new(python)
        .args([&program])
        .env("FRAMELANE_DIR", folder.path())
        .limit(LIMIT)
        .quiet()
        .check()?;
    ensure!(output == prints, "it prints {output:?}");
    Ok(())
}
