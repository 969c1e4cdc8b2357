//! The conformance agents of the languages that link for aarch64 here.

use super::{GCC, GXX, QEMU, TARGET};
use crate::counts::Counts;
use crate::process::Program;
use crate::{conformance, workspace};
use anyhow::{Context, Result};
use framelane_conformance::{Launch, Recipe};
use std::fs;
use std::path::{Path, PathBuf};

/// Go would need its own cross build of cgo, Python an interpreter for aarch64.
const LANGUAGES: &[&str] = &["c", "cpp", "rust"];

/// Builds the agents and has them play, each an emulated process.
pub fn play() -> Result<Counts> {
    let built = workspace::target().join("aarch64").join(TARGET);
    let folder = workspace::root().join("conformance/agents");
    let mut launches = Vec::new();
    for recipe in Recipe::all(&folder, "agent.toml", &["run"])? {
        if LANGUAGES.contains(&recipe.language.as_str()) {
            launches.push(build(&recipe, &built).with_context(|| recipe.language.clone())?);
        }
    }
    conformance::emulated(launches)
}

fn build(recipe: &Recipe, built: &Path) -> Result<Launch> {
    let out = built.join("agents").join(&recipe.language);
    fs::create_dir_all(&out)?;
    let places = |name: &str| -> Result<Option<String>> {
        let path: PathBuf = match name {
            "out" => out.clone(),
            "target" => built.to_owned(),
            "library" => built.join("debug"),
            // What cargo builds has been built before.
            "cargo" => "true".into(),
            _ => return Ok(None),
        };
        Ok(Some(path.to_string_lossy().into_owned()))
    };
    for words in recipe.build(&places)? {
        let (program, arguments) = words.split_first().context("an empty build command")?;
        let compiler = match program.as_str() {
            "cc" => GCC,
            "c++" => GXX,
            other => other,
        };
        Program::new(compiler).args(arguments).quiet().check()?;
    }
    let mut command = recipe.command("run", &places)?;
    command.insert(0, QEMU.into());
    Ok(Launch { language: recipe.language.clone(), command, env: recipe.env(&places)? })
}
