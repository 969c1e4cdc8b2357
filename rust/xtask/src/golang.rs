//! The Go binding: format, vet, its tests plain, under the race detector and AddressSanitizer.

use crate::counts::Counts;
use crate::process::Program;
use crate::{install, tools, workspace};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Tools the tier needs, each with the line that installs it.
pub const NEEDS: &[(&str, &str)] =
    &[("cc", "apt install gcc"), ("pkg-config", "apt install pkg-config")];

/// Folders with Go in them.
const FOLDERS: &[&str] = &["go"];
/// Links what cargo has built in this checkout.
const WORKSPACE: &[&str] = &["-tags", "framelane_workspace"];
const LIMIT: Duration = Duration::from_secs(600);

/// Runs the tier.
pub fn tier() -> Result<Counts> {
    install::build(false)?;
    let go = Go { program: tools::program("go")? };
    let mut counts = Counts::default();
    counts += told("format", go.format());
    counts += told("vet", go.vet());
    counts += go.tests("tests", &[])?;
    counts += go.tests("tests, race detector", &["-race"])?;
    counts += go.tests("tests, AddressSanitizer", &["-asan"])?;
    Ok(counts)
}

struct Go {
    program: PathBuf,
}

impl Go {
    /// A go command in a folder. Nothing is fetched: neither modules nor another toolchain.
    fn run(&self, folder: &str, arguments: &[&str]) -> Program {
        Program::new(&self.program)
            .args(["-C", folder])
            .args(arguments)
            .env("CGO_ENABLED", "1")
            .env("CGO_LDFLAGS", format!("-L{}", workspace::target().join("debug").display()))
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .limit(LIMIT)
            .quiet()
    }

    fn format(&self) -> Result<()> {
        let root = self.run("go", &["env", "GOROOT"]).check()?;
        let gofmt = Path::new(root.trim()).join("bin/gofmt");
        let wrong = Program::new(gofmt).args(["-l"]).args(FOLDERS).quiet().check()?;
        ensure!(wrong.is_empty(), "gofmt would change {wrong}");
        Ok(())
    }

    fn vet(&self) -> Result<()> {
        for folder in FOLDERS {
            self.run(folder, &[&["vet"], WORKSPACE, &["./..."]].concat()).check()?;
        }
        Ok(())
    }

    /// The tests of the binding; what failing ones have printed is shown.
    fn tests(&self, name: &str, more: &[&str]) -> Result<Counts> {
        // The library is no file that go watches, so a result of before may be another library's.
        let fresh = &["test", "-count=1", "-timeout=5m", "-json"][..];
        let output = self.run("go", &[fresh, WORKSPACE, more, &["./..."]].concat()).run()?;
        let mut counts = Counts::read(&output.text);
        if !output.success() {
            print!("{}", printed(&output.text));
            counts.failed = counts.failed.max(1);
        }
        ensure!(counts != Counts::default(), "{name}: no test ran");
        println!("  {name}: {counts}");
        Ok(counts)
    }
}

/// What the tests, and the tools before them, have printed.
fn printed(events: &str) -> String {
    let text = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(event) => event["Output"].as_str().unwrap_or_default().to_owned(),
        Err(_) => format!("{line}\n"),
    };
    events.lines().map(text).collect()
}

fn told(name: &str, outcome: Result<()>) -> Counts {
    match outcome.with_context(|| name.to_owned()) {
        Ok(()) => {
            println!("  {name}: ok");
            Counts::PASSED
        }
        Err(error) => {
            println!("  FAILED {error:#}");
            Counts::FAILED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_print_is_shown_as_they_printed_it() {
        let events = "{\"Action\":\"output\",\"Output\":\"a \"}\n{\"Action\":\"run\"}\n\
            {\"Action\":\"output\",\"Output\":\"b\\n\"}\n# a tool says\n";
        assert_eq!(printed(events), "a b\n# a tool says\n");
    }
}
