//! `cargo xtask schema`: prints every language's layout from the schema, and tests what was
//! printed.

mod flatc;
mod languages;
mod oracle;
mod probe;

pub use languages::test_languages;
pub use oracle::oracle;

use crate::counts::Counts;
use crate::workspace;
use anyhow::{Context, Result, bail};
use flatc::Flatc;
use framelane_schema_gen::model::Schema;
use framelane_schema_gen::print::docs;
use framelane_schema_gen::{Output, golden, lint, reflect, table};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const REFLECTION: &str = "schema/framelane.bfbs";
/// Which schema texts the reflection data was made from: tells without flatc that it is stale.
const SOURCES: &str = "schema/framelane.bfbs.sources";
/// Folders that hold nothing but what is printed.
const PRINTED: &[&str] = &["schema/generated", "rust/core/src/layout", "go/layout"];

const PYTHON_LAYOUT: &str = "schema/generated/python/framelane_layout";
const PYTHON_PACKAGE: &str = "python/framelane/_layout";

/// What to do; without a flag, print all files anew.
#[derive(clap::Args)]
pub struct Options {
    /// Change nothing; fail with the list of files that are stale
    #[arg(long, conflicts_with_all = ["rebuild_bfbs", "accept"])]
    check: bool,
    /// First make the reflection data anew, with flatc: needed whenever a .fbs file has changed
    #[arg(long)]
    rebuild_bfbs: bool,
    /// Also rewrite the lock and the golden images of this layout version, which is for versions
    /// that were never released
    #[arg(long)]
    accept: bool,
}

/// The command.
pub fn run(options: &Options) -> Result<bool> {
    let root = workspace::root();
    if options.check {
        check()?;
        return Ok(true);
    }
    if options.rebuild_bfbs {
        Flatc::locate()?.reflect(&root.join("schema"))?;
        write(root, &Output { path: SOURCES.to_owned(), content: sources(root)?.into_bytes() })?;
    }
    let schema = read(root)?;
    let mut outputs = generate(root, &schema)?;
    if options.accept {
        outputs.extend(golden::print(&schema));
    }
    for output in &outputs {
        write(root, output)?;
    }
    for path in leftovers(root, &outputs)? {
        fs::remove_file(root.join(&path))?;
        println!("removed {path}");
    }
    check()?;
    Ok(true)
}

/// Fails with the list of files that are not what the schema says.
pub fn check() -> Result<()> {
    let count = check_in(workspace::root())?;
    println!("{count} files are what the schema says");
    Ok(())
}

fn check_in(root: &Path) -> Result<usize> {
    let schema = read(root)?;
    let printed = generate(root, &schema)?;
    let differing = |outputs: &[Output]| -> Vec<String> {
        let stale = outputs.iter().filter(|output| differs(root, output));
        stale.map(|output| output.path.clone()).collect()
    };
    let mut stale = differing(&printed);
    stale.extend(leftovers(root, &printed)?);
    let released = differing(&golden::print(&schema));
    let mut text = String::new();
    if !stale.is_empty() {
        let _ = writeln!(text, "stale, `cargo xtask schema` prints them anew:");
        stale.iter().for_each(|path| text += &format!("  {path}\n"));
    }
    if !released.is_empty() {
        let version = table::version(&schema);
        let _ = writeln!(
            text,
            "layout version {version} is not what it was. A released layout never changes: give \
             Layout.VERSION a new number, then `cargo xtask schema --accept`:"
        );
        released.iter().for_each(|path| text += &format!("  {path}\n"));
    }
    if !text.is_empty() {
        bail!("{}", text.trim_end());
    }
    Ok(printed.len())
}

/// The check as a tier of the tests.
pub fn tier() -> Result<Counts> {
    check().map(|()| Counts::PASSED)
}

/// The schema, once its text and its reflection data agree and no rule is broken.
fn read(root: &Path) -> Result<Schema> {
    if fs::read_to_string(root.join(SOURCES)).unwrap_or_default() != sources(root)? {
        bail!("{REFLECTION} is older than the .fbs files: `cargo xtask schema --rebuild-bfbs`");
    }
    let mut problems = Vec::new();
    for (name, text) in texts(root)? {
        problems.extend(lint::implicit_values(&name, &text));
    }
    if !problems.is_empty() {
        bail!("the schema breaks a rule:\n  {}", problems.join("\n  "));
    }
    reflect::read(&fs::read(root.join(REFLECTION)).context(REFLECTION)?)
}

fn generate(root: &Path, schema: &Schema) -> Result<Vec<Output>> {
    let readme = fs::read_to_string(root.join(docs::PATH)).context(docs::PATH)?;
    let mut outputs = framelane_schema_gen::generate(schema, &readme)?;
    // The Python package has its own, since it is built from its folder alone.
    let mut copies = Vec::new();
    for output in &outputs {
        if let Some(end) = output.path.strip_prefix(PYTHON_LAYOUT) {
            let path = format!("{PYTHON_PACKAGE}{end}");
            copies.push(Output { path, content: output.content.clone() });
        }
    }
    outputs.extend(copies);
    Ok(outputs)
}

/// Name and text of each schema file, in the order of their names.
fn texts(root: &Path) -> Result<Vec<(String, String)>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(root.join("schema"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "fbs") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            out.push((name, fs::read_to_string(&path)?));
        }
    }
    out.sort();
    Ok(out)
}

fn sources(root: &Path) -> Result<String> {
    let line =
        |(name, text): (String, String)| format!("{:016x} {name}\n", table::fnv1a(text.as_bytes()));
    Ok(texts(root)?.into_iter().map(line).collect())
}

fn differs(root: &Path, output: &Output) -> bool {
    fs::read(root.join(&output.path)).ok().as_ref() != Some(&output.content)
}

fn write(root: &Path, output: &Output) -> Result<()> {
    if differs(root, output) {
        let path = root.join(&output.path);
        fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        fs::write(path, &output.content).with_context(|| output.path.clone())?;
        println!("wrote {}", output.path);
    }
    Ok(())
}

/// Files that were printed once and no longer are.
fn leftovers(root: &Path, outputs: &[Output]) -> Result<Vec<String>> {
    let printed: BTreeSet<&str> = outputs.iter().map(|output| output.path.as_str()).collect();
    let mut found = Vec::new();
    for folder in PRINTED {
        walk(root, folder, &mut found)?;
    }
    found.retain(|path| !printed.contains(path.as_str()));
    Ok(found)
}

fn walk(root: &Path, folder: &str, found: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder)).context(folder.to_owned())? {
        let entry = entry?;
        let name = entry.file_name();
        let path = Path::new(folder).join(&name).to_string_lossy().into_owned();
        match entry.file_type()?.is_dir() {
            // Python's own droppings, ignored by git.
            true if name == "__pycache__" => {}
            true => walk(root, &path, found)?,
            false => found.push(path),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of all that the check reads, to be spoilt.
    fn copy() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        walk(workspace::root(), "schema", &mut files).unwrap();
        walk(workspace::root(), "rust/core/src/layout", &mut files).unwrap();
        walk(workspace::root(), "go/layout", &mut files).unwrap();
        files.push("rust/core/src/layout.rs".to_owned());
        files.push("go/internal/probe/structs.go".to_owned());
        let kotlin = |path: &str| format!("rust/uniffi/kotlin/src/{path}");
        files.push(kotlin("main/kotlin/framelane/layout/Layout.kt"));
        files.push(kotlin("test/kotlin/framelane/layout/GoldenFields.kt"));
        files.extend([".py", ".pyi"].map(|end| format!("{PYTHON_PACKAGE}{end}")));
        for path in files {
            let to = root.path().join(&path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(workspace::root().join(&path), to).unwrap();
        }
        root
    }

    /// Changes one file of a copy and returns what the check says.
    fn complaint(path: &str, change: impl FnOnce(String) -> String) -> String {
        let root = copy();
        assert!(check_in(root.path()).unwrap() > 10);
        let file = root.path().join(path);
        let text = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, change(text)).unwrap();
        check_in(root.path()).unwrap_err().to_string()
    }

    #[test]
    fn stale_and_left_over_files_are_listed() {
        let spoil = |text: String| text + " ";
        let header = "schema/generated/c/framelane_layout.h";
        assert!(complaint(header, spoil).ends_with(&format!("prints them anew:\n  {header}")));
        let old = "rust/core/src/layout/gone.rs";
        assert!(complaint(old, spoil).ends_with(&format!("prints them anew:\n  {old}")));
        let table = |text: String| text.replacen("| 0 | 8 |", "| 8 | 8 |", 1);
        assert!(complaint("schema/README.md", table).ends_with("  schema/README.md"));
    }

    #[test]
    fn a_released_layout_never_changes() {
        let unlock = |text: String| text.replacen("layout_hash", "layout_hush", 1);
        let text = complaint("schema/golden/v1/layout.lock.json", unlock);
        assert!(text.starts_with("layout version 1 is not what it was"), "{text}");
        assert!(text.ends_with("  schema/golden/v1/layout.lock.json"), "{text}");
    }

    #[test]
    fn reflection_data_older_than_the_schema_is_refused() {
        let text = complaint("schema/kinds.fbs", |text| text + "\n// new\n");
        assert!(text.contains("--rebuild-bfbs"), "{text}");
    }
}
