//! Compares an answer with what the scenario says.

use anyhow::{Result, bail};
use std::collections::BTreeMap;

/// Values that were remembered with `@name`.
pub type Memory = BTreeMap<String, String>;

/// The text after `text=` may contain blanks; everything else is words.
fn split(line: &str) -> (&str, Vec<(&str, &str)>) {
    let (head, text) = match line.split_once(" text=") {
        Some((head, text)) => (head, Some(text)),
        None => (line, None),
    };
    let mut words = head.split_ascii_whitespace();
    let word = words.next().unwrap_or("");
    let mut pairs: Vec<_> = words.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.extend(text.map(|text| ("text", text)));
    (word, pairs)
}

/// Fails with what differs. Keys that are not expected are not looked at.
pub fn compare(expected: &str, answer: &str, memory: &mut Memory) -> Result<()> {
    let (wanted, pairs) = split(expected);
    let (word, values) = split(answer);
    if wanted != word {
        bail!("expected {wanted:?}");
    }
    let mut remembered = Vec::new();
    for (key, pattern) in pairs {
        if let Some(name) = key.strip_prefix('@') {
            let all: Vec<String> = values.iter().map(|(key, v)| format!("{key}={v}")).collect();
            remembered.push((name.to_owned(), all.join(" ")));
            continue;
        }
        let Some((_, value)) = values.iter().find(|(name, _)| *name == key) else {
            bail!("expected {key}={pattern}, the answer has no {key}");
        };
        let fits = match (pattern.strip_prefix("!@"), pattern.strip_prefix('@')) {
            (Some(name), _) => memory.get(name).is_some_and(|known| known != value),
            (_, Some(name)) => match memory.get(name) {
                Some(known) => known == value,
                None => {
                    remembered.push((name.to_owned(), (*value).to_owned()));
                    true
                }
            },
            _ => same(pattern, value),
        };
        if !fits {
            bail!("expected {key}={pattern}, got {value}");
        }
    }
    memory.extend(remembered);
    Ok(())
}

/// Equal as text with `*` for anything, or as numbers with a fraction: languages print those
/// differently.
fn same(pattern: &str, value: &str) -> bool {
    let fraction = |text: &str| text.contains('.').then(|| text.parse::<f32>().ok()).flatten();
    pattern == value
        || (pattern.contains('*') && glob(pattern, value))
        || fraction(pattern).is_some_and(|number| value.parse() == Ok(number))
}

/// Whether `*` in the pattern can stand for something that makes it the text.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = pattern.rsplit_once('*').map(|(_, last)| last) else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    // The last part was found at its first place; it must also stand at the end.
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(expected: &str, answer: &str) -> bool {
        compare(expected, answer, &mut Memory::new()).is_ok()
    }

    #[test]
    fn named_keys_must_be_there_and_equal() {
        assert!(fits("ok sequence=1", "ok missed=0 sequence=1"));
        assert!(!fits("ok sequence=1", "ok sequence=2"));
        assert!(!fits("ok sequence=1", "ok"));
        assert!(!fits("ok", "none"));
        assert!(fits("error kind=closed", "error kind=closed text=it is closed sequence=9"));
        assert!(!fits("error sequence=9", "error kind=closed text=it is closed sequence=9"));
    }

    #[test]
    fn texts_are_compared_with_stars() {
        assert!(fits("error text=*leases*7*", "error kind=a text=no leases but 7 left"));
        assert!(!fits("error text=*leases*8*", "error kind=a text=no leases but 7 left"));
        assert!(glob("a*c", "abc") && glob("*", "") && glob("a", "a"));
        assert!(!glob("a", "ab") && !glob("a*c", "acd") && !glob("b*", "ab"));
    }

    #[test]
    fn fractions_are_compared_as_numbers() {
        assert!(fits("ok d.gain=1.5", "ok d.gain=1.500000"));
        assert!(fits("ok d.gain=3606.25", "ok d.gain=3.60625e+03"));
        assert!(!fits("ok d.gain=1.5", "ok d.gain=1.25"));
        assert!(!fits("ok sequence=1", "ok sequence=1.0"));
    }

    #[test]
    fn a_whole_answer_is_remembered() {
        let mut memory = Memory::new();
        compare("ok @all n=1", "ok n=1 m=2", &mut memory).unwrap();
        assert_eq!(memory["all"], "n=1 m=2");
    }

    #[test]
    fn remembered_values_are_demanded_again() {
        let mut memory = Memory::new();
        compare("ok epoch=@e", "ok epoch=5", &mut memory).unwrap();
        compare("ok epoch=@e", "ok epoch=5", &mut memory).unwrap();
        assert!(compare("ok epoch=@e", "ok epoch=6", &mut memory).is_err());
        assert!(compare("ok epoch=!@e", "ok epoch=5", &mut memory).is_err());
        compare("ok epoch=!@e", "ok epoch=6", &mut memory).unwrap();
    }
}
