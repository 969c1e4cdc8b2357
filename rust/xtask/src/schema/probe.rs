//! Running a probe: a program that decodes every golden image and encodes it again.

use crate::counts::Counts;
use crate::process::Program;
use crate::workspace;
use anyhow::{Context, Result, bail, ensure};
use framelane_schema_gen::golden;
use framelane_schema_gen::model::Schema;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A folder for test programs and what they write, empty at first.
pub struct Workshop {
    /// The folder.
    pub folder: PathBuf,
    images: PathBuf,
    expected: Vec<String>,
    atomic: Vec<Atomic>,
    counts: Counts,
}

/// A field that some code under test leaves out, because several processes touch it.
struct Atomic {
    structure: String,
    line_start: String,
    bytes: Range<usize>,
}

/// What a probe encodes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Every field that it decoded, into fresh memory, which must then equal the image.
    Images,
    /// The same for the fields that are not atomic, and those alone it decodes.
    PlainFields,
    /// Nothing: the code under test has no setters.
    Nothing,
}

impl Workshop {
    /// A fresh folder under `target/`.
    pub fn new(name: &str, schema: &Schema) -> Result<Self> {
        let folder = workspace::target().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let images = workspace::root().join(golden::folder(schema));
        let expected = fs::read_to_string(images.join("expected.json"))?;
        let expected: Vec<String> = lines(&expected);
        ensure!(expected.len() > schema.structs.len(), "expected.json holds too little");
        let atomic = atomic_fields(schema);
        Ok(Workshop { folder, images, expected, atomic, counts: Counts::default() })
    }

    /// Writes a source file.
    pub fn source(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Runs one test, tells how it went, and counts it.
    pub fn test(&mut self, name: &str, run: impl FnOnce(&Self) -> Result<()>) {
        match run(self) {
            Ok(()) => {
                println!("  ok      {name}");
                self.counts += Counts::PASSED;
            }
            Err(error) => {
                println!("  FAILED  {name}: {error:#}");
                self.counts += Counts::FAILED;
            }
        }
    }

    /// How the tests went.
    pub fn finish(self) -> Counts {
        println!("{}", self.counts);
        self.counts
    }

    /// Runs a probe, given without its two folders, and compares what it prints and writes.
    pub fn round_trip(&self, name: &str, probe: Program, writes: Writes) -> Result<()> {
        let out = self.folder.join(format!("{name}-images"));
        fs::create_dir_all(&out)?;
        let printed = probe.args([self.images.as_os_str(), out.as_os_str()]).quiet().check()?;
        let (found, plain) = (lines(&printed), writes == Writes::PlainFields);
        let left_out = |line: &str| self.atomic.iter().any(|one| line.starts_with(&one.line_start));
        let wanted = |line: &&String| !(plain && left_out(line));
        let expected: Vec<&String> = self.expected.iter().filter(wanted).collect();
        for (found, expected) in found.iter().zip(&expected) {
            ensure!(found == *expected, "found {found}, expected {expected}");
        }
        ensure!(
            found.len() == expected.len(),
            "{} fields instead of {}",
            found.len(),
            expected.len()
        );
        if writes == Writes::Nothing { Ok(()) } else { self.compare(&out, plain) }
    }

    fn compare(&self, out: &Path, plain: bool) -> Result<()> {
        let mut compared = 0;
        for entry in fs::read_dir(&self.images)? {
            let image = entry?.path();
            if image.extension().is_none_or(|extension| extension != "bin") {
                continue;
            }
            let name = image.file_stem().context("an image without a name")?;
            let encoded = fs::read(out.join(name).with_extension("bin"))?;
            let mut image = fs::read(&image)?;
            for one in self.atomic.iter().filter(|one| plain && *one.structure == *name) {
                image[one.bytes.clone()].fill(0);
            }
            let differing = image.iter().zip(&encoded).position(|(a, b)| a != b);
            if let Some(at) = differing.or((image.len() != encoded.len()).then_some(image.len())) {
                bail!("{} is encoded to other bytes from offset {at} on", name.to_string_lossy());
            }
            compared += 1;
        }
        ensure!(compared > 0, "there are no golden images");
        Ok(())
    }
}

fn atomic_fields(schema: &Schema) -> Vec<Atomic> {
    let mut out = Vec::new();
    for one in &schema.structs {
        for field in one.fields.iter().filter(|field| field.atomic) {
            let start = field.offset as usize;
            out.push(Atomic {
                structure: one.name.clone(),
                line_start: format!("\"{}.{}\"", one.name, field.name),
                bytes: start..start + field.size as usize,
            });
        }
    }
    out
}

/// The lines that speak of fields, without the commas and braces of JSON.
fn lines(text: &str) -> Vec<String> {
    let fields = text.lines().filter(|line| line.starts_with('"'));
    fields.map(|line| line.trim_end_matches(',').to_owned()).collect()
}
