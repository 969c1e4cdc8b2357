//! Where things are: the checkout, its target folder, its cargo.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Top folder of the checkout.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        // At run time cargo says where the sources are now; the path of the build may be stale.
        let manifest = env::var("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let mut root = PathBuf::from(manifest);
        root.pop();
        root.pop();
        root
    });
    &ROOT
}

/// Folder of everything that is built.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The cargo that runs us.
pub fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}
