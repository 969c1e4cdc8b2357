//! The tiers of `cargo xtask test`, as data, and the short ones among their functions.

use crate::counts::Counts;
use crate::process::Program;
use crate::{
    aarch64, bench, browser, conformance, containers, cpp, demo, fuzz, golang, hello, hobot,
    kotlin, loom, pet_camera, python, schema, soak, tidy, tools, tsan, vm, workspace,
};
use anyhow::Result;
use std::time::Duration;

/// When a tier runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// On each change: all of these together fit 25 minutes on two cores.
    Ci,
    /// With `--all` only.
    Long,
}

/// One kind of test.
pub struct Tier {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it proves.
    pub about: &'static str,
    /// Programs or files that must be there, each with the line that installs it.
    pub needs: &'static [(&'static str, &'static str)],
    /// When it runs.
    pub when: When,
    /// Runs it.
    pub run: fn() -> Result<Counts>,
}

const FMT: (&str, &str) = ("cargo-fmt", "rustup component add rustfmt");
const CLIPPY: (&str, &str) = ("cargo-clippy", "rustup component add clippy");
const CXX: (&str, &str) = ("c++", "apt install g++");

/// All tiers, the quick ones first.
pub const TIERS: &[Tier] = &[
    Tier { name: "fmt", about: "formatting", needs: &[FMT], when: When::Ci, run: fmt },
    Tier {
        name: "tidy",
        about: "rooms and their arrows, unsafe, sizes, words, named edges",
        needs: &[],
        when: When::Ci,
        run: tidy::tier,
    },
    Tier {
        name: "clippy",
        about: "lints, warnings denied",
        needs: &[CLIPPY, CXX],
        when: When::Ci,
        run: clippy,
    },
    Tier {
        name: "schema",
        about: "printed layouts are what the schema says",
        needs: &[],
        when: When::Ci,
        run: schema::tier,
    },
    Tier { name: "doc", about: "documentation builds", needs: &[CXX], when: When::Ci, run: doc },
    Tier {
        name: "unit",
        about: "unit, property, two-process and crash tests of every crate",
        needs: &[CXX],
        when: When::Ci,
        run: unit,
    },
    Tier {
        name: "schema-languages",
        about: "C, C++, Python and Go assert every offset, decode and encode the golden images",
        needs: &[CXX],
        when: When::Ci,
        run: schema::test_languages,
    },
    Tier {
        name: "loom",
        about: "the ring under every interleaving that loom knows",
        needs: &[],
        when: When::Ci,
        run: loom::models,
    },
    Tier {
        name: "fuzz-short",
        about: "each fuzz target for some seconds",
        needs: &[CXX],
        when: When::Ci,
        run: fuzz::short,
    },
    Tier {
        name: "demo",
        about: "the demo for some seconds",
        needs: &[CXX],
        when: When::Ci,
        run: demo::tier,
    },
    Tier {
        name: "cpp",
        about: "C and C++ programs built from an installed library, the tests of the C++ API",
        needs: cpp::NEEDS,
        when: When::Ci,
        run: cpp::tier,
    },
    Tier {
        name: "python",
        about: "the wheel: its tests, its types, and what the README shows",
        needs: &[],
        when: When::Ci,
        run: python::tier,
    },
    Tier {
        name: "go",
        about: "the Go binding, plain, under the race detector and under AddressSanitizer",
        needs: golang::NEEDS,
        when: When::Ci,
        run: golang::tier,
    },
    Tier {
        name: "kotlin",
        about: "the Kotlin layer over UniFFI, from a fresh Maven project too; Swift is printed",
        needs: kotlin::NEEDS,
        when: When::Ci,
        run: kotlin::tier,
    },
    Tier {
        name: "conformance",
        about: "every language with every language, and with a reference that is not our code",
        needs: &[CXX, kotlin::JDK, kotlin::MAVEN],
        when: When::Ci,
        run: conformance::tier,
    },
    Tier {
        name: "hello",
        about: "the first program of every language with that of every other",
        needs: &[CXX, kotlin::JDK, kotlin::MAVEN],
        when: When::Ci,
        run: hello::tier,
    },
    Tier {
        name: "pet-camera",
        about: "the programs of the pet camera, each by itself",
        needs: golang::NEEDS,
        when: When::Ci,
        run: pet_camera::tier,
    },
    Tier {
        name: "containers",
        about: "capture and consumers in namespaces of their own, sharing only the directory",
        needs: containers::NEEDS,
        when: When::Ci,
        run: containers::tier,
    },
    Tier {
        name: "browser",
        about: "the pet camera in a real Chromium: video, boxes, the switch, and what was killed",
        needs: golang::NEEDS,
        when: When::Ci,
        run: browser::tier,
    },
    Tier {
        name: "hobot",
        about: "every language reads frames where the RDK X5's cameras put them, on the stand-in",
        needs: &[CXX],
        when: When::Ci,
        run: hobot::tier,
    },
    Tier {
        name: "vm",
        about: "real cameras of a stock kernel, in an emulated machine",
        needs: &[CXX],
        when: When::Ci,
        run: vm::tier,
    },
    Tier {
        name: "browser-long",
        about: "the same with programs that are stopped, and watched for long",
        needs: golang::NEEDS,
        when: When::Long,
        run: browser::long_tier,
    },
    Tier {
        name: "viewers",
        about: "fifty viewers of the pet camera's server: the capture notices none, none leaks",
        needs: golang::NEEDS,
        when: When::Long,
        run: bench::viewers::tier,
    },
    Tier {
        name: "demo-board",
        about: "the demo as on a board: by a file of cameras, with libraries that others put there",
        needs: golang::NEEDS,
        when: When::Long,
        run: demo::board_tier,
    },
    Tier {
        name: "soak",
        about: "the demo for twenty minutes: memory, descriptors, leases stay as they are",
        needs: golang::NEEDS,
        when: When::Long,
        run: soak::tier,
    },
    Tier {
        name: "mutation",
        about: "each ordering of the ring weakened in turn: some model must fail",
        needs: &[],
        when: When::Long,
        run: loom::mutation,
    },
    Tier {
        name: "tsan",
        about: "the core's tests under ThreadSanitizer",
        needs: tsan::NEEDS,
        when: When::Long,
        run: tsan::run,
    },
    Tier {
        name: "schema-oracle",
        about: "code that flatc prints reads and writes the same bytes",
        needs: &[CXX],
        when: When::Long,
        run: schema::oracle,
    },
    Tier {
        name: "conformance-asan",
        about: "the C, C++ and Go agents under AddressSanitizer",
        needs: &[CXX],
        when: When::Long,
        run: conformance::sanitized_tier,
    },
    Tier {
        name: "conformance-long",
        about: "the pairs of languages that start slowly: Kotlin with those it plays not in CI",
        needs: &[CXX, kotlin::JDK, kotlin::MAVEN],
        when: When::Long,
        run: conformance::long_tier,
    },
    Tier {
        name: "vm-long",
        about: "the same on an older kernel, and in real time",
        needs: &[CXX],
        when: When::Long,
        run: vm::long_tier,
    },
    Tier {
        name: "aarch64",
        about: "built for aarch64, and the two-process tests under an emulated processor",
        needs: aarch64::NEEDS,
        when: When::Long,
        run: aarch64::run,
    },
    Tier {
        name: "stress",
        about: "10^8 hand-offs, 5 GiB through a stream: none lost, torn or out of order",
        needs: &[],
        when: When::Long,
        run: stress,
    },
    Tier {
        name: "fuzz",
        about: "each fuzz target for five minutes",
        needs: &[CXX],
        when: When::Long,
        run: fuzz::long,
    },
];

fn fmt() -> Result<Counts> {
    Program::cargo(["fmt", "--all", "--check"]).check()?;
    Ok(Counts::PASSED)
}

fn clippy() -> Result<Counts> {
    Program::cargo(["clippy", "--locked", "--workspace", "--all-targets", "--all-features"])
        .args(["--", "-D", "warnings"])
        .limit(Duration::from_secs(1200))
        .check()?;
    Ok(Counts::PASSED)
}

fn doc() -> Result<Counts> {
    Program::cargo(["doc", "--locked", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .check()?;
    Ok(Counts::PASSED)
}

fn unit() -> Result<Counts> {
    Program::cargo(["test", "--locked", "--workspace", "--all-features", "--no-fail-fast"])
        .env("PATH", tools::search_path_with("ffmpeg")?)
        .limit(Duration::from_secs(1500))
        .counted()
}

fn stress() -> Result<Counts> {
    Program::cargo(["test", "--locked", "--release", "--package", "framelane"])
        .args(["--test", "stress", "--test", "stream_stress", "--target-dir"])
        .args([workspace::target().as_os_str()])
        .env("FRAMELANE_HANDOFFS", "100000000")
        .env("FRAMELANE_STREAM_BYTES", (5u64 << 30).to_string())
        .limit(Duration::from_secs(4 * 3600))
        .counted()
}
