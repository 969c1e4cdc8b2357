//! A device that streams into its buffers.

use super::abi::{self, Buffer, ExportBuffer, Number, Plane, RequestBuffers};
use super::device::Device;
use super::format::Picture;
use super::memory::{Import, Memory, refresh};
use super::sys::{self, Mapped, call};
use super::{Mode, REST};
use crate::error::Result;
use framelane::{DeviceBuffer, Error, ErrorKind, MemoryKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// A streaming camera. Buffers come out of it by `next` and go back by `queue`, from any thread.
pub struct Stream {
    device: Device,
    /// What it gives.
    pub picture: Picture,
    memory: Memory,
    buffers: u32,
    out: AtomicU32,
    most_out: AtomicU32,
}

/// A filled buffer. Somebody has to queue it again.
#[derive(Clone, Copy, Debug)]
pub struct Filled {
    /// Which one.
    pub index: u32,
    /// The driver's own count.
    pub sequence: u32,
    /// When it was taken, by the clock of `CLOCK_MONOTONIC`; 0 where the driver uses another.
    pub capture_ns: u64,
    /// Bytes in its first part.
    pub bytes: u32,
    /// Bytes before the picture in each part.
    pub data_offset: [u32; 4],
    /// The driver says that it is damaged.
    pub corrupt: bool,
}

/// What waiting came to.
#[derive(Debug)]
pub enum Next {
    /// A picture.
    Filled(Filled),
    /// None within the time.
    Nothing,
    /// The camera has another format from now on.
    Changed,
}

impl Stream {
    /// Asks for buffers, queues them all and starts. Never fails half way: what was set up is
    /// gone with the device.
    pub fn start(device: Device, picture: Picture, mode: Mode, count: u32) -> Result<Self> {
        let memory = match mode {
            Mode::Import => abi::MEMORY_DMABUF,
            Mode::Export | Mode::Copy => abi::MEMORY_MMAP,
        };
        let kind = device.kind;
        let mut request = RequestBuffers { count, kind, memory, ..RequestBuffers::ZERO };
        call(&device, &sys::REQBUFS, &mut request)
            .map_err(|errno| device.failed("VIDIOC_REQBUFS", errno))?;
        let buffers = request.count;
        if buffers <= REST {
            let text = format!("{buffers} buffers, {} are needed", REST + 1);
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let memory = match mode {
            Mode::Export => Memory::Export(export(&device, &picture, buffers)?),
            Mode::Import => Memory::Import(import(&picture, buffers)?),
            Mode::Copy => Memory::Copy(map(&device, &picture, buffers)?),
        };
        let (out, most_out) = (AtomicU32::new(buffers), AtomicU32::new(0));
        let stream = Stream { device, picture, memory, buffers, out, most_out };
        (0..buffers).try_for_each(|index| stream.queue(index))?;
        // Only from now on it is a watch for sizes.
        let mut wish =
            abi::Subscription { kind: abi::EVENT_SOURCE_CHANGE, ..abi::Subscription::ZERO };
        let _ = call(&stream.device, &sys::SUBSCRIBE_EVENT, &mut wish);
        call(&stream.device, &sys::STREAMON, &mut Number { value: kind })
            .map_err(|errno| stream.device.failed("VIDIOC_STREAMON", errno))?;
        Ok(stream)
    }

    /// The camera.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Number of buffers.
    pub fn buffers(&self) -> u32 {
        self.buffers
    }

    /// Buffers that are not with the driver now, and the most that ever were.
    pub fn out(&self) -> (u32, u32) {
        (self.out.load(Relaxed), self.most_out.load(Relaxed))
    }

    /// What readers are given, and the kind of memory it is; None where pictures are copied.
    pub fn shared(&self) -> Result<Option<(MemoryKind, Vec<DeviceBuffer>)>> {
        let (kind, fds): (MemoryKind, Vec<OwnedFd>) = match &self.memory {
            Memory::Copy(_) => return Ok(None),
            Memory::Export(fds) => {
                let copies = fds.iter().map(|fd| fd.try_clone().map_err(too_many));
                (MemoryKind::Dmabuf, copies.collect::<Result<_>>()?)
            }
            Memory::Import(all) => {
                let kind = all.first().map_or(MemoryKind::Dmabuf, |first| first.kind);
                (kind, all.iter().map(Import::shared).collect::<Result<_>>()?)
            }
        };
        Ok(Some((kind, fds.into_iter().map(|fd| DeviceBuffer { fd, kind }).collect())))
    }

    /// Gives a buffer to the driver.
    pub fn queue(&self, index: u32) -> Result<()> {
        let (mut buffer, mut planes) = self.request(index);
        if let Memory::Import(all) = &self.memory {
            for (part, plane) in planes.iter_mut().enumerate().take(self.picture.parts) {
                plane.place = all[self.number(index, part)].queue.as_raw_fd() as u64;
                plane.length = self.picture.part_bytes[part];
            }
            (buffer.place, buffer.length) = match self.device.kind {
                abi::CAPTURE => (planes[0].place, planes[0].length),
                _ => (0, self.picture.parts as u32),
            };
        }
        // Counted first: once it is queued the driver may have filled it before this goes on.
        self.out.fetch_sub(1, Relaxed);
        sys::queue_buffer(&self.device, &mut buffer, &mut planes).map_err(|errno| {
            self.out.fetch_add(1, Relaxed);
            self.device.failed("VIDIOC_QBUF", errno)
        })
    }

    /// Waits for the next picture.
    pub fn next(&self, time: Duration) -> Result<Next> {
        let events = PollFlags::IN | PollFlags::PRI;
        let mut fds = [PollFd::new(&self.device, events)];
        let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
        match poll(&mut fds, Some(&time)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Next::Nothing),
            Ok(_) => {}
            Err(errno) => return Err(self.device.failed("poll", errno)),
        }
        let found = fds[0].revents();
        let mut event = abi::Event::ZERO;
        if found.contains(PollFlags::PRI)
            && call(&self.device, &sys::DQEVENT, &mut event).is_ok()
            && event.kind == abi::EVENT_SOURCE_CHANGE
        {
            return Ok(Next::Changed);
        }
        // What else there is, an unplugged camera too, is said by the driver when it is asked.
        let (mut buffer, mut planes) = self.request(0);
        match sys::dequeue_buffer(&self.device, &mut buffer, &mut planes) {
            Ok(()) => Ok(Next::Filled(self.filled(&buffer, &planes))),
            Err(Errno::AGAIN) if !found.contains(PollFlags::ERR) => Ok(Next::Nothing),
            Err(errno) => Err(self.device.failed("VIDIOC_DQBUF", errno)),
        }
    }

    fn filled(&self, buffer: &Buffer, planes: &[Plane; 8]) -> Filled {
        let out = self.out.fetch_add(1, Relaxed) + 1;
        self.most_out.fetch_max(out, Relaxed);
        let several = self.device.kind == abi::CAPTURE_PLANES;
        let monotonic = buffer.flags & abi::BUF_CLOCK_MASK == abi::BUF_CLOCK_MONOTONIC;
        let ns = buffer.seconds as u64 * 1_000_000_000 + buffer.microseconds as u64 * 1000;
        if let Memory::Import(all) = &self.memory {
            for part in 0..self.picture.parts {
                refresh(&all[self.number(buffer.index, part)].queue);
            }
        }
        let offset = |part: usize| if several { planes[part].data_offset } else { 0 };
        Filled {
            index: buffer.index,
            sequence: buffer.sequence,
            capture_ns: if monotonic { ns } else { 0 },
            bytes: if several {
                planes[0].bytes_used.saturating_sub(offset(0))
            } else {
                buffer.bytes_used
            },
            data_offset: [offset(0), offset(1), offset(2), offset(3)],
            corrupt: buffer.flags & abi::BUF_FLAG_ERROR != 0,
        }
    }

    /// Copies bytes out of a filled buffer of a stream that maps its buffers.
    pub fn copy(&self, filled: &Filled, part: usize, offset: usize, into: &mut [u8]) -> Result<()> {
        let maps = if let Memory::Copy(maps) = &self.memory { &maps[..] } else { &[] };
        let map = maps.get(self.number(filled.index, part));
        if map.is_some_and(|map| map.copy(offset, into)) {
            return Ok(());
        }
        let (index, bytes) = (filled.index, into.len());
        let text = format!("buffer {index} has no {bytes} bytes at {offset} of part {part}");
        Err(Error::new(ErrorKind::System, text))
    }

    /// Where the parts of all buffers stand in one row.
    pub fn number(&self, index: u32, part: usize) -> usize {
        index as usize * self.picture.parts + part
    }

    fn request(&self, index: u32) -> (Buffer, [Plane; 8]) {
        let (kind, memory) = (self.device.kind, self.memory.number());
        let length = self.picture.parts as u32;
        let several = kind == abi::CAPTURE_PLANES;
        let length = if several { length } else { 0 };
        (Buffer { index, kind, memory, length, ..Buffer::ZERO }, [Plane::ZERO; 8])
    }
}

fn export(device: &Device, picture: &Picture, buffers: u32) -> Result<Vec<OwnedFd>> {
    let mut fds = Vec::new();
    for (index, plane) in (0..buffers).flat_map(|i| (0..picture.parts).map(move |p| (i, p))) {
        // Without the right to write: who gets this descriptor can only read.
        let flags = (OFlags::RDONLY | OFlags::CLOEXEC).bits();
        let (kind, plane) = (device.kind, plane as u32);
        let mut wish = ExportBuffer { kind, index, plane, flags, ..ExportBuffer::ZERO };
        call(device, &sys::EXPBUF, &mut wish)
            .map_err(|errno| device.failed("VIDIOC_EXPBUF", errno))?;
        fds.push(sys::made(wish.fd).map_err(|errno| device.failed("VIDIOC_EXPBUF", errno))?);
    }
    Ok(fds)
}

fn import(picture: &Picture, buffers: u32) -> Result<Vec<Import>> {
    let parts = &picture.part_bytes[..picture.parts];
    let all = (0..buffers).flat_map(|_| parts.iter());
    let all: Vec<Import> = all.map(|&bytes| Import::new(bytes.into())).collect::<Result<_>>()?;
    match all.iter().all(|import| import.kind == all[0].kind) {
        true => Ok(all),
        false => Err(Error::new(ErrorKind::OutOfMemory, "the dma-heap ended between two buffers")),
    }
}

fn map(device: &Device, picture: &Picture, buffers: u32) -> Result<Vec<Mapped>> {
    let mut maps = Vec::new();
    for index in 0..buffers {
        let several = device.kind == abi::CAPTURE_PLANES;
        let (kind, memory) = (device.kind, abi::MEMORY_MMAP);
        let length = if several { picture.parts as u32 } else { 0 };
        let mut buffer = Buffer { index, kind, memory, length, ..Buffer::ZERO };
        let mut planes = [Plane::ZERO; 8];
        sys::query_buffer(device, &mut buffer, &mut planes)
            .map_err(|errno| device.failed("VIDIOC_QUERYBUF", errno))?;
        for (part, plane) in planes.iter().enumerate().take(picture.parts) {
            // The lower half of the union is the offset.
            let place = if several { plane.place } else { buffer.place } & 0xffff_ffff;
            let length = if several { plane.length } else { buffer.length };
            if length < picture.part_bytes[part] {
                let text = format!("buffer {index} has {length} bytes in part {part}");
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            let mapped = Mapped::new(device, place, length as usize);
            maps.push(mapped.map_err(|error| Error::new(ErrorKind::System, error.to_string()))?);
        }
    }
    Ok(maps)
}

fn too_many(error: std::io::Error) -> Error {
    Error::new(ErrorKind::TooMany, error.to_string())
}
