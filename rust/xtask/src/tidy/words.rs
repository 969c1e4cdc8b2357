//! Words that have no place in a finished tree. They are written in two pieces here, so that
//! this file passes its own check.

use super::{Finding, Source};
use crate::workspace;
use anyhow::Result;
use std::env;

/// A piece of text and why it may not stand.
type Banned = (&'static str, &'static str);

const UNFINISHED: &[Banned] = &[
    (concat!("TO", "DO"), "do it, or open an issue"),
    (concat!("FIX", "ME"), "fix it, or open an issue"),
    (concat!("XX", "X"), "say what is wrong"),
    (concat!("dbg", "!("), "left from debugging"),
    (concat!("to", "do!("), "a stub"),
    (concat!("unimple", "mented!("), "a stub"),
    (concat!("#[ig", "nore"), "a test that is not run: make it a tier"),
    (concat!("<<<<", "<<< "), "an unresolved merge"),
    (concat!(">>>>", ">>> "), "an unresolved merge"),
];

const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("proxy.go", "lang.org"),
    concat!("registry.", "npmjs"),
    concat!("deb.", "debian.org"),
    concat!("repo1.", "maven"),
    concat!("static.rust-", "lang.org"),
];

const HOMES: &[&str] =
    &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

pub fn banned(tree: &[Source]) -> Result<Vec<Finding>> {
    Ok(search(tree, UNFINISHED))
}

pub fn places(tree: &[Source]) -> Result<Vec<Finding>> {
    // Lock files are written by the clients of registries.
    let own = tree.iter().filter(|file| !file.path.ends_with(".lock"));
    let mut wanted: Vec<(String, &str)> = Vec::new();
    let host = "names a registry's host; users may have another";
    wanted.extend(HOSTS.iter().map(|name| (name.to_string(), host)));
    let machine = "a path of one machine";
    wanted.extend(HOMES.iter().map(|name| (name.to_string(), machine)));
    // This very checkout and its owner's home, whatever they are called.
    let here = workspace::root().to_string_lossy().into_owned();
    let home = env::var("HOME").unwrap_or_default();
    let deep = |path: &String| path.trim_end_matches('/').matches('/').count() >= 2;
    wanted.extend([here, home].into_iter().filter(deep).map(|path| (path, machine)));
    let mut findings = Vec::new();
    for file in own {
        for (text, why) in &wanted {
            findings.extend(find(file, text, why));
        }
    }
    Ok(findings)
}

fn search(tree: &[Source], words: &[Banned]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree {
        for (text, why) in words {
            findings.extend(find(file, text, why));
        }
    }
    findings
}

/// Lines with the text; where it is a word, only as a whole word.
fn find(file: &Source, text: &str, why: &str) -> Vec<Finding> {
    let is_word = text.chars().all(char::is_alphanumeric);
    let hit = |line: &str| {
        line.match_indices(text).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + text.len()..].chars().next();
            let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !(is_word && (joined(before) || joined(after)))
        })
    };
    let lines = file.text().lines().enumerate().filter(|(_, line)| hit(line));
    lines.map(|(index, _)| Finding::at(file, index + 1, format!("{text:?}: {why}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_banned_word_is_found_but_not_inside_others() {
        for (word, _) in UNFINISHED {
            let text = format!("fine\nbad {word} here\n");
            let findings = banned(&[Source::sample("a.rs", &text)]).unwrap();
            assert_eq!(findings.len(), 1, "{word}");
            assert_eq!(findings[0].place, "a.rs:2");
        }
        let longer = format!("MAS{}S", UNFINISHED[0].0);
        assert_eq!(banned(&[Source::sample("a.rs", &longer)]).unwrap(), []);
    }

    #[test]
    fn hosts_and_homes_are_found() {
        for place in HOSTS.iter().chain(HOMES) {
            let findings = places(&[Source::sample("a.md", &format!("see {place}x"))]).unwrap();
            assert!(!findings.is_empty(), "{place}");
        }
        assert_eq!(places(&[Source::sample("a.md", "/run/framelane, /tmp/x")]).unwrap(), []);
    }
}
