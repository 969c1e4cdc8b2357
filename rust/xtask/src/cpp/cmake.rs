//! What CMake users do: find the package, include the checkout, and our own tests the same way.

use super::Bench;
use crate::counts::Counts;
use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Projects of their own that use framelane in the ways CMake offers.
pub fn projects(bench: &mut Bench) -> Result<()> {
    bench.test("find_package after cargo xtask install", |bench, folder| {
        let project = Project::new("cpp/tests/package", folder)?;
        bench.run(&project.program([set("CMAKE_PREFIX_PATH", &bench.prefix)])?, folder)
    })?;
    bench.test("find_package after cmake --install, from a moved prefix", |bench, folder| {
        let package = Project::new("cpp", &folder.join("package"))?;
        package.build([cargo_folder()])?;
        let (first, moved) = (folder.join("first"), folder.join("moved"));
        package
            .cmake()?
            .args(["--install".as_ref(), package.out.as_os_str()])
            .args(["--prefix".as_ref(), first.as_os_str()])
            .quiet()
            .check()?;
        fs::rename(&first, &moved)?;
        same_headers(&moved, &bench.prefix)?;
        let project = Project::new("cpp/tests/package", folder)?;
        bench.run(&project.program([set("CMAKE_PREFIX_PATH", &moved)])?, folder)
    })?;
    bench.test("the pet camera's meter", |bench, folder| {
        let project = Project::new("examples/pet-camera/meter", folder)?;
        project.build([set("CMAKE_PREFIX_PATH", &bench.prefix)])
    })?;
    bench.test("add_subdirectory of a checkout", |bench, folder| {
        let project = Project::new("cpp/tests/subdirectory", folder)?;
        let checkout = set("FRAMELANE_CHECKOUT", workspace::root());
        bench.run(&project.program([checkout, cargo_folder()])?, folder)
    })
}

/// The GoogleTest suites, and once more with AddressSanitizer and LeakSanitizer.
pub fn suites(bench: &mut Bench) -> Result<()> {
    let project = Project::new("cpp", &bench.folder.join("suites"))?;
    project.build([cargo_folder(), "-DFRAMELANE_TESTS=ON".into()])?;
    for suite in ["framelane-tests", "framelane-allocation-tests"] {
        bench.counts += project.suite(suite)?;
    }
    let project = Project::new("cpp", &bench.folder.join("sanitized"))?;
    let address = "-DFRAMELANE_SANITIZE=address";
    project.build([cargo_folder(), "-DFRAMELANE_TESTS=ON".into(), address.into()])?;
    let tests = fs::read(project.out.join("tests/framelane-tests"))?;
    let linked = tests.windows(11).any(|window| window == b"__asan_init");
    ensure!(linked, "AddressSanitizer is not linked");
    bench.counts += project.suite("framelane-tests")?;
    Ok(())
}

/// A CMake project and the folder it is built in.
struct Project {
    source: PathBuf,
    out: PathBuf,
}

impl Project {
    fn new(source: &str, folder: &Path) -> Result<Self> {
        let out = folder.join("build");
        fs::create_dir_all(&out)?;
        Ok(Project { source: workspace::root().join(source), out })
    }

    fn cmake(&self) -> Result<Program> {
        Ok(Program::new(tools::program("cmake")?))
    }

    fn build<const N: usize>(&self, settings: [OsString; N]) -> Result<()> {
        self.cmake()?
            .args(["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-S"])
            .args([self.source.as_os_str(), "-B".as_ref(), self.out.as_os_str()])
            .args([set("CMAKE_MAKE_PROGRAM", &tools::program("ninja")?)])
            .args([set("FRAMELANE_CARGO", &workspace::cargo())])
            .args(["-DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON", "--no-warn-unused-cli"])
            .args(settings)
            .quiet()
            .check()?;
        self.cmake()?.args(["--build".as_ref(), self.out.as_os_str()]).quiet().check()?;
        Ok(())
    }

    fn program<const N: usize>(&self, settings: [OsString; N]) -> Result<PathBuf> {
        self.build(settings)?;
        Ok(self.out.join("program"))
    }

    fn suite(&self, name: &str) -> Result<Counts> {
        let program = self.out.join("tests").join(name);
        let output = Program::new(&program)
            .args(["--gtest_brief=1", "--gtest_color=no"])
            .env("TMPDIR", self.out.as_os_str())
            .run()?;
        let passed = figure(&output.text, "[  PASSED  ] ").context("it tells of no test")?;
        let failed = figure(&output.text, "[  FAILED  ] ").unwrap_or(0);
        let broken = u64::from(!output.success() && failed == 0);
        Ok(Counts { passed, failed: failed + broken, skipped: 0 })
    }
}

/// `[  PASSED  ] 33 tests.`
fn figure(text: &str, label: &str) -> Option<u64> {
    let mut said = text.lines().filter_map(|line| line.strip_prefix(label)?.split_once(" test"));
    said.find_map(|(number, _)| number.parse().ok())
}

fn set(name: &str, value: &Path) -> OsString {
    let mut setting = OsString::from(format!("-D{name}="));
    setting.push(value);
    setting
}

/// The library is built once, in the workspace's own folder.
fn cargo_folder() -> OsString {
    set("FRAMELANE_TARGET_DIR", &workspace::target())
}

/// Both ways to install lay out the same headers, archives and packages for CMake.
fn same_headers(by_cmake: &Path, by_xtask: &Path) -> Result<()> {
    for folder in ["include", "include/framelane", "lib/cmake/framelane"] {
        let names = |prefix: &Path| -> Result<Vec<OsString>> {
            let entries = fs::read_dir(prefix.join(folder))?;
            let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
            names.sort();
            Ok(names)
        };
        let (one, other) = (names(by_cmake)?, names(by_xtask)?);
        ensure!(one == other, "{folder} has {one:?} from cmake and {other:?} from xtask");
        for name in one.iter().filter(|name| Path::new(name).extension().is_some()) {
            let read = |prefix: &Path| fs::read(prefix.join(folder).join(name));
            ensure!(read(by_cmake)? == read(by_xtask)?, "{folder}/{name:?} differs");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_suite_are_read() {
        let text = "[  PASSED  ] 32 tests.\n[  FAILED  ] 1 test, listed below:\n[  FAILED  ] A.B\n";
        assert_eq!(figure(text, "[  PASSED  ] "), Some(32));
        assert_eq!(figure(text, "[  FAILED  ] "), Some(1));
        assert_eq!(figure("nothing", "[  PASSED  ] "), None);
    }
}
