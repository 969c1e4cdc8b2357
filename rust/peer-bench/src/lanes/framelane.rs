//! framelane itself, through its public API only.

use super::{Consumer, Lane, Producer, SOON, Seen, Setup, Wait, read_all};
use crate::shared::Shared;
use anyhow::{Context, Result};
use framelane::{Access, ConsumerOptions, ErrorKind, FrameLayout, Mode, PixelFormat};
use framelane::{Frame, FrameMut, ProducerOptions};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::time::Timespec;
use std::time::{Duration, Instant};

pub struct Framelane;

pub struct Publisher {
    producer: framelane::Producer,
}

pub struct Reader {
    consumer: framelane::Consumer,
    /// The program's own epoll instance, which watches the consumer's descriptor.
    epoll: Option<OwnedFd>,
}

/// Kept out of the measured paths.
#[cold]
fn told(error: framelane::Error) -> anyhow::Error {
    error.into()
}

/// Options of the producer, also for the row that counts memory.
pub fn options(setup: &Setup) -> Result<ProducerOptions> {
    let layout = FrameLayout::new(PixelFormat::Nv12, setup.width, setup.height)?;
    let options = ProducerOptions::new().layout(layout).directory(Some(setup.place.clone()));
    let options = match setup.other_user {
        true => options.access(Access::Everyone),
        false => options,
    };
    // One lease for each consumer; with the settings a newcomer finds, 8.
    Ok(if setup.defaults { options } else { options.lease_budget(setup.consumers as u32) })
}

impl Lane for Framelane {
    type Producer = Publisher;
    type Consumer = Reader;

    fn producer(setup: &Setup, _shared: &'static Shared) -> Result<Publisher> {
        let producer = framelane::Producer::create(&setup.name, options(setup)?)?;
        Ok(Publisher { producer })
    }

    fn consumer(setup: &Setup, _shared: &'static Shared, _index: usize) -> Result<Reader> {
        // History 1, the default: of two unread frames none is lost.
        let mode = if setup.ordered { Mode::Ordered } else { Mode::Latest };
        let options = ConsumerOptions::new(mode)
            .wait_for_lane(SOON)
            .reattach(false)
            .directory(Some(setup.place.clone()));
        let mut consumer = framelane::Consumer::open(&setup.name, options)?;
        let epoll = match setup.wait {
            Wait::Fd => {
                let epoll = epoll::create(CreateFlags::CLOEXEC)?;
                epoll::add(&epoll, consumer.fd(), EventData::new_u64(0), EventFlags::IN)?;
                Some(epoll)
            }
            Wait::Poll | Wait::Sleep => None,
        };
        Ok(Reader { consumer, epoll })
    }
}

impl Producer for Publisher {
    type Claim = FrameMut;

    #[inline(always)]
    fn claim(&mut self) -> Result<FrameMut> {
        self.producer.claim().map_err(told)
    }

    #[inline(always)]
    fn describe(&mut self, claim: &mut FrameMut, sequence: u64) {
        let descriptor = claim.descriptor_mut();
        descriptor.capture_id = sequence;
        descriptor.capture_ns = sequence;
        descriptor.camera_id = 1;
        descriptor.exposure_ns = 10_000_000;
        descriptor.analog_gain = 2.0;
    }

    #[inline(always)]
    fn publish(&mut self, claim: FrameMut) -> Result<()> {
        claim.publish().map(drop).map_err(told)
    }

    fn publish_copy(&mut self, source: &[u8]) -> Result<()> {
        let mut frame = self.producer.claim()?;
        frame.payload_mut()[..source.len()].copy_from_slice(source);
        frame.publish()?;
        Ok(())
    }

    fn burden(&mut self) -> Result<Option<usize>> {
        Ok(Some(self.producer.report().leases_granted as usize))
    }
}

impl Consumer for Reader {
    type Held = Frame;

    #[inline(always)]
    fn poll(&mut self) -> Result<Option<Frame>> {
        self.consumer.try_next().map_err(told)
    }

    #[inline]
    fn wait(&mut self) -> Result<Frame> {
        if self.epoll.is_none() {
            return self.consumer.next(SOON)?.context("no frame in time");
        }
        loop {
            if let Some(frame) = self.consumer.try_next()? {
                return Ok(frame);
            }
            self.wait_for_fd(SOON)?;
        }
    }

    #[inline]
    fn inspect(&mut self, frame: &Frame) -> u64 {
        frame.descriptor().capture_ns
    }

    fn read(&mut self, frame: &Frame) -> Result<Seen> {
        // NV12: the first plane starts the payload, so its first bytes are the frame's. The
        // planes are adjacent but are handed out one by one.
        let luma = read_all(frame.plane(0)?);
        let chroma = read_all(frame.plane(1)?);
        Ok(Seen { first: luma.first, sum: luma.sum.wrapping_add(chroma.sum) })
    }

    #[inline(always)]
    fn release(&mut self, frame: Frame) -> Result<()> {
        drop(frame);
        Ok(())
    }

    fn wait_for_end(&mut self, limit: Duration) -> Result<bool> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let read = match self.epoll {
                None => self.consumer.next(left),
                Some(_) => self.consumer.try_next(),
            };
            match read {
                Err(error) if error.kind() == ErrorKind::Disconnected => return Ok(true),
                Err(error) => return Err(error.into()),
                Ok(_) if self.epoll.is_some() => self.wait_for_fd(left)?,
                Ok(_) => {}
            }
        }
    }
}

impl Reader {
    #[inline]
    fn wait_for_fd(&self, limit: Duration) -> Result<()> {
        let epoll = self.epoll.as_ref().context("no descriptor is watched")?;
        let limit =
            Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
        let mut events = [const { std::mem::MaybeUninit::<Event>::uninit() }; 8];
        epoll::wait(epoll, &mut events, Some(&limit))?;
        Ok(())
    }
}
