//! Options as other languages write them.

use crate::failure::{Failure, Result, choice, invalid, structure};
use framelane::{DeviceBuffer, FrameLayout, MemoryKind, Mode, PixelFormat, StreamStart};
use rustix::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

/// Who may attach.
#[derive(Clone, Copy, uniffi::Enum)]
pub enum Access {
    /// The owner's user, and root.
    Owner,
    /// Members of a group.
    Group {
        /// Its number.
        gid: u32,
    },
    /// Every user of the machine.
    Everyone,
}

/// Which peers are trusted not to block the owner's bells.
#[derive(Clone, Copy, uniffi::Enum)]
pub enum Trust {
    /// Those of the owner's user, where nobody else may attach.
    SameUser,
    /// The same, and nobody else is admitted.
    TrustedOnly,
    /// Nobody.
    Untrusted,
}

/// Huge pages for the payload.
#[derive(Clone, Copy, uniffi::Enum)]
pub enum HugePages {
    /// Ordinary pages.
    Off,
    /// Huge pages where enough are free.
    Try,
    /// Huge pages or an error.
    Require,
}

/// Where the owners of returned external buffers run.
#[derive(Clone, Copy, uniffi::Enum)]
pub enum Reclaim {
    /// On a thread of the producer's own.
    Thread,
    /// In `Producer.reclaim`.
    Pump,
}

/// How to make a lane. Enums of the schema are their numbers, times nanoseconds.
#[derive(uniffi::Record)]
pub struct ProducerOptions {
    /// A `PixelFormat`; 0: the lane has no picture of its own.
    pub format: u32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Bytes that rows begin at a multiple of.
    pub stride_align: u32,
    /// Payload of a slot where it is not the picture's.
    pub payload_bytes: Option<u64>,
    /// Leases of all consumers together.
    pub lease_budget: u32,
    /// Frames claimed at once.
    pub claims: u32,
    /// Frames before the newest that stay reachable.
    pub history: u32,
    /// Whether lossless consumers are admitted.
    pub lossless: bool,
    /// Time a device frame is guaranteed; 0: never revoked.
    pub lease_ns: u64,
    /// Expected time between frames; 0: unknown.
    pub frame_period_ns: u64,
    /// A `MemoryKind`.
    pub memory: u32,
    /// Descriptors of device buffers, duplicated.
    pub device_buffers: Vec<i32>,
    /// Huge pages for the payload.
    pub huge_pages: HugePages,
    /// Whether lane memory is locked.
    pub lock_memory: bool,
    /// NUMA node of lane memory.
    pub numa_node: Option<u32>,
    /// Who may attach.
    pub access: Access,
    /// Who is trusted.
    pub trust: Trust,
    /// Where owners run.
    pub reclaim: Reclaim,
    /// Runtime directory.
    pub directory: Option<String>,
}

/// How to read frames.
#[derive(uniffi::Record)]
pub struct ConsumerOptions {
    /// A `Mode`.
    pub mode: u32,
    /// Frames held at once.
    pub leases: u32,
    /// How long to wait for the lane.
    pub wait_ns: u64,
    /// Whether to attach to the next producer.
    pub reattach: bool,
    /// Accept device buffers that this process could write.
    pub writable: bool,
    /// Runtime directory.
    pub directory: Option<String>,
}

/// How to make a stream lane.
#[derive(uniffi::Record)]
pub struct StreamWriterOptions {
    /// A `StreamConfig`.
    pub config: Vec<u8>,
    /// Bytes of the data ring.
    pub data_bytes: u64,
    /// Records the lane keeps at most.
    pub index_capacity: u32,
    /// Whether lossless readers are admitted.
    pub lossless: bool,
    /// Least time between two requests for a key record.
    pub key_request_interval_ns: u64,
    /// Whether lane memory is locked.
    pub lock_memory: bool,
    /// NUMA node of lane memory.
    pub numa_node: Option<u32>,
    /// Who may attach.
    pub access: Access,
    /// Who is trusted.
    pub trust: Trust,
    /// Runtime directory.
    pub directory: Option<String>,
}

/// How to read a stream.
#[derive(uniffi::Record)]
pub struct StreamReaderOptions {
    /// A `StreamStart`: where reading begins.
    pub start: u32,
    /// The age that `KEY_BEFORE` means.
    pub start_age_ns: u64,
    /// A `StreamStart`: where reading goes on after a lap.
    pub after_lap: u32,
    /// Whether the writer waits for this reader.
    pub lossless: bool,
    /// How long to wait for the lane.
    pub wait_ns: u64,
    /// Whether to attach to the next writer.
    pub reattach: bool,
    /// Runtime directory.
    pub directory: Option<String>,
}

impl From<Access> for framelane::Access {
    fn from(access: Access) -> Self {
        match access {
            Access::Owner => framelane::Access::Owner,
            Access::Group { gid } => framelane::Access::Group(gid),
            Access::Everyone => framelane::Access::Everyone,
        }
    }
}

impl From<Trust> for framelane::Trust {
    fn from(trust: Trust) -> Self {
        match trust {
            Trust::SameUser => framelane::Trust::SameUser,
            Trust::TrustedOnly => framelane::Trust::TrustedOnly,
            Trust::Untrusted => framelane::Trust::Untrusted,
        }
    }
}

impl From<HugePages> for framelane::HugePages {
    fn from(huge: HugePages) -> Self {
        match huge {
            HugePages::Off => framelane::HugePages::Off,
            HugePages::Try => framelane::HugePages::Try,
            HugePages::Require => framelane::HugePages::Require,
        }
    }
}

impl From<Reclaim> for framelane::Reclaim {
    fn from(reclaim: Reclaim) -> Self {
        match reclaim {
            Reclaim::Thread => framelane::Reclaim::Thread,
            Reclaim::Pump => framelane::Reclaim::Pump,
        }
    }
}

pub fn directory(directory: Option<String>) -> Option<PathBuf> {
    directory.map(PathBuf::from)
}

pub fn place(number: u32) -> Result<StreamStart> {
    choice(number, "StreamStart", StreamStart::ALL, |place| place.number().into())
}

pub fn layout(format: u32, width: u32, height: u32, stride_align: u32) -> Result<FrameLayout> {
    let format = choice(format, "PixelFormat", PixelFormat::ALL, PixelFormat::number)?;
    Ok(FrameLayout::with_stride_align(format, width, height, stride_align)?)
}

impl ProducerOptions {
    pub fn into_core(self) -> Result<framelane::ProducerOptions> {
        let number = |kind: MemoryKind| kind.number().into();
        let memory = choice(self.memory, "MemoryKind", MemoryKind::ALL, number)?;
        let buffers = self.device_buffers.iter().map(|&fd| device_buffer(fd, memory));
        let mut options = framelane::ProducerOptions::new()
            .lease_budget(self.lease_budget)
            .claims(self.claims)
            .history(self.history)
            .lossless(self.lossless)
            .lease(Duration::from_nanos(self.lease_ns))
            .frame_period(Duration::from_nanos(self.frame_period_ns))
            .memory(memory)
            .device_buffers(buffers.collect::<Result<_>>()?)
            .huge_pages(self.huge_pages.into())
            .lock_memory(self.lock_memory)
            .numa_node(self.numa_node)
            .access(self.access.into())
            .trust(self.trust.into())
            .reclaim(self.reclaim.into())
            .directory(directory(self.directory));
        if self.format != 0 {
            let picture = layout(self.format, self.width, self.height, self.stride_align)?;
            options = options.layout(picture);
        }
        if let Some(bytes) = self.payload_bytes {
            options = options.payload_bytes(bytes);
        }
        Ok(options)
    }
}

impl ConsumerOptions {
    pub fn into_core(self) -> Result<framelane::ConsumerOptions> {
        let mode = choice(self.mode, "Mode", Mode::ALL, |mode| mode.number().into())?;
        Ok(framelane::ConsumerOptions::new(mode)
            .leases(self.leases)
            .wait_for_lane(Duration::from_nanos(self.wait_ns))
            .reattach(self.reattach)
            .wants_writable(self.writable)
            .directory(directory(self.directory)))
    }
}

impl StreamWriterOptions {
    pub fn into_core(self) -> Result<framelane::StreamWriterOptions> {
        let config = structure(&self.config, "StreamConfig")?;
        Ok(framelane::StreamWriterOptions::new(config)
            .data_bytes(self.data_bytes)
            .index_capacity(self.index_capacity)
            .lossless(self.lossless)
            .key_request_interval(Duration::from_nanos(self.key_request_interval_ns))
            .lock_memory(self.lock_memory)
            .numa_node(self.numa_node)
            .access(self.access.into())
            .trust(self.trust.into())
            .directory(directory(self.directory)))
    }
}

impl StreamReaderOptions {
    pub fn into_core(self) -> Result<framelane::StreamReaderOptions> {
        Ok(framelane::StreamReaderOptions::new()
            .start(place(self.start)?)
            .start_age(Duration::from_nanos(self.start_age_ns))
            .after_lap(place(self.after_lap)?)
            .lossless(self.lossless)
            .wait_for_lane(Duration::from_nanos(self.wait_ns))
            .reattach(self.reattach)
            .directory(directory(self.directory)))
    }
}

/// A duplicate of a descriptor that comes as a number.
fn device_buffer(number: i32, kind: MemoryKind) -> Result<DeviceBuffer> {
    if number < 0 {
        return Err(invalid(format!("{number} is no file descriptor")));
    }
    // SAFETY: not negative, and duplicated at once. A number that is not open makes the duplication
    // fail, no more.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let duplicate = |errno| -> Failure { invalid(format!("duplicating {number}: {errno}")) };
    let fd: OwnedFd = rustix::io::fcntl_dupfd_cloexec(borrowed, 0).map_err(duplicate)?;
    Ok(DeviceBuffer { fd, kind })
}
