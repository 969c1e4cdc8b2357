//! A command line: a word, then `key=value`.

use std::fmt::Display;
use std::str::FromStr;

/// What a command is answered with when it is not carried out.
pub enum Refusal {
    /// `next` and its like found no frame.
    Nothing,
    /// A call of the SDK failed.
    Error(framelane::Error),
}

impl From<framelane::Error> for Refusal {
    fn from(error: framelane::Error) -> Self {
        Refusal::Error(error)
    }
}

/// The answer to a command: what follows `ok`.
pub type Answer = Result<String, Refusal>;

/// An error of the line itself.
pub fn misunderstood(text: impl Display) -> Refusal {
    let kind = framelane::ErrorKind::InvalidArgument;
    Refusal::Error(framelane::Error::new(kind, text.to_string()))
}

/// One command.
pub struct Line<'a> {
    pub word: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Line<'a> {
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let mut words = text.split_ascii_whitespace();
        let word = words.next().unwrap_or("");
        let pair = |pair: &'a str| {
            pair.split_once('=').ok_or_else(|| misunderstood(format!("{pair:?} is no key=value")))
        };
        Ok(Line { word, pairs: words.map(pair).collect::<Result<_, _>>()? })
    }

    /// The value of a key, if the line has it.
    pub fn get<T: FromStr>(&self, key: &str) -> Result<Option<T>, Refusal> {
        let Some((_, value)) = self.pairs.iter().find(|(name, _)| *name == key) else {
            return Ok(None);
        };
        let bad = |_| misunderstood(format!("{key}={value} has no meaning"));
        value.parse().map(Some).map_err(bad)
    }

    pub fn need<T: FromStr>(&self, key: &str) -> Result<T, Refusal> {
        self.get(key)?.ok_or_else(|| misunderstood(format!("{} needs {key}=", self.word)))
    }

    /// A number that is 0 where the line does not say.
    pub fn number<T: FromStr + Default>(&self, key: &str) -> Result<T, Refusal> {
        Ok(self.get(key)?.unwrap_or_default())
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>, Refusal> {
        Ok(self.get::<u8>(key)?.map(|number| number != 0))
    }

    /// The descriptor fields that the line sets.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs.iter().filter_map(|(key, value)| Some((key.strip_prefix("d.")?, *value)))
    }
}
