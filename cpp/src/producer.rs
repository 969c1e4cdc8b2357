//! The producer and how it is made.
#![allow(unsafe_code, reason = "handles, frames and owners come as pointers")]

use crate::bridge::ffi::{ClaimedFrame, Geometry, Owner, ProducerSettings, give_back};
use crate::status::{enter, invalid, make, place, text};
use crate::types::{FrameDescriptor, Report};
use cxx::UniquePtr;
use framelane::{
    Access, DeviceBuffer, FrameLayout, HugePages, MemoryKind, PixelFormat, Plane, ProducerOptions,
    Reclaim, Result, Returned, Trust,
};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

pub struct Producer(framelane::Producer);

// SAFETY: the headers say that an owner runs, and is destroyed, on another thread.
unsafe impl Send for Owner {}

pub fn create_producer(name: &[u8], settings: &ProducerSettings<'_>) -> *mut Producer {
    make(|| {
        let name = text(name, "the lane's name")?;
        Ok(Producer(framelane::Producer::create(name, options(settings)?)?))
    })
}

/// # Safety
/// A pointer that `create_producer` returned and that was not dropped before.
pub unsafe fn drop_producer(producer: *mut Producer) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(producer) });
        Ok(())
    });
}

impl Producer {
    pub fn claim(&self, frame: &mut ClaimedFrame) -> u32 {
        enter(|| {
            frame.hold(self.0.claim()?);
            Ok(())
        })
    }

    pub fn claim_within(&self, timeout_ns: u64, frame: &mut ClaimedFrame) -> u32 {
        enter(|| {
            frame.hold(self.0.claim_within(Duration::from_nanos(timeout_ns))?);
            Ok(())
        })
    }

    pub fn publish_batch(&self, frames: &mut [ClaimedFrame], last: &mut u64) -> u32 {
        enter(|| {
            if frames.iter().any(|frame| !frame.live) {
                return Err(invalid("a frame of the batch is empty: claim it first"));
            }
            let taken = frames.iter_mut().map(ClaimedFrame::take).collect::<Result<_>>()?;
            *last = self.0.publish_batch(taken)?;
            Ok(())
        })
    }

    pub fn publish_external(
        &self,
        descriptor: &FrameDescriptor,
        owner: UniquePtr<Owner>,
        sequence: &mut u64,
    ) -> u32 {
        enter(|| {
            let returned = move |returned: Returned| {
                if !owner.is_null() {
                    give_back(owner, returned.sequence, returned.revoked);
                }
            };
            *sequence = self.0.publish_external(&descriptor.0, Box::new(returned))?;
            Ok(())
        })
    }

    pub fn reclaim(&self) -> usize {
        let mut ran = 0;
        enter(|| {
            ran = self.0.reclaim();
            Ok(())
        });
        ran
    }

    pub fn recall(&self) {
        enter(|| {
            self.0.recall();
            Ok(())
        });
    }

    pub fn report(&self, report: &mut Report) {
        report.0 = self.0.report();
    }

    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    pub fn consumers(&self) -> usize {
        self.0.consumers()
    }

    pub fn name(&self) -> String {
        self.0.name().to_owned()
    }

    pub fn directory(&self) -> Vec<u8> {
        self.0.directory().as_os_str().as_bytes().to_vec()
    }
}

pub fn pixel_format(name: &[u8], format: &mut u32) -> u32 {
    enter(|| {
        *format = PixelFormat::parse(text(name, "the format's name")?)?.number();
        Ok(())
    })
}

pub fn lay_out(format: u32, width: u32, height: u32, align: u32, out: &mut Geometry) -> u32 {
    enter(|| {
        let known = PixelFormat::from_number(format);
        let known = known.ok_or_else(|| invalid(format!("{format:#010x} is no pixel format")))?;
        let made = FrameLayout::with_stride_align(known, width, height, align)?;
        *out = Geometry {
            fourcc: made.fourcc,
            width: made.width,
            height: made.height,
            plane_count: made.plane_count.into(),
            offset_bytes: made.planes.map(|plane| plane.offset_bytes),
            size_bytes: made.planes.map(|plane| plane.size_bytes),
            stride_bytes: made.planes.map(|plane| plane.stride_bytes),
            rows: made.planes.map(|plane| plane.rows),
            total_bytes: made.total_bytes,
        };
        Ok(())
    })
}

fn layout(geometry: &Geometry) -> Result<FrameLayout> {
    let plane_count = u8::try_from(geometry.plane_count).ok().filter(|count| *count <= 4);
    let plane_count = plane_count.ok_or_else(|| {
        invalid(format!("{} planes, a frame has at most 4", geometry.plane_count))
    })?;
    let plane = |index: usize| Plane {
        offset_bytes: geometry.offset_bytes[index],
        size_bytes: geometry.size_bytes[index],
        physical_address: 0,
        stride_bytes: geometry.stride_bytes[index],
        rows: geometry.rows[index],
        share_id: -1,
        buffer_index: -1,
        reserved: 0,
    };
    Ok(FrameLayout {
        fourcc: geometry.fourcc,
        width: geometry.width,
        height: geometry.height,
        plane_count,
        planes: [plane(0), plane(1), plane(2), plane(3)],
        total_bytes: geometry.total_bytes,
    })
}

fn options(settings: &ProducerSettings<'_>) -> Result<ProducerOptions> {
    let s = settings;
    let access = [Access::Owner, Access::Group(s.access_group), Access::Everyone];
    let trust = [Trust::SameUser, Trust::TrustedOnly, Trust::Untrusted];
    let huge = [HugePages::Off, HugePages::Try, HugePages::Require];
    let mut options = ProducerOptions::new()
        .lease_budget(s.lease_budget)
        .claims(s.claims)
        .history(s.history)
        .lossless(s.lossless)
        .lease(Duration::from_nanos(s.lease_ns))
        .frame_period(Duration::from_nanos(s.frame_period_ns))
        .lock_memory(s.lock_memory)
        .numa_node(u32::try_from(s.numa_node).ok())
        .memory(memory_kind(s.memory)?)
        .huge_pages(one_of(s.huge_pages, "huge_pages", &huge)?)
        .access(one_of(s.access, "access", &access)?)
        .trust(one_of(s.trust, "trust", &trust)?)
        .reclaim(one_of(s.reclaim, "reclaim", &[Reclaim::Thread, Reclaim::Pump])?)
        .device_buffers(device_buffers(s)?)
        .directory(place(s.directory).map(Into::into));
    if s.geometry.fourcc != 0 {
        options = options.layout(layout(&s.geometry)?);
    }
    if s.payload_bytes != 0 {
        options = options.payload_bytes(s.payload_bytes);
    }
    Ok(options)
}

fn memory_kind(number: u8) -> Result<MemoryKind> {
    MemoryKind::from_number(number).ok_or_else(|| invalid(format!("{number} is no memory kind")))
}

pub fn one_of<T: Copy>(number: u8, what: &str, choices: &[T]) -> Result<T> {
    let choice = choices.get(usize::from(number)).copied();
    choice.ok_or_else(|| invalid(format!("{what} {number}, it can be 0 to {}", choices.len() - 1)))
}

fn device_buffers(settings: &ProducerSettings<'_>) -> Result<Vec<DeviceBuffer>> {
    let buffers = settings.device_fds.iter().zip(settings.device_kinds);
    buffers
        .map(|(&fd, &kind)| {
            if fd < 0 {
                return Err(invalid(format!("{fd} is no file descriptor")));
            }
            // SAFETY: not negative; by convention open for the time of this call, and duplicated
            // before it ends. A closed one makes the duplication fail, no more.
            let borrowed = unsafe { rustix::fd::BorrowedFd::borrow_raw(fd) };
            let fd = rustix::io::fcntl_dupfd_cloexec(borrowed, 0)
                .map_err(|errno| invalid(format!("duplicating descriptor {fd}: {errno}")))?;
            Ok(DeviceBuffer { fd, kind: memory_kind(kind)? })
        })
        .collect()
}
