//! A command line: a word, then `key=value`.

use anyhow::{Context, Result};
use std::str::FromStr;

/// One command.
pub struct Line<'a> {
    pub word: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Line<'a> {
    pub fn parse(text: &'a str) -> Result<Self> {
        let mut words = text.split_ascii_whitespace();
        let word = words.next().unwrap_or("");
        let pair = |pair: &'a str| {
            pair.split_once('=').with_context(|| format!("{pair:?} is no key=value"))
        };
        Ok(Line { word, pairs: words.map(pair).collect::<Result<_>>()? })
    }

    /// The value of a key, if the line has it.
    pub fn get<T: FromStr>(&self, key: &str) -> Result<Option<T>> {
        let Some((_, value)) = self.pairs.iter().find(|(name, _)| *name == key) else {
            return Ok(None);
        };
        let parsed = value.parse().ok();
        parsed.map(Some).with_context(|| format!("{key}={value} has no meaning"))
    }

    /// A number that the line need not say.
    pub fn number<T: FromStr>(&self, key: &str, otherwise: T) -> Result<T> {
        Ok(self.get(key)?.unwrap_or(otherwise))
    }
}
