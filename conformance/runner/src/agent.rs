//! What agents there are, and how each is built and started: agents/<language>/agent.toml.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One language's agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Name of its folder.
    pub language: String,
    manifest: Manifest,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    #[serde(default)]
    build: Vec<Vec<String>>,
    run: Vec<String>,
    #[serde(default)]
    library: bool,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// What placeholders stand for. A word that is a placeholder without a value is left out.
pub type Places<'a> = &'a dyn Fn(&str) -> Result<Option<String>>;

impl Agent {
    /// All agents in a folder, by name.
    pub fn all(folder: &Path) -> Result<Vec<Agent>> {
        let mut agents = Vec::new();
        let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let manifest: PathBuf = entry?.path().join("agent.toml");
            if manifest.is_file() {
                agents.push(Agent::load(&manifest)?);
            }
        }
        agents.sort_by(|a, b| a.language.cmp(&b.language));
        Ok(agents)
    }

    fn load(path: &Path) -> Result<Agent> {
        let shown = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(shown)?;
        let manifest: Manifest = toml::from_str(&text).with_context(shown)?;
        let folder = path.parent().and_then(Path::file_name).context("no folder")?;
        let language = folder.to_str().context("a folder's name is no text")?.to_owned();
        if manifest.run.is_empty() {
            bail!("{}: run is empty", path.display());
        }
        Ok(Agent { language, manifest })
    }

    /// Whether the C library must be built before it.
    pub fn needs_library(&self) -> bool {
        self.manifest.library
    }

    /// The commands that build it.
    pub fn build(&self, places: Places<'_>) -> Result<Vec<Vec<String>>> {
        self.manifest.build.iter().map(|words| self.fill_words(words, places)).collect()
    }

    /// The command that runs it.
    pub fn command(&self, places: Places<'_>) -> Result<Vec<String>> {
        self.fill_words(&self.manifest.run, places)
    }

    /// Environment of both.
    pub fn env(&self, places: Places<'_>) -> Result<BTreeMap<String, String>> {
        let mut env = BTreeMap::new();
        for (key, value) in &self.manifest.env {
            env.insert(key.clone(), self.fill(value, places)?.unwrap_or_default());
        }
        Ok(env)
    }

    fn fill_words(&self, words: &[String], places: Places<'_>) -> Result<Vec<String>> {
        let mut filled = Vec::new();
        for word in words {
            filled.extend(self.fill(word, places)?);
        }
        Ok(filled)
    }

    /// None where the whole text is one placeholder without a value.
    fn fill(&self, text: &str, places: Places<'_>) -> Result<Option<String>> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let what = || format!("agents/{}/agent.toml: {text:?}", self.language);
            let (name, after) = after.split_once('}').with_context(what)?;
            out.push_str(before);
            match places(name).with_context(what)? {
                Some(value) => out.push_str(&value),
                None if text.len() == name.len() + 2 => return Ok(None),
                None => {}
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(Some(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(text: &str) -> Agent {
        Agent { language: "c".into(), manifest: toml::from_str(text).unwrap() }
    }

    fn places(name: &str) -> Result<Option<String>> {
        match name {
            "out" => Ok(Some("/t/c".into())),
            "sanitize" => Ok(None),
            other => bail!("nothing is called {other}"),
        }
    }

    #[test]
    fn placeholders_become_words_or_vanish() {
        let agent =
            agent("build = [[\"cc\", \"{sanitize}\", \"-o\", \"{out}/a\"]]\nrun = [\"{out}/a\"]");
        assert_eq!(agent.build(&places).unwrap(), [["cc", "-o", "/t/c/a"]]);
        assert_eq!(agent.command(&places).unwrap(), ["/t/c/a"]);
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        let error = agent("run = [\"{typo}/a\"]").command(&places).unwrap_err();
        assert!(format!("{error:#}").contains("typo"), "{error:#}");
    }
}
