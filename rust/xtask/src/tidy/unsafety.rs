//! Where `unsafe` may stand, and that the ring has neither it nor system calls.

use super::{Finding, Source};
use anyhow::Result;
use proc_macro2::{TokenStream, TokenTree};

/// The files that may contain `unsafe`, and what for.
const UNSAFE_FILES: &[(&str, &str)] = &[
    ("rust/core/src/mem/map.rs", "maps and unmaps memory"),
    ("rust/core/src/mem/view.rs", "makes references into mapped memory"),
    ("rust/core/src/hold.rs", "tells the kernel what a forked child must not see"),
];

const RING: &str = "rust/core/src/ring/";
/// Names by which code would leave pure computation.
const IMPURE: &[&str] = &["rustix", "libc", "memmap2", "fs", "io", "net", "process", "thread"];

pub fn confined(tree: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.iter().filter(|file| file.is_rust()) {
        let lines = lines_of(file, &|word| word == "unsafe" || word == "unsafe_code");
        let listed = UNSAFE_FILES.iter().any(|(path, _)| *path == file.path);
        if !listed {
            findings.extend(lines.iter().map(|&line| {
                Finding::at(file, line, "unsafe is not allowed in this file, see tidy's list")
            }));
        } else if lines.is_empty() {
            let text = "is listed for unsafe but needs none: take it off the list";
            findings.push(Finding::failure(&file.path, text));
        }
    }
    Ok(findings)
}

pub fn ring_is_pure(tree: &[Source]) -> Result<Vec<Finding>> {
    let in_ring = |file: &&Source| file.path.starts_with(RING) && !file.path.contains("model");
    let mut findings = Vec::new();
    for file in tree.iter().filter(in_ring) {
        for line in lines_of(file, &|word| word == "unsafe" || IMPURE.contains(&word)) {
            findings.push(Finding::at(file, line, "the ring makes no system call"));
        }
    }
    Ok(findings)
}

/// Lines with a wanted word in the code: comments and strings do not count, macros do.
fn lines_of(file: &Source, wanted: &dyn Fn(&str) -> bool) -> Vec<usize> {
    let mut lines = Vec::new();
    if let Ok(tokens) = file.text().parse() {
        collect(tokens, wanted, &mut lines);
    }
    lines
}

fn collect(tokens: TokenStream, wanted: &dyn Fn(&str) -> bool, lines: &mut Vec<usize>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) if wanted(&word.to_string()) => {
                lines.push(word.span().start().line);
            }
            TokenTree::Group(group) => collect(group.stream(), wanted, lines),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_outside_the_list_is_found_also_in_macros() {
        let text = "// unsafe in words\nfn a() { unsafe { b() } }\nm! { unsafe fn c() {} }\n\
            #![allow(unsafe_code)]\nconst D: &str = \"unsafe\";\n";
        let findings = confined(&[Source::sample("rust/core/src/lane.rs", text)]).unwrap();
        let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
        let file = "rust/core/src/lane.rs";
        assert_eq!(places, [2, 3, 4].map(|line| format!("{file}:{line}")));
    }

    #[test]
    fn a_listed_file_must_need_it() {
        let path = UNSAFE_FILES[0].0;
        assert_eq!(confined(&[Source::sample(path, "fn a() {}")]).unwrap().len(), 1);
        let used = Source::sample(path, "fn a() { unsafe { b() } }");
        assert_eq!(confined(&[used]).unwrap(), []);
    }

    #[test]
    fn a_system_call_in_the_ring_is_found() {
        let bad = Source::sample("rust/core/src/ring/a.rs", "use rustix::event::eventfd;");
        let model = Source::sample("rust/core/src/ring/model.rs", "use loom::thread;");
        assert_eq!(ring_is_pure(&[bad, model]).unwrap().len(), 1);
    }
}
