//! Which records of a lane of JSON are events.

use serde_json::Value;
use std::str::FromStr;

/// A path through a JSON value, and what it must lead to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// Keys and numbers; `*` is any of them.
    path: Vec<String>,
    /// None: anything but null, false, 0 and what is empty.
    wanted: Option<String>,
}

impl FromStr for Condition {
    type Err = String;

    /// Reads `/PATH` or `/PATH=VALUE`; nothing at all holds for every record.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some(text) = text.strip_prefix('/') else {
            return match text {
                "" => Ok(Condition::default()),
                _ => Err("a path begins with a slash".into()),
            };
        };
        let (path, wanted) = match text.split_once('=') {
            Some((path, wanted)) => (path, Some(wanted.to_owned())),
            None => (text, None),
        };
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        match path.iter().any(String::is_empty) {
            true => Err("a part of the path is empty".into()),
            false => Ok(Condition { path, wanted }),
        }
    }
}

impl Condition {
    /// Whether it holds for a record.
    ///
    /// # Errors
    /// Where it is no JSON.
    pub fn holds(&self, record: &[u8]) -> Result<bool, serde_json::Error> {
        if self.path.is_empty() && self.wanted.is_none() {
            return Ok(true);
        }
        Ok(self.leads(&serde_json::from_slice(record)?, &self.path))
    }

    fn leads(&self, value: &Value, path: &[String]) -> bool {
        let Some((part, rest)) = path.split_first() else { return self.fits(value) };
        let go_on = |value: &Value| self.leads(value, rest);
        match value {
            Value::Object(fields) if part == "*" => fields.values().any(go_on),
            Value::Array(items) if part == "*" => items.iter().any(go_on),
            Value::Object(fields) => fields.get(part).is_some_and(go_on),
            Value::Array(items) => {
                part.parse().ok().and_then(|at: usize| items.get(at)).is_some_and(go_on)
            }
            _ => false,
        }
    }

    fn fits(&self, value: &Value) -> bool {
        let Some(wanted) = &self.wanted else {
            return match value {
                Value::Null => false,
                Value::Bool(truth) => *truth,
                Value::Number(number) => number.as_f64() != Some(0.0),
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                Value::Object(fields) => !fields.is_empty(),
            };
        };
        match value {
            Value::String(text) => text == wanted,
            other => serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| wanted == *other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_arrays() {
        let record = br#"{"frame": 7, "none": [], "objects": [{"label": "dog", "at": [1, 2]},
                          {"label": "cat", "sure": true}]}"#;
        let holds = |text: &str| text.parse::<Condition>().unwrap().holds(record).unwrap();
        for text in ["", "/frame", "/objects", "/objects/*/label=cat", "/objects/0/label=dog"] {
            assert!(holds(text), "{text}");
        }
        for text in ["/frame=7", "/*/*/sure=true", "/objects/*/at/1=2", "/objects/*/sure"] {
            assert!(holds(text), "{text}");
        }
        for text in ["/none", "/frame=8", "/objects/*/label=cow", "/objects/2/label", "/a/b/c"] {
            assert!(!holds(text), "{text}");
        }
        assert!("objects".parse::<Condition>().is_err() && "/a//b".parse::<Condition>().is_err());
        let any = Condition::default();
        assert!(any.holds(b"no JSON").unwrap());
        assert!("/a".parse::<Condition>().unwrap().holds(b"no JSON").is_err());
    }
}
