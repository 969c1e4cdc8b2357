//! The conformance agents, one a language, with all that they need in the machine.

use super::payload;
use crate::process::Program;
use crate::recipes::{CONFORMANCE, Kitchen};
use crate::workspace;
use anyhow::{Context, Result};
use framelane_conformance::{Launch, Recipe};
use std::fs;
use std::path::{Path, PathBuf};

const STAGE: &str = "rust/xtask/src/vm/stage.py";
/// The list of agents, where the machine has it.
pub const LIST: &str = "/payload/agents";

/// Builds them, and puts them as files of the machine below `tree`.
pub fn stage(tree: &Path) -> Result<()> {
    let folder = workspace::root().join("conformance/agents");
    let mut recipes = Recipe::all(&folder, "agent.toml", &["run"])?;
    // The machine has no JVM, and shall not have one: it would be larger than all the rest.
    recipes.retain(|recipe| !recipe.mentions("{maven-repository}"));
    let kitchen = Kitchen::new(CONFORMANCE, None);
    kitchen.build(recipes.iter())?;
    let mut list = String::new();
    for recipe in &recipes {
        let launch = kitchen.launch(recipe, "run")?;
        let words = one(&launch, tree).with_context(|| launch.language.clone())?;
        list.push_str(&format!("{}\t{words}\n", launch.language));
    }
    // Plain Python reads the table of layouts when it runs.
    let table = workspace::root().join("schema/layout.lock.json");
    fs::create_dir_all(inside(tree, &table).parent().context("a folder")?)?;
    fs::copy(&table, inside(tree, &table))?;
    let list_file = inside(tree, Path::new(LIST));
    fs::create_dir_all(list_file.parent().context("a folder")?)?;
    Ok(fs::write(list_file, list)?)
}

/// One agent; the words that start it in the machine.
fn one(launch: &Launch, tree: &Path) -> Result<String> {
    let (program, rest) = launch.command.split_first().context("no program")?;
    if let Some(script) = rest.last().filter(|word| word.ends_with(".py")) {
        let script = workspace::root().join(script);
        let words = Program::new(program)
            .args(["-B".as_ref(), workspace::root().join(STAGE).as_os_str()])
            .args([&script, tree])
            .quiet()
            .check()?;
        return Ok(words.trim().to_owned());
    }
    let there = format!("/payload/agent-{}", launch.language);
    let file = inside(tree, Path::new(&there));
    fs::create_dir_all(file.parent().context("a folder")?)?;
    payload::strip(&workspace::root().join(program), &file)?;
    Ok([&[there][..], rest].concat().join("\t"))
}

/// Where a path of the machine is below the tree.
fn inside(tree: &Path, path: &Path) -> PathBuf {
    tree.join(path.strip_prefix("/").unwrap_or(path))
}
