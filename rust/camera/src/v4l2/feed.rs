//! From a stream into its lane.

use super::format::Content;
use super::records::Records;
use super::stream::{Filled, Stream};
use super::{Config, Mode, REST, Stats};
use crate::error::Result;
use framelane::layout::{ClockId, FrameFlag, RecordFlag};
use framelane::{
    ErrorKind, FrameDescriptor, FrameLayout, Producer, ProducerOptions, RecordInfo, monotonic_ns,
};
use std::sync::Arc;
use std::time::Duration;

/// `V4L2` as a vendor's tag: the vendor's data say, as text, how pictures come and why so.
pub const TAG: u32 = u32::from_le_bytes(*b"V4L2");

/// A lane for the pictures of a camera.
pub enum Lane {
    /// Readers see the camera's buffers.
    Device(Producer),
    /// Pictures are copied into slots.
    Slots(Producer, FrameLayout),
    /// Coded pictures, as records.
    Records(Records),
}

/// What a frame says of the camera beside its picture.
pub struct Saying<'a> {
    /// How pictures come, and why so.
    pub how: &'a str,
    /// Exposures before this one that were not seen.
    pub gap: bool,
    /// Number of the exposure.
    pub capture_id: u64,
}

impl Lane {
    /// Makes the lane that fits the stream.
    pub fn create(config: &Config, mode: Mode, stream: &Stream) -> Result<Self> {
        let picture = &stream.picture;
        if let Content::Coded(codec) = picture.content {
            return Ok(Lane::Records(Records::create(config, codec, picture)?));
        }
        let options = ProducerOptions::new()
            .history(config.history)
            .lease_budget(config.leases)
            .access(config.access)
            .trust(config.trust)
            .directory(config.directory.clone());
        match stream.shared()? {
            Some((kind, buffers)) => {
                let options =
                    options.memory(kind).device_buffers(buffers).lease(config.lease).frame_period(
                        config
                            .rate
                            .map_or(Duration::ZERO, |rate| Duration::from_nanos(rate.period_ns())),
                    );
                Ok(Lane::Device(Producer::create(&config.lane, options)?))
            }
            None => {
                debug_assert!(mode == Mode::Copy);
                let Content::Raw(raw) = picture.content else { unreachable!("coded was above") };
                let layout = FrameLayout::new(raw, picture.width, picture.height)?;
                let producer = Producer::create(&config.lane, options.layout(layout))?;
                Ok(Lane::Slots(producer, layout))
            }
        }
    }

    /// Whether pictures of this stream can go on in it: their memory is not part of it, and they
    /// are what it was made for.
    pub fn fits(&self, stream: &Stream) -> bool {
        let picture = &stream.picture;
        match (self, picture.content) {
            (Lane::Slots(_, layout), Content::Raw(raw)) => {
                let same = FrameLayout::new(raw, picture.width, picture.height);
                matches!(stream.shared(), Ok(None)) && same.is_ok_and(|same| same == *layout)
            }
            (Lane::Records(records), Content::Coded(codec)) => records.takes(codec),
            _ => false,
        }
    }

    /// Bytes that were copied here.
    pub fn copied_bytes(&self) -> u64 {
        match self {
            Lane::Device(producer) | Lane::Slots(producer, _) => producer.report().copied_bytes,
            Lane::Records(_) => 0,
        }
    }

    /// Hands a picture on, or back to the driver.
    pub fn take(
        &self,
        stream: &Arc<Stream>,
        filled: Filled,
        saying: &Saying<'_>,
        camera_id: u32,
        stats: &mut Stats,
    ) -> Result<()> {
        let ticket = Ticket { stream: stream.clone(), index: filled.index };
        let mut d = FrameDescriptor::ZERO;
        stream.picture.describe(&mut d, stream.number(filled.index, 0))?;
        describe(&mut d, &filled, saying, camera_id);
        let published = match self {
            Lane::Device(producer) => lend(producer, stream, &filled, d, ticket),
            Lane::Slots(producer, _) => copy(producer, stream, &filled, &d, &ticket),
            Lane::Records(records) => write(records, stream, &filled, &d),
        };
        match published {
            Ok(true) => stats.published += 1,
            Ok(false) => stats.starved += 1,
            Err(error) if error.kind() == ErrorKind::NoFreeSlot => stats.starved += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// A buffer that is out; the driver has it again when this is dropped.
struct Ticket {
    stream: Arc<Stream>,
    index: u32,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // A camera that is gone takes nothing back, which is told of where it is read.
        if let Err(error) = self.stream.queue(self.index) {
            tracing::debug!(%error, "a buffer does not go back");
        }
    }
}

fn describe(d: &mut FrameDescriptor, filled: &Filled, saying: &Saying<'_>, camera_id: u32) {
    for (plane, offset) in d.planes.iter_mut().zip(filled.data_offset) {
        plane.offset_bytes += u64::from(offset);
    }
    d.capture_id = saying.capture_id;
    d.capture_ns = if filled.capture_ns > 0 { filled.capture_ns } else { monotonic_ns() };
    d.capture_clock = ClockId::Monotonic.number();
    d.camera_id = camera_id;
    d.brightness_avg = -1.0;
    d.flags |= if saying.gap { FrameFlag::DISCONTINUITY } else { 0 };
    d.flags |= if filled.corrupt { FrameFlag::CORRUPT } else { 0 };
    let text = saying.how.as_bytes();
    let length = text.len().min(d.vendor_data.len());
    d.vendor_data[..length].copy_from_slice(&text[..length]);
    (d.vendor_tag, d.vendor_bytes) = (TAG, length as u32);
}

/// Publishes in place, if enough buffers stay with the driver all the same.
fn lend(
    producer: &Producer,
    stream: &Arc<Stream>,
    filled: &Filled,
    d: FrameDescriptor,
    ticket: Ticket,
) -> Result<bool> {
    if stream.buffers() - stream.out().0 < REST {
        producer.recall();
        tracing::debug!(sequence = filled.sequence, "readers hold all other buffers");
        return Ok(false);
    }
    // The closure owns the ticket: it is dropped when the last reader has let go.
    producer.publish_external(&d, Box::new(move |_| drop(ticket)))?;
    Ok(true)
}

fn copy(
    producer: &Producer,
    stream: &Stream,
    filled: &Filled,
    from: &FrameDescriptor,
    _held: &Ticket,
) -> Result<bool> {
    let mut claimed = producer.claim()?;
    let own = *claimed.descriptor_mut();
    let first = stream.number(filled.index, 0);
    let mut bytes = 0;
    for index in 0..usize::from(own.plane_count) {
        let (source, target) = (from.planes[index], own.planes[index]);
        let part = source.buffer_index as usize - first;
        let row = target.stride_bytes as usize;
        for (number, into) in claimed.plane_mut(index)?.chunks_mut(row).enumerate() {
            let start = source.offset_bytes as usize + number * source.stride_bytes as usize;
            stream.copy(filled, part, start, into)?;
        }
        bytes += target.size_bytes;
    }
    claimed.count_copied(bytes);
    let inline = claimed.descriptor_mut();
    *inline = *from;
    (inline.planes, inline.memory_kind) = (own.planes, own.memory_kind);
    claimed.publish()?;
    Ok(true)
}

fn write(records: &Records, stream: &Stream, filled: &Filled, d: &FrameDescriptor) -> Result<bool> {
    let mut bytes = vec![0; filled.bytes.min(stream.picture.part_bytes[0]) as usize];
    stream.copy(filled, 0, filled.data_offset[0] as usize, &mut bytes)?;
    let mut info = RecordInfo::new();
    (info.pts_ns, info.capture_id) = (d.capture_ns as i64, d.capture_id);
    if d.flags & FrameFlag::DISCONTINUITY != 0 {
        info.flags |= RecordFlag::DISCONTINUITY;
    }
    records.write(&bytes, &info).map(|written| written > 0)
}
