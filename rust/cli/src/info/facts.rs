//! What there is to say about a lane, in the form of its JSON.

use super::stream::Stream;
use crate::lanes::{self, Found};
use crate::switch::facts::Switch;
use crate::{numbers, output};
use framelane::layout::LaneFlag;
use framelane::{FrameDescriptor, MemoryKind, Report};
use serde::Serialize;
use std::os::unix::fs::PermissionsExt;

#[derive(Serialize)]
pub struct Info {
    pub lane: String,
    pub directory: String,
    /// Mode of its socket, in octal: who may connect.
    pub socket_mode: Option<String>,
    pub epoch: String,
    pub kind: String,
    pub layout_hash: String,
    /// CLOCK_REALTIME.
    pub created_ns: u64,
    pub producer: Producer,
    pub memory: Memory,
    pub slots: Slots,
    pub rules: Rules,
    pub counts: Counts,
    pub copies: Copies,
    /// Of a frame lane.
    pub newest: Option<Frame>,
    /// Of a stream lane.
    pub stream: Option<Stream>,
    /// Of a switch.
    pub switch: Option<Switch>,
}

#[derive(Serialize)]
pub struct Producer {
    pub pid: u32,
    pub uid: u32,
    pub command: Option<String>,
}

#[derive(Serialize)]
pub struct Memory {
    pub kind: String,
    /// What the kernel enforces for this kind.
    pub enforced: &'static str,
    pub total_bytes: u64,
    pub payload_bytes: u64,
    pub page_bytes: u32,
    pub device_buffers: u32,
    pub huge_pages: bool,
    pub locked: bool,
    pub numa_bound: bool,
}

/// slots = lease_budget + claims + 1 + history
#[derive(Serialize)]
pub struct Slots {
    pub slots: u32,
    pub lease_budget: u32,
    pub claims: u32,
    pub history: u32,
    pub leases_granted: u32,
}

#[derive(Serialize)]
pub struct Rules {
    /// 0: frames are never revoked.
    pub lease_ns: u64,
    pub lossless: bool,
    /// same_user, trusted_only or untrusted
    pub trust: &'static str,
    pub bell_on_release: bool,
}

#[derive(Serialize)]
pub struct Counts {
    pub head_sequence: u64,
    pub published: u64,
    pub abandoned: u64,
    pub no_free_slot: u64,
    pub revoked: u64,
    pub consumers: u32,
}

/// Bytes that the SDK itself copied. Programs that copy by themselves are not seen.
#[derive(Serialize)]
pub struct Copies {
    pub producer_bytes: u64,
    pub consumers_bytes: u64,
    pub departed_consumers_bytes: u64,
    /// All of them, over the frames published.
    pub per_frame_bytes: Option<f64>,
}

/// The newest frame's descriptor.
#[derive(Serialize)]
pub struct Frame {
    pub sequence: u64,
    pub slot: u64,
    pub age_ns: u64,
    pub publish_ns: u64,
    pub valid_until_ns: u64,
    pub capture_id: u64,
    pub capture_ns: u64,
    pub capture_clock: String,
    pub camera_id: u32,
    pub format: Option<String>,
    pub fourcc: u32,
    pub modifier: String,
    pub width: u32,
    pub height: u32,
    pub planes: Vec<Plane>,
    pub memory_kind: String,
    pub color_matrix: String,
    pub color_range: String,
    pub color_transfer: String,
    pub crop: [u32; 4],
    pub sensor: [u32; 2],
    pub exposure_ns: u64,
    pub analog_gain: f32,
    pub digital_gain: f32,
    pub brightness_avg: f32,
    pub correction_applied: u32,
    pub switch_epoch: u64,
    pub flags: Vec<&'static str>,
    pub vendor_tag: u32,
    pub vendor_bytes: u32,
    /// How a camera of Linux gives its pictures, and why so.
    pub camera: Option<String>,
}

#[derive(Serialize)]
pub struct Plane {
    pub offset_bytes: u64,
    pub size_bytes: u64,
    pub stride_bytes: u32,
    pub rows: u32,
    pub buffer_index: i32,
    pub share_id: i32,
    pub physical_address: String,
}

impl Info {
    pub fn new(lane: &str, found: &Found) -> Self {
        let report = &found.report;
        let is_stream = numbers::is_stream(report);
        let socket = std::fs::metadata(lanes::socket_path(lane, &found.directory));
        Info {
            lane: lane.to_owned(),
            directory: found.directory.display().to_string(),
            socket_mode: socket.ok().map(|s| format!("{:04o}", s.permissions().mode() & 0o7777)),
            epoch: numbers::id(report.epoch),
            kind: numbers::lane_kind(report.lane_kind),
            layout_hash: numbers::id(report.header.layout_hash),
            created_ns: report.created_ns,
            producer: Producer {
                pid: report.producer_pid,
                uid: report.producer_uid,
                command: command(report.producer_pid),
            },
            memory: memory(report),
            slots: Slots {
                slots: report.slot_count,
                lease_budget: report.lease_budget,
                claims: report.claims,
                history: report.history,
                leases_granted: report.leases_granted,
            },
            rules: rules(report),
            counts: Counts {
                head_sequence: numbers::newest(report),
                published: report.published,
                abandoned: report.abandoned,
                no_free_slot: report.no_free_slot,
                revoked: report.revoked,
                consumers: report.consumer_count,
            },
            copies: copies(report),
            newest: (report.head != 0 && !is_stream && !numbers::is_switch(report))
                .then(|| frame(report)),
            stream: is_stream.then(|| Stream::new(report)),
            switch: Switch::of(report),
        }
    }
}

fn memory(report: &Report) -> Memory {
    let has = |flag| report.flags & flag != 0;
    Memory {
        kind: numbers::memory_kind(report.memory_kind),
        enforced: enforced(MemoryKind::from_number(report.memory_kind)),
        total_bytes: report.total_bytes,
        payload_bytes: report.payload_bytes,
        page_bytes: report.page_bytes,
        device_buffers: report.device_buffers,
        huge_pages: has(LaneFlag::HUGE_PAGES),
        locked: has(LaneFlag::LOCKED),
        numa_bound: has(LaneFlag::NUMA_BOUND),
    }
}

/// What a reader cannot do to a frame, whatever it tries.
fn enforced(kind: Option<MemoryKind>) -> &'static str {
    match kind {
        Some(MemoryKind::Inline) => {
            "sealed memfd: the kernel lets no consumer write, shrink or grow it"
        }
        Some(MemoryKind::Memfd) => {
            "external memfds sealed against shrinking: no consumer can make a read fault; whether \
             one could write depends on the other seals, and writable ones go only to who asks"
        }
        Some(MemoryKind::Dmabuf) => {
            "dma-bufs: consumers get descriptors that map read-only, but a device import could \
             still write; those that could be mapped for writing go only to who asks"
        }
        Some(MemoryKind::HbMem) => {
            "hb_mem share ids: the kernel enforces nothing, whoever may open the device can write"
        }
        None => "a kind of memory that this build does not know",
    }
}

fn rules(report: &Report) -> Rules {
    let has = |flag| report.flags & flag != 0;
    let trust = match (has(LaneFlag::TRUSTED_ONLY), has(LaneFlag::UNTRUSTED)) {
        (true, _) => "trusted_only",
        (_, true) => "untrusted",
        _ => "same_user",
    };
    Rules {
        lease_ns: report.lease_ns,
        lossless: has(LaneFlag::LOSSLESS),
        trust,
        bell_on_release: has(LaneFlag::BELL_ON_RELEASE),
    }
}

fn copies(report: &Report) -> Copies {
    let copied = numbers::consumers(report).iter().map(|entry| entry.copied_bytes);
    let consumers_bytes = copied.fold(0u64, u64::saturating_add);
    let all = numbers::copied_bytes(report);
    Copies {
        producer_bytes: report.copied_bytes,
        consumers_bytes,
        departed_consumers_bytes: report.departed_copied_bytes,
        per_frame_bytes: (report.published > 0).then(|| all as f64 / report.published as f64),
    }
}

fn frame(report: &Report) -> Frame {
    let newest = &report.newest;
    Frame {
        sequence: newest.sequence,
        slot: numbers::slot(report.head),
        age_ns: report.now_ns.saturating_sub(newest.publish_ns),
        publish_ns: newest.publish_ns,
        valid_until_ns: newest.valid_until_ns,
        capture_id: newest.capture_id,
        capture_ns: newest.capture_ns,
        capture_clock: numbers::clock(newest.capture_clock),
        camera_id: newest.camera_id,
        format: numbers::pixel_format(newest.fourcc),
        fourcc: newest.fourcc,
        modifier: numbers::id(newest.modifier),
        width: newest.width,
        height: newest.height,
        planes: planes(newest),
        memory_kind: numbers::memory_kind(newest.memory_kind),
        color_matrix: numbers::color_matrix(newest.color_matrix),
        color_range: numbers::color_range(newest.color_range),
        color_transfer: numbers::color_transfer(newest.color_transfer),
        crop: [newest.crop_x, newest.crop_y, newest.crop_width, newest.crop_height],
        sensor: [newest.sensor_width, newest.sensor_height],
        exposure_ns: newest.exposure_ns,
        analog_gain: newest.analog_gain,
        digital_gain: newest.digital_gain,
        brightness_avg: newest.brightness_avg,
        correction_applied: newest.correction_applied,
        switch_epoch: newest.switch_epoch,
        flags: numbers::frame_flags(newest.flags),
        vendor_tag: newest.vendor_tag,
        vendor_bytes: newest.vendor_bytes,
        camera: camera(newest),
    }
}

/// What the V4L2 source says of itself in each frame. Whatever else stands there is not printed.
fn camera(newest: &FrameDescriptor) -> Option<String> {
    let text = newest.vendor_data.get(..newest.vendor_bytes as usize)?;
    let text = (newest.vendor_tag == framelane_camera::v4l2::TAG).then_some(text)?;
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    Some(String::from_utf8_lossy(text).chars().map(plain).collect())
}

fn planes(descriptor: &FrameDescriptor) -> Vec<Plane> {
    let count = usize::from(descriptor.plane_count).min(descriptor.planes.len());
    let plane = |plane: &framelane::Plane| Plane {
        offset_bytes: plane.offset_bytes,
        size_bytes: plane.size_bytes,
        stride_bytes: plane.stride_bytes,
        rows: plane.rows,
        buffer_index: plane.buffer_index,
        share_id: plane.share_id,
        physical_address: numbers::id(plane.physical_address),
    };
    descriptor.planes[..count].iter().map(plane).collect()
}

/// The kernel's name of the producer's process, where it can be seen from here.
fn command(pid: u32) -> Option<String> {
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(output::clean(String::from_utf8_lossy(&name).trim_end()))
}
