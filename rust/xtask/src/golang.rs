//! The Go binding: format, vet, its tests plain, under the race detector and AddressSanitizer.

use crate::counts::Counts;
use crate::process::Program;
use crate::{install, readme, tools, workspace};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Tools the tier needs, each with the line that installs it.
pub const NEEDS: &[(&str, &str)] =
    &[("cc", "apt install gcc"), ("pkg-config", "apt install pkg-config")];

/// Folders with Go in them.
const FOLDERS: &[&str] = &["go", "conformance/agents/go", "examples/hello/go", "bench/go"];
/// Links what cargo has built in this checkout.
const WORKSPACE: &[&str] = &["-tags", "framelane_workspace"];
const HEADER: &str = "rust/ffi/include/framelane.h";
/// Of README.md.
const SECTION: &str = "A lane in Go";
const LIMIT: Duration = Duration::from_secs(600);

/// Runs the tier.
pub fn tier() -> Result<Counts> {
    Program::build(&["framelane-ffi"], false).limit(LIMIT).check()?;
    let go = Go { program: tools::program("go")? };
    let mut counts = Counts::default();
    counts += Counts::told("format", go.format(FOLDERS));
    counts += Counts::told("vet", go.vet(FOLDERS));
    for (name, tags) in [("static", "-tags framelane_static"), ("shared", "")] {
        let program = readme::block(SECTION, "go");
        let outcome = go.pasted(program, tags, "frame 1 begins with 128\n");
        counts += Counts::told(&format!("README, {name} library"), outcome);
    }
    for &(page, section, prints) in readme::SHOWN {
        let program = readme::shown(page, section, "go");
        counts += Counts::told(page, go.pasted(program, "-tags framelane_static", prints));
    }
    counts += go.tests("go", "tests", &[])?;
    counts += go.tests("go", "tests, race detector", &["-race"])?;
    counts += go.tests("go", "tests, AddressSanitizer", &["-asan"])?;
    Ok(counts)
}

/// Builds a program with modules of others; its path.
pub fn build_program(folder: &str, name: &str, optimised: bool) -> Result<PathBuf> {
    build_package(folder, ".", name, optimised)
}

/// The same of a package within the folder.
pub fn build_package(folder: &str, package: &str, name: &str, optimised: bool) -> Result<PathBuf> {
    Program::build(&["framelane-ffi"], optimised).limit(LIMIT).check()?;
    let go = Go { program: tools::program("go")? };
    go.fetch(folder)?;
    let path = workspace::target().join("pet-camera").join(name);
    // The library is no file that go watches: what is not there is always linked.
    let _ = fs::remove_file(&path);
    let out = path.to_string_lossy();
    let words = [&["build"], WORKSPACE, &["-o", &out, package]].concat();
    let profile = if optimised { "release" } else { "debug" };
    go.run(folder, &words)
        .env("CGO_LDFLAGS", format!("-L{}", workspace::target().join(profile).display()))
        .check()?;
    Ok(path)
}

/// Format, vet and tests, under the race detector, of a program with modules of others, which are
/// fetched as its `go.sum` pins them. Its tests find `ffmpeg`.
pub fn program_tests(folder: &str) -> Result<Counts> {
    Program::build(&["framelane-ffi"], false).limit(LIMIT).check()?;
    let go = Go { program: tools::program("go")? };
    go.fetch(folder)?;
    let mut counts = Counts::told("format", go.format(&[folder]));
    counts += Counts::told("vet", go.vet(&[folder]));
    counts += go.tests(folder, "tests, race detector", &["-race"])?;
    Ok(counts)
}

/// Flags of the C compiler that change with `framelane.h`. The go command does not see that the
/// header has changed, and would use what it has compiled with the old one.
pub fn cgo_flags() -> String {
    let header = fs::read(workspace::root().join(HEADER)).unwrap_or_default();
    format!("-O2 -g -DFRAMELANE_HEADER_CRC={}", crc32fast::hash(&header))
}

struct Go {
    program: PathBuf,
}

impl Go {
    /// A go command in a folder.
    fn run(&self, folder: &str, arguments: &[&str]) -> Program {
        self.environment(Program::new(&self.program).args(["-C", folder]).args(arguments))
    }

    /// Nothing is fetched: neither modules nor another toolchain.
    fn environment(&self, program: Program) -> Program {
        program
            .env("CGO_ENABLED", "1")
            .env("CGO_CFLAGS", cgo_flags())
            .env("CGO_LDFLAGS", format!("-L{}", workspace::target().join("debug").display()))
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .limit(LIMIT)
            .quiet()
    }

    /// Fetches the modules that a folder's `go.sum` pins.
    fn fetch(&self, folder: &str) -> Result<()> {
        let fetch = Program::new(&self.program).args(["-C", folder, "mod", "download"]);
        fetch.env("GOTOOLCHAIN", "local").limit(LIMIT).quiet().check()?;
        Ok(())
    }

    fn format(&self, folders: &[&str]) -> Result<()> {
        let root = self.run("go", &["env", "GOROOT"]).check()?;
        let gofmt = Path::new(root.trim()).join("bin/gofmt");
        let wrong = Program::new(gofmt).args(["-l"]).args(folders).quiet().check()?;
        ensure!(wrong.is_empty(), "gofmt would change {wrong}");
        Ok(())
    }

    fn vet(&self, folders: &[&str]) -> Result<()> {
        for folder in folders {
            self.run(folder, &[&["vet"], WORKSPACE, &["./..."]].concat()).check()?;
        }
        Ok(())
    }

    /// A program of a page, pasted into a fresh folder, run by the lines of the README from an
    /// installed prefix.
    fn pasted(&self, program: Result<String>, tags: &str, prints: &str) -> Result<()> {
        let scratch = tempfile::Builder::new().prefix("framelane-go-").tempdir()?;
        let (folder, lanes) = (scratch.path().join("lane"), scratch.path().join("lanes"));
        fs::create_dir_all(&folder)?;
        fs::create_dir_all(&lanes)?;
        // The same one each time: go would not notice that it is another.
        let prefix = workspace::target().join("go/prefix");
        install::for_c(false, &prefix)?;
        fs::write(folder.join("main.go"), program?)?;
        let lines = readme::block(SECTION, "sh")?
            .replace("/opt/framelane", &prefix.to_string_lossy())
            .replace("-tags framelane_static", tags);
        let said = self
            .environment(Program::new("sh").args(["-e", "-c", "cd \"$0\"; eval \"$1\""]))
            .args([folder.as_os_str(), lines.as_ref()])
            // Only what is installed may be linked.
            .env("CGO_LDFLAGS", "")
            .env("CHECKOUT", workspace::root())
            .env("FRAMELANE_DIR", &lanes)
            .env("LD_LIBRARY_PATH", prefix.join("lib"))
            .env("PATH", self.path()?)
            .check()?;
        ensure!(said.ends_with(prints), "it says {said}");
        Ok(())
    }

    /// Where `go` is this one.
    fn path(&self) -> Result<OsString> {
        let folder = self.program.parent().context("go is in no folder")?.to_owned();
        let others = env::var_os("PATH").unwrap_or_default();
        Ok(env::join_paths([folder].into_iter().chain(env::split_paths(&others)))?)
    }

    /// The tests of a folder; what failing ones have printed is shown.
    fn tests(&self, folder: &str, name: &str, more: &[&str]) -> Result<Counts> {
        // The library is no file that go watches, so a result of before may be another library's.
        let fresh = &["test", "-count=1", "-timeout=5m", "-json"][..];
        let arguments = [fresh, WORKSPACE, more, &["./..."]].concat();
        let tests = self.run(folder, &arguments).env("PATH", tools::search_path_with("ffmpeg")?);
        let output = tests.run()?;
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
