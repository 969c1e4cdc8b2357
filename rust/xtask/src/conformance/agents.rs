//! Builds agents as their agent.toml says.

use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result, bail};
use framelane_conformance::{Agent, Launch};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// Agents that can be started.
pub struct Built<'a> {
    agents: Vec<&'a Agent>,
}

impl<'a> Built<'a> {
    /// Builds these agents, and the C library first if one of them needs it.
    pub fn make(agents: impl Iterator<Item = &'a Agent>) -> Result<Self> {
        let agents: Vec<&Agent> = agents.collect();
        if agents.iter().any(|agent| agent.needs_library()) {
            Program::cargo(["build", "--locked", "--package", "framelane-ffi"])
                .limit(BUILD_LIMIT)
                .check()?;
        }
        for agent in &agents {
            println!("building agent {}", agent.language);
            build(agent).with_context(|| format!("building agent {}", agent.language))?;
        }
        Ok(Built { agents })
    }

    /// How each is started.
    pub fn launches(&self) -> Result<Vec<Launch>> {
        let launch = |agent: &&Agent| {
            let places = |name: &str| place(agent, name);
            let language = agent.language.clone();
            Ok(Launch { language, command: agent.command(&places)?, env: agent.env(&places)? })
        };
        self.agents.iter().map(launch).collect()
    }
}

fn build(agent: &Agent) -> Result<()> {
    fs::create_dir_all(out(agent))?;
    let places = |name: &str| place(agent, name);
    for words in agent.build(&places)? {
        let (program, arguments) = words.split_first().context("an empty build command")?;
        let mut command = Program::new(program).args(arguments).limit(BUILD_LIMIT).quiet();
        for (key, value) in agent.env(&places)? {
            command = command.env(&key, value);
        }
        command.check()?;
    }
    Ok(())
}

fn out(agent: &Agent) -> PathBuf {
    workspace::target().join("conformance").join(&agent.language)
}

/// What a placeholder of agent.toml stands for.
fn place(agent: &Agent, name: &str) -> Result<Option<String>> {
    let path = match name {
        "out" => out(agent),
        "target" => workspace::target(),
        "library" => workspace::target().join("debug"),
        "root" => workspace::root().to_owned(),
        "cargo" => workspace::cargo(),
        "python" => tools::python()?,
        "cmake" | "ninja" | "go" => tools::program(name)?,
        _ => bail!("there is no {{{name}}}"),
    };
    Ok(Some(path.to_string_lossy().into_owned()))
}
