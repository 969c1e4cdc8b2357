//! Dead files: a Rust file that no `mod` reaches is compiled by nobody.

use super::{Finding, Source};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};

pub fn reached(tree: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    // Each file is read once: taking it apart is what costs.
    let mut declared: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (package, _, file) in sources(tree) {
        declared.entry(package).or_default().extend(modules(file));
    }
    for (package, inner, file) in sources(tree) {
        let root = matches!(inner, "lib.rs" | "main.rs") || inner.starts_with("bin/");
        if !root && !declared[package].contains(module_name(inner)) {
            findings.push(Finding::failure(&file.path, "no `mod` names this file"));
        }
    }
    Ok(findings)
}

/// Packages' own Rust files: folder of the package, path below its `src`, file.
fn sources(tree: &[Source]) -> impl Iterator<Item = (&str, &str, &Source)> {
    tree.iter().filter(|file| file.is_rust()).filter_map(|file| {
        let (package, inner) = file.path.split_once("/src/")?;
        Some((package, inner, file))
    })
}

fn module_name(path: &str) -> &str {
    let path = path.strip_suffix("/mod.rs").or(path.strip_suffix(".rs")).unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}

fn modules(file: &Source) -> BTreeSet<String> {
    let mut names = Names::default();
    if let Ok(syntax) = syn::parse_file(file.text()) {
        names.visit_file(&syntax);
    }
    names.0
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Visit<'_> for Names {
    fn visit_item_mod(&mut self, module: &syn::ItemMod) {
        if module.content.is_none() {
            self.0.insert(module.ident.to_string());
        }
        visit::visit_item_mod(self, module);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_mod_is_found() {
        let tree = [
            Source::sample("rust/a/src/lib.rs", "mod used;\nmod folder;\nmod inline { }\n"),
            Source::sample("rust/a/src/used.rs", ""),
            Source::sample("rust/a/src/folder/mod.rs", "#[cfg(test)]\nmod deep;"),
            Source::sample("rust/a/src/folder/deep.rs", ""),
            Source::sample("rust/a/src/dead.rs", ""),
            Source::sample("rust/b/src/used.rs", ""),
        ];
        let findings = reached(&tree).unwrap();
        let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, ["rust/a/src/dead.rs", "rust/b/src/used.rs"]);
    }
}
