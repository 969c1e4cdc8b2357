//! The SDK built for aarch64, and its tests under an emulated processor.
//!
//! Debian's newer Rust has a standard library for arm64 beside it, and its cross compiler links
//! the C and C++ in it. qemu runs the programs one by one, on this machine's kernel: that proves
//! code, layouts, system calls and the C ABI, and that a program of one processor reads the lanes
//! of another, which the conformance reference, in this machine's own Python, does. It does not
//! prove the order of memory accesses, for which this host's stronger order stands, nor anything of
//! a board's devices.

mod agents;

use crate::counts::Counts;
use crate::process::Program;
use crate::workspace;
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
const GCC: &str = "/usr/bin/aarch64-linux-gnu-gcc";
const GXX: &str = "/usr/bin/aarch64-linux-gnu-g++";
const QEMU: &str = "/usr/bin/qemu-aarch64";
const LOADER: &str = "/lib/ld-linux-aarch64.so.1";
const LIBRARY: &str = "/usr/lib/rustlib/aarch64-unknown-linux-gnu";
const TARGET: &str = "aarch64-unknown-linux-gnu";
const INSTALL: &str = "dpkg --add-architecture arm64 && apt update && apt install rustc-web \
    cargo-web libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu g++-aarch64-linux-gnu \
    libc6-dev-arm64-cross qemu-user libc6:arm64";

/// What must be installed.
pub const NEEDS: &[(&str, &str)] = &[
    (CARGO, INSTALL),
    (RUSTC, INSTALL),
    (LIBRARY, INSTALL),
    (GCC, INSTALL),
    (GXX, INSTALL),
    (QEMU, INSTALL),
    (LOADER, INSTALL),
];

/// Tests with a second process, and of what they share. Layouts are asserted when they are
/// compiled; the golden images are read by the library's own tests.
const TESTS: &[&str] =
    &["lane", "device", "restart", "consumer_death", "producer_death", "stream", "stream_death"];

/// Packages that must build for aarch64 though their tests are not run there.
const BUILT: &[&str] = &["framelane-ffi", "framelane-cli", "framelane-agent", "framelane-cpp"];

/// Builds and runs it all.
pub fn run() -> Result<Counts> {
    let about = Program::new(RUSTC).args(["-V"]).env("LD_LIBRARY_PATH", "").quiet().check()?;
    println!("{}", about.trim());
    let mut build = cargo("build");
    for package in BUILT {
        build = build.args(["--package", package]);
    }
    build.check()?;
    // Each of them one, and what is counted below.
    let mut counts = Counts { passed: BUILT.len() as u64, ..Counts::default() };
    counts += programs()?;
    counts += agents::play()?;
    let mut tests = cargo("test").args(["--package", "framelane", "--lib"]);
    for test in TESTS {
        tests = tests.args(["--test", test]);
    }
    // Emulation is slow, and two tests at a time are enough of it. qemu answers MADV_REMOVE itself,
    // without asking the kernel.
    let only = ["--", "--test-threads=2", "--skip", "properties", "--skip", "stress"];
    let only = [&only[..], &["--skip", "nobody_punches_a_hole"]].concat();
    counts += tests.args(["--no-fail-fast"]).args(only).counted()?;
    Ok(counts)
}

/// The command, and layouts as other compilers see them.
fn programs() -> Result<Counts> {
    let scratch = tempfile::tempdir()?;
    let built = workspace::target().join("aarch64").join(TARGET).join("debug");
    let command = built.join("framelane");
    expect_aarch64(&command)?;
    expect_aarch64(&built.join("libframelane_ffi.so"))?;
    let framelane = |args: &[&str]| {
        Program::new(QEMU)
            .args([&command])
            .args(args)
            .env("FRAMELANE_DIR", scratch.path())
            .limit(Duration::from_secs(120))
    };
    framelane(&["doctor"]).check()?;
    // The assertions of layouts in C and C++, as the compilers for aarch64 see them.
    let program = scratch.path().join("layout");
    for (compiler, standard, language, file) in [
        (GCC, "-std=c11", "c", "c/framelane_layout.h"),
        (GXX, "-std=c++17", "c++", "cpp/framelane_layout.hpp"),
    ] {
        let layout = workspace::root().join("schema/generated").join(file);
        let text = format!("#include \"{}\"\nint main(void) {{ return 0; }}\n", layout.display());
        let source = scratch.path().join("layout.source");
        fs::write(&source, text)?;
        Program::new(compiler)
            .args([standard, "-Wall", "-Werror", "-x", language, "-o"])
            .args([&program, &source])
            .check()?;
        Program::new(QEMU).args([&program]).check()?;
    }
    Ok(Counts { passed: 4, ..Counts::default() })
}

/// The machine that an ELF file is for.
fn expect_aarch64(path: &Path) -> Result<()> {
    let bytes = fs::read(path)?;
    if bytes.get(18..20) != Some(&[183, 0]) {
        bail!("{} is no program for aarch64", path.display());
    }
    Ok(())
}

fn cargo(what: &str) -> Program {
    let folder: PathBuf = workspace::target().join("aarch64");
    // No -L for qemu: with libc6:arm64 installed the loader and the C library of the cross
    // compiler's folder do not fit each other.
    Program::new(CARGO)
        .args([what, "--locked", "--target", TARGET, "--target-dir"])
        .args([&folder])
        .env("RUSTC", RUSTC)
        .env("RUSTDOC", "/usr/bin/rustdoc")
        .env("LD_LIBRARY_PATH", "")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", GCC)
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", QEMU)
        .env("FRAMELANE_TEST_RUNNER", QEMU)
        .env("CC_aarch64_unknown_linux_gnu", GCC)
        .env("CXX_aarch64_unknown_linux_gnu", GXX)
        .limit(Duration::from_secs(2400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_of_a_program_is_read() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(expect_aarch64(&own).is_ok(), cfg!(target_arch = "aarch64"));
    }
}
