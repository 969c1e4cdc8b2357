//! The buffers of one output, and where each of them is.

use crate::entry::{Answer, board};
use crate::picture::Picture;
use crate::status::{BUFFER_INDEX, BUFFERS, DEQUEUE, OUTPUT_FD, QUEUE, UNKNOWN};
use framelane_hobot_sys::{BufAttr, Format, FrameInfo, GraphicBuf, Image, VseOutputAttr, usage};
use framelane_standin_ion::{UNFINISHED, luma};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who has a buffer.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Hardware,
    Done,
    User,
}

struct State {
    at: Vec<At>,
    /// With the hardware, in the order it will fill them.
    free: VecDeque<usize>,
    done: VecDeque<(usize, FrameInfo)>,
    stopped: bool,
    /// Counts what is done, for whoever polls; once somebody has asked for it.
    bell: Option<OwnedFd>,
}

/// What an exposure shows.
pub enum Shown<'a> {
    /// A value of its own all over, of the camera at this host.
    Pattern(u32),
    /// A picture in so many percent of its light.
    Picture(&'a Picture, u32),
}

/// A fixed set of buffers for the life of a flow.
pub struct Ring {
    channel: u32,
    attr: VseOutputAttr,
    /// Size of what goes in.
    input: (u32, u32),
    buffers: Vec<Buffer>,
    state: Mutex<State>,
    news: Condvar,
}

struct Buffer {
    /// The kernel module's reference.
    kernel: GraphicBuf,
    /// The library's import, which every frame shows.
    mine: GraphicBuf,
    /// RAM and size of each plane, or of all of them.
    ram: Vec<(File, Vec<u64>)>,
}

impl Ring {
    pub fn new(
        channel: u32,
        attr: &VseOutputAttr,
        wanted: &BufAttr,
        input: (u32, u32),
    ) -> Answer<Self> {
        let count = wanted.buffers_num as usize;
        let mut buffers = Vec::new();
        for _ in 0..count {
            match Buffer::new(attr, wanted) {
                Ok(buffer) => buffers.push(buffer),
                Err(_) => return Err(BUFFERS),
            }
        }
        let state = State {
            at: vec![At::Hardware; count],
            free: (0..count).collect(),
            done: VecDeque::new(),
            stopped: false,
            bell: None,
        };
        let (state, news, attr) = (Mutex::new(state), Condvar::new(), *attr);
        Ok(Ring { channel, attr, input, buffers, state, news })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hardware fills its next buffer; without one the frame is lost.
    pub fn expose(&self, shown: &Shown<'_>, mut info: FrameInfo) -> bool {
        let Some(index) = self.lock().free.pop_front() else { return false };
        match shown {
            Shown::Pattern(host) => {
                self.buffers[index].fill(luma(*host, self.channel, info.frame_id));
            }
            Shown::Picture(picture, percent) => {
                let to = (self.attr.target_w, self.attr.target_h);
                let scaled = picture.scaled(self.input, self.attr.roi, to, *percent);
                // What cannot be scaled shows as what is not finished.
                scaled.inspect(|scaled| self.buffers[index].show(scaled));
            }
        }
        info.bufferindex = index as i32;
        let mut state = self.lock();
        state.at[index] = At::Done;
        state.done.push_back((index, info));
        state.ring();
        drop(state);
        self.news.notify_all();
        true
    }

    /// Whoever waits is told that nothing will come.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.ring();
        drop(state);
        self.news.notify_all();
    }

    /// A descriptor that can be read from while a frame is there, or none will come any more. It
    /// stays the ring's.
    pub fn fd(&self) -> Answer<RawFd> {
        let mut state = self.lock();
        if state.bell.is_none() {
            let flags = EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
            state.bell = Some(eventfd(state.done.len() as u32, flags).map_err(|_| OUTPUT_FD)?);
        }
        state.bell.as_ref().map(OwnedFd::as_raw_fd).ok_or(OUTPUT_FD)
    }

    pub fn take(&self, wait: Duration) -> Answer<Image> {
        let deadline = Instant::now() + wait;
        let mut state = self.lock();
        let (index, info) = loop {
            if state.stopped {
                return Err(DEQUEUE);
            }
            if let Some(done) = state.done.pop_front() {
                break done;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(DEQUEUE);
            }
            let woken = self.news.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.at[index] = At::User;
        if let Some(bell) = &state.bell {
            let _ = rustix::io::read(bell, &mut [0; 8]);
        }
        drop(state);
        let buffer = self.buffers[index].mine;
        invalidate(&buffer)?;
        Ok(Image { info, buffer, metadata: 0 })
    }

    /// The hardware has it again, and begins the next exposure there.
    pub fn give_back(&self, index: i32) -> Answer {
        let index = usize::try_from(index).ok().filter(|index| *index < self.buffers.len());
        let index = index.ok_or(BUFFER_INDEX)?;
        let mut state = self.lock();
        if state.at[index] != At::User {
            return Err(QUEUE);
        }
        self.buffers[index].fill(UNFINISHED);
        state.at[index] = At::Hardware;
        state.free.push_back(index);
        Ok(())
    }
}

impl State {
    fn ring(&self) {
        if let Some(bell) = &self.bell {
            let _ = rustix::io::write(bell, &1u64.to_ne_bytes());
        }
    }
}

impl Buffer {
    fn new(attr: &VseOutputAttr, wanted: &BufAttr) -> Answer<Self> {
        let board = board()?;
        let alloc = board.hbmem.hb_mem_alloc_graph_buf().map_err(|_| UNKNOWN)?;
        let import = board.hbmem.hb_mem_import_graph_buf().map_err(|_| UNKNOWN)?;
        let contiguous = if wanted.is_contig != 0 { usage::GRAPHIC_CONTIGUOUS } else { 0 };
        let (flags, format) = (wanted.flags | contiguous, Format::NV12);
        let (width, height) = (attr.target_w as i32, attr.target_h as i32);
        let mut kernel = GraphicBuf::ZERO;
        let stride = attr.y_stride as i32;
        // SAFETY: a place for the answer that lives during the call.
        let code = unsafe { alloc(width, height, format, flags, stride, 0, &mut kernel) };
        if code != 0 {
            return Err(code);
        }
        // From here on whatever fails gives back what there is.
        let nothing = GraphicBuf { fd: [-1; 3], ..GraphicBuf::ZERO };
        let mut buffer = Buffer { kernel, mine: nothing, ram: Vec::new() };
        // SAFETY: as above.
        match unsafe { import(&mut { kernel }, &mut buffer.mine) } {
            0 => buffer.ram = open_ram(&kernel)?,
            code => return Err(code),
        }
        Ok(buffer)
    }

    /// Writes a picture of its size, row by row where the rows have gaps.
    fn show(&self, picture: &Picture) {
        let width = picture.width as usize;
        let stride = if self.kernel.stride == 0 { width } else { self.kernel.stride as usize };
        let mut planes = [&picture.luma, &picture.chroma].into_iter();
        for (file, sizes) in &self.ram {
            let mut block = Vec::new();
            for (plane, &size) in planes.by_ref().zip(sizes) {
                let start = block.len();
                block.resize(start + size as usize, 0);
                let rows = block[start..].chunks_mut(stride).zip(plane.chunks(width));
                rows.for_each(|(to, from)| to[..width].copy_from_slice(from));
            }
            // A write that fails shows in the picture.
            let _ = file.write_all_at(&block, 0);
        }
    }

    fn fill(&self, value: u8) {
        for (index, (file, sizes)) in self.ram.iter().enumerate() {
            let mut block = Vec::new();
            for (plane, &size) in sizes.iter().enumerate() {
                let chroma = u8::from(value != UNFINISHED && index + plane > 0);
                block.resize(block.len() + size as usize, value + chroma);
            }
            // A write that fails shows in the picture.
            let _ = file.write_all_at(&block, 0);
        }
    }
}

fn open_ram(buffer: &GraphicBuf) -> Answer<Vec<(File, Vec<u64>)>> {
    let planes = &buffer.size[..2];
    let parts: Vec<(i32, Vec<u64>)> = if buffer.is_contig == 1 {
        vec![(buffer.share_id[0], planes.to_vec())]
    } else {
        (0..2).map(|plane| (buffer.share_id[plane], vec![planes[plane]])).collect()
    };
    let ion = board()?.ion;
    let open = |(id, sizes): (i32, Vec<u64>)| {
        let record = ion.look(|state| state.buffers.get(&id).cloned()).ok().flatten();
        let file = ion.open_buffer(&record.ok_or(UNKNOWN)?).map_err(|_| UNKNOWN)?;
        Ok((file, sizes))
    };
    parts.into_iter().map(open).collect()
}

fn invalidate(buffer: &GraphicBuf) -> Answer {
    if buffer.flags & usage::CACHED == 0 {
        return Ok(());
    }
    let function = board()?.hbmem.hb_mem_invalidate_buf_with_vaddr().map_err(|_| UNKNOWN)?;
    for plane in 0..2 {
        // SAFETY: a range of a mapping that the ring keeps.
        unsafe { function(buffer.virt_addr[plane], buffer.size[plane]) };
    }
    Ok(())
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let free = board().ok().and_then(|board| board.hbmem.hb_mem_free_buf().ok());
        let Some(free) = free else { return };
        for buffer in [&self.mine, &self.kernel] {
            if buffer.fd[0] >= 0 {
                // SAFETY: both are this ring's own, and freed once.
                unsafe { free(buffer.fd[0]) };
            }
        }
    }
}
