//! What was printed for each language compiles without a warning, asserts its offsets while it
//! does, and decodes and encodes the golden images. Rust's part is a unit test of the core.

use super::probe::{Workshop, Writes};
use crate::counts::Counts;
use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Result, ensure};
use framelane_schema_gen::model::Schema;
use framelane_schema_gen::probe;
use std::env;
use std::path::Path;

/// Compiler flags of all C and C++ tests.
pub const STRICT: &[&str] = &["-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"];
const PYTHON: &str = "schema/generated/python";

/// Tests every language that was printed.
pub fn test_languages() -> Result<Counts> {
    let schema = super::read(workspace::root())?;
    let mut shop = Workshop::new("schema-languages", &schema)?;
    c_family(&mut shop, &schema)?;
    python(&mut shop)?;
    go(&mut shop)?;
    Ok(shop.finish())
}

fn c_family(shop: &mut Workshop, schema: &Schema) -> Result<()> {
    let c = shop.source("c.c", &probe::c(schema))?;
    let cpp = shop.source("cpp.cpp", &probe::cpp(schema))?;
    let (c, cpp) = (c.as_os_str(), cpp.as_os_str());
    for (name, compiler, standard, language, source, include) in [
        ("C header as C11", "CC", "-std=c11", "c", c, "schema/generated/c"),
        ("C header as C++17", "CXX", "-std=c++17", "c++", c, "schema/generated/c"),
        ("C++ header as C++17", "CXX", "-std=c++17", "c++", cpp, "schema/generated/cpp"),
    ] {
        shop.test(name, |shop| {
            let file = name.replace([' ', '+'], "-");
            let program = shop.folder.join(&file);
            compiler_of(compiler)
                .args(STRICT)
                .args([standard, "-I", include, "-x", language])
                .args([source, "-o".as_ref(), program.as_os_str()])
                .quiet()
                .check()?;
            shop.round_trip(&file, Program::new(program), Writes::Images)
        });
    }
    Ok(())
}

/// The compiler that the environment names in `CC` or `CXX`, else the usual one.
pub fn compiler_of(variable: &str) -> Program {
    let usual = if variable == "CC" { "cc" } else { "c++" };
    Program::new(env::var_os(variable).unwrap_or_else(|| usual.into()))
}

fn python(shop: &mut Workshop) -> Result<()> {
    // The machine's own Python, which need not have NumPy: the module must do without.
    let plain = tools::python()?;
    let with_tools = tools::python_with(&["numpy", "mypy"])?;
    for (name, python) in [("ctypes", &plain), ("numpy", &with_tools)] {
        shop.test(&format!("Python, {name}"), |shop| {
            let probe = Program::new(python)
                .args(["-B", "schema/probes/python/probe.py", name])
                .env("PYTHONPATH", PYTHON);
            // The NumPy dtypes leave atomic words out.
            let writes = if name == "numpy" { Writes::PlainFields } else { Writes::Images };
            shop.round_trip(name, probe, writes)
        });
    }
    shop.test("Python, stub against module", |_| {
        let text = Program::new(&with_tools)
            .args(["-B", "-m", "mypy.stubtest", "framelane_layout"])
            .env("MYPYPATH", PYTHON)
            .env("PYTHONPATH", PYTHON)
            .quiet()
            .check()?;
        ensure!(text.contains("Success"), "{text}");
        Ok(())
    });
    Ok(())
}

fn go(shop: &mut Workshop) -> Result<()> {
    let go = tools::program("go")?;
    let in_module = |args: &[&str]| {
        // Nothing is fetched: neither modules nor another toolchain.
        let offline = Program::new(&go).args(["-C", "go"]).args(args);
        offline.env("GOPROXY", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod")
    };
    shop.test("Go, vet", |_| {
        in_module(&["vet", "./layout", "./internal/probe"]).quiet().check().map(drop)
    });
    shop.test("Go, format", |_| {
        let root = in_module(&["env", "GOROOT"]).quiet().check()?;
        let gofmt = Path::new(root.trim()).join("bin/gofmt");
        let wrong =
            Program::new(gofmt).args(["-l", "go/layout", "go/internal/probe"]).quiet().check()?;
        ensure!(wrong.is_empty(), "gofmt would change {wrong}");
        Ok(())
    });
    shop.test("Go, golden images", |shop| {
        let program = shop.folder.join("go-probe");
        let out = program.to_string_lossy();
        in_module(&["build", "-o", &out, "./internal/probe"]).quiet().check()?;
        shop.round_trip("go", Program::new(&program), Writes::Images)
    });
    Ok(())
}
