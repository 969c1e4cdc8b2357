//! What C++ needs beside C: `DIR/lib/libframelane_cpp.a`, which holds the C ABI too,
//! `DIR/include/framelane/`, and what CMake and pkg-config look for. `cmake --install` lays out the
//! same for CMake.

use super::{PC, VERSION, cargo, put, write};
use crate::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

const HEADERS: &str = "cpp/include/framelane";
const BRIDGE: &str = "framelane/bridge.rs.h";
const CONFIG: &str = "framelane-config.cmake";
const CONFIG_VERSION: &str = "framelane-config-version.cmake";

/// What cargo made of cpp.
pub struct Built {
    archive: PathBuf,
    /// The header that the bridge is printed into.
    bridge: PathBuf,
    native: String,
}

/// Builds it; what is built already is used again.
pub fn build(release: bool) -> Result<Built> {
    let made = cargo("framelane-cpp", "framelane_cpp", release)?;
    let out = made.out.as_ref().context("cargo tells of no build script")?;
    let bridge = out.join("cxxbridge/include").join(BRIDGE);
    Ok(Built { archive: made.file("a")?, bridge, native: made.native })
}

/// Adds to a prefix that has the C library.
pub fn install(built: &Built, prefix: &Path) -> Result<()> {
    let (lib, include) = (prefix.join("lib"), prefix.join("include"));
    put(&built.archive, &lib.join("libframelane_cpp.a"))?;
    put(&built.bridge, &include.join(BRIDGE))?;
    let headers = workspace::root().join(HEADERS);
    for entry in fs::read_dir(&headers).with_context(|| headers.display().to_string())? {
        let header = entry?;
        put(&header.path(), &include.join("framelane").join(header.file_name()))?;
    }
    let (from, to) = (workspace::root().join("cpp/cmake"), lib.join("cmake/framelane"));
    put(&from.join(CONFIG), &to.join(CONFIG))?;
    let version = fs::read_to_string(from.join(format!("{CONFIG_VERSION}.in")))?;
    write(&to.join(CONFIG_VERSION), &version.replace("@PROJECT_VERSION@", VERSION))?;
    write(&lib.join("pkgconfig/framelane-cpp.pc"), &pc(&built.native))
}

fn pc(native: &str) -> String {
    format!(
        "{PC}Version: {VERSION}\nCflags: -I${{includedir}}\n\
         Libs: ${{libdir}}/libframelane_cpp.a {native}\n"
    )
}
