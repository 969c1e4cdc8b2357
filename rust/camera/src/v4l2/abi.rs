//! Structures of the kernel's V4L2, udmabuf, dma-heap and dma-buf interfaces on 64-bit machines.
//!
//! The crates that print these from headers need libclang wherever the project is built; these
//! few are written down instead, and their sizes are asserted: a request's number contains its
//! structure's size, so a wrong one is refused by every kernel.

/// A four-character code.
pub const fn fourcc(text: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*text)
}

pub const CAPTURE: u32 = 1;
pub const CAPTURE_PLANES: u32 = 9;

pub const CAP_CAPTURE: u32 = 1 << 0;
pub const CAP_CAPTURE_PLANES: u32 = 1 << 12;
pub const CAP_STREAMING: u32 = 1 << 26;
pub const CAP_DEVICE_CAPS: u32 = 1 << 31;

pub const MEMORY_MMAP: u32 = 1;
pub const MEMORY_DMABUF: u32 = 4;

pub const FIELD_NONE: u32 = 1;
pub const BUF_FLAG_ERROR: u32 = 1 << 6;
pub const BUF_CLOCK_MASK: u32 = 0xe000;
pub const BUF_CLOCK_MONOTONIC: u32 = 0x2000;
pub const CAP_TIME_PER_FRAME: u32 = 1 << 12;

pub const SIZE_DISCRETE: u32 = 1;
pub const EVENT_SOURCE_CHANGE: u32 = 5;
pub const CTRL_NEXT: u32 = 0x8000_0000;
pub const CTRL_DISABLED: u32 = 1;
pub const CTRL_TYPE_CLASS: u32 = 6;
pub const CTRL_TYPE_COMPOUND: u32 = 0x100;

/// The input follows a signal that has timings.
pub const INPUT_HAS_TIMINGS: u32 = 2;

pub const SYNC_READ: u64 = 1;
pub const SYNC_END: u64 = 4;
pub const UDMABUF_CLOEXEC: u32 = 1;

macro_rules! structure {
    ($(#[$doc:meta])* $name:ident, $size:literal, { $($field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct $name { $(pub $field: $kind,)* }
        const _: () = assert!(size_of::<$name>() == $size);
        impl $name {
            /// All zero.
            #[allow(dead_code, reason = "not each structure starts so")]
            pub const ZERO: Self = $name { $($field: <$kind as Zero>::ZERO,)* };
        }
    };
}

/// Types of which all bits zero is a value.
pub trait Zero {
    /// That value.
    const ZERO: Self;
}

macro_rules! zero {
    ($($kind:ty)*) => { $(impl Zero for $kind { const ZERO: Self = 0; })* };
}
zero!(u8 u16 u32 i32 u64 i64);

impl<T: Zero + Copy, const N: usize> Zero for [T; N] {
    const ZERO: Self = [T::ZERO; N];
}

structure!(
    /// What a device is.
    Capability, 104, {
    driver: [u8; 16],
    card: [u8; 32],
    bus_info: [u8; 32],
    version: u32,
    capabilities: u32,
    device_caps: u32,
    reserved: [u32; 3],
});
structure!(
    /// A pixel format that a device offers.
    FormatDescription, 64, {
    index: u32,
    kind: u32,
    flags: u32,
    description: [u8; 32],
    pixel_format: u32,
    mbus_code: u32,
    reserved: [u32; 3],
});
structure!(
    /// A size that a device offers: width and height, or least, most and step of each.
    FrameSize, 44, {
    index: u32,
    pixel_format: u32,
    kind: u32,
    sizes: [u32; 6],
    reserved: [u32; 2],
});
structure!(
    /// A format that is set: a union, read by `format`.
    Format, 208, {
    kind: u32,
    padding: u32,
    words: [u32; 50],
});
structure!(
    /// The rate.
    StreamParameters, 204, {
    kind: u32,
    capability: u32,
    mode: u32,
    numerator: u32,
    denominator: u32,
    extended_mode: u32,
    read_buffers: u32,
    reserved: [u32; 44],
});
structure!(
    /// How many buffers, of which memory.
    RequestBuffers, 20, {
    count: u32,
    kind: u32,
    memory: u32,
    capabilities: u32,
    reserved: u32,
});
structure!(
    /// A buffer that is queued or was filled. `place` is an offset, a descriptor or the address of
    /// an array of planes.
    Buffer, 88, {
    index: u32,
    kind: u32,
    bytes_used: u32,
    flags: u32,
    field: u32,
    padding: u32,
    seconds: i64,
    microseconds: i64,
    timecode: [u32; 4],
    sequence: u32,
    memory: u32,
    place: u64,
    length: u32,
    reserved: u32,
    request: u32,
    padding_after: u32,
});
structure!(
    /// One plane of a buffer. `place` is an offset or a descriptor.
    Plane, 64, {
    bytes_used: u32,
    length: u32,
    place: u64,
    data_offset: u32,
    reserved: [u32; 11],
});
structure!(
    /// A buffer of the driver's, to be had as a dma-buf.
    ExportBuffer, 64, {
    kind: u32,
    index: u32,
    plane: u32,
    flags: u32,
    fd: i32,
    reserved: [u32; 11],
});
structure!(
    /// What a control is.
    ControlDescription, 232, {
    id: u32,
    kind: u32,
    name: [u8; 32],
    minimum: i64,
    maximum: i64,
    step: u64,
    default: i64,
    flags: u32,
    element_bytes: u32,
    elements: u32,
    dimensions: u32,
    extents: [u32; 4],
    reserved: [u32; 32],
});
structure!(
    /// A connector that pictures come by.
    Input, 80, {
    index: u32,
    name: [u8; 32],
    kind: u32,
    audio: u32,
    tuner: u32,
    standard: u64,
    status: u32,
    capabilities: u32,
    reserved: [u32; 3],
    padding: u32,
});
structure!(
    /// What a video signal is like: width and height first.
    Timings, 132, {
    kind: u32,
    words: [u32; 32],
});
structure!(
    /// A control's value.
    Control, 8, {
    id: u32,
    value: i32,
});
structure!(
    /// Events to be told of.
    Subscription, 32, {
    kind: u32,
    id: u32,
    flags: u32,
    reserved: [u32; 5],
});
structure!(
    /// An event.
    Event, 136, {
    kind: u32,
    padding: u32,
    data: [u64; 8],
    pending: u32,
    sequence: u32,
    seconds: i64,
    nanoseconds: i64,
    id: u32,
    reserved: [u32; 9],
});
structure!(
    /// A memfd that becomes a dma-buf.
    UdmabufCreate, 24, {
    memfd: u32,
    flags: u32,
    offset: u64,
    size: u64,
});
structure!(
    /// Memory of a heap that becomes a dma-buf.
    HeapAllocation, 24, {
    bytes: u64,
    fd: u32,
    fd_flags: u32,
    heap_flags: u64,
});
structure!(
    /// Beginning or end of access by the processor.
    Sync, 8, {
    flags: u64,
});
structure!(
    /// A plain number.
    Number, 4, {
    value: u32,
});
