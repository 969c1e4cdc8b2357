//! What goes into the machine beside its kernel: our programs with the libraries they load.

use super::cpio::Archive;
use crate::process::{Output, Program};
use crate::workspace;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Adds programs to the folder of the job, and their libraries to where they look for them.
pub fn add(archive: &mut Archive, programs: &[PathBuf]) -> Result<()> {
    let mut libraries = BTreeSet::new();
    for program in programs {
        let name = program.file_name().context("a program has a name")?.to_string_lossy();
        archive.add_file(&format!("payload/{name}"), program)?;
        libraries.extend(needed(program, None)?);
    }
    libraries.iter().try_for_each(|path| archive.add_file(path, Path::new(path)))
}

/// Adds all files below `tree` at the paths they have there, and the libraries of each.
pub fn add_tree(archive: &mut Archive, tree: &Path) -> Result<()> {
    let mut libraries = BTreeSet::new();
    for file in workspace::files_below(tree)? {
        let path = file.strip_prefix(tree)?;
        archive.add_file(&path.to_string_lossy(), &file)?;
        if is_program(&file)? {
            libraries.extend(needed(&file, Some(tree))?);
        }
    }
    libraries.retain(|path| !Path::new(path).starts_with(tree));
    libraries.iter().try_for_each(|path| archive.add_file(path, Path::new(path)))
}

fn is_program(file: &Path) -> Result<bool> {
    let mut start = Vec::new();
    fs::File::open(file)?.take(4).read_to_end(&mut start)?;
    Ok(start == b"\x7fELF")
}

/// Leaves out what only debuggers need, which is most of a program.
pub fn strip(program: &Path, into: &Path) -> Result<()> {
    Program::new("strip").args(["-o".as_ref(), into.as_os_str()]).args([program]).check()?;
    Ok(())
}

/// Libraries that a program loads; none where it is not one, or needs none.
/// Those that stand below `tree` are found there.
fn needed(program: &Path, tree: Option<&Path>) -> Result<Vec<String>> {
    let mut ldd = Program::new("ldd").args([program]).env("LC_ALL", "C").quiet();
    if let Some(tree) = tree {
        let own = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        ldd = ldd.env("LD_LIBRARY_PATH", tree.join(own));
    }
    let output = ldd.run()?;
    if output.text.contains("not found") {
        bail!("{} needs a library that is not there: {}", program.display(), output.text);
    }
    let words = output.text.lines().filter_map(|line| {
        let path = line.split("=> ").last()?.split_whitespace().next()?;
        (output.success() && path.starts_with('/')).then(|| path.to_owned())
    });
    Ok(words.collect())
}

/// A test file or a program of the workspace.
pub struct Wanted {
    /// Its name.
    pub name: &'static str,
    /// Its source, for two packages may have tests of one name.
    pub source: &'static str,
}

/// Builds test files without running them, and puts each into `folder` under its own name.
///
/// With the features of the whole workspace, so that what the unit tests have built is used.
pub fn tests(wanted: &[Wanted], folder: &Path) -> Result<Vec<PathBuf>> {
    let flags = wanted.iter().flat_map(|wanted| ["--test", wanted.name]);
    let output = Program::cargo(["test", "--locked", "--workspace", "--all-features", "--no-run"])
        .args(flags)
        .args(["--message-format=json-render-diagnostics"])
        .limit(Duration::from_secs(1500))
        .quiet()
        .run()?;
    collect(&output, wanted, folder)
}

/// Builds the programs of the workspace that have these names.
pub fn binaries(wanted: &[Wanted], folder: &Path) -> Result<Vec<PathBuf>> {
    let flags = wanted.iter().flat_map(|wanted| ["--bin", wanted.name]);
    let output = Program::cargo(["build", "--locked", "--workspace", "--all-features"])
        .args(flags)
        .args(["--message-format=json-render-diagnostics"])
        .limit(Duration::from_secs(1500))
        .quiet()
        .run()?;
    collect(&output, wanted, folder)
}

fn collect(output: &Output, wanted: &[Wanted], folder: &Path) -> Result<Vec<PathBuf>> {
    // Messages for us stand between those for people.
    let (ours, theirs): (Vec<&str>, Vec<&str>) =
        output.text.lines().partition(|line| line.starts_with('{'));
    if !output.success() {
        bail!("{}\ncargo could not build what goes into the machine", theirs.join("\n"));
    }
    let built: Vec<Value> = ours.into_iter().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut paths = Vec::new();
    for Wanted { name, source } in wanted {
        let is_source = |path: &str| path.ends_with(source);
        let target = |message: &&Value| {
            message["target"]["name"] == **name
                && message["target"]["src_path"].as_str().is_some_and(is_source)
        };
        let mut programs = built.iter().filter(target).filter_map(|m| m["executable"].as_str());
        let program = programs.next().with_context(|| format!("cargo built no {name}"))?;
        // All of it would go into the machine's memory.
        let path = folder.join(name);
        strip(&workspace::root().join(program), &path)?;
        paths.push(path);
    }
    Ok(paths)
}
