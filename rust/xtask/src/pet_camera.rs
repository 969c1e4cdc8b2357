//! The programs of the pet camera, each by itself.

use crate::counts::Counts;
use crate::recipes::Kitchen;
use crate::{golang, python, workspace};
use anyhow::Result;
use framelane_conformance::{Launch, Recipe};

const FOLDER: &str = "examples/pet-camera";

/// Builds the programs that have to be built by a compiler of C or C++; each has the name of its
/// folder.
pub fn build() -> Result<Vec<Launch>> {
    let recipes = Recipe::all(&workspace::root().join(FOLDER), "program.toml", &["run"])?;
    let kitchen = Kitchen::new("pet-camera", None);
    kitchen.build(recipes.iter())?;
    recipes.iter().map(|recipe| kitchen.launch(recipe, "run")).collect()
}

/// The tests of each.
pub fn tier() -> Result<Counts> {
    let mut counts = golang::program_tests(&format!("{FOLDER}/server"))?;
    let detector = format!("{FOLDER}/detector");
    counts += python::program_tests(&detector, &["numpy", "opencv-python-headless"])?;
    let packages = ["numpy", "simplejpeg", "starlette", "uvicorn"];
    counts += python::program_tests(&format!("{FOLDER}/monitor"), &packages)?;
    for program in build()? {
        println!("{}", program.language);
        counts += python::tests_of(&program.command[0], &format!("{FOLDER}/{}", program.language))?;
    }
    Ok(counts)
}
