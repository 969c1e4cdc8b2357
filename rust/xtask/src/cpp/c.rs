//! C: what README.md shows, and what a frame costs.

use super::{Bench, source};
use crate::process::Program;
use crate::readme;
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;

const SECTION: &str = "A lane in C";
const ALLOCATIONS: &str = "rust/ffi/tests/c/allocations.c";

/// Pastes the program of the README into a fresh folder and runs the lines below it.
pub fn from_the_readme(bench: &mut Bench) -> Result<()> {
    bench.test("C section of the README", |bench, folder| {
        fs::write(folder.join("lane.c"), readme::block(SECTION, "c")?)?;
        let lanes = folder.join("lanes");
        fs::create_dir(&lanes)?;
        let said = Program::new("sh")
            .args(["-e".as_ref(), "-c".as_ref(), IN_FOLDER.as_ref(), folder.as_os_str()])
            .args([readme::block(SECTION, "sh")?.replace("/opt/framelane", &bench.prefix_text())])
            .env("FRAMELANE_DIR", lanes)
            .quiet()
            .check()?;
        ensure!(said == "frame 1 begins with 128\n", "it says {said}");
        Ok(())
    })
}

const IN_FOLDER: &str = "cd \"$0\"; eval \"$1\"";

/// A program with an allocator that counts.
pub fn allocations(bench: &mut Bench) -> Result<()> {
    for (name, package) in [
        ("C, no allocation per frame, shared library", "framelane"),
        ("C, no allocation per frame, archive", "framelane-static"),
    ] {
        bench.test(name, |bench, folder| {
            let program = folder.join("allocations");
            compile(bench, package, &source(ALLOCATIONS), &program)?;
            bench.run(&program, folder)
        })?;
    }
    Ok(())
}

fn compile(bench: &Bench, package: &str, from: &Path, program: &Path) -> Result<()> {
    Program::new("cc")
        .args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o"])
        .args([program, from])
        .args(bench.flags(package, None)?)
        .quiet()
        .check()?;
    Ok(())
}
