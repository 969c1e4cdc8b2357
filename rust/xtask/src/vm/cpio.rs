//! Archives that a kernel takes as its first file system.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

/// An archive in the "newc" form, all of it owned by root and executable.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    entries: u32,
}

impl Archive {
    /// Adds a file by the path it will have.
    pub fn add(&mut self, path: &str, contents: &[u8]) {
        let path = path.trim_start_matches('/');
        let mut above = String::new();
        for part in Path::new(path).parent().into_iter().flat_map(Path::components) {
            let Component::Normal(part) = part else { continue };
            above = format!("{above}/{}", part.to_string_lossy());
            if self.folders.insert(above.clone()) {
                self.entry(above.trim_start_matches('/'), FOLDER, &[]);
            }
        }
        self.entry(path, PROGRAM, contents);
    }

    /// Adds a file of this machine; a link stands for what it names.
    pub fn add_file(&mut self, path: &str, from: &Path) -> Result<()> {
        let contents = fs::read(from).with_context(|| from.display().to_string())?;
        self.add(path, &contents);
        Ok(())
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, contents: &[u8]) {
        self.entries += 1;
        let name_bytes = name.len() as u32 + 1;
        // Inode, mode, owner, group, links, time, size, four device numbers, name, checksum.
        let size = contents.len() as u32;
        let fields = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_bytes, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(contents);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_what_the_kernel_documents() {
        let mut archive = Archive::default();
        archive.add("/bin/a", b"hello");
        let bytes = archive.finish();
        let text = String::from_utf8_lossy(&bytes);
        let folder = "07070100000001000041ed00000000000000000000000100000000\
            000000000000000000000000000000000000000000000004000000\u{30}0bin\0";
        assert!(text.starts_with(folder), "{text}");
        assert!(text.contains("07070100000002000081ed"), "{text}");
        assert!(text.contains("bin/a\0"), "{text}");
        assert_eq!(bytes.len() % 512, 0);
        assert!(text.contains("TRAILER!!!"));
    }
}
