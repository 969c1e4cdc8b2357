//! C and C++ as their users meet them: from an installed prefix, in folders of their own.

mod c;
mod cmake;
mod pages;
mod programs;

use crate::counts::Counts;
use crate::{install, interrupt, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Tools the tier needs, each with the line that installs it.
pub const NEEDS: &[(&str, &str)] = &[
    ("cc", "apt install gcc"),
    ("c++", "apt install g++"),
    ("pkg-config", "apt install pkg-config"),
    ("make", "apt install make"),
];

/// An installed library, and an empty folder to build in.
struct Bench {
    prefix: PathBuf,
    folder: PathBuf,
    counts: Counts,
}

impl Bench {
    /// Installs into a temporary folder outside the checkout.
    fn new(scratch: &Path) -> Result<Self> {
        let prefix = scratch.join("prefix");
        install::whole(false, &prefix)?;
        Ok(Bench { prefix, folder: scratch.to_owned(), counts: Counts::default() })
    }

    /// The prefix as shells and manifests take it.
    fn prefix_text(&self) -> String {
        self.prefix.to_string_lossy().into_owned()
    }

    /// Runs one test in a fresh folder, tells how it went, and counts it.
    fn test(&mut self, name: &str, run: impl FnOnce(&Self, &Path) -> Result<()>) -> Result<()> {
        interrupt::check()?;
        let folder = self.folder.join(name.replace([' ', ',', '+', '/'], "-"));
        fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        match run(self, &folder) {
            Ok(()) => {
                println!("  ok      {name}");
                self.counts += Counts::PASSED;
            }
            Err(error) => {
                println!("  FAILED  {name}: {error:#}");
                self.counts += Counts::FAILED;
            }
        }
        Ok(())
    }
}

/// Runs the tier.
pub fn tier() -> Result<Counts> {
    let scratch = tempfile::Builder::new().prefix("framelane-cpp-").tempdir()?;
    let mut bench = Bench::new(scratch.path())?;
    programs::pkg_config(&mut bench)?;
    pages::readme(&mut bench)?;
    pages::shown(&mut bench)?;
    pages::boost(&mut bench)?;
    c::allocations(&mut bench)?;
    programs::pkg_config_cpp(&mut bench)?;
    programs::makefile(&mut bench)?;
    cmake::projects(&mut bench)?;
    cmake::suites(&mut bench)?;
    Ok(bench.counts)
}

/// A file of the checkout.
fn source(path: &str) -> PathBuf {
    workspace::root().join(path)
}
