//! An independent opinion: code that flatc prints from the same schema, with the official runtimes,
//! reads and writes the golden images in place. And the committed reflection data is what flatc
//! makes today.

use super::flatc::Flatc;
use super::languages::{STRICT, compiler_of};
use super::probe::{Workshop, Writes};
use crate::counts::Counts;
use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Result, ensure};
use framelane_schema_gen::model::Schema;
use framelane_schema_gen::probe;
use std::fs;

/// Compares with flatc. Builds it if need be.
pub fn oracle() -> Result<Counts> {
    let flatc = Flatc::locate()?;
    let schema = super::read(workspace::root())?;
    let mut shop = Workshop::new("schema-oracle", &schema)?;
    shop.test("reflection data is up to date", |shop| reflection(shop, &flatc));
    shop.test("flatc's C++ reads and writes the images", |shop| cpp(shop, &flatc, &schema));
    shop.test("flatc's Rust reads and writes the images", |shop| rust(shop, &flatc, &schema));
    shop.test("flatc's Python reads the images", |shop| python(shop, &flatc, &schema));
    Ok(shop.finish())
}

fn reflection(shop: &Workshop, flatc: &Flatc) -> Result<()> {
    flatc.reflect(&shop.folder)?;
    let made = fs::read(shop.folder.join("framelane.bfbs"))?;
    let committed = fs::read(workspace::root().join(super::REFLECTION))?;
    ensure!(made == committed, "it differs: `cargo xtask schema --rebuild-bfbs`");
    Ok(())
}

fn cpp(shop: &Workshop, flatc: &Flatc, schema: &Schema) -> Result<()> {
    let folder = shop.folder.join("cpp");
    let flags = ["--cpp", "--cpp-std", "c++17", "--scoped-enums", "--gen-mutable", "--gen-all"];
    flatc.run(&flags, &folder)?;
    let source = shop.source("cpp/probe.cpp", &probe::flatc_cpp(schema))?;
    let program = folder.join("probe");
    compiler_of("CXX")
        .args(STRICT)
        .args(["-std=c++17".as_ref(), "-I".as_ref(), folder.as_os_str()])
        .args(["-isystem".as_ref(), flatc.include().as_os_str()])
        .args([source.as_os_str(), "-o".as_ref(), program.as_os_str()])
        .quiet()
        .check()?;
    shop.round_trip("flatc-cpp", Program::new(program), Writes::Images)
}

fn rust(shop: &Workshop, flatc: &Flatc, schema: &Schema) -> Result<()> {
    flatc.run(&["--rust", "--gen-all"], &shop.folder.join("rust/src"))?;
    shop.source("rust/src/main.rs", &probe::flatc_rust(schema))?;
    let manifest = shop.source("rust/Cargo.toml", MANIFEST)?;
    // The workspace's lock file pins the runtime's own dependencies too.
    fs::copy(workspace::root().join("Cargo.lock"), manifest.with_file_name("Cargo.lock"))?;
    Program::cargo(["build", "--quiet", "--manifest-path"])
        .args([manifest.as_os_str()])
        .args(["--target-dir".as_ref(), shop.folder.join("rust/target").as_os_str()])
        .quiet()
        .check()?;
    let program = shop.folder.join("rust/target/debug/probe");
    shop.round_trip("flatc-rust", Program::new(program), Writes::Images)
}

const MANIFEST: &str = r#"[package]
name = "probe"
version = "0.0.0"
edition = "2021"

[dependencies]
flatbuffers = "=25.12.19"

[workspace]
"#;

/// Reads only: flatc gives structs no setters in Python.
fn python(shop: &Workshop, flatc: &Flatc, schema: &Schema) -> Result<()> {
    let folder = shop.folder.join("python");
    flatc.run(&["--python", "--gen-onefile", "--gen-all"], &folder)?;
    let source = shop.source("python/probe.py", &probe::flatc_python(schema))?;
    let python = tools::python_with(&["flatbuffers"])?;
    let probe = Program::new(python).args(["-B".as_ref(), source.as_os_str()]);
    shop.round_trip("flatc-python", probe, Writes::Nothing)
}
