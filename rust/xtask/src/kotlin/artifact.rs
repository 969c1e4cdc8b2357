//! The jar: the Kotlin layer, what UniFFI prints beneath it, and the library.

use super::LIMIT;
use super::maven::{Maven, repository};
use crate::counts::Counts;
use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result, ensure};
use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};

const PROJECT: &str = "rust/uniffi/kotlin/pom.xml";
const CONFIG: &str = "rust/uniffi/uniffi.toml";
const LIBRARY: &str = "libframelane_uniffi.so";

/// Folder that has this build of the library; the JVM finds it there without unpacking the jar.
pub fn library_folder(optimised: bool) -> PathBuf {
    workspace::target().join(if optimised { "release" } else { "debug" })
}

/// Class path of the artifact and all it needs, built if anything has changed.
pub fn class_path(optimised: bool) -> Result<String> {
    super::NEEDS.iter().try_for_each(|(path, line)| tools::require(path, line))?;
    let artifact = Artifact::make(optimised)?;
    let stamp = artifact.stamp()?;
    if fs::read_to_string(stamp_file()).ok().as_ref() != Some(&stamp) {
        println!("building the Kotlin artifact");
        let maven = Maven { repository: Some(repository()) };
        artifact.build(&maven, &["install", "-DskipTests"])?;
    }
    Ok(out().join("lib/*").to_string_lossy().into_owned())
}

fn out() -> PathBuf {
    workspace::target().join("kotlin")
}

/// Tells what the jar of the test repository was made from.
fn stamp_file() -> PathBuf {
    out().join("stamp")
}

/// The native half, built, and its Kotlin, printed.
pub struct Artifact {
    library: PathBuf,
}

impl Artifact {
    pub fn make(optimised: bool) -> Result<Self> {
        Program::build(&["framelane-uniffi"], optimised).limit(LIMIT).check()?;
        let library = library_folder(optimised).join(LIBRARY);
        let artifact = Artifact { library };
        artifact.print("kotlin", &out().join("bindings"))?;
        // JNA looks in a jar for a folder of this name.
        let arch = if ARCH == "x86_64" { "x86-64" } else { ARCH };
        let folder = out().join("resources").join(format!("linux-{arch}"));
        fs::create_dir_all(&folder)?;
        fs::copy(&artifact.library, folder.join(LIBRARY)).context(LIBRARY)?;
        Ok(artifact)
    }

    /// Has UniFFI print one language from the library.
    pub fn print(&self, language: &str, out: &Path) -> Result<()> {
        let python = tools::python_with(&["uniffi-bindgen"])?;
        Program::new(python.with_file_name("uniffi-bindgen"))
            .args(["generate", "--no-format", "--language", language, "--config", CONFIG])
            .args(["--out-dir".as_ref(), out.as_os_str(), self.library.as_os_str()])
            .limit(LIMIT)
            .quiet()
            .check()
            .map(drop)
    }

    /// Has Maven do something with the artifact.
    pub fn build(&self, maven: &Maven, goals: &[&str]) -> Result<()> {
        let stamp = self.stamp()?;
        let folder = format!("-Dframelane.out={}", out().display());
        let project = workspace::root().join(PROJECT);
        let outcome = maven.on(&project, goals).args([folder]).check();
        let _ = fs::remove_file(stamp_file());
        outcome?;
        // Of another repository it would say that the one of tests is up to date.
        match maven.repository == Some(repository()) {
            true => Ok(fs::write(stamp_file(), stamp)?),
            false => Ok(()),
        }
    }

    /// JUnit's tests, and then the artifact in the repository of tests.
    pub fn tests(&self) -> Result<Counts> {
        let reports = out().join("build/surefire-reports");
        let _ = fs::remove_dir_all(&reports);
        let outcome = self.build(&Maven { repository: Some(repository()) }, &["install"]);
        let mut counts = Counts::default();
        if reports.is_dir() {
            for report in workspace::files_below(&reports)? {
                counts += counted(&fs::read_to_string(report).unwrap_or_default());
            }
        }
        if let Err(error) = outcome {
            println!("FAILED Maven: {error:#}");
            counts.failed = counts.failed.max(1);
        }
        ensure!(counts != Counts::default(), "there was no test");
        Ok(counts)
    }

    fn stamp(&self) -> Result<String> {
        let mut files =
            workspace::files_below(&workspace::root().join("rust/uniffi/kotlin/src/main"))?;
        files.extend(workspace::files_below(&out().join("bindings"))?);
        files.extend([workspace::root().join(PROJECT), self.library.clone()]);
        let mut sum = crc32fast::Hasher::new();
        for file in files {
            sum.update(&fs::read(&file).with_context(|| file.display().to_string())?);
        }
        Ok(format!("{:08x}", sum.finalize()))
    }
}

/// A report of JUnit's: `Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: ...`
fn counted(report: &str) -> Counts {
    let number = |line: &str, name: &str| -> Option<u64> {
        let (_, rest) = line.split_once(name)?;
        rest.split(',').next()?.trim().parse().ok()
    };
    let read = |line: &str| {
        let run = number(line, "Tests run:")?;
        let failed = number(line, "Failures:")? + number(line, "Errors:")?;
        let skipped = number(line, "Skipped:")?;
        Some(Counts { passed: run.saturating_sub(failed + skipped), failed, skipped })
    };
    report.lines().find_map(read).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_counted() {
        let report = "----\nTest set: framelane.A\n----\nTests run: 7, Failures: 1, Errors: 2, \
            Skipped: 1, Time elapsed: 0.2 s <<< FAILURE! -- in framelane.A\n";
        assert_eq!(counted(report), Counts { passed: 3, failed: 3, skipped: 1 });
        assert_eq!(counted("<?xml version=\"1.0\"?>"), Counts::default());
    }
}
