//! `cargo xtask install`: the library, its headers and what build systems need to find them.
//!
//! `DIR/lib/libframelane.so.0.1.0` and its two links, `libframelane.a`, `DIR/include/*.h`, and
//! `DIR/lib/pkgconfig/framelane.pc`; for C++ also what `cpp` tells of. Nothing in there names
//! `DIR`, so the folder may be moved.

mod cpp;

use crate::process::Program;
use crate::workspace;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// As the linker knows the library; rust/ffi/build.rs gives it the same name.
const SONAME: &str = "libframelane.so.0";
const HEADERS: &[&str] = &[
    "rust/ffi/include/framelane.h",
    "schema/generated/c/framelane_layout.h",
    "schema/generated/cpp/framelane_layout.hpp",
];

/// Options of `cargo xtask install`.
#[derive(clap::Args)]
pub struct Options {
    /// Folder to install into; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    prefix: PathBuf,
    /// Install an optimised library (the default)
    #[arg(long, conflicts_with = "debug")]
    release: bool,
    /// Install a library for debugging, which builds faster
    #[arg(long)]
    debug: bool,
    /// Install for C only, which needs no C++ compiler
    #[arg(long)]
    c_only: bool,
}

/// Builds and installs.
pub fn run(options: &Options) -> Result<bool> {
    let built = build(!options.debug)?;
    // Relative to where the user stands, not to the checkout.
    let prefix = std::path::absolute(&options.prefix)?;
    let context = || format!("installing into {}", prefix.display());
    install(&built, &prefix).with_context(context)?;
    if !options.c_only {
        cpp::install(&cpp::build(!options.debug)?, &prefix).with_context(context)?;
    }
    println!("installed into {}", prefix.display());
    println!("use it with PKG_CONFIG_PATH={}", prefix.join("lib/pkgconfig").display());
    Ok(true)
}

/// What cargo made of rust/ffi.
struct Built {
    shared: PathBuf,
    archive: PathBuf,
    /// Libraries that the archive needs, as the compiler says.
    native: String,
}

/// Builds and installs everything, for tests.
pub fn whole(release: bool, prefix: &Path) -> Result<()> {
    install(&build(release)?, prefix)?;
    cpp::install(&cpp::build(release)?, prefix)
}

/// Builds and installs what C needs, for tests.
pub fn for_c(release: bool, prefix: &Path) -> Result<()> {
    install(&build(release)?, prefix)
}

/// Builds rust/ffi; what is built already is used again.
fn build(release: bool) -> Result<Built> {
    let made = cargo("framelane-ffi", "framelane_ffi", release)?;
    Ok(Built { shared: made.file("so")?, archive: made.file("a")?, native: made.native })
}

/// What cargo tells of one package.
struct Made {
    files: Vec<PathBuf>,
    /// Where its build script wrote.
    out: Option<PathBuf>,
    native: String,
}

impl Made {
    fn file(&self, extension: &str) -> Result<PathBuf> {
        let mut files = self.files.iter();
        let found = files.find(|path| path.extension().is_some_and(|found| found == extension));
        found.cloned().with_context(|| format!("cargo built no .{extension} file"))
    }
}

fn cargo(package: &str, library: &str, release: bool) -> Result<Made> {
    let text = Program::cargo(["rustc", "--locked", "--package", package, "--lib"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(release.then_some("--release"))
        .args(["--", "--print", "native-static-libs"])
        .limit(Duration::from_secs(1800))
        .quiet()
        .check()?;
    let messages: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let is = |message: &&Value, reason: &str| message["reason"] == reason;
    let ours = messages
        .iter()
        .filter(|message| is(message, "compiler-artifact"))
        .find(|message| message["target"]["name"] == library)
        .context("cargo tells of no library")?;
    let files = ours["filenames"].as_array().context("cargo names no files")?;
    let out = messages
        .iter()
        .filter(|message| is(message, "build-script-executed"))
        .find(|message| message["package_id"] == ours["package_id"])
        .and_then(|message| message["out_dir"].as_str());
    Ok(Made {
        files: files.iter().filter_map(Value::as_str).map(PathBuf::from).collect(),
        out: out.map(PathBuf::from),
        native: native(&text)?,
    })
}

/// `-lgcc_s -lm ...`, without repetitions, from what the compiler printed.
fn native(text: &str) -> Result<String> {
    let line = text.lines().find_map(|line| line.split_once("native-static-libs: "));
    let (_, said) = line.context("the compiler names no native libraries")?;
    let mut libraries: Vec<&str> = Vec::new();
    for library in said.split_whitespace() {
        if !library.starts_with("-l") {
            bail!("a native library that pkg-config cannot tell: {library}");
        }
        // Of repeated ones the last counts: that is how linkers read them.
        libraries.retain(|known| *known != library);
        libraries.push(library);
    }
    Ok(libraries.join(" "))
}

/// Lays out `prefix`. Files are replaced as a whole, so that running programs keep theirs.
fn install(built: &Built, prefix: &Path) -> Result<()> {
    let (lib, include) = (prefix.join("lib"), prefix.join("include"));
    let (real, archive) = (format!("libframelane.so.{VERSION}"), lib.join("libframelane.a"));
    put(&built.shared, &lib.join(&real))?;
    link(&real, &lib.join(SONAME))?;
    link(SONAME, &lib.join("libframelane.so"))?;
    put(&built.archive, &archive)?;
    for header in HEADERS {
        let from = workspace::root().join(header);
        let name = from.file_name().context("a header without a name")?;
        put(&from, &include.join(name))?;
    }
    let pkgconfig = lib.join("pkgconfig");
    write(&pkgconfig.join("framelane.pc"), &shared_pc(&built.native))?;
    write(&pkgconfig.join("framelane-static.pc"), &static_pc(&built.native))
}

const PC: &str = "\
prefix=${pcfiledir}/../..
libdir=${prefix}/lib
includedir=${prefix}/include

Name: framelane
Description: Camera frames shared between processes without copying them
";

fn shared_pc(native: &str) -> String {
    format!(
        "{PC}Version: {VERSION}\nCflags: -I${{includedir}}\nLibs: -L${{libdir}} -lframelane\n\
         Libs.private: {native}\n"
    )
}

/// Linkers prefer the shared library where both are; this one names the archive.
fn static_pc(native: &str) -> String {
    format!(
        "{PC}Version: {VERSION}\nCflags: -I${{includedir}}\n\
         Libs: ${{libdir}}/libframelane.a {native}\n"
    )
}

fn put(from: &Path, to: &Path) -> Result<()> {
    replace(to, |new| {
        fs::copy(from, new).with_context(|| format!("copying {}", from.display()))?;
        Ok(())
    })
}

fn write(to: &Path, text: &str) -> Result<()> {
    replace(to, |new| Ok(fs::write(new, text)?))
}

fn link(target: &str, to: &Path) -> Result<()> {
    replace(to, |new| Ok(symlink(target, new)?))
}

/// Makes a file beside `to` and moves it there.
fn replace(to: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let folder = to.parent().context("a file without a folder")?;
    fs::create_dir_all(folder)?;
    let scratch = tempfile::tempdir_in(folder)?;
    let new = scratch.path().join("new");
    make(&new)?;
    fs::rename(&new, to).with_context(|| format!("writing {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_libraries_are_read_and_told_once() {
        let text = "note: link\nnote: native-static-libs: -lm -lgcc_s -lm -lc\n";
        assert_eq!(native(text).unwrap(), "-lgcc_s -lm -lc");
        assert!(native("note: nothing").is_err());
        assert!(native("native-static-libs: -framework Metal").is_err());
    }

    #[test]
    fn a_prefix_can_be_installed_over_and_moved() {
        let scratch = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = scratch.path().join(name);
            fs::write(&path, name).unwrap();
            path
        };
        let built = Built { shared: file("a.so"), archive: file("a.a"), native: "-lm".into() };
        let prefix = scratch.path().join("prefix");
        install(&built, &prefix).unwrap();
        install(&built, &prefix).unwrap();
        let moved = scratch.path().join("moved");
        fs::rename(&prefix, &moved).unwrap();
        assert_eq!(fs::read_to_string(moved.join("lib/libframelane.so")).unwrap(), "a.so");
        let pc = fs::read_to_string(moved.join("lib/pkgconfig/framelane.pc")).unwrap();
        assert!(!pc.contains(&scratch.path().display().to_string()), "{pc}");
        assert_eq!(fs::read_dir(moved.join("lib")).unwrap().count(), 5);
    }
}
