//! The core's tests under ThreadSanitizer.
//!
//! It needs a standard library built with the sanitizer, else it reports races that are none.
//! The distribution's newer Rust comes with the sources for that and matches a packaged clang
//! runtime; rustup's toolchain has neither. ThreadSanitizer sees the threads of one process and
//! one mapping, so these are the in-process tests.

use crate::counts::Counts;
use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::time::Duration;

const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
const INSTALL: &str = "apt install rustc-web cargo-web rust-web-src libclang-rt-22-dev";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// What must be installed.
pub const NEEDS: &[(&str, &str)] =
    &[(CARGO, INSTALL), (RUSTC, INSTALL), ("/usr/lib/rustlib/src/rust/library", INSTALL)];

/// Runs them. A race makes the test program fail even if each of its tests passes.
pub fn run() -> Result<Counts> {
    let runtime = runtime()?;
    let folder = workspace::target().join("tsan");
    // The runtime is linked by hand, whole and before the system libraries that it uses itself.
    let flags = format!(
        "-Zsanitizer=thread -Zexternal-clangrt \
         -Zpre-link-args=-Wl,--whole-archive,{},--no-whole-archive \
         -Clink-arg=-lpthread -Clink-arg=-lm -Clink-arg=-ldl -Clink-arg=-lc",
        runtime.display()
    );
    let tests = |args: &[&str]| {
        Program::new(CARGO)
            .args(["test", "--locked", "-Zbuild-std", "--target", TARGET])
            .args(["--package", "framelane", "--lib", "--test", "lane", "--target-dir"])
            .args([&folder])
            .args(args)
            .env("RUSTC", RUSTC)
            .env("RUSTDOC", "/usr/bin/rustdoc")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", &flags)
            .env("LD_LIBRARY_PATH", "")
            .limit(Duration::from_secs(1800))
    };
    // A sanitizer that is not linked in reports no race either.
    let verbose = tests(&["no_such_test"]).env("TSAN_OPTIONS", "verbosity=1").quiet().check()?;
    if !verbose.contains("Running under ThreadSanitizer") {
        bail!("the tests were built without ThreadSanitizer");
    }
    let symbols = "external_symbolizer_path=/usr/bin/addr2line";
    tests(&[]).env("TSAN_OPTIONS", symbols).counted()
}

/// The clang runtime of the LLVM that this compiler uses.
fn runtime() -> Result<PathBuf> {
    let about = Program::new(RUSTC).args(["-vV"]).env("LD_LIBRARY_PATH", "").quiet().check()?;
    let version = llvm_version(&about).context("rustc names no LLVM version")?;
    println!("{}", about.lines().next().unwrap_or_default());
    let folder = format!("/usr/lib/llvm-{version}/lib/clang/{version}/lib/linux");
    let runtime = PathBuf::from(folder).join("libclang_rt.tsan-x86_64.a");
    tools::require(&runtime, &format!("apt install libclang-rt-{version}-dev"))?;
    Ok(runtime)
}

fn llvm_version(about: &str) -> Option<&str> {
    about.lines().find_map(|line| line.strip_prefix("LLVM version: "))?.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llvm_version_is_read() {
        assert_eq!(llvm_version("rustc 1.96.0\nrelease: 1.96.0\nLLVM version: 22.1.8"), Some("22"));
        assert_eq!(llvm_version("rustc 1.96.0"), None);
    }
}
