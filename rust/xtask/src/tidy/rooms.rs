//! Who may import whom: the real workspace graph against the table of rooms.

use super::{Finding, Source};
use crate::process::Program;
use crate::workspace;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A package, its folder, and the packages of this repository that it may use.
struct Room {
    package: &'static str,
    folder: &'static str,
    may_use: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room { package: "framelane-schema-gen", folder: "rust/schema-gen", may_use: &[] },
    Room { package: "framelane", folder: "rust/core", may_use: &[] },
    Room { package: "framelane-conformance", folder: "conformance/runner", may_use: &[] },
    Room { package: "framelane-fuzz", folder: "rust/core/fuzz", may_use: &["framelane"] },
    Room { package: "framelane-hobot-sys", folder: "rust/hobot-sys", may_use: &[] },
    Room {
        package: "framelane-standin-ion",
        folder: "rust/hobot-standin/ion",
        may_use: &["framelane-hobot-sys"],
    },
    Room {
        package: "framelane-standin-hbmem",
        folder: "rust/hobot-standin/hbmem",
        may_use: &["framelane-hobot-sys", "framelane-standin-ion"],
    },
    Room {
        package: "framelane-standin-multimedia",
        folder: "rust/hobot-standin/multimedia",
        may_use: &["framelane-hobot-sys", "framelane-standin-ion"],
    },
    Room {
        package: "framelane-standin-vio",
        folder: "rust/hobot-standin/vio",
        may_use: &["framelane-hobot-sys", "framelane-standin-ion"],
    },
    Room {
        package: "framelane-hobot",
        folder: "rust/hobot",
        may_use: &[
            "framelane",
            "framelane-hobot-sys",
            "framelane-standin-hbmem",
            "framelane-standin-ion",
            "framelane-standin-multimedia",
            "framelane-standin-vio",
        ],
    },
    Room {
        package: "framelane-camera",
        folder: "rust/camera",
        may_use: &[
            "framelane",
            "framelane-conformance",
            "framelane-hobot",
            "framelane-standin-hbmem",
            "framelane-standin-ion",
            "framelane-standin-multimedia",
            "framelane-standin-vio",
        ],
    },
    Room {
        package: "framelane-cli",
        folder: "rust/cli",
        may_use: &[
            "framelane",
            "framelane-camera",
            "framelane-hobot",
            "framelane-standin-hbmem",
            "framelane-standin-ion",
            "framelane-standin-multimedia",
            "framelane-standin-vio",
        ],
    },
    Room {
        package: "framelane-ffi",
        folder: "rust/ffi",
        may_use: &[
            "framelane",
            "framelane-hobot",
            "framelane-standin-hbmem",
            "framelane-standin-ion",
        ],
    },
    Room {
        package: "framelane-agent",
        folder: "conformance/agents/rust",
        may_use: &["framelane", "framelane-hobot"],
    },
    Room {
        package: "framelane-board",
        folder: "conformance/board",
        may_use: &["framelane", "framelane-hobot", "framelane-standin-ion"],
    },
    Room {
        package: "framelane-python",
        folder: "python",
        may_use: &["framelane", "framelane-hobot"],
    },
    Room {
        package: "framelane-uniffi",
        folder: "rust/uniffi",
        may_use: &["framelane", "framelane-hobot"],
    },
    // The C ABI only to put both into one library.
    Room {
        package: "framelane-cpp",
        folder: "cpp",
        may_use: &["framelane", "framelane-ffi", "framelane-hobot"],
    },
    Room { package: "framelane-peer-bench", folder: "rust/peer-bench", may_use: &["framelane"] },
    Room { package: "framelane-bench", folder: "bench/rust", may_use: &["framelane"] },
    Room { package: "framelane-hello", folder: "examples/hello/rust", may_use: &["framelane"] },
    Room {
        package: "xtask",
        folder: "rust/xtask",
        may_use: &["framelane-schema-gen", "framelane-conformance", "framelane-standin-ion"],
    },
];

/// What cargo says about one package.
#[derive(Clone)]
struct Package {
    name: String,
    folder: String,
    uses: Vec<String>,
    shares_lints: bool,
}

pub fn arrows(tree: &[Source]) -> Result<Vec<Finding>> {
    let outside = ["rust/core/fuzz", "rust/peer-bench"];
    let mut packages = packages("Cargo.toml", true)?;
    for folder in outside {
        let manifest = format!("{folder}/Cargo.toml");
        if tree.iter().any(|file| file.path == manifest) {
            packages.extend(self::packages(&manifest, false)?);
        }
    }
    Ok(check(&packages))
}

fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let Some(room) = ROOMS.iter().find(|room| room.package == package.name) else {
            findings.push(Finding::failure(&package.folder, "this room is not in the table"));
            continue;
        };
        if room.folder != package.folder {
            let text = format!("{} belongs into {}", package.name, room.folder);
            findings.push(Finding::failure(&package.folder, text));
        }
        // Its tests may name the package itself, with other features.
        let allowed = |used: &str| used == room.package || room.may_use.contains(&used);
        for used in package.uses.iter().filter(|used| !allowed(used)) {
            let text = format!("{} may not use {used}", package.name);
            findings.push(Finding::failure(&package.folder, text));
        }
        if !package.shares_lints {
            let text = "its manifest does not take over the lints of the workspace";
            findings.push(Finding::failure(&package.folder, text));
        }
    }
    findings
}

/// Packages of a manifest. `members` are those that can share the lints of the workspace.
fn packages(manifest: &str, members: bool) -> Result<Vec<Package>> {
    let metadata =
        Program::cargo(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
            .args([manifest])
            .quiet()
            .check()?;
    let json = metadata.lines().find(|line| line.starts_with('{')).context("cargo metadata")?;
    let metadata: Value = serde_json::from_str(json)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    packages.iter().map(|package| read(package, members)).collect()
}

fn read(package: &Value, member: bool) -> Result<Package> {
    let manifest = Path::new(package["manifest_path"].as_str().context("no manifest path")?);
    let folder = manifest.parent().context("no folder")?.strip_prefix(workspace::root())?;
    let dependencies = package["dependencies"].as_array().context("no dependencies")?;
    // A dependency with a path is one of ours.
    let ours = |dependency: &Value| {
        dependency.get("path")?.as_str()?;
        dependency["name"].as_str().map(str::to_owned)
    };
    let text = fs::read_to_string(manifest)?;
    Ok(Package {
        name: package["name"].as_str().context("no name")?.to_owned(),
        folder: folder.to_string_lossy().into_owned(),
        uses: dependencies.iter().filter_map(ours).collect(),
        shares_lints: !member || text.contains("[lints]\nworkspace = true"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, uses: &[&str]) -> Package {
        let uses = uses.iter().map(|used| (*used).to_owned()).collect();
        Package { name: name.into(), folder: folder.into(), uses, shares_lints: true }
    }

    #[test]
    fn an_arrow_against_the_table_is_found() {
        let core = package("framelane", "rust/core", &["framelane-camera"]);
        let findings = check(&[core, package("framelane-cli", "rust/cli", &["framelane"])]);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].text, "framelane may not use framelane-camera");
    }

    #[test]
    fn unknown_and_misplaced_rooms_are_found() {
        let findings = check(&[
            package("framelane-attic", "rust/attic", &[]),
            package("framelane", "rust/kernel", &[]),
            Package { shares_lints: false, ..package("xtask", "rust/xtask", &[]) },
        ]);
        assert_eq!(findings.len(), 3);
    }

    #[test]
    fn the_table_has_no_circle() {
        // Rooms stand after everything they use, so no arrow can close a circle.
        for (index, room) in ROOMS.iter().enumerate() {
            for used in room.may_use {
                let earlier = ROOMS[..index].iter().any(|other| other.package == *used);
                assert!(earlier, "{} uses {used}, which stands later", room.package);
            }
        }
    }

    #[test]
    fn the_real_graph_is_read() {
        let packages = packages("Cargo.toml", true).unwrap();
        let cli = packages.iter().find(|package| package.name == "framelane-cli").unwrap();
        assert!(cli.folder == "rust/cli" && cli.uses.contains(&"framelane".to_owned()));
    }
}
