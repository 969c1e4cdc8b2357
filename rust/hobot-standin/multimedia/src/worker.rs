//! The hardware at work: one picture after the other.

use crate::entry::{Answer, board};
use crate::ffmpeg::Ffmpeg;
use crate::instance::{At, Inner, Instance, Job, Unit};
use framelane_hobot_sys::codec::{EncoderParams, MediaBuffer, state};
use framelane_hobot_sys::media::{CODING_FAILED, OPEN_FAIL, OUTPUT_BUF_FULL, UNKNOWN};
use std::ffi::c_void;
use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// A unit begins so far into its buffer.
pub const LEAD: u64 = 64;

/// Starts the thread, and the process that belongs to it and must not outlive it.
pub fn start(instance: &Arc<Instance>, inner: &mut Inner) -> Answer {
    let (tell, told) = channel();
    let (of, params) = (instance.clone(), inner.params);
    let thread = std::thread::spawn(move || match Ffmpeg::start(of.codec, &params) {
        Ok(process) => {
            let killer = process.killer();
            if tell.send(Ok(killer)).is_ok() {
                Worker { instance: of, process: Some(process), number: 0 }.run();
            }
        }
        Err(code) => drop(tell.send(Err(code))),
    });
    inner.process = Some(told.recv().unwrap_or(Err(OPEN_FAIL))?);
    inner.worker = Some(thread);
    Ok(())
}

struct Worker {
    instance: Arc<Instance>,
    process: Option<Ffmpeg>,
    number: u32,
}

/// A picture, the place for its unit, and what to do.
struct Task {
    job: Job,
    stream: usize,
    anew: Option<EncoderParams>,
}

impl Worker {
    fn run(mut self) {
        while let Some(task) = self.next() {
            let coded = self.code(&task);
            self.done(task, coded);
        }
    }

    /// The next picture for which there is room; None at the end.
    fn next(&self) -> Option<Task> {
        let mut inner = self.instance.lock();
        loop {
            // It begins while the state is still the one before.
            if ![state::CONFIGURED, state::STARTED, state::PAUSED].contains(&inner.state) {
                return None;
            }
            let free = inner.streams.iter().position(|stream| stream.at == At::Free);
            if let (state::STARTED, Some(stream)) = (inner.state, free)
                && let Some(job) = inner.jobs.pop_front()
            {
                inner.streams[stream].at = At::Codec;
                let anew = std::mem::take(&mut inner.anew).then_some(inner.params);
                return Some(Task { job, stream, anew });
            }
            inner = self.instance.news.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The unit of a picture, written to its place.
    fn code(&mut self, task: &Task) -> Answer<Vec<u8>> {
        let board = board()?;
        let (code, delay_ms) = board.ion.play("coding").map_err(|_| UNKNOWN)?;
        self.dawdle(Duration::from_millis(delay_ms));
        if code != 0 {
            return Err(code);
        }
        let picture = task.job.source.read()?;
        if task.anew.is_some() {
            self.process = None;
        }
        let unit = match self.process.as_mut() {
            Some(process) => process.encode(&picture),
            None => self.begin()?.encode(&picture),
        };
        let unit = unit.inspect_err(|_| self.process = None)?;
        let (id, room) = {
            let inner = self.instance.lock();
            let stream = inner.streams.get(task.stream).ok_or(CODING_FAILED)?;
            (stream.memory.raw.share_id, inner.params.bitstream_buf_size)
        };
        if unit.len() > room as usize {
            return Err(OUTPUT_BUF_FULL);
        }
        board.ion.hardware_writes(id, LEAD, &unit).map_err(|_| CODING_FAILED)?;
        Ok(unit)
    }

    /// Does nothing for so long, or until it is stopped.
    fn dawdle(&self, how_long: Duration) {
        let until = Instant::now() + how_long;
        let mut inner = self.instance.lock();
        while [state::STARTED, state::PAUSED].contains(&inner.state) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let woken = self.instance.news.wait_timeout(inner, left);
            inner = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A process for a new sequence.
    fn begin(&mut self) -> Answer<&mut Ffmpeg> {
        let mut inner = self.instance.lock();
        if ![state::STARTED, state::PAUSED].contains(&inner.state) {
            return Err(CODING_FAILED); // nobody would end it
        }
        let process = Ffmpeg::start(self.instance.codec, &inner.params)?;
        inner.process = Some(process.killer());
        Ok(self.process.insert(process))
    }

    /// Gives the picture back and the unit out.
    fn done(&mut self, task: Task, coded: Answer<Vec<u8>>) {
        let Task { job, stream, .. } = task;
        let listener = self.instance.lock().listener;
        if let Some(listener) = listener {
            let mut buffer: MediaBuffer = job.buffer;
            // SAFETY: the caller registered both for this; the buffer lives during the call.
            unsafe { (listener.call)(listener.with as *mut c_void, &mut buffer) };
        }
        let mut inner = self.instance.lock();
        if let Some(slot) = inner.slots.get_mut(job.slot) {
            slot.at = At::Free;
        }
        let unit = match coded {
            Ok(unit) => {
                self.number += 1;
                let key = is_key(self.instance.codec, &unit);
                let (bytes, picture) = (unit.len() as u32, job.buffer);
                Ok(Unit { stream, bytes, picture, key, number: self.number })
            }
            Err(code) => {
                if let Some(stream) = inner.streams.get_mut(stream) {
                    stream.at = At::Free;
                }
                Err(code)
            }
        };
        inner.units.push_back(unit);
        drop(inner);
        self.instance.news.notify_all();
    }
}

/// Whether a unit brings its parameter sets, as each IDR here does.
fn is_key(codec: i32, unit: &[u8]) -> bool {
    let first = unit.iter().position(|&byte| byte == 1).and_then(|at| unit.get(at + 1));
    let kind = first.map(|&byte| if codec == 0 { byte & 31 } else { byte >> 1 & 63 });
    kind == Some(if codec == 0 { 7 } else { 32 }) || codec > 1
}
