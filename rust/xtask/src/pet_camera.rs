//! The programs of the pet camera, each by itself.

use crate::counts::Counts;
use crate::recipes::Kitchen;
use crate::{golang, python, workspace};
use anyhow::Result;
use framelane_conformance::{Launch, Recipe};

const FOLDER: &str = "examples/pet-camera";
/// What the programs in Python need beside our package.
pub const DETECTOR: &[&str] = &["numpy", "opencv-python-headless"];
/// Of the web monitor.
pub const MONITOR: &[&str] = &["numpy", "simplejpeg", "starlette", "uvicorn"];

/// Builds the programs that have to be built by a compiler of C or C++; each has the name of its
/// folder.
pub fn build(optimised: bool) -> Result<Vec<Launch>> {
    let recipes = Recipe::all(&workspace::root().join(FOLDER), "program.toml", &["run"])?;
    let kitchen = match optimised {
        true => Kitchen::optimised("pet-camera"),
        false => Kitchen::new("pet-camera", None),
    };
    kitchen.build(recipes.iter())?;
    recipes.iter().map(|recipe| kitchen.launch(recipe, "run")).collect()
}

/// The tests of each.
pub fn tier() -> Result<Counts> {
    let mut counts = golang::program_tests(&format!("{FOLDER}/server"))?;
    counts += python::program_tests(&format!("{FOLDER}/detector"), DETECTOR)?;
    counts += python::program_tests(&format!("{FOLDER}/monitor"), MONITOR)?;
    for program in build(false)? {
        println!("{}", program.language);
        counts += python::tests_of(&program.command[0], &format!("{FOLDER}/{}", program.language))?;
    }
    Ok(counts)
}
