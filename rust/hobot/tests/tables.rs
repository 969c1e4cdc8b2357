//! `TESTS.md` names tests that are there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TABLES: &str = include_str!("../TESTS.md");

/// Where tests are that it names.
const PLACES: [&str; 5] =
    ["rust/hobot", "rust/hobot-sys", "rust/hobot-standin", "rust/camera", "rust/core"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The tests of every file, by the file's name; those of the command begin with `cli `.
fn all_tests() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    PLACES.iter().for_each(|place| collect(&root().join(place), "", &mut found));
    collect(&root().join("rust/cli/tests"), "cli ", &mut found);
    found
}

fn collect(folder: &Path, before: &str, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "target" {
            collect(&path, before, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.entry(format!("{before}{name}")).or_default().push_str(&text);
        }
    }
}

/// What stands between backticks.
fn quoted() -> impl Iterator<Item = &'static str> {
    TABLES
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[test]
fn every_test_that_the_tables_name_is_there() {
    let tests = all_tests();
    let mut seen = 0;
    for (file, test) in quoted().filter_map(|words| words.split_once(": ")) {
        let text = tests.get(file).unwrap_or_else(|| panic!("no file {file} for {test}"));
        let written = text.contains(&format!("#[test]\nfn {test}()"))
            || text.contains(&format!("#[test]\n    fn {test}()"));
        assert!(written, "{file}.rs has no test {test}");
        seen += 1;
    }
    assert!(seen > 100, "only {seen} are named");
}

#[test]
fn every_scenario_that_the_tables_name_is_there() {
    let scenarios = root().join("conformance/scenarios");
    let mut seen = 0;
    for line in TABLES.lines().filter(|line| line.starts_with('|')) {
        let Some((_, after)) = line.split_once("conformance ") else { continue };
        for name in after.split('`').skip(1).step_by(2) {
            assert!(scenarios.join(format!("{name}.toml")).exists(), "no scenario {name}");
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} are named");
}

#[test]
fn every_lesson_has_a_row() {
    let rows = TABLES.lines().filter_map(|line| line.strip_prefix("| "));
    let mut numbers: Vec<u32> = rows
        .filter_map(|row| row.split(" |").next())
        .flat_map(|cell| cell.split(", ").filter_map(|number| number.parse().ok()))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=28).collect::<Vec<u32>>());
}
