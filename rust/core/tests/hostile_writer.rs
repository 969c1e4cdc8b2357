//! A consumer that wants to write where it may only read: the kernel refuses each way there is.

mod common;
mod raw;

use common::{DEADLINE, LANE, Place, assert_intact, publish};
use framelane::{ProducerOptions, Trust};
use memmap2::MmapOptions;
use raw::{Attached, latest};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{FallocateFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Every way to write through a descriptor, with the reason it must fail for.
fn refuse_writing(fd: &OwnedFd, what: &str) {
    let size = rustix::fs::fstat(fd).unwrap().st_size as u64;
    assert_eq!(rustix::io::pwrite(fd, b"x", 300), Err(Errno::PERM), "{what}: pwrite");
    assert_eq!(rustix::fs::ftruncate(fd, 0), Err(Errno::PERM), "{what}: cutting");
    assert_eq!(rustix::fs::ftruncate(fd, size * 2), Err(Errno::PERM), "{what}: growing");
    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let punched = rustix::fs::fallocate(fd, hole, 0, 4096);
    assert_eq!(punched, Err(Errno::PERM), "{what}: a hole");
    let more = rustix::fs::fcntl_add_seals(fd, SealFlags::WRITE);
    assert_eq!(more, Err(Errno::PERM), "{what}: another seal");
    assert!(MmapOptions::new().map_raw(fd).is_err(), "{what}: a writable mapping");
    // Opened anew through /proc, as its owner may.
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let again = rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).unwrap();
    assert_eq!(rustix::io::pwrite(&again, b"x", 300), Err(Errno::PERM), "{what}: reopened");
    assert!(MmapOptions::new().map_raw(&again).is_err(), "{what}: reopened and mapped");
    // Past the protection of a mapping, the way a debugger writes.
    let seen = MmapOptions::new().map_raw_read_only(fd).unwrap();
    let memory = File::options().write(true).open("/proc/self/mem").unwrap();
    assert!(memory.write_at(b"x", seen.as_ptr() as u64 + 300).is_err(), "{what}: as a debugger");
}

#[test]
fn lane_memory_and_bell_page_can_only_be_read() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().trust(Trust::Untrusted));
    let mut reader = latest(&place);
    publish(&producer, 1);
    let peer = Attached::new(place.path(), LANE, 1);
    refuse_writing(&peer.lane, "the lane");
    refuse_writing(&peer.bell, "the bell page");
    let frame = reader.next(DEADLINE).unwrap().expect("a frame");
    assert_intact(&frame);
}
