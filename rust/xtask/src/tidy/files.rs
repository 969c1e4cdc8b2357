//! Files as files: size, mode, white space, links.

use super::{Finding, Source};
use anyhow::Result;
use std::path::{Component, Path, PathBuf};

const LARGE: u64 = 300 * 1024;
/// Large files that are wanted.
const LARGE_FILES: &[(&str, &str)] = &[];
/// Files whose bytes are somebody else's business.
const VERBATIM: &[&str] = &[".snap", ".lock", ".patch", ".seed"];

pub fn blobs(tree: &[Source]) -> Result<Vec<Finding>> {
    let large = |file: &&Source| file.size > LARGE;
    let wanted = |file: &Source| LARGE_FILES.iter().any(|(path, _)| *path == file.path);
    let found = tree.iter().filter(large).filter(|file| !wanted(file));
    Ok(found.map(|file| Finding::failure(&file.path, format!("{} bytes", file.size))).collect())
}

pub fn modes(tree: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree {
        let script = file.text().starts_with("#!/");
        if file.executable && !script {
            findings.push(Finding::failure(&file.path, "is executable but no script"));
        } else if script && !file.executable {
            findings.push(Finding::failure(&file.path, "is a script but not executable"));
        }
    }
    Ok(findings)
}

pub fn white_space(tree: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.iter().filter(|file| !VERBATIM.iter().any(|end| file.path.ends_with(end))) {
        for (index, line) in file.text().split('\n').enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                findings.push(Finding::at(file, index + 1, "white space at the end of the line"));
            }
        }
        if !file.text().is_empty() && !file.text().ends_with('\n') {
            findings.push(Finding::failure(&file.path, "the last line does not end"));
        }
    }
    Ok(findings)
}

/// Relative links in Markdown must lead to a file or a folder of the tree.
pub fn links(tree: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        let mut code = false;
        for (index, line) in file.text().lines().enumerate() {
            code ^= line.starts_with("```");
            if code {
                continue; // brackets mean something else there
            }
            for target in line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next())
            {
                let local = !target.is_empty() && !target.contains("://");
                if local && !exists(tree, &folder.join(target)) {
                    let text = format!("nothing is at {target}");
                    findings.push(Finding::at(file, index + 1, text));
                }
            }
        }
    }
    Ok(findings)
}

fn exists(tree: &[Source], path: &Path) -> bool {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    tree.iter().any(|file| Path::new(&file.path).starts_with(&plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_found() {
        let large = Source { size: LARGE + 1, ..Source::sample("a.bin", "") };
        assert_eq!(blobs(&[large, Source::sample("b", "")]).unwrap().len(), 1);
    }

    #[test]
    fn modes_must_fit_contents() {
        let tree = [
            Source { executable: true, ..Source::sample("a.rs", "fn a() {}\n") },
            Source { executable: true, ..Source::sample("b", "#!/bin/sh\n") },
            Source::sample("c", "#!/bin/sh\n"),
        ];
        let findings = modes(&tree).unwrap();
        let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, ["a.rs", "c"]);
    }

    #[test]
    fn stray_white_space_is_found() {
        let findings = white_space(&[Source::sample("a", "a \nb\r\nc")]).unwrap();
        assert_eq!(findings.len(), 3);
        assert_eq!(white_space(&[Source::sample("a", "a\n\nb\n")]).unwrap(), []);
    }

    #[test]
    fn dead_links_are_found() {
        let text = "[a](b/c.md#x) [d](../README.md) [e](https://example.org) [f](#here)\n[g](no)\n\
                    ```go\nmust[T any](value T)\n```\n";
        let tree = [
            Source::sample("docs/a.md", text),
            Source::sample("docs/b/c.md", ""),
            Source::sample("README.md", ""),
        ];
        let findings = links(&tree).unwrap();
        assert_eq!(findings, [Finding::failure("docs/a.md:2", "nothing is at no")]);
    }
}
