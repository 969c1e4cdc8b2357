//! Each happens-before edge of the ring stands at both of its ends, named in the code by
//! `edge::NAME` and in the comment right above, which says what it orders.

use super::{Finding, Source};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

const RING: &str = "rust/core/src/ring/";
const TABLE: &str = "rust/core/src/ring/edge.rs";
const FIRST: &[&str] = &["release", "fence_release", "fence_first"];
const SECOND: &[&str] = &["acquire", "fence_acquire", "fence_second"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    First,
    Second,
}

pub fn both_ends(tree: &[Source]) -> Result<Vec<Finding>> {
    let Some(table) = tree.iter().find(|file| file.path == TABLE) else {
        return Ok(vec![Finding::failure(TABLE, "the table of edges is missing")]);
    };
    let mut ends: BTreeMap<String, BTreeSet<Side>> = BTreeMap::new();
    let mut findings = Vec::new();
    for file in tree.iter().filter(|file| file.path.starts_with(RING) && file.path != TABLE) {
        let lines: Vec<&str> = file.text().lines().collect();
        for (index, line) in lines.iter().enumerate() {
            for (name, side) in uses(line) {
                let comment = comment_above(&lines, index);
                if !comment.contains(&name) {
                    let text =
                        format!("no comment `// edge {name}: ...` above says what it orders");
                    findings.push(Finding::at(file, index + 1, text));
                }
                // One fence can serve several edges: the comment names them all.
                for named in comment.into_iter().chain([name]) {
                    ends.entry(named.to_owned()).or_default().insert(side);
                }
            }
        }
    }
    let defined: BTreeSet<&str> = table.text().lines().filter_map(definition).collect();
    for name in &defined {
        let sides = ends.get(*name).map_or(0, BTreeSet::len);
        if sides < 2 {
            let text = format!("edge {name} stands at {sides} of its 2 ends");
            findings.push(Finding::failure(TABLE, text));
        }
    }
    for name in ends.keys().filter(|name| !defined.contains(name.as_str())) {
        findings.push(Finding::failure(TABLE, format!("edge {name} is used but not defined")));
    }
    Ok(findings)
}

/// `NAME = "first", "second";`
fn definition(line: &str) -> Option<&str> {
    let (name, sides) = line.trim().split_once(" = \"")?;
    (is_name(name) && sides.ends_with("\";")).then_some(name)
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// Every `edge::NAME.method()` of a line.
fn uses(line: &str) -> Vec<(&str, Side)> {
    let code = line.split("//").next().unwrap_or_default();
    code.split("edge::").skip(1).filter_map(use_of).collect()
}

fn use_of(text: &str) -> Option<(&str, Side)> {
    let (name, rest) = text.split_once('.')?;
    let method = rest.split('(').next()?;
    let side = if FIRST.contains(&method) {
        Side::First
    } else if SECOND.contains(&method) {
        Side::Second
    } else {
        return None;
    };
    is_name(name).then_some((name, side))
}

/// Names in the nearest `// edge A: ...` or `// edges A and B: ...` of the lines just above,
/// within the same statement.
fn comment_above<'a>(lines: &[&'a str], index: usize) -> Vec<&'a str> {
    const NEAR: usize = 8;
    for line in lines[index.saturating_sub(NEAR)..index].iter().rev() {
        let Some(text) = line.trim().strip_prefix("// edge") else { continue };
        let Some((names, _)) = text.split_once(':') else { continue };
        let words = names.split([' ', ',', 's']).filter(|word| is_name(word));
        return words.collect();
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ring: &str) -> Vec<Finding> {
        let table = "edges! {\n    HEAD = \"head.publish\", \"head.borrow\";\n}\n";
        let table = Source::sample(TABLE, table);
        both_ends(&[table, Source::sample("rust/core/src/ring/a.rs", ring)]).unwrap()
    }

    const STORE: &str = "// edge HEAD: frame before head.\nhead.store(1, edge::HEAD.release());\n";
    const LOAD: &str = "// edge HEAD: see there.\nhead.load(edge::HEAD.acquire());\n";

    #[test]
    fn an_edge_with_both_ends_is_fine() {
        assert_eq!(check(&format!("{STORE}{LOAD}")), []);
    }

    #[test]
    fn an_edge_with_one_end_is_found() {
        let findings = check(&format!("{STORE}{STORE}"));
        assert_eq!(findings, [Finding::failure(TABLE, "edge HEAD stands at 1 of its 2 ends")]);
    }

    #[test]
    fn an_end_without_its_comment_is_found() {
        let findings = check(&format!("{STORE}\n\n\n\n\n\n\n\n{}", LOAD.lines().last().unwrap()));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.starts_with("no comment `// edge HEAD"), "{findings:?}");
    }

    #[test]
    fn an_unknown_edge_is_found() {
        let other = "// edge TAIL: what.\nfence(edge::TAIL.fence_first());\n";
        let findings = check(&format!("{STORE}{LOAD}{other}"));
        assert_eq!(findings, [Finding::failure(TABLE, "edge TAIL is used but not defined")]);
    }

    #[test]
    fn one_fence_can_serve_two_edges() {
        let lines = ["// edges LEASE and SLEEP: both.", "edge::LEASE.fence_first();"];
        assert_eq!(comment_above(&lines, 1), ["LEASE", "SLEEP"]);
        assert_eq!(uses(lines[1]), [("LEASE", Side::First)]);
    }
}
