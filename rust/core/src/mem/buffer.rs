//! Buffers of devices: their bytes may change while they are read.
#![allow(unsafe_code, reason = "racing reads of mapped memory, and the promise to have it mapped")]

use super::map::Mapping;
use crate::error::Result;
use crate::layout::{FrameDescriptor, Plane};
use crate::ring::words::AtomicU64;
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::ioctl::{Opcode, Setter, ioctl, opcode};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

/// Opens buffers that no descriptor is sent for, but that a vendor's library finds by what a
/// frame's descriptor says. See [`register_importer`](crate::register_importer).
pub trait Importer: Send + Sync {
    /// Whether buffers can be imported at all; asked when attaching to a lane that has such.
    ///
    /// # Errors
    /// `Unsupported` with what is missing; the attach fails with it.
    fn ready(&self) -> Result<()>;

    /// Maps the buffer that a frame's planes are in, for reading. Called once in an epoch for each
    /// content of a descriptor's vendor data.
    ///
    /// # Errors
    /// `Protocol` for a descriptor that makes no sense; what the library fails with.
    fn import(&self, descriptor: &FrameDescriptor) -> Result<Box<dyn ImportedBuffer>>;
}

/// A buffer that an [`Importer`] has mapped; unmapped when dropped.
///
/// # Safety
/// What [`plane`](Self::plane) names is mapped and can be read from any thread until the buffer
/// is dropped, and stays at its place.
pub unsafe trait ImportedBuffer: Send + Sync {
    /// Address and size in bytes of one plane of a frame in this buffer; None where it is not.
    fn plane(&self, index: usize, plane: &Plane) -> Option<(usize, usize)>;

    /// Makes the processor see what hardware wrote. Called once for each frame, before it is
    /// first read.
    ///
    /// # Errors
    /// What the library fails with; the buffer is then dropped and imported again.
    fn refresh(&self) -> Result<()>;
}

/// Tells the kernel that the processor begins to read a dma-buf, or ends: it then makes caches fit
/// what devices wrote.
pub(crate) fn sync_dma_buf(fd: impl AsFd, end: bool) -> rustix::io::Result<()> {
    const SYNC: Opcode = opcode::write::<u64>(b'b', 0); // DMA_BUF_IOCTL_SYNC of linux/dma-buf.h
    const READ: u64 = 1;
    const END: u64 = 4;
    let flags = if end { READ | END } else { READ };
    loop {
        // SAFETY: the request takes a struct of one u64 and gives nothing back.
        match unsafe { ioctl(fd.as_fd(), Setter::<SYNC, u64>::new(flags)) } {
            Err(Errno::INTR | Errno::AGAIN) => {}
            result => return result,
        }
    }
}

/// An external buffer, mapped for reading.
pub(crate) struct BufferView(Mapping);

impl BufferView {
    pub(crate) fn new(map: Mapping) -> Self {
        BufferView(map)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// A range of the buffer, which the caller has found inside it.
    pub(crate) fn plane(&self, range: Range<usize>) -> DevicePlane<'_> {
        assert!(range.start <= range.end && range.end <= self.len(), "a range of the buffer");
        let address = self.0.base().wrapping_add(range.start);
        DevicePlane { address, len: range.len(), buffer: PhantomData }
    }
}

/// Bytes of a device's buffer, mapped as long as that is borrowed.
pub(crate) struct DevicePlane<'a> {
    address: *const u8,
    len: usize,
    buffer: PhantomData<&'a BufferView>,
}

impl<'a> DevicePlane<'a> {
    /// A plane of a frame in an imported buffer, if it is there in the size it says.
    pub(crate) fn imported(
        buffer: &'a dyn ImportedBuffer,
        index: usize,
        plane: &Plane,
    ) -> Option<Self> {
        let (address, len) = buffer.plane(index, plane)?;
        if address == 0 || len as u64 != plane.size_bytes {
            return None;
        }
        Some(DevicePlane { address: address as *const u8, len, buffer: PhantomData })
    }

    pub(crate) fn address(&self) -> *const u8 {
        self.address
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Copies all of it through aligned atomic words, as far as they lie inside; whether the copy
    /// counts is for a later check to say.
    pub(crate) fn copy_out(&self, into: &mut [u8]) {
        assert_eq!(self.len, into.len(), "the whole plane");
        let head = self.address.align_offset(8).min(self.len);
        let (first, rest) = into.split_at_mut(head);
        self.copy_bytes(0, first);
        let words = rest.len() / 8 * 8;
        let (middle, last) = rest.split_at_mut(words);
        for (index, bytes) in middle.chunks_exact_mut(8).enumerate() {
            let at = self.address.wrapping_add(head + index * 8).cast::<AtomicU64>();
            // SAFETY: inside the plane, which is mapped while it is borrowed, and aligned to 8 by
            // `head`. Whoever writes at the same time does so outside of this program.
            let word = unsafe { &*at }.load(Relaxed);
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        self.copy_bytes(head + words, last);
    }

    fn copy_bytes(&self, from: usize, into: &mut [u8]) {
        for (offset, byte) in into.iter_mut().enumerate() {
            let at = self.address.wrapping_add(from + offset).cast::<AtomicU8>();
            // SAFETY: inside the plane as above; one byte is always aligned.
            *byte = unsafe { &*at }.load(Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Block(Vec<u8>, Vec<(usize, usize)>);

    // SAFETY: the bytes are in a vector that is not changed.
    unsafe impl ImportedBuffer for Block {
        fn plane(&self, index: usize, _: &Plane) -> Option<(usize, usize)> {
            self.1.get(index).copied()
        }

        fn refresh(&self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_copy_is_exact_at_any_alignment_and_size() {
        let bytes: Vec<u8> = (0..64).collect();
        let base = bytes.as_ptr() as usize;
        let all = || (0..20).flat_map(|start| (0..40).map(move |len| (start, len)));
        let planes = all().map(|(start, len)| (base + start, len)).collect();
        let block = Block(bytes.clone(), planes);
        for (index, (start, len)) in all().enumerate() {
            let layout = Plane { size_bytes: len as u64, ..Plane::ZERO };
            let plane = DevicePlane::imported(&block, index, &layout).unwrap();
            let mut copy = vec![0; len];
            plane.copy_out(&mut copy);
            assert_eq!(copy, bytes[start..start + len]);
        }
        assert!(DevicePlane::imported(&block, 800, &Plane::ZERO).is_none());
        assert!(DevicePlane::imported(&block, 1, &Plane::ZERO).is_none(), "another size");
        assert_eq!(block.0.len(), 64);
    }
}
