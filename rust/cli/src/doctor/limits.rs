//! Limits of this process and memory of this machine.

use super::Finding;
use crate::units::size;
use framelane::layout::limit::{CONSUMERS, DEVICE_BUFFERS};
use framelane::memory_limits;
use rustix::process::{Resource, getrlimit};

/// Below this not even one lane is comfortable: 1080p NV12 with the default 11 slots has 33 MiB.
const ROOMY: u64 = 64 << 20;
const TIGHT: u64 = 4 << 20;

pub fn look() -> Vec<Finding> {
    let mut findings = vec![descriptors(), locked_memory()];
    findings.extend(memory());
    findings.push(huge_pages());
    findings
}

/// A producer holds three descriptors for a consumer, one for a device buffer and a few of its own.
fn descriptors() -> Finding {
    let full = 16 + 3 * CONSUMERS + DEVICE_BUFFERS;
    let fix = "ulimit -n 4096, or LimitNOFILE=4096 in the service's unit";
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < 32 => Finding::bad(
            "open_files",
            format!("{limit} file descriptors: too few even for a few consumers"),
            fix,
        ),
        Some(limit) if limit < full => Finding::warn(
            "open_files",
            format!(
                "{limit} file descriptors: a lane with all its consumers and buffers has {full}"
            ),
            fix,
        ),
        Some(limit) => Finding::ok("open_files", format!("{limit} file descriptors")),
        None => Finding::ok("open_files", "no limit on file descriptors"),
    }
}

/// Consumer pages are locked where that is allowed, lane memory where it is asked for.
fn locked_memory() -> Finding {
    let pages = CONSUMERS * rustix::param::page_size() as u64;
    match getrlimit(Resource::Memlock).current {
        _ if rustix::process::geteuid().is_root() => {
            Finding::ok("locked_memory", "root may lock any memory")
        }
        Some(limit) if limit < pages => Finding::warn(
            "locked_memory",
            format!(
                "{} may be locked: some consumer pages stay unlocked ({} would be needed), and so \
                 does lane memory",
                size(limit),
                size(pages)
            ),
            "ulimit -l 8192, or LimitMEMLOCK=8M in the service's unit (more to lock whole lanes)",
        ),
        Some(limit) => Finding::ok(
            "locked_memory",
            format!("{} may be locked; lanes larger than that stay unlocked", size(limit)),
        ),
        None => Finding::ok("locked_memory", "no limit on locked memory"),
    }
}

fn memory() -> Vec<Finding> {
    memory_limits()
        .into_iter()
        .map(|limit| {
            let found = format!("{} has {} left", limit.whose, size(limit.left_bytes));
            let fix = match limit.whose.as_str() {
                "the machine" => "end what uses the memory, or make lanes with fewer slots",
                _ => "raise memory.max (MemoryMax= of a unit, --memory of a container)",
            };
            match limit.left_bytes {
                ROOMY.. => Finding::ok("memory", found),
                TIGHT..ROOMY => Finding::warn("memory", found, fix),
                _ => Finding::bad("memory", found, fix),
            }
        })
        .collect()
}

/// Only asked for by option: none is fine.
fn huge_pages() -> Finding {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let number = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let (Some(total), Some(free)) = (number("HugePages_Total:"), number("HugePages_Free:")) else {
        return Finding::ok("huge_pages", "this kernel has none");
    };
    let bytes = size(number("Hugepagesize:").unwrap_or(0).saturating_mul(1024));
    match total {
        0 => Finding::ok(
            "huge_pages",
            format!("none reserved; lanes that want them: sysctl vm.nr_hugepages=N ({bytes} each)"),
        ),
        _ => Finding::ok("huge_pages", format!("{free} of {total} free, {bytes} each")),
    }
}
