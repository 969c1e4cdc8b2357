//! The calls: the one place of this source where `unsafe` stands.
#![allow(unsafe_code, reason = "system calls with structures, and bytes of a device's buffer")]

use super::abi::{self, Buffer, Number, Plane};
use memmap2::{MmapOptions, MmapRaw};
use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::ioctl::{self, Ioctl, IoctlOutput, Opcode, opcode};
use std::ffi::c_void;
use std::marker::PhantomData;

/// A request with the structure that belongs to it. Only this module makes them.
pub struct Request<T>(Opcode, PhantomData<T>);

macro_rules! requests {
    ($($name:ident = $way:ident $group:literal $number:literal $kind:ty;)*) => {
        $(pub const $name: Request<$kind> =
            Request(opcode::$way::<$kind>($group, $number), PhantomData);)*
    };
}

requests! {
    QUERYCAP = read b'V' 0 abi::Capability;
    ENUM_FMT = read_write b'V' 2 abi::FormatDescription;
    G_FMT = read_write b'V' 4 abi::Format;
    S_FMT = read_write b'V' 5 abi::Format;
    REQBUFS = read_write b'V' 8 abi::RequestBuffers;
    EXPBUF = read_write b'V' 16 abi::ExportBuffer;
    STREAMON = write b'V' 18 Number;
    G_PARM = read_write b'V' 21 abi::StreamParameters;
    S_PARM = read_write b'V' 22 abi::StreamParameters;
    S_CTRL = read_write b'V' 28 abi::Control;
    G_CTRL = read_write b'V' 27 abi::Control;
    ENUMINPUT = read_write b'V' 26 abi::Input;
    G_INPUT = read b'V' 38 Number;
    S_DV_TIMINGS = read_write b'V' 87 abi::Timings;
    QUERY_DV_TIMINGS = read b'V' 99 abi::Timings;
    ENUM_FRAMESIZES = read_write b'V' 74 abi::FrameSize;
    DQEVENT = read b'V' 89 abi::Event;
    SUBSCRIBE_EVENT = write b'V' 90 abi::Subscription;
    QUERY_EXT_CTRL = read_write b'V' 103 abi::ControlDescription;
    UDMABUF_CREATE = write b'u' 0x42 abi::UdmabufCreate;
    DMA_HEAP_ALLOC = read_write b'H' 0 abi::HeapAllocation;
    DMA_BUF_SYNC = write b'b' 0 abi::Sync;
}

const QUERYBUF: Request<Buffer> = Request(opcode::read_write::<Buffer>(b'V', 9), PhantomData);
const QBUF: Request<Buffer> = Request(opcode::read_write::<Buffer>(b'V', 15), PhantomData);
const DQBUF: Request<Buffer> = Request(opcode::read_write::<Buffer>(b'V', 17), PhantomData);

struct Call<'a, T> {
    opcode: Opcode,
    value: &'a mut T,
}

// SAFETY: the pointer is that of a structure of the request's own size, borrowed mutably for the
// time of the call; what the call returns is a number.
unsafe impl<T> Ioctl for Call<'_, T> {
    type Output = IoctlOutput;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self.value).cast()
    }

    unsafe fn output_from_ptr(
        output: IoctlOutput,
        _: *mut c_void,
    ) -> rustix::io::Result<IoctlOutput> {
        Ok(output)
    }
}

/// Makes a request; what it returns.
pub fn call<T>(fd: impl AsFd, request: &Request<T>, value: &mut T) -> rustix::io::Result<i32> {
    loop {
        let call = Call { opcode: request.0, value: &mut *value };
        // SAFETY: the structure is the one of the request, by `Request`; none of the requests in
        // the table above has an address in it.
        match unsafe { ioctl::ioctl(fd.as_fd(), call) } {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

/// A request about a buffer, whose planes are in `planes` where the queue has such.
fn buffer_call(
    fd: impl AsFd,
    request: &Request<Buffer>,
    buffer: &mut Buffer,
    planes: &mut [Plane; 8],
) -> rustix::io::Result<()> {
    if buffer.kind == abi::CAPTURE_PLANES {
        // The kernel looks at as many as `length` says, which is no more than there are.
        buffer.place = planes.as_mut_ptr() as u64;
        buffer.length = buffer.length.min(8);
    }
    call(fd, request, buffer).map(drop)
}

/// VIDIOC_QUERYBUF
pub fn query_buffer(
    fd: impl AsFd,
    buffer: &mut Buffer,
    planes: &mut [Plane; 8],
) -> rustix::io::Result<()> {
    buffer_call(fd, &QUERYBUF, buffer, planes)
}

/// VIDIOC_QBUF
pub fn queue_buffer(
    fd: impl AsFd,
    buffer: &mut Buffer,
    planes: &mut [Plane; 8],
) -> rustix::io::Result<()> {
    buffer_call(fd, &QBUF, buffer, planes)
}

/// VIDIOC_DQBUF
pub fn dequeue_buffer(
    fd: impl AsFd,
    buffer: &mut Buffer,
    planes: &mut [Plane; 8],
) -> rustix::io::Result<()> {
    buffer_call(fd, &DQBUF, buffer, planes)
}

/// A descriptor that a successful call has just made.
pub fn made(fd: i32) -> Result<OwnedFd, Errno> {
    if fd < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: the kernel made it for the structure that the caller took it from, and each caller
    // takes it from there once.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Memory of a buffer, mapped for reading.
pub struct Mapped(MmapRaw);

impl Mapped {
    /// Maps a part of a device or a buffer.
    pub fn new(fd: impl AsFd, offset: u64, bytes: usize) -> std::io::Result<Self> {
        let mut options = MmapOptions::new();
        let map = options.offset(offset).len(bytes);
        map.map_raw_read_only(fd.as_fd().as_raw_fd()).map(Mapped)
    }

    /// Copies a part of it; false, and nothing is done, where it is not inside.
    #[must_use]
    pub fn copy(&self, offset: usize, into: &mut [u8]) -> bool {
        let end = offset.checked_add(into.len());
        if end.is_none_or(|end| end > self.0.len()) {
            return false;
        }
        // SAFETY: inside the mapping, as was looked at, and nothing else of this process writes
        // `into`. A device that writes the buffer meanwhile tears the copy, no more.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.0.as_ptr().wrapping_add(offset),
                into.as_mut_ptr(),
                into.len(),
            );
        }
        true
    }
}
