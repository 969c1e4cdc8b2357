//! libcamera as a distribution packages it, with its program `cam`, for the machine.

use super::debs;
use crate::process::Program;
use crate::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// What makes the machine one that libcamera finds a camera in.
const PREPARE: &str = "conformance/vm/libcamera";
const PACKAGE: &str = "libcamera-tools";
/// Of another program in the package, and by far the most of what it depends on.
const NOT_NEEDED: &str = "libqt5";

/// Puts `cam` and all libraries of its packages below `tree`, where programs look for them.
pub fn stage(tree: &Path) -> Result<()> {
    let folder = debs::unpacked("libcamera", |options| {
        let all = debs::with_dependencies(options, PACKAGE)?;
        Ok(all.into_iter().filter(|name| !name.starts_with(NOT_NEEDED)).collect())
    });
    let folder = folder.with_context(|| format!("{PACKAGE} of Debian is needed"))?;
    let libraries = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let cam = folder.join("usr/bin/cam");
    let text = Program::new("ldd")
        .args([&cam])
        .env("LD_LIBRARY_PATH", folder.join(&libraries))
        .env("LC_ALL", "C")
        .quiet()
        .check()?;
    fs::create_dir_all(tree.join("usr/bin"))?;
    fs::create_dir_all(tree.join(&libraries))?;
    fs::copy(&cam, tree.join("usr/bin/cam"))?;
    let paths = text.lines().filter_map(|line| line.split("=> ").nth(1)?.split(' ').next());
    for path in paths.map(Path::new).filter(|path| path.starts_with(&folder)) {
        let name = path.file_name().context("a library has a name")?;
        fs::copy(path, tree.join(&libraries).join(name))?;
    }
    Ok(())
}

/// The script to run before the tests.
pub fn prepare() -> Result<String> {
    fs::read_to_string(workspace::root().join(PREPARE)).context(PREPARE)
}
