//! Writing results to standard output.

use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};

/// Writes all of it. A reader that has gone (`framelane ls | head -1`) is no error.
pub fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    write(bytes).map(drop)
}

/// Writes text; whether anybody still reads, for what would go on for ever.
pub fn try_print(text: &str) -> io::Result<bool> {
    write(text.as_bytes())
}

fn write(bytes: &[u8]) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(io::Error::new(error.kind(), format!("standard output: {error}"))),
        Ok(()) => Ok(true),
    }
}

/// Writes text as it is.
pub fn print(text: &str) -> io::Result<()> {
    print_bytes(text.as_bytes())
}

/// Writes one JSON object and a line end.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(print(&text)?)
}

/// Writes what a run came to: as one line of JSON, or as text.
pub fn summary(json: bool, summary: &impl Serialize, text: &str) -> anyhow::Result<()> {
    match json {
        true => print(&format!("{}\n", serde_json::to_string(summary)?))?,
        false => print(text)?,
    }
    Ok(())
}

/// Text of another process with its control characters spelled out, so that it cannot move the
/// cursor or fake a line.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Zero-padded bytes of another process as clean text.
pub fn clean_bytes(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    clean(&String::from_utf8_lossy(&bytes[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(clean("a\x1b[2Jb\nc\u{9b}é"), "a\\u{1b}[2Jb\\nc\\u{9b}é");
        assert_eq!(clean_bytes(b"cat\0\xff\xff"), "cat");
        assert_eq!(clean_bytes(b"a\xffb"), "a\u{fffd}b");
    }
}
