//! Debian packages, unpacked into a folder and never installed: this needs no rights at all.

use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(600);

/// Options by which apt-get keeps off what is the machine's own.
const APART: [&str; 4] = ["-o", "Debug::NoLocking=true", "-o", "APT::Sandbox::User=root"];

/// Unpacks packages into `target/vm/<name>`, once.
///
/// `find` names them, with the options apt-get is to be given.
pub fn unpacked(name: &str, find: fn(&[String]) -> Result<Vec<String>>) -> Result<PathBuf> {
    let folder = workspace::target().join("vm").join(name);
    if folder.join("ready").exists() {
        return Ok(folder);
    }
    for tool in ["apt-get", "dpkg"] {
        tools::require(tool, "a Debian or a relative of it")?;
    }
    println!("fetching {name} into {}", folder.display());
    let own: Vec<String> = APART.map(str::to_owned).into();
    // The machine's lists of packages may be missing, or older than what can still be had.
    if let Err(first) = fetch(&folder, find, &own) {
        let fresh = fresh_lists(&own).context(first)?;
        fetch(&folder, find, &fresh)?;
    }
    Ok(folder)
}

/// Every package that installing this one would bring to this machine.
pub fn with_dependencies(options: &[String], package: &str) -> Result<Vec<String>> {
    let text = Program::new("apt-get")
        .args(options)
        .args(["-s", "-qq", "--no-install-recommends", "install", package])
        .env("LC_ALL", "C")
        .quiet()
        .check()?;
    let mut names = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("Inst ")) {
        names.push(pinned(line).with_context(|| format!("apt-get says {line:?}"))?);
    }
    Ok(names)
}

/// `name:arch=version` out of `name [old] (version origin [arch])`.
fn pinned(line: &str) -> Option<String> {
    let name = line.split_whitespace().next()?;
    let (inside, _) = line.split_once('(')?.1.split_once(')')?;
    let version = inside.split_whitespace().next()?;
    let arch = inside.rsplit_once('[')?.1.strip_suffix(']')?;
    // Packages for all architectures are asked for as one's own.
    Some(if arch == "all" {
        format!("{name}={version}")
    } else {
        format!("{name}:{arch}={version}")
    })
}

/// What a package that only names others depends on.
pub fn named_by(options: &[String], package: &str, prefix: &str) -> Option<String> {
    let text = Program::new("apt-cache").args(options).args(["depends", package]).quiet();
    let text = text.env("LC_ALL", "C").check().ok()?;
    let names = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.map(str::trim).find(|name| name.starts_with(prefix)).map(str::to_owned)
}

fn fresh_lists(own: &[String]) -> Result<Vec<String>> {
    let place = workspace::target().join("vm/apt");
    let mut options = own.to_vec();
    for (key, folder) in [("Dir::State::Lists", "lists"), ("Dir::Cache", "cache")] {
        fs::create_dir_all(place.join(folder).join("partial"))?;
        options.extend(["-o".into(), format!("{key}={}", place.join(folder).display())]);
    }
    Program::new("apt-get").args(&options).args(["-qq", "update"]).limit(LIMIT).check()?;
    Ok(options)
}

fn fetch(
    folder: &Path,
    find: fn(&[String]) -> Result<Vec<String>>,
    options: &[String],
) -> Result<()> {
    let packages = find(options)?;
    let fresh = folder.with_extension(std::process::id().to_string());
    let _ = fs::remove_dir_all(&fresh);
    let debs = fresh.join("debs");
    fs::create_dir_all(&debs)?;
    let outcome = download(&debs, &packages, options).and_then(|()| unpack(&debs, &fresh));
    if let Err(error) = outcome {
        let _ = fs::remove_dir_all(&fresh);
        return Err(error);
    }
    fs::remove_dir_all(&debs)?;
    fs::write(fresh.join("ready"), packages.join("\n"))?;
    let _ = fs::remove_dir_all(folder);
    Ok(fs::rename(&fresh, folder)?)
}

fn download(into: &Path, packages: &[String], options: &[String]) -> Result<()> {
    // apt-get downloads to where it is.
    Program::new("env")
        .args([&format!("--chdir={}", into.display()), "apt-get"])
        .args(options)
        .args(["-qq", "download"])
        .args(packages)
        .limit(LIMIT)
        .quiet()
        .check()
        .map(drop)
}

fn unpack(debs: &Path, into: &Path) -> Result<()> {
    let mut count = 0;
    for deb in fs::read_dir(debs)? {
        let deb = deb?.path();
        Program::new("dpkg").args(["-x"]).args([&deb, into]).limit(LIMIT).quiet().check()?;
        count += 1;
    }
    if count == 0 {
        bail!("apt-get brought no package");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_pinned_as_apt_names_them() {
        let of = |line| pinned(line).unwrap();
        assert_eq!(
            of("libaio1 (0.3.113-4 Debian:12/oldstable [amd64])"),
            "libaio1:amd64=0.3.113-4"
        );
        assert_eq!(of("seabios (1.16.2-1 Debian:12 [all])"), "seabios=1.16.2-1");
        assert_eq!(of("a [1] (1:2 Debian:12, Debian-Security:12 [arm64]) []"), "a:arm64=1:2");
        assert_eq!(pinned("nothing"), None);
    }
}
