//! Builds and starts the programs of each language as their recipes say.

use crate::process::Program;
use crate::{golang, kotlin, python, tools, workspace};
use anyhow::{Context, Result, bail};
use framelane_conformance::{Launch, Recipe};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// The area of the conformance agents.
pub const CONFORMANCE: &str = "conformance";
/// What every program with AddressSanitizer calls first.
const ASAN_SYMBOL: &[u8] = b"__asan_init";

/// Whether a recipe has a place for the sanitizer.
pub fn is_sanitizable(recipe: &Recipe) -> bool {
    recipe.mentions("sanitize}")
}

/// Programs of several languages, built side by side.
pub struct Kitchen {
    /// Folder in the target folder.
    area: &'static str,
    /// Sanitizer that native programs are built with.
    sanitizer: Option<Sanitizer>,
    /// Whether the C library is the optimised one.
    optimised: bool,
}

/// A sanitizer of the C and C++ compilers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Sanitizer {
    /// AddressSanitizer with LeakSanitizer
    Address,
}

impl Kitchen {
    /// A folder of its own for what is built with a sanitizer.
    pub fn new(area: &'static str, sanitizer: Option<Sanitizer>) -> Self {
        Kitchen { area, sanitizer, optimised: false }
    }

    /// With the optimised library, for measuring.
    pub fn optimised(area: &'static str) -> Self {
        Kitchen { area, sanitizer: None, optimised: true }
    }

    /// Builds these, and the C library first if one of them needs it.
    pub fn build<'a>(&self, recipes: impl Iterator<Item = &'a Recipe> + Clone) -> Result<()> {
        if recipes.clone().any(Recipe::needs_library) {
            Program::build(&["framelane-ffi"], self.optimised).limit(BUILD_LIMIT).check()?;
        }
        for recipe in recipes {
            println!("building {} {}", self.area, recipe.language);
            self.build_one(recipe).with_context(|| format!("building {}", recipe.language))?;
        }
        Ok(())
    }

    fn build_one(&self, recipe: &Recipe) -> Result<()> {
        fs::create_dir_all(self.out(recipe))?;
        let places = |name: &str| self.place(recipe, name);
        for words in recipe.build(&places)? {
            let (program, arguments) = words.split_first().context("an empty build command")?;
            let mut command = Program::new(program).args(arguments).limit(BUILD_LIMIT).quiet();
            command = command.env("CGO_CFLAGS", golang::cgo_flags());
            for (key, value) in recipe.env(&places)? {
                command = command.env(&key, value);
            }
            command.check()?;
        }
        self.prove(recipe)
    }

    /// A program that can be built with the sanitizer has it exactly when that was asked for.
    fn prove(&self, recipe: &Recipe) -> Result<()> {
        if self.area != CONFORMANCE || !is_sanitizable(recipe) {
            return Ok(());
        }
        let program = self.launch(recipe, "run")?.command.remove(0);
        let bytes = fs::read(&program).with_context(|| program.clone())?;
        let linked = bytes.windows(ASAN_SYMBOL.len()).any(|window| window == ASAN_SYMBOL);
        if linked != self.sanitizer.is_some() {
            let word = if linked { "linked although not asked for" } else { "not linked" };
            bail!("AddressSanitizer is {word} in {program}");
        }
        if linked {
            println!("{}: AddressSanitizer is linked", recipe.language);
        }
        Ok(())
    }

    /// How a program is started.
    pub fn launch(&self, recipe: &Recipe, program: &str) -> Result<Launch> {
        let places = |name: &str| self.place(recipe, name);
        let (command, env) = (recipe.command(program, &places)?, recipe.env(&places)?);
        Ok(Launch { language: recipe.language.clone(), command, env })
    }

    fn out(&self, recipe: &Recipe) -> PathBuf {
        let area = workspace::target().join(self.area);
        match self.sanitizer {
            Some(_) => area.join("sanitized").join(&recipe.language),
            None => area.join(&recipe.language),
        }
    }

    /// What a placeholder stands for.
    fn place(&self, recipe: &Recipe, name: &str) -> Result<Option<String>> {
        let path = match name {
            "out" => self.out(recipe),
            "target" => workspace::target(),
            "library" if self.optimised => workspace::target().join("release"),
            "library" => workspace::target().join("debug"),
            "root" => workspace::root().to_owned(),
            "cargo" => workspace::cargo(),
            "python" => tools::python()?,
            "framelane-python" => python::with_package(self.optimised)?,
            "framelane-kotlin" => return kotlin::class_path(self.optimised).map(Some),
            "framelane-kotlin-library" => kotlin::library_folder(self.optimised),
            "maven-repository" => kotlin::repository(),
            "cmake" | "ninja" | "go" => tools::program(name)?,
            "sanitize" => return Ok(self.sanitizer.map(|_| "-fsanitize=address".to_owned())),
            "go-sanitize" => return Ok(self.sanitizer.map(|_| "-asan".to_owned())),
            _ => bail!("there is no {{{name}}}"),
        };
        Ok(Some(path.to_string_lossy().into_owned()))
    }
}

/// A program with arguments and a lane directory of its own.
pub fn program(launch: &Launch, lanes: &Path, arguments: &[&str]) -> Program {
    let (command, rest) = launch.command.split_first().expect("a recipe has words");
    let mut program = Program::new(command).args(rest).args(arguments).quiet();
    for (key, value) in &launch.env {
        program = program.env(key, value);
    }
    program.env("FRAMELANE_DIR", lanes)
}

/// A program in the background, ended on drop.
pub struct Background(Child);

impl Background {
    /// Starts it with a lane directory of its own.
    pub fn start(launch: &Launch, lanes: &Path, arguments: &[&str]) -> Result<Self> {
        let (program, rest) = launch.command.split_first().context("no program")?;
        let child = Command::new(program)
            .args(rest)
            .args(arguments)
            .envs(&launch.env)
            .env("FRAMELANE_DIR", lanes)
            .current_dir(workspace::root())
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        Ok(Background(child))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
