//! How the programs of one language are built and started: a file of words with placeholders.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The programs of one language.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Name of its folder.
    pub language: String,
    file: File,
}

#[derive(Clone, Debug, Deserialize)]
struct File {
    #[serde(default)]
    build: Vec<Vec<String>>,
    #[serde(default)]
    library: bool,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// The words that start each program.
    #[serde(flatten)]
    programs: BTreeMap<String, Vec<String>>,
}

/// What placeholders stand for. A word that is a placeholder without a value is left out.
pub type Places<'a> = &'a dyn Fn(&str) -> Result<Option<String>>;

impl Recipe {
    /// The recipes in the folders of a folder, by name. Each must start exactly these programs.
    pub fn all(folder: &Path, file: &str, programs: &[&str]) -> Result<Vec<Recipe>> {
        let mut recipes = Vec::new();
        let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path().join(file);
            if path.is_file() {
                let recipe = Recipe::load(&path, programs);
                recipes.push(recipe.with_context(|| path.display().to_string())?);
            }
        }
        recipes.sort_by(|a, b| a.language.cmp(&b.language));
        Ok(recipes)
    }

    fn load(path: &Path, programs: &[&str]) -> Result<Recipe> {
        let folder = path.parent().and_then(Path::file_name).context("no folder")?;
        let language = folder.to_str().context("a folder's name is no text")?;
        Recipe::parse(language, &fs::read_to_string(path)?, programs)
    }

    fn parse(language: &str, text: &str, programs: &[&str]) -> Result<Recipe> {
        let file: File = toml::from_str(text)?;
        for name in programs {
            if file.programs.get(*name).is_none_or(Vec::is_empty) {
                bail!("it does not say how to start {name}");
            }
        }
        if let Some(name) = file.programs.keys().find(|name| !programs.contains(&name.as_str())) {
            bail!("it says {name}, which has no meaning");
        }
        Ok(Recipe { language: language.to_owned(), file })
    }

    /// Whether the C library must be built before it.
    pub fn needs_library(&self) -> bool {
        self.file.library
    }

    /// Whether a build command or a variable contains a text.
    pub fn mentions(&self, text: &str) -> bool {
        let words = self.file.build.iter().flatten().chain(self.file.env.values());
        words.into_iter().any(|word| word.contains(text))
    }

    /// The commands that build it.
    pub fn build(&self, places: Places<'_>) -> Result<Vec<Vec<String>>> {
        self.file.build.iter().map(|words| fill_words(words, places)).collect()
    }

    /// The command that starts a program.
    pub fn command(&self, program: &str, places: Places<'_>) -> Result<Vec<String>> {
        let words = self.file.programs.get(program);
        fill_words(words.with_context(|| format!("no program {program}"))?, places)
    }

    /// Environment of both.
    pub fn env(&self, places: Places<'_>) -> Result<BTreeMap<String, String>> {
        let mut env = BTreeMap::new();
        for (key, value) in &self.file.env {
            env.insert(key.clone(), fill(value, places)?.unwrap_or_default());
        }
        Ok(env)
    }
}

fn fill_words(words: &[String], places: Places<'_>) -> Result<Vec<String>> {
    let mut filled = Vec::new();
    for word in words {
        filled.extend(fill(word, places)?);
    }
    Ok(filled)
}

/// None where the whole text is one placeholder without a value.
fn fill(text: &str, places: Places<'_>) -> Result<Option<String>> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').with_context(|| text.to_owned())?;
        out.push_str(before);
        match places(name).with_context(|| text.to_owned())? {
            Some(value) => out.push_str(&value),
            None if text.len() == name.len() + 2 => return Ok(None),
            None => {}
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(Some(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(text: &str) -> Result<Recipe> {
        Recipe::parse("c", text, &["run"])
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
        let text = "build = [['cc', '{sanitize}', '-o', '{out}/a']]\nrun = ['{out}/a']\n\
            env = { FLAGS = '{sanitize}' }";
        let recipe = recipe(text).unwrap();
        assert_eq!(recipe.build(&places).unwrap(), [["cc", "-o", "/t/c/a"]]);
        assert_eq!(recipe.command("run", &places).unwrap(), ["/t/c/a"]);
        assert_eq!(recipe.env(&places).unwrap()["FLAGS"], "");
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| format!("{:#}", recipe(text).unwrap_err());
        assert!(error("library = true").contains("run"));
        assert!(error("run = ['a']\nrnu = ['b']").contains("rnu"));
        let unknown = recipe("run = ['{typo}/a']").unwrap().command("run", &places).unwrap_err();
        assert!(format!("{unknown:#}").contains("typo"), "{unknown:#}");
    }
}
