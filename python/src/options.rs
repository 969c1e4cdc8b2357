//! Keyword arguments as options of the SDK.
#![allow(unsafe_code, reason = "descriptors come from Python as numbers")]

use crate::errors::{invalid, raise};
use crate::waiting::seconds;
use framelane::{
    Access, ConsumerOptions, DeviceBuffer, FrameLayout, HugePages, MemoryKind, Mode, PixelFormat,
    ProducerOptions, Reclaim, Trust,
};
use pyo3::prelude::*;
use rustix::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// One of an enum of the schema, by name or number.
pub fn choice<T: Copy>(
    value: &Bound<'_, PyAny>,
    what: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
    number: impl Fn(T) -> u32,
) -> PyResult<T> {
    let found = match value.extract::<u32>() {
        Ok(wanted) => all.iter().find(|&&one| number(one) == wanted),
        Err(_) => {
            let wanted: String = value.extract()?;
            all.iter().find(|&&one| name(one).eq_ignore_ascii_case(&wanted))
        }
    };
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|&one| name(one)).collect();
        invalid(format!("{what} {value}; known are {}", names.join(", ")))
    })
}

pub fn mode(value: &Bound<'_, PyAny>) -> PyResult<Mode> {
    choice(value, "mode", Mode::ALL, Mode::name, |mode| mode.number().into())
}

/// How to read frames of a lane, or of those behind a switch.
pub fn consumer(
    mode: Option<&Bound<'_, PyAny>>,
    leases: u32,
    reattach: bool,
    writable: bool,
    directory: Option<PathBuf>,
) -> PyResult<ConsumerOptions> {
    Ok(ConsumerOptions::new(mode.map_or(Ok(Mode::Latest), self::mode)?)
        .leases(leases)
        .reattach(reattach)
        .return_on_signal(true)
        .wants_writable(writable)
        .directory(directory))
}

pub fn format(value: &Bound<'_, PyAny>) -> PyResult<PixelFormat> {
    let all = PixelFormat::ALL;
    choice(value, "pixel format", all, PixelFormat::label, PixelFormat::number)
}

fn memory(value: &Bound<'_, PyAny>) -> PyResult<MemoryKind> {
    choice(value, "memory", MemoryKind::ALL, MemoryKind::name, |kind| kind.number().into())
}

/// A picture, where a format is given.
pub fn layout(
    format: Option<&Bound<'_, PyAny>>,
    width: Option<u32>,
    height: Option<u32>,
    stride_align: u32,
) -> PyResult<Option<FrameLayout>> {
    let Some(format) = format else {
        return match (width, height) {
            (None, None) => Ok(None),
            _ => Err(invalid("a width and a height need a pixel format")),
        };
    };
    let (Some(width), Some(height)) = (width, height) else {
        return Err(invalid("a pixel format needs a width and a height"));
    };
    let format = self::format(format)?;
    FrameLayout::with_stride_align(format, width, height, stride_align).map(Some).map_err(raise)
}

/// What `Producer` takes beside its name.
pub struct Keywords<'py> {
    pub format: Option<Bound<'py, PyAny>>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub stride_align: u32,
    pub payload_bytes: Option<u64>,
    pub lease_budget: u32,
    pub claims: u32,
    pub history: u32,
    pub lossless: bool,
    pub lease: f64,
    pub frame_period: f64,
    pub memory: Option<Bound<'py, PyAny>>,
    pub device_buffers: Vec<Bound<'py, PyAny>>,
    pub huge_pages: &'py str,
    pub lock_memory: bool,
    pub numa_node: Option<u32>,
    pub access: Option<Bound<'py, PyAny>>,
    pub trust: &'py str,
    pub reclaim: &'py str,
    pub directory: Option<PathBuf>,
}

impl Keywords<'_> {
    pub fn options(self) -> PyResult<ProducerOptions> {
        let memory = self.memory.as_ref().map_or(Ok(MemoryKind::Inline), memory)?;
        let buffers = self.device_buffers.iter().map(|fd| device_buffer(fd, memory));
        let mut options = ProducerOptions::new()
            .lease_budget(self.lease_budget)
            .claims(self.claims)
            .history(self.history)
            .lossless(self.lossless)
            .lease(seconds(self.lease, "lease")?)
            .frame_period(seconds(self.frame_period, "frame_period")?)
            .memory(memory)
            .device_buffers(buffers.collect::<PyResult<_>>()?)
            .huge_pages(word(
                self.huge_pages,
                "huge_pages",
                &[
                    ("off", HugePages::Off),
                    ("try", HugePages::Try),
                    ("require", HugePages::Require),
                ],
            )?)
            .lock_memory(self.lock_memory)
            .numa_node(self.numa_node)
            .access(self.access.as_ref().map_or(Ok(Access::Owner), access)?)
            .trust(trust(self.trust)?)
            .reclaim(word(
                self.reclaim,
                "reclaim",
                &[("thread", Reclaim::Thread), ("pump", Reclaim::Pump)],
            )?)
            .directory(self.directory);
        let format = self.format.as_ref();
        if let Some(layout) = layout(format, self.width, self.height, self.stride_align)? {
            options = options.layout(layout);
        }
        if let Some(bytes) = self.payload_bytes {
            options = options.payload_bytes(bytes);
        }
        Ok(options)
    }
}

fn word<T: Copy>(value: &str, what: &str, choices: &[(&str, T)]) -> PyResult<T> {
    let found = choices.iter().find(|(name, _)| *name == value);
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        invalid(format!("{what} {value:?}; known are {}", names.join(", ")))
    })
}

pub fn access(value: &Bound<'_, PyAny>) -> PyResult<Access> {
    if let Ok(group) = value.extract::<u32>() {
        return Ok(Access::Group(group));
    }
    let choices = [("owner", Access::Owner), ("everyone", Access::Everyone)];
    word(&value.extract::<String>()?, "access", &choices)
}

pub fn trust(value: &str) -> PyResult<Trust> {
    let choices = [
        ("same_user", Trust::SameUser),
        ("trusted_only", Trust::TrustedOnly),
        ("untrusted", Trust::Untrusted),
    ];
    word(value, "trust", &choices)
}

/// A duplicate of a descriptor, given as a number or as an object that has one.
fn device_buffer(value: &Bound<'_, PyAny>, kind: MemoryKind) -> PyResult<DeviceBuffer> {
    let number: i32 = match value.extract() {
        Ok(number) => number,
        Err(_) => value.call_method0("fileno")?.extract()?,
    };
    if number < 0 {
        return Err(invalid(format!("{number} is no file descriptor")));
    }
    // SAFETY: not negative, and duplicated at once while Python runs nothing else. A number that
    // is not open makes the duplication fail, no more.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let fd: OwnedFd = rustix::io::fcntl_dupfd_cloexec(borrowed, 0)
        .map_err(|errno| invalid(format!("duplicating descriptor {number}: {errno}")))?;
    Ok(DeviceBuffer { fd, kind })
}
