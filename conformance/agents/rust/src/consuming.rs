//! The commands of a consumer.

use crate::fields;
use crate::line::{Answer, Line, Refusal, misunderstood};
use framelane::{Consumer, ConsumerOptions, Frame, Mode};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

/// Consumers and the frames they hold.
#[derive(Default)]
pub struct Consuming {
    frames: HashMap<u32, Frame>,
    consumers: HashMap<u32, Consumer>,
}

/// How a frame is asked for.
pub enum Ask {
    Next,
    Try,
    Latest,
}

impl Consuming {
    pub fn open(&mut self, line: &Line<'_>) -> Answer {
        let name: String = line.need("mode")?;
        let mode = Mode::ALL.iter().find(|mode| mode.name() == name);
        let mode = mode.ok_or_else(|| misunderstood(format!("mode={name}")))?;
        let mut options = ConsumerOptions::new(*mode);
        if let Some(leases) = line.get("leases")? {
            options = options.leases(leases);
        }
        if let Some(time) = line.get("wait_ms")? {
            options = options.wait_for_lane(Duration::from_millis(time));
        }
        if let Some(reattach) = line.flag("reattach")? {
            options = options.reattach(reattach);
        }
        if let Some(wants) = line.flag("writable")? {
            options = options.wants_writable(wants);
        }
        let consumer = Consumer::open(&line.need::<String>("lane")?, options)?;
        let epoch = consumer.epoch();
        self.consumers.insert(line.number("consumer")?, consumer);
        Ok(format!(" epoch={epoch}"))
    }

    fn consumer(&mut self, line: &Line<'_>) -> Result<&mut Consumer, Refusal> {
        let number: u32 = line.number("consumer")?;
        let consumer = self.consumers.get_mut(&number);
        consumer.ok_or_else(|| misunderstood(format!("there is no consumer {number}")))
    }

    fn frame(&self, line: &Line<'_>) -> Result<&Frame, Refusal> {
        let number: u32 = line.number("frame")?;
        self.frames.get(&number).ok_or_else(|| misunderstood(format!("there is no frame {number}")))
    }

    pub fn ask(&mut self, ask: Ask, line: &Line<'_>) -> Answer {
        let consumer = self.consumer(line)?;
        let frame = match ask {
            Ask::Next => consumer.next(Duration::from_millis(line.need("timeout_ms")?))?,
            Ask::Try => consumer.try_next()?,
            Ask::Latest => consumer.latest()?,
        };
        let frame = frame.ok_or(Refusal::Nothing)?;
        let (sequence, missed) = (frame.sequence(), frame.missed());
        let new_epoch = u8::from(frame.new_epoch());
        self.frames.insert(line.number("frame")?, frame);
        Ok(format!(" sequence={sequence} missed={missed} new_epoch={new_epoch}"))
    }

    pub fn wait(&mut self, line: &Line<'_>) -> Answer {
        let time = Duration::from_millis(line.need("timeout_ms")?);
        Ok(format!(" ready={}", u8::from(self.consumer(line)?.wait(time)?)))
    }

    pub fn poll(&mut self, line: &Line<'_>) -> Answer {
        let time: u64 = line.need("timeout_ms")?;
        let consumer = self.consumer(line)?;
        let fd = consumer.fd();
        let time = Timespec::try_from(Duration::from_millis(time)).map_err(misunderstood)?;
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        let ready = rustix::event::poll(&mut fds, Some(&time)).map_err(misunderstood)?;
        Ok(format!(" ready={ready}"))
    }

    pub fn read(&self, line: &Line<'_>) -> Answer {
        let frame = self.frame(line)?;
        let lies_in_device_memory = frame.descriptor().memory_kind != 0;
        let d = frame.descriptor();
        let (fourcc, width, height) = (d.fourcc, d.width, d.height);
        let count = frame.plane_count();
        let mut out = format!(" format={fourcc} width={width} height={height} planes={count}");
        for (index, plane) in d.planes.iter().take(count).enumerate() {
            let (size, stride, rows) = (plane.size_bytes, plane.stride_bytes, plane.rows);
            let crc = if lies_in_device_memory {
                let mut copy = vec![0; size as usize];
                frame.copy_to(index, &mut copy)?;
                crc32fast::hash(&copy)
            } else {
                crc32fast::hash(frame.plane(index)?)
            };
            let _ = write!(
                out,
                " size{index}={size} stride{index}={stride} rows{index}={rows} crc{index}={crc:08x}"
            );
        }
        Ok(out)
    }

    /// By a copy where the memory is a device's: a view of that is unsafe in Rust.
    pub fn in_place(&self, line: &Line<'_>) -> Answer {
        let frame = self.frame(line)?;
        let mut out = String::new();
        for index in 0..frame.plane_count() {
            let mut copy = vec![0; frame.descriptor().planes[index].size_bytes as usize];
            frame.copy_to(index, &mut copy)?;
            let crc = crc32fast::hash(&copy);
            let file = rustix::fs::fstat(frame.plane_fd(index)?).map_err(misunderstood)?.st_ino;
            let _ = write!(out, " crc{index}={crc:08x} file{index}={file}");
        }
        Ok(out)
    }

    pub fn describe(&self, line: &Line<'_>) -> Answer {
        Ok(fields::text(self.frame(line)?.descriptor()))
    }

    pub fn check(&self, line: &Line<'_>) -> Answer {
        Ok(format!(" intact={}", u8::from(self.frame(line)?.check())))
    }

    pub fn release(&mut self, line: &Line<'_>) -> Answer {
        self.frame(line)?;
        if let Some(frame) = self.frames.remove(&line.number("frame")?) {
            frame.release()?;
        }
        Ok(String::new())
    }

    pub fn count(&mut self, line: &Line<'_>) -> Answer {
        let consumer = self.consumer(line)?;
        Ok(format!(" received={} missed={}", consumer.received(), consumer.missed()))
    }

    pub fn close(&mut self, line: &Line<'_>) -> Answer {
        self.consumer(line)?;
        if let Some(consumer) = self.consumers.remove(&line.number("consumer")?) {
            consumer.close();
        }
        Ok(String::new())
    }

    pub fn close_later(&mut self, line: &Line<'_>) -> Answer {
        let time = Duration::from_millis(line.need("after_ms")?);
        let closer = self.consumer(line)?.closer();
        std::thread::spawn(move || {
            std::thread::sleep(time);
            closer.close();
        });
        Ok(String::new())
    }
}
