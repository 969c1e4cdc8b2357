//! A stock kernel of Debian, and those of its modules that are wanted.

use super::debs;
use crate::process::Program;
use crate::{tools, workspace};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Unpacks a module; Python can always do it, a tool for it need not be there.
const UNPACK: &str = "import lzma, shutil, sys\n\
    shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], 'wb'))";

/// Which kernel to boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Series {
    /// 6.12: has udmabuf and dma-heaps.
    New,
    /// 6.1, that of Debian 12 itself: has neither.
    Old,
}

/// An unpacked kernel.
pub struct Kernel {
    folder: PathBuf,
    /// The file to boot.
    pub image: PathBuf,
    modules: PathBuf,
    builtin: String,
}

/// A module with its parameters, as insmod takes them.
pub struct Module {
    /// Its name.
    pub name: String,
    /// `key=value ...`
    pub parameters: String,
    /// The file.
    pub file: PathBuf,
}

impl Kernel {
    /// Fetches the kernel, once.
    pub fn fetch(series: Series) -> Result<Self> {
        let folder = match series {
            Series::New => debs::unpacked("kernel-6.12", |options| {
                // By the name in Debian 12, and by that in releases where it is the only one.
                image(options, &["linux-image-6.12-amd64", "linux-image-amd64"])
            }),
            Series::Old => {
                debs::unpacked("kernel-6.1", |options| image(options, &["linux-image-amd64"]))
            }
        };
        let folder = folder.context(
            "a kernel of Debian is needed, by apt-get and a line for Debian in its sources",
        )?;
        Self::open(folder)
    }

    fn open(folder: PathBuf) -> Result<Self> {
        let image = the_only(&folder.join("boot"), "vmlinuz-")?;
        let places = ["lib/modules", "usr/lib/modules"].map(|place| folder.join(place));
        let Some(place) = places.iter().find(|place| place.is_dir()) else {
            bail!("{} has no modules", folder.display());
        };
        let modules = the_only(place, "")?;
        let builtin = fs::read_to_string(modules.join("modules.builtin"))?;
        fs::create_dir_all(folder.join("plain"))?;
        Ok(Kernel { folder, image, modules, builtin })
    }

    /// Busybox, which came along.
    pub fn busybox(&self) -> Result<PathBuf> {
        let places = ["bin/busybox", "usr/bin/busybox"].map(|place| self.folder.join(place));
        places.into_iter().find(|place| place.is_file()).context("no busybox came")
    }

    /// Modules with all they depend on, in the order they are loaded; each is wanted as
    /// `name key=value ...`.
    pub fn modules(&self, wanted: &[&str]) -> Result<Vec<Module>> {
        let index = workspace::files_below(&self.modules.join("kernel"))?;
        let mut list = Vec::new();
        let mut seen = BTreeSet::new();
        for line in wanted {
            let (name, parameters) = line.split_once(' ').unwrap_or((line, ""));
            self.add(name, parameters, &index, &mut seen, &mut list)?;
        }
        Ok(list)
    }

    fn add(
        &self,
        name: &str,
        parameters: &str,
        index: &[PathBuf],
        seen: &mut BTreeSet<String>,
        list: &mut Vec<Module>,
    ) -> Result<()> {
        let name = name.replace('-', "_");
        let built_in = |line: &str| module_name(Path::new(line)) == Some(name.clone());
        if !seen.insert(name.clone()) || self.builtin.lines().any(built_in) {
            return Ok(());
        }
        let found = index.iter().find(|path| module_name(path).as_ref() == Some(&name));
        let found = found.with_context(|| format!("this kernel has no module {name}"))?;
        let file = self.plain(&name, found)?;
        for needed in dependencies(&fs::read(&file)?) {
            self.add(&needed, "", index, seen, list)?;
        }
        list.push(Module { name, parameters: parameters.to_owned(), file });
        Ok(())
    }

    fn plain(&self, name: &str, packed: &Path) -> Result<PathBuf> {
        if packed.extension().is_some_and(|extension| extension == "ko") {
            return Ok(packed.to_owned());
        }
        let file = self.folder.join("plain").join(format!("{name}.ko"));
        if !file.is_file() {
            let fresh = file.with_extension(std::process::id().to_string());
            let python = Program::new(tools::python()?).args(["-c", UNPACK]);
            python.args([packed, &fresh]).quiet().check()?;
            fs::rename(fresh, &file)?;
        }
        Ok(file)
    }
}

fn image(options: &[String], metas: &[&str]) -> Result<Vec<String>> {
    let named = metas.iter().find_map(|meta| debs::named_by(options, meta, "linux-image-"));
    let named = named.with_context(|| format!("apt-get knows none of {}", metas.join(", ")))?;
    Ok(vec![named, "busybox-static".into()])
}

/// The only entry of a folder whose name starts like this.
fn the_only(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = entries.flatten().map(|entry| entry.path());
    let starts = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
    };
    paths.into_iter().find(starts).with_context(|| format!("nothing in {}", folder.display()))
}

/// `a_b` of `.../a-b.ko.xz`.
fn module_name(path: &Path) -> Option<String> {
    let (name, _) = path.file_name()?.to_str()?.split_once(".ko")?;
    Some(name.replace('-', "_"))
}

/// What a module says it depends on.
fn dependencies(module: &[u8]) -> Vec<String> {
    let strings = module.split(|&byte| byte == 0);
    let found = strings.into_iter().find_map(|text| text.strip_prefix(b"depends="));
    let text = String::from_utf8_lossy(found.unwrap_or_default()).into_owned();
    text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_known_by_name_and_say_what_they_need() {
        assert_eq!(module_name(Path::new("a/b/v4l2-tpg.ko.xz")).unwrap(), "v4l2_tpg");
        assert_eq!(module_name(Path::new("kernel/x.ko")).unwrap(), "x");
        assert_eq!(module_name(Path::new("modules.dep")), None);
        let module = b"\0license=GPL\0depends=mc,rc-core\0retpoline=Y\0";
        assert_eq!(dependencies(module), ["mc", "rc-core"]);
        assert!(dependencies(b"depends=\0").is_empty());
    }
}
