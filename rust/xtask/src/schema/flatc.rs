//! The FlatBuffers compiler: built from the source that a crate carries, because no package has the
//! version of our runtimes. It makes the reflection data, and it is the oracle of the layout tests.

use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

const VERSION: &str = "25.12.19";
const SOURCE: &str = "rust/schema-gen/flatc-source/Cargo.toml";
const BUILD_LIMIT: Duration = Duration::from_secs(1800);

/// The compiler, and the source tree that it was built from.
pub struct Flatc {
    program: PathBuf,
    source: PathBuf,
}

impl Flatc {
    /// Finds the compiler, or builds it.
    pub fn locate() -> Result<Self> {
        let source = source()?;
        let build = workspace::target().join("tools/flatc").join(VERSION);
        let program = build.join("flatc");
        if !is_current(&program) {
            println!("building flatc {VERSION} in {}: a few minutes, once", build.display());
            compile(&source, &build)?;
        }
        Ok(Flatc { program, source })
    }

    /// Runs it in the top folder on the root file of the schema.
    pub fn run(&self, flags: &[&str], out: &Path) -> Result<()> {
        Program::new(&self.program)
            .args(flags)
            .args(["-o".as_ref(), out.as_os_str()])
            .args(["schema/framelane.fbs"])
            .quiet()
            .check()?;
        Ok(())
    }

    /// Writes the reflection data into a folder. File names in it are relative to `schema/`, so the
    /// bytes do not depend on where the checkout is.
    pub fn reflect(&self, out: &Path) -> Result<()> {
        let flags = ["-b", "--schema", "--bfbs-comments", "--bfbs-builtins"];
        self.run(&[&flags[..], &["--bfbs-filenames", "schema"]].concat(), out)
    }

    /// Folder of the C++ headers of the same version.
    pub fn include(&self) -> PathBuf {
        self.source.join("include")
    }
}

fn is_current(program: &Path) -> bool {
    let version = Program::new(program).args(["--version"]).quiet().check();
    program.is_file() && version.is_ok_and(|text| text.contains(VERSION))
}

fn source() -> Result<PathBuf> {
    let metadata = Program::cargo(["metadata", "--format-version", "1"])
        .args(["--manifest-path", SOURCE])
        .quiet()
        .check()?;
    let json = metadata.lines().find(|line| line.starts_with('{')).context("cargo metadata")?;
    let metadata: Value = serde_json::from_str(json)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let flatc = packages.iter().find(|package| package["name"] == "flatc-fork");
    let manifest = flatc.and_then(|package| package["manifest_path"].as_str());
    Ok(Path::new(manifest.context("cargo fetched no source of flatc")?)
        .with_file_name("flatbuffers"))
}

fn compile(source: &Path, build: &Path) -> Result<()> {
    let ninja = tools::program("ninja")?;
    let mut make = std::ffi::OsString::from("-DCMAKE_MAKE_PROGRAM=");
    make.push(&ninja);
    let off =
        ["TESTS", "FLATLIB", "FLATHASH"].map(|part| format!("-DFLATBUFFERS_BUILD_{part}=OFF"));
    Program::new(tools::program("cmake")?)
        // It runs for milliseconds, so the time that counts is that of its compiler.
        .args(["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O0"])
        .args(["-DFLATBUFFERS_INSTALL=OFF"])
        .args(off)
        .args([make.as_os_str(), "-S".as_ref(), source.as_os_str()])
        .args(["-B".as_ref(), build.as_os_str()])
        .quiet()
        .check()?;
    Program::new(ninja)
        .args(["-C".as_ref(), build.as_os_str(), "flatc".as_ref()])
        .limit(BUILD_LIMIT)
        .quiet()
        .check()?;
    Ok(())
}
