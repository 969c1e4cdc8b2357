//! What planes are filled with, and the memfds of a device lane.

use framelane::{DeviceBuffer, Error, ErrorKind, FrameLayout, MemoryKind, Result};
use rustix::fs::{MemfdFlags, SealFlags};
use std::io;

/// Byte `i` of plane `p` is `(i + 31 p + seed) % 251`.
pub fn fill(bytes: &mut [u8], plane: usize, seed: u64) {
    let value = |i: u64| ((i + 31 * plane as u64 + seed) % 251) as u8;
    let period: Vec<u8> = (0..251).map(value).collect();
    for chunk in bytes.chunks_mut(251) {
        chunk.copy_from_slice(&period[..chunk.len()]);
    }
}

/// A memfd that holds the picture, filled with its number as seed.
pub fn buffer(layout: &FrameLayout, number: u64, writable: bool) -> Result<DeviceBuffer> {
    let make = || -> io::Result<_> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = rustix::fs::memfd_create("conformance", flags)?;
        rustix::fs::ftruncate(&fd, layout.total_bytes)?;
        for (index, plane) in layout.planes.iter().take(layout.plane_count.into()).enumerate() {
            let mut bytes = vec![0; plane.size_bytes as usize];
            fill(&mut bytes, index, number);
            rustix::io::pwrite(&fd, &bytes, plane.offset_bytes)?;
        }
        let mut seals = SealFlags::SHRINK | SealFlags::GROW;
        if !writable {
            seals |= SealFlags::FUTURE_WRITE;
        }
        rustix::fs::fcntl_add_seals(&fd, seals)?;
        Ok(DeviceBuffer { fd, kind: MemoryKind::Memfd })
    };
    make().map_err(|error| Error::new(ErrorKind::System, format!("a device buffer: {error}")))
}
