//! How lanes are made and opened.

use crate::error::{framelane_error, framelane_status, invalid};
use crate::guard::{at, at_mut, enter, give, optional_path, text};
use framelane::{
    Access, ConsumerOptions, FrameDescriptor, FrameLayout, HugePages, MemoryKind, Mode,
    PixelFormat, Plane, ProducerOptions, Reclaim, Result, Trust,
};
use std::ffi::c_char;
use std::time::Duration;

/// Where the planes of a picture lie in one block of memory. Unused planes are zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct framelane_layout {
    /// DRM four-character code; a number of `framelane_pixel_format`. 0: no layout.
    pub fourcc: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Planes in use, at most 4.
    pub plane_count: u32,
    /// From the start of the block to each plane.
    pub offset_bytes: [u64; 4],
    /// Size of each plane.
    pub size_bytes: [u64; 4],
    /// From one row of a plane to the next.
    pub stride_bytes: [u32; 4],
    /// Rows of each plane.
    pub rows: [u32; 4],
    /// Size of the whole picture.
    pub total_bytes: u64,
}

/// How to make a lane. Fill it with `framelane_producer_options_init` first.
#[repr(C)]
pub struct framelane_producer_options {
    /// Size of this struct, set by the init function; tells versions apart.
    pub struct_bytes: u32,
    /// Leases that all consumers together may hold (8).
    pub lease_budget: u32,
    /// Frames the producer may hold claimed at once (1).
    pub claims: u32,
    /// Frames before the newest that stay reachable (1).
    pub history: u32,
    /// Geometry each claimed frame starts with; fourcc 0: none.
    pub layout: framelane_layout,
    /// Payload of a slot, where it is not the layout's; 0: the layout's.
    pub payload_bytes: u64,
    /// Time a device frame is guaranteed after publication; 0: never revoked.
    pub lease_ns: u64,
    /// Usual time between frames, against which `lease_ns` is checked; 0: unknown.
    pub frame_period_ns: u64,
    /// Number of `framelane_memory_kind` (inline).
    pub memory: u32,
    /// Not 0: lossless consumers are admitted.
    pub lossless: u32,
    /// 0 ordinary pages, 1 huge pages where they are free, 2 huge pages or an error.
    pub huge_pages: u32,
    /// Not 0: lock the lane into memory where the limits allow it.
    pub lock_memory: u32,
    /// NUMA node to bind the lane to; -1: none.
    pub numa_node: i32,
    /// 0 the producer's user, 1 a group, 2 everyone.
    pub access: u32,
    /// The group, where access is 1.
    pub access_group: u32,
    /// 0 peers of the same user share bells, 1 only that user is admitted, 2 nobody is trusted.
    pub trust: u32,
    /// 0 owners of returned buffers run on a thread of the producer, 1 in
    /// `framelane_producer_reclaim`.
    pub reclaim: u32,
    /// Zero.
    pub reserved: u32,
    /// Runtime directory; NULL searches.
    pub directory: *const c_char,
    /// External buffers; NULL with a count of 0. The descriptors are duplicated.
    pub device_fds: *const i32,
    /// Number of external buffers.
    pub device_count: usize,
}

/// How to open a lane. Fill it with `framelane_consumer_options_init` first.
#[repr(C)]
pub struct framelane_consumer_options {
    /// Size of this struct, set by the init function; tells versions apart.
    pub struct_bytes: u32,
    /// Number of `framelane_mode` (latest).
    pub mode: u32,
    /// Frames held at once (1).
    pub leases: u32,
    /// Not 0: attach to the next producer when this one is gone (1).
    pub reattach: u32,
    /// How long to wait for a producer (0).
    pub wait_for_lane_ns: u64,
    /// Not 0: a blocking read ends early when a signal arrives (0).
    pub return_on_signal: u32,
    /// Not 0: accept device buffers that this process could write (0).
    pub wants_writable: u32,
    /// Runtime directory; NULL searches.
    pub directory: *const c_char,
}

/// Fills the options with their defaults.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_options_init(
    options: *mut framelane_producer_options,
) -> framelane_status {
    enter(std::ptr::null_mut(), || {
        let none = framelane_layout {
            fourcc: 0,
            width: 0,
            height: 0,
            plane_count: 0,
            offset_bytes: [0; 4],
            size_bytes: [0; 4],
            stride_bytes: [0; 4],
            rows: [0; 4],
            total_bytes: 0,
        };
        let defaults = framelane_producer_options {
            struct_bytes: size_of::<framelane_producer_options>() as u32,
            lease_budget: 8,
            claims: 1,
            history: 1,
            layout: none,
            payload_bytes: 0,
            lease_ns: 0,
            frame_period_ns: 0,
            memory: 0,
            lossless: 0,
            huge_pages: 0,
            lock_memory: 0,
            numa_node: -1,
            access: 0,
            access_group: 0,
            trust: 0,
            reclaim: 0,
            reserved: 0,
            directory: std::ptr::null(),
            device_fds: std::ptr::null(),
            device_count: 0,
        };
        give(defaults, options, "options")
    })
}

/// Fills the options with their defaults.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_options_init(
    options: *mut framelane_consumer_options,
) -> framelane_status {
    enter(std::ptr::null_mut(), || {
        let defaults = framelane_consumer_options {
            struct_bytes: size_of::<framelane_consumer_options>() as u32,
            mode: Mode::Latest.number().into(),
            leases: 1,
            reattach: 1,
            wait_for_lane_ns: 0,
            return_on_signal: 0,
            wants_writable: 0,
            directory: std::ptr::null(),
        };
        give(defaults, options, "options")
    })
}

/// Lays out a picture. `stride_align` is a power of two, 1 for rows without padding.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_layout_init(
    pixel_format: u32,
    width: u32,
    height: u32,
    stride_align: u32,
    error: *mut framelane_error,
    layout: *mut framelane_layout,
) -> framelane_status {
    enter(error, || give(lay_out(pixel_format, width, height, stride_align)?, layout, "layout"))
}

/// The same for Rust.
pub fn lay_out(
    pixel_format: u32,
    width: u32,
    height: u32,
    stride_align: u32,
) -> Result<framelane_layout> {
    let format = PixelFormat::from_number(pixel_format)
        .ok_or_else(|| invalid(&format!("{pixel_format:#010x} is no known pixel format")))?;
    FrameLayout::with_stride_align(format, width, height, stride_align).map(|made| to_c(&made))
}

/// Number of the pixel format that people call `name`: nv12, i420, grey, ... in either case.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_pixel_format_parse(
    name: *const c_char,
    error: *mut framelane_error,
    pixel_format: *mut u32,
) -> framelane_status {
    enter(error, || {
        give(PixelFormat::parse(text(name, "name")?)?.number(), pixel_format, "pixel_format")
    })
}

/// Writes a layout into a descriptor, for frames that are published from outside the lane.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_layout_apply(
    layout: *const framelane_layout,
    error: *mut framelane_error,
    descriptor: *mut FrameDescriptor,
) -> framelane_status {
    enter(error, || {
        let layout = from_c(at(layout, "layout")?)?;
        let layout = layout.ok_or_else(|| invalid("the layout is none: its fourcc is 0"))?;
        layout.apply(at_mut(descriptor, "descriptor")?);
        Ok(())
    })
}

fn to_c(layout: &FrameLayout) -> framelane_layout {
    framelane_layout {
        fourcc: layout.fourcc,
        width: layout.width,
        height: layout.height,
        plane_count: layout.plane_count.into(),
        offset_bytes: layout.planes.map(|plane| plane.offset_bytes),
        size_bytes: layout.planes.map(|plane| plane.size_bytes),
        stride_bytes: layout.planes.map(|plane| plane.stride_bytes),
        rows: layout.planes.map(|plane| plane.rows),
        total_bytes: layout.total_bytes,
    }
}

fn from_c(layout: &framelane_layout) -> Result<Option<FrameLayout>> {
    if layout.fourcc == 0 {
        return Ok(None);
    }
    if layout.plane_count > 4 {
        return Err(invalid(&format!("{} planes, a frame has at most 4", layout.plane_count)));
    }
    let plane = |index: usize| Plane {
        offset_bytes: layout.offset_bytes[index],
        size_bytes: layout.size_bytes[index],
        physical_address: 0,
        stride_bytes: layout.stride_bytes[index],
        rows: layout.rows[index],
        share_id: -1,
        buffer_index: -1,
        reserved: 0,
    };
    Ok(Some(FrameLayout {
        fourcc: layout.fourcc,
        width: layout.width,
        height: layout.height,
        plane_count: layout.plane_count as u8,
        planes: [plane(0), plane(1), plane(2), plane(3)],
        total_bytes: layout.total_bytes,
    }))
}

/// The options that a struct of C stands for.
pub fn producer_options(options: *const framelane_producer_options) -> Result<ProducerOptions> {
    let c = at(options, "options")?;
    check_size(c.struct_bytes, size_of::<framelane_producer_options>())?;
    let mut made = ProducerOptions::new()
        .lease_budget(c.lease_budget)
        .claims(c.claims)
        .history(c.history)
        .lossless(c.lossless != 0)
        .lease(Duration::from_nanos(c.lease_ns))
        .frame_period(Duration::from_nanos(c.frame_period_ns))
        .lock_memory(c.lock_memory != 0)
        .numa_node(u32::try_from(c.numa_node).ok())
        .memory(memory_kind(c.memory)?)
        .huge_pages(one_of(
            c.huge_pages,
            "huge_pages",
            &[HugePages::Off, HugePages::Try, HugePages::Require],
        )?)
        .access(access(c.access, c.access_group)?)
        .trust(trust(c.trust)?)
        .reclaim(one_of(c.reclaim, "reclaim", &[Reclaim::Thread, Reclaim::Pump])?)
        .device_buffers(device_buffers(c)?)
        .directory(optional_path(c.directory).map(Into::into));
    if let Some(layout) = from_c(&c.layout)? {
        made = made.layout(layout);
    }
    if c.payload_bytes != 0 {
        made = made.payload_bytes(c.payload_bytes);
    }
    Ok(made)
}

/// The options that a struct of C stands for.
pub fn consumer_options(options: *const framelane_consumer_options) -> Result<ConsumerOptions> {
    let c = at(options, "options")?;
    check_size(c.struct_bytes, size_of::<framelane_consumer_options>())?;
    let mode = u8::try_from(c.mode).ok().and_then(Mode::from_number);
    let mode = mode.ok_or_else(|| invalid(&format!("{} is no reading mode", c.mode)))?;
    Ok(ConsumerOptions::new(mode)
        .leases(c.leases)
        .wait_for_lane(Duration::from_nanos(c.wait_for_lane_ns))
        .reattach(c.reattach != 0)
        .return_on_signal(c.return_on_signal != 0)
        .wants_writable(c.wants_writable != 0)
        .directory(optional_path(c.directory).map(Into::into)))
}

fn memory_kind(number: u32) -> Result<MemoryKind> {
    let kind = u8::try_from(number).ok().and_then(MemoryKind::from_number);
    kind.ok_or_else(|| invalid(&format!("{number} is no memory kind")))
}

fn device_buffers(c: &framelane_producer_options) -> Result<Vec<framelane::DeviceBuffer>> {
    let kind = memory_kind(c.memory)?;
    if c.device_count == 0 {
        return Ok(Vec::new());
    }
    at(c.device_fds, "device_fds")?;
    // SAFETY: not NULL, and by convention an array of device_count numbers.
    let fds = unsafe { std::slice::from_raw_parts(c.device_fds, c.device_count) };
    fds.iter()
        .map(|&fd| {
            if fd < 0 {
                return Err(invalid(&format!("{fd} is no file descriptor")));
            }
            // SAFETY: not negative; by convention open for the time of this call, and duplicated
            // before it ends. A closed one makes the duplication fail, no more.
            let borrowed = unsafe { rustix::fd::BorrowedFd::borrow_raw(fd) };
            let fd = rustix::io::fcntl_dupfd_cloexec(borrowed, 0)
                .map_err(|errno| invalid(&format!("duplicating descriptor {fd}: {errno}")))?;
            Ok(framelane::DeviceBuffer { fd, kind })
        })
        .collect()
}

pub(crate) fn check_size(said: u32, known: usize) -> Result<()> {
    if said as usize == known {
        return Ok(());
    }
    Err(invalid(&format!(
        "struct_bytes is {said}, this library's options have {known}: call the init function first"
    )))
}

/// Who may attach; the group counts for one of the numbers only.
pub(crate) fn access(number: u32, group: u32) -> Result<Access> {
    one_of(number, "access", &[Access::Owner, Access::Group(group), Access::Everyone])
}

/// Who is trusted.
pub(crate) fn trust(number: u32) -> Result<Trust> {
    one_of(number, "trust", &[Trust::SameUser, Trust::TrustedOnly, Trust::Untrusted])
}

pub(crate) fn one_of<T: Copy>(number: u32, what: &str, choices: &[T]) -> Result<T> {
    let choice = choices.get(number as usize).copied();
    choice.ok_or_else(|| invalid(&format!("{what} {number}, it can be 0 to {}", choices.len() - 1)))
}
