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
const PRINTED: &[&str] = &["schema/generated", "rust/core/src/layout"];

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
    if options.check {
        check()?;
        return Ok(true);
    }
    if options.rebuild_bfbs {
        Flatc::locate()?.reflect(&workspace::root().join("schema"))?;
        write(&Output { path: SOURCES.to_owned(), content: sources()?.into_bytes() })?;
    }
    let schema = read()?;
    let mut outputs = generate(&schema)?;
    if options.accept {
        outputs.extend(golden::print(&schema));
    }
    for output in &outputs {
        write(output)?;
    }
    for path in leftovers(&outputs)? {
        fs::remove_file(workspace::root().join(&path))?;
        println!("removed {path}");
    }
    check()?;
    Ok(true)
}

/// Fails with the list of files that are not what the schema says.
pub fn check() -> Result<()> {
    let schema = read()?;
    let printed = generate(&schema)?;
    let mut stale: Vec<String> = printed.iter().filter(|one| differs(one)).map(path).collect();
    stale.extend(leftovers(&printed)?);
    let released: Vec<_> =
        golden::print(&schema).iter().filter(|one| differs(one)).map(path).collect();
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
    println!("{} files are what the schema says", printed.len());
    Ok(())
}

/// The check as a tier of the tests.
pub fn tier() -> Result<Counts> {
    check().map(|()| Counts::PASSED)
}

/// The schema, once its text and its reflection data agree and no rule is broken.
fn read() -> Result<Schema> {
    let root = workspace::root();
    if fs::read_to_string(root.join(SOURCES)).unwrap_or_default() != sources()? {
        bail!("{REFLECTION} is older than the .fbs files: `cargo xtask schema --rebuild-bfbs`");
    }
    let mut problems = Vec::new();
    for (name, text) in texts()? {
        problems.extend(lint::implicit_values(&name, &text));
    }
    if !problems.is_empty() {
        bail!("the schema breaks a rule:\n  {}", problems.join("\n  "));
    }
    reflect::read(&fs::read(root.join(REFLECTION)).context(REFLECTION)?)
}

fn generate(schema: &Schema) -> Result<Vec<Output>> {
    let readme = fs::read_to_string(workspace::root().join(docs::PATH)).context(docs::PATH)?;
    framelane_schema_gen::generate(schema, &readme)
}

/// Name and text of each schema file, in the order of their names.
fn texts() -> Result<Vec<(String, String)>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(workspace::root().join("schema"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "fbs") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            out.push((name, fs::read_to_string(&path)?));
        }
    }
    out.sort();
    Ok(out)
}

fn sources() -> Result<String> {
    let line =
        |(name, text): (String, String)| format!("{:016x} {name}\n", table::fnv1a(text.as_bytes()));
    Ok(texts()?.into_iter().map(line).collect())
}

fn path(output: &Output) -> String {
    output.path.clone()
}

fn differs(output: &Output) -> bool {
    fs::read(workspace::root().join(&output.path)).ok().as_ref() != Some(&output.content)
}

fn write(output: &Output) -> Result<()> {
    if differs(output) {
        let path = workspace::root().join(&output.path);
        fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        fs::write(path, &output.content).with_context(|| output.path.clone())?;
        println!("wrote {}", output.path);
    }
    Ok(())
}

/// Files that were printed once and no longer are.
fn leftovers(outputs: &[Output]) -> Result<Vec<String>> {
    let printed: BTreeSet<&str> = outputs.iter().map(|output| output.path.as_str()).collect();
    let mut found = Vec::new();
    for folder in PRINTED {
        walk(folder, &mut found)?;
    }
    found.retain(|path| !printed.contains(path.as_str()));
    Ok(found)
}

fn walk(folder: &str, found: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(workspace::root().join(folder)).context(folder.to_owned())? {
        let entry = entry?;
        let name = entry.file_name();
        let path = Path::new(folder).join(&name).to_string_lossy().into_owned();
        match entry.file_type()?.is_dir() {
            // Python's own droppings, ignored by git.
            true if name == "__pycache__" => {}
            true => walk(&path, found)?,
            false => found.push(path),
        }
    }
    Ok(())
}
