//! One channel's frames into its lanes.

use super::config::{Channel, Config, Transport};
use super::duty::{Duty, Warming};
use super::exposures::Exposure;
use super::flight::Flight;
use super::{ChannelStats, Places};
use crate::color::Color;
use crate::error::Result;
use framelane::layout::{ClockId, FrameFlag};
use framelane::{
    ErrorKind, FrameDescriptor, FrameLayout, MemoryKind, PixelFormat, Producer, ProducerOptions,
    Reclaim,
};
use framelane_hobot::vio::{Vio, VioFrame};
use framelane_hobot::{Format, Picture, usage};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two words on starvation.
const QUIET: Duration = Duration::from_secs(10);

/// One channel and its lanes.
pub struct Feed {
    channel: Channel,
    camera_id: u32,
    sensor: (u32, u32),
    crop: [u32; 4],
    in_place: Option<Producer>,
    copies: Vec<Producer>,
    flight: Arc<Flight>,
    stats: ChannelStats,
    last: Option<u64>,
    warming: Warming,
    told: Option<(Instant, u64)>,
}

impl Feed {
    /// Makes the lanes.
    pub fn open(
        vio: &Vio,
        config: &Config,
        index: usize,
        own: &Channel,
        places: &Places,
    ) -> Result<Self> {
        let (camera, lane) = (&config.cameras[index], config.lane_of(index, own));
        let common = |options: ProducerOptions| {
            options
                .lease_budget(own.leases)
                .access(config.readers.access())
                .trust(config.readers.trust())
                .directory(places.lanes.clone())
        };
        let in_place = match own.transport {
            Transport::Copy => false,
            Transport::ZeroCopy => true,
            Transport::Auto => match can_import(vio, own) {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(lane, %error, "readers could not import: frames are copied");
                    false
                }
            },
        };
        let device = || {
            let period = period(camera.sensor.fps);
            Producer::create(&lane, common(device_options(own).frame_period(period)))
        };
        let mut feed = Feed {
            channel: own.clone(),
            camera_id: camera.id_of(index),
            sensor: (camera.sensor.width, camera.sensor.height),
            crop: own.crop.unwrap_or([0, 0, camera.sensor.width, camera.sensor.height]),
            in_place: if in_place { Some(device()?) } else { None },
            copies: Vec::new(),
            flight: Arc::default(),
            stats: ChannelStats::default(),
            last: None,
            warming: Warming::default(),
            told: None,
        };
        let second = own.copy_lane.as_deref();
        for name in (!in_place).then_some(&*lane).into_iter().chain(second) {
            let layout = FrameLayout::new(PixelFormat::Nv12, own.size[0], own.size[1])?;
            let options = common(ProducerOptions::new().layout(layout));
            feed.copies.push(Producer::create(name, options)?);
        }
        feed.stats.transport = if in_place { "zero-copy" } else { "copy" };
        tracing::info!(lane, transport = feed.stats.transport, "a lane is open");
        feed.stats.lane = lane;
        Ok(feed)
    }

    /// Number of its output.
    pub fn number(&self) -> u32 {
        self.channel.number
    }

    /// Whether a frame is one to show.
    pub fn admits(&mut self, duty: &Duty) -> bool {
        duty.admits(&mut self.warming, self.channel.buffers)
    }

    /// While the camera sleeps nothing of it is shown.
    pub fn hide(&self) {
        if let Some(lane) = &self.in_place {
            lane.recall();
            lane.reclaim();
        }
    }

    /// Publishes a frame to every lane.
    pub fn take(&mut self, frame: VioFrame, exposure: Exposure) -> Result<()> {
        let mut descriptor = frame.describe().map_err(framelane::Error::from)?;
        self.describe(&mut descriptor, exposure);
        for index in 0..self.copies.len() {
            self.copy(index, &frame, &descriptor)?;
        }
        if self.in_place.is_some() {
            self.lend(frame, &descriptor)?;
        } else {
            drop(frame);
        }
        self.last = Some(exposure.capture_id);
        Ok(())
    }

    fn describe(&self, descriptor: &mut FrameDescriptor, exposure: Exposure) {
        Color::usual(PixelFormat::Nv12, descriptor.height).apply(descriptor);
        descriptor.capture_id = exposure.capture_id;
        descriptor.capture_ns = exposure.capture_ns;
        descriptor.capture_clock = ClockId::Monotonic.number();
        descriptor.brightness_avg = exposure.brightness;
        // Frames are shown as the camera made them: nothing here brightens a dark one.
        descriptor.correction_applied = 0;
        descriptor.camera_id = self.camera_id;
        let [x, y, width, height] = self.crop;
        (descriptor.crop_x, descriptor.crop_y) = (x, y);
        (descriptor.crop_width, descriptor.crop_height) = (width, height);
        (descriptor.sensor_width, descriptor.sensor_height) = self.sensor;
        if self.last.is_some_and(|last| exposure.capture_id != last + 1) {
            descriptor.flags |= FrameFlag::DISCONTINUITY;
        }
    }

    /// Publishes a frame in place, if a buffer stays with the hardware all the same.
    fn lend(&mut self, frame: VioFrame, descriptor: &FrameDescriptor) -> Result<()> {
        let Some(lane) = &self.in_place else { return Ok(()) };
        let limit = self.channel.buffers - 1;
        lane.reclaim();
        if !self.flight.has_room(limit) {
            lane.recall();
            lane.reclaim();
        }
        if !self.flight.has_room(limit) {
            drop(frame);
            self.starved();
            return Ok(());
        }
        let ticket = self.flight.start(frame);
        let owner = move |returned: framelane::Returned| ticket.returned(returned.revoked);
        let published = lane.publish_external(descriptor, Box::new(owner));
        lane.reclaim(); // the frame before, if nobody holds it
        match published {
            Ok(_) => self.stats.published += 1,
            Err(error) if error.kind() == ErrorKind::NoFreeSlot => self.starved(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Gives back what readers have let go of, or overstayed, while the camera is silent.
    pub fn reclaim(&self) {
        if let Some(lane) = &self.in_place {
            lane.reclaim();
        }
    }

    fn copy(&mut self, index: usize, frame: &VioFrame, descriptor: &FrameDescriptor) -> Result<()> {
        let mut claimed = match self.copies[index].claim() {
            Ok(claimed) => claimed,
            Err(error) if error.kind() == ErrorKind::NoFreeSlot => {
                self.starved();
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let own = *claimed.descriptor_mut();
        for (plane, (from, to)) in descriptor.planes.iter().zip(own.planes).enumerate().take(2) {
            let (from_stride, to_stride) = (from.stride_bytes as usize, to.stride_bytes as usize);
            let rows = frame.plane(plane).map_err(framelane::Error::from)?.chunks(from_stride);
            for (from, to) in rows.zip(claimed.plane_mut(plane)?.chunks_mut(to_stride)) {
                to.copy_from_slice(&from[..to_stride]);
            }
            self.stats.copied_bytes += to.size_bytes;
        }
        claimed.count_copied(own.planes[0].size_bytes + own.planes[1].size_bytes);
        let inline = claimed.descriptor_mut();
        *inline = *descriptor;
        (inline.planes, inline.memory_kind) = (own.planes, own.memory_kind);
        (inline.vendor_tag, inline.vendor_bytes) = (0, 0);
        inline.vendor_data = [0; 160];
        inline.flags &= !FrameFlag::CPU_CACHED;
        claimed.publish()?;
        if self.in_place.is_none() && index == 0 {
            self.stats.published += 1;
        }
        Ok(())
    }

    /// Counts a frame that nobody saw, and says so now and then.
    fn starved(&mut self) {
        self.stats.starved += 1;
        let (said, before) = self.told.unwrap_or((Instant::now(), 0));
        if self.told.is_none() || said.elapsed() > QUIET {
            let (lane, count) = (&self.stats.lane, self.stats.starved - before);
            tracing::warn!(lane, count, "frames given back unseen: readers hold all other buffers");
            self.told = Some((Instant::now(), self.stats.starved));
        }
    }

    /// The camera ends: takes back what nobody holds, and waits until leases give the rest back.
    pub fn settle(&self) -> bool {
        let Some(lane) = &self.in_place else { return true };
        let deadline = Instant::now() + 2 * self.channel.lease() + Duration::from_secs(1);
        lane.recall();
        lane.reclaim();
        while !self.flight.has_room(1) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
            lane.reclaim();
        }
        self.flight.has_room(1)
    }

    /// What became of its frames.
    pub fn stats(&self) -> ChannelStats {
        let (revoked, most_in_flight) = (self.flight.revoked(), self.flight.most());
        ChannelStats { revoked, most_in_flight, ..self.stats.clone() }
    }
}

fn device_options(own: &Channel) -> ProducerOptions {
    // Buffers go back by the channel's own thread, which no other can be late for.
    let options = ProducerOptions::new().memory(MemoryKind::HbMem).reclaim(Reclaim::Pump);
    options.history(0).lease(own.lease())
}

/// From one frame to the next, in whole milliseconds as everybody writes it.
fn period(fps: u32) -> Duration {
    Duration::from_millis(1000 / u64::from(fps))
}

/// Whether a reader could import a buffer like those of the channel.
fn can_import(vio: &Vio, own: &Channel) -> framelane_hobot::Result<()> {
    let cached = if own.cached { usage::CACHED } else { 0 };
    let rights = usage::CPU_READ_OFTEN | usage::CPU_WRITE_OFTEN;
    let picture = Picture {
        width: own.size[0] as i32,
        height: own.size[1] as i32,
        format: Format::NV12,
        flags: rights | cached | usage::GRAPHIC_CONTIGUOUS,
        stride: 0,
        vstride: 0,
    };
    let buffer = vio.memory().alloc_graphic(&picture)?;
    vio.memory().import_graphic(&buffer.export()).map(drop)
}
