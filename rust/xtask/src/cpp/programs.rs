//! Programs built by hand with what pkg-config says.

use super::{Bench, source};
use crate::process::Program;
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;

const ROUND_TRIP: &str = "rust/ffi/tests/c/roundtrip.c";

/// A C program links the shared library and the archive, and runs; also from a moved prefix.
pub fn pkg_config(bench: &mut Bench) -> Result<()> {
    for (name, package, flags, shared) in [
        ("C program, shared library", "framelane", None, true),
        ("C program, pkg-config --static", "framelane", Some("--static"), true),
        ("C program, archive", "framelane-static", None, false),
    ] {
        bench.test(name, |bench, folder| {
            let program = folder.join("roundtrip");
            Program::new("cc")
                .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o"])
                .args([program.as_os_str(), source(ROUND_TRIP).as_os_str()])
                .args(bench.flags(package, flags)?)
                .quiet()
                .check()?;
            let needed = Program::new("readelf").args(["-d".as_ref(), program.as_os_str()]);
            let needed = needed.quiet().check()?;
            ensure!(needed.contains("[libframelane.so.0]") == shared, "it links\n{needed}");
            bench.run(&program, folder)
        })?;
    }
    Ok(())
}

/// A C++ program is built with one line, in either language version.
pub fn pkg_config_cpp(bench: &mut Bench) -> Result<()> {
    for standard in ["-std=c++17", "-std=c++20"] {
        bench.test(&format!("C++ program, pkg-config, {standard}"), |bench, folder| {
            let (program, calls) = (folder.join("program"), folder.join("calls.o"));
            let flags = bench.flags("framelane-cpp", None)?;
            Program::new("cc")
                .args(["-std=c11", "-c", "-o"])
                .args([calls.as_os_str(), source("cpp/tests/package/calls.c").as_os_str()])
                .args(flags.iter().filter(|flag| flag.starts_with("-I")))
                .quiet()
                .check()?;
            Program::new("c++")
                .args([standard, "-Wall", "-Wextra", "-Werror", "-o"])
                .args([program.as_os_str(), source("cpp/tests/package/program.cpp").as_os_str()])
                .args([calls])
                .args(flags)
                .quiet()
                .check()?;
            bench.run(&program, folder)
        })?;
    }
    Ok(())
}

/// The pet camera's program in C is built by its make file.
pub fn makefile(bench: &mut Bench) -> Result<()> {
    bench.test("the pet camera's watchdog, make", |bench, folder| {
        let sources = source("examples/pet-camera/watchdog");
        Program::new("make")
            .args(["-C".as_ref(), folder.as_os_str()])
            .args(["-f".as_ref(), sources.join("Makefile").as_os_str()])
            .args([format!("VPATH={}", sources.display())])
            .env("PKG_CONFIG_PATH", bench.prefix.join("lib/pkgconfig").as_os_str())
            .quiet()
            .check()?;
        ensure!(folder.join("watchdog").is_file(), "make made no watchdog");
        Ok(())
    })
}

impl Bench {
    /// What pkg-config says of an installed package.
    pub fn flags(&self, package: &str, more: Option<&str>) -> Result<Vec<String>> {
        let said = Program::new("pkg-config")
            .args(["--cflags", "--libs", package])
            .args(more)
            .env("PKG_CONFIG_PATH", self.prefix.join("lib/pkgconfig"))
            .quiet()
            .check()?;
        Ok(said.split_whitespace().map(str::to_owned).collect())
    }

    /// Runs a program with a lane directory of its own, given as its argument and by environment.
    pub fn run(&self, program: &Path, folder: &Path) -> Result<()> {
        let lanes = folder.join("lanes");
        fs::create_dir_all(&lanes)?;
        Program::new(program)
            .args([&lanes])
            .env("FRAMELANE_DIR", &lanes)
            .env("LD_LIBRARY_PATH", self.prefix.join("lib"))
            .quiet()
            .check()?;
        Ok(())
    }
}
