//! What README.md and the guides show, pasted into fresh folders.

use super::Bench;
use crate::process::Program;
use crate::readme;
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;

const GUIDE: &str = "docs/boost-interprocess.md";

/// The programs of the README, built and run by the lines below them.
pub fn readme(bench: &mut Bench) -> Result<()> {
    for (section, language, file) in
        [("A lane in C", "c", "lane.c"), ("A lane in C++", "cpp", "lane.cpp")]
    {
        bench.test(&format!("README, {section}"), |bench, folder| {
            fs::write(folder.join(file), readme::block(section, language)?)?;
            let said = paste(bench, folder, &readme::block(section, "sh")?)?;
            ensure!(said == "frame 1 begins with 128\n", "it says {said}");
            Ok(())
        })?;
    }
    Ok(())
}

/// Those of the pages that show something in each language, built by the lines of the README.
pub fn shown(bench: &mut Bench) -> Result<()> {
    for &(page, within, prints) in readme::SHOWN {
        for (section, language, file) in
            [("A lane in C", "c", "lane.c"), ("A lane in C++", "cpp", "lane.cpp")]
        {
            bench.test(&format!("{page}, {language}"), |bench, folder| {
                fs::write(folder.join(file), readme::shown(page, within, language)?)?;
                let said = paste(bench, folder, &readme::block(section, "sh")?)?;
                ensure!(said == prints, "it says {said}");
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// The programs of the guide for those who come from Boost.Interprocess.
pub fn boost(bench: &mut Bench) -> Result<()> {
    bench.test("guide for Boost.Interprocess", |bench, folder| {
        for (section, file) in [("The camera", "camera.cpp"), ("A reader", "reader.cpp")] {
            fs::write(folder.join(file), readme::block_of(GUIDE, section, "cpp")?)?;
        }
        let said = paste(bench, folder, &readme::block_of(GUIDE, "Build and run", "sh")?)?;
        ensure!(said.lines().count() == 10, "it says {said}");
        for line in said.lines() {
            ensure!(line.starts_with("frame ") && line.ends_with(", 2 faces"), "it says {line}");
        }
        Ok(())
    })
}

const IN_FOLDER: &str = "cd \"$0\"; eval \"$1\"";

/// Runs lines of shell in a folder, with a lane directory of its own.
fn paste(bench: &Bench, folder: &Path, lines: &str) -> Result<String> {
    let lanes = folder.join("lanes");
    fs::create_dir(&lanes)?;
    Program::new("sh")
        .args(["-e".as_ref(), "-c".as_ref(), IN_FOLDER.as_ref(), folder.as_os_str()])
        .args([lines.replace("/opt/framelane", &bench.prefix_text())])
        .env("FRAMELANE_DIR", lanes)
        .quiet()
        .check()
}
