//! What `$` stands for in a transcript.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Everything that can be put in.
pub struct Values<'a> {
    /// Prefix of the lane names of this run.
    pub lane: &'a str,
    /// Texts of the scenario.
    pub texts: &'a BTreeMap<String, String>,
    /// Top folder of the checkout.
    pub root: &'a Path,
}

/// What may stand for a word of the transcript beside that: what was remembered.
type Known<'a> = &'a BTreeMap<String, String>;

impl Values<'_> {
    /// The line with all `$` put in.
    pub fn fill(&self, line: &str, known: Known<'_>) -> Result<String> {
        let mut out = String::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, tail) = after.split_at(end.unwrap_or(after.len()));
            let (arguments, tail) = match tail.strip_prefix('(').and_then(|t| t.split_once(')')) {
                Some((arguments, tail)) => (Some(arguments), tail),
                None => (None, tail),
            };
            out.push_str(&self.value(name, arguments, known).with_context(|| format!("${name}"))?);
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, name: &str, arguments: Option<&str>, known: Known<'_>) -> Result<String> {
        match (name, arguments) {
            ("lane", None) => Ok(self.lane.to_owned()),
            ("fill", Some(arguments)) => filled(arguments),
            ("golden", Some(name)) => golden(self.root, name),
            (name, None) => match (self.texts.get(name), known.get(name)) {
                (Some(text), _) => self.fill(text, known),
                (None, Some(remembered)) => Ok(remembered.clone()),
                (None, None) => bail!("the scenario has no such text and remembers none"),
            },
            _ => bail!("there is no such function"),
        }
    }
}

/// Checksum of a filled plane: `seed,plane,bytes`.
fn filled(arguments: &str) -> Result<String> {
    let numbers: Vec<u64> = arguments.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let [seed, plane, bytes] = numbers[..] else { bail!("seed, plane and bytes are needed") };
    let period: Vec<u8> = (0..251).map(|i| ((i + 31 * plane + seed) % 251) as u8).collect();
    let mut hasher = crc32fast::Hasher::new();
    let whole = bytes / 251;
    (0..whole).for_each(|_| hasher.update(&period));
    hasher.update(&period[..(bytes % 251) as usize]);
    Ok(format!("{:08x}", hasher.finalize()))
}

/// All fields of a struct in schema/golden/v1 as `d.<field>=<value>`, reserved ones left out.
fn golden(root: &Path, name: &str) -> Result<String> {
    let path = root.join("schema/golden/v1/expected.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let all: BTreeMap<String, Value> = serde_json::from_str(&text)?;
    let mut words = Vec::new();
    for (key, value) in &all {
        let Some(field) = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        if !field.split('.').any(|part| part.starts_with("reserved")) {
            let field = field.replace('[', ".").replace(']', "");
            words.push(format!("d.{field}={}", shown(value)?));
        }
    }
    if words.is_empty() {
        bail!("{} has no {name}", path.display());
    }
    Ok(words.join(" "))
}

fn shown(value: &Value) -> Result<String> {
    let Some(bytes) = value.as_array() else { return Ok(value.to_string()) };
    let byte = |byte: &Value| {
        let byte = byte.as_u64().filter(|byte| *byte < 256).context("not a byte")?;
        Ok(format!("{byte:02x}"))
    };
    bytes.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(line: &str) -> Result<String> {
        let texts = BTreeMap::from([("all".to_owned(), "a=$lane b=2".to_owned())]);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let known = BTreeMap::from([("seen".to_owned(), "d.a=1 d.b=2".to_owned())]);
        Values { lane: "x-1", texts: &texts, root: &root }.fill(line, &known)
    }

    #[test]
    fn names_texts_and_checksums_are_put_in() {
        assert_eq!(fill("open lane=$lane.b c=3").unwrap(), "open lane=x-1.b c=3");
        assert_eq!(fill("$all").unwrap(), "a=x-1 b=2");
        assert_eq!(fill("publish $seen").unwrap(), "publish d.a=1 d.b=2");
        // The CRC-32 of the eight bytes 7 to 14.
        assert_eq!(fill("crc0=$fill(7,0,8)").unwrap(), "crc0=bdbafc51");
        assert!(fill("$nothing").is_err() && fill("$fill(1)").is_err());
    }

    #[test]
    fn golden_fields_come_without_reserved_ones() {
        let text = fill("$golden(FrameDescriptor)").unwrap();
        assert!(text.contains("d.analog_gain=176.25 "), "{text}");
        assert!(text.contains(" d.planes.3.share_id=-369239575 "), "{text}");
        assert!(!text.contains("reserved"), "{text}");
        let user = text.split("d.user_data=").nth(1).unwrap();
        assert_eq!(user.split(' ').next().unwrap().len(), 128);
    }
}
