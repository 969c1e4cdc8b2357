//! What the kernel offers: asked by trying it.

use super::Finding;
use memmap2::{Advice, MmapMut};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::thread::{ClockId, futex};

pub fn look() -> Vec<Finding> {
    vec![version(), seals(), populate(), futex_waitv()]
}

fn version() -> Finding {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy().into_owned();
    let machine = system.machine().to_string_lossy();
    match parse(&release) {
        Some(version) if version >= (5, 4) => {
            Finding::ok("kernel", format!("{release} on {machine}"))
        }
        Some(_) => Finding::bad(
            "kernel",
            format!("{release}: lanes need memfds that can be sealed and pidfds"),
            "run a kernel of 5.4 or newer; 6.1 and newer are tested",
        ),
        None => Finding::ok("kernel", format!("{release} on {machine} (no version number)")),
    }
}

fn parse(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn seals() -> Finding {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let sealed = rustix::fs::memfd_create("framelane-doctor", flags).and_then(|fd| {
        rustix::fs::ftruncate(&fd, 4096)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&fd, seals)
    });
    match sealed {
        Ok(()) => Finding::ok("memfd_seals", "lane memory can be sealed read-only for consumers"),
        Err(errno) => Finding::bad(
            "memfd_seals",
            format!("lane memory cannot be sealed: {errno}"),
            "run a kernel of 5.1 or newer with CONFIG_MEMFD_CREATE, and allow memfd_create and \
             fcntl in the sandbox (seccomp) if there is one",
        ),
    }
}

fn populate() -> Finding {
    let tried = MmapMut::map_anon(4096).and_then(|map| map.advise(Advice::PopulateWrite));
    match tried {
        Ok(()) => Finding::ok("madv_populate", "pages can be brought in ahead"),
        Err(error) => Finding::warn(
            "madv_populate",
            format!("pages are touched one by one instead, attaching takes longer: {error}"),
            "run a kernel of 5.14 or newer",
        ),
    }
}

fn futex_waitv() -> Finding {
    // No waiters: a kernel that has the call refuses that, and nothing else happens.
    let tried = futex::waitv(&[], futex::WaitvFlags::empty(), None, ClockId::Monotonic);
    match tried {
        Err(Errno::NOSYS | Errno::PERM) => Finding::warn(
            "futex_waitv",
            "waiting on several lanes at once goes through descriptors instead",
            "run a kernel of 5.16 or newer, or allow futex_waitv in the sandbox (seccomp)",
        ),
        _ => Finding::ok("futex_waitv", "several lanes can be waited on at once"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_releases() {
        assert_eq!(parse("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(parse("5.10.104-tegra"), Some((5, 10)));
        assert_eq!(parse("7.2"), Some((7, 2)));
        assert_eq!(parse("next"), None);
    }
}
