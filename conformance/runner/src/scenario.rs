//! Scenarios: transcripts of what is said to agents and what they must answer.

use crate::cast::{BOARD, WITNESS};
use crate::pattern::glob;
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Name of its file.
    pub name: String,
    /// What it shows.
    pub about: String,
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) steps: Vec<Step>,
}

/// A line of a transcript.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub who: String,
    pub does: Does,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Does {
    Say(String),
    Hear(String),
    /// Say it again and again until this is heard.
    Until(String, String),
    Act(Act),
}

/// What the runner itself does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Kill,
    Start,
    Stop,
    Continue,
    /// Takes all rights from the socket of a lane.
    Forbid(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    transcript: String,
    #[serde(default)]
    text: BTreeMap<String, String>,
}

impl Scenario {
    /// All scenarios of a folder, by name.
    pub fn all(folder: &Path) -> Result<Vec<Scenario>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "toml") {
                all.push(Scenario::load(&path).with_context(|| path.display().to_string())?);
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Whether its name fits a pattern, in which `*` stands for anything.
    pub fn is_called(&self, pattern: &str) -> bool {
        glob(pattern, &self.name)
    }

    /// Whether it needs an agent beside the pair's own.
    pub fn needs(&self, language: &str) -> bool {
        language == WITNESS && self.steps.iter().any(|step| step.who == "witness")
    }

    /// Whether it needs the board.
    pub fn needs_board(&self) -> bool {
        self.steps.iter().any(|step| step.who == BOARD)
    }

    fn load(path: &Path) -> Result<Scenario> {
        let name = path.file_stem().and_then(|stem| stem.to_str()).context("no name")?;
        Scenario::parse(name, &fs::read_to_string(path)?)
    }

    pub(crate) fn parse(name: &str, text: &str) -> Result<Scenario> {
        let file: File = toml::from_str(text)?;
        let steps = steps(&file.transcript)?;
        Ok(Scenario { name: name.to_owned(), about: file.about, texts: file.text, steps })
    }
}

fn steps(transcript: &str) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    // Who was told something and has not answered yet.
    let mut open: Vec<String> = Vec::new();
    let mut until: Option<(String, String)> = None;
    for line in transcript.lines() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let (who, sign, rest) = parts(line).ok_or_else(|| anyhow!("{line:?} is no step"))?;
        if let Some((asked, command)) = until.take() {
            if sign != "<" || asked != who {
                bail!("{line:?}: after `{asked} ?` its answer must follow");
            }
            steps.push(Step { who: asked, does: Does::Until(command, rest.to_owned()) });
            continue;
        }
        let waiting = open.iter().position(|one| one == who);
        match (sign, waiting) {
            ("<", Some(index)) => drop(open.swap_remove(index)),
            ("<", None) => bail!("{line:?}: {who} was asked nothing"),
            (">" | "?", Some(_)) => bail!("{line:?}: {who} has not answered yet"),
            (">", None) => open.push(who.to_owned()),
            ("!", Some(index)) if rest == "kill" => drop(open.swap_remove(index)),
            _ => {}
        }
        let does = match sign {
            ">" => Does::Say(rest.to_owned()),
            "<" => Does::Hear(rest.to_owned()),
            "!" => Does::Act(act(rest).with_context(|| line.to_owned())?),
            _ => {
                until = Some((who.to_owned(), rest.to_owned()));
                continue;
            }
        };
        steps.push(Step { who: who.to_owned(), does });
    }
    if let Some(who) = open.first().or(until.as_ref().map(|(who, _)| who)) {
        bail!("{who} is asked something, and its answer is not looked at");
    }
    Ok(steps)
}

fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (who, rest) = line.split_once(' ')?;
    let (sign, rest) = rest.trim_start().split_once(' ')?;
    let known = matches!(who, "producer" | "consumer" | "witness" | "board" | "runner")
        || who.strip_prefix("guest").is_some_and(|number| number.parse::<u8>().is_ok());
    (known && [">", "<", "?", "!"].contains(&sign)).then_some((who, sign, rest.trim()))
}

fn act(text: &str) -> Result<Act> {
    Ok(match text.split_once(' ') {
        None if text == "kill" => Act::Kill,
        None if text == "start" => Act::Start,
        None if text == "stop" => Act::Stop,
        None if text == "continue" => Act::Continue,
        Some(("forbid", lane)) => Act::Forbid(lane.to_owned()),
        _ => bail!("the runner cannot {text}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_becomes_steps() {
        let text = "# begins\nproducer > a b=1\nconsumer > c\nproducer < ok\nconsumer < none\n\
            producer ? report\nproducer < ok n=0 # at last\nconsumer ! kill\nguest2 ! start\n";
        let steps = steps(text).unwrap();
        assert_eq!(steps.len(), 7);
        assert_eq!(steps[4].does, Does::Until("report".into(), "ok n=0".into()));
        assert_eq!((steps[6].who.as_str(), &steps[6].does), ("guest2", &Does::Act(Act::Start)));
    }

    #[test]
    fn a_transcript_that_cannot_be_played_is_refused() {
        for bad in [
            "somebody > a\nsomebody < ok",
            "producer > a",
            "producer < ok",
            "producer > a\nproducer > b\nproducer < ok",
            "producer ? a\nconsumer < ok",
            "producer ! dance",
            "producer a",
        ] {
            assert!(steps(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_killed_need_not_answer() {
        assert_eq!(steps("consumer > next\nconsumer ! kill\n").unwrap().len(), 2);
    }

    #[test]
    fn every_scenario_of_the_tree_can_be_read() {
        let all = Scenario::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios"));
        assert!(!all.unwrap().is_empty());
    }
}
