//! Names of lanes.

use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use crate::layout::size::NAME_BYTES;

/// Checks that a lane name is 1 to 64 of `a-z 0-9 . _ -` and is no path component of its own.
pub(crate) fn validate(name: &str) -> Result<()> {
    let refuse =
        |why: String| Err(Error::new(ErrorKind::InvalidName, format!("lane name {name:?} {why}")));
    if name.is_empty() {
        return refuse("is empty".into());
    }
    if name.len() > NAME_BYTES as usize {
        return refuse(format!("has {} bytes, the limit is {NAME_BYTES}", name.len()));
    }
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
    if let Some(bad) = name.chars().find(|&c| !allowed(c)) {
        return refuse(format!("contains {bad:?}; allowed are a-z 0-9 . _ -"));
    }
    if name.starts_with('.') {
        return refuse("starts with a dot, which names are hidden files and . and ..".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_up_to_64_are_names() {
        for length in [1, 2, 62, 63, 64] {
            assert!(validate(&"n".repeat(length)).is_ok(), "{length} characters");
        }
        for length in [0, 65, 66, 4096] {
            let error = validate(&"n".repeat(length)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{length} characters");
        }
    }

    #[test]
    fn the_error_names_the_character() {
        for (name, culprit) in [("a/b", "'/'"), ("Cam", "'C'"), ("a b", "' '"), ("é", "'é'")] {
            let text = validate(name).unwrap_err().to_string();
            assert!(text.contains(culprit), "{text}");
        }
        assert!(validate("..").is_err());
    }
}
