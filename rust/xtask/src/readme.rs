//! The fenced blocks of README.md and of guides, so that tests run what readers paste.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;

const README: &str = "README.md";

/// Pages that show one small program in each language: the page, its section, and what each of them
/// prints. They are built and run as those of README.md.
pub const SHOWN: &[(&str, &str, &str)] = &[
    ("docs/streams.md", "In each language", "record 1 has 5 bytes\n"),
    ("docs/shmbuf.md", "Both sides in each language", "a message of 307200 bytes\n"),
];

/// A program of such a page. Rings get a name of this run's own, since all programs of the machine
/// share their folder.
pub fn shown(page: &str, section: &str, language: &str) -> Result<String> {
    let name = format!("/video-{}", std::process::id());
    Ok(block_of(page, section, language)?.replace("/video", &name))
}

/// The only block of this language in the section of this title.
pub fn block(section: &str, language: &str) -> Result<String> {
    block_of(README, section, language)
}

/// The same of another page.
pub fn block_of(page: &str, section: &str, language: &str) -> Result<String> {
    let text = fs::read_to_string(workspace::root().join(page));
    find(&text.with_context(|| page.to_owned())?, section, language)
        .with_context(|| page.to_owned())
}

fn find(text: &str, section: &str, language: &str) -> Result<String> {
    let mut found = Vec::new();
    let mut fence: Option<(bool, String)> = None; // whether it is wanted, and what it holds
    let mut inside = false;
    for line in text.lines() {
        match (&mut fence, line.strip_prefix("```")) {
            (None, Some(kind)) => fence = Some((inside && kind == language, String::new())),
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    inside = title == section;
                }
            }
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (Some((wanted, block)), Some(_)) => {
                if *wanted {
                    found.push(std::mem::take(block));
                }
                fence = None;
            }
        }
    }
    let count = found.len();
    match found.pop() {
        Some(block) if count == 1 => Ok(block),
        _ => bail!("there are {count} blocks of {language:?} under {section:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Title

```c
first
```
## A lane in C

```c
## no heading
int main(void);
```

Then:

```sh
one
```
## Next
```c
last
```
";

    #[test]
    fn a_block_is_found_by_section_and_language() {
        let block = find(TEXT, "A lane in C", "c").unwrap();
        assert_eq!(block, "## no heading\nint main(void);\n");
        assert_eq!(find(TEXT, "A lane in C", "sh").unwrap(), "one\n");
        assert_eq!(find(TEXT, "Next", "c").unwrap(), "last\n");
        assert!(find(TEXT, "Next", "sh").is_err() && find(TEXT, "no heading", "c").is_err());
    }

    #[test]
    fn two_blocks_of_one_language_are_no_answer() {
        assert!(find("## A\n```c\n1\n```\n```c\n2\n```\n", "A", "c").is_err());
    }
}
