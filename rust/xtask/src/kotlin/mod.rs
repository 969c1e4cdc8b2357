//! Kotlin and Swift: the library of `rust/uniffi`, the halves that UniFFI prints from it, the Maven
//! build around them and its tests.

mod artifact;
mod maven;

pub use artifact::{class_path, library_folder};
pub use maven::{JDK, MAVEN, NEEDS, repository};

use crate::counts::Counts;
use crate::process::Program;
use crate::{readme, tools, workspace};
use anyhow::{Context, Result, ensure};
use artifact::Artifact;
use maven::Maven;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const README: &str = "rust/uniffi/README.md";
/// Of README.md.
const SECTION: &str = "A lane in Kotlin";
const LIMIT: Duration = Duration::from_secs(600);

/// Where to put the Maven artifact.
#[derive(clap::Args)]
pub struct Options {
    /// Maven repository to install into [default: Maven's own local one]
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
}

/// Builds the optimised library and installs the artifact for projects of this machine.
pub fn run(options: &Options) -> Result<bool> {
    NEEDS.iter().try_for_each(|(path, line)| tools::require(path, line))?;
    let artifact = Artifact::make(true)?;
    let maven = Maven { repository: options.repository.clone() };
    artifact.build(&maven, &["install", "-DskipTests"])?;
    println!("installed io.github.framelane:framelane:{}", env!("CARGO_PKG_VERSION"));
    Ok(true)
}

/// Runs the tier.
pub fn tier() -> Result<Counts> {
    let artifact = Artifact::make(false)?;
    let mut counts = artifact.tests()?;
    counts += Counts::told("README: a lane in Kotlin, in a fresh project", fresh_project());
    counts += Counts::told("Swift", swift(&artifact));
    Ok(counts)
}

/// A project of its own that has what the pages show, and the artifact from a repository.
fn fresh_project() -> Result<()> {
    let scratch = tempfile::Builder::new().prefix("framelane-kotlin-").tempdir()?;
    let folder = scratch.path().join("lane");
    let sources = folder.join("src/main/kotlin");
    fs::create_dir_all(&sources)?;
    fs::write(folder.join("pom.xml"), readme::block_of(README, "A project of your own", "xml")?)?;
    fs::write(sources.join("Lane.kt"), readme::block(SECTION, "kotlin")?)?;
    let lanes = scratch.path().join("lanes");
    let project = folder.join("pom.xml");
    let output = Maven { repository: Some(repository()) }
        .on(&project, &["compile", "exec:java", "-Dexec.mainClass=LaneKt"])
        .env("FRAMELANE_DIR", &lanes)
        .check()?;
    ensure!(output.contains("frame 1 begins with 128\n"), "it prints {output:?}");
    Ok(())
}

/// Swift is printed; where there is a compiler, it is checked.
fn swift(artifact: &Artifact) -> Result<()> {
    let out = workspace::target().join("kotlin/swift");
    artifact.print("swift", &out)?;
    let printed = out.join("FramelaneUniffi.swift");
    let text = fs::read_to_string(&printed).context("nothing was printed")?;
    ensure!(text.contains("class Consumer"), "it has no consumer");
    let Some(compiler) = tools::on_path("swiftc") else {
        println!("printed, not compiled and not tested: there is no swiftc here");
        return Ok(());
    };
    let map = format!("-fmodule-map-file={}", out.join("FramelaneUniffiFFI.modulemap").display());
    Program::new(compiler)
        .args(["-typecheck", "-Xcc", &map, "-I"])
        .args([out.as_os_str(), printed.as_os_str()])
        .limit(LIMIT)
        .quiet()
        .check()
        .map(drop)
}
