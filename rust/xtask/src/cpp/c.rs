//! C: what a frame costs.

use super::{Bench, source};
use crate::process::Program;
use anyhow::Result;
use std::path::Path;

const ALLOCATIONS: &str = "rust/ffi/tests/c/allocations.c";

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
